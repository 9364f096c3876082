"""The parts of a result as plain data: a check, a graded cell, a mark, a grade."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from autograder.words import one_line

# How a run ended. The first six are graded. An unreadable submission needs a person. A failed one is our fault, not the
# student's, and has no score at all.
STATUSES = ("completed", "mended", "timed out", "out of memory", "died", "output limit", "unreadable", "failed")
GRADED = STATUSES[:6]
# Points as the test cell wrote them: an int that is saved is read back as an int.
Number = int | float
# A class's table shows all notes of a submission. One with each of a notebook's 40 known cells changed has 40.
MAX_NOTES = 60


@dataclass(frozen=True)
class Check:
    """One named check of a test cell: its points, and the message if it did not pass."""

    name: str
    points: Number
    passed: bool
    message: str = ""


@dataclass(frozen=True)
class CellGrade:
    """One graded cell. `score` is None if a person must mark it: a written answer, or a test cell with `trouble`, the reason why
    it could not be scored. `error` is what the test cell raised, and `printed` what it printed, which changes no score."""

    max_score: Number
    score: Number | None
    checks: tuple[Check, ...] = ()
    error: str = ""
    trouble: str = ""
    printed: str = field(default="", compare=False)

    @property
    def whole(self) -> bool:
        """Whether the cell has full marks. One without points is judged by its checks and its error."""
        failed = self.max_score == 0 and (bool(self.error) or not all(check.passed for check in self.checks))
        return (self.score or 0.0) >= self.max_score and not failed


@dataclass(frozen=True)
class Mark:
    """A person's mark for one cell: points or None, a comment, and `extra` credit, which is added to the points or to the
    automatic score. A mark is `stale` if other files were handed in after it was given."""

    score: float | None
    comment: str = ""
    stale: bool = False
    extra: float = 0.0


@dataclass(frozen=True)
class Marks:
    """What people and the deadline add to an automatic grade: marks by grade_id, the late penalty in points, and a sentence
    on how late the submission was, "" if it was in time."""

    cells: Mapping[str, Mark] = field(default_factory=dict)
    late_penalty: float = 0.0
    lateness: str = ""


@dataclass(frozen=True)
class Grade:
    """One submission's automatic grade, and the marks that people gave.

    `max_score` includes the written answers. `score` does not, and `total` does once they are marked. `seconds` is how long
    the run took, and `isolation` names the layers that were active in it. Notes repeat what students wrote; here they become
    single short lines, so that no table, page or terminal that shows them has to care.
    """

    student: str
    assignment: str
    status: str
    cells: dict[str, CellGrade] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    isolation: tuple[str, ...] = ()
    seconds: float = 0.0
    marks: Marks = Marks()

    def __post_init__(self) -> None:
        notes = tuple(map(one_line, self.notes[:MAX_NOTES]))
        if more := len(self.notes) - MAX_NOTES:
            notes = (*notes[: MAX_NOTES - 1], f"and {more + 1} more notes") if more > 0 else notes
        object.__setattr__(self, "notes", notes)

    @property
    def score(self) -> float | None:
        """The automatic points; None if the submission was not graded."""
        if self.status not in GRADED:
            return None
        return round(math.fsum(cell.score for cell in self.cells.values() if cell.score is not None), 6)

    @property
    def points(self) -> dict[str, float | None]:
        """The points of each cell today: a mark in place of the automatic score; None while the cell waits for a mark."""
        return {name: combine_points(cell.score, self.marks.cells.get(name)) for name, cell in self.cells.items()}

    @property
    def total(self) -> float | None:
        """The sum of `points`, as nbgrader has it before a late penalty; None if nobody graded the submission."""
        points = [each for each in self.points.values() if each is not None]
        return round(math.fsum(points), 6) if points or self.status in GRADED else None

    @property
    def final(self) -> float:
        """The total after the late penalty; 0 if nobody graded the submission."""
        return subtract_penalty(self.total or 0.0, self.marks.late_penalty)

    @property
    def max_score(self) -> float:
        """The most points that the submission can get."""
        return round(math.fsum(cell.max_score for cell in self.cells.values()), 6)

    @property
    def needs_manual(self) -> bool:
        """Whether a person must still look at the submission."""
        return self.status not in GRADED or bool(self.waiting)

    @property
    def waiting(self) -> list[str]:
        """The cells that wait for a person: those without points, and those whose mark is stale."""
        stale = {name for name, mark in self.marks.cells.items() if mark.stale}
        return [name for name, points in self.points.items() if points is None or name in stale]

    def as_json(self) -> dict[str, Any]:
        """The automatic grade as in a line of `grade --json`; the README documents the keys."""
        return {
            "student": self.student,
            "assignment": self.assignment,
            "status": self.status,
            "score": self.score,
            "max_score": self.max_score,
            "needs_manual": self.needs_manual,
            "notes": list(self.notes),
            "isolation": list(self.isolation),
            "seconds": round(self.seconds, 3),
            "cells": {
                name: {
                    "score": cell.score,
                    "max_score": cell.max_score,
                    "checks": [dict(vars(check)) for check in cell.checks],
                    "error": cell.error,
                    "trouble": cell.trouble,
                }
                for name, cell in self.cells.items()
            },
        }


def combine_points(score: float | None, mark: Mark | None) -> float | None:
    """Return the points of a cell: the mark, or else the automatic score, plus extra credit; None if it has neither."""
    if mark is None:
        return score
    points = score if mark.score is None else mark.score
    return points if points is None else points + mark.extra


def subtract_penalty(points: float, late_penalty: float) -> float:
    """Return a submission's points after the late penalty, never less than 0."""
    return max(0.0, points - late_penalty)
