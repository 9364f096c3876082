"""The submissions that audit makes up, graded exactly as a student's are: answers, and what stands before them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from msgspec import structs

from autograder.course import Assignment, Limits
from autograder.course import notebook as nb
from autograder.judge.job import Job, Judged
from autograder.proof import proof
from autograder.proof.audit.mutants import Mutant
from autograder.proof.proof import Expectation
from autograder.records.grade import CellGrade, Grade

# Where right answers may differ by rounding: what runs in a cell of its own before all others. float32 and float64, loops and
# other orders of summing are the wheats' to bring.
CONDITIONS = {
    "2 threads": "import torch\n\ntorch.set_num_threads(2)",
    "no oneDNN": "import torch\n\ntorch.backends.mkldnn.set_flags(False)",
}
# What makes torch and oneDNN in the sandbox round as on a processor without AVX. Products of vectors 1,200 long, of a chaff
# that does not normalize, differed by 1e-4 there, which a check took for a rule that is broken.
OLDER = {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41"}
# A mutant may loop for ever. The course's slowest call takes 0.2 s, its slowest cell 5 s on a busy machine.
CALL_SECONDS, CELL_SECONDS, SUBMISSION_SECONDS = 5, 20, 60


@dataclass(frozen=True)
class Trial:
    """A submission of ours: its name, its answers, what is expected of it, and the condition that it runs in, if any."""

    name: str
    answers: dict[str, str]
    expected: Expectation
    condition: str = ""

    @property
    def student(self) -> str:
        return f"{self.name} with {self.condition}" if self.condition else self.name

    def broken_by(self, result: Judged) -> str:
        """What it should have come to and did not, as one line; "" if it did."""
        return proof.broken(result, self.expected)


@dataclass(frozen=True)
class Workshop:
    """Makes trials, and jobs of them, for one assignment."""

    assignment: Assignment
    source: nb.Notebook
    release: nb.Notebook

    def variants(self) -> list[Trial]:
        """The solution, the blank release, every wheat and every chaff."""
        made = proof.expectations(self.assignment, self.source)
        return [Trial(name, answers, expected) for name, (answers, expected) in made.items()]

    def conditioned(self) -> Iterator[Trial]:
        """The right answers, under every condition."""
        right = [trial for trial in self.variants() if trial.expected.is_right]
        return (replace(trial, condition=condition) for condition in CONDITIONS for trial in right)

    def job(self, trial: Trial, seed: int = 0) -> Job:
        """What the judge needs for a trial; `seed` is added to the assignment's."""
        job = proof.submission(self.assignment, self.source, self.release, trial.student, trial.answers)
        job = replace(job, seed=job.seed + seed)
        if trial.condition:
            first = {"cell_type": "code", "id": "condition", "metadata": {}, "source": CONDITIONS[trial.condition]}
            cells = [{**first, "outputs": [], "execution_count": None}, *job.notebook["cells"]]
            job = replace(job, notebook={**job.notebook, "cells": cells}, limits=_patient(job.limits))
        return job

    def mutant_job(self, mutant: Mutant, answers: dict[str, str], tests: frozenset[str]) -> Job:
        """What the judge needs for a mutant: the solution's `answers` but for one cell, its own tests alone and no cell after
        them, short limits."""
        answers = {**answers, mutant.cell: mutant.source}
        job = proof.submission(self.assignment, self.source, self.release, mutant.id, answers)
        cells = job.notebook["cells"]
        last = max(index for index, cell in enumerate(cells) if nb.grade_id(cell) in tests)
        cells = [cell for cell in cells[: last + 1] if not nb.is_test(cell) or nb.grade_id(cell) in tests]
        limits = structs.replace(
            job.limits,
            call_seconds=min(job.limits.call_seconds, CALL_SECONDS),
            cell_seconds=min(job.limits.cell_seconds, CELL_SECONDS),
            submission_seconds=min(job.limits.submission_seconds, SUBMISSION_SECONDS),
        )
        return replace(job, notebook={**job.notebook, "cells": cells}, limits=limits, measure=False)


def _patient(limits: Limits) -> Limits:
    """Rounding is what a condition is about, not time: 2 threads on 2 cores that others use too took 6 times as long."""
    return structs.replace(
        limits,
        cell_seconds=10 * limits.cell_seconds,
        call_seconds=10 * limits.call_seconds,
        submission_seconds=10 * limits.submission_seconds,
    )


def differences(before: Grade, after: Grade, wording: bool = True) -> list[str]:
    """What of a grade is not as it was, one line each; how long it took does not count, nor, without `wording`, what a message
    says, where numbers stand that are rounded otherwise."""
    found = [] if before.status == after.status else [f"{before.status}, then {after.status}"]
    if before.notes != after.notes:
        found.append(f"notes {list(before.notes)}, then {list(after.notes)}")
    for name, cell in before.cells.items():
        other = after.cells.get(name)
        if other == cell:
            continue
        if other is None or (other.score, other.trouble) != (cell.score, cell.trouble):
            found.append(f"{name} gets {cell.score}, then {other.score if other else 'nothing'}")
            continue
        pairs = zip(_said(cell, wording), _said(other, wording), strict=False)
        was, now = next(((one, two) for one, two in pairs if one != two), (("", ""), ("", "")))
        if was != now or wording:
            found.append(f"{name}, {was[0] or 'its error'}: {was[1]!r}, then {now[1]!r}")
    return found


def _said(cell: CellGrade, wording: bool) -> list[tuple[str, str]]:
    """What each check says, by its name, and last what the cell raised."""
    said = [(check.name, check.message if wording or check.passed else "fails") for check in cell.checks]
    return [*said, ("", cell.error if wording else "raises" * bool(cell.error))]
