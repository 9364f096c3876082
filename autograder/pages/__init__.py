"""What people read: feedback, explanations, reports, terminal tables, CSV files and Formgrader's cells."""
