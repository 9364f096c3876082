"""The only reader of nbgrader's cell metadata.

Notebooks are plain dicts of nbformat 4: reading needs no schema library, and a notebook is never trusted for its form.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autograder.errors import CourseError, SubmissionError

Notebook = dict[str, Any]
Cell = dict[str, Any]
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
