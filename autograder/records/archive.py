"""Opens graded submissions for feedback, reports and explanations."""

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
    """A graded submission: its grade, its run (None if it is not kept), and the assignment's known answers."""

    grade: Grade
    run: Run | None
    known: Known

    @cached_property
    def notebook(self) -> nb.Notebook:
        """The executed notebook; one without cells if the run is not kept."""
        notebook: nb.Notebook = json.loads(self.run.notebook) if self.run else {"cells": [], "metadata": {}}
        return notebook

    @cached_property
    def asked(self) -> Mapping[str, Asked] | None:
        """What each test cell asked, by grade_id; None if no transcript is kept."""
        transcript = self.run.transcript if self.run else None
        return transcript.cells if transcript else None

    @cached_property
    def diagnoses(self) -> dict[str, Diagnosis]:
        """The diagnosis of each task that lost points, by its answer cell."""
        return diagnose(self.known, self.grade, self.asked)

    @cached_property
    def diagnosed_cells(self) -> dict[str, Diagnosis]:
        """The same diagnoses, by the test cell that failed."""
        return {each.cell: each for each in self.diagnoses.values()}


class Archive:
    """The graded submissions of one assignment, whose known answers are read once."""

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment
        self.source = nb.read(assignment.source_path)
        self.known = known_answers.read(assignment, self.source)

    def open(self, student: str) -> Graded:
        """Open a student's graded submission; CourseError if its record cannot be read."""
        record = read_record(self.assignment, student)
        if record is None:
            path = record_path(self.assignment, student)
            raise CourseError(f"cannot read {path}; `autograder grade {self.assignment.name}` writes it again")
        return Graded(record.grade, read_run(self.assignment, record), self.known)
