"""A student's feedback: one HTML page for each graded submission, and the files of a class."""
