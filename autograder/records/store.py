"""Reads and writes the two files that are kept of a graded submission: its record and its run.

They are in gradebook/transcripts/STUDENT/: ASSIGNMENT.run holds the run; ASSIGNMENT.json, written last, holds the grade, a hash
of the run's file, and hashes of all that the grade depends on. A record that is damaged counts as missing.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from autograder.course import Assignment
from autograder.errors import CourseError
from autograder.files import write_whole
from autograder.records.grade import STATUSES, CellGrade, Grade
from autograder.records.run import Run, pack, unpack


@dataclass(frozen=True)
class Record:
    """A submission's grade, and hashes of what it depends on.

    `key` covers all of that, `handed_in` the files, `answers_key` what the student's answers depend on (the tests do not count),
    and `verdicts`, by test cell, what its verdict depends on except for the answers. `run` is a hash of the run's file, "" if no
    run is kept. `timestamp` is the time of handing in that was written to the gradebook, "" if there was none.
    """

    grade: Grade
    key: str
    handed_in: str
    answers_key: str = ""
    run: str = ""
    verdicts: Mapping[str, str] = field(default_factory=dict)
    timestamp: str = ""

    def select_unchanged_cells(self, verdicts: Mapping[str, str]) -> dict[str, CellGrade]:
        """Select the grades of those test cells of which nothing has changed that their verdict depends on; `verdicts` are
        today's hashes."""
        cells = self.grade.cells
        return {name: cells[name] for name in cells if name in verdicts and self.verdicts.get(name) == verdicts[name]}


class _RecordFile(msgspec.Struct):
    """The content of a record's file."""

    student: str
    assignment: str
    status: str
    cells: dict[str, CellGrade]
    notes: tuple[str, ...]
    isolation: tuple[str, ...]
    seconds: float
    key: str = ""
    handed_in: str = ""
    answers_key: str = ""
    run: str = ""
    verdicts: dict[str, str] = {}
    timestamp: str = ""

    def to_record(self) -> Record:
        """Return the record; ValueError for an unknown status, or points that are not finite."""
        points = [number for cell in self.cells.values() for number in _list_points(cell)]
        if self.status not in STATUSES or not all(map(math.isfinite, points)):
            raise ValueError("not a grade")
        grade = Grade(self.student, self.assignment, self.status, self.cells, self.notes, self.isolation, self.seconds)
        return Record(grade, self.key, self.handed_in, self.answers_key, self.run, self.verdicts, self.timestamp)


def _list_points(cell: CellGrade) -> Iterator[float]:
    yield cell.max_score
    yield from (check.points for check in cell.checks)
    if cell.score is not None:
        yield cell.score


def read_record(assignment: Assignment, student: str) -> Record | None:
    """Read the record of a submission; None if it is missing, damaged, or that of another submission."""
    try:
        record = parse_record(record_path(assignment, student).read_bytes())
    except OSError:
        return None
    is_own = record and (record.grade.student, record.grade.assignment) == (student, assignment.name)
    return record if is_own else None


def parse_record(content: bytes) -> Record | None:
    """Parse a record's file, or the grade in a line of `grade --json`; None for anything else."""
    try:
        return msgspec.json.decode(content, type=_RecordFile).to_record()
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        return None


def write_record(assignment: Assignment, record: Record, run: Run | None) -> None:
    """Replace a submission's record and run. The hash of the run's file is computed here, whatever `record.run` is."""
    path = run_path(assignment, record.grade.student)
    content = pack(run) if run else b""
    if run:
        write_whole(path, content)
    else:
        path.unlink(missing_ok=True)
    grade = record.grade
    file = _RecordFile(
        student=grade.student,
        assignment=grade.assignment,
        status=grade.status,
        cells=grade.cells,
        notes=grade.notes,
        isolation=grade.isolation,
        seconds=grade.seconds,
        key=record.key,
        handed_in=record.handed_in,
        answers_key=record.answers_key,
        run=_hash(content),
        verdicts=dict(record.verdicts),
        timestamp=record.timestamp,
    )
    write_whole(record_path(assignment, grade.student), msgspec.json.encode(file))


def read_run(assignment: Assignment, record: Record) -> Run | None:
    """Read the run of a record; None if it is missing, damaged, or was written with another record."""
    try:
        content = run_path(assignment, record.grade.student).read_bytes()
        return unpack(content) if record.run and _hash(content) == record.run else None
    except (OSError, ValueError):
        return None


def list_graded_students(assignment: Assignment, students: tuple[str, ...] = ()) -> list[str]:
    """List the students whose submissions have a record, or only `students`; CourseError if one of these has none."""
    names = sorted(path.parent.name for path in assignment.course.transcripts.glob(f"*/{assignment.name}.json"))
    for name in students:
        folder = assignment.course.submitted / name / assignment.name
        if name not in names and not folder.is_dir():
            raise CourseError(f"{name} has not handed in {assignment.name}: {folder}")
        if name not in names:
            raise CourseError(
                f"{name} has no grade for {assignment.name} yet; `autograder grade {assignment.name}` first"
            )
    if not names:
        raise CourseError(f"nothing is graded yet; `autograder grade {assignment.name}` first")
    return [name for name in names if not students or name in students]


def record_path(assignment: Assignment, student: str) -> Path:
    """Return the path of a submission's record."""
    return assignment.course.transcripts / student / f"{assignment.name}.json"


def run_path(assignment: Assignment, student: str) -> Path:
    """Return the path of a submission's run."""
    return assignment.course.transcripts / student / f"{assignment.name}.run"


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest() if content else ""
