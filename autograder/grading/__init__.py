"""Grades a class: keeps, rescores or runs each submission, and saves the results."""
