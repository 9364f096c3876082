"""Reads notebooks and nbgrader's cell metadata; no other module does.

Notebooks are plain dicts of nbformat 4, read without a schema library. A submitted notebook may have any shape.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autograder.course.foreign import decode, describe_content
from autograder.errors import CourseError, SubmissionError

Notebook = dict[str, Any]
Cell = dict[str, Any]
FORMAT = 4  # of nbformat
MAX_ERROR = 300  # characters of an error, shown in one line
MAX_REASON = 120  # characters of another library's error message
MAX_ID = 50  # characters of a cell id; nbformat allows 64
KINDS = ("code", "markdown", "raw")  # of cells
# Values in a notebook's JSON. 64 MB of empty lists would take 2 GB; two million take 200 MB. A notebook with five interactive
# plots of 10,000 points has 150,000.
MAX_VALUES = 2_000_000
# The course's notebooks have up to 90 cells. A kernel runs 10,000 empty ones in 20 s.
MAX_CELLS = 10_000
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')


def grader(cell: Cell) -> dict[str, Any]:
    """A cell's nbgrader metadata; {} for a cell that nbgrader does not know."""
    metadata = cell.get("metadata")
    entries = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return dict(entries) if isinstance(entries, dict) and isinstance(entries.get("grade_id"), str) else {}


def grade_id(cell: Cell) -> str | None:
    """The name by which nbgrader knows a cell; None for a cell that it does not know."""
    return grader(cell).get("grade_id")


def is_answer(cell: Cell) -> bool:
    """Whether the student fills in this cell."""
    return bool(grader(cell).get("solution")) or bool(grader(cell).get("task"))


def is_test(cell: Cell) -> bool:
    """Whether this is a test cell."""
    return bool(grader(cell).get("grade")) and not is_answer(cell) and cell.get("cell_type") == "code"


def is_manual(cell: Cell) -> bool:
    """Whether a person grades this cell."""
    return (bool(grader(cell).get("grade")) and is_answer(cell)) or bool(grader(cell).get("task"))


def is_graded(cell: Cell) -> bool:
    """Whether this cell has points, from a test or a person."""
    return is_test(cell) or is_manual(cell)


def points(cell: Cell) -> float:
    """The points that a cell is worth; 0 if it has none."""
    return float(grader(cell).get("points", 0))


def source(cell: Cell) -> str:
    """A cell's text. On disk it may be a list of lines. A lone surrogate, which JSON allows and UTF-8 does not, becomes `?`."""
    text = cell.get("source", "")
    text = "".join(str(line) for line in text) if isinstance(text, list) else str(text)
    return text.encode(errors="replace").decode()


def known_cells(notebook: Notebook) -> Iterator[Cell]:
    """The cells that nbgrader knows, in order."""
    return (cell for cell in notebook["cells"] if grade_id(cell) is not None)


def parse(data: bytes, what: str) -> Notebook:
    """Read the notebook in `data`, converted to format 4; SubmissionError, which calls it `what`, if it is not one."""
    text, _ = decode(data)
    _limit_values(text, what)
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError) as error:
        cause = describe_content(data) or _describe_fault(error, text)
        raise SubmissionError(f"{what} is not a notebook: {cause}; save it again in Jupyter") from None
    if not isinstance(notebook, dict) or not isinstance(notebook.get("nbformat"), int):
        raise SubmissionError(f"{what} is not a notebook: it has no nbformat number; save it again in Jupyter")
    if notebook["nbformat"] < FORMAT:
        notebook = _upgrade(notebook, what)
    if notebook["nbformat"] > FORMAT:
        raise SubmissionError(f"{what} has notebook format {notebook['nbformat']}; only formats 3 and 4 can be read")
    cells = notebook.get("cells")
    if not isinstance(cells, list) or not all(map(_is_cell, cells)):
        raise SubmissionError(f"{what} is not a notebook: its cells are malformed; save it again in Jupyter")
    if len(cells) > MAX_CELLS:
        raise SubmissionError(f"{what} has {len(cells):,} cells, and at most {MAX_CELLS:,} are read; delete empty ones")
    for cell in cells:
        cell["source"] = source(cell)
        _limit_cell(cell)
    return dict(notebook)


def _limit_cell(cell: Cell) -> None:
    """Keep what notes, tables and ids repeat of a cell short: its type is one of nbformat's, its id a short text."""
    if cell["cell_type"] not in KINDS:
        cell["cell_type"] = "raw"
    if "id" in cell:
        cell["id"] = cell["id"][: 2 * MAX_ID] if isinstance(cell["id"], str) else ""


def _limit_values(text: str, what: str) -> None:
    """Refuse JSON that would take too much memory, before it is parsed. Commas in texts, which are many, do not count."""
    if _count_values(text) > MAX_VALUES and _count_values(_TEXT.sub("", text)) > MAX_VALUES:
        raise SubmissionError(
            f"{what} holds over {MAX_VALUES:,} values, most of them in outputs; clear the outputs and save it again"
        )


def _count_values(text: str) -> int:
    return sum(map(text.count, ",[{"))


def _describe_fault(error: BaseException, text: str) -> str:
    """Say why JSON cannot be parsed, in words that a student knows where we can."""
    if isinstance(error, json.JSONDecodeError) and text.lstrip().startswith("{"):
        cut = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string")
        if cut:
            return "it ends in the middle, as if the upload or download was cut off"
    return _short(error)


def _is_cell(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("cell_type"), str)


def _upgrade(notebook: Notebook, what: str) -> Notebook:
    import nbformat  # rarely needed, and its schema library takes a second to import

    try:
        upgraded: Notebook = json.loads(json.dumps(nbformat.convert(nbformat.from_dict(notebook), FORMAT)))
    except Exception as error:  # the converter trusts its input and may raise anything
        raise SubmissionError(
            f"{what} has notebook format {notebook['nbformat']} and cannot be converted: {_short(error)}"
        ) from None
    return upgraded


def _short(error: BaseException) -> str:
    return " ".join(f"{error}".split())[:MAX_REASON] or type(error).__name__


def read(path: Path) -> Notebook:
    """Read the course's own notebook at `path`; CourseError if it is not one."""
    try:
        return parse(path.read_bytes(), str(path))
    except (OSError, SubmissionError) as error:
        raise CourseError(str(error)) from None


def unique_ids(cells: list[Cell]) -> None:
    """Change the cells' ids where nbformat 4.5 requires it: each has one, it is short, and no two are equal."""
    seen: set[str] = set()
    for index, cell in enumerate(cells):
        name = "".join(c for c in str(cell.get("id", "")) if c.isascii() and (c.isalnum() or c in "-_"))[:MAX_ID]
        if not name or name in seen:
            name = f"{name[: MAX_ID - 10]}-{index}"
        seen.add(name)
        cell["id"] = name


def raised(notebook: Notebook) -> dict[str, str]:
    """The errors that the code cells of an executed notebook ended in, by grade_id or "cell 3", each in one line.

    Test cells are left out, since their outputs are the judge's, and so are cells tagged "raises-exception".
    """
    messages = {}
    for index, cell in enumerate(notebook["cells"], 1):
        errors = [output for output in cell.get("outputs", []) if output.get("output_type") == "error"]
        tags = cell["metadata"].get("tags", [])
        if errors and not is_test(cell) and "raises-exception" not in tags:
            message = f"{errors[0].get('ename')}: {errors[0].get('evalue')}"
            message = re.sub(r"\(\d+\.py, (line \d+)\)$", r"(\1)", message)  # ipykernel's name for a cell
            messages[grade_id(cell) or f"cell {index}"] = " ".join(message.split())[:MAX_ERROR]
    return messages


def test_sources(notebook: Notebook) -> dict[str, str]:
    """The text of every test cell, by grade_id and in order."""
    return {str(grade_id(cell)): source(cell) for cell in known_cells(notebook) if is_test(cell)}


def set_visible_test(cell: Cell, text: str) -> None:
    """Have the sandbox run `text`, the release's version of this test cell, for the names that it binds."""
    cell["metadata"]["autograder"] = {"visible": text}


def visible_test(cell: Cell) -> str:
    """The text that the sandbox runs for this test cell; "" if it runs none."""
    return str(cell["metadata"].get("autograder", {}).get("visible", "")) if is_test(cell) else ""


def outline(notebook: Notebook) -> list[tuple[str, bool, bool, float]]:
    """The cells that nbgrader knows, in order: grade_id, whether it is an answer, whether it is graded, and its points."""
    return [(str(grade_id(cell)), is_answer(cell), is_graded(cell), points(cell)) for cell in known_cells(notebook)]


def with_answers(source_notebook: Notebook, answers: dict[str, str]) -> Notebook:
    """Copy the instructor's notebook with the text of some cells replaced, by grade_id, as for a wheat or a chaff."""
    notebook = copy.deepcopy(source_notebook)
    for cell in known_cells(notebook):
        if grade_id(cell) in answers:
            cell["source"] = answers[str(grade_id(cell))]
    return notebook
