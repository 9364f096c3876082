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
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

from autograder import notebook as nb
from autograder.batch import Batch
from autograder.course import NAME, Assignment
from autograder.errors import CourseError, SubmissionError
from autograder.grade import CellGrade, Grade
from autograder.gradebook import Book, is_time
from autograder.judge.imports import judge_imports, student_imports
from autograder.judge.job import Job
from autograder.sandbox.warm import LAYERS

# What decides a grade beside the notebooks: these versions, and this package's own text.
DECIDING = ("torch", "numpy", "hypothesis", "ipykernel", "ipython", "nbclient")


UMASK = os.umask(0)
os.umask(UMASK)  # there is no way to read it but to set it


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
        remembered = {name: grade for name in self.names() if (grade := self._remembered(name)) is not None}
        todo = [name for name in self.names() if name not in remembered]
        with ExitStack() as stack:
            batch = None
            if todo:  # its processes import torch while this one imports nbgrader
                batch = stack.enter_context(self._batch(len(todo)))
            book = stack.enter_context(Book(self.assignment.course))
            book.prepare(self.assignment, self.source)
            for name, grade in remembered.items():
                if book.has(self.assignment, name):
                    self.cached += 1
                    yield grade
                else:
                    todo.append(name)
            if todo:
                yield from self._judged(book, batch or stack.enter_context(self._batch(len(todo))), todo)

    def _batch(self, submissions: int) -> Batch:
        return Batch(min(self.workers, submissions), judge_imports(self.source), student_imports(self.source))

    def _judged(self, book: Book, batch: Batch, names: list[str]) -> Iterator[Grade]:
        unreadable: list[Grade] = []

        def jobs() -> Iterator[Job]:
            for name in names:
                job = self._job(name)
                if isinstance(job, Job):
                    yield job
                else:
                    unreadable.append(job)

        for grade, notebook in batch.run(jobs()):
            yield grade if grade.status == "failed" else self._save(book, grade, notebook)
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
            self.assignment.files,
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
        self._write_autograded(grade.student, notebook, timestamp)
        if late := book.write(self.assignment, grade, timestamp, unanswered):
            grade = replace(grade, notes=(*grade.notes, late))
        transcript = {"key": key, **grade.as_json()}
        write_whole(transcript_path(self.assignment, grade.student), json.dumps(transcript, indent=1).encode())
        return grade

    def _remembered(self, student: str) -> Grade | None:
        if self.again:
            return None
        path = transcript_path(self.assignment, student)
        try:
            transcript = json.loads(path.read_bytes())
            return Grade.from_json(transcript) if transcript["key"] == self._key(student) else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _key(self, student: str) -> str:
        """All that the grade depends on, as one hash: the files handed in, the assignment, this engine."""
        digest = hashlib.sha256(self._assignment_key.encode())
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
        ]
        for path in parts:
            digest.update(path.read_bytes())
        digest.update(repr((self.assignment.settings, sorted(self.assignment.files.items()))).encode())
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
        for name, content in self.assignment.files.items():
            write_whole(folder / name, content)
        if timestamp:
            write_whole(folder / "timestamp.txt", timestamp.encode())
        write_whole(folder / f"{self.assignment.notebook}.ipynb", notebook)


def transcript_path(assignment: Assignment, student: str) -> Path:
    return assignment.course.transcripts / student / f"{assignment.name}.json"


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, whatever happens meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o666 & ~UMASK)  # mkstemp makes a private file; the folder decides who reads
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
