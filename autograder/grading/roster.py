"""Who handed an assignment in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from autograder.course import NAME, Assignment
from autograder.errors import CourseError


def read_roster(assignment: Assignment, students: Sequence[str] = ()) -> list[str]:
    """The students who handed `assignment` in, or those of `students`; CourseError where one has not, or nobody has."""
    submitted = assignment.course.submitted
    names = sorted(path.parent.name for path in _folders(assignment) if NAME.fullmatch(path.parent.name))
    for name in students:
        if name not in names:
            raise CourseError(f"{name} has not handed in {assignment.name}: {submitted / name / assignment.name}")
    if not names:
        raise CourseError(f"no submissions of {assignment.name} in {submitted}/STUDENT/{assignment.name}/")
    return [name for name in names if not students or name in students]


def misnamed_folders(assignment: Assignment) -> list[str]:
    """Folders that hold this assignment under a name that no student can have, such as one with a control character; quoted."""
    return sorted(repr(path.parent.name) for path in _folders(assignment) if not NAME.fullmatch(path.parent.name))


def _folders(assignment: Assignment) -> list[Path]:
    return list(assignment.course.submitted.glob(f"*/{assignment.name}"))
