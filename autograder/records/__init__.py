"""What is saved of each submission: runs, transcripts, grades. What decides a grade. Known mistakes."""
