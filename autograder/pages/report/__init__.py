"""How a class did in one assignment: the results, item statistics, an HTML page and CSV files."""
