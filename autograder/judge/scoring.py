"""Scores the test cells of one notebook, on answers from a sandbox or from a transcript."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from autograder.course import notebook as nb
from autograder.judge import remote, test_cell
from autograder.judge.asking import Respondent
from autograder.judge.imports import bound_names, imported_names, run_imports, used_names
from autograder.records.grade import CellGrade
from autograder.records.transcript import Asked

# The judge's own time that a test cell may take in addition to the submission's. The course's slowest test cell takes 1.1 s on
# two cores under five times their load, mostly for the first import of hypothesis.
TEST_SECONDS = 20


@dataclass(frozen=True)
class Scored:
    """A test cell's grade, and what it asked."""

    grade: CellGrade
    asked: Asked


class Scorer:
    """Scores the test cells of `notebook`, with the imports and names of its other read-only cells.

    A test cell sees nothing of another test cell: a change to one never changes another's score, and a student can run each
    alone. `read_only` are the texts of the other read-only cells.
    """

    def __init__(self, notebook: Any) -> None:
        cells = [cell for cell in notebook.cells if cell.cell_type == "code" and _is_instructors(cell)]
        self.read_only = tuple(cell.source for cell in cells if not nb.is_test(cell))
        self.imports = _imports_for(self.read_only, tuple(cell.source for cell in cells if nb.is_test(cell)))
        self.read_only_names = _bound_in(self.read_only)

    def score(self, cell: Any, respondent: Respondent, seconds: float) -> Scored:
        """Run one test cell here for at most `seconds`; `respondent` answers its questions."""

        def fetch(name: str) -> Any:
            fetch_value = remote.fetch_read_only if name in self.read_only_names else remote.fetch
            value = fetch_value(respondent, name)
            return test_cell.SKIP if value is remote.MISSING else value

        respondent.asked = []
        points = nb.points(cell)
        verdict = test_cell.run(cell.source, points, self.imports, fetch, lambda: len(respondent.asked), seconds)
        grade = CellGrade(points, verdict.score, verdict.checks, verdict.error, verdict.trouble, verdict.printed)
        return Scored(grade, Asked(tuple(respondent.asked), verdict.spans))


def _is_instructors(cell: Any) -> bool:
    """Whether a cell is the instructor's: nbgrader knows it, and students must not change it."""
    return nb.grade_id(cell) is not None and not nb.is_answer(cell)


@lru_cache(maxsize=8)
def _imports_for(sources: tuple[str, ...], tests: tuple[str, ...]) -> dict[str, Any]:
    return run_imports(sources, used_names(tests))


@lru_cache(maxsize=8)
def _bound_in(sources: tuple[str, ...]) -> frozenset[str]:
    return frozenset().union(*map(bound_names, sources), *map(imported_names, sources))
