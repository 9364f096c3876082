"""nbgrader's own commands and Formgrader's buttons, answered by this engine as nbgrader_config.py asks."""
