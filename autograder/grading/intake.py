"""Reads a student's folder and makes a job for the judge, or states why it cannot be graded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from autograder.course import Assignment
from autograder.course import notebook as nb
from autograder.course.lay import lay
from autograder.course.mark_scheme import schemes
from autograder.course.submitted import hash_folder, read_folder, read_notebook
from autograder.course.timestamp import Timestamp, settle_timestamp
from autograder.errors import CourseError, SubmissionError
from autograder.grading.plan import Today
from autograder.judge.job import Job
from autograder.records.deciding import Deciding
from autograder.records.grade import CellGrade, Grade
from autograder.records.store import Record, read_record


@dataclass(frozen=True)
class Submission:
    """One student's submission before it is graded: its folder, when it was handed in, its record from last time, and today's
    hashes."""

    student: str
    folder: Path
    timestamp: Timestamp
    record: Record | None
    today: Today


@dataclass(frozen=True)
class IntakeResult:
    """A submission whose files have been read: a job, or if it cannot be graded, a grade that states why."""

    submission: Submission
    job: Job | None
    grade: Grade | None = None


@dataclass(frozen=True)
class Intake:
    """Reads the submissions of one assignment. The assignment itself is read once, when it is first needed."""

    assignment: Assignment

    @cached_property
    def source(self) -> nb.Notebook:
        """The instructor's notebook."""
        return nb.read(self.assignment.source_path)

    @cached_property
    def release(self) -> nb.Notebook:
        """The student version; CourseError if it was not made from today's source."""
        release = nb.read(self.assignment.release_path)
        if nb.outline(release) != nb.outline(self.source):
            raise CourseError(
                f"{self.assignment.release_path} is not the release of today's source: its graded cells differ; "
                f"run `autograder build {self.assignment.name}`, or restore the source that was released"
            )
        return release

    @cached_property
    def deciding(self) -> Deciding:
        """What decides the grades of this assignment."""
        return Deciding(self.assignment)

    @cached_property
    def verdicts(self) -> Mapping[str, str]:
        """Hashes of what the verdict of each test cell depends on, except for the answers."""
        return self.deciding.hash_verdicts(self.source)

    @cached_property
    def schemes(self) -> Mapping[str, str]:
        """The mark schemes of the written answers, by grade_id."""
        return schemes(self.source)

    def inspect(self, student: str) -> Submission:
        """Return a submission without reading its notebook. Its files are hashed only if there is a record to compare with."""
        folder = self.assignment.course.submitted / student / self.assignment.name
        # Before the files are hashed: this may replace one of them. What is behind a link is not this student's.
        is_linked = folder.is_symlink() or folder.parent.is_symlink()
        timestamp = Timestamp(None) if is_linked else settle_timestamp(folder)
        record = read_record(self.assignment, student)
        handed_in = hash_folder(folder, self.assignment.notebook) if record else ""
        return Submission(student, folder, timestamp, record, self._hash_today(handed_in))

    def read(self, submission: Submission) -> IntakeResult:
        """Read a submission and lay it into the instructor's notebook. Its files may have changed since `inspect`, so they are
        hashed again, from the same bytes that are graded. CourseError if the release does not fit today's source."""
        handed_in = read_folder(submission.folder, self.assignment.notebook)
        submission = replace(submission, today=self._hash_today(handed_in.hash))
        try:
            if submission.folder.is_symlink() or submission.folder.parent.is_symlink():
                raise SubmissionError(f"{submission.folder.name} is a symbolic link; hand in the folder itself")
            notebook, notes = read_notebook(handed_in, self.assignment.notebook, self.release)
            laid = lay(self.source, self.release, notebook)
        except SubmissionError as error:
            return IntakeResult(submission, None, self._make_unreadable(submission.student, str(error)))
        answers_key = self.deciding.hash_answers(laid.notebook)
        submission = replace(submission, today=replace(submission.today, answers_key=answers_key))
        job = Job(
            submission.student,
            self.assignment.name,
            laid.notebook,
            laid.unanswered,
            (*notes, *laid.notes),
            self.assignment.settings.limits,
            self.assignment.settings.seed,
            handed_in=handed_in.hash,
            answers_key=answers_key,
        )
        return IntakeResult(submission, job)

    def _hash_today(self, handed_in: str) -> Today:
        return Today(handed_in, self.deciding.hash_grade(handed_in))

    def _make_unreadable(self, student: str, reason: str) -> Grade:
        cells = {str(nb.grade_id(c)): CellGrade(nb.points(c), None) for c in self.source["cells"] if nb.is_graded(c)}
        return Grade(student, self.assignment.name, "unreadable", cells, (reason,))
