"""What is saved of a submission (run, transcript, grade), what decides a grade, and known mistakes."""
