"""`autograder feedback`: every student's page from their record and transcript, the autograded notebook and the gradebook."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from autograder.course import Assignment
from autograder.course import notebook as nb
from autograder.errors import CourseError
from autograder.files import write_whole
from autograder.gradebook.book import Book
from autograder.pages.feedback import Advice, page
from autograder.pages.heatmap import pair
from autograder.records.archive import Archive, Graded
from autograder.records.store import graded_students

# What `nbgrader release_feedback` reads to find the student's own page in the exchange; the exchange put them there.
BESIDE = ("timestamp.txt", "submission_secret.txt")


class Adviser:
    """Says what went wrong in submissions of one assignment; its known answers are read once."""

    def __init__(self, assignment: Assignment) -> None:
        self.archive = Archive(assignment)
        source = self.archive.source
        self.shown = assignment.settings.show_expected
        tests = {nb.grade_id(cell) for cell in nb.known_cells(source) if nb.is_test(cell)}
        if unknown := sorted(set(self.shown) - tests):
            raise CourseError(
                f"{assignment.folder / 'assignment.toml'}: show_expected: no test cell is called {unknown[0]}"
            )

    def advise(self, graded: Graded) -> dict[str, Advice]:
        """Advice on each test cell that lost points."""
        asked = graded.asked or {}
        pairs = {
            name: pair(graded.grade.cells[name], asked[name], graded.known.solution, name)
            for name in self.shown
            if name in graded.grade.cells and name in asked
        }
        diagnoses = graded.diagnosed_cells
        return {name: Advice(diagnoses.get(name), pairs.get(name)) for name in diagnoses.keys() | pairs.keys()}


def write_feedback(assignment: Assignment, students: Sequence[str] = ()) -> Iterator[Path]:
    """Write the page of each graded submission, or of `students` alone; the paths, as they are done."""
    course = assignment.course
    names = graded_students(assignment, tuple(students))
    adviser = Adviser(assignment)
    released = nb.test_sources(nb.read(assignment.release_path))
    with Book(course) as book:
        for name in names:
            graded = adviser.archive.open(name)
            marks = book.marks(assignment, name)
            html = page(graded.grade, graded.notebook, assignment.name, marks, adviser.advise(graded), released)
            target = course.feedback / name / assignment.name / f"{assignment.notebook}.html"
            write_whole(target, html.encode())
            for name_beside in BESIDE:
                beside = course.submitted / name / assignment.name / name_beside
                if beside.is_file() and not beside.is_symlink():
                    write_whole(target.with_name(name_beside), beside.read_bytes())
            yield target
