"""Grades everything again with another seed, order or processor, and lists what changed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from autograder.proof.audit.built import BuiltAssignment
from autograder.proof.audit.conditions import OLD_PROCESSOR
from autograder.proof.results import Result, read_transcript
from autograder.proof.trial import Trial
from autograder.proof.watch import Watch
from autograder.records import known
from autograder.records.diagnose import diagnose
from autograder.records.grade import CellGrade, Grade
from autograder.words import counted


@dataclass(frozen=True)
class Round:
    """One way to grade everything again; `seed` is added to the assignment's, `environment` to its variables."""

    description: str
    seed: int
    workers: int
    environment: Mapping[str, str] = field(default_factory=dict)


def plan_rounds(repeats: int, workers: int) -> list[Round]:
    """Plan `repeats` rounds with other seeds and orders, and a last one with an older processor's rounding; [] for none.

    Every other round has one worker.
    """
    plans = [(seed, 1 if seed % 2 else workers) for seed in range(1, repeats + 1)]
    rounds = [Round(f"seed +{seed}, {counted(count, 'worker')}, another order", seed, count) for seed, count in plans]
    return [*rounds, Round("with the rounding of an older processor", 0, workers, OLD_PROCESSOR)] if rounds else []


def run_rounds(
    built: BuiltAssignment, trials: Sequence[Trial], before: Mapping[str, Result], rounds: Sequence[Round], watch: Watch
) -> Iterator[tuple[str, list[str]]]:
    """Grade the trials again in each round; yield its description and what changed in grades and hints, one line each."""
    answers = known.read(built.assignment, built.source)
    for turn in rounds:
        shuffled = random.Random(turn.seed).sample(trials, len(trials))  # noqa: S311  (no secret)
        jobs = [built.make_job(trial, turn.seed) for trial in shuffled]
        after = built.grade(jobs, turn.workers, watch, turn.environment)
        changes = {t.name: _compare(answers, before[t.name], after[t.name], not turn.environment) for t in trials}
        yield turn.description, [f"{name}: {change}" for name, lines in changes.items() for change in lines]


def _compare(answers: known.Known, before: Result, after: Result, wording: bool) -> Iterator[str]:
    yield from list_differences(before.grade, after.grade, wording)
    old, new = _find_hints(answers, before), _find_hints(answers, after)
    for cell in sorted(old.keys() | new.keys()):
        if old.get(cell) != new.get(cell):
            yield f"the hint for {cell} is {_quote(old.get(cell))}, then {_quote(new.get(cell))}"


def _quote(hint: str | None) -> str:
    return repr(hint) if hint else "none"


def _find_hints(answers: known.Known, result: Result) -> dict[str, str]:
    """The hint that a student with this result would get, by answer cell."""
    diagnoses = diagnose(answers, result.grade, read_transcript(result))
    return {cell: diagnosis.hint for cell, diagnosis in diagnoses.items() if diagnosis.hint}


def list_differences(before: Grade, after: Grade, wording: bool = True) -> list[str]:
    """List the differences of two grades, one line each, except the time they took.

    Without `wording`, a changed message alone is no difference: it may show numbers that are rounded otherwise.
    """
    lines = [] if before.status == after.status else [f"{before.status}, then {after.status}"]
    if before.notes != after.notes:
        lines.append(f"notes {list(before.notes)}, then {list(after.notes)}")
    for name, cell in before.cells.items():
        lines += _compare_cells(name, cell, after.cells.get(name), wording)
    return lines


def _compare_cells(name: str, before: CellGrade, after: CellGrade | None, wording: bool) -> list[str]:
    """The first difference of two gradings of a cell, in one line; [] if there is none."""
    if after is None or (after.score, after.trouble) != (before.score, before.trouble):
        return [f"{name} gets {before.score}, then {after.score if after else 'nothing'}"]
    old, new = _list_messages(before, wording), _list_messages(after, wording)
    changes = [(one, other) for one, other in zip(old, new, strict=False) if one != other]
    if changes:
        (check, was), (_, now) = changes[0]
        return [f"{name}, {check or 'its error'}: {was!r}, then {now!r}"]
    return [f"{name}: its checks changed"] if wording and after != before else []


def _list_messages(cell: CellGrade, wording: bool) -> list[tuple[str, str]]:
    """The message of each check with its name, and last what the cell raised."""
    messages = [(check.name, check.message if wording or check.passed else "fails") for check in cell.checks]
    return [*messages, ("", cell.error if wording else "raises" * bool(cell.error))]
