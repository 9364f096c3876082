"""What is sent to a worker. Apart from `submission`, so that the process that sends it need not import torch."""

from __future__ import annotations

from dataclasses import dataclass

from autograder.course import Limits
from autograder.course import notebook as nb
from autograder.sandbox.warm import LAYERS


@dataclass(frozen=True)
class Job:
    """One submission to judge: the laid-out notebook with the instructor's full tests, and limits. `record` asks for the
    reference outputs that this submission, the solution, gives; `measure` for what its tests compare."""

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
