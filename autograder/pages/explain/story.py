"""The story of one submission as data: its cells, their checks, and the questions of each check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from autograder.pages.calls import Call
from autograder.pages.frames import Frame
from autograder.records.diagnose import UNWRITTEN, Diagnosis, is_unwritten
from autograder.records.grade import CellGrade, Check, Grade, Mark


@dataclass(frozen=True)
class Question:
    """One question in words: what was asked, what came back, what the solution answered ("" if it was not asked this), whether
    the two agree, and how many times this question got this answer."""

    asked: str
    answered: str
    expected: str = ""
    agrees: bool = True
    times: int = 1


@dataclass(frozen=True)
class CheckStory:
    """One check with the last of its different questions; `left_out` counts the earlier ones. A failed check failed after the
    last. `example` is hypothesis' smallest counterexample to a law, and then the questions are those of that draw. `raised` are
    the lines of the student's code that raised the exception."""

    check: Check
    questions: tuple[Question, ...] = ()
    left_out: int = 0
    example: str = ""
    raised: tuple[Frame, ...] = ()


@dataclass(frozen=True)
class CellStory:
    """One test cell or written answer, with its diagnosis and mark, if there are any. `code` is the answer that it tests, `calls`
    are this answer's uses of others that fail, and `raised` are the lines of the student's code that stopped the test cell."""

    name: str
    cell: CellGrade
    checks: tuple[CheckStory, ...]
    diagnosis: Diagnosis | None = None
    mark: Mark | None = None
    code: str = ""
    calls: tuple[Call, ...] = ()
    raised: tuple[Frame, ...] = ()

    @property
    def is_unwritten(self) -> bool:
        """Whether no part of the answer is written yet."""
        return is_unwritten(self.cell) and all(check.message == UNWRITTEN for check in self.cell.checks)

    def as_json(self) -> dict[str, Any]:
        """A cell of `explain --json`."""
        return {
            "grade_id": self.name,
            "score": self.cell.score,
            "max_score": self.cell.max_score,
            "by_person": self.mark and self.mark.score,
            "error": self.cell.error,
            "trouble": self.cell.trouble,
            "checks": [asdict(check) for check in self.checks],
            "raised": [asdict(frame) for frame in self.raised],
            "calls": [asdict(call) for call in self.calls],
            "code": self.code,
            "diagnosis": self.diagnosis and self.diagnosis.as_json(),
        }


@dataclass(frozen=True)
class Story:
    """One submission. `notes` name what is missing here; `raised` has the error of each cell that raised one, by cell name."""

    grade: Grade
    cells: tuple[CellStory, ...]
    notes: tuple[str, ...] = ()
    raised: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The object that `explain --json` prints."""
        return {
            "student": self.grade.student,
            "assignment": self.grade.assignment,
            "status": self.grade.status,
            "score": self.grade.score,
            "max_score": self.grade.max_score,
            "total": self.grade.total,
            "notes": [*self.grade.notes, *self.notes],
            "raised": dict(self.raised),
            "cells": [story.as_json() for story in self.cells],
        }
