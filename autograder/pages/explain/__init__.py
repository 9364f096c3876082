"""Why one submission has its points: a story for TAs, from its record and transcript."""
