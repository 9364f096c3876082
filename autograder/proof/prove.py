"""Proves an assignment's tests by grading its solution, blank release, wheats and chaffs.

Right answers must get full marks, the blank release none, and each chaff must lose marks in its own task and in no other. All
are graded exactly as a student's submission is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from autograder.course import Assignment
from autograder.course import notebook as nb
from autograder.judge.batch import Batch
from autograder.judge.job import Judged
from autograder.proof import reference
from autograder.proof.results import find_raising_cell, read_outputs, read_transcript
from autograder.proof.tasks import group_tests
from autograder.proof.trial import make_job, make_trials
from autograder.records import known


class Outcome(NamedTuple):
    """One trial, graded: its name, its fault in one line ("" if it scored what it must), and the judge's result."""

    name: str
    fault: str
    result: Judged


def prove(assignment: Assignment, source: nb.Notebook, release: nb.Notebook, workers: int) -> Iterator[Outcome]:
    """Grade the solution, the blank release, every wheat and every chaff; yield each outcome as soon as it is known.

    The solution comes first, and nothing follows it if it has a fault, because then no other outcome means anything. What
    it returned is saved as the reference outputs that the others are compared with. After the last outcome, the answers of
    the solution and the chaffs are saved as known answers, unless the assignment is narrowed to one task. CourseError if a
    wheat or chaff belongs to no answer cell.
    """
    trials = make_trials(assignment, source)
    workers = min(workers, len(trials))
    solution = trials.pop("solution")
    with Batch.of(assignment, source, workers) as batch:
        job = replace(make_job(assignment, source, release, solution), record=True)
        result = next(batch.run([job]))
        # What raises beside the right answers would raise for every student.
        fault = solution.find_fault(result.grade) or find_raising_cell(result)
        yield Outcome(solution.name, fault, result)
        if fault:
            return
        reference.write(assignment, read_outputs(result))
        graded = {solution.name: known.GradedVariant("", result.grade, read_transcript(result))}
        for result in batch.run(make_job(assignment, source, release, trial) for trial in trials.values()):
            trial = trials[result.grade.student]
            if trial.cell:
                graded[trial.name] = known.GradedVariant(trial.cell, result.grade, read_transcript(result))
            yield Outcome(trial.name, trial.find_fault(result.grade), result)
    if not assignment.task:
        known.write(assignment, source, group_tests(source), graded)
