"""The files of `autograder feedback`: each student's page, with what nbgrader needs to hand it out."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from autograder.course import Assignment
from autograder.course import notebook as nb
from autograder.errors import explain_failure
from autograder.files import read_plain, write_whole
from autograder.gradebook.book import Book
from autograder.pages.feedback.advice import Adviser
from autograder.pages.feedback.page import render_page
from autograder.records.grade import Marks
from autograder.records.store import list_graded_students

# `nbgrader release_feedback` finds the student's own page in the exchange by these files, which the exchange put there.
EXCHANGE_FILES = ("timestamp.txt", "submission_secret.txt")
MAX_EXCHANGE_BYTES = 4096  # nbgrader's have 64 at most


def write_feedback(
    assignment: Assignment, students: Sequence[str] = (), failed: dict[str, str] | None = None
) -> Iterator[Path]:
    """Write the page of each graded submission, or of those of `students`; yield each path when its page is written.

    A submission whose page cannot be made costs nobody else's: the reason goes into `failed`, by student. Raises CourseError if a
    student has no grade or the gradebook cannot be opened, OSError if a page cannot be saved.
    """
    course = assignment.course
    names = list_graded_students(assignment, tuple(students))
    adviser = Adviser(assignment)
    release = nb.read(assignment.release_path)
    failures = {} if failed is None else failed
    with Book(course) as book:
        for name in names:
            marks = book.read_marks(assignment, name)
            try:
                html = _render(adviser, name, marks, release)
            except Exception as error:  # whatever is in this submission
                failures[name] = explain_failure(error)
                continue
            target = course.feedback / name / assignment.name / f"{assignment.notebook}.html"
            write_whole(target, html.encode())
            _copy_exchange_files(course.submitted / name / assignment.name, target.parent)
            yield target


def _render(adviser: Adviser, student: str, marks: Marks, release: nb.Notebook) -> str:
    graded = adviser.archive.open(student)
    return render_page(
        graded.grade,
        graded.notebook,
        adviser.archive.assignment.name,
        marks,
        advice=adviser.advise(graded),
        release=release,
    )


def _copy_exchange_files(submission: Path, folder: Path) -> None:
    for name in EXCHANGE_FILES:
        with contextlib.suppress(OSError):  # none, a link, or no permission
            content = read_plain(submission / name, MAX_EXCHANGE_BYTES + 1)
            if len(content) <= MAX_EXCHANGE_BYTES:  # else it is not the exchange's
                write_whole(folder / name, content)
