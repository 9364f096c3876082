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
from autograder.records import known
from autograder.records.diagnose import diagnose
from autograder.records.store import Record, read_autograded, read_record, read_transcript, recorded, transcript_path

# What `nbgrader release_feedback` reads to find the student's own page in the exchange; the exchange put them there.
BESIDE = ("timestamp.txt", "submission_secret.txt")


class Adviser:
    """Says what went wrong in submissions of one assignment; its known answers are read once."""

    def __init__(self, assignment: Assignment) -> None:
        source = nb.read(assignment.source_path)
        self.assignment, self.known = assignment, known.read(assignment, source)
        self.shown = assignment.settings.show_expected
        tests = {nb.grade_id(cell) for cell in nb.known_cells(source) if nb.is_test(cell)}
        if unknown := sorted(set(self.shown) - tests):
            raise CourseError(
                f"{assignment.folder / 'assignment.toml'}: show_expected: no test cell is called {unknown[0]}"
            )

    def advise(self, record: Record) -> dict[str, Advice]:
        """Advice on each test cell that lost points."""
        transcript = read_transcript(self.assignment, record)
        said = {found.cell: found for found in diagnose(self.known, record.grade, transcript).values()}
        cells = transcript.cells if transcript else {}
        pairs = {
            name: pair(record.grade.cells[name], cells[name], self.known.solution, name)
            for name in self.shown
            if name in record.grade.cells and name in cells
        }
        return {name: Advice(said.get(name), pairs.get(name)) for name in said.keys() | pairs.keys()}


def write_feedback(assignment: Assignment, students: Sequence[str] = ()) -> Iterator[Path]:
    """Write the page of each graded submission, or of `students` alone; the paths, as they are done."""
    course = assignment.course
    graded = recorded(assignment, tuple(students))
    adviser = Adviser(assignment)
    released = nb.test_sources(nb.read(assignment.release_path))
    with Book(course) as book:
        for name in graded:
            record = read_record(assignment, name)
            if record is None:
                path = transcript_path(assignment, name)
                raise CourseError(f"{path} cannot be read; `autograder grade {assignment.name}` first")
            grade = record.grade
            notebook = read_autograded(assignment, name)
            manual, penalty = book.manual(assignment, name)
            html = page(grade, notebook, assignment.name, manual, penalty, adviser.advise(record), released)
            target = course.feedback / name / assignment.name / f"{assignment.notebook}.html"
            write_whole(target, html.encode())
            for name_beside in BESIDE:
                beside = course.submitted / name / assignment.name / name_beside
                if beside.is_file() and not beside.is_symlink():
                    write_whole(target.with_name(name_beside), beside.read_bytes())
            yield target
