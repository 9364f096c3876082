"""Measurements of speed and memory; RESULTS.md has the figures."""
