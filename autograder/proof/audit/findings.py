"""Findings of an audit: one fault or remark in a line, and whether it must be mended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from autograder.judge.job import Judged
from autograder.proof.audit.matrix import WHOLE_CELL, CheckName, Matrix
from autograder.proof.audit.mutants import Mutant
from autograder.proof.audit.verdicts import Verdict
from autograder.proof.margins import Margin
from autograder.proof.trial import Trial
from autograder.records.grade import GRADED
from autograder.words import counted

# What must be mended (a survivor may get a verdict instead) before audit ends with 0, and what is only worth knowing.
MEND = ("lost mark", "not caught", "not graded", "tolerance", "survivor", "changes")
NOTE = ("redundant", "fragile", "collision", "gap", "stale verdict")
KINDS = (*MEND, *NOTE)


@dataclass(frozen=True)
class Finding:
    """One finding: its kind, one of KINDS, and its text, one line."""

    kind: str
    text: str

    @property
    def must_be_mended(self) -> bool:
        """Whether audit ends with exit code 1 because of it."""
        return self.kind in MEND


def review_trials(trials: Iterable[Trial], results: Mapping[str, Judged]) -> Iterator[Finding]:
    """Find right answers that lose marks, and wrong ones that lose none."""
    for trial in trials:
        grade = results[trial.name].grade
        fault = trial.find_fault(grade) if grade.status in GRADED else ""
        if fault:
            yield Finding("lost mark" if trial.expected.is_right else "not caught", f"{trial.name}: {fault}")


def review_failures(results: Mapping[str, Judged]) -> Iterator[Finding]:
    """Find what could not be graded because the engine or the machine failed."""
    failed = (grade for grade in (result.grade for result in results.values()) if grade.status not in GRADED)
    return (Finding("not graded", f"{grade.student}: {'; '.join(grade.notes)}") for grade in failed)


def review_matrix(matrix: Matrix) -> Iterator[Finding]:
    """Find redundant checks, fragile chaffs and collisions in the matrix of one task."""
    for check in matrix.redundant:
        chaffs, mutants = (matrix.caught(check, rows) for rows in (matrix.chaffs, matrix.mutants))
        counts = f"{counted(chaffs, 'chaff')}, {counted(mutants, 'mutant')}"
        yield Finding("redundant", f"{describe_check(check)}: other checks catch all that it catches ({counts})")
    for name, check in matrix.fragile:
        yield Finding("fragile", f"{name}: only {describe_check(check)} catches it")
    for names in matrix.collisions:
        yield Finding("collision", f"{' and '.join(names)}: no check tells them apart")


def review_survivors(survivors: Iterable[Mutant], verdicts: Mapping[str, Verdict]) -> Iterator[Finding]:
    """Find mutants that no check catches: those without a verdict, and those with the verdict "gap"."""
    for mutant in survivors:
        verdict = verdicts.get(mutant.id)
        name = f"{mutant.id} ({mutant.kind})"
        if verdict is None:
            yield Finding("survivor", f"{name}: no check catches it; add a check, or its verdict to mutants.toml")
        elif verdict.verdict == "gap":
            yield Finding("gap", f"{name}: {verdict.reason}")


def review_verdicts(survivors: Iterable[Mutant], verdicts: Mapping[str, Verdict]) -> Iterator[Finding]:
    """Find verdicts on mutants that are caught by now, or are no longer made."""
    for name in sorted(set(verdicts) - {mutant.id for mutant in survivors}):
        yield Finding(
            "stale verdict", f"{name}: no surviving mutant has this name; delete its verdict from mutants.toml"
        )


def review_margins(margins: Iterable[Margin]) -> Iterator[Finding]:
    """Find tolerances that leave right answers too little room."""
    return (Finding("tolerance", margin.fault) for margin in margins if margin.fault)


def review_rounds(changes: Mapping[str, Iterable[str]]) -> Iterator[Finding]:
    """Find grades and hints that changed when everything was graded again; `changes` by the round's description."""
    return (Finding("changes", f"{line} ({how})") for how, lines in changes.items() for line in lines)


def describe_check(check: CheckName) -> str:
    """Name a check in a sentence; a number tells it from others of its name in the cell."""
    if check.name == WHOLE_CELL:
        return f"the cell {check.cell}"
    return f'{check.cell}, "{check.name}"' + (f" ({check.occurrence + 1})" if check.occurrence else "")
