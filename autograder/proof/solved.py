"""The solved version of a notebook, which students may get after the deadline: the instructor's answers and reasoning, without
hidden tests and mark schemes."""

from __future__ import annotations

import copy
from collections.abc import Iterator

from autograder.course import notebook as nb
from autograder.errors import CourseError
from autograder.proof.regions import KINDS, find_marker_faults

KEPT_SECRET = ("HIDDEN TESTS", "MARK SCHEME")
TITLE = "> **Solved version.** The answers are the instructor's, with the reasoning and the common mistakes."


def solve(source: nb.Notebook) -> nb.Notebook:
    """Return the instructor's notebook with its solutions, without markers, hidden tests, mark schemes, outputs and nbgrader's
    metadata: nobody can hand it in by mistake. CourseError if a marker has no partner, since what it hides is then unknown."""
    if faults := find_marker_faults(source):
        raise CourseError(f"{faults[0]}; fix this, then rerun")
    solved = copy.deepcopy(source)
    for cell in solved["cells"]:
        cell["source"] = "\n".join(_public_lines(nb.source(cell))).strip("\n")
        cell["metadata"] = {key: value for key, value in cell.get("metadata", {}).items() if key != "nbgrader"}
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    solved["cells"].insert(0, {"cell_type": "markdown", "id": "solved", "metadata": {}, "source": TITLE})
    nb.unique_ids(solved["cells"])
    return solved


def _public_lines(text: str) -> Iterator[str]:
    """The lines of a cell except the markers and what lies in hidden tests and mark schemes. A marker is a line with its name in
    it, as for nbgrader."""
    secret = ""
    for line in text.split("\n"):
        kind = next((kind.name for kind in KINDS if f"BEGIN {kind.name}" in line or f"END {kind.name}" in line), "")
        if kind in KEPT_SECRET and secret in ("", kind):
            secret = kind if f"BEGIN {kind}" in line else ""
        elif not kind and not secret:
            yield line
