"""What is remembered of a submission beside the gradebook: its grade, all that the grade depends on, and its transcript.

Two files in gradebook/transcripts/STUDENT/: ASSIGNMENT.asked holds the transcript, and ASSIGNMENT.json, which is written last,
the grade with a hash of that file. So a record is whole or counts as none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.course import Assignment
from autograder.course import notebook as nb
from autograder.errors import CourseError
from autograder.files import write_whole
from autograder.records.grade import CellGrade, Grade
from autograder.records.transcript import Transcript, TranscriptError, loads

HASHES = ("key", "answers_key", "handed_in", "asked")


@dataclass(frozen=True)
class Record:
    """A submission's grade, and hashes: `key` of all that it depends on; `answers_key` of what the student's answers depend on,
    which the tests are not; `handed_in` of the files; `asked` of the transcript's file, "" where none is kept; `verdicts`, by
    test cell, of what its verdict depends on beside the answers."""

    grade: Grade
    key: str
    answers_key: str
    handed_in: str
    asked: str = ""
    verdicts: dict[str, str] = field(default_factory=dict)

    def settled(self, verdicts: Mapping[str, str]) -> dict[str, CellGrade]:
        """The grades of those test cells whose verdict depends on nothing that has changed."""
        cells = self.grade.cells
        return {name: cells[name] for name in cells if name in verdicts and self.verdicts.get(name) == verdicts[name]}


def read_record(assignment: Assignment, student: str) -> Record | None:
    """The record of a submission; None where there is none that can be read."""
    try:
        found: dict[str, Any] = json.loads(transcript_path(assignment, student).read_bytes())
        key, answers_key, handed_in, asked = (str(found.get(name, "")) for name in HASHES)
        verdicts = dict(found.get("verdicts", {}))
        return Record(Grade.from_json(found), key, answers_key, handed_in, asked, verdicts)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def write_record(assignment: Assignment, record: Record, asked: bytes) -> None:
    """Keep a record with its transcript, as `transcript.dumps` has it, in the place of the submission's last one."""
    path = asked_path(assignment, record.grade.student)
    if asked:
        write_whole(path, asked)
    else:
        path.unlink(missing_ok=True)
    hashes = {name: getattr(record, name) for name in HASHES} | {"asked": _hash(asked)}
    kept = {**hashes, "verdicts": record.verdicts, **record.grade.as_json()}
    write_whole(transcript_path(assignment, record.grade.student), json.dumps(kept).encode())


def read_asked(assignment: Assignment, record: Record) -> bytes:
    """The bytes of a record's transcript; b"" where none is kept, or another is."""
    try:
        content = asked_path(assignment, record.grade.student).read_bytes()
    except OSError:
        return b""
    return content if record.asked and _hash(content) == record.asked else b""


def read_transcript(assignment: Assignment, record: Record) -> Transcript | None:
    """A record's transcript; None where none is kept."""
    try:
        return loads(read_asked(assignment, record))
    except TranscriptError:
        return None


def read_autograded(assignment: Assignment, student: str) -> nb.Notebook:
    """A submission's notebook as it was run; one without cells where none is kept."""
    path = assignment.autograded_path(student)
    return nb.read(path) if path.is_file() else {"cells": [], "metadata": {}}


def recorded(assignment: Assignment, students: tuple[str, ...] = ()) -> list[str]:
    """The students whose submissions have a record, or those of them who were asked for; CourseError where one has none."""
    found = sorted(path.parent.name for path in assignment.course.transcripts.glob(f"*/{assignment.name}.json"))
    for name in students:
        folder = assignment.course.submitted / name / assignment.name
        if name not in found and not folder.is_dir():
            raise CourseError(f"{name} has not handed in {assignment.name}: {folder}")
        if name not in found:
            raise CourseError(
                f"{name} has no grade for {assignment.name} yet; `autograder grade {assignment.name}` first"
            )
    if not found:
        raise CourseError(f"nothing is graded yet; `autograder grade {assignment.name}` first")
    return [name for name in found if not students or name in students]


def transcript_path(assignment: Assignment, student: str) -> Path:
    """The file of the grade."""
    return assignment.course.transcripts / student / f"{assignment.name}.json"


def asked_path(assignment: Assignment, student: str) -> Path:
    """The file of what was asked and answered."""
    return assignment.course.transcripts / student / f"{assignment.name}.asked"


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest() if content else ""
