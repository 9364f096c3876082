"""Scores the test cells of one notebook, whoever answers for the student: a session with the student's code in a sandbox, or
the transcript of one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from nbformat import from_dict

from autograder.course import notebook as nb
from autograder.judge import remote, test_cell
from autograder.judge.imports import bound, imported, instructor_imports, used
from autograder.records.grade import CellGrade
from autograder.records.transcript import Asked, Exchange


class Witness(remote.Answers, Protocol):
    """What answers the questions of a test cell, and keeps those `asked` since it began."""

    asked: list[Exchange]


@dataclass(frozen=True)
class Scored:
    """A test cell's grade, the outputs from which stock nbgrader would read the same score, and what it asked."""

    grade: CellGrade
    outputs: list[Any]
    asked: Asked


class Scorer:
    """The test cells of `notebook`, with what its `locked` cells, the instructor's other ones, import and define. A test takes
    nothing from another test: what becomes of that changes no verdict, and a student may run it alone."""

    def __init__(self, notebook: Any) -> None:
        cells = [cell for cell in notebook.cells if cell.cell_type == "code" and _trusted(cell)]
        self.locked = tuple(cell.source for cell in cells if not nb.is_test(cell))
        self.imports = _imports(self.locked, tuple(cell.source for cell in cells if nb.is_test(cell)))
        self.fixtures = _fixtures(self.locked)

    def score(self, cell: Any, witness: Witness, seconds: float) -> Scored:
        """Run one test cell here for at most `seconds`, asking `witness`."""

        def fetch(name: str) -> Any:
            value = (remote.fetch_fixture if name in self.fixtures else remote.fetch)(witness, name)
            return test_cell.SKIP if value is remote.MISSING else value

        witness.asked = []
        points = nb.points(cell)
        verdict = test_cell.run(cell.source, points, self.imports, fetch, lambda: len(witness.asked), seconds)
        grade = CellGrade(points, verdict.score, verdict.checks, verdict.error, verdict.trouble)
        return Scored(grade, _outputs(verdict), Asked(tuple(witness.asked), verdict.spans))


def error_output(name: str, value: str = "") -> Any:
    """The output of a cell that raised."""
    return from_dict({"output_type": "error", "ename": name, "evalue": value, "traceback": [f"{name}: {value}"]})


def _outputs(verdict: test_cell.Verdict) -> list[Any]:
    outputs = []
    if verdict.printed:
        outputs.append(from_dict({"output_type": "stream", "name": "stdout", "text": verdict.printed}))
    if verdict.error and not verdict.score:
        outputs.append(error_output(*verdict.error.split(": ", 1)))
    elif verdict.score is not None:
        data = {"text/plain": repr(float(verdict.score))}
        result = {"output_type": "execute_result", "data": data, "metadata": {}, "execution_count": None}
        outputs.append(from_dict(result))
    return outputs


def _trusted(cell: Any) -> bool:
    """The instructor's own: known to nbgrader and not for the student to change."""
    return nb.grade_id(cell) is not None and not nb.is_answer(cell)


@lru_cache(maxsize=8)
def _imports(sources: tuple[str, ...], tests: tuple[str, ...]) -> dict[str, Any]:
    return instructor_imports(sources, used(tests))


@lru_cache(maxsize=8)
def _fixtures(sources: tuple[str, ...]) -> frozenset[str]:
    return frozenset().union(*map(bound, sources), *map(imported, sources))
