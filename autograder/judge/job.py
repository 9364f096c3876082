"""What is sent to a worker, and what comes back. The process that sends it need not import torch."""

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
    """One submission to judge: the notebook laid out with the instructor's full tests, and limits.

    `unanswered` are the written answers left as they were released, and `notes` what was mended. `record` asks for the
    reference outputs that this submission, the solution, gives; `measure` for what its tests compare. `handed_in` and
    `answers_key` are the hashes that its `Run` will carry.
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
    """What comes of a job: the grade, and the run that it was made from (None where nothing ran). `recorded` are the reference
    outputs, and `compared` what each test cell compared, by grade_id, where the job asked for them."""

    grade: Grade
    run: Run | None = None
    recorded: dict[str, Any] = field(default_factory=dict)
    compared: dict[str, Shares] = field(default_factory=dict)
