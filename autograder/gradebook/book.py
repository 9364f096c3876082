"""Reads and writes the gradebook through nbgrader's API, one transaction per submission.

Only one process writes at a time. nbgrader's commands, Formgrader and exporters read the result as their own. Points and
comments that people give are never changed here.
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
    check_integrity,
    database_file,
    database_url,
    describe_error,
    enable_transactions,
    hide_password,
    one_line_errors,
)
from autograder.gradebook.generate import generate, put_alembic_on_path
from autograder.records.grade import GRADED, Grade, Mark, Marks, subtract_penalty

# nbgrader logs tracebacks here of errors that we report in one line.
logging.getLogger("tornado.application").setLevel(logging.CRITICAL)


class Book:
    """A course's open gradebook.

    Entering it raises CourseError if another process is writing, or if the database cannot be opened. A book that only `reads`
    can be open beside the one that writes.
    """

    def __init__(self, course: Course, reads: bool = False) -> None:
        self.course, self.reads = course, reads

    def __enter__(self) -> Book:
        from nbgrader.api import Gradebook

        url = self._url()
        self._lock = None if self.reads else self._take_lock()
        put_alembic_on_path()
        try:
            self.book = Gradebook(url, self.course.course_id)
            if self.book.engine.dialect.name == "sqlite":
                check_integrity(self.book.engine)
                enable_transactions(self.book.engine)
        except Exception as error:
            self._release_lock()
            url = hide_password(self.course.db_url)
            raise CourseError(f"the gradebook {url} cannot be opened: {describe_error(error)}") from None
        if not self.reads:
            self._restrict_access()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.book.close()
        self._release_lock()

    def _release_lock(self) -> None:
        if self._lock:
            self._lock.close()

    def prepare(self, assignment: Assignment, source: nb.Notebook) -> None:
        """Save today's cells of the assignment as `nbgrader generate_assignment` does, unless the database has them."""
        with self._read_transaction():
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
        """Save one submission's grade, all of it or nothing, and return its marks. If the files handed in have `changed`, every
        mark becomes stale: a person must look at it again. `unanswered` are the written answers that are as released."""
        with self._write_transaction():
            self.book.update_or_create_student(grade.student)
            columns = {"timestamp": timestamp} if timestamp else {}
            submission = self.book.update_or_create_submission(assignment.name, grade.student, **columns)
            notebook, names = self._find_notebook(assignment, grade.student)
            for row in notebook.grades:
                row.auto_score = find_score(grade, names[row.cell_id])
                is_marked = row.manual_score is not None
                is_stale = is_marked and row.needs_manual_grade  # from an earlier change
                row.needs_manual_grade = changed or is_stale if is_marked else row.auto_score is None
            for comment in notebook.comments:
                comment.auto_comment = "No response." if names[comment.cell_id] in unanswered else None
            self.book.db.flush()
            self.book.db.refresh(notebook)
            notebook.late_submission_penalty = self._compute_late_penalty(grade.student, submission, notebook)
            return _collect_marks(submission, notebook, names)

    def find_saved_marks(self, assignment: Assignment, grade: Grade, timestamp: str | None) -> Marks | None:
        """Return the marks of a grade that was saved before; None if the database lacks it, or has other scores or another time.

        The late penalty is computed again and saved if it is another one, because the deadline may have been changed.
        """
        from nbgrader.api import MissingEntry
        from nbgrader.utils import parse_utc

        with self._read_transaction():
            try:
                submission = self.book.find_submission(assignment.name, grade.student)
                notebook, names = self._find_notebook(assignment, grade.student)
            except MissingEntry:
                return None
            if any(row.auto_score != find_score(grade, names[row.cell_id]) for row in notebook.grades):
                return None
            if timestamp and submission.timestamp != parse_utc(timestamp):
                return None
            penalty = self._compute_late_penalty(grade.student, submission, notebook)
            if penalty == notebook.late_submission_penalty:
                return _collect_marks(submission, notebook, names)
        with self._write_transaction():
            submission = self.book.find_submission(assignment.name, grade.student)
            notebook, names = self._find_notebook(assignment, grade.student)
            notebook.late_submission_penalty = penalty
            return _collect_marks(submission, notebook, names)

    def _find_notebook(self, assignment: Assignment, student: str) -> tuple[Any, dict[str, str]]:
        """Find a submission's notebook, and the names of its cells by their ids; nbgrader's MissingEntry if there is none.

        The names are read at once: each row would read its own from the database, which takes half of the time of a write.
        """
        from nbgrader.api import BaseCell

        notebook = self.book.find_submission_notebook(assignment.notebook, assignment.name, student)
        cells = self.book.db.query(BaseCell.id, BaseCell.name).filter(BaseCell.notebook_id == notebook.notebook_id)
        return notebook, {key: name for key, name in cells}  # noqa: C416, mypy does not know that a row is a pair

    def read_marks(self, assignment: Assignment, student: str) -> Marks:
        """Read the marks of a submission, with comments and late penalty; none if it is not in the gradebook."""
        from nbgrader.api import MissingEntry

        with self._read_transaction():
            try:
                submission = self.book.find_submission(assignment.name, student)
                notebook, names = self._find_notebook(assignment, student)
            except MissingEntry:
                return Marks()
            marks = _collect_marks(submission, notebook, names)
            cells = dict(marks.cells)
            for row in notebook.comments:
                name, text = names[row.cell_id], row.manual_comment or ""
                cells[name] = replace(cells.get(name, Mark(None)), comment=text)
            return replace(marks, cells=cells)

    def list_totals(self) -> list[list[Any]]:
        """List a row for every assignment and student, in the columns of nbgrader's own export."""
        with self._read_transaction():
            return [
                self._make_total(assignment, student)
                for assignment in self.book.assignments
                for student in self.book.students
            ]

    def _make_total(self, assignment: Any, student: Any) -> list[Any]:
        from nbgrader.api import MissingEntry

        try:
            submission = self.book.find_submission(assignment.name, student.id)
        except MissingEntry:
            timestamp, raw, penalty = "", 0.0, 0.0
        else:
            timestamp = submission.timestamp
            raw, penalty = submission.score, submission.late_submission_penalty
        identity = [student.id, student.last_name, student.first_name, student.email]
        row = [
            assignment.name,
            assignment.duedate,
            timestamp,
            *identity,
            raw,
            penalty,
            subtract_penalty(raw, penalty),
            assignment.max_score,
        ]
        return ["" if value is None else value for value in row]

    def list_tasks(self, assignment: Assignment) -> tuple[list[str], list[list[Any]]]:
        """Return a header, and a row for every submission: student, each task's score ("" while it waits for a person), late
        penalty, total. CourseError if the assignment is not in the gradebook."""
        from nbgrader.api import MissingEntry

        with self._read_transaction():
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
        """Return whether the database has the cells, points and tests of `source`."""
        from nbgrader.api import MissingEntry

        try:
            notebook = self.book.find_notebook(assignment.notebook, assignment.name)
        except MissingEntry:
            return False
        saved_cells = {row.name: (row.source, row.cell_type) for row in notebook.source_cells}
        saved_points = {row.name: row.max_score for row in notebook.grade_cells}
        tests = {nb.grade_id(c): (nb.source(c), c["cell_type"]) for c in nb.known_cells(source) if nb.is_test(c)}
        names = {nb.grade_id(cell) for cell in nb.known_cells(source)}
        points = {nb.grade_id(cell): nb.points(cell) for cell in nb.known_cells(source) if nb.is_graded(cell)}
        if names != set(saved_cells) or points != saved_points:
            return False
        return all(saved_cells[str(name)] == test for name, test in tests.items())

    def _compute_late_penalty(self, student: str, submission: Any, notebook: Any) -> float | None:
        """Compute the late penalty with nbgrader's plugin as the course configures it, within [0, score]."""
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
    def _read_transaction(self) -> Iterator[None]:
        """A transaction for reading, which ends with the block: an open one would block this process's next write."""
        with one_line_errors():
            try:
                yield
            finally:
                self.book.db.rollback()

    @contextlib.contextmanager
    def _write_transaction(self) -> Iterator[None]:
        """A transaction for writing: nbgrader's own commits in the block become savepoints in it."""
        outer = self.book.db
        try:
            with one_line_errors(), self.book.engine.connect() as connection, connection.begin():
                # Nobody else writes inside this transaction, so nothing needs to be read again after a savepoint.
                self.book.db = Session(
                    bind=connection, join_transaction_mode="create_savepoint", expire_on_commit=False
                )
                with warnings.catch_warnings():
                    # nbgrader makes rows before it adds them to the session, and SQLAlchemy warns of each
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
            raise CourseError(f"another autograder is writing to {folder}; wait for it or stop it") from None
        return file

    def _restrict_access(self) -> None:
        """Let only the owner read the database, the autograded notebooks and the transcripts, because they hold the hidden tests;
        unless the course is configured as shared by a group."""
        if self.course.config().get("CourseDirectory", {}).get("groupshared"):
            return
        with contextlib.suppress(OSError):
            for folder in (self.course.autograded, self.course.transcripts):
                folder.mkdir(parents=True, exist_ok=True)
                folder.chmod(0o700)
            if file := database_file(self.course.db_url, self.course.root):
                file.chmod(0o600)


def find_score(grade: Grade, name: str) -> float | None:
    """Return the automatic score of a cell, as the gradebook has it; None if a person must mark it."""
    cell = grade.cells.get(name)
    return cell.score if cell and grade.status in GRADED else None


def _collect_marks(submission: Any, notebook: Any, names: Mapping[str, str]) -> Marks:
    """Collect the marks of a submission from the database's rows, without comments."""
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
    """Read the marks of a submission, even while another process writes; none if there is no gradebook yet."""
    file = database_file(assignment.course.db_url, assignment.course.root)
    if file and not file.is_file():
        return Marks()
    with Book(assignment.course, reads=True) as book:
        return book.read_marks(assignment, student)
