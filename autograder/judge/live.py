"""Judges a submission live: its cells run in a sandbox, which also answers its test cells."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError
from nbformat import from_dict

from autograder.checks import comparisons
from autograder.course import notebook as nb
from autograder.errors import InfrastructureError
from autograder.judge import scoring
from autograder.judge.job import Job, Judged
from autograder.judge.scoring import Scored, Scorer
from autograder.judge.session import Session
from autograder.judge.walk import walk
from autograder.sandbox.client import ChildKernel
from autograder.sandbox.endings import ChildEnded, RemoteError
from autograder.sandbox.warm import ChildLimits

logging.getLogger("traitlets").setLevel(logging.CRITICAL)  # nbclient logs each timeout; the status says it


def judge(job: Job, take: Callable[[ChildLimits, int], ChildKernel]) -> Judged:
    """Judge one submission in children that `take` returns for their limits and the bytes of output that each cell may have;
    InfrastructureError or IsolationError if no child can be had."""
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
    # A lost child's tasks end in errors that nothing awaits.
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    notebook = from_dict(job.notebook)
    subject = LiveRun(job, notebook, new_child)
    try:
        judged = await walk(job, notebook, subject)
    finally:
        subject.session.close()
    return replace(judged, compared=subject.compared)


class LiveRun:
    """A subject (see `walk`) whose cells run now, in children that `new_child` starts."""

    def __init__(self, job: Job, notebook: Any, new_child: Callable[[], ChildKernel]) -> None:
        self.started = time.monotonic()  # the start of the first child counts
        self.job, self.session = job, Session(new_child, job.limits, sum(map(nb.is_test, notebook.cells)))
        self.client = NotebookClient(notebook, allow_errors=True, coalesce_streams=True, record_timing=False)
        # A page without a widget's script does not answer it either. nbclient would answer for an Output widget, over a channel
        # that `ChildKernel` does not have.
        self.client.handle_comm_msg = lambda *_: None
        self.isolation = job.isolation
        self.notes: list[str] = []
        self.compared: dict[str, comparisons.Shares] = {}
        self.has_dropped_output = False

    @property
    def ended(self) -> str:
        """The first loss as a status, "output limit" if outputs were cut, or ""."""
        if self.session.losses:
            return self.session.losses[0].why
        return "output limit" if self.has_dropped_output else ""

    @property
    def seconds(self) -> float:
        """The time since the start of the first child."""
        return time.monotonic() - self.started

    async def run(self, index: int, cell: Any) -> None:
        """Run one cell in the sandbox; if it loses the child, its output says so, and the walk goes on."""
        label = nb.grade_id(cell) or f"cell {index + 1}"
        if reason := self.session.stop_reason:
            cell.outputs = [_error_output("NotRun", f"not run: {reason}")]
            if self.session.refuse(reason):
                self.notes.append(f"{label} and the cells after it were not run: {reason}")
            return
        kernel = self.session.kernel
        seconds = min(self.job.limits.cell_seconds, self.session.budget.cell_left)
        self.client.kc, self.client.timeout = kernel, max(1, int(seconds))
        try:
            started = time.monotonic()
            await self.client.async_execute_cell(cell, index)
            self.session.cells.append(cell.source)
            self.session.cells_seconds += time.monotonic() - started
        except InfrastructureError:
            raise
        except Exception as error:
            loss = _describe_loss(error, self.client.timeout)
            cell.outputs.append(_error_output(loss.why.title().replace(" ", ""), str(loss)))
            self.notes.append(f"{label} {loss.why}: {loss}; the cells after it ran in a fresh process")
            self.session.replace_child(loss)
        if kernel.output_dropped:
            self.has_dropped_output = True
            note = f"outputs beyond {self.job.limits.output_mb} MB were left out of {label}"
            cell.outputs.append(from_dict({"output_type": "stream", "name": "stderr", "text": f"[{note}]\n"}))
            self.notes.append(note)

    def test(self, scorer: Scorer, cell: Any) -> Scored:
        """Run one test cell here; the child answers its questions."""
        name, losses = str(nb.grade_id(cell)), len(self.session.losses)
        seconds = self.session.test_seconds + scoring.TEST_SECONDS
        with comparisons.recording(self.job.measure) as self.compared[name]:
            scored = scorer.score(cell, self.session, seconds)
        if self.session.fault:
            raise self.session.fault  # even if a check swallowed it: the fault is ours, and the submission is tried again
        self.notes += [f"{name}: the code {loss.why}: {loss}" for loss in self.session.losses[losses:]]
        if not self.session.stop_reason and self.session.kernel.is_alive():
            with contextlib.suppress(ChildEnded, RemoteError):  # a child that this ends has been replaced
                self.session.request("forget")
        self._run_visible_test(cell)
        self.session.next_task(scoring.TEST_SECONDS)
        return scored

    def _run_visible_test(self, cell: Any) -> None:
        """Run a test's visible part in the sandbox, if later cells read its names; what comes of it does not matter."""
        text, session = nb.visible_test(cell), self.session
        if text and not session.stop_reason and session.budget.cell_left:
            try:
                session.kernel.run_silently(text, min(self.job.limits.cell_seconds, session.budget.cell_left))
                session.cells.append(text)
            except ChildEnded as loss:
                self.notes.append(
                    f"the names of {nb.grade_id(cell)} are missing, which later cells read: its test {loss.why}"
                )
                session.replace_child(loss)


def _error_output(name: str, value: str) -> Any:
    """Return the output of a cell that raised."""
    return from_dict({"output_type": "error", "ename": name, "evalue": value, "traceback": [f"{name}: {value}"]})


def _describe_loss(error: Exception, seconds: int | None) -> ChildEnded:
    """Return how the child was lost to a cell that raised `error` in the judge and had `seconds` to run."""
    if isinstance(error, ChildEnded):
        return error
    if isinstance(error, CellTimeoutError):
        return ChildEnded("timed out", f"it ran for over {seconds} s")
    return ChildEnded("died", f"its kernel sent what is no message: {type(error).__name__}"[:200])
