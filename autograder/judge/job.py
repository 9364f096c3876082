"""What is sent to a worker. Apart from `submission`, so that the process that sends it need not import torch."""

from __future__ import annotations

from dataclasses import dataclass, field

from autograder import notebook as nb
from autograder.course import Limits


@dataclass(frozen=True)
class Job:
    """One submission to judge: the laid-out notebook with the instructor's full tests, limits, and the files beside it."""

    student: str
    assignment: str
    notebook: nb.Notebook
    unanswered: frozenset[str]
    notes: tuple[str, ...]
    limits: Limits
    seed: int = 0
    files: dict[str, bytes] = field(default_factory=dict)
    isolation: tuple[str, ...] = ()
