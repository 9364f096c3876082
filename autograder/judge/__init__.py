"""Judges one submission: its cells run in a sandbox, the test cells run here. `session` keeps a child at hand, replaced
when it is lost; `remote` makes what a student defined usable here; `test_cell` runs one test; `submission` walks the
notebook.
"""
