"""A class's submissions of one assignment: read, judged in a batch, written to the gradebook, remembered.

For every submission three things are written, each whole or not at all: the autograded notebook, the database's rows, and
last the record. A record that fits the submission, the assignment and the engine is a cache hit, so a killed run goes on
where it was and an unchanged submission keeps its grade. Where the tests changed, and nothing that the student's answers depend
on, the grade is made from the transcript. One that then differs from the grade that stands is written only where that is asked.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.course import NAME, Assignment, mark_scheme
from autograder.course import notebook as nb
from autograder.course.lay import lay
from autograder.course.submitted import read_submitted
from autograder.errors import CourseError, SubmissionError
from autograder.files import write_whole
from autograder.judge.batch import Batch
from autograder.judge.job import Job
from autograder.judge.rescoring import Earlier, rescored
from autograder.judge.result import Result
from autograder.records import reference
from autograder.records.change import Change, reasons
from autograder.records.grade import GRADED, CellGrade, Grade
from autograder.records.keys import Keys
from autograder.records.store import Record, read_asked, read_record, write_record

if TYPE_CHECKING:
    from autograder.gradebook.book import Book, Standing


@dataclass(frozen=True)
class _Pending:
    """What is known of a submission before it is graded; the hashes are those of its `Record`."""

    key: str
    handed_in: str
    answers_key: str = ""
    unanswered: frozenset[str] = frozenset()


@dataclass
class Class:
    """One assignment's submissions. `grades()` yields each grade that stands then, as it is done.

    `again` runs unchanged submissions too. `apply` replaces grades that stand by those of today's tests. `cached` counts the
    grades that stood already, `rescored` those that were made without running anything, and `changes` holds the diffs.
    """

    assignment: Assignment
    workers: int
    students: Sequence[str] = ()
    again: bool = False
    apply: bool = False
    cached: int = 0
    rescored: int = 0
    changes: dict[str, Change] = field(default_factory=dict)
    pending: dict[str, _Pending] = field(default_factory=dict)
    prepared: bool = False

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

    @cached_property
    def keys(self) -> Keys:
        return Keys(self.assignment)

    @cached_property
    def verdicts(self) -> dict[str, str]:
        """Of each test cell what its verdict depends on beside the answers."""
        return self.keys.verdicts(self.source)

    @cached_property
    def schemes(self) -> dict[str, str]:
        """The mark schemes of the written answers, by grade_id."""
        return mark_scheme.schemes(self.source)

    @cached_property
    def handed_in(self) -> dict[str, str]:
        """A hash of what each student handed in, as it is when the grading begins."""
        return {name: self.keys.handed_in(name) for name in self.names()}

    @cached_property
    def records(self) -> dict[str, Record]:
        """What is remembered, by student."""
        found = {name: read_record(self.assignment, name) for name in self.names()}
        return {name: record for name, record in found.items() if record is not None}

    def grades(self) -> Generator[Grade, None, None]:
        """Grade what needs grading. What stood already comes first, then what is scored from transcripts, then what is run."""
        reference.require_fresh(self.assignment)
        todo = [name for name in self.names() if self.again or not self._is_fresh(name)]
        with ExitStack() as stack:
            batch = None
            if not all(map(self._has_run, todo)):  # its processes import torch while this one imports nbgrader
                batch = stack.enter_context(self._batch(len(todo)))
            from autograder.gradebook.book import Book

            book = stack.enter_context(Book(self.assignment.course))
            if self.apply or not any(map(self._may_change, todo)):
                self._prepare(book)
            for name in sorted({*self.names()} - {*todo}):
                grade = self.records[name].grade
                if standing := book.standing(self.assignment, grade, self._time(name)):
                    self.cached += 1
                    yield _standing(grade, standing)
                else:  # the database was replaced, or another program wrote into it
                    todo.append(name)
            left = yield from self._rescored(book, todo)
            if left:
                yield from self._judged(book, batch or stack.enter_context(self._batch(len(left))), left)

    def _rescored(self, book: Book, names: list[str]) -> Generator[Grade, None, list[str]]:
        """Score what was run before and can be scored without running it again; the names of the others."""
        left = [name for name in names if not self._has_run(name)]

        def runs() -> Iterator[Earlier]:
            for name in filter(self._has_run, names):
                job, record = self._job(name), self.records[name]
                notebook = self.assignment.autograded_path(name)
                if isinstance(job, Job) and self.pending[name].answers_key == record.answers_key and notebook.is_file():
                    yield job, read_asked(self.assignment, record), notebook.read_bytes(), record.settled(self.verdicts)
                else:
                    left.append(name)

        if len(left) < len(names):
            for name, result in rescored(self.assignment, self.source, self.workers, runs()):
                if result is None:
                    left.append(name)
                else:
                    ran = self.records[name].grade
                    grade = replace(result.grade, seconds=ran.seconds, isolation=ran.isolation)
                    self.rescored += 1
                    yield self._settle(book, replace(result, grade=grade))
        return left

    def _is_fresh(self, student: str) -> bool:
        """Whether nothing that the grade depends on has changed."""
        record = self.records.get(student)
        if not record or record.key != self.keys.grade(self.handed_in[student]):
            return False
        return record.grade.status not in GRADED or self.assignment.autograded_path(student).is_file()

    def _has_run(self, student: str) -> bool:
        """Whether there is a transcript of what is handed in, and it may be used."""
        record = self.records.get(student)
        return bool(record and record.asked and record.handed_in == self.handed_in[student] and not self.again)

    def _may_change(self, student: str) -> bool:
        """Whether a grade of what is handed in stands, and was made with other tests."""
        record = self.records.get(student)
        stands = record and record.grade.status in GRADED and record.handed_in == self.handed_in[student]
        return bool(stands) and not self._is_fresh(student)

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
            yield self._settle(book, result)
            while unreadable:
                yield self._settle(book, Result(unreadable.pop()))
        for grade in unreadable:
            yield self._settle(book, Result(grade))

    def _settle(self, book: Book, result: Result) -> Grade:
        """Write a result, unless it would replace a grade that stands by another and nobody asked for that; what then stands."""
        grade = result.grade
        if grade.status == "failed":
            return grade
        record = self.records.get(grade.student)
        same = record is not None and record.handed_in == self.pending[grade.student].handed_in
        standing = book.standing(self.assignment, record.grade, self._time(grade.student)) if record and same else None
        if (
            record
            and standing
            and self._may_change(grade.student)
            and (why := reasons(record.grade, grade, standing.manual))
        ):
            old = _standing(record.grade, standing)
            self.changes[grade.student] = Change(old, replace(grade, manual=standing.manual), why, self.apply)
            if not self.apply:
                return old
        # Where the database has another grade than we remember, nobody knows what a person marked.
        return self._save(book, result, changed=standing is None)

    def _job(self, student: str) -> Job | Grade:
        """What the judge needs for one submission, or the grade of one that cannot be read."""
        folder = self._submitted(student)
        handed_in = self.keys.handed_in(student)  # now: what is read below must be no older
        self.pending[student] = _Pending(self.keys.grade(handed_in), handed_in)
        try:
            if folder.is_symlink() or folder.parent.is_symlink():
                raise SubmissionError(f"{folder.name} is a symbolic link; hand in the folder itself")
            graded = {str(nb.grade_id(cell)) for cell in nb.known_cells(self.source) if nb.is_graded(cell)}
            submitted, notes = read_submitted(folder, self.assignment.notebook, graded)
            laid = lay(self.source, self.release, submitted)
        except SubmissionError as error:
            cells = {
                str(nb.grade_id(c)): CellGrade(nb.points(c), None) for c in self.source["cells"] if nb.is_graded(c)
            }
            return Grade(student, self.assignment.name, "unreadable", cells, (str(error),))
        self.pending[student] = replace(
            self.pending[student], answers_key=self.keys.answers(laid.notebook), unanswered=laid.unanswered
        )
        return Job(
            student,
            self.assignment.name,
            laid.notebook,
            laid.unanswered,
            (*notes, *laid.notes),
            self.assignment.settings.limits,
            self.assignment.settings.seed,
        )

    def _save(self, book: Book, result: Result, changed: bool) -> Grade:
        self._prepare(book)
        grade = result.grade
        pending = self.pending.pop(grade.student)
        timestamp, written = self._time(grade.student), self._timestamp(grade.student)
        if written and not timestamp:
            grade = replace(
                grade, notes=(*grade.notes, f"timestamp.txt says {written!r}, which is no time; not counted")
            )
        shown = mark_scheme.beside_answers(self.schemes, result.notebook) if result.notebook else b""
        self._write_autograded(grade.student, shown, timestamp)
        standing = book.write(self.assignment, grade, timestamp, pending.unanswered, changed)
        record = Record(grade, pending.key, pending.answers_key, pending.handed_in, verdicts=self.verdicts)
        write_record(self.assignment, record, result.transcript)
        return _standing(grade, standing)

    def _prepare(self, book: Book) -> None:
        """Once, and not for a mere look at what would change: the database's maxima are part of the grades that stand."""
        if not self.prepared:
            book.prepare(self.assignment, self.source)
            self.prepared = True

    def _submitted(self, student: str) -> Path:
        return self.assignment.course.submitted / student / self.assignment.name

    def _timestamp(self, student: str) -> str | None:
        """What stands in timestamp.txt."""
        path = self._submitted(student) / "timestamp.txt"
        with contextlib.suppress(OSError):  # a folder that may not be read, too
            if path.is_file() and not path.is_symlink():
                with path.open("rb") as file:
                    return file.read(240).decode(errors="replace").strip()[:60] or None
        return None

    def _time(self, student: str) -> str | None:
        """The same, if nbgrader can read it."""
        from autograder.gradebook.book import is_time

        text = self._timestamp(student)
        return text if text and is_time(text) else None

    def _write_autograded(self, student: str, notebook: bytes, timestamp: str | None) -> None:
        """The folder that formgrader opens; it takes a submission for autograded when the timestamps agree."""
        folder = self.assignment.autograded_path(student).parent
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
    return replace(grade, notes=notes, manual=standing.manual)
