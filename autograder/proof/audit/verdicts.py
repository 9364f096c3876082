"""The instructor's verdicts on surviving mutants, one table each in assignments/NAME/mutants.toml."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from autograder.course import VERDICTS, Assignment
from autograder.errors import CourseError


class Verdict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a mutant survives: it is as right as the solution ("equivalent"), or the tests miss it ("gap"); with a reason."""

    verdict: Literal["equivalent", "gap"]
    reason: Annotated[str, msgspec.Meta(min_length=1)]


def read_verdicts(assignment: Assignment) -> dict[str, Verdict]:
    """Read the verdicts by the mutants' names; {} if there is no file, CourseError if it is not as it must be."""
    path = assignment.folder / VERDICTS
    if not path.is_file():
        return {}
    try:
        return msgspec.toml.decode(path.read_bytes(), type=dict[str, Verdict])
    except msgspec.DecodeError as error:
        raise CourseError(f"{path}: {error}") from None
