"""`autograder build`: make a release, prove it, publish it; or say what is wrong and leave the old one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from autograder.course import Assignment
from autograder.course import notebook as nb
from autograder.gradebook.generate import generate
from autograder.judge.job import Judged
from autograder.proof import proof, release
from autograder.proof.margins import compared_by, margins
from autograder.proof.proof import Watch

SOME = 3  # names on a line, before the rest is counted


def build(assignment: Assignment, workers: int, watch: Watch) -> list[str]:
    """The problems found, one line each; [] when the release was published. Of an assignment narrowed to one task none is.
    `watch` shows progress over the proof."""
    source = nb.read(assignment.source_path)
    problems = [*release.unmarked(source), *proof.faults(source), *proof.unreadable(assignment)]
    if problems:
        return problems
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "release"
        stripped = generate(assignment, made, f"sqlite:///{folder}/gradebook.db")
        problems += [f"left in the release: {leak}" for leak in release.leaks(source, stripped)]
        problems += proof.unavailable(stripped)
        problems += release.leaked_files(assignment, made / assignment.name)
        if problems:
            return problems
        order = list(proof.expectations(assignment, source))
        rows = list(watch(len(order), proof.prove(assignment, source, stripped, workers)))
        rows.sort(key=lambda row: order.index(row[0]))
        problems = folded((name, broken) for name, broken, _ in rows if broken)
        # A wrong "right" answer says nothing of tolerances.
        problems += narrow(assignment, source, [result for _, broken, result in rows if not broken])
        if not problems and not assignment.task:
            release.publish(made / assignment.name, assignment)
    return problems


def folded(broken: Iterable[tuple[str, str]]) -> list[str]:
    """One line for each thing that is broken: a test that is wrong breaks every wheat and chaff of the other tasks alike."""
    names: dict[str, list[str]] = {}
    for name, said in broken:
        names.setdefault(said, []).append(name)
    return [f"{first}: {said}" + (f" (so do {_some(more)})" if more else "") for said, (first, *more) in names.items()]


def _some(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= SOME else f"{', '.join(names[:SOME])} and {len(names) - SOME} more"


def narrow(assignment: Assignment, source: nb.Notebook, results: Iterable[Judged]) -> list[str]:
    """The tolerances that stand too near to what right answers give, one line each."""
    expected = proof.expectations(assignment, source)
    compared = [compared_by(expected[result.grade.student][1], result) for result in results]
    return [margin.fault for margin in margins(compared, nb.test_sources(source)) if margin.fault]
