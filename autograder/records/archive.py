"""The one place that opens what is kept of a graded submission: for feedback, reports and explanations."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from autograder.course import Assignment
from autograder.course import notebook as nb
from autograder.errors import CourseError
from autograder.records import known as known_answers
from autograder.records.diagnose import Diagnosis, diagnose
from autograder.records.grade import Grade
from autograder.records.known import Known
from autograder.records.run import Run
from autograder.records.store import read_record, read_run, record_path
from autograder.records.transcript import Asked


@dataclass(frozen=True)
class Graded:
    """A graded submission as it is kept: its grade, its run (None where none is kept), and what the assignment knows of
    mistakes."""

    grade: Grade
    run: Run | None
    known: Known

    @cached_property
    def notebook(self) -> nb.Notebook:
        """The executed notebook; one without cells where none is kept."""
        notebook: nb.Notebook = json.loads(self.run.notebook) if self.run else {"cells": [], "metadata": {}}
        return notebook

    @cached_property
    def asked(self) -> Mapping[str, Asked] | None:
        """What each test cell asked, by grade_id; None where no transcript is kept."""
        transcript = self.run.transcript if self.run else None
        return transcript.cells if transcript else None

    @cached_property
    def diagnoses(self) -> dict[str, Diagnosis]:
        """What went wrong, by answer cell."""
        return diagnose(self.known, self.grade, self.asked)

    @cached_property
    def diagnosed_cells(self) -> dict[str, Diagnosis]:
        """What went wrong, by the test cell that shows it."""
        return {each.cell: each for each in self.diagnoses.values()}


class Archive:
    """The graded submissions of one assignment. Its known answers are read once."""

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment
        self.source = nb.read(assignment.source_path)
        self.known = known_answers.read(assignment, self.source)

    def open(self, student: str) -> Graded:
        """A student's graded submission; CourseError where its record cannot be read."""
        record = read_record(self.assignment, student)
        if record is None:
            path = record_path(self.assignment, student)
            raise CourseError(f"{path} cannot be read; `autograder grade {self.assignment.name}` writes it again")
        return Graded(record.grade, read_run(self.assignment, record), self.known)
