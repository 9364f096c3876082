"""`autograder feedback`: every student's page from their transcript, their autograded notebook and the gradebook."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from autograder import notebook as nb
from autograder.course import Assignment
from autograder.errors import CourseError
from autograder.feedback import page
from autograder.files import write_whole
from autograder.gradebook import Book
from autograder.records import read_record, recorded, transcript_path

# What `nbgrader release_feedback` reads to find the student's own page in the exchange; the exchange put them there.
BESIDE = ("timestamp.txt", "submission_secret.txt")


def write_feedback(assignment: Assignment, students: Sequence[str] = ()) -> Iterator[Path]:
    """Write the page of each graded submission, or of `students` alone; the paths, as they are done."""
    course = assignment.course
    graded = recorded(assignment, tuple(students))
    with Book(course) as book:
        for name in graded:
            record = read_record(assignment, name)
            if record is None:
                path = transcript_path(assignment, name)
                raise CourseError(f"{path} cannot be read; `autograder grade {assignment.name}` first")
            grade = record.grade
            saved = course.autograded / name / assignment.name / f"{assignment.notebook}.ipynb"
            notebook = nb.read(saved) if saved.is_file() else {"cells": [], "metadata": {}}
            manual, penalty = book.manual(assignment, name)
            html = page(grade, notebook, assignment.name, manual, penalty)
            target = course.feedback / name / assignment.name / f"{assignment.notebook}.html"
            write_whole(target, html.encode())
            for name_beside in BESIDE:
                beside = course.submitted / name / assignment.name / name_beside
                if beside.is_file() and not beside.is_symlink():
                    write_whole(target.with_name(name_beside), beside.read_bytes())
            yield target
