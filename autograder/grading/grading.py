"""Grades an assignment's submissions: keeps current grades, rescores runs, runs the rest."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace

from autograder.course import Assignment
from autograder.grading.intake import Intake, IntakeResult, Submission
from autograder.grading.ledger import Ledger, Outcome
from autograder.grading.plan import Step, needs_consent, plan
from autograder.grading.roster import read_roster
from autograder.judge.batch import Batch
from autograder.judge.job import Job, Judged
from autograder.judge.rescoring import ScoringJob, rescore_all
from autograder.records.grade import Grade
from autograder.records.reference import require_fresh
from autograder.records.store import read_record, read_run


def grade_class(
    assignment: Assignment, workers: int, students: Sequence[str] = (), *, again: bool = False, apply: bool = False
) -> Generator[Outcome, None, None]:
    """Grade the submissions of `assignment`, or only those of `students`; yield each outcome as soon as it is saved.

    `again` also runs submissions that are unchanged. `apply` lets grades by today's tests replace different ones by earlier
    tests. CourseError if the assignment or the gradebook cannot be used, IsolationError if there is no sandbox.
    """
    intake = Intake(assignment)
    require_fresh(assignment, intake.deciding)
    submissions = [intake.inspect(student) for student in read_roster(assignment, students)]
    steps = [_choose_step(assignment, each, again) for each in submissions]
    with ExitStack() as stack:
        batch = None
        if Step.RUN in steps:  # its processes import torch while this one imports nbgrader
            batch = stack.enter_context(_make_batch(intake, workers, sum(step is not Step.KEEP for step in steps)))
        from autograder.gradebook.book import Book

        ledger = Ledger(stack.enter_context(Book(assignment.course)), intake, apply)
        # The open book keeps other processes from grading. Until now, one of them may have written records.
        submissions = [replace(each, record=read_record(assignment, each.student)) for each in submissions]
        steps = [_choose_step(assignment, each, again) for each in submissions]
        kept = [each for each, step in zip(submissions, steps, strict=True) if step is Step.KEEP]
        todo = [each for each, step in zip(submissions, steps, strict=True) if step is not Step.KEEP]
        if apply or not any(needs_consent(each.record, each.today) for each in todo):
            ledger.prepare()
        for each in kept:
            if grade := ledger.find_saved_grade(each):
                yield Outcome(grade, Step.KEEP)
            else:  # the database was replaced, or another program wrote to it
                todo.append(each)
        left = yield from _score(ledger, workers, todo, again)
        if left:
            yield from _run(ledger, batch or stack.enter_context(_make_batch(intake, workers, len(left))), left)


def _choose_step(assignment: Assignment, submission: Submission, again: bool) -> Step:
    """Choose the step before the gradebook has been read: its rows count as saved, Formgrader's folder is looked up."""
    has_run = bool(submission.record and submission.record.run)
    is_saved = (
        not has_run or assignment.autograded_path(submission.student).is_file()
    )  # without a run there is no folder
    return plan(submission.record, submission.today, is_saved=is_saved, again=again)


def _make_batch(intake: Intake, workers: int, submissions: int) -> Batch:
    return Batch.of(intake.assignment, intake.source, min(workers, submissions))


def _score(
    ledger: Ledger, workers: int, submissions: Sequence[Submission], again: bool
) -> Generator[Outcome, None, list[Submission]]:
    """Score the last runs of those submissions whose answers would be the same today; return the other submissions."""
    intake = ledger.intake
    left: list[Submission] = []
    pending: dict[str, IntakeResult] = {}

    def read_runs() -> Iterator[ScoringJob]:
        for each in submissions:
            if plan(each.record, each.today, is_saved=False, again=again) is Step.RUN:
                left.append(each)
                continue
            result = intake.read(each)
            step = plan(each.record, result.submission.today, is_saved=False, again=again)
            run = read_run(intake.assignment, each.record) if each.record and step is Step.SCORE else None
            if result.job and each.record and run:
                pending[each.student] = result
                yield result.job, run, each.record.select_unchanged_cells(intake.verdicts)
            else:
                left.append(each)

    if all(plan(each.record, each.today, is_saved=False, again=again) is Step.RUN for each in submissions):
        return list(submissions)  # do not start processes for nothing
    for student, judged in rescore_all(intake.assignment, intake.source, workers, read_runs()):
        result = pending.pop(student)
        if judged is None:
            left.append(result.submission)
        else:
            yield ledger.settle(result, judged, Step.SCORE)
    return left


def _run(ledger: Ledger, batch: Batch, submissions: Sequence[Submission]) -> Iterator[Outcome]:
    """Run submissions. Those that cannot be read are settled between the others."""
    pending: dict[str, IntakeResult] = {}
    unreadable: list[tuple[IntakeResult, Grade]] = []

    def make_jobs() -> Iterator[Job]:
        for each in submissions:
            result = ledger.intake.read(each)
            if result.job:
                pending[each.student] = result
                yield result.job
            elif result.grade:
                unreadable.append((result, result.grade))

    def settle_unreadable() -> Iterator[Outcome]:
        while unreadable:
            result, grade = unreadable.pop()
            yield ledger.settle(result, Judged(grade), Step.RUN)

    for judged in batch.run(make_jobs()):
        yield ledger.settle(pending.pop(judged.grade.student), judged, Step.RUN)
        yield from settle_unreadable()
    yield from settle_unreadable()
