"""Many submissions: one warm process, some workers, results as they come.

A worker that dies, or a warm process that does, is an infrastructure fault: everything is started anew and the jobs that
were under way are tried again, three times at most; then the submission is reported as failed, and never scored. Where not
even a notebook with nothing in it can be judged any more, the batch stops.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from functools import cache
from multiprocessing.forkserver import ensure_running
from pathlib import Path
from types import MappingProxyType
from typing import IO, TypeVar

from autograder.course import Assignment, Limits
from autograder.course import notebook as nb
from autograder.errors import AutograderError, InfrastructureError
from autograder.judge import worker
from autograder.judge.imports import judge_imports, student_imports
from autograder.judge.job import Job, Judged
from autograder.records.grade import Grade
from autograder.sandbox.jail import ONE_THREAD, Outfit
from autograder.sandbox.warm import Warm

T = TypeVar("T")

ATTEMPTS = 3
# Nobody's submission: what cannot judge this can judge none.
NOTHING: nb.Notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}


class Batch:
    """Judges jobs of one assignment in `workers` processes. What its tests import, and what students' cells do, is imported
    once for all; tests run in `folder`, where its files lie.

    Entering it starts everything and waits for nothing: what the caller does next passes while torch is imported.
    """

    def __init__(
        self, workers: int, modules: Sequence[str] = (), outfit: Outfit | None = None, folder: Path | None = None
    ) -> None:
        self.workers, self.modules, self.outfit, self.folder = workers, list(modules), outfit or Outfit(), folder
        self.stack = ExitStack()

    @classmethod
    def of(
        cls, assignment: Assignment, source: nb.Notebook, workers: int, more: Mapping[str, str] = MappingProxyType({})
    ) -> Batch:
        """A batch for submissions of this assignment, whose instructor's notebook is `source`; `more` variables than its
        own."""
        settings = assignment.settings
        environment = {**settings.environment, **more}
        outfit = Outfit(student_imports(source), assignment.files, settings.folders, environment)
        return cls(workers, judge_imports(source), outfit, assignment.source_folder)

    def __enter__(self) -> Batch:
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def _start(self) -> None:
        os.environ.update(ONE_THREAD)  # read when torch is imported; two workers with two threads each would only wait
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([*worker.PRELOAD, *self.modules])
        self.warm = self.stack.enter_context(Warm(self.outfit))
        arguments = (self.warm.control, self.folder, dict(self.outfit.environment))
        with _apart():
            self.pool = ProcessPoolExecutor(self.workers, context, worker.start, arguments)
            self.stack.callback(_end, self.pool)
            ensure_running()  # the fork server's imports begin, beside the warm process's own; a first worker would wait

    def _stop(self) -> None:
        self.stack.close()

    def run(self, jobs: Iterable[Job]) -> Iterator[Judged]:  # noqa: PLR0912  (one branch for each way a job may end)
        """The result of each job, in the order in which they are done.

        Jobs are drawn as they are needed, so a large class is never in memory at once. IsolationError passes through.
        What has to be tried again is tried alone: a job that ends every worker must not take others with it three times.

        A restart takes seconds, so that on a machine that is broken 300 submissions would take an hour to fail. After three
        in a row the next job is `NOTHING`; if that fails too, InfrastructureError. However many submissions in a row break
        every worker, they never stop the batch by it.
        """
        for _ in range(self.workers):  # they come up while the warm process does
            self._call(worker.awake)
        self.warm.wait()
        source = iter(jobs)
        again: deque[tuple[Job, int]] = deque()
        running: dict[Future[Judged], tuple[Job, int]] = {}
        breaks = 0  # in a row
        while True:
            while len(running) < (1 if again else 2 * self.workers):
                job, attempt = again.popleft() if again else (next(source, None), 1)
                if job is None:
                    break
                running[self._submit(job)] = (job, attempt)
            if not running:
                return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            broken = False
            for future in done:
                job, attempt = running.pop(future)
                try:
                    yield future.result()
                    breaks = 0
                except (InfrastructureError, BrokenProcessPool) as error:
                    broken = True
                    if attempt < ATTEMPTS:
                        again.append((job, attempt + 1))
                    else:
                        yield _failed(job, error)
                except AutograderError:
                    raise
                except Exception as error:  # a fault of ours that nobody foresaw stops this submission and no other
                    yield _failed(job, error)
            if broken:
                again.extend((job, attempt) for job, attempt in running.values())
                running.clear()
                self._restart()
                breaks += 1
                if breaks >= ATTEMPTS:
                    self._try_nothing()
                    breaks = 0

    def _restart(self) -> None:
        self._stop()
        self._start()
        self.warm.wait()

    def _try_nothing(self) -> None:
        """InfrastructureError where nothing can be judged, whoever handed in what."""
        try:
            self._submit(Job("", "", NOTHING, frozenset(), (), Limits())).result()
        except (InfrastructureError, BrokenProcessPool) as error:
            raise InfrastructureError(
                f"grading stopped: {ATTEMPTS} restarts in a row broke, and then a notebook with nothing in it "
                f"({_said(error)}). What was graded stands; look what is wrong here by `autograder doctor`, then grade again"
            ) from None

    def _submit(self, job: Job) -> Future[Judged]:
        return self._call(worker.work, job)

    def _call(self, function: Callable[..., T], *arguments: Job) -> Future[T]:
        """What `function` returns in a worker."""
        try:
            return self.pool.submit(function, *arguments)
        except (BrokenProcessPool, OSError, EOFError) as error:  # the last two where the fork server is gone
            future: Future[T] = Future()
            future.set_exception(InfrastructureError(f"no worker takes it: {error}"))
            return future


def _failed(job: Job, error: Exception) -> Judged:
    note = f"not graded: {_said(error)}; run it again"
    return Judged(Grade(job.student, job.assignment, "failed", notes=(note,)))


def _said(error: Exception) -> str:
    reason = str(error) or type(error).__name__
    if isinstance(error, BrokenProcessPool) and (said := _last_words()):
        reason += f" ({said})"
    return reason


def _last_words() -> str:
    _log().seek(0)
    lines = _log().read().decode(errors="replace").split("\n")
    return next((line.strip()[:200] for line in reversed(lines) if line.strip()), "")


@cache
def _log() -> IO[bytes]:
    """What the workers and their fork server say; there is one such server a process."""
    return tempfile.TemporaryFile()


@contextlib.contextmanager
def _apart() -> Iterator[None]:
    """What is started in here is ended by this process alone, and says nothing on the terminal. A Ctrl-C and a terminal that
    closes are heard by all processes at once, and each would print a traceback."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    terminal = os.dup(2)
    os.dup2(_log().fileno(), 2)
    try:
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end(pool: ProcessPoolExecutor) -> None:
    """Stop the workers now, in whatever they are doing; results are whole or not at all."""
    processes = list((pool._processes or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.kill()
    for process in processes:
        process.join()
