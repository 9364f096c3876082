"""Takes submissions in: from a student's folder to a job for the judge, or to the reason why it cannot be graded."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from autograder.course import Assignment
from autograder.course import notebook as nb
from autograder.course.lay import lay
from autograder.course.mark_scheme import schemes
from autograder.course.submitted import hash_folder, read_folder, read_notebook
from autograder.errors import CourseError, SubmissionError
from autograder.grading.plan import Today
from autograder.judge.job import Job
from autograder.records.deciding import Deciding
from autograder.records.grade import CellGrade, Grade
from autograder.records.store import Record, read_record

# What a timestamp.txt may be long, in bytes; nbgrader's have 30.
MOST_TIMESTAMP = 240


@dataclass(frozen=True)
class Submission:
    """One student's submission: what is remembered of it, and what decides its grade today."""

    student: str
    folder: Path
    record: Record | None
    today: Today

    @property
    def timestamp(self) -> str | None:
        """What stands in its timestamp.txt, whether or not it is a time; None where there is none."""
        path = self.folder / "timestamp.txt"
        with contextlib.suppress(OSError):  # a folder that may not be read, too
            if path.is_file() and not path.is_symlink():
                with path.open("rb") as file:
                    return file.read(MOST_TIMESTAMP).decode(errors="replace").strip()[:60] or None
        return None


@dataclass(frozen=True)
class Taken:
    """A submission that has been read: a job, or where it cannot be graded as it is, the grade that says why."""

    submission: Submission
    job: Job | None
    grade: Grade | None = None


@dataclass(frozen=True)
class Intake:
    """Reads the submissions of one assignment. The assignment itself is read once, when it is first needed."""

    assignment: Assignment

    @cached_property
    def source(self) -> nb.Notebook:
        return nb.read(self.assignment.source_path)

    @cached_property
    def release(self) -> nb.Notebook:
        """The student version; CourseError where it is not the one of today's source."""
        release = nb.read(self.assignment.release_path)
        if nb.outline(release) != nb.outline(self.source):
            raise CourseError(
                f"{self.assignment.release_path} is not the release of today's source: its graded cells differ; "
                f"`autograder build {self.assignment.name}` makes it anew, or put back the source that was released"
            )
        return release

    @cached_property
    def deciding(self) -> Deciding:
        return Deciding(self.assignment)

    @cached_property
    def verdicts(self) -> Mapping[str, str]:
        """What the verdict of each test cell depends on beside the answers, as hashes."""
        return self.deciding.hash_verdicts(self.source)

    @cached_property
    def schemes(self) -> Mapping[str, str]:
        """The mark schemes of the written answers, by grade_id."""
        return schemes(self.source)

    def look(self, student: str) -> Submission:
        """A submission before its notebook is read. Its files are hashed only where a record could fit them."""
        folder = self.assignment.course.submitted / student / self.assignment.name
        record = read_record(self.assignment, student)
        return Submission(student, folder, record, self._today(hash_folder(folder) if record else ""))

    def take(self, submission: Submission) -> Taken:
        """Read a submission and lay it into the instructor's notebook. It is hashed anew, from the very bytes that are read."""
        handed_in = read_folder(submission.folder)
        submission = Submission(submission.student, submission.folder, submission.record, self._today(handed_in.hash))
        try:
            if submission.folder.is_symlink() or submission.folder.parent.is_symlink():
                raise SubmissionError(f"{submission.folder.name} is a symbolic link; hand in the folder itself")
            graded = {str(nb.grade_id(cell)) for cell in nb.known_cells(self.source) if nb.is_graded(cell)}
            notebook, notes = read_notebook(handed_in, self.assignment.notebook, graded)
            laid = lay(self.source, self.release, notebook)
        except SubmissionError as error:
            return Taken(submission, None, self._unreadable(submission.student, str(error)))
        today = Today(handed_in.hash, submission.today.key, self.deciding.hash_answers(laid.notebook))
        job = Job(
            submission.student,
            self.assignment.name,
            laid.notebook,
            laid.unanswered,
            (*notes, *laid.notes),
            self.assignment.settings.limits,
            self.assignment.settings.seed,
            handed_in=today.handed_in,
            answers_key=today.answers_key or "",
        )
        return Taken(Submission(submission.student, submission.folder, submission.record, today), job)

    def _today(self, handed_in: str) -> Today:
        return Today(handed_in, self.deciding.hash_grade(handed_in))

    def _unreadable(self, student: str, reason: str) -> Grade:
        cells = {str(nb.grade_id(c)): CellGrade(nb.points(c), None) for c in self.source["cells"] if nb.is_graded(c)}
        return Grade(student, self.assignment.name, "unreadable", cells, (reason,))
