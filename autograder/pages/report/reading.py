"""A report's rows, read from the records and the gradebook."""

from __future__ import annotations

from dataclasses import replace

from autograder.course import Assignment
from autograder.errors import CourseError
from autograder.gradebook.book import Book
from autograder.pages.report.results import Report, Row
from autograder.records.archive import Archive
from autograder.records.grade import GRADED
from autograder.records.store import list_graded_students


def read_report(assignment: Assignment) -> Report:
    """The class's results today; CourseError if nothing is graded yet or the gradebook cannot be opened."""
    names = list_graded_students(assignment)
    archive = Archive(assignment)
    with Book(assignment.course) as book:
        rows = [_read_row(archive, book, name) for name in names]
    return Report(assignment.name, tuple(row for row in rows if row))


def _read_row(archive: Archive, book: Book, student: str) -> Row | None:
    """A submission's row; None if its record cannot be read. The next `grade` makes that record again."""
    try:
        graded = archive.open(student)
    except CourseError:
        return None
    diagnoses = graded.diagnoses if graded.grade.status in GRADED else {}
    misconceptions = tuple((task, each.misconception) for task, each in diagnoses.items() if each.misconception)
    return Row(replace(graded.grade, marks=book.read_marks(archive.assignment, student)), misconceptions)
