"""`autograder audit`: grade what the instructor wrote, and mutants of it, and say what was found."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from autograder import notebook as nb
from autograder import proof, reference
from autograder.audit import findings
from autograder.audit.findings import Finding
from autograder.audit.margins import Margin, compared_by, margins
from autograder.audit.matrix import Matrix, matrix
from autograder.audit.mutants import Mutant, mutants
from autograder.audit.trial import Trial, Workshop, differences
from autograder.audit.verdicts import Verdict, verdicts
from autograder.batch import Batch
from autograder.build import Watch
from autograder.course import Assignment
from autograder.errors import CourseError
from autograder.grade import GRADED, Grade
from autograder.judge.job import Job
from autograder.judge.worker import Result


@dataclass(frozen=True)
class Task:
    """What was found out about the tests of one answer cell: the matrix, and the mutants that no check catches."""

    matrix: Matrix
    survivors: tuple[Mutant, ...]


@dataclass(frozen=True)
class Audit:
    """All that audit found out about an assignment. `graded` counts submissions; `repeats`, the rounds graded again."""

    assignment: str
    tasks: tuple[Task, ...]
    margins: tuple[Margin, ...]
    verdicts: Mapping[str, Verdict]
    findings: tuple[Finding, ...]
    graded: int
    repeats: int

    @property
    def mutants(self) -> int:
        return sum(len(task.matrix.mutants) for task in self.tasks)

    @property
    def killed(self) -> int:
        return self.mutants - sum(len(task.survivors) for task in self.tasks)

    def judged(self, task: Task, verdict: str) -> int:
        """How many of a task's survivors have this verdict; "" is none."""
        given = [self.verdicts.get(mutant.id) for mutant in task.survivors]
        return sum((found.verdict if found else "") == verdict for found in given)


def audit(assignment: Assignment, workers: int, repeats: int, watch: Watch) -> Audit:
    """Audit an assignment that was built. `watch` shows progress over each round of grading."""
    workshop, judged = _open(assignment), verdicts(assignment)
    source = workshop.source
    variants, conditioned = workshop.variants(), list(workshop.conditioned())
    own = {cell: tests for cell, tests in proof.tests_of(source).items() if tests and assignment.task in ("", cell)}
    answers = variants[0].answers
    made = {cell: mutants(cell, answers[cell]) for cell in own}
    jobs = [workshop.job(trial) for trial in (*variants, *conditioned)]
    jobs += [workshop.mutant_job(mutant, answers, own[cell]) for cell, some in made.items() for mutant in some]
    results = _graded(workshop, jobs, workers, watch)

    grades = {name: result.grade for name, result in results.items()}
    tasks = tuple(_task(cell, own[cell], variants, made[cell], grades) for cell in own)
    compared = [compared_by(trial.expected, results[trial.student]) for trial in (*variants, *conditioned)]
    tests = frozenset().union(*own.values())
    found = [margin for margin in margins(compared, nb.test_sources(source)) if margin.cell in tests]
    changes = dict(_again(workshop, variants, grades, workers, repeats, watch))
    survivors = [mutant for task in tasks for mutant in task.survivors]
    stale = (
        () if assignment.task else findings.of_stale(survivors, judged)
    )  # one task's mutants say nothing of the others'
    said = [
        *findings.of_trials([*variants, *conditioned], results),
        *findings.of_failures(results),
        *findings.of_margins(found),
        *findings.of_survivors(survivors, judged),
        *findings.of_changes(changes),
        *(finding for task in tasks for finding in findings.of_matrix(task.matrix)),
        *stale,
    ]
    graded = len(jobs) + repeats * len(variants)
    return Audit(assignment.name, tasks, tuple(found), judged, tuple(said), graded, repeats)


def _open(assignment: Assignment) -> Workshop:
    """The assignment's notebooks; CourseError where they are not those that `build` proved."""
    reference.require_fresh(assignment)
    source, release = nb.read(assignment.source_path), nb.read(assignment.release_path)
    if nb.outline(release) != nb.outline(source):
        raise CourseError(
            f"{assignment.release_path} is not of today's source; `autograder build {assignment.name}` first"
        )
    return Workshop(assignment, source, release)


def _graded(workshop: Workshop, jobs: list[Job], workers: int, watch: Watch) -> dict[str, Result]:
    """The results of these jobs, by name."""
    with Batch.of(workshop.assignment, workshop.source, min(workers, len(jobs))) as batch:
        return {result.grade.student: result for result in watch(len(jobs), batch.run(jobs))}


def _task(
    cell: str, tests: frozenset[str], variants: Iterable[Trial], made: Iterable[Mutant], grades: Mapping[str, Grade]
) -> Task:
    chaffs = {t.name: grades[t.name] for t in variants if t.expected.less == tests and grades[t.name].status in GRADED}
    mutated = {mutant.id: grades[mutant.id] for mutant in made if grades[mutant.id].status in GRADED}
    found = matrix(cell.removesuffix("-solution"), tests, grades["solution"], chaffs, mutated)
    alive = {row.name for row in found.mutants if not row.caught_by}
    return Task(found, tuple(mutant for mutant in made if mutant.id in alive))


def _again(
    workshop: Workshop, trials: list[Trial], before: Mapping[str, Grade], workers: int, repeats: int, watch: Watch
) -> Iterable[tuple[str, list[str]]]:
    """Grade everything again, with another seed, in another order, and with one worker in every other round: what changed."""
    for seed in range(1, repeats + 1):
        shuffled = random.Random(seed).sample(trials, len(trials))  # noqa: S311  (no secret)
        crew = 1 if seed % 2 else workers
        results = _graded(workshop, [workshop.job(trial, seed) for trial in shuffled], crew, watch)
        changed = [
            f"{trial.name}: {line}"
            for trial in trials
            for line in differences(before[trial.name], results[trial.name].grade)
        ]
        yield f"seed +{seed}, {crew} worker{'s' if crew > 1 else ''}, another order", changed
