"""Saves each result, unless it would change an existing grade without --apply."""

from __future__ import annotations

from dataclasses import dataclass, replace

from autograder.gradebook.autograded import write_autograded
from autograder.gradebook.book import Book
from autograder.grading.intake import Intake, IntakeResult, Submission
from autograder.grading.plan import Step, needs_consent
from autograder.judge.job import Judged
from autograder.records.change import Change, list_reasons
from autograder.records.grade import Grade, Marks
from autograder.records.store import Record, write_record


@dataclass(frozen=True)
class Outcome:
    """One submission after grading: the effective grade, the step that was taken, and the change that today's tests make, if
    they make one."""

    grade: Grade
    step: Step
    change: Change | None = None


class Ledger:
    """Writes the results of one assignment: the autograded notebook, the rows of the gradebook, and last the record.

    With `apply`, new grades replace those that other tests gave to the same files.
    """

    def __init__(self, book: Book, intake: Intake, apply: bool) -> None:
        self.book, self.intake, self.apply = book, intake, apply
        self.assignment = intake.assignment
        self.is_prepared = False

    def prepare(self) -> None:
        """Save today's cells in the gradebook, once. Call this only when grades are written: the maximum points in the gradebook
        are part of the effective grades."""
        if not self.is_prepared:
            self.book.prepare(self.assignment, self.intake.source)
            self.is_prepared = True

    def find_saved_grade(self, submission: Submission) -> Grade | None:
        """Return the recorded grade with its marks; None if there is no record, or the gradebook has another grade."""
        if submission.record is None:
            return None
        grade = submission.record.grade
        marks = self.book.find_saved_marks(self.assignment, grade, submission.timestamp.text)
        return None if marks is None else _add_marks(grade, marks)

    def settle(self, result: IntakeResult, judged: Judged, step: Step) -> Outcome:
        """Save a result, unless that would change an existing grade without --apply; return the effective grade."""
        submission, grade = result.submission, judged.grade
        if grade.status == "failed":
            return Outcome(grade, step)
        record = submission.record
        is_same = record is not None and record.handed_in == submission.today.handed_in
        old = self.find_saved_grade(submission) if is_same else None
        change = None
        if record and old and needs_consent(record, submission.today):
            reasons = list_reasons(record.grade, grade, old.marks.cells)
            change = Change(old, replace(grade, marks=old.marks), reasons, self.apply) if reasons else None
            if change and not self.apply:
                return Outcome(old, step, change)
        # If the database has another grade than the record, nobody knows which answers a person marked.
        return Outcome(self._save(result, judged, changed=old is None), step, change)

    def _save(self, result: IntakeResult, judged: Judged, changed: bool) -> Grade:
        self.prepare()
        submission, grade, run = result.submission, judged.grade, judged.run
        timestamp = submission.timestamp.text
        if submission.timestamp.note:
            grade = replace(grade, notes=(*grade.notes, submission.timestamp.note))
        write_autograded(self.assignment, grade, run, self.intake.schemes, timestamp)
        unanswered = result.job.unanswered if result.job else frozenset[str]()
        marks = self.book.write(self.assignment, grade, timestamp, unanswered, changed)
        today = submission.today
        verdicts = self.intake.verdicts if run else {}
        hashes = (today.key, today.handed_in, today.answers_key or "")
        record = Record(grade, *hashes, verdicts=verdicts, timestamp=timestamp or "")
        write_record(self.assignment, record, run)
        return _add_marks(grade, marks)


def _add_marks(grade: Grade, marks: Marks) -> Grade:
    notes = (*grade.notes, marks.lateness) if marks.lateness else grade.notes
    return replace(grade, notes=notes, marks=marks)
