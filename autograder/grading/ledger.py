"""Settles results: writes each, whole or not at all, unless it would change a grade that nobody asked to change."""

from __future__ import annotations

from dataclasses import dataclass, replace

from autograder.gradebook.autograded import write_autograded
from autograder.gradebook.book import Book, is_time
from autograder.grading.intake import Intake, Submission, Taken
from autograder.grading.plan import Step, needs_consent
from autograder.judge.job import Judged
from autograder.records.change import Change, list_reasons
from autograder.records.grade import Grade, Marks
from autograder.records.store import Record, write_record


@dataclass(frozen=True)
class Outcome:
    """One submission after grading: the grade in effect, the step that led to it, and how today's tests change it, if they
    do."""

    grade: Grade
    step: Step
    change: Change | None = None


class Ledger:
    """Writes the results of one assignment: the autograded notebook, the gradebook's rows, and last the record."""

    def __init__(self, book: Book, intake: Intake, apply: bool) -> None:
        self.book, self.intake, self.apply = book, intake, apply
        self.assignment = intake.assignment
        self.is_prepared = False

    def prepare(self) -> None:
        """Have the gradebook hold today's cells. Once, and not for a mere look at what would change: its maxima are part of the
        grades in effect."""
        if not self.is_prepared:
            self.book.prepare(self.assignment, self.intake.source)
            self.is_prepared = True

    def saved(self, submission: Submission) -> Grade | None:
        """The recorded grade with its marks, if the gradebook holds it as it was recorded."""
        if submission.record is None:
            return None
        grade = submission.record.grade
        marks = self.book.saved_marks(self.assignment, grade, self._time(submission))
        return None if marks is None else _with(grade, marks)

    def settle(self, taken: Taken, judged: Judged, step: Step) -> Outcome:
        """Save a result, unless that would change an existing grade without --apply; the outcome holds the effective grade."""
        submission, grade = taken.submission, judged.grade
        if grade.status == "failed":
            return Outcome(grade, step)
        record = submission.record
        is_same = record is not None and record.handed_in == submission.today.handed_in
        old = self.saved(submission) if is_same else None
        change = None
        if record and old and needs_consent(record, submission.today):
            reasons = list_reasons(record.grade, grade, old.marks.cells)
            change = Change(old, replace(grade, marks=old.marks), reasons, self.apply) if reasons else None
            if change and not self.apply:
                return Outcome(old, step, change)
        # Where the database has another grade than we remember, nobody knows what a person marked.
        return Outcome(self._save(taken, judged, changed=old is None), step, change)

    def _save(self, taken: Taken, judged: Judged, changed: bool) -> Grade:
        self.prepare()
        submission, grade, run = taken.submission, judged.grade, judged.run
        time, text = self._time(submission), submission.timestamp
        if text and not time:
            note = f"timestamp.txt says {text!r}, which is no time; not counted"
            grade = replace(grade, notes=(*grade.notes, note))
        write_autograded(self.assignment, grade, run, self.intake.schemes, time)
        unanswered = taken.job.unanswered if taken.job else frozenset[str]()
        marks = self.book.write(self.assignment, grade, time, unanswered, changed)
        today = submission.today
        verdicts = self.intake.verdicts if run else {}
        record = Record(grade, today.key, today.handed_in, today.answers_key or "", verdicts=verdicts)
        write_record(self.assignment, record, run)
        return _with(grade, marks)

    def _time(self, submission: Submission) -> str | None:
        """When it was handed in, if nbgrader can read that."""
        text = submission.timestamp
        return text if text and is_time(text) else None


def _with(grade: Grade, marks: Marks) -> Grade:
    notes = (*grade.notes, marks.lateness) if marks.lateness else grade.notes
    return replace(grade, notes=notes, marks=marks)
