"""Tests of the tests: what an assignment's checks catch and miss, how much room its tolerances have, and whether a grade
stays the same. Reads what `build` proved; writes a page, and changes nothing else.
"""
