"""A report's rows, read from the records and the gradebook."""

from __future__ import annotations

from dataclasses import replace

from autograder.course import Assignment
from autograder.course import notebook as nb
from autograder.gradebook.book import Book
from autograder.pages.report.results import Report, Row
from autograder.records import known
from autograder.records.diagnose import diagnose
from autograder.records.grade import GRADED
from autograder.records.known import Known
from autograder.records.store import read_record, read_transcript, recorded


def read_report(assignment: Assignment) -> Report:
    """The class's results today; CourseError if nothing is graded yet or the gradebook cannot be opened."""
    names = recorded(assignment)
    answers = known.read(assignment, nb.read(assignment.source_path))
    with Book(assignment.course) as book:
        rows = [_read_row(assignment, book, answers, name) for name in names]
    return Report(assignment.name, tuple(row for row in rows if row))


def _read_row(assignment: Assignment, book: Book, answers: Known, student: str) -> Row | None:
    """A submission's row; None if its record cannot be read. The next `grade` makes that record again."""
    record = read_record(assignment, student)
    if record is None:
        return None
    grade = record.grade
    is_graded = grade.status in GRADED
    diagnoses = diagnose(answers, grade, read_transcript(assignment, record)) if is_graded else {}
    misconceptions = tuple((task, each.misconception) for task, each in diagnoses.items() if each.misconception)
    manual, penalty = book.manual(assignment, student)
    grade = replace(grade, manual=manual)
    return Row(grade, grade.points, penalty, misconceptions)
