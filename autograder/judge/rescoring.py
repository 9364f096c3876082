"""Many submissions scored anew from their transcripts, in processes that have no sandbox: nothing of a student's is run."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

from autograder.course import Assignment
from autograder.course import notebook as nb
from autograder.judge import worker
from autograder.judge.imports import judge_imports
from autograder.judge.job import Job, Judged
from autograder.records.grade import CellGrade
from autograder.records.run import Run
from autograder.sandbox.jail import ONE_THREAD

# What is to be scored, its earlier run, and the test cells whose verdict stands.
Earlier = tuple[Job, Run, dict[str, CellGrade]]


def rescored(
    assignment: Assignment, source: nb.Notebook, workers: int, runs: Iterable[Earlier]
) -> Iterator[tuple[str, Judged | None]]:
    """Each student and result, as they are done; None for a submission that has to run again. Jobs are drawn as they are
    needed. Whatever goes wrong here, the submission runs again, and the fault is told there."""
    os.environ.update(ONE_THREAD)  # sums come out as they did, to the bit
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*worker.PRELOAD, "autograder.judge.replay", *judge_imports(source)])
    arguments = (assignment.source_folder, dict(assignment.settings.environment))
    left = iter(runs)
    running: dict[Future[Judged | None], str] = {}
    with ProcessPoolExecutor(workers, context, worker.start_scoring, arguments) as pool:
        while True:
            while len(running) < 2 * workers and (run := next(left, None)):
                running[_submitted(pool, run)] = run[0].student
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                student = running.pop(future)
                yield student, None if future.exception() else future.result()


def _submitted(pool: ProcessPoolExecutor, run: Earlier) -> Future[Judged | None]:
    try:
        return pool.submit(worker.rescore, *run)
    except BrokenProcessPool as error:
        future: Future[Judged | None] = Future()
        future.set_exception(error)
        return future
