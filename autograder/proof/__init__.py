"""Proves an assignment's tests on right and wrong answers before students get it, and audits them."""
