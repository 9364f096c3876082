"""A class's results in one assignment, as data."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from autograder.pages.report.items import Item, item_statistics
from autograder.records.grade import GRADED, Grade


@dataclass(frozen=True)
class Row:
    """One submission: its grade with marks, and its misconceptions, each as (answer cell, misconception)."""

    grade: Grade
    misconceptions: tuple[tuple[str, str], ...] = ()

    @property
    def student(self) -> str:
        """The student's ID."""
        return self.grade.student

    @property
    def points(self) -> Mapping[str, float | None]:
        """The points of each task: the mark if there is one, else the tests' score; None until there is either."""
        return self.grade.points

    @property
    def is_graded(self) -> bool:
        """Whether the submission could be read and run."""
        return self.grade.status in GRADED

    @property
    def score(self) -> float:
        """The points so far, as the feedback page has them."""
        return self.grade.final

    @property
    def reason(self) -> str:
        """Why a person must look at it; "" if nobody must."""
        if not self.is_graded:
            return f"{self.grade.status}: {'; '.join(self.grade.notes)}"
        troubled = [name for name in self.grade.waiting if self.grade.cells[name].trouble]
        marked = [name for name in self.grade.waiting if self.grade.points[name] is not None]
        again = [name for name in marked if name not in troubled]
        written = [name for name in self.grade.waiting if name not in (*troubled, *again)]
        parts = [f"{name}: {self.grade.cells[name].trouble}" for name in troubled]
        parts += [f"to be marked: {', '.join(written)}"] if written else []
        parts += [f"handed in again since it was marked: {', '.join(again)}"] if again else []
        return "; ".join(parts)


@dataclass(frozen=True)
class CheckRate:
    """How many of the graded submissions pass a check."""

    task: str
    check: str
    passed: int
    count: int


@dataclass(frozen=True)
class MisconceptionCount:
    """How many of the graded submissions show a misconception: they answer as its chaff does."""

    task: str
    misconception: str
    count: int


@dataclass(frozen=True)
class Report:
    """A class's results in one assignment, a row for each submission. `failed` says, by student, what could not be read."""

    assignment: str
    rows: tuple[Row, ...]
    failed: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def graded(self) -> list[Row]:
        """The rows of the submissions that could be read and run."""
        return [row for row in self.rows if row.is_graded]

    @cached_property
    def worth(self) -> dict[str, float]:
        """The maximal points of every graded cell, in the notebook's order."""
        return {name: cell.max_score for row in self.graded for name, cell in row.grade.cells.items()}

    @property
    def max_score(self) -> float:
        """The maximal points of the assignment."""
        return math.fsum(self.worth.values())

    @cached_property
    def scores(self) -> list[float]:
        """The points so far of each graded submission."""
        return [row.score for row in self.graded]

    @property
    def unmarked(self) -> list[float]:
        """For each graded submission with answers still to be marked: the most points that these can add."""
        waiting = ([self.worth[task] for task, points in row.points.items() if points is None] for row in self.graded)
        return [math.fsum(most) for most in waiting if most]

    @cached_property
    def items(self) -> list[Item]:
        """Each task's statistics."""
        return item_statistics(self.worth, [row.points for row in self.graded])

    @cached_property
    def checks(self) -> list[CheckRate]:
        """Every check, in the notebook's order. One that was not reached because its test cell raised counts as failed."""
        passed: Counter[tuple[str, str]] = Counter()
        for row in self.graded:
            for name, cell in row.grade.cells.items():
                passed.update({(name, check.name): int(check.passed) for check in cell.checks})
        return [CheckRate(*key, count, len(self.graded)) for key, count in passed.items()]

    @cached_property
    def misconceptions(self) -> list[MisconceptionCount]:
        """The misconceptions that occur, the most frequent first."""
        counts = Counter(each for row in self.graded for each in set(row.misconceptions))
        return [
            MisconceptionCount(task.removesuffix("-solution"), text, count)
            for (task, text), count in counts.most_common()
        ]

    @property
    def statuses(self) -> dict[str, int]:
        """How many submissions ended in each status, the most frequent first."""
        return dict(Counter(row.grade.status for row in self.rows).most_common())

    @property
    def for_a_person(self) -> list[Row]:
        """The submissions that need manual grading."""
        return [row for row in self.rows if row.reason]

    @property
    def seconds(self) -> list[float]:
        """How long each graded submission ran in its worker."""
        return [row.grade.seconds for row in self.graded]

    def as_json(self) -> dict[str, Any]:
        """The object that `autograder report --json` prints."""
        return {
            "assignment": self.assignment,
            "submissions": len(self.rows),
            "graded": len(self.graded),
            "statuses": self.statuses,
            "max_score": self.max_score,
            "mean": statistics.fmean(self.scores) if self.scores else None,
            "median": statistics.median(self.scores) if self.scores else None,
            "unmarked": len(self.unmarked),
            "tasks": {
                item.name: {key: value for key, value in asdict(item).items() if key != "name"} for item in self.items
            },
            "checks": [asdict(rate) for rate in self.checks],
            "misconceptions": [asdict(each) for each in self.misconceptions],
            "failed": dict(self.failed),
            "for_a_person": {row.student: row.reason for row in self.for_a_person},
        }
