"""Grades as CSV, quoted as CSV should be. nbgrader's own columns, so that what reads `nbgrader export` reads this."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from autograder.course import Assignment, Course
from autograder.files import write_whole
from autograder.gradebook.book import Book

TOTALS = (
    "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email", "raw_score",
    "late_submission_penalty", "score", "max_score",
)  # fmt: skip


def write_totals(course: Course, path: Path) -> int:
    """One row for every student and assignment, as `nbgrader export` has them; the number of rows."""
    with Book(course) as book:
        return write_csv(path, TOTALS, book.totals())


def write_tasks(assignment: Assignment, path: Path) -> int:
    """One row for every submission, one column for every graded cell; the number of rows."""
    with Book(assignment.course) as book:
        header, rows = book.tasks(assignment)
        return write_csv(path, header, rows)


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write a table; the number of its rows. No cell is one that a spreadsheet would run."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    count = 0
    for row in rows:
        writer.writerow([_safe(value) for value in row])
        count += 1
    write_whole(path, text.getvalue().encode())
    return count


def _safe(value: Any) -> Any:
    """A text that a spreadsheet would run as a formula begins with an apostrophe instead."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
