"""The nouns of a result: a graded cell, a submission's grade. Pure data, no torch, no sandbox."""

from __future__ import annotations

import math
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
    """What a person gave for one cell: points, or None, and a comment; `stale` where other files were handed in since."""

    score: float | None
    comment: str
    stale: bool = False


@dataclass(frozen=True)
class Grade:
    """One submission's automatic grade. `max_score` counts the written answers too; `score` cannot."""

    student: str
    assignment: str
    status: str
    cells: dict[str, CellGrade] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    isolation: tuple[str, ...] = ()
    seconds: float = 0.0
    marked: frozenset[str] = frozenset()  # the cells that a person has given points for
    stale: frozenset[str] = frozenset()  # the cells for which a person did, and other files were handed in since

    @property
    def score(self) -> float | None:
        """The automatic points; None where the submission was not graded."""
        if self.status not in GRADED:
            return None
        return round(math.fsum(cell.score for cell in self.cells.values() if cell.score is not None), 6)

    @property
    def max_score(self) -> float:
        return round(math.fsum(cell.max_score for cell in self.cells.values()), 6)

    @property
    def needs_manual(self) -> bool:
        return self.status not in GRADED or bool(self.waiting)

    @property
    def waiting(self) -> list[str]:
        """The cells whose points a person must still give, or look at again."""
        left = {name for name, cell in self.cells.items() if cell.score is None} - self.marked
        return [name for name in self.cells if name in left | self.stale]

    def as_json(self) -> dict[str, Any]:
        """The line that `--json` prints, documented in the README."""
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
