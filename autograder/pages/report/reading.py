"""A report's rows, read from the records and the gradebook."""

from __future__ import annotations

from dataclasses import replace

from autograder.course import Assignment
from autograder.errors import CourseError, explain_failure
from autograder.gradebook.book import Book
from autograder.pages.report.results import Report, Row
from autograder.records.archive import Archive
from autograder.records.grade import GRADED
from autograder.records.store import list_graded_students


def read_report(assignment: Assignment) -> Report:
    """The class's results today; CourseError if nothing is graded yet or the gradebook cannot be opened."""
    names = list_graded_students(assignment)
    archive = Archive(assignment)
    failed: dict[str, str] = {}
    with Book(assignment.course) as book:
        rows = [_read_row(archive, book, name, failed) for name in names]
    return Report(assignment.name, tuple(row for row in rows if row), failed)


def _read_row(archive: Archive, book: Book, student: str, failed: dict[str, str]) -> Row | None:
    """A submission's row. What cannot be read of it goes into `failed`: its diagnoses, or all of it, and then there is no row."""
    try:
        graded = archive.open(student)
    except CourseError as error:  # the next `grade` makes that record again
        failed[student] = explain_failure(error)
        return None
    misconceptions: tuple[tuple[str, str], ...] = ()
    if graded.grade.status in GRADED:
        try:
            diagnoses = graded.diagnoses.items()
            misconceptions = tuple((task, each.misconception) for task, each in diagnoses if each.misconception)
        except Exception as error:  # whatever the submission answered
            failed[student] = f"no misconceptions: {explain_failure(error)}"
    return Row(replace(graded.grade, marks=book.read_marks(archive.assignment, student)), misconceptions)
