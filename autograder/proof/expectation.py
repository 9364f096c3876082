"""What a submission must score: full marks in some test cells, less or nothing in others."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from autograder.records.grade import GRADED, CellGrade, Grade


@dataclass(frozen=True)
class Expectation:
    """The test cells in which a submission must get full marks, less than full marks, and nothing; each by grade_id."""

    full: frozenset[str]
    less: frozenset[str] = frozenset()
    none: frozenset[str] = frozenset()

    @property
    def is_right(self) -> bool:
        """Whether this is expected of right answers: the solution or a wheat."""
        return not self.less and not self.none

    def find_fault(self, grade: Grade) -> str:
        """Say in one line where a grade differs from this; "" if it meets all of it. KeyError if the grade lacks a cell."""
        if grade.status not in GRADED:
            return f"{grade.status}: {'; '.join(grade.notes)}"
        cells = grade.cells
        faults = [f"{name}: {cell.trouble}" for name, cell in cells.items() if cell.trouble]
        faults += self._find_lost_marks(cells)
        scores = {name: cells[name].score or 0.0 for name in sorted(self.none)}
        faults += [f"{name} gets {score:g} but should get 0" for name, score in scores.items() if score > 0]
        faults += self._find_uncaught_mistake(cells)
        return "; ".join(faults)

    def _find_lost_marks(self, cells: Mapping[str, CellGrade]) -> list[str]:
        """The cells that stock nbgrader or this grader would give less than full marks."""
        full = {name: cells[name] for name in sorted(self.full)}
        # Stock nbgrader gives nothing to a cell that raises, even after its last check.
        faults = [f"{name} gets full marks, then raises {c.error}" for name, c in full.items() if c.whole and c.error]
        lost = {name: cell for name, cell in full.items() if not cell.whole}
        return faults + [f"{n} gets {c.score or 0:g} of {c.max_score:g}{_explain_loss(c)}" for n, c in lost.items()]

    def _find_uncaught_mistake(self, cells: Mapping[str, CellGrade]) -> list[str]:
        """A chaff that no check catches, or that fails for another reason than its mistake."""
        names = sorted(self.less)
        faults = []
        if names and all(cells[name].whole for name in names):
            faults.append(f"{' and '.join(names)} gets full marks: no check catches it")
        return faults + [f"it does not run ({error})" for name in names for error in _find_name_errors(cells[name])[:1]]

    def describe_points(self, points: Mapping[str, float]) -> str:
        """Say how many points in all are expected, given each cell's points: "3", or "1 to under 3" for a chaff."""
        full = sum(points[name] for name in self.full)
        at_stake = sum(points[name] for name in self.less)
        return f"{full:g} to under {full + at_stake:g}" if self.less else f"{full:g}"


def _find_name_errors(cell: CellGrade) -> list[str]:
    """The errors of undefined names in a cell.

    A chaff that defines or uses a wrong name holds no misconception. Its hint would reach every student whose code does
    not run either.
    """
    errors = [cell.error, *(check.message for check in cell.checks)]
    return [error for error in errors if error.startswith(("NameError: ", "UnboundLocalError: "))]


def _explain_loss(cell: CellGrade) -> str:
    reasons = [f"{check.name}: {check.message}" for check in cell.checks if not check.passed] or [cell.error]
    if not reasons[0] and cell.checks:
        reasons = [f"its checks add up to {math.fsum(check.points for check in cell.checks):g}"]
    return f" ({reasons[0]})" if reasons[0] else ""
