"""Grades a class: what is unchanged is kept, what can be scored from its last run is scored, the rest is run."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack

from autograder.course import Assignment
from autograder.grading.intake import Intake, Submission, Taken
from autograder.grading.ledger import Ledger, Outcome
from autograder.grading.plan import Step, needs_consent, plan
from autograder.grading.roster import read_roster
from autograder.judge.batch import Batch
from autograder.judge.job import Job, Judged
from autograder.judge.rescoring import ScoringJob, rescore_all
from autograder.records.reference import require_fresh
from autograder.records.store import read_run


def grade_class(
    assignment: Assignment, workers: int, students: Sequence[str] = (), *, again: bool = False, apply: bool = False
) -> Generator[Outcome, None, None]:
    """The outcome of each submission of `assignment`, or of those of `students`, as it is settled.

    `again` runs unchanged submissions too. `apply` replaces grades by those of today's tests where they differ. CourseError
    where the assignment or the gradebook is not as it must be, IsolationError where the sandbox cannot be had.
    """
    intake = Intake(assignment)
    require_fresh(assignment, intake.deciding)
    submissions = [intake.look(student) for student in read_roster(assignment, students)]
    steps = {each.student: _first_step(assignment, each, again) for each in submissions}
    todo = [each for each in submissions if steps[each.student] is not Step.KEEP]
    with ExitStack() as stack:
        batch = None
        if Step.RUN in steps.values():  # its processes import torch while this one imports nbgrader
            batch = stack.enter_context(_batch(intake, workers, len(todo)))
        from autograder.gradebook.book import Book

        ledger = Ledger(stack.enter_context(Book(assignment.course)), intake, apply)
        if apply or not any(needs_consent(each.record, each.today) for each in todo):
            ledger.prepare()
        for each in submissions:
            if steps[each.student] is Step.KEEP:
                if grade := ledger.saved(each):
                    yield Outcome(grade, Step.KEEP)
                else:  # the database was replaced, or another program wrote into it
                    todo.append(each)
        left = yield from _score(ledger, workers, todo, again)
        if left:
            yield from _run(ledger, batch or stack.enter_context(_batch(intake, workers, len(left))), left)


def _first_step(assignment: Assignment, submission: Submission, again: bool) -> Step:
    # What did not run has no folder for Formgrader.
    has_run = bool(submission.record and submission.record.run)
    is_shown = not has_run or assignment.autograded_path(submission.student).is_file()
    return plan(submission.record, submission.today, is_saved=is_shown, again=again)


def _batch(intake: Intake, workers: int, submissions: int) -> Batch:
    return Batch.of(intake.assignment, intake.source, min(workers, submissions))


def _score(
    ledger: Ledger, workers: int, submissions: Sequence[Submission], again: bool
) -> Generator[Outcome, None, list[Submission]]:
    """Score the last runs of those submissions whose answers would be the same today; the others are returned."""
    intake = ledger.intake
    left: list[Submission] = []
    taken: dict[str, Taken] = {}

    def earlier() -> Iterator[ScoringJob]:
        for each in submissions:
            if plan(each.record, each.today, is_saved=False, again=again) is Step.RUN:
                left.append(each)
                continue
            now = intake.take(each)
            step = plan(each.record, now.submission.today, is_saved=False, again=again)
            run = read_run(intake.assignment, each.record) if each.record and step is Step.SCORE else None
            if now.job and each.record and run:
                taken[each.student] = now
                yield now.job, run, each.record.settled(intake.verdicts)
            else:
                left.append(each)

    if all(plan(each.record, each.today, is_saved=False, again=again) is Step.RUN for each in submissions):
        return list(submissions)  # no process is started for nothing
    for student, judged in rescore_all(intake.assignment, intake.source, workers, earlier()):
        now = taken.pop(student)
        if judged is None:
            left.append(now.submission)
        else:
            yield ledger.settle(now, judged, Step.SCORE)
    return left


def _run(ledger: Ledger, batch: Batch, submissions: Sequence[Submission]) -> Iterator[Outcome]:
    """Run submissions; those that cannot be read are settled as they turn up."""
    taken: dict[str, Taken] = {}
    unreadable: list[Taken] = []

    def jobs() -> Iterator[Job]:
        for each in submissions:
            now = ledger.intake.take(each)
            if now.job:
                taken[each.student] = now
                yield now.job
            else:
                unreadable.append(now)

    def settle_unreadable() -> Iterator[Outcome]:
        while unreadable:
            now = unreadable.pop()
            if now.grade:
                yield ledger.settle(now, Judged(now.grade), Step.RUN)

    for judged in batch.run(jobs()):
        yield ledger.settle(taken.pop(judged.grade.student), judged, Step.RUN)
        yield from settle_unreadable()
    yield from settle_unreadable()
