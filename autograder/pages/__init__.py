"""What people read: feedback, explanations, reports, tables, CSV files and Formgrader's cells."""
