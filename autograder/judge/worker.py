"""The functions that run in a worker process: it judges one job after another.

Workers are forked from a fork server that has imported PRELOAD and the modules of the test cells, once. Heavy imports are inside
functions here, because the batch's own process also imports this module, to name these functions.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import socket
import sys
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
    from autograder.sandbox.client import ChildKernel

PRELOAD = ("autograder.judge.preload",)

# How much a worker's memory may grow. A test that multiplies a student's huge answer by itself then gets a MemoryError, which
# fails a check, instead of this machine's OOM killer. The course's tests take 35 MB, and a child's largest frames 380 MB.
TEST_BYTES = 4 * 2**30


class Children:
    """Provides children, and always starts the next one in advance, since a kernel takes 0.1 s to start."""

    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self.spare: tuple[ChildLimits, int, ChildKernel] | None = None

    def take(self, limits: ChildLimits, output_bytes: int) -> ChildKernel:
        """Return a child with these limits that is ready for requests; InfrastructureError if it is lost before that."""
        from autograder.sandbox.client import ChildKernel
        from autograder.sandbox.endings import ChildEnded

        spare, self.spare = self.spare, None
        if spare and spare[:2] == (limits, output_bytes):
            child = spare[2]
        else:
            if spare:
                spare[2].close()
            child = ChildKernel(self.control, limits, output_bytes)
        try:
            child.ready()
        except ChildEnded as error:  # no student's code has run in it yet
            raise InfrastructureError(f"a fresh kernel was lost: {error}") from None
        self.spare = (limits, output_bytes, ChildKernel(self.control, limits, output_bytes))
        return child

    def close(self) -> None:
        """End the child that was started in advance."""
        if self.spare:
            self.spare[2].close()


_children: Children | None = None


def start(control: socket.socket, folder: Path | None, environment: dict[str, str]) -> None:
    """Initialize a worker process; its tests run in `folder` with the variables of `environment`."""
    global _children  # noqa: PLW0603  (a worker process has one set of children)
    _prepare(folder, environment)
    _children = Children(control)


def _prepare(folder: Path | None, environment: dict[str, str]) -> None:
    os.environ.update(environment)
    if folder:
        os.chdir(folder)
        _add_to_path(folder)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the batch's own process stops the workers
    signal.pthread_sigmask(
        signal.SIG_SETMASK, set()
    )  # processes that tests start must not inherit the fork server's mask
    confine.die_with_parent()  # the parent is the fork server, which lives as long as any worker; hence the thread as well
    threading.Thread(target=_end_with_batch, daemon=True).start()
    import torch

    torch.set_num_threads(1)
    confine.limit_data(TEST_BYTES)
    # The collector must not look at what the fork server imported: it would write into the pages that workers share, and so
    # copy 0.15 MB per submission.
    gc.freeze()
    gc.enable()


def _add_to_path(folder: Path) -> None:
    """Let tests import the instructor's modules beside the notebook, behind the standard library, as IPython does."""
    index = next(
        (i for i, path in enumerate(sys.path) if path.endswith(("site-packages", "dist-packages"))), len(sys.path)
    )
    sys.path.insert(index, str(folder))
    sys.dont_write_bytecode = True  # a folder of the instructor's notebook is handed out


def _end_with_batch() -> None:
    """End this worker when the batch's process ends, even if that was killed."""
    batch = multiprocessing.parent_process()
    if batch is not None:
        batch.join()
        os._exit(1)


def wake() -> None:
    """Do nothing; the call makes the pool start a worker."""


def work(job: Job) -> Judged:
    """Judge one job."""
    from autograder.checks.recorded import recording
    from autograder.judge.live import judge

    assert _children is not None  # noqa: S101  (for mypy: `start` has run in every worker)
    with ExitStack() as stack:
        recorded = stack.enter_context(recording()) if job.record else {}
        return replace(judge(job, _children.take), recorded=recorded)


def start_scoring(folder: Path | None, environment: dict[str, str]) -> None:
    """Initialize a worker process that only scores earlier runs; it has no children."""
    _prepare(folder, environment)


def rescore(job: Job, run: Run, settled: dict[str, CellGrade]) -> Judged | None:
    """Score an earlier run of a job by today's tests; return None if it has to run again. `settled` is as in `replay.score`."""
    from autograder.judge.replay import NotRecorded, score

    try:
        return score(job, run, settled)
    except NotRecorded:
        return None
