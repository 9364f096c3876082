"""Scores many earlier runs, in processes without a sandbox: no student's code runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing.forkserver import ensure_running

from autograder.course import Assignment
from autograder.course import notebook as nb
from autograder.judge import worker
from autograder.judge.imports import judge_imports
from autograder.judge.job import Job, Judged
from autograder.judge.pool import prepare_fork_server, shield_from_terminal, submit
from autograder.records.grade import CellGrade
from autograder.records.run import Run

# A job, its earlier run, and the grades of the test cells that need not run again.
ScoringJob = tuple[Job, Run, dict[str, CellGrade]]


def rescore_all(
    assignment: Assignment, source: nb.Notebook, workers: int, jobs: Iterable[ScoringJob]
) -> Iterator[tuple[str, Judged | None]]:
    """Yield each student and result as they are done; the result is None for a submission that has to run again.

    `source` is the instructor's notebook. Jobs are drawn as they are needed. After any error here the submission runs again,
    and an error that persists is reported by that run.
    """
    context = prepare_fork_server(["autograder.judge.replay", *judge_imports(source)])
    arguments = (assignment.source_folder, dict(assignment.settings.environment))
    remaining = iter(jobs)
    running: dict[Future[Judged | None], str] = {}
    with shield_from_terminal():
        pool = ProcessPoolExecutor(workers, context, worker.start_scoring, arguments)
        ensure_running()
    with pool:
        while True:
            while len(running) < 2 * workers and (job := next(remaining, None)):
                running[submit(pool, worker.rescore, *job)] = job[0].student
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                student = running.pop(future)
                yield student, None if future.exception() else future.result()
