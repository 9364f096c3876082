"""What the instructor thinks of mutants that survive: assignments/NAME/mutants.toml, one table for each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from autograder.course import VERDICTS, Assignment
from autograder.errors import CourseError


class Verdict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mutant that is as right as the solution ("equivalent"), or a mistake that is known to pass ("gap"), and why."""

    verdict: Literal["equivalent", "gap"]
    reason: Annotated[str, msgspec.Meta(min_length=1)]


def path_of(assignment: Assignment) -> Path:
    return assignment.folder / VERDICTS


def verdicts(assignment: Assignment) -> dict[str, Verdict]:
    """The verdicts by mutant; {} where there is no file."""
    path = path_of(assignment)
    if not path.is_file():
        return {}
    try:
        return msgspec.toml.decode(path.read_bytes(), type=dict[str, Verdict])
    except msgspec.DecodeError as error:
        raise CourseError(f"{path}: {error}") from None
