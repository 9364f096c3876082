"""Many submissions at once. If a process of ours fails, its submissions are tried again, and never scored by the failure."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from autograder.course import Limits
from autograder.errors import InfrastructureError, IsolationError
from autograder.judge.batch import Batch
from autograder.judge.job import Job, Judged
from autograder.records.grade import Grade
from autograder.sandbox.warm import Warm
from tests.support.sandboxed import answer_cell, checking_cell, descendants, gone, notebook

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def own_warm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let batches start their own warm process, as they do outside the tests."""
    monkeypatch.setattr("autograder.judge.batch.Warm", Warm)


SEEDED = "import random\ndrawn = random.random()\ndef f(x): return x + 1"


def job(student: str, answer: str = SEEDED, test: str = "assert f(1) == 2") -> Job:
    cells = notebook(
        answer_cell(answer), checking_cell(test), checking_cell("float(0 < drawn < 1) * drawn", 1, "drawn")
    )
    return Job(student, "tiny", cells, frozenset(), (), Limits(call_seconds=5), seed=7)


def named(rows: Iterator[Judged]) -> dict[str, Grade]:
    return {row.grade.student: row.grade for row in rows}


def outcome(grade: Grade) -> object:
    return grade.status, grade.notes, grade.cells


def test_grades_depend_neither_on_the_number_of_workers_nor_on_the_order() -> None:
    jobs = [job(f"student-{n}") for n in range(6)]
    with Batch(1) as alone, Batch(2) as together:
        one, two = named(alone.run(jobs)), named(together.run(reversed(jobs)))
    assert {name: outcome(grade) for name, grade in one.items()} == {
        name: outcome(grade) for name, grade in two.items()
    }
    assert {grade.score for grade in one.values()} == {one["student-0"].score}
    assert one["student-0"].cells["drawn"].score == pytest.approx(0.32383276483316237)


def test_jobs_are_drawn_as_they_are_needed() -> None:
    """A class of thousands is never in memory at once."""
    drawn = []

    def jobs() -> Iterator[Job]:
        for number in range(20):
            drawn.append(number)
            yield job(str(number))

    with Batch(2) as batch:
        next(batch.run(jobs()))
        assert len(drawn) <= 6


def test_a_worker_that_is_killed_costs_nobody_their_grade() -> None:
    with Batch(2) as batch:
        rows = batch.run([job(str(number)) for number in range(6)])
        grades = [next(rows).grade]
        os.kill(next(iter(batch.pool._processes)), signal.SIGKILL)
        grades += [row.grade for row in rows]
    assert sorted(grade.student for grade in grades) == list("012345")
    assert {grade.status for grade in grades} == {"completed"}


def test_a_warm_process_that_is_killed_is_started_anew(own_warm: None) -> None:
    with Batch(2) as batch:
        rows = batch.run([job(str(number)) for number in range(6)])
        grades, first = [next(rows).grade], batch.warm.process.pid
        batch.warm.process.kill()
        grades += [row.grade for row in rows]
        assert batch.warm.process.pid != first
    assert sorted(grade.student for grade in grades) == list("012345")
    assert {grade.status for grade in grades} == {"completed"}


def test_a_job_that_kills_every_worker_fails_alone_and_without_a_score() -> None:
    """Only a test cell can, since it runs in the worker. The jobs beside it are tried again one at a time."""
    poison = job("poison", "def f(x): return 99", "import os\nif f(1) == 99: os._exit(1)")
    with Batch(2) as batch:
        grades = named(batch.run([job("a"), poison, job("b"), job("c"), job("d")]))
    assert {name: grade.status for name, grade in grades.items()} == {"poison": "failed"} | dict.fromkeys(
        "abcd", "completed"
    )
    assert grades["poison"].score is None
    assert "not graded" in grades["poison"].notes[0]


POISON = "import os\nif f(1) == 99: os._exit(1)"


def test_submissions_that_kill_every_worker_never_stop_the_batch() -> None:
    """Three in a row cause nine restarts in a row, and the others are graded."""
    poisons = [job(f"poison-{n}", "def f(x): return 99", POISON) for n in range(3)]
    with Batch(1) as batch:
        grades = named(batch.run([*poisons, job("a"), job("b")]))
    assert {name: grade.status for name, grade in grades.items()} == {
        **dict.fromkeys(("poison-0", "poison-1", "poison-2"), "failed"),
        **dict.fromkeys("ab", "completed"),
    }


def test_the_batch_stops_if_nothing_can_be_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """For instance when the machine kills each worker. Earlier results are kept, and no submission is reported as failed."""
    with Batch(1) as batch:
        rows = batch.run(job(str(number)) for number in range(300))
        first = next(rows).grade
        submit, jobs = batch._submit, []

        def submit_and_kill(job: Job) -> Future[Judged]:
            jobs.append(job)
            future = submit(job)
            for pid in list(batch.pool._processes):
                os.kill(pid, signal.SIGKILL)
            return future

        monkeypatch.setattr(batch, "_submit", submit_and_kill)
        rest = []
        with pytest.raises(
            InfrastructureError,
            match=r"then failed on an empty notebook .*; saved results are kept; run `autograder doctor`",
        ):
            rest += [row.grade for row in rows]
    assert first.status == "completed"
    assert len(jobs) <= 8
    assert jobs[-1].notebook["cells"] == []


def test_a_job_that_trips_the_judge_fails_alone() -> None:
    """An unforeseen fault of ours does not stop the class."""
    odd = job("odd")
    del odd.notebook["cells"]
    with Batch(1) as batch:
        grades = named(batch.run([job("a"), odd, job("b")]))
    assert {name: grade.status for name, grade in grades.items()} == {
        "a": "completed",
        "odd": "failed",
        "b": "completed",
    }


def test_nothing_is_left_when_a_batch_is_over(own_warm: None) -> None:
    before = descendants(os.getpid())
    with Batch(2) as batch:
        list(batch.run([job("a")]))
        during = descendants(os.getpid()) - before
    assert gone(during)


def test_a_batch_without_a_sandbox_grades_nothing(
    own_warm: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bwrap = tmp_path / "bin" / "of" / "bwrap"
    bwrap.parent.mkdir(parents=True)
    bwrap.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    for path in (bwrap, tmp_path):
        path.chmod(0o755)  # it is an ordinary user who runs it
    monkeypatch.setattr("autograder.sandbox.warm._bwrap", lambda: bwrap)
    with pytest.raises(IsolationError, match="No permissions to create new namespace"), Batch(1) as batch:
        list(batch.run([job("a")]))
