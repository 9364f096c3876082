"""`autograder audit`: grade what the instructor wrote, and mutants of it, and say what was found."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from autograder.course import Assignment
from autograder.course import notebook as nb
from autograder.errors import CourseError
from autograder.judge.batch import Batch
from autograder.judge.job import Job, Judged
from autograder.proof import proof
from autograder.proof.audit import findings
from autograder.proof.audit.findings import Finding
from autograder.proof.audit.matrix import Matrix, matrix
from autograder.proof.audit.mutants import Mutant, mutants
from autograder.proof.audit.trial import OLDER, Trial, Workshop, differences
from autograder.proof.audit.verdicts import Verdict, verdicts
from autograder.proof.margins import Margin, compared_by, margins
from autograder.proof.proof import Watch
from autograder.records import known, reference
from autograder.records.diagnose import diagnose
from autograder.records.grade import GRADED, Grade
from autograder.words import counted


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
    changes = dict(_again(workshop, variants, results, _rounds(repeats, workers), watch))
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
    graded = len(jobs) + len(_rounds(repeats, workers)) * len(variants)
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


def _graded(
    workshop: Workshop, jobs: list[Job], workers: int, watch: Watch, more: Mapping[str, str] = MappingProxyType({})
) -> dict[str, Judged]:
    """The results of these jobs, by name; with `more` variables than the assignment's."""
    with Batch.of(workshop.assignment, workshop.source, min(workers, len(jobs)), more) as batch:
        return {result.grade.student: result for result in watch(len(jobs), batch.run(jobs))}


def _task(
    cell: str, tests: frozenset[str], variants: Iterable[Trial], made: Iterable[Mutant], grades: Mapping[str, Grade]
) -> Task:
    chaffs = {t.name: grades[t.name] for t in variants if t.expected.less == tests and grades[t.name].status in GRADED}
    mutated = {mutant.id: grades[mutant.id] for mutant in made if grades[mutant.id].status in GRADED}
    found = matrix(cell.removesuffix("-solution"), tests, grades["solution"], chaffs, mutated)
    alive = {row.name for row in found.mutants if not row.caught_by}
    return Task(found, tuple(mutant for mutant in made if mutant.id in alive))


@dataclass(frozen=True)
class Round:
    """One way in which everything is graded again; `seed` is added to the assignment's."""

    how: str
    seed: int
    workers: int
    environment: Mapping[str, str] = field(default_factory=dict)


def _rounds(repeats: int, workers: int) -> list[Round]:
    """With another seed, in another order, with one worker in every other round; and once as another processor rounds."""
    crews = [(seed, 1 if seed % 2 else workers) for seed in range(1, repeats + 1)]
    rounds = [Round(f"seed +{seed}, {counted(crew, 'worker')}, another order", seed, crew) for seed, crew in crews]
    return [*rounds, Round("as an older processor rounds", 0, workers, OLDER)] if rounds else []


def _again(
    workshop: Workshop, trials: list[Trial], before: Mapping[str, Judged], rounds: list[Round], watch: Watch
) -> Iterable[tuple[str, list[str]]]:
    """Grade everything again, in these ways: what changed, of grades and hints."""
    answers = known.read(workshop.assignment, workshop.source)
    for turn in rounds:
        shuffled = random.Random(turn.seed).sample(trials, len(trials))  # noqa: S311  (no secret)
        jobs = [workshop.job(trial, turn.seed) for trial in shuffled]
        results = _graded(workshop, jobs, turn.workers, watch, turn.environment)
        changed = []
        for name in (trial.name for trial in trials):
            was, now = before[name], results[name]
            lines = differences(was.grade, now.grade, wording=not turn.environment)
            hinted, hinted_now = _hints(answers, was), _hints(answers, now)
            lines += [f"the hint {hinted}, then {hinted_now}"] if hinted != hinted_now else []
            changed += [f"{name}: {line}" for line in lines]
        yield turn.how, changed


def _hints(answers: known.Known, result: Judged) -> dict[str, str]:
    """The hint that a submission would be given, by task."""
    transcript = result.run.transcript if result.run else None
    found = diagnose(answers, result.grade, transcript.cells if transcript else None)
    return {problem: diagnosis.hint for problem, diagnosis in found.items() if diagnosis.hint}
