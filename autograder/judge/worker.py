"""What a worker process of a batch does: judges one job after the other, with the next child always warming up.

Workers are forks of a fork server that has imported PRELOAD and what the test cells import, once. The heavy imports stand
inside functions here, for the batch's own process imports this module too, to name these functions.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import socket
import threading
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.errors import InfrastructureError
from autograder.judge.job import Job, Judged
from autograder.records.grade import CellGrade
from autograder.records.run import Run
from autograder.sandbox import confine
from autograder.sandbox.warm import ChildLimits

if TYPE_CHECKING:
    from autograder.sandbox.kernel import ChildKernel

PRELOAD = ("autograder.judge.preload",)

# What a worker may take beyond what it has at its start, so that a test that multiplies a student's huge answer by itself gets
# a MemoryError, a check that fails, and not this machine's OOM killer. The course's tests take 35 MB more than there is at the
# start, the largest frames of a child 380 MB.
TEST_BYTES = 4 * 2**30


class Children:
    """Hands out children, and starts the next one while this one works: a kernel's 0.1 s passes unnoticed."""

    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self.spare: tuple[ChildLimits, int, ChildKernel] | None = None

    def take(self, limits: ChildLimits, output_bytes: int) -> ChildKernel:
        """A child with these limits that takes requests."""
        from autograder.sandbox.ends import ChildEnded
        from autograder.sandbox.kernel import ChildKernel

        spare, self.spare = self.spare, None
        if spare and spare[:2] == (limits, output_bytes):
            child = spare[2]
        else:
            if spare:
                spare[2].close()
            child = ChildKernel(self.control, limits, output_bytes)
        try:
            child.ready()
        except ChildEnded as error:  # before any code of a student's: not the student's doing
            raise InfrastructureError(f"a fresh kernel was lost: {error}") from None
        self.spare = (limits, output_bytes, ChildKernel(self.control, limits, output_bytes))
        return child

    def close(self) -> None:
        if self.spare:
            self.spare[2].close()


_children: Children | None = None


def start(control: socket.socket, folder: Path | None, environment: dict[str, str]) -> None:
    """Initialise this worker process; its tests run in `folder` with `environment`."""
    global _children  # noqa: PLW0603  (a worker process has one set of children)
    _prepare(folder, environment)
    _children = Children(control)


def _prepare(folder: Path | None, environment: dict[str, str]) -> None:
    os.environ.update(environment)
    if folder:
        os.chdir(folder)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the batch's own process stops the workers
    signal.pthread_sigmask(signal.SIG_SETMASK, set())  # what tests start is none of the fork server's
    confine.die_with_parent()  # the fork server; which in turn lives as long as there are workers, so:
    threading.Thread(target=_end_with_batch, daemon=True).start()
    import torch

    torch.set_num_threads(1)
    confine.limit_data(TEST_BYTES)
    # What the fork server imported is here to stay. The collector would walk all of it again and again, and write into, and
    # so copy, every page that the workers share: 0.15 MB a submission.
    gc.freeze()
    gc.enable()


def _end_with_batch() -> None:
    """Be gone with the batch's process, even where it was killed and could tell nobody."""
    batch = multiprocessing.parent_process()
    if batch is not None:
        batch.join()
        os._exit(1)


def awake() -> None:
    """Nothing: whoever asks for it has a worker started."""


def work(job: Job) -> Judged:
    """Judge one job."""
    from autograder.checks.recorded import recording
    from autograder.judge.live import judge

    assert _children is not None  # noqa: S101  (for mypy: `start` has run in every worker)
    with ExitStack() as stack:
        recorded = stack.enter_context(recording()) if job.record else {}
        return replace(judge(job, _children.take), recorded=recorded)


def start_scoring(folder: Path | None, environment: dict[str, str]) -> None:
    """Initialise a worker process that only scores what was run before: it has no children."""
    _prepare(folder, environment)


def rescore(job: Job, run: Run, settled: dict[str, CellGrade]) -> Judged | None:
    """Score an earlier run of a job by today's tests; None where it has to run again."""
    from autograder.judge.replay import NotRecorded, score

    try:
        return score(job, run, settled)
    except NotRecorded:
        return None
