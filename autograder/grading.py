"""A class's submissions of one assignment: read, judged in a batch, written to the gradebook, remembered.

For every submission three things are written, each whole or not at all: the autograded notebook, the database's rows, and
last the transcript. A transcript that fits the submission, the assignment and the engine is a cache hit, so a killed run
goes on where it was and an unchanged submission keeps its grade.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from autograder import mark_scheme, reference
from autograder import notebook as nb
from autograder.batch import Batch
from autograder.course import NAME, Assignment
from autograder.errors import CourseError, SubmissionError
from autograder.files import write_whole
from autograder.grade import CellGrade, Grade
from autograder.gradebook import Book, Standing, is_time
from autograder.judge.job import Job
from autograder.sandbox.warm import LAYERS

# What decides a grade beside the notebooks: these versions, and this package's own text.
DECIDING = ("torch", "numpy", "hypothesis", "ipykernel", "ipython", "nbclient")


@dataclass
class Class:
    """One assignment's submissions. `grades()` yields each as it is done; `cached` counts those that stood already."""

    assignment: Assignment
    workers: int
    students: Sequence[str] = ()
    again: bool = False
    cached: int = 0
    pending: dict[str, tuple[str, frozenset[str]]] = field(default_factory=dict)

    @cached_property
    def source(self) -> nb.Notebook:
        return nb.read(self.assignment.source_path)

    @cached_property
    def release(self) -> nb.Notebook:
        release = nb.read(self.assignment.release_path)
        if nb.outline(release) != nb.outline(self.source):
            raise CourseError(
                f"{self.assignment.release_path} is not the release of today's source: its graded cells differ; "
                f"`autograder build {self.assignment.name}` makes it anew, or put back the source that was released"
            )
        return release

    def misnamed(self) -> list[str]:
        """Folders of this assignment that cannot be a student's: a control character, or a dot in front."""
        found = self.assignment.course.submitted.glob(f"*/{self.assignment.name}")
        return sorted(repr(path.parent.name) for path in found if not NAME.fullmatch(path.parent.name))

    def names(self) -> list[str]:
        """The students who handed this assignment in, or those of them who were asked for; CourseError if there are none."""
        submitted = self.assignment.course.submitted
        found = sorted(
            p.parent.name for p in submitted.glob(f"*/{self.assignment.name}") if NAME.fullmatch(p.parent.name)
        )
        for name in self.students:
            if name not in found:
                raise CourseError(
                    f"{name} has not handed in {self.assignment.name}: {submitted / name / self.assignment.name}"
                )
        if not found:
            raise CourseError(
                f"no submissions of {self.assignment.name} in {submitted}/STUDENT/{self.assignment.name}/"
            )
        return [name for name in found if not self.students or name in self.students]

    def grades(self) -> Iterator[Grade]:
        """Grade what needs grading. What stood already comes first, the rest as it is done."""
        reference.require_fresh(self.assignment)
        remembered = {name: grade for name in self.names() if (grade := self._remembered(name)) is not None}
        todo = [name for name in self.names() if name not in remembered]
        with ExitStack() as stack:
            batch = None
            if todo:  # its processes import torch while this one imports nbgrader
                batch = stack.enter_context(self._batch(len(todo)))
            book = stack.enter_context(Book(self.assignment.course))
            book.prepare(self.assignment, self.source)
            for name, grade in remembered.items():
                if standing := book.standing(self.assignment, grade):
                    self.cached += 1
                    yield _standing(grade, standing)
                else:  # the database was replaced, or another program wrote into it
                    todo.append(name)
            if todo:
                yield from self._judged(book, batch or stack.enter_context(self._batch(len(todo))), todo)

    def _batch(self, submissions: int) -> Batch:
        return Batch.of(self.assignment, self.source, min(self.workers, submissions))

    def _judged(self, book: Book, batch: Batch, names: list[str]) -> Iterator[Grade]:
        unreadable: list[Grade] = []

        def jobs() -> Iterator[Job]:
            for name in names:
                job = self._job(name)
                if isinstance(job, Job):
                    yield job
                else:
                    unreadable.append(job)

        for result in batch.run(jobs()):
            failed = result.grade.status == "failed"
            yield result.grade if failed else self._save(book, result.grade, result.notebook)
            while unreadable:
                yield self._save(book, unreadable.pop(), b"")
        for grade in unreadable:
            yield self._save(book, grade, b"")

    def _job(self, student: str) -> Job | Grade:
        """What the judge needs for one submission, or the grade of one that cannot be read."""
        folder = self._submitted(student)
        self.pending[student] = (self._key(student), frozenset())
        try:
            if folder.is_symlink() or folder.parent.is_symlink():
                raise SubmissionError(f"{folder.name} is a symbolic link; hand in the folder itself")
            graded = {str(nb.grade_id(cell)) for cell in nb.known_cells(self.source) if nb.is_graded(cell)}
            submitted, notes = nb.read_submitted(folder, self.assignment.notebook, graded)
            laid = nb.lay(self.source, self.release, submitted)
        except SubmissionError as error:
            cells = {
                str(nb.grade_id(c)): CellGrade(nb.points(c), None) for c in self.source["cells"] if nb.is_graded(c)
            }
            return Grade(student, self.assignment.name, "unreadable", cells, (str(error),))
        self.pending[student] = (self.pending[student][0], laid.unanswered)
        return Job(
            student,
            self.assignment.name,
            laid.notebook,
            laid.unanswered,
            (*notes, *laid.notes),
            self.assignment.settings.limits,
            self.assignment.settings.seed,
            LAYERS,
        )

    def _save(self, book: Book, grade: Grade, notebook: bytes) -> Grade:
        key, unanswered = self.pending.pop(grade.student)
        timestamp = self._timestamp(grade.student)
        if timestamp and not is_time(timestamp):
            grade = replace(
                grade, notes=(*grade.notes, f"timestamp.txt says {timestamp!r}, which is no time; not counted")
            )
            timestamp = None
        shown = mark_scheme.beside_answers(self.source, notebook) if notebook else b""
        self._write_autograded(grade.student, shown, timestamp)
        path = transcript_path(self.assignment, grade.student)
        handed_in = self._handed_in(grade.student)
        changed = read_transcript(path).get("handed_in") != handed_in
        standing = book.write(self.assignment, grade, timestamp, unanswered, changed)
        transcript = {"key": key, "handed_in": handed_in, **grade.as_json()}
        write_whole(path, json.dumps(transcript, indent=1).encode())
        return _standing(grade, standing)

    def _remembered(self, student: str) -> Grade | None:
        if self.again:
            return None
        transcript = read_transcript(transcript_path(self.assignment, student))
        try:
            return Grade.from_json(transcript) if transcript["key"] == self._key(student) else None
        except (KeyError, TypeError, AttributeError):
            return None

    def _key(self, student: str) -> str:
        """All that the grade depends on, as one hash: the files handed in, the assignment, this engine."""
        return hashlib.sha256(f"{self._assignment_key} {self._handed_in(student)}".encode()).hexdigest()

    def _handed_in(self, student: str) -> str:
        """The files handed in, as one hash."""
        digest = hashlib.sha256()
        folder = self._submitted(student)
        for path in sorted(folder.rglob("*")):
            digest.update(f"\0{path.relative_to(folder)}\0{path.is_symlink()}\0".encode(errors="surrogateescape"))
            if path.is_file() and not path.is_symlink() and path.stat().st_size <= nb.MAX_NOTEBOOK_BYTES:
                with contextlib.suppress(OSError):  # one that may not be read is told of when it is needed
                    digest.update(hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()

    @cached_property
    def _assignment_key(self) -> str:
        digest = hashlib.sha256(repr([(name, version(name)) for name in DECIDING]).encode())
        parts = [
            self.assignment.source_path,
            self.assignment.release_path,
            *sorted(Path(__file__).parent.rglob("*.py")),
            *sorted(reference.folder(self.assignment).glob("*")),
        ]
        for path in parts:
            digest.update(path.read_bytes())
        files, hidden = sorted(self.assignment.files.items()), sorted(self.assignment.hidden_files.items())
        digest.update(repr((self.assignment.settings, files, hidden)).encode())
        return digest.hexdigest()

    def _submitted(self, student: str) -> Path:
        return self.assignment.course.submitted / student / self.assignment.name

    def _timestamp(self, student: str) -> str | None:
        path = self._submitted(student) / "timestamp.txt"
        if path.is_symlink() or not path.is_file():
            return None
        return path.read_text(errors="replace").strip()[:60] or None

    def _write_autograded(self, student: str, notebook: bytes, timestamp: str | None) -> None:
        """The folder that formgrader opens; it takes a submission for autograded when the timestamps agree."""
        folder = self.assignment.course.autograded / student / self.assignment.name
        if not notebook:
            shutil.rmtree(folder, ignore_errors=True)
            return
        folder.mkdir(parents=True, exist_ok=True)
        for path in self.assignment.source_folder.iterdir():  # pictures that text cells show; one copy serves all
            link = folder / path.name
            if path.suffix != ".ipynb" and not path.name.startswith(".") and not os.path.lexists(link):
                link.symlink_to(os.path.relpath(path, folder))
        if timestamp:
            write_whole(folder / "timestamp.txt", timestamp.encode())
        write_whole(folder / f"{self.assignment.notebook}.ipynb", notebook)


def _standing(grade: Grade, standing: Standing) -> Grade:
    notes = (*grade.notes, standing.late) if standing.late else grade.notes
    return replace(grade, notes=notes, marked=standing.marked)


def read_transcript(path: Path) -> dict[str, Any]:
    """A transcript; {} where there is none that can be read."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def transcript_path(assignment: Assignment, student: str) -> Path:
    return assignment.course.transcripts / student / f"{assignment.name}.json"
