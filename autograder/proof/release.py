"""From the instructor's notebook to the students': nbgrader's own stripping, and a proof that nothing leaked."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autograder.course import Assignment
from autograder.course import notebook as nb

# Lines this short stand in solutions and in plain text alike ("return x", "pass").
TELLING_LENGTH = 12
# What nbgrader removes, and from which cells. (A mark scheme from its own task cells alone; here it stands in a solution.)
REGIONS = {"SOLUTION": nb.is_answer, "HIDDEN TESTS": nb.is_test, "MARK SCHEME": nb.is_answer}


def unmarked(source: nb.Notebook) -> list[str]:
    """Regions that nbgrader cannot clear, or not where they stand; one line each. It would stop at the first and name no cell."""
    found = []
    for index, cell in enumerate(source["cells"], 1):
        where = f"cell {nb.grade_id(cell) or index}"
        for what, belongs in REGIONS.items():
            begun = 0
            for number, line in enumerate(nb.source(cell).split("\n"), 1):
                if f"BEGIN {what}" in line:
                    if begun:
                        found.append(f"{where}: line {number} begins what line {begun} has begun: {line.strip()}")
                    elif not belongs(cell):
                        found.append(f"{where}: {line.strip()!r} does not belong into a cell of this kind")
                    begun = number
                elif f"END {what}" in line:
                    if not begun:
                        found.append(f"{where}: line {number} ends what no line has begun: {line.strip()}")
                    begun = 0
            if begun:
                found.append(f"{where}: line {begun} begins a region that does not end: add the line ### END {what}")
        if nb.is_answer(cell) and cell["cell_type"] == "code" and "BEGIN SOLUTION" not in nb.source(cell):
            found.append(
                f"{where}: no line ### BEGIN SOLUTION: students would get nothing of it, not even the signature"
            )
    return found


def leaks(source: nb.Notebook, release: nb.Notebook) -> list[str]:
    """What of solutions, hidden tests, mark schemes and outputs is still in the release: one line each; [] is the proof."""
    telling = {line for cell in source["cells"] for line in _secret_lines(nb.source(cell))}
    public = {line.strip() for cell in source["cells"] for line in _public_lines(nb.source(cell))}
    found = []
    for index, cell in enumerate(release["cells"]):
        where = f"cell {index + 1} ({nb.grade_id(cell) or cell['cell_type']})"
        text = [line.strip() for line in _strings({k: v for k, v in cell.items() if k != "attachments"})]
        found += [f"{where}: {line[:60]!r}" for line in text if line in telling - public]
        found += [f"{where} holds a marker {line[:60]!r}" for line in text if line.startswith(("### BEGIN", "### END"))]
        if cell.get("outputs") or cell.get("execution_count"):
            found.append(f"{where} has outputs")
    return found


def leaked_files(assignment: Assignment, folder: Path) -> list[str]:
    """Files of the release that the source does not have: what nobody meant to hand out."""
    expected = {f"{assignment.notebook}.ipynb", *assignment.files}
    actual = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    return [f"unexpected file {name}" for name in sorted(actual - expected)]


def _secret_lines(text: str) -> Iterator[str]:
    return (line.strip() for line, secret in _regions(text) if secret and len(line.strip()) >= TELLING_LENGTH)


def _public_lines(text: str) -> Iterator[str]:
    return (line for line, secret in _regions(text) if not secret)


def _regions(text: str) -> Iterator[tuple[str, bool]]:
    """Every line but the markers, and whether it stands between two of them."""
    inside = 0
    for line in text.splitlines():
        if line.strip().startswith(("### BEGIN", "### END")):
            inside += 1 if line.strip().startswith("### BEGIN") else -1  # a mark scheme stands inside a solution
        else:
            yield line, inside > 0


def _strings(value: Any) -> Iterator[str]:
    """Every line of text anywhere in a cell: source, metadata, outputs."""
    if isinstance(value, str):
        yield from value.splitlines()
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _strings(key)
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def publish(made: Path, assignment: Assignment) -> None:
    """Put a generated release in its place; the old one stands until the new one is whole."""
    target = assignment.release_folder
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh, old = target.with_name(f".{target.name}.new"), target.with_name(f".{target.name}.old")
    for leftover in (fresh, old):
        shutil.rmtree(leftover, ignore_errors=True)
    shutil.copytree(made, fresh, copy_function=shutil.copyfile)
    if target.exists():
        target.rename(old)
    fresh.rename(target)
    shutil.rmtree(old, ignore_errors=True)
