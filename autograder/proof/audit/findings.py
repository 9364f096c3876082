"""What audit has to say: one finding a line, and whether it must be mended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from autograder.judge.job import Judged
from autograder.proof.audit.matrix import CheckName, Matrix
from autograder.proof.audit.mutants import Mutant
from autograder.proof.audit.trial import Trial
from autograder.proof.audit.verdicts import Verdict
from autograder.proof.margins import Margin
from autograder.records.grade import GRADED

# What must be mended (or, for a survivor, judged) before audit ends with 0; and what is worth knowing.
MEND = ("lost mark", "not caught", "not graded", "tolerance", "survivor", "changes")
NOTE = ("redundant", "fragile", "collision", "gap", "stale verdict")
KINDS = (*MEND, *NOTE)


@dataclass(frozen=True)
class Finding:
    """One thing that audit found: of which kind, and what, in one line."""

    kind: str
    text: str

    @property
    def must_be_mended(self) -> bool:
        return self.kind in MEND


def of_trials(trials: Iterable[Trial], results: Mapping[str, Judged]) -> Iterator[Finding]:
    """Right answers that lose marks, and wrong ones that lose none."""
    for trial in trials:
        result = results[trial.student]
        broken = trial.broken_by(result) if result.grade.status in GRADED else ""
        if broken:
            yield Finding("lost mark" if trial.expected.is_right else "not caught", f"{trial.student}: {broken}")


def of_failures(results: Mapping[str, Judged]) -> Iterator[Finding]:
    """What could not be graded, for a fault of the engine or machine."""
    failed = (grade for grade in (result.grade for result in results.values()) if grade.status not in GRADED)
    return (Finding("not graded", f"{grade.student}: {'; '.join(grade.notes)}") for grade in failed)


def of_matrix(matrix: Matrix) -> Iterator[Finding]:
    """What the matrix of one task shows."""
    for check in matrix.redundant:
        chaffs, mutants = (matrix.caught(check, rows) for rows in (matrix.chaffs, matrix.mutants))
        beside = f"beside others it catches chaffs: {chaffs}, mutants: {mutants}"
        yield Finding("redundant", f"{said(check)} catches nothing alone; {beside}")
    for name, check in matrix.fragile:
        yield Finding("fragile", f"{name}: only {said(check)} catches it")
    for names in matrix.collisions:
        yield Finding("collision", f"{' and '.join(names)}: no check tells them apart")


def of_survivors(survivors: Iterable[Mutant], verdicts: Mapping[str, Verdict]) -> Iterator[Finding]:
    """Mutants that nobody judged, and those that were judged to be gaps."""
    for mutant in survivors:
        verdict = verdicts.get(mutant.id)
        if verdict is None:
            yield Finding(
                "survivor", f"{mutant.id} ({mutant.kind}): no check catches it, and mutants.toml does not judge it"
            )
        elif verdict.verdict == "gap":
            yield Finding("gap", f"{mutant.id} ({mutant.kind}): {verdict.reason}")


def of_stale(survivors: Iterable[Mutant], verdicts: Mapping[str, Verdict]) -> Iterator[Finding]:
    """Verdicts on mutants that are caught by now, or are made no more."""
    for name in sorted(set(verdicts) - {mutant.id for mutant in survivors}):
        yield Finding("stale verdict", f"{name}: mutants.toml judges it, and it does not survive; take it out")


def of_margins(margins: Iterable[Margin]) -> Iterator[Finding]:
    """Tolerances that stand too near to right answers."""
    return (Finding("tolerance", margin.fault) for margin in margins if margin.fault)


def of_changes(changes: Mapping[str, Iterable[str]]) -> Iterator[Finding]:
    """Grades that were not the same again; `changes` by how they were graded again."""
    return (Finding("changes", f"{line} ({how})") for how, lines in changes.items() for line in lines)


def said(check: CheckName) -> str:
    """A check in a sentence."""
    return f"{check.cell}, {check.name}" + (f" ({check.turn + 1})" if check.turn else "")
