"""The only writer of gradebook.db, through nbgrader's own API: one process, one transaction a submission.

nbgrader's commands, its formgrader and its exporters read the result natively. Manual scores and comments are theirs and
are never touched here.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from sqlalchemy.exc import SAWarning
from sqlalchemy.orm import Session

from autograder.course import Assignment, Course
from autograder.course import notebook as nb
from autograder.errors import CourseError
from autograder.gradebook.database import (
    database_file,
    database_url,
    must_be_whole,
    real_transactions,
    shown,
    told,
    why,
)
from autograder.gradebook.generate import find_alembic, generate
from autograder.records.grade import GRADED, Grade, Mark, Marks, subtract_penalty

logging.getLogger("tornado.application").setLevel(
    logging.CRITICAL
)  # nbgrader puts tracebacks there of what we tell in a line


class Book:
    """A course's gradebook, open. Only one process writes at a time; one that only `reads` does so beside it."""

    def __init__(self, course: Course, reads: bool = False) -> None:
        self.course, self.reads = course, reads

    def __enter__(self) -> Book:
        from nbgrader.api import Gradebook

        url = self._url()
        self._lock = None if self.reads else self._take_lock()
        find_alembic()
        try:
            self.book = Gradebook(url, self.course.course_id)
            if self.book.engine.dialect.name == "sqlite":
                must_be_whole(self.book.engine)
                real_transactions(self.book.engine)
        except Exception as error:
            self._let_go()
            raise CourseError(f"the gradebook {shown(self.course.db_url)} cannot be opened: {why(error)}") from None
        if not self.reads:
            self._private()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.book.close()
        self._let_go()

    def _let_go(self) -> None:
        if self._lock:
            self._lock.close()

    def prepare(self, assignment: Assignment, source: nb.Notebook) -> None:
        """Have the database hold this version of the assignment's cells, as `nbgrader generate_assignment` saves them."""
        with self._reading():
            if self._is_current(assignment, source):
                return
        with tempfile.TemporaryDirectory() as folder:
            generate(assignment, Path(folder), self._url())

    def write(
        self,
        assignment: Assignment,
        grade: Grade,
        timestamp: str | None,
        unanswered: frozenset[str],
        changed: bool = True,
    ) -> Marks:
        """Save one submission's grade; all of it or nothing. Where the files handed in have `changed` since a person marked
        them, that person is asked to look again. Returns what people and the calendar add to it."""
        with self._transaction():
            self.book.update_or_create_student(grade.student)
            when = {"timestamp": timestamp} if timestamp else {}
            submission = self.book.update_or_create_submission(assignment.name, grade.student, **when)
            notebook, names = self._submitted(assignment, grade.student)
            for row in notebook.grades:
                row.auto_score = _automatic(grade, names[row.cell_id])
                marked = row.manual_score is not None
                still = marked and row.needs_manual_grade  # changed before, and not looked at since
                row.needs_manual_grade = changed or still if marked else row.auto_score is None
            for comment in notebook.comments:
                comment.auto_comment = "No response." if names[comment.cell_id] in unanswered else None
            self.book.db.flush()
            self.book.db.refresh(notebook)
            notebook.late_submission_penalty = self._late_penalty(grade.student, submission, notebook)
            return _marks(submission, notebook, names)

    def saved_marks(self, assignment: Assignment, grade: Grade, timestamp: str | None) -> Marks | None:
        """The marks of a grade that was saved before; None where the database does not have this grade, or has other scores or
        another time. A deadline or penalty that was changed meanwhile counts from here on."""
        from nbgrader.api import MissingEntry
        from nbgrader.utils import parse_utc

        with self._reading():
            try:
                submission = self.book.find_submission(assignment.name, grade.student)
                notebook, names = self._submitted(assignment, grade.student)
            except MissingEntry:
                return None
            if any(row.auto_score != _automatic(grade, names[row.cell_id]) for row in notebook.grades):
                return None
            if timestamp and submission.timestamp != parse_utc(timestamp):
                return None
            penalty = self._late_penalty(grade.student, submission, notebook)
            if penalty == notebook.late_submission_penalty:
                return _marks(submission, notebook, names)
        with self._transaction():
            submission = self.book.find_submission(assignment.name, grade.student)
            notebook, names = self._submitted(assignment, grade.student)
            notebook.late_submission_penalty = penalty
            return _marks(submission, notebook, names)

    def _submitted(self, assignment: Assignment, student: str) -> tuple[Any, dict[str, str]]:
        """A submission's notebook, and the names of its cells by their keys; nbgrader's MissingEntry where there is none. Asked
        for its name, each row would read its cell from the database: half of the time of a write."""
        from nbgrader.api import BaseCell

        notebook = self.book.find_submission_notebook(assignment.notebook, assignment.name, student)
        cells = self.book.db.query(BaseCell.id, BaseCell.name).filter(BaseCell.notebook_id == notebook.notebook_id)
        return notebook, {key: name for key, name in cells}  # noqa: C416, rows are no pairs for mypy

    def marks(self, assignment: Assignment, student: str) -> Marks:
        """What people gave for a submission, with their comments, and what the calendar took."""
        from nbgrader.api import MissingEntry

        with self._reading():
            try:
                submission = self.book.find_submission(assignment.name, student)
                notebook, names = self._submitted(assignment, student)
            except MissingEntry:
                return Marks()
            marks = _marks(submission, notebook, names)
            cells = dict(marks.cells)
            for row in notebook.comments:
                name, text = names[row.cell_id], row.manual_comment or ""
                cells[name] = replace(cells.get(name, Mark(None)), comment=text)
            return replace(marks, cells=cells)

    def totals(self) -> list[list[Any]]:
        """A row for every assignment and student, in the columns of nbgrader's own export."""
        with self._reading():
            return [
                self._total(assignment, student)
                for assignment in self.book.assignments
                for student in self.book.students
            ]

    def _total(self, assignment: Any, student: Any) -> list[Any]:
        from nbgrader.api import MissingEntry

        try:
            submission = self.book.find_submission(assignment.name, student.id)
        except MissingEntry:
            timestamp, raw, penalty = "", 0.0, 0.0
        else:
            timestamp = submission.timestamp
            raw, penalty = submission.score, submission.late_submission_penalty
        who = [student.id, student.last_name, student.first_name, student.email]
        row = [
            assignment.name,
            assignment.duedate,
            timestamp,
            *who,
            raw,
            penalty,
            subtract_penalty(raw, penalty),
            assignment.max_score,
        ]
        return ["" if value is None else value for value in row]

    def tasks(self, assignment: Assignment) -> tuple[list[str], list[list[Any]]]:
        """The header and a row for every submission: student, each task's score ("" while it waits for a person), total."""
        from nbgrader.api import MissingEntry

        with self._reading():
            try:
                submissions = self.book.assignment_submissions(assignment.name)
                cells = self.book.find_notebook(assignment.notebook, assignment.name).grade_cells
            except MissingEntry:
                raise CourseError(f"{assignment.name} is not in the gradebook yet; grade it first") from None
            names = [cell.name for cell in cells]
            rows = []
            for submission in sorted(submissions, key=lambda row: str(row.student_id)):
                grades = {row.name: row for notebook in submission.notebooks for row in notebook.grades}
                scores = [
                    "" if grades[n].needs_manual_grade and grades[n].manual_score is None else grades[n].score
                    for n in names
                ]
                penalty = submission.late_submission_penalty
                rows.append([submission.student_id, *scores, penalty, subtract_penalty(submission.score, penalty)])
            return ["student_id", *names, "late_submission_penalty", "score"], rows

    def _is_current(self, assignment: Assignment, source: nb.Notebook) -> bool:
        from nbgrader.api import MissingEntry

        try:
            notebook = self.book.find_notebook(assignment.notebook, assignment.name)
        except MissingEntry:
            return False
        saved = {row.name: (row.source, row.cell_type) for row in notebook.source_cells}
        worth = {row.name: row.max_score for row in notebook.grade_cells}
        tests = {nb.grade_id(c): (nb.source(c), c["cell_type"]) for c in nb.known_cells(source) if nb.is_test(c)}
        names = {nb.grade_id(cell) for cell in nb.known_cells(source)}
        points = {nb.grade_id(cell): nb.points(cell) for cell in nb.known_cells(source) if nb.is_graded(cell)}
        return names == set(saved) and points == worth and all(saved[str(name)] == test for name, test in tests.items())

    def _late_penalty(self, student: str, submission: Any, notebook: Any) -> float | None:
        """By nbgrader's plugin, as the course configures it, within [0, score]."""
        from nbgrader.preprocessors import AssignLatePenalties

        if submission.total_seconds_late <= 0:
            return None
        preprocessor = AssignLatePenalties(config=self.course.config())
        preprocessor.init_plugin()
        penalty = preprocessor.plugin_inst.late_submission_penalty(
            student, notebook.score, submission.total_seconds_late
        )
        return None if penalty is None else min(max(penalty, 0), notebook.score)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        """A read that ends when it is done: one left open would lock out this very process's next write."""
        with told():
            try:
                yield
            finally:
                self.book.db.rollback()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        """What is done inside is committed together: nbgrader's own commits become savepoints of an outer transaction."""
        outer = self.book.db
        try:
            with told(), self.book.engine.connect() as connection, connection.begin():
                # Nobody else writes inside this transaction, so nothing needs to be read anew after each savepoint.
                self.book.db = Session(
                    bind=connection, join_transaction_mode="create_savepoint", expire_on_commit=False
                )
                with warnings.catch_warnings():
                    # nbgrader builds rows before it adds them to the session, and SQLAlchemy mentions each
                    warnings.simplefilter("ignore", SAWarning)
                    try:
                        yield
                        self.book.db.commit()
                    finally:
                        self.book.db.close()
        finally:
            self.book.db = outer

    def _url(self) -> str:
        return database_url(self.course.db_url, self.course.root)

    def _take_lock(self) -> Any:
        folder = self.course.submitted.parent
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / ".lock").open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            raise CourseError(f"another autograder is writing to {folder}; wait for it, or stop it") from None
        return file

    def _private(self) -> None:
        """The database, the autograded notebooks and the transcripts hold the hidden tests: for their owner's eyes, unless
        the course is configured as shared by a group."""
        if self.course.config().get("CourseDirectory", {}).get("groupshared"):
            return
        with contextlib.suppress(OSError):
            for folder in (self.course.autograded, self.course.transcripts):
                folder.mkdir(parents=True, exist_ok=True)
                folder.chmod(0o700)
            if file := database_file(self.course.db_url, self.course.root):
                file.chmod(0o600)


def _automatic(grade: Grade, name: str) -> float | None:
    cell = grade.cells.get(name)
    return cell.score if cell and grade.status in GRADED else None


def _marks(submission: Any, notebook: Any, names: Mapping[str, str]) -> Marks:
    """The marks of a submission without their comments; one that is to be looked at again is stale."""
    late, penalty = submission.total_seconds_late, float(notebook.late_submission_penalty or 0.0)
    lateness = f"handed in {late / 3600:.1f} hours late, penalty {penalty:g}" if late > 0 else ""
    cells = {
        names[row.cell_id]: Mark(row.manual_score, stale=row.needs_manual_grade, extra=row.extra_credit or 0.0)
        if row.manual_score is not None
        else Mark(None, extra=row.extra_credit or 0.0)
        for row in notebook.grades
    }
    return Marks(cells, penalty, lateness)


def read_marks(assignment: Assignment, student: str) -> Marks:
    """The marks of a submission, read beside whoever writes; none where there is no gradebook yet."""
    file = database_file(assignment.course.db_url, assignment.course.root)
    if file and not file.is_file():
        return Marks()
    with Book(assignment.course, reads=True) as book:
        return book.marks(assignment, student)


def is_time(text: str) -> bool:
    """Whether nbgrader can read a timestamp."""
    from nbgrader.utils import parse_utc

    try:
        parse_utc(text)
    except Exception:  # dateutil trusts its input, and raises whatever it stumbles over
        return False
    return True
