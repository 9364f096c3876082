"""`autograder build`: makes a release, proves its tests, and publishes it or lists what is wrong."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from autograder.course import Assignment
from autograder.course import notebook as nb
from autograder.gradebook.generate import generate
from autograder.proof import release
from autograder.proof.faults import find_engine_imports, find_faults, find_invalid_variants
from autograder.proof.margins import collect_comparisons, measure_margins
from autograder.proof.prove import Outcome, prove
from autograder.proof.regions import find_marker_faults
from autograder.proof.results import Result
from autograder.proof.trial import make_trials
from autograder.proof.watch import Watch

MOST_NAMES = 3  # names on a line before the rest is only counted


def build(assignment: Assignment, workers: int, watch: Watch) -> list[str]:
    """Make, prove and publish the release of an assignment; return what is wrong, one line each, [] if it was published.

    The first stage that finds something ends it, and the old release stays. An assignment narrowed to one task is proven but
    never published. `watch` shows progress over the proof. CourseError if the course itself cannot be read.
    """
    source = nb.read(assignment.source_path)
    problems = [*find_marker_faults(source), *find_faults(source), *find_invalid_variants(assignment)]
    if problems:
        return problems
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder) / "release"
        stripped = generate(assignment, scratch, f"sqlite:///{folder}/gradebook.db")
        generated = scratch / assignment.name
        problems = _inspect_release(assignment, source, stripped, generated)
        problems = problems or _try_out(assignment, source, stripped, workers, watch)
        if not problems and not assignment.task:
            release.publish(generated, assignment)
    return problems


def _inspect_release(assignment: Assignment, source: nb.Notebook, stripped: nb.Notebook, folder: Path) -> list[str]:
    """What students must not get and what they lack, one line each."""
    return [
        *(f"left in the release: {leak}" for leak in release.find_leaks(source, stripped)),
        *find_engine_imports(stripped),
        *release.find_leaked_files(assignment, folder),
    ]


def _try_out(
    assignment: Assignment, source: nb.Notebook, stripped: nb.Notebook, workers: int, watch: Watch
) -> list[str]:
    """What the proof and the tolerances show, one line each, in the notebook's order."""
    order = list(make_trials(assignment, source))
    outcomes: list[Outcome] = list(watch(len(order), prove(assignment, source, stripped, workers)))
    outcomes.sort(key=lambda outcome: order.index(outcome.name))
    problems = fold_faults((outcome.name, outcome.fault) for outcome in outcomes if outcome.fault)
    # A wrong "right" answer says nothing about tolerances.
    sound = [outcome.result for outcome in outcomes if not outcome.fault]
    return problems + find_narrow_tolerances(assignment, source, sound)


def fold_faults(faults: Iterable[tuple[str, str]]) -> list[str]:
    """Join the names that share a fault into one line: a wrong test fails every wheat and chaff of the other tasks alike."""
    names: dict[str, list[str]] = {}
    for name, fault in faults:
        names.setdefault(fault, []).append(name)
    return [
        f"{first}: {fault}" + (f" (also {_shorten(more)})" if more else "") for fault, (first, *more) in names.items()
    ]


def _shorten(names: list[str]) -> str:
    rest = len(names) - MOST_NAMES
    return ", ".join(names) if rest <= 0 else f"{', '.join(names[:MOST_NAMES])} and {rest} more"


def find_narrow_tolerances(assignment: Assignment, source: nb.Notebook, results: Iterable[Result]) -> list[str]:
    """List the tolerances that leave right answers too little room, one line each."""
    trials = make_trials(assignment, source)
    comparisons = [collect_comparisons(trials[result.grade.student].expected, result) for result in results]
    return [margin.fault for margin in measure_margins(comparisons, nb.test_sources(source)) if margin.fault]
