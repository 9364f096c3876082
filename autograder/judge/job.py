"""Defines what a worker gets, a job, and what it returns; neither needs torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from autograder.checks.comparisons import Shares
from autograder.course import Limits
from autograder.course import notebook as nb
from autograder.records.grade import Grade
from autograder.records.run import Run
from autograder.sandbox.warm import LAYERS


@dataclass(frozen=True)
class Job:
    """One submission to judge: the student's answers in the instructor's notebook with all tests, and limits.

    `unanswered` are the written answers, by grade_id, that are as they were released; `notes` say what was repaired. `record`
    asks for the reference outputs of this submission, the solution, and `measure` for what its tests compare. `handed_in` and
    `answers_key` are the hashes for its `Run`.
    """

    student: str
    assignment: str
    notebook: nb.Notebook
    unanswered: frozenset[str]
    notes: tuple[str, ...]
    limits: Limits
    seed: int = 0
    isolation: tuple[str, ...] = LAYERS
    record: bool = False
    measure: bool = False
    handed_in: str = ""
    answers_key: str = ""


@dataclass(frozen=True)
class Judged:
    """The result of a job: the grade and its run (None if nothing ran).

    If the job asked for them, `recorded` are the reference outputs, and `compared` what each test cell compared, by grade_id.
    """

    grade: Grade
    run: Run | None = None
    recorded: dict[str, Any] = field(default_factory=dict)
    compared: dict[str, Shares] = field(default_factory=dict)
