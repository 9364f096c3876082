"""An assignment that was built, and what audit has the judge do with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from msgspec import structs

from autograder.course import Assignment, Limits
from autograder.course import notebook as nb
from autograder.errors import CourseError
from autograder.judge.batch import Batch
from autograder.judge.job import Job
from autograder.proof.audit.mutants import Mutant
from autograder.proof.results import Result
from autograder.proof.trial import Trial, make_job
from autograder.proof.watch import Watch
from autograder.records import reference

# Most seconds of a mutant, which may loop forever. The course's slowest call takes 0.2 s, its slowest cell 5 s on a busy machine.
CALL_SECONDS, CELL_SECONDS, SUBMISSION_SECONDS = 5, 20, 60
# Under a condition only rounding counts, not time. Two threads on two busy cores took 6 times as long as one.
CONDITION_PATIENCE = 10


@dataclass(frozen=True)
class BuiltAssignment:
    """An assignment with its source and its release."""

    assignment: Assignment
    source: nb.Notebook
    release: nb.Notebook

    @classmethod
    def open(cls, assignment: Assignment) -> BuiltAssignment:
        """Open an assignment; CourseError if it was not built from today's source."""
        reference.require_fresh(assignment)
        source, release = nb.read(assignment.source_path), nb.read(assignment.release_path)
        if nb.outline(release) != nb.outline(source):
            raise CourseError(
                f"{assignment.release_path} was not built from today's source; run `autograder build {assignment.name}` first"
            )
        return cls(assignment, source, release)

    def make_job(self, trial: Trial, seed: int = 0) -> Job:
        """Make the job of a trial; `seed` is added to the assignment's."""
        job = make_job(self.assignment, self.source, self.release, trial)
        return replace(job, seed=job.seed + seed, limits=_extend(job.limits) if trial.setup else job.limits)

    def make_mutant_job(self, mutant: Mutant, solution: Trial, tests: frozenset[str]) -> Job:
        """Make the job of a mutant: its own `tests` only, no cell after the last of them, and short limits."""
        trial = replace(solution, name=mutant.id, answers={**solution.answers, mutant.cell: mutant.source})
        job = make_job(self.assignment, self.source, self.release, trial)
        cells = job.notebook["cells"]
        last = max(index for index, cell in enumerate(cells) if nb.grade_id(cell) in tests)
        cells = [cell for cell in cells[: last + 1] if not nb.is_test(cell) or nb.grade_id(cell) in tests]
        return replace(job, notebook={**job.notebook, "cells": cells}, limits=_shorten(job.limits), measure=False)

    def grade(
        self, jobs: Sequence[Job], workers: int, watch: Watch, environment: Mapping[str, str] = MappingProxyType({})
    ) -> dict[str, Result]:
        """Grade these jobs; their results by name. `environment` is added to the assignment's variables."""
        with Batch.of(self.assignment, self.source, min(workers, len(jobs)), environment) as batch:
            return {result.grade.student: result for result in watch(len(jobs), batch.run(jobs))}


def _shorten(limits: Limits) -> Limits:
    return structs.replace(
        limits,
        call_seconds=min(limits.call_seconds, CALL_SECONDS),
        cell_seconds=min(limits.cell_seconds, CELL_SECONDS),
        submission_seconds=min(limits.submission_seconds, SUBMISSION_SECONDS),
    )


def _extend(limits: Limits) -> Limits:
    return structs.replace(
        limits,
        call_seconds=CONDITION_PATIENCE * limits.call_seconds,
        cell_seconds=CONDITION_PATIENCE * limits.cell_seconds,
        submission_seconds=CONDITION_PATIENCE * limits.submission_seconds,
    )
