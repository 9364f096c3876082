"""Scores the test cells of one notebook, whoever answers for the student: a session with the student's code in a sandbox, or
the transcript of one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from autograder.course import notebook as nb
from autograder.judge import remote, test_cell
from autograder.judge.imports import bound, imported, instructor_imports, used
from autograder.records.grade import CellGrade
from autograder.records.transcript import Asked, Exchange

# What a test cell may take of the judge's own time when the submission's is over. Of the course's, the slowest takes 1.1 s of it
# on two cores with five times the work that they can do, nearly all of it the first import of hypothesis.
TEST_SECONDS = 20


class Witness(remote.Answers, Protocol):
    """What answers the questions of a test cell, and keeps those `asked` since it began."""

    asked: list[Exchange]


@dataclass(frozen=True)
class Scored:
    """A test cell's grade, and what it asked."""

    grade: CellGrade
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
        grade = CellGrade(points, verdict.score, verdict.checks, verdict.error, verdict.trouble, verdict.printed)
        return Scored(grade, Asked(tuple(witness.asked), verdict.spans))


def _trusted(cell: Any) -> bool:
    """The instructor's own: known to nbgrader and not for the student to change."""
    return nb.grade_id(cell) is not None and not nb.is_answer(cell)


@lru_cache(maxsize=8)
def _imports(sources: tuple[str, ...], tests: tuple[str, ...]) -> dict[str, Any]:
    return instructor_imports(sources, used(tests))


@lru_cache(maxsize=8)
def _fixtures(sources: tuple[str, ...]) -> frozenset[str]:
    return frozenset().union(*map(bound, sources), *map(imported, sources))
