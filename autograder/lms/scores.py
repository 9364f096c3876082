"""Reads an assignment's totals from the gradebook, for a grade file."""

from __future__ import annotations

from autograder.course import Assignment
from autograder.gradebook.book import Book
from autograder.lms.gradesheet import Score


def read_scores(assignment: Assignment) -> dict[str, Score]:
    """Read each student's total after penalties, by student ID; CourseError if nothing is graded."""
    with Book(assignment.course) as book:
        _header, rows = book.list_tasks(assignment)
        maximum = {row[3]: row[-1] for row in book.list_totals() if row[0] == assignment.name}
    return {
        str(student): Score(float(total), float(maximum[student]), "" in points)
        for student, *points, _penalty, total in rows
    }
