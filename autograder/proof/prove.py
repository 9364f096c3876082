"""Proves an assignment's tests: right answers get full marks, the blank release none, and every chaff loses its own task.

All of them are graded exactly as a student's submission is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from autograder.course import Assignment
from autograder.course import notebook as nb
from autograder.judge.batch import Batch
from autograder.judge.result import Result
from autograder.proof import reference
from autograder.proof.results import find_raising_cell, read_outputs, read_transcript
from autograder.proof.tasks import find_answer_cell, group_tests
from autograder.proof.trial import Trial, make_job, make_trials
from autograder.records import known
from autograder.records.grade import Grade
from autograder.records.transcript import Transcript


class Outcome(NamedTuple):
    """One trial, graded: its name, its fault in one line ("" if it scored what it must), and the judge's result."""

    name: str
    fault: str
    result: Result


def prove(assignment: Assignment, source: nb.Notebook, release: nb.Notebook, workers: int) -> Iterator[Outcome]:
    """Grade the solution, the blank release, every wheat and every chaff; yield each outcome as soon as it is known.

    The solution comes first, and nothing follows it if it has a fault, because then no other outcome means anything. What
    it returned is saved as the reference outputs that the others are compared with. After the last outcome, the answers of
    the solution and the chaffs are saved as known answers, unless the assignment is narrowed to one task. CourseError if a
    wheat or chaff belongs to no answer cell.
    """
    trials = make_trials(assignment, source)
    answers = _Answers(assignment, source)
    with Batch.of(assignment, source, min(workers, len(trials))) as batch:
        solution = trials.pop("solution")
        job = replace(make_job(assignment, source, release, solution), record=True)
        outcome = _judge_solution(solution, next(batch.run([job])))
        yield outcome
        if outcome.fault:
            return
        reference.write(assignment, read_outputs(outcome.result))
        answers.add(outcome.result)
        for result in batch.run(make_job(assignment, source, release, trial) for trial in trials.values()):
            answers.add(result)
            name = result.grade.student
            yield Outcome(name, trials[name].find_fault(result.grade), result)
    if not assignment.task:
        answers.save()


def _judge_solution(solution: Trial, result: Result) -> Outcome:
    """The solution's outcome. None of its cells may raise, since they would raise for every student."""
    return Outcome(solution.name, solution.find_fault(result.grade) or find_raising_cell(result), result)


class _Answers:
    """Collects what the solution and the chaffs answered, for the hints."""

    def __init__(self, assignment: Assignment, source: nb.Notebook) -> None:
        self.assignment, self.source = assignment, source
        self.tests = group_tests(source)
        chaffs = [variant for variant in assignment.variants if variant.kind == "chaff"]
        self.cells = {"solution": ""} | {chaff.label: find_answer_cell(self.tests, chaff) for chaff in chaffs}
        self.graded: dict[str, tuple[str, Grade, Transcript]] = {}

    def add(self, result: Result) -> None:
        name = result.grade.student
        if name in self.cells:
            self.graded[name] = (self.cells[name], result.grade, read_transcript(result))

    def save(self) -> None:
        known.write(self.assignment, self.source, self.tests, self.graded)
