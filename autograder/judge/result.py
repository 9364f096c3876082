"""What comes back from a worker. Apart from `worker`, so that whoever reads a result need not import one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from autograder.checks.comparisons import Shares
from autograder.records.grade import Grade


@dataclass(frozen=True)
class Result:
    """What comes of a job: the grade, the notebook with outputs as it is saved, the transcript as `transcript.dumps` has it,
    the recorded reference outputs, and what each test cell compared."""

    grade: Grade
    notebook: bytes = b""
    transcript: bytes = b""
    recorded: dict[str, Any] = field(default_factory=dict)
    compared: dict[str, Shares] = field(default_factory=dict)
