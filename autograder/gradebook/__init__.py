"""nbgrader's database and folders; no other room opens the database."""
