"""Judges many submissions: one warm process, several workers, results as they come.

A worker or warm process that dies is an infrastructure fault: all processes are restarted, and the jobs that were running are
tried again, up to three times in all. After that a submission is reported as failed, and never scored. If not even an empty
notebook can be judged, the batch stops.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing.forkserver import ensure_running
from pathlib import Path
from types import MappingProxyType

from autograder.course import Assignment, Limits
from autograder.course import notebook as nb
from autograder.errors import AutograderError, InfrastructureError
from autograder.judge import worker
from autograder.judge.imports import judge_imports, student_imports
from autograder.judge.job import Job, Judged
from autograder.judge.pool import kill_workers, prepare_fork_server, read_last_log_line, shield_from_terminal, submit
from autograder.records.grade import Grade
from autograder.sandbox.jail import Outfit
from autograder.sandbox.warm import Warm

ATTEMPTS = 3
# No student's code runs in it: a machine that cannot judge this cannot judge anything.
EMPTY_NOTEBOOK: nb.Notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}


class Batch:
    """Judges jobs of one assignment in `workers` processes.

    `modules`, which its tests import, and those of `outfit`, which students' cells import, are imported once for all. Tests run
    in `folder`, which holds the assignment's files. Entering a batch starts all processes and waits for none, so that the
    caller's next steps overlap with the import of torch.
    """

    def __init__(
        self, workers: int, modules: Sequence[str] = (), outfit: Outfit | None = None, folder: Path | None = None
    ) -> None:
        self.workers, self.modules, self.outfit, self.folder = workers, list(modules), outfit or Outfit(), folder
        self.stack = ExitStack()

    @classmethod
    def of(
        cls,
        assignment: Assignment,
        source: nb.Notebook,
        workers: int,
        variables: Mapping[str, str] = MappingProxyType({}),
    ) -> Batch:
        """Return a batch for an assignment whose instructor's notebook is `source`; environment `variables` override the
        assignment's own."""
        settings = assignment.settings
        environment = {**settings.environment, **variables}
        outfit = Outfit(student_imports(source), assignment.files, settings.folders, environment)
        return cls(workers, judge_imports(source), outfit, assignment.source_folder)

    def __enter__(self) -> Batch:
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def _start(self) -> None:
        context = prepare_fork_server(self.modules)
        self.warm = self.stack.enter_context(Warm(self.outfit))
        arguments = (self.warm.control, self.folder, dict(self.outfit.environment))
        with shield_from_terminal():
            self.pool = ProcessPoolExecutor(self.workers, context, worker.start, arguments)
            self.stack.callback(kill_workers, self.pool)
            ensure_running()  # the fork server imports beside the warm process; otherwise the first worker would wait for it

    def _stop(self) -> None:
        self.stack.close()

    def run(self, jobs: Iterable[Job]) -> Iterator[Judged]:
        """Yield the result of each job, in the order in which they are done; IsolationError passes through.

        Jobs are drawn as they are needed, so a large class is never in memory at once. A job that is tried again runs alone:
        one that ends every worker must not use up the attempts of others.

        A restart takes seconds, and on a broken machine 300 submissions would take an hour to fail. After three restarts in a
        row without a result, the batch judges an empty notebook, and raises InfrastructureError if that fails too. So
        submissions alone never stop a batch, however many of them in a row end their worker.
        """
        for _ in range(self.workers):  # they start while the warm process does
            submit(self.pool, worker.wake)
        self.warm.wait()
        queue = _Queue(iter(jobs))
        restarts = 0  # in a row
        while queue.fill(self.workers, self._submit):
            done, _ = wait(queue.running, return_when=FIRST_COMPLETED)
            is_broken = False
            for future in done:
                job, attempt = queue.running.pop(future)
                try:
                    yield future.result()
                    restarts = 0
                except (InfrastructureError, BrokenProcessPool) as error:
                    is_broken = True
                    if attempt < ATTEMPTS:
                        queue.retries.append((job, attempt + 1))
                    else:
                        yield _report_failure(job, error)
                except AutograderError:
                    raise
                except Exception as error:  # an unforeseen fault of ours stops this submission and no other
                    yield _report_failure(job, error)
            if is_broken:
                queue.retry_running()
                self._restart()
                restarts += 1
                if restarts >= ATTEMPTS:
                    self._try_empty_notebook()
                    restarts = 0

    def _restart(self) -> None:
        self._stop()
        self._start()
        self.warm.wait()

    def _try_empty_notebook(self) -> None:
        """Judge an empty notebook; InfrastructureError if that fails, since then nothing can be judged."""
        try:
            self._submit(Job("", "", EMPTY_NOTEBOOK, frozenset(), (), Limits())).result()
        except (InfrastructureError, BrokenProcessPool) as error:
            raise InfrastructureError(
                f"grading stopped: workers failed {ATTEMPTS} restarts in a row, then failed on an empty notebook "
                f"({_describe(error)}); saved results are kept; run `autograder doctor`, then grade again"
            ) from None

    def _submit(self, job: Job) -> Future[Judged]:
        return submit(self.pool, worker.work, job)


@dataclass
class _Queue:
    """A batch's jobs on their way: `jobs` to be drawn, `retries` and `running`, these with the number of their attempt."""

    jobs: Iterator[Job]
    retries: deque[tuple[Job, int]] = field(default_factory=deque)
    running: dict[Future[Judged], tuple[Job, int]] = field(default_factory=dict)

    def fill(self, workers: int, start: Callable[[Job], Future[Judged]]) -> bool:
        """Start two jobs for each worker, or a single one while there are retries; return whether any is running."""
        while len(self.running) < (1 if self.retries else 2 * workers):
            job, attempt = self.retries.popleft() if self.retries else (next(self.jobs, None), 1)
            if job is None:
                break
            self.running[start(job)] = (job, attempt)
        return bool(self.running)

    def retry_running(self) -> None:
        """Queue the running jobs again, in the same attempt: another job ended their workers."""
        self.retries.extend(self.running.values())
        self.running.clear()


def _report_failure(job: Job, error: Exception) -> Judged:
    note = f"not graded: {_describe(error)}; run it again"
    return Judged(Grade(job.student, job.assignment, "failed", notes=(note,)))


def _describe(error: Exception) -> str:
    reason = str(error) or type(error).__name__
    if isinstance(error, BrokenProcessPool) and (line := read_last_log_line()):
        reason += f" ({line})"
    return reason
