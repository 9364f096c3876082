"""Where a student's code raised: the lines of their own cells, read from a traceback.

A traceback is what the student's process wrote, and may quote what a hidden test asked. Only line numbers are taken from it; the
code shown is that of the notebook. Frames of libraries, of the instructor's cells and of the sandbox are left out.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from autograder.course import notebook as nb
from autograder.pages.feedback.text import ANSWER_CHARACTERS, clip, terminal_text
from autograder.records.grade import CellGrade, Check
from autograder.records.transcript import Asked, Exchange
from autograder.sandbox import wire

# A recursion without end has a thousand equal frames. The last ones are where it raised.
MAX_FRAMES = 5
MAX_LINE = 200  # characters
# The sandbox sends 4,000 characters of a traceback, and IPython's of twenty frames has 15,000. A forged one may have any length,
# and each place in it takes a search through all cells.
MAX_TRACE, MAX_PLACES = 20_000, 20
# ipykernel's file of a cell, as Python's own traceback names it, with the line's text.
_IN_CALL = re.compile(
    r'^  File "[^"\n]*/ipykernel_\d+/\d+\.py", line (\d{1,6})(?:, in [^\n]*)?\n[ \t]+(\S[^\n]*)$', re.M
)
_IN_CELL = re.compile(r"\bCell In\s*\[(\d{1,6})\], line (\d{1,6})")

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Frame:
    """One line of a student's cell that was running, with the function it belongs to ("" outside all functions) and the cell's
    grade_id, "" if nbgrader does not know the cell."""

    line: int
    code: str
    function: str
    cell: str

    def __str__(self) -> str:
        return f"line {self.line}{f', in {self.function}' if self.function else ''}: {self.code}"


def raised_in_check(check: Check, number: int, asked: Asked, notebook: nb.Notebook) -> tuple[Frame, ...]:
    """Return the frames of the exception that failed the check with this number; none if none of the student's code raised it."""
    if check.passed or number >= len(asked.spans) or asked.spans[number].check != check.name:
        return ()
    span = asked.spans[number]
    return _raised_last(asked.exchanges[span.first : span.last], check.message, notebook)


def raised_in_test(cell: CellGrade, asked: Asked, notebook: nb.Notebook) -> tuple[Frame, ...]:
    """Return the frames of the exception that stopped a test cell; none if none of the student's code raised it."""
    return _raised_last(asked.exchanges, cell.error, notebook) if cell.error else ()


def raised_in_cell(cell: nb.Cell, notebook: nb.Notebook) -> tuple[Frame, ...]:
    """Return the frames of the exception that a cell of the notebook ended in."""
    errors = [output for output in cell.get("outputs", []) if output.get("output_type") == "error"]
    trace = terminal_text(errors[0].get("traceback"), "\n")[-MAX_TRACE:] if errors else ""
    by_count = {str(own.get("execution_count")): own for own in _own_cells(notebook)}
    places = ((by_count.get(count), int(line)) for count, line in _IN_CELL.findall(trace)[-MAX_PLACES:])
    return _last(frame for own, line in places if own and (frame := _frame(own, line)))


def _raised_last(exchanges: Sequence[Exchange], message: str, notebook: nb.Notebook) -> tuple[Frame, ...]:
    """Return the frames of the last reply, if it is the exception that `message` quotes."""
    try:
        status, *values = wire.unpack(exchanges[-1].reply) if exchanges and exchanges[-1].reply else ("",)
        kind, text, trace = map(str, values[:3]) if status == "error" else ("", "", "")
    except (wire.WireError, IndexError, ValueError, TypeError):
        return ()
    if not kind or not (message.startswith(f"{kind}:") or (kind == "AssertionError" and message in text)):
        return ()
    own = list(_own_cells(notebook))
    places = _IN_CALL.findall(terminal_text(trace[-MAX_TRACE:]))[-MAX_PLACES:]
    frames = (_find(int(line), code.strip(), own) for line, code in places)
    return _last(frame for frame in frames if frame)


def _own_cells(notebook: nb.Notebook) -> Iterator[nb.Cell]:
    """The student's code: answer cells, and cells that nbgrader does not know."""
    cells = (cell for cell in notebook.get("cells", []) if cell.get("cell_type") == "code")
    return (cell for cell in cells if nb.is_answer(cell) or nb.grade_id(cell) is None)


def _find(line: int, code: str, cells: Sequence[nb.Cell]) -> Frame | None:
    """Return the frame of the last cell that has this code in this line: of two copies, the later one defines the function."""
    cell = next((cell for cell in reversed(cells) if _line(cell, line) == code), None)
    return _frame(cell, line) if cell else None


def _frame(cell: nb.Cell, line: int) -> Frame | None:
    code, shown = _line(cell, line), line + _count_blank(cell)
    return Frame(shown, code[:MAX_LINE], _function_at(cell, shown), nb.grade_id(cell) or "") if code else None


def _line(cell: nb.Cell, line: int) -> str:
    """Return a line of a cell, counted from 1 as IPython counts; "" if it has no such line."""
    lines = nb.source(cell).split("\n")[_count_blank(cell) :]
    return lines[line - 1].strip() if 1 <= line <= len(lines) else ""


def _count_blank(cell: nb.Cell) -> int:
    """Count the blank lines at a cell's top: IPython drops them before it counts, and an editor does not."""
    return next((count for count, line in enumerate(nb.source(cell).split("\n")) if line.strip()), 0)


def _function_at(cell: nb.Cell, line: int) -> str:
    """Return the name of the innermost function around a line; "" if there is none or the cell is not plain Python."""
    try:
        tree = ast.parse(clip(nb.source(cell), ANSWER_CHARACTERS))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    functions = [node for node in ast.walk(tree) if isinstance(node, FUNCTIONS)]
    around = [node for node in functions if node.lineno <= line <= (node.end_lineno or 0)]
    return max(around, key=lambda node: node.lineno).name if around else ""


def _last(frames: Iterator[Frame]) -> tuple[Frame, ...]:
    """Return the last frames without repetitions, in order."""
    return tuple(dict.fromkeys(frames))[-MAX_FRAMES:]
