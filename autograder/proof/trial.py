"""Trials: the solution, the blank release, wheats and chaffs as submissions with a known result."""

from __future__ import annotations

from dataclasses import dataclass

from autograder.course import Assignment, Variant
from autograder.course import notebook as nb
from autograder.course.lay import lay
from autograder.judge.job import Job
from autograder.proof.expectation import Expectation
from autograder.proof.tasks import Tests, find_answer_cell, group_tests
from autograder.records.grade import Grade


@dataclass(frozen=True)
class Trial:
    """A submission of the instructor's: its name, its answers by grade_id, and what it must score.

    `cell` is the answer cell that holds a chaff's mistake, "" for all others. `setup` is code that runs in a cell before all
    others.
    """

    name: str
    answers: dict[str, str]
    expected: Expectation
    cell: str = ""
    setup: str = ""

    def find_fault(self, grade: Grade) -> str:
        """Say in one line where a grade differs from what is expected; "" if it does not.

        The solution, the blank release and wheats must also run to the end: one that runs out of time in a cell without
        points keeps its marks, but a student would lose their plot there. A chaff may hang, since that may be its mistake.
        """
        fault = self.expected.find_fault(grade)
        if not fault and not self.expected.less and grade.status != "completed":
            return f"{grade.status}: {'; '.join(grade.notes)}"
        return fault


def make_trials(assignment: Assignment, source: nb.Notebook) -> dict[str, Trial]:
    """Make the trials of an assignment by name: solution, blank, then wheats and chaffs in the order of their answer cells.

    CourseError if a wheat or chaff belongs to no answer cell.
    """
    tests = group_tests(source)
    everything = frozenset(name for names in tests.values() for name in names)
    solution = {str(nb.grade_id(cell)): nb.source(cell) for cell in nb.known_cells(source) if nb.is_answer(cell)}
    order = list(tests)
    variants = sorted(assignment.variants, key=lambda variant: order.index(find_answer_cell(tests, variant)))
    trials = [
        Trial("solution", solution, Expectation(everything)),
        Trial("blank", {}, Expectation(frozenset(), none=everything)),
        *(_make_trial(variant, solution, tests, everything) for variant in variants),
    ]
    return {trial.name: trial for trial in trials}


def _make_trial(variant: Variant, solution: dict[str, str], tests: Tests, everything: frozenset[str]) -> Trial:
    cell = find_answer_cell(tests, variant)
    answers = {**solution, cell: variant.source}
    if variant.kind == "wheat":
        return Trial(variant.label, answers, Expectation(everything))
    return Trial(variant.label, answers, Expectation(everything - tests[cell], less=tests[cell]), cell)


def make_job(assignment: Assignment, source: nb.Notebook, release: nb.Notebook, trial: Trial) -> Job:
    """Make the job of a student who typed a trial's answers into the release; the job measures what the tests compare."""
    laid = lay(source, release, nb.with_answers(release, trial.answers))
    notebook = _insert_setup(laid.notebook, trial.setup) if trial.setup else laid.notebook
    settings = assignment.settings
    return Job(trial.name, assignment.name, notebook, laid.unanswered, (), settings.limits, settings.seed, measure=True)


def _insert_setup(notebook: nb.Notebook, setup: str) -> nb.Notebook:
    cell: nb.Cell = {"cell_type": "code", "id": "condition", "metadata": {}, "source": setup}
    cell |= {"outputs": [], "execution_count": None}
    return {**notebook, "cells": [cell, *notebook["cells"]]}
