"""`autograder audit`: grades an assignment's variants and mutants, and collects what it finds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from autograder.course import Assignment
from autograder.course import notebook as nb
from autograder.judge.job import Judged
from autograder.proof.audit import findings
from autograder.proof.audit.built import BuiltAssignment
from autograder.proof.audit.conditions import add_conditions
from autograder.proof.audit.findings import Finding
from autograder.proof.audit.matrix import Matrix, make_matrix
from autograder.proof.audit.mutants import Mutant, make_mutants
from autograder.proof.audit.repeats import plan_rounds, run_rounds
from autograder.proof.audit.verdicts import Verdict, read_verdicts
from autograder.proof.margins import Margin, collect_comparisons, measure_margins
from autograder.proof.tasks import Tests, group_tests
from autograder.proof.trial import Trial, make_trials
from autograder.proof.watch import Watch
from autograder.records.grade import GRADED, Grade


@dataclass(frozen=True)
class TaskAudit:
    """The audit of one answer cell: its matrix, and the mutants that no check catches."""

    matrix: Matrix
    survivors: tuple[Mutant, ...]


@dataclass(frozen=True)
class Audit:
    """The audit of an assignment. `graded` counts submissions, `repeats` the rounds that were asked for."""

    assignment: str
    tasks: tuple[TaskAudit, ...]
    margins: tuple[Margin, ...]
    verdicts: Mapping[str, Verdict]
    findings: tuple[Finding, ...]
    graded: int
    repeats: int

    @property
    def mutants(self) -> int:
        """How many mutants were graded."""
        return sum(len(task.matrix.mutants) for task in self.tasks)

    @property
    def killed(self) -> int:
        """How many mutants some check catches."""
        return self.mutants - sum(len(task.survivors) for task in self.tasks)

    def count_verdicts(self, task: TaskAudit, verdict: str) -> int:
        """Count a task's survivors with this verdict, or without any for ""."""
        verdicts = [self.verdicts.get(mutant.id) for mutant in task.survivors]
        return sum((one.verdict if one else "") == verdict for one in verdicts)


def audit(assignment: Assignment, workers: int, repeats: int, watch: Watch) -> Audit:
    """Audit an assignment, or the one task that it is narrowed to; `watch` shows progress over each round of grading.

    CourseError if it was not built from today's source, or if its mutants.toml cannot be read.
    """
    built, verdicts = BuiltAssignment.open(assignment), read_verdicts(assignment)
    trials = make_trials(assignment, built.source)
    solution, variants = trials["solution"], list(trials.values())
    every_trial = [*variants, *add_conditions(variants)]
    tests = _select_tests(built)
    mutants = {cell: make_mutants(cell, solution.answers[cell]) for cell in tests}
    jobs = [built.make_job(trial) for trial in every_trial]
    jobs += [built.make_mutant_job(mutant, solution, tests[cell]) for cell in tests for mutant in mutants[cell]]
    results = built.grade(jobs, workers, watch)

    tasks = tuple(_audit_task(cell, tests[cell], variants, mutants[cell], results) for cell in tests)
    margins = _measure_margins(built.source, tests, every_trial, results)
    rounds = plan_rounds(repeats, workers)
    changes = dict(run_rounds(built, variants, results, rounds, watch))
    remarks = (
        *findings.review_trials(every_trial, results),
        *findings.review_failures(results),
        *findings.review_margins(margins),
        *_review_tasks(tasks, verdicts, changes, is_whole=not assignment.task),
    )
    graded = len(jobs) + len(rounds) * len(variants)
    return Audit(assignment.name, tasks, margins, verdicts, remarks, graded, repeats)


def _select_tests(built: BuiltAssignment) -> Tests:
    """The test cells of each answer cell that is audited: one that some test cell tests, and of the one task if there is one."""
    tests = group_tests(built.source)
    return {cell: names for cell, names in tests.items() if names and built.assignment.task in ("", cell)}


def _audit_task(
    cell: str, tests: frozenset[str], trials: Iterable[Trial], mutants: Sequence[Mutant], results: Mapping[str, Judged]
) -> TaskAudit:
    chaffs = _select_graded((trial.name for trial in trials if trial.expected.less == tests), results)
    mutated = _select_graded((mutant.id for mutant in mutants), results)
    matrix = make_matrix(cell.removesuffix("-solution"), tests, results["solution"].grade, chaffs, mutated)
    alive = {row.name for row in matrix.mutants if not row.caught_by}
    return TaskAudit(matrix, tuple(mutant for mutant in mutants if mutant.id in alive))


def _select_graded(names: Iterable[str], results: Mapping[str, Judged]) -> dict[str, Grade]:
    grades = {name: results[name].grade for name in names}
    return {name: grade for name, grade in grades.items() if grade.status in GRADED}


def _measure_margins(
    source: nb.Notebook, tests: Tests, trials: Iterable[Trial], results: Mapping[str, Judged]
) -> tuple[Margin, ...]:
    """The margins in these tasks' test cells."""
    cells = frozenset().union(*tests.values())
    comparisons = [collect_comparisons(trial.expected, results[trial.name]) for trial in trials]
    margins = measure_margins(comparisons, nb.test_sources(source))
    return tuple(margin for margin in margins if margin.cell in cells)


def _review_tasks(
    tasks: Sequence[TaskAudit], verdicts: Mapping[str, Verdict], changes: Mapping[str, list[str]], is_whole: bool
) -> Iterator[Finding]:
    survivors = [mutant for task in tasks for mutant in task.survivors]
    yield from findings.review_survivors(survivors, verdicts)
    yield from findings.review_rounds(changes)
    for task in tasks:
        yield from findings.review_matrix(task.matrix)
    if is_whole:  # one task's mutants say nothing about verdicts on the others'
        yield from findings.review_verdicts(survivors, verdicts)
