"""Many submissions: one warm process, some workers, results as they come.

A worker that dies, or a warm process that does, is an infrastructure fault: everything is started anew and the jobs that
were under way are tried again, three times at most; then the submission is reported as failed, and never scored.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack

from autograder.errors import AutograderError, InfrastructureError
from autograder.grade import Grade
from autograder.judge import worker
from autograder.judge.job import Job
from autograder.sandbox.warm import ONE_THREAD, Warm

ATTEMPTS = 3


class Batch:
    """Judges jobs in `workers` processes. What the judge imports, and what students' cells do, is imported once for all.

    Entering it starts everything and waits for nothing: what the caller does next passes while torch is imported.
    """

    def __init__(self, workers: int, judge: Sequence[str] = (), student: Sequence[str] = ()) -> None:
        self.workers, self.judge_imports, self.student_imports = workers, list(judge), list(student)
        self.stack = ExitStack()

    def __enter__(self) -> Batch:
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def _start(self) -> None:
        os.environ.update(ONE_THREAD)  # read when torch is imported; two workers with two threads each would only wait
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([*worker.PRELOAD, *self.judge_imports])
        self.warm = self.stack.enter_context(Warm(self.student_imports))
        self.pool = ProcessPoolExecutor(self.workers, context, worker.start, (self.warm.control,))
        self.stack.callback(_end, self.pool)
        self.pool.submit(int)  # the fork server's imports begin, beside the warm process's own

    def _stop(self) -> None:
        self.stack.close()

    def run(self, jobs: Iterable[Job]) -> Iterator[tuple[Grade, bytes]]:
        """The grade and the saved notebook of each job, in the order in which they are done.

        Jobs are drawn as they are needed, so a large class is never in memory at once. IsolationError passes through.
        What has to be tried again is tried alone: a job that ends every worker must not take others with it three times.
        """
        self.warm.wait()
        source = iter(jobs)
        again: deque[tuple[Job, int]] = deque()
        running: dict[Future[tuple[Grade, bytes]], tuple[Job, int]] = {}
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
                except (InfrastructureError, BrokenProcessPool) as error:
                    broken = True
                    if attempt < ATTEMPTS:
                        again.append((job, attempt + 1))
                    else:
                        yield _failed(job, error), b""
                except AutograderError:
                    raise
                except Exception as error:  # a fault of ours that nobody foresaw stops this submission and no other
                    yield _failed(job, error), b""
            if broken:
                again.extend((job, attempt) for job, attempt in running.values())
                running.clear()
                self._stop()
                self._start()
                self.warm.wait()

    def _submit(self, job: Job) -> Future[tuple[Grade, bytes]]:
        try:
            return self.pool.submit(worker.work, job)
        except BrokenProcessPool as error:
            future: Future[tuple[Grade, bytes]] = Future()
            future.set_exception(error)
            return future


def _failed(job: Job, error: Exception) -> Grade:
    reason = str(error) or type(error).__name__
    return Grade(job.student, job.assignment, "failed", notes=(f"not graded: {reason}; run it again",))


def _end(pool: ProcessPoolExecutor) -> None:
    """Stop the workers now, in whatever they are doing; results are whole or not at all."""
    processes = list((pool._processes or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.kill()
    for process in processes:
        process.join()
