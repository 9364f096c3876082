"""The marked regions of an instructor's notebook: solutions, hidden tests and mark schemes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from autograder.course import notebook as nb

MARKERS = ("### BEGIN", "### END")


@dataclass(frozen=True)
class RegionKind:
    """A kind of region: its name in the markers, the cells that it belongs in, and these in words."""

    name: str
    belongs_in: Callable[[nb.Cell], bool]
    place: str


# What nbgrader removes from a release. It reads a mark scheme in its own task cells only; here it lies inside a solution.
KINDS = (
    RegionKind("SOLUTION", nb.is_answer, "an answer cell"),
    RegionKind("HIDDEN TESTS", nb.is_test, "a test cell"),
    RegionKind("MARK SCHEME", nb.is_answer, "an answer cell"),
)


def split_lines(text: str) -> Iterator[tuple[str, bool]]:
    """Yield every line of a cell except the markers, with whether it lies inside a region."""
    depth = 0
    for line in text.splitlines():
        if line.strip().startswith(MARKERS):
            depth += 1 if line.strip().startswith("### BEGIN") else -1  # a mark scheme lies inside a solution
        else:
            yield line, depth > 0


def find_marker_faults(source: nb.Notebook) -> list[str]:
    """List the markers that nbgrader cannot pair, that lie in the wrong cell or that are missing, one line each.

    nbgrader itself would stop at the first of them without naming the cell.
    """
    faults: list[str] = []
    for index, cell in enumerate(source["cells"], 1):
        where = f"cell {nb.grade_id(cell) or index}"
        faults += (f"{where}: {fault}" for kind in KINDS for fault in _find_kind_faults(cell, kind))
        if nb.is_answer(cell) and cell["cell_type"] == "code" and "BEGIN SOLUTION" not in nb.source(cell):
            faults.append(f"{where}: no line ### BEGIN SOLUTION: without it students do not even get the signature")
    return faults


def _find_kind_faults(cell: nb.Cell, kind: RegionKind) -> Iterator[str]:
    opened = 0  # the line that opened the region around the current one
    for number, line in enumerate(nb.source(cell).split("\n"), 1):
        if f"BEGIN {kind.name}" in line:
            if opened:
                yield f"line {number} opens a region inside the one from line {opened}: {line.strip()}"
            elif not kind.belongs_in(cell):
                yield f"line {number} belongs in {kind.place}: {line.strip()}"
            opened = number
        elif f"END {kind.name}" in line:
            if not opened:
                yield f"line {number} closes a region that no line opens: {line.strip()}"
            opened = 0
    if opened:
        yield f"line {opened} opens a region that no line closes: add ### END {kind.name}"
