"""One proof of each assignment for all tests that look at it: the solution, the blank release, every wheat and chaff.

A proof that holds is recorded in build/proofs/ with a key, a hash of all that it depends on, and read from there while the key is
the same. A fresh clone has no records, and `--prove` reads none.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.metadata import distributions
from pathlib import Path

from autograder.course import Assignment
from autograder.course import notebook as nb
from autograder.files import write_whole
from autograder.judge.batch import Batch
from autograder.judge.job import Job
from autograder.judge.result import Result
from autograder.proof import proof
from autograder.records.grade import Grade
from tests.support.classroom import ROOT, make_course

RECORDS = ROOT / "build" / "proofs"
# What a proof of any assignment depends on, in this checkout. A test cell may open any file in assignments/.
EVERYONES = ("autograder", "tests", "assignments", "constraints.txt", "pyproject.toml", "nbgrader_config.py")
# The setup cells choose a model and data by the first of these; the others change what Python and torch do. Numbers of threads
# are not among them: every batch sets those itself.
VARIABLES = ("CLIP_", "HF_", "PYTHON", "TORCH", "ATEN_")


@dataclass(frozen=True)
class Outcome:
    """One submission of a proof: its name, what it breaks ("" for nothing), and its result."""

    name: str
    broken: str
    result: Result

    @property
    def grade(self) -> Grade:
        return self.result.grade


@dataclass(frozen=True)
class Proof:
    """What came of proving `assignment`, which lies in a copy of the course: a proof writes reference outputs and known answers.
    `recorded` says that nothing was run, because nothing that it depends on has changed."""

    assignment: Assignment
    source: nb.Notebook
    release: nb.Notebook
    outcomes: tuple[Outcome, ...]
    recorded: bool

    @property
    def results(self) -> dict[str, Result]:
        return {outcome.name: outcome.result for outcome in self.outcomes}

    @property
    def grades(self) -> dict[str, Grade]:
        return {outcome.name: outcome.grade for outcome in self.outcomes}

    def jobs(self) -> Iterator[tuple[Job, Result]]:
        """Each submission as it was graded, with its result."""
        expected = proof.expectations(self.assignment, self.source)
        for name, result in self.results.items():
            yield self.job(name, expected[name][0]), result

    def job(self, name: str, answers: dict[str, str]) -> Job:
        """The job of a student called `name` who typed these answers."""
        return replace(proof.submission(self.assignment, self.source, self.release, name, answers), measure=False)

    def grade(self, jobs: list[Job], workers: int = 2) -> dict[str, Result]:
        """The results of more jobs of this assignment, by student."""
        with Batch.of(self.assignment, self.source, workers) as batch:
            return {result.grade.student: result for result in batch.run(jobs)}


def prove(name: str, folder: Path, anew: bool = False) -> Proof:
    """The proof of the assignment called `name`, in a copy of the course in `folder`. It is read where it is recorded and not
    wanted `anew`; else it is run, and recorded if it holds."""
    assignment = make_course(folder).assignment(name)
    source, release = nb.read(assignment.source_path), nb.read(assignment.release_path)
    today, path = key(name), RECORDS / f"{name}.proof"
    record = None if anew or not self_contained(assignment) else read(path, today)
    if record:
        record.lay_references(assignment)
        return Proof(assignment, source, release, record.outcomes, recorded=True)
    outcomes = tuple(Outcome(*row) for row in proof.prove(assignment, source, release, workers=2))
    if len(outcomes) == 2 + len(assignment.variants) and not any(outcome.broken for outcome in outcomes):
        write_whole(path, Record(today, outcomes, _files(assignment.folder, references(assignment))).dumps())
    return Proof(assignment, source, release, outcomes, recorded=False)


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
    packages = {(package.metadata["Name"], package.version) for package in distributions()}
    chosen = {(name, value) for name, value in os.environ.items() if name.startswith(VARIABLES)}
    machine = [("python", platform.python_version()), ("machine", platform.platform()), ("user", str(os.getuid()))]
    return [*sorted(packages), *machine, *sorted(chosen)]


def _files(root: Path, top: Path) -> dict[str, bytes]:
    """Every file in or at `top`, by its path from `root`; without what Python compiled."""
    paths = [top] if top.is_file() else sorted(top.rglob("*"))
    kept = (path for path in paths if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(root)): path.read_bytes() for path in kept}
