"""Grades as CSV in nbgrader's own columns, so that whatever reads `nbgrader export` reads these files."""

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
    """Write a row for every student and assignment, as `nbgrader export` does; return the number of rows."""
    with Book(course) as book:
        return write_csv(path, TOTALS, book.list_totals())


def write_tasks(assignment: Assignment, path: Path) -> int:
    """Write a row for every submission, with a column for every graded cell; return the number of rows."""
    with Book(assignment.course) as book:
        header, rows = book.list_tasks(assignment)
        return write_csv(path, header, rows)


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write a table and return the number of its rows. No cell of it is a formula to a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    count = 0
    for row in rows:
        writer.writerow([_without_formula(value) for value in row])
        count += 1
    write_whole(path, text.getvalue().encode())
    return count


def _without_formula(value: Any) -> Any:
    """Put an apostrophe before a text that a spreadsheet would run as a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
