"""Doubts about the grades that a command shows, on stderr in one line each: tests without a proof, another engine's grades."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from autograder.course import Assignment, Course
from autograder.words import counted, flat

NAMED = 5  # students; a line with more is no longer one
REPLACED = "graded again here"
AS_THEY_ARE = "exported as they are; `autograder grade {name}` replaces them"
NOT_SHOWN = "this engine's grades are shown; `autograder grade {name}` replaces the others"


def warn_if_unproven(assignment: Assignment, consequence: str) -> None:
    """Say why the tests of an assignment are not proven, and what follows."""
    from autograder.records.known import find_missing_proof

    if reason := find_missing_proof(assignment):
        print(f"{consequence}: {reason}", file=sys.stderr)


def warn_if_unrecorded(course: Course, name: str, consequence: str, students: Sequence[str] = ()) -> None:
    """Say whose grades in the gradebook another engine wrote, by assignment, or in the one of this name, and what follows."""
    from autograder.gradebook.unrecorded import find_unrecorded

    for assignment, names in find_unrecorded(course, name, students).items():
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        shown = ", ".join(map(flat, names[:NAMED])) + more
        fact = f"{flat(assignment)}: {counted(len(names), 'grade')} in the gradebook not from this engine ({shown})"
        print(f"{fact}; {consequence.format(name=flat(assignment))}", file=sys.stderr)
