"""The one walk through a notebook, whether it runs now or ran before: a run and a grade come of it."""

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
    """What stands for the student: a sandbox in which their cells run, or a run of them that is over."""

    notes: list[str]  # what happened to the student's code

    async def run(self, index: int, cell: Any) -> None:
        """Run the student's cell at `index`; its outputs are in `cell` then."""

    def test(self, scorer: Scorer, cell: Any) -> Scored:
        """Score a test cell on what the student's code answers."""

    @property
    def ended(self) -> str:
        """How the run ended, as a status; "" if at the notebook's end."""

    @property
    def isolation(self) -> tuple[str, ...]:
        """The layers of the sandbox that the run had."""

    @property
    def seconds(self) -> float:
        """How long the run took."""


async def walk(job: Job, notebook: Any, subject: Subject) -> Judged:
    """Go through `notebook`, nbformat's form of `job.notebook`, cell by cell; its outputs are filled in on the way."""
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
        _saved(notebook),
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


def _saved(notebook: Any) -> bytes:
    """As nbformat would write it, but in one line: what indents is written in Python, and takes ten times as long."""
    return json.dumps(strip_transient(notebook), ensure_ascii=False).encode(errors="replace")
