"""One proof of each assignment for all tests that look at it: the solution, the blank release, every wheat and chaff.

`make test` proves a notebook without its figures and experiments, which earn no points and take most of its time. `--prove`
proves it whole; a sample is graded whole in either (tests/course/test_assignment.py).

A proof that holds is recorded in build/proofs/ with a key, a hash of all that it depends on, and read from there while the key is
the same. A fresh clone has no records, and `--prove` begins without any.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import os
import pickle
import platform
import shutil
import site
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, replace
from importlib.metadata import distributions
from pathlib import Path

from autograder.course import Assignment
from autograder.course import notebook as nb
from autograder.files import write_whole
from autograder.judge.batch import Batch
from autograder.judge.imports import bound_names, free_names
from autograder.judge.job import Job, Judged
from autograder.proof import prove as engine
from autograder.proof.expectation import Expectation
from autograder.proof.prove import Outcome
from autograder.proof.trial import Trial, make_job, make_trials
from autograder.records.grade import Grade
from tests.support.classroom import ROOT, make_course

RECORDS = ROOT / "build" / "proofs"
# What a proof of any assignment depends on, in this checkout. A test cell may open any file in assignments/.
EVERYONES = ("autograder", "tests", "assignments", "constraints.txt", "pyproject.toml", "nbgrader_config.py")
# The setup cells choose a model and data by the first of these; the others change what Python and torch do. Numbers of threads
# are not among them: every batch sets those itself.
VARIABLES = ("CLIP_", "HF_", "PYTHON", "TORCH", "ATEN_")
SET_BY_TORCH = "TORCHINDUCTOR_CACHE_DIR"  # once it is imported: where it keeps what it compiled


@dataclass(frozen=True)
class Proof:
    """What came of proving `assignment`, which lies in a copy of the course: a proof writes reference outputs and known answers.
    `source` and `release` are the notebooks that were proven. `recorded` says that nothing was run, because nothing that it
    depends on has changed."""

    assignment: Assignment
    source: nb.Notebook
    release: nb.Notebook
    outcomes: tuple[Outcome, ...]
    recorded: bool

    @property
    def results(self) -> dict[str, Judged]:
        return {outcome.name: outcome.result for outcome in self.outcomes}

    @property
    def grades(self) -> dict[str, Grade]:
        return {outcome.name: outcome.result.grade for outcome in self.outcomes}

    def runs(self) -> Iterator[tuple[Job, Judged]]:
        """Each submission as it was graded, with its result."""
        trials = make_trials(self.assignment, self.source)
        for name, result in self.results.items():
            yield as_job(self.assignment, self.source, self.release, name, trials[name].answers), result


def as_job(
    assignment: Assignment, source: nb.Notebook, release: nb.Notebook, name: str, answers: dict[str, str]
) -> Job:
    """The job of a student called `name` who typed these answers."""
    trial = Trial(name, answers, Expectation(frozenset()))
    return replace(make_job(assignment, source, release, trial), measure=False)


def grade_jobs(assignment: Assignment, source: nb.Notebook, jobs: Iterable[Job], workers: int) -> dict[str, Judged]:
    """The results of these jobs, by student."""
    with Batch.of(assignment, source, workers) as batch:
        return {result.grade.student: result for result in batch.run(jobs)}


def prove(name: str, folder: Path, whole: bool = False, records: Path = RECORDS) -> Proof:
    """The proof of the assignment called `name`, in a copy of the course in `folder`: of the `whole` notebook, or without the
    cells that earn no points. It is read where `records` have it; else it is run, and recorded if it holds."""
    assignment = make_course(folder).assignment(name)
    source, release = nb.read(assignment.source_path), nb.read(assignment.release_path)
    if not whole:
        needless = idle(source, [variant.source for variant in assignment.variants])
        source, release = (without(notebook, needless) for notebook in (source, release))
    today, path = f"{key(name)} {'whole' if whole else ''}", records / f"{name}.proof"
    record = read(path, today) if self_contained(assignment) else None
    if record:
        record.lay_references(assignment)
        return Proof(assignment, source, release, record.outcomes, recorded=True)
    outcomes = tuple(engine.prove(assignment, source, release, workers=2))
    holds = len(outcomes) == 2 + len(assignment.variants) and not any(outcome.fault for outcome in outcomes)
    if holds:
        write_whole(path, Record(today, outcomes, _files(assignment.folder, references(assignment))).dumps())
    return Proof(assignment, source, release, outcomes, recorded=False)


def idle(source: nb.Notebook, answers: Iterable[str]) -> list[int]:
    """The code cells, by their place among those without a grade_id, that no graded or locked cell and none of these answers
    needs: they bind no name that one of those takes from others, or one that an earlier cell has bound."""
    cells = [cell for cell in source["cells"] if cell["cell_type"] == "code"]
    needed: set[str] = set().union(*map(needs, [*answers, *(nb.source(c) for c in cells if nb.grade_id(c))]))
    free = [nb.source(cell) for cell in cells if nb.grade_id(cell) is None]
    kept: set[int] = set()
    while True:
        have = {name for place in kept for name in bound_names(free[place])}
        more = next((n for n, text in enumerate(free) if n not in kept and bound_names(text) & needed - have), None)
        if more is None:
            return [place for place in range(len(free)) if place not in kept]
        kept.add(more)
        needed |= needs(free[more])


def without(notebook: nb.Notebook, places: Container[int]) -> nb.Notebook:
    """The notebook without the code cells in these places among those without a grade_id."""
    free = [index for index, c in enumerate(notebook["cells"]) if c["cell_type"] == "code" and nb.grade_id(c) is None]
    dropped = {index for place, index in enumerate(free) if place in places}
    return {**notebook, "cells": [cell for index, cell in enumerate(notebook["cells"]) if index not in dropped]}


def needs(source: str) -> set[str]:
    """The names that a cell takes from others, `x` of `x = x + 1` among them; none in one that is not valid Python."""
    names: set[str] = set()
    have: set[str] = set()
    with contextlib.suppress(SyntaxError):
        for statement in ast.parse(source).body:
            read = statement.value if isinstance(statement, ast.Assign) else statement
            names |= set(free_names(ast.unparse(read))) - have
            have |= bound_names(ast.unparse(statement))
    return names


@dataclass(frozen=True)
class Record:
    """A proof that held: its key, its outcomes, and the files with reference outputs and known answers that it wrote."""

    key: str
    outcomes: tuple[Outcome, ...]
    references: dict[str, bytes]

    def dumps(self) -> bytes:
        return self.key.encode() + b"\n" + pickle.dumps(self)

    def lay_references(self, assignment: Assignment) -> None:
        """Put the files where the proof wrote them, in place of those that are there."""
        shutil.rmtree(references(assignment), ignore_errors=True)
        for name, content in self.references.items():
            write_whole(assignment.folder / name, content)


def read(path: Path, today: str) -> Record | None:
    """The record with today's key; None where there is none."""
    with contextlib.suppress(OSError):
        recorded, _, content = path.read_bytes().partition(b"\n")
        if recorded == today.encode():
            record: Record = pickle.loads(content)  # noqa: S301  (this checkout's own, as a .pyc file is)
            return record
    return None


def references(assignment: Assignment) -> Path:
    return assignment.folder / "reference"


def self_contained(assignment: Assignment) -> bool:
    """Whether a proof reads nothing of this machine that has no part in its key: folders or files that the settings name."""
    settings = assignment.settings
    return not settings.folders and not any(Path(value).is_absolute() for value in settings.environment.values())


def key(name: str, root: Path = ROOT) -> str:
    """A hash of all that a proof of this assignment depends on: files, versions of packages, the machine, variables."""
    digest = hashlib.sha256()
    for top in (*EVERYONES, f"source/{name}", f"release/{name}"):
        for file, content in _files(root, root / top).items():
            digest.update(repr((file, hashlib.sha256(content).hexdigest())).encode(errors="surrogatepass"))
    for part in surroundings():
        digest.update(repr(part).encode(errors="surrogatepass"))
    return digest.hexdigest()


def surroundings() -> list[tuple[str, str]]:
    """What a proof depends on beside files: packages and their versions, Python, the machine, who runs it, variables."""
    packages = {(package.metadata["Name"], package.version) for package in distributions(path=site.getsitepackages())}
    chosen = {
        (name, value) for name, value in os.environ.items() if name.startswith(VARIABLES) and name != SET_BY_TORCH
    }
    machine = [("python", platform.python_version()), ("machine", platform.platform()), ("user", str(os.getuid()))]
    return [*sorted(packages), *machine, *sorted(chosen)]


def _files(root: Path, top: Path) -> dict[str, bytes]:
    """Every file in or at `top`, by its path from `root`; without what Python compiled."""
    paths = [top] if top.is_file() else sorted(top.rglob("*"))
    kept = (path for path in paths if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(root)): path.read_bytes() for path in kept}
