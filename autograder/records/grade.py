"""The nouns of a result: a graded cell, a submission's grade. Pure data, no torch, no sandbox."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# How a run ended. The first five are graded; an unreadable submission is 0 with its reason, for a person to look at, and
# a failed one (ours, not the student's) has no score at all.
STATUSES = ("completed", "mended", "timed out", "out of memory", "died", "output limit", "unreadable", "failed")
GRADED = STATUSES[:6]


@dataclass(frozen=True)
class Check:
    """One named check of a test cell, and what it says where it did not pass."""

    name: str
    points: float
    passed: bool
    message: str = ""


@dataclass(frozen=True)
class CellGrade:
    """One graded cell. `score` is None where a person must give it: a written answer, or a test cell in `trouble`."""

    max_score: float
    score: float | None
    checks: tuple[Check, ...] = ()
    error: str = ""
    trouble: str = ""

    @property
    def whole(self) -> bool:
        """Whether nothing is missing; a practice cell without points shows by its checks that something is."""
        lost = self.max_score == 0 and (bool(self.error) or not all(check.passed for check in self.checks))
        return (self.score or 0.0) >= self.max_score and not lost


@dataclass(frozen=True)
class Manual:
    """What a person gave for one cell: points, or None, and a comment; `stale` where other files were handed in since. `extra`
    is extra credit, beside either points."""

    score: float | None
    comment: str = ""
    stale: bool = False
    extra: float = 0.0


@dataclass(frozen=True)
class Grade:
    """One submission's automatic grade, and what people gave for its cells: `manual`, by grade_id. `max_score` counts the written
    answers too; `score` cannot, and `total` does once they are marked."""

    student: str
    assignment: str
    status: str
    cells: dict[str, CellGrade] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    isolation: tuple[str, ...] = ()
    seconds: float = 0.0
    manual: Mapping[str, Manual] = field(default_factory=dict)

    @property
    def score(self) -> float | None:
        """The automatic points; None where the submission was not graded."""
        if self.status not in GRADED:
            return None
        return round(math.fsum(cell.score for cell in self.cells.values() if cell.score is not None), 6)

    @property
    def points(self) -> dict[str, float | None]:
        """What each cell is worth to the student today: a person's points in the place of the tests'; None while it waits."""
        return {name: standing(cell.score, self.manual.get(name)) for name, cell in self.cells.items()}

    @property
    def total(self) -> float | None:
        """The sum of these, as nbgrader has it before a late penalty; None where nobody graded the submission."""
        given = [points for points in self.points.values() if points is not None]
        return round(math.fsum(given), 6) if given or self.status in GRADED else None

    @property
    def max_score(self) -> float:
        return round(math.fsum(cell.max_score for cell in self.cells.values()), 6)

    @property
    def needs_manual(self) -> bool:
        return self.status not in GRADED or bool(self.waiting)

    @property
    def waiting(self) -> list[str]:
        """The cells whose points a person must still give, or look at again."""
        stale = {name for name, given in self.manual.items() if given.stale}
        return [name for name, points in self.points.items() if points is None or name in stale]

    def as_json(self) -> dict[str, Any]:
        """What a run came to. It is kept so; with `total` and `change` it is a line of `--json`, documented in the README."""
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

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Grade:
        """The grade that `as_json` wrote; KeyError, TypeError, ValueError or AttributeError for anything else."""
        cells = {
            name: CellGrade(
                cell["max_score"],
                cell["score"],
                tuple(Check(**check) for check in cell["checks"]),
                cell["error"],
                cell["trouble"],
            )
            for name, cell in data["cells"].items()
        }
        for cell in cells.values():
            points = (
                cell.max_score,
                *(check.points for check in cell.checks),
                *([] if cell.score is None else [cell.score]),
            )
            if not all(type(number) in (int, float) and math.isfinite(number) for number in points):
                raise ValueError("points that are no numbers")
        if data["status"] not in STATUSES or not isinstance(data["student"], str):
            raise ValueError("no status, or no student")
        return cls(
            data["student"],
            data["assignment"],
            data["status"],
            cells,
            tuple(data["notes"]),
            tuple(data["isolation"]),
            float(data["seconds"]),
        )


def standing(automatic: float | None, given: Manual | None) -> float | None:
    """The points of a cell: a person's in the place of the tests', and extra credit beside either; None where there are none."""
    if given is None:
        return automatic
    points = automatic if given.score is None else given.score
    return points if points is None else points + given.extra
