"""Judges one submission: its cells run in a sandbox, the test cells run here.

`walk` goes through the notebook cell by cell. Its subject is a live run (`live`, in the children of a `session`) or an earlier
run (`replay`). `scoring` and `test_cell` run the test cells, and `remote` represents there what a student defined. `batch` and
`rescoring` do this for many submissions, in processes of `worker`.
"""
