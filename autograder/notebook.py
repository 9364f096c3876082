"""The only reader of nbgrader's cell metadata. Lays a student's answers into the instructor's notebook, so that locked and
test cells are the instructor's, whatever became of them in the student's copy.

Notebooks are plain dicts of nbformat 4: reading needs no schema library, and a notebook is never trusted for its form.
"""

from __future__ import annotations

import copy
import json
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.errors import CourseError, SubmissionError
from autograder.words import printable

Notebook = dict[str, Any]
Cell = dict[str, Any]
# Students save outputs too: a notebook of 30 figures is 5 MB.
MAX_NOTEBOOK_BYTES = 64 * 2**20
MOST_NAMED = 10
MOST_RAISED = 300  # characters of an error in a line


def grader(cell: Cell) -> dict[str, Any]:
    """A cell's nbgrader metadata; {} for a cell that nbgrader does not know."""
    metadata = cell.get("metadata")
    found = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return dict(found) if isinstance(found, dict) and isinstance(found.get("grade_id"), str) else {}


def grade_id(cell: Cell) -> str | None:
    return grader(cell).get("grade_id")


def is_answer(cell: Cell) -> bool:
    """The student's to fill in."""
    return bool(grader(cell).get("solution")) or bool(grader(cell).get("task"))


def is_test(cell: Cell) -> bool:
    """An autograder test."""
    return bool(grader(cell).get("grade")) and not is_answer(cell) and cell.get("cell_type") == "code"


def is_manual(cell: Cell) -> bool:
    """Graded by a person."""
    return (bool(grader(cell).get("grade")) and is_answer(cell)) or bool(grader(cell).get("task"))


def is_graded(cell: Cell) -> bool:
    return is_test(cell) or is_manual(cell)


def points(cell: Cell) -> float:
    return float(grader(cell).get("points", 0))


def source(cell: Cell) -> str:
    """A cell's text; a list of lines is one form of it on disk. JSON can hold half a character, which no message can."""
    text = cell.get("source", "")
    text = "".join(str(line) for line in text) if isinstance(text, list) else str(text)
    return text.encode(errors="replace").decode()


def known_cells(notebook: Notebook) -> Iterator[Cell]:
    return (cell for cell in notebook["cells"] if grade_id(cell) is not None)


def parse(data: bytes, what: str) -> Notebook:
    """The notebook in `data`; SubmissionError says what is not right with it."""
    try:
        notebook = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise SubmissionError(f"{what} is not a notebook: {_short(error)}; save it again in Jupyter") from None
    if not isinstance(notebook, dict) or not isinstance(notebook.get("nbformat"), int):
        raise SubmissionError(f"{what} is not a notebook: it has no nbformat number; save it again in Jupyter")
    if notebook["nbformat"] < 4:
        notebook = _upgrade(notebook, what)
    if notebook["nbformat"] > 4:
        raise SubmissionError(f"{what} has notebook format {notebook['nbformat']}; formats 3 and 4 can be read")
    cells = notebook.get("cells")
    if not isinstance(cells, list) or not all(
        isinstance(c, dict) and isinstance(c.get("cell_type"), str) for c in cells
    ):
        raise SubmissionError(f"{what} is not a notebook: its cells are not in order; save it again in Jupyter")
    for cell in cells:
        cell["source"] = source(cell)
    return dict(notebook)


def _upgrade(notebook: Notebook, what: str) -> Notebook:
    import nbformat  # seldom needed, and its schema library takes a second to import

    try:
        upgraded: Notebook = json.loads(json.dumps(nbformat.convert(nbformat.from_dict(notebook), 4)))
    except Exception as error:  # the converter trusts its input and raises whatever it stumbles over
        raise SubmissionError(
            f"{what} has notebook format {notebook['nbformat']} and cannot be converted: {_short(error)}"
        ) from None
    return upgraded


def _short(error: BaseException) -> str:
    return " ".join(f"{error}".split())[:120] or type(error).__name__


def read(path: Path) -> Notebook:
    """The course's own notebook at `path`; CourseError if it is not one."""
    try:
        return parse(path.read_bytes(), str(path))
    except (OSError, SubmissionError) as error:
        raise CourseError(str(error)) from None


def read_submitted(folder: Path, name: str, graded: set[str]) -> tuple[Notebook, list[str]]:
    """The notebook that a student handed in in `folder`, and notes on it.

    Looks for `name`.ipynb; failing that for the one notebook that holds some of the cells in `graded`, since browsers
    and learning platforms rename files. SubmissionError if there is none, or it cannot be read.
    """
    wanted = folder / f"{name}.ipynb"
    if os.path.lexists(wanted):
        return parse(_read_plain(wanted), wanted.name), []
    others = sorted(folder.glob("*.ipynb"))
    if not others:
        raise SubmissionError(f"no notebook in {folder.name}/: {wanted.name} is expected")
    fitting = []
    for path in others:
        notebook = parse(_read_plain(path), _shown(path))
        if graded & {grade_id(cell) for cell in notebook["cells"]}:
            fitting.append((path, notebook))
    if len(fitting) == 1:
        path, notebook = fitting[0]
        return notebook, [f"{_shown(path)} was taken as {wanted.name}"]
    names = ", ".join(map(_shown, others[:MOST_NAMED]))
    raise SubmissionError(f"{wanted.name} is missing, and {names} cannot stand for it; rename the right one")


def _shown(path: Path) -> str:
    """A file's name for a message: whoever handed it in chose it, and it need not be text, or of one line."""
    return printable(os.fsencode(path.name).decode(errors="replace")).replace("\n", "\ufffd")


def _read_plain(path: Path) -> bytes:
    """The bytes of a regular file; a link could lead to another student's work or out of the course."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if path.is_symlink():
            raise SubmissionError(f"{_shown(path)} is a symbolic link; hand in the file itself") from None
        raise SubmissionError(f"{_shown(path)} cannot be read: {error.strerror}") from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise SubmissionError(f"{_shown(path)} is not a regular file")
    with os.fdopen(descriptor, "rb") as file:
        if status.st_size > MAX_NOTEBOOK_BYTES:
            size = f"{status.st_size / 2**20:.0f} MB"
            raise SubmissionError(f"{_shown(path)} is {size} long; clear the outputs and save it again (at most 64 MB)")
        return file.read()


@dataclass(frozen=True)
class Laid:
    """A submission ready to be judged: the instructor's cells with the student's answers, notes on what was mended, and
    the manual cells that were left as they were released."""

    notebook: Notebook
    notes: tuple[str, ...]
    unanswered: frozenset[str]


def lay(source_notebook: Notebook, release: Notebook, submitted: Notebook) -> Laid:
    """`submitted`'s answers and own cells in `release`'s frame, with `source_notebook`'s full tests.

    Order is the instructor's; a cell that the student added keeps its place after the cell it followed, and so does one
    that nbgrader does not know (text, a plot), as the student left it. Where a cell comes twice, the last is the answer, as
    it would be in the kernel, and the others run before it as plain cells.
    """
    language = _language(submitted)
    if language not in ("", "python"):
        raise SubmissionError(f"the notebook's kernel is {language}; this assignment is in Python")
    tests = test_sources(source_notebook)
    frame = [copy.deepcopy(cell) for cell in release["cells"]]
    names = {name for cell in frame if (name := grade_id(cell))}
    answers, earlier, extras, notes = _sort(submitted, names)
    if not answers:
        raise SubmissionError("none of the assignment's cells is in this notebook; is it the right file?")

    cells, unanswered = list(extras.get(None, [])), set()
    for cell in frame:
        name = grade_id(cell)
        if name is None and _kept(cell, extras):
            continue
        theirs = answers.get(name) if name else None
        if name and theirs is None:
            notes.append(f"cell {name} was missing; " + ("it counts as unanswered" if is_answer(cell) else "restored"))
        if theirs is not None:
            notes += _differences(cell, theirs)
        if is_answer(cell):
            if theirs is None or source(theirs).strip() == source(cell).strip():
                unanswered.add(str(name))
            elif theirs is not None:
                cell["source"] = source(theirs)
                if "attachments" in theirs and isinstance(theirs["attachments"], dict):
                    cell["attachments"] = theirs["attachments"]
        elif is_test(cell):
            cell["source"] = tests[str(name)]
        cells += earlier.get(str(name), [])
        cells.append(cell)
        cells += extras.get(name, []) if name else []
    for cell in cells:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    unique_ids(cells)
    metadata = release.get("metadata", {})
    laid = {"nbformat": 4, "nbformat_minor": 5, "metadata": copy.deepcopy(metadata), "cells": cells}
    return Laid(laid, tuple(notes), frozenset(unanswered))


def _kept(cell: Cell, extras: dict[str | None, list[Cell]]) -> bool:
    """Whether the student still has this cell of the release; some editors (Colab) give cells other ids."""
    own = (theirs for group in extras.values() for theirs in group)
    return any(theirs["id"] == cell.get("id") or theirs["source"].strip() == source(cell).strip() for theirs in own)


def _sort(
    submitted: Notebook, names: set[str]
) -> tuple[dict[str, Cell], dict[str, list[Cell]], dict[str | None, list[Cell]], list[str]]:
    """The last cell of each known name; earlier copies of answers, by name; the other cells by the known cell that they
    follow; notes on double ones."""
    answers: dict[str, Cell] = {}
    earlier: dict[str, list[Cell]] = {}
    extras: dict[str | None, list[Cell]] = {}
    doubled: list[str] = []
    last: str | None = None
    for cell in submitted["cells"]:
        name = grade_id(cell)
        if name in names:
            if name in answers:
                doubled.append(str(name))
                if is_answer(answers[str(name)]):
                    earlier.setdefault(str(name), []).append(_plain(answers[str(name)]))
            answers[str(name)], last = cell, name
        else:
            extras.setdefault(last, []).append(_plain(cell))
    notes = [f"cell {name} came {doubled.count(name) + 1} times; the last counts" for name in dict.fromkeys(doubled)]
    return answers, earlier, extras, notes


def _plain(cell: Cell) -> Cell:
    """A student's own cell: its text, and nothing that could pass for nbgrader's or change how it is run."""
    kind = cell["cell_type"] if cell["cell_type"] in ("code", "markdown") else "raw"
    plain: Cell = {"cell_type": kind, "id": str(cell.get("id", "")), "metadata": {}, "source": source(cell)}
    if kind == "markdown" and isinstance(cell.get("attachments"), dict):
        plain["attachments"] = cell[
            "attachments"
        ]  # without its picture nbconvert, and so formgrader, refuses the notebook
    return plain


def _differences(ours: Cell, theirs: Cell) -> list[str]:
    """Notes on how a known cell differs from the release. Who changed it is not said: it may be the instructor, afterwards."""
    name = grade_id(ours)
    if theirs["cell_type"] != ours["cell_type"]:
        return [f"cell {name} was turned into a {theirs['cell_type']} cell; restored"]
    if is_graded(ours) and grader(theirs).get("points") != grader(ours).get("points"):
        return [f"the points of {name} are not the release's; those of the release count"]
    if not is_answer(ours) and source(theirs).strip() != source(ours).strip():
        return [f"cell {name} is not the release's; the one of the release was run"]
    return []


def _language(notebook: Notebook) -> str:
    metadata = notebook.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    for key, field in (("kernelspec", "language"), ("language_info", "name")):
        part = metadata.get(key)
        if isinstance(part, dict) and isinstance(part.get(field), str) and part[field]:
            return str(part[field]).lower()
    return ""


def unique_ids(cells: list[Cell]) -> None:
    """Cell ids as nbformat 4.5 wants them: present, short, each once."""
    seen: set[str] = set()
    for index, cell in enumerate(cells):
        name = "".join(c for c in str(cell.get("id", "")) if c.isascii() and (c.isalnum() or c in "-_"))[:50]
        if not name or name in seen:
            name = f"{name[:40]}-{index}"
        seen.add(name)
        cell["id"] = name


def raised(notebook: Notebook) -> dict[str, str]:
    """What the code cells of a notebook that was run ended in, where that is an error: by grade_id, or "cell 3". Not those of
    its test cells, whose outputs are the judge's, nor of one that may raise by its tag."""
    found = {}
    for index, cell in enumerate(notebook["cells"], 1):
        errors = [output for output in cell.get("outputs", []) if output.get("output_type") == "error"]
        tags = cell["metadata"].get("tags", [])
        if errors and not is_test(cell) and "raises-exception" not in tags:
            said = f"{errors[0].get('ename')}: {errors[0].get('evalue')}"
            said = re.sub(r"\(\d+\.py, (line \d+)\)$", r"(\1)", said)  # ipykernel's name for a cell
            found[grade_id(cell) or f"cell {index}"] = " ".join(said.split())[:MOST_RAISED]
    return found


def test_sources(notebook: Notebook) -> dict[str, str]:
    """The text of every test cell, by name and in order."""
    return {str(grade_id(cell)): source(cell) for cell in known_cells(notebook) if is_test(cell)}


def outline(notebook: Notebook) -> list[tuple[str, bool, bool, float]]:
    """The cells that nbgrader knows, in order: name, whether it is an answer, whether it is graded, and its points."""
    return [(str(grade_id(cell)), is_answer(cell), is_graded(cell), points(cell)) for cell in known_cells(notebook)]


def with_answers(source_notebook: Notebook, answers: dict[str, str]) -> Notebook:
    """A copy of the instructor's notebook with the text of some cells replaced, by grade_id: a wheat, a chaff."""
    notebook = copy.deepcopy(source_notebook)
    for cell in known_cells(notebook):
        if grade_id(cell) in answers:
            cell["source"] = answers[str(grade_id(cell))]
    return notebook
