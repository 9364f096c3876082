"""What is remembered: grades, transcripts, what decides them, and known mistakes. Data; nothing of a student's is run here."""
