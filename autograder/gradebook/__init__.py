"""nbgrader's database and folders. The only room that opens the database."""
