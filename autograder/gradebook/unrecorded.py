"""Finds grades in the gradebook that this engine did not write: no record of ours has these scores, or this time of handing in.

Whoever takes the engine's lines out of nbgrader_config.py, or runs nbgrader elsewhere on the same database, gives such grades.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from autograder.course import Assignment, Course
from autograder.gradebook.book import Book, find_score
from autograder.gradebook.database import database_file, one_line_errors
from autograder.records.store import Record, read_record


def find_unrecorded(course: Course, name: str = "", students: Sequence[str] = ()) -> dict[str, list[str]]:
    """Find, by assignment, the students whose grade in the gradebook is not the one that we recorded: in all assignments, or in
    `name`, of all students or of `students`. CourseError if the gradebook cannot be opened."""
    file = database_file(course.db_url, course.root)
    if file and not file.is_file():
        return {}
    with Book(course, reads=True) as book:
        rows = _list_scores(book, name)
    unrecorded: dict[str, list[str]] = defaultdict(list)
    for (assignment, student), (time, scores) in sorted(rows.items()):
        if not students or student in students:
            record = read_record(Assignment(course, assignment), student)
            if not (_is_recorded(record, time, scores) if record else set(scores.values()) == {None}):
                unrecorded[assignment].append(student)
    return dict(unrecorded)


def _list_scores(book: Book, assignment: str) -> dict[tuple[str, str], tuple[Any, dict[str, float | None]]]:
    """List the automatic scores of every submission, or of those of one assignment: by assignment and student, its time of
    handing in, and its scores by cell."""
    from nbgrader import api

    columns = (api.Assignment.name, api.SubmittedAssignment.student_id, api.SubmittedAssignment.timestamp)
    query = (
        book.book.db.query(*columns, api.BaseCell.name, api.Grade.auto_score)
        .select_from(api.Grade)
        .join(api.BaseCell, api.Grade.cell_id == api.BaseCell.id)
        .join(api.SubmittedNotebook, api.Grade.notebook_id == api.SubmittedNotebook.id)
        .join(api.SubmittedAssignment, api.SubmittedNotebook.assignment_id == api.SubmittedAssignment.id)
        .join(api.Assignment, api.SubmittedAssignment.assignment_id == api.Assignment.id)
    )
    rows: dict[tuple[str, str], tuple[Any, dict[str, float | None]]] = {}
    with one_line_errors():
        for name, student, time, cell, score in (
            query.filter(api.Assignment.name == assignment) if assignment else query
        ):
            rows.setdefault((name, student), (time, {}))[1][cell] = score
    return rows


def _is_recorded(record: Record, time: Any, scores: dict[str, float | None]) -> bool:
    """Return whether the scores are those of the record. A cell that came later, with other tests, has no score yet."""
    from nbgrader.utils import parse_utc

    if record.timestamp and time != parse_utc(record.timestamp):
        return False
    return all(score == find_score(record.grade, cell) for cell, score in scores.items())
