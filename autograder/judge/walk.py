"""Walks through a notebook, for a live run or an earlier one, and returns the run and its grade."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

from nbformat.v4.rwbase import strip_transient

from autograder.course import notebook as nb
from autograder.judge.job import Job, Judged
from autograder.judge.scoring import Scored, Scorer
from autograder.records.grade import CellGrade, Grade
from autograder.records.run import Run
from autograder.records.transcript import Asked, Transcript, dumps


class Subject(Protocol):
    """Represents the student: a sandbox in which their cells run, or an earlier run of them."""

    notes: list[str]  # on losses and cut outputs, in order

    async def run(self, index: int, cell: Any) -> None:
        """Run the student's cell at `index`, and put its outputs into `cell`."""

    def test(self, scorer: Scorer, cell: Any) -> Scored:
        """Score a test cell on the answers of the student's code."""

    @property
    def ended(self) -> str:
        """The run's status if it ended early or lost something; "" otherwise."""

    @property
    def isolation(self) -> tuple[str, ...]:
        """The layers of the run's sandbox."""

    @property
    def seconds(self) -> float:
        """The run's duration, with the start of its first child."""


async def walk(job: Job, notebook: Any, subject: Subject) -> Judged:
    """Judge `notebook`, nbformat's form of `job.notebook`, cell by cell, and put the outputs into it."""
    scorer = Scorer(notebook)
    cells: dict[str, CellGrade] = {}
    asked: dict[str, Asked] = {}
    for index, cell in enumerate(notebook.cells):
        name = str(nb.grade_id(cell))
        if nb.is_test(cell):
            scored = subject.test(scorer, cell)
            cells[name], asked[name] = scored.grade, scored.asked
            continue
        if nb.is_manual(cell):
            cells[name] = CellGrade(nb.points(cell), 0.0 if name in job.unanswered else None)
        if is_run(cell):
            await subject.run(index, cell)
    run = Run(
        job.student,
        job.assignment,
        _serialize(notebook),
        dumps(Transcript(asked)),
        subject.ended,
        tuple(subject.notes),
        subject.isolation,
        subject.seconds,
        job.handed_in,
        job.answers_key,
    )
    return Judged(_grade(job, run, cells), run)


def is_run(cell: Any) -> bool:
    """Whether a cell runs in the sandbox."""
    return bool(cell["cell_type"] == "code" and not nb.is_test(cell) and nb.source(cell).strip())


def _grade(job: Job, run: Run, cells: Mapping[str, CellGrade]) -> Grade:
    troubles = [f"{name}: {cell.trouble}; a person must grade it" for name, cell in cells.items() if cell.trouble]
    status = run.ended or ("mended" if job.notes else "completed")
    notes = (*job.notes, *run.notes, *troubles)
    return Grade(job.student, job.assignment, status, dict(cells), notes, run.isolation, run.seconds)


def _serialize(notebook: Any) -> bytes:
    """Return the notebook as nbformat writes it, but in one line: json's encoder that indents takes ten times as long."""
    return json.dumps(strip_transient(notebook), ensure_ascii=False).encode(errors="replace")
