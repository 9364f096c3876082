"""Walks one laid-out notebook: student cells in, test cells here, one result out."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError
from nbformat import from_dict

from autograder.checks import comparisons
from autograder.course import notebook as nb
from autograder.errors import InfrastructureError
from autograder.judge.job import Job
from autograder.judge.scoring import Scorer, error_output
from autograder.judge.session import Session
from autograder.records.grade import CellGrade, Grade
from autograder.records.transcript import Asked, Transcript
from autograder.sandbox.ends import ChildEnded, RemoteError
from autograder.sandbox.kernel import ChildKernel
from autograder.sandbox.warm import ChildLimits

# What a test cell may take of the judge's own time when the submission's is over. Of the course's, the slowest takes 1.1 s of it
# on two cores with five times the work that they can do, nearly all of it the first import of hypothesis.
TEST_SECONDS = 20

logging.getLogger("traitlets").setLevel(logging.CRITICAL)  # nbclient logs each timeout; the status says it


@dataclass(frozen=True)
class Judged:
    """A submission's grade, its notebook with outputs, what was asked of it, and what each test cell compared, if the job asks
    for that."""

    grade: Grade
    notebook: nb.Notebook
    transcript: Transcript
    compared: dict[str, comparisons.Shares] = field(default_factory=dict)


def judge(job: Job, take: Callable[[ChildLimits, int], ChildKernel]) -> Judged:
    """Judge one submission in children that `take` hands out, for given limits and bytes of output a cell."""
    limits = job.limits
    child_limits = ChildLimits(
        memory=limits.memory_mb * 2**20,
        tmp=limits.disk_mb * 2**20,
        processes=limits.processes,
        cpu_seconds=limits.submission_seconds * 2,
        seed=job.seed,
    )
    return asyncio.run(_judge(job, lambda: take(child_limits, limits.output_mb * 2**20)))


async def _judge(job: Job, new_child: Callable[[], ChildKernel]) -> Judged:
    # A lost child's tasks end in errors that nobody awaits.
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    started = time.monotonic()
    notebook = from_dict(job.notebook)
    session = Session(new_child, job.limits)
    walk = _Walk(job, notebook, session)
    try:
        for index, cell in enumerate(notebook.cells):
            await walk.cell(index, cell)
    finally:
        session.close()
    ended = session.losses[0].why if session.losses else "output limit" if walk.dropped else ""
    notes = (*job.notes, *walk.notes, *troubles(walk.cells))
    seconds = time.monotonic() - started
    grade = Grade(job.student, job.assignment, ended_as(ended, job), walk.cells, notes, job.isolation, seconds)
    return Judged(grade, notebook, Transcript(walk.asked, ended, tuple(walk.notes)), walk.compared)


class _Walk:
    def __init__(self, job: Job, notebook: Any, session: Session) -> None:
        self.job, self.notebook, self.session = job, notebook, session
        self.client = NotebookClient(notebook, allow_errors=True, coalesce_streams=True, record_timing=False)
        self.scorer = Scorer(notebook)
        self.cells: dict[str, CellGrade] = {}
        self.asked: dict[str, Asked] = {}
        self.notes: list[str] = []
        self.compared: dict[str, comparisons.Shares] = {}
        self.dropped = 0

    async def cell(self, index: int, cell: Any) -> None:
        if nb.is_test(cell):
            self.test(cell)
        elif nb.is_manual(cell):
            left_blank = nb.grade_id(cell) in self.job.unanswered
            self.cells[str(nb.grade_id(cell))] = CellGrade(nb.points(cell), 0.0 if left_blank else None)
        if cell.cell_type == "code" and not nb.is_test(cell) and cell.source.strip():
            await self.run(index, cell)

    async def run(self, index: int, cell: Any) -> None:
        """Run one cell in the sandbox; one that loses the child is told so in its output, and the walk goes on."""
        where = nb.grade_id(cell) or f"cell {index + 1}"
        if gone := self.session.exhausted:
            cell.outputs = [error_output("NotRun", f"not run: {gone}")]
            if self.session.refuse(gone):
                self.notes.append(f"{where} and the cells after it were not run: {gone}")
            return
        kernel = self.session.kernel
        left = self.session.seconds_left
        self.client.kc, self.client.timeout = kernel, max(1, int(min(self.job.limits.cell_seconds, left)))
        try:
            await self.client.async_execute_cell(cell, index)
            self.session.executed.append(cell.source)
        except InfrastructureError:
            raise
        except Exception as error:
            loss = _loss(error, self.client.timeout)
            cell.outputs.append(error_output(loss.why.title().replace(" ", ""), str(loss)))
            self.notes.append(f"{where} {loss.why}: {loss}; the cells after it ran in a fresh process")
            self.session.lost(loss)
        if kernel.output_dropped:
            self.dropped += 1
            note = f"outputs beyond {self.job.limits.output_mb} MB were left out of {where}"
            cell.outputs.append(from_dict({"output_type": "stream", "name": "stderr", "text": f"[{note}]\n"}))
            self.notes.append(note)

    def test(self, cell: Any) -> None:
        """Run one test cell here, and leave in its outputs what stock nbgrader would read the same score from."""
        name, losses = str(nb.grade_id(cell)), len(self.session.losses)
        seconds = self.session.seconds_left + self.job.limits.call_seconds + TEST_SECONDS
        with comparisons.recording(self.job.measure) as self.compared[name]:
            scored = self.scorer.score(cell, self.session, seconds)
        if self.session.fault:
            raise self.session.fault  # ours, whatever the test cell made of it: the submission is tried again
        self.cells[name], self.asked[name] = scored.grade, scored.asked
        cell.outputs += scored.outputs
        self.notes += [f"{name}: the code {loss.why}: {loss}" for loss in self.session.losses[losses:]]
        if not self.session.exhausted and self.session.kernel.is_alive():
            with contextlib.suppress(ChildEnded, RemoteError):  # a child lost by it has been replaced
                self.session.request("forget")


def ended_as(ended: str, job: Job) -> str:
    """A run's status, by how it `ended`, if not as it should."""
    return ended or ("mended" if job.notes else "completed")


def troubles(cells: dict[str, CellGrade]) -> list[str]:
    """Notes on the test cells that a person must look at."""
    return [f"{name}: {cell.trouble}; a person must grade it" for name, cell in cells.items() if cell.trouble]


def _loss(error: Exception, seconds: int | None) -> ChildEnded:
    if isinstance(error, ChildEnded):
        return error
    if isinstance(error, CellTimeoutError):
        return ChildEnded("timed out", f"it ran for over {seconds} s")
    return ChildEnded("died", f"its kernel sent what is no message: {type(error).__name__}"[:200])
