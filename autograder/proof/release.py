"""The students' version of a notebook: what leaked into it, and how it is published."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autograder.course import Assignment
from autograder.course import notebook as nb
from autograder.proof.regions import MARKERS, split_lines

# Shorter lines occur in solutions and in public text alike: `return x`, `pass`.
TELLING_LENGTH = 12  # characters
SHOWN_LENGTH = 60  # characters of a leaked line in a message


def find_leaks(source: nb.Notebook, release: nb.Notebook) -> list[str]:
    """List what a release still holds of solutions, hidden tests, mark schemes and outputs, one line each; [] if nothing."""
    cells = [nb.source(cell) for cell in source["cells"]]
    public = {line.strip() for text in cells for line, is_hidden in split_lines(text) if not is_hidden}
    hidden = {line for text in cells for line in hidden_lines(text)} - public
    return [leak for number, cell in enumerate(release["cells"], 1) for leak in _find_cell_leaks(number, cell, hidden)]


def _find_cell_leaks(number: int, cell: nb.Cell, hidden: set[str]) -> Iterator[str]:
    where = f"cell {number} ({nb.grade_id(cell) or cell['cell_type']})"
    lines = [line.strip() for line in _strings({key: value for key, value in cell.items() if key != "attachments"})]
    yield from (f"{where}: hidden line {line[:SHOWN_LENGTH]!r}" for line in lines if line in hidden)
    yield from (f"{where}: marker {line[:SHOWN_LENGTH]!r}" for line in lines if line.startswith(MARKERS))
    if cell.get("outputs") or cell.get("execution_count"):
        yield f"{where}: outputs"


def hidden_lines(text: str) -> Iterator[str]:
    """Yield the stripped lines of a cell that students must not see, if they are long enough to tell something."""
    lines = (line.strip() for line, is_hidden in split_lines(text) if is_hidden)
    return (line for line in lines if len(line) >= TELLING_LENGTH)


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


def find_leaked_files(assignment: Assignment, folder: Path) -> list[str]:
    """List the files of the release in `folder` that are not among the assignment's files, one line each.

    nbgrader copies all that lies beside the source, hidden files too.
    """
    expected = {f"{assignment.notebook}.ipynb", *assignment.files}
    actual = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    return [f"unexpected file {name}: delete it from source/{assignment.name}/" for name in sorted(actual - expected)]


def publish(new: Path, assignment: Assignment) -> None:
    """Replace an assignment's release by the generated one in the folder `new`.

    The old release stays in place until the new one is complete. OSError if a folder cannot be written.
    """
    target = assignment.release_folder
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh, old = target.with_name(f".{target.name}.new"), target.with_name(f".{target.name}.old")
    for leftover in (fresh, old):
        shutil.rmtree(leftover, ignore_errors=True)
    shutil.copytree(new, fresh, copy_function=shutil.copyfile)
    if target.exists():
        target.rename(old)
    fresh.rename(target)
    shutil.rmtree(old, ignore_errors=True)
