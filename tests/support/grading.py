"""A class graded, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autograder.course import Assignment
from autograder.grading.grading import grade_class
from autograder.grading.ledger import Outcome
from autograder.grading.plan import Step
from autograder.records.change import Change
from autograder.records.grade import Grade


@dataclass(frozen=True)
class Results:
    """The outcomes of grading a class once."""

    outcomes: tuple[Outcome, ...]

    @property
    def grades(self) -> dict[str, Grade]:
        """The effective grades, by student."""
        return {outcome.grade.student: outcome.grade for outcome in self.outcomes}

    @property
    def changes(self) -> dict[str, Change]:
        """How today's tests change grades, by student."""
        return {outcome.grade.student: outcome.change for outcome in self.outcomes if outcome.change}

    def count(self, step: Step) -> int:
        """How many submissions went this way."""
        return sum(outcome.step is step for outcome in self.outcomes)

    @property
    def kept(self) -> int:
        return self.count(Step.KEEP)

    @property
    def scored(self) -> int:
        return self.count(Step.SCORE)


def grade(
    assignment: Assignment, workers: int, students: Sequence[str] = (), *, again: bool = False, apply: bool = False
) -> Results:
    """Grade a class as `autograder grade` does."""
    return Results(tuple(grade_class(assignment, workers, students, again=again, apply=apply)))
