"""What people read: feedback, reports, explanations, tables, CSV files, and the cells that Formgrader shows."""
