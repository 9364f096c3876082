"""Lists the students who handed in an assignment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from autograder.course import NAME, Assignment
from autograder.errors import CourseError


def read_roster(assignment: Assignment, students: Sequence[str] = ()) -> list[str]:
    """List the students who handed in `assignment`, or only `students`; CourseError if one of these has not, or nobody has."""
    submitted = assignment.course.submitted
    names = sorted(path.parent.name for path in _find_folders(assignment) if NAME.fullmatch(path.parent.name))
    for name in students:
        if name not in names:
            raise CourseError(f"{name} has not handed in {assignment.name}: {submitted / name / assignment.name}")
    if not names:
        raise CourseError(f"no submissions of {assignment.name} in {submitted}/STUDENT/{assignment.name}/")
    return [name for name in names if not students or name in students]


def list_misnamed_folders(assignment: Assignment) -> list[str]:
    """List, quoted, the folders that hold this assignment but whose name is not a valid student ID."""
    return sorted(repr(path.parent.name) for path in _find_folders(assignment) if not NAME.fullmatch(path.parent.name))


def _find_folders(assignment: Assignment) -> list[Path]:
    return list(assignment.course.submitted.glob(f"*/{assignment.name}"))
