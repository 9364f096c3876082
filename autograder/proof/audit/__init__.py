"""Audits tests: what their checks catch and miss, the room of tolerances, and whether grades repeat.

It reads what `build` proved, writes one page, and changes nothing else.
"""
