"""A test cell has its own limits in the judge: of time, by an alarm that no check takes for a failure, and of memory."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from functools import partial
from typing import Any

import pytest

from autograder.course import Limits
from autograder.judge import session, time_limit
from autograder.judge.batch import Batch
from autograder.judge.job import Job
from autograder.judge.test_cell import SKIP, Verdict, run
from autograder.judge.time_limit import run_within
from tests.support.sandboxed import Sandbox, answer_cell, checking_cell, notebook

ENDLESS = "while True: pass"
# Code that swallows an exception or handles it in its own way.
SWALLOWING = {
    "nothing": ENDLESS,
    "an except clause twice": "def f():\n    while True: pass\ntry: f()\nexcept BaseException: f()",
    "a law": "from autograder.checks import for_all\nfrom hypothesis import strategies as st\n"
    "@for_all(n=st.integers(0, 9))\ndef _(n):\n    while True: pass",
    "an except clause": "def f():\n    while True: pass\ntry: f()\nexcept BaseException: pass\n1.0",
    "a destructor": "class Slow:\n    def __del__(self):\n        while True: pass\nSlow()\n1.0",
}


def verdict(source: str, seconds: float = 0.3, **student: Any) -> Verdict:
    return run(source, 1, {}, lambda name: student.get(name, SKIP), seconds=seconds)


@pytest.fixture(autouse=True)
def soon_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_limit, "REPEAT_SECONDS", 0.2)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("source", SWALLOWING.values(), ids=SWALLOWING)
def test_a_test_cell_that_takes_too_long_needs_a_person(source: str) -> None:
    started = time.monotonic()
    result = verdict(source, 0.6)
    assert (result.score, result.checks, result.trouble) == (None, (), "the test cell ran for over 1 s")
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    "source",
    [
        "check = Checks(1)\nfor name in 'ab':\n    with check(name, 0.5):\n        while True: pass\ncheck.finish()",
        SWALLOWING["a law"],
    ],
    ids=["checks", "a law"],
)
def test_no_check_takes_the_alarm_for_a_failure(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not an Exception, so it ends the test cell at the first time."""
    monkeypatch.setattr(time_limit, "REPEAT_SECONDS", 20)
    started = time.monotonic()
    assert verdict(source).score is None
    assert time.monotonic() - started < 10


def test_no_alarm_is_left_behind() -> None:
    before = signal.getsignal(signal.SIGALRM)
    assert (verdict("1.0").score, verdict("assert False").score) == (1, 0)
    assert verdict(ENDLESS).score is None
    assert signal.getsignal(signal.SIGALRM) is before
    assert [signal.getitimer(timer) for timer in (signal.ITIMER_REAL, signal.ITIMER_PROF)] == [(0, 0)] * 2


def test_an_alarm_at_the_very_end_is_handled() -> None:
    """Between the last line of a test cell and the lifting of the limit, wherever the signal arrives."""
    for number in range(300):
        result = run_within(0.001, partial(_wait, time.perf_counter() + 0.0009 + number * 1e-6))
        assert result in (None, "done")
        assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def _wait(until: float) -> str:
    while time.perf_counter() < until:
        pass
    return "done"


def test_outside_the_main_thread_a_test_cell_runs_without_a_limit() -> None:
    verdicts: list[Verdict] = []
    thread = threading.Thread(target=lambda: verdicts.append(verdict("1.0")))
    thread.start()
    thread.join()
    assert verdicts[0].score == 1


def test_an_answer_that_makes_a_test_endless_costs_that_test_alone(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of many numbers is multiplied by each; earlier cells keep their points, and the worker survives."""
    monkeypatch.setattr("autograder.judge.scoring.TEST_SECONDS", 0.5)
    slow = "assert sum(x * y for x in numbers for y in numbers) > 0"
    quick = "len(numbers) / 3e5"
    tests = checking_cell(quick), checking_cell(slow, 1, "slow"), checking_cell(quick, 1, "after")
    grade = sandbox.judge(answer_cell("numbers = [1] * 300_000"), *tests, submission_seconds=6, call_seconds=2).grade
    assert {name: cell.score for name, cell in grade.cells.items()} == {"test": 1, "slow": None, "after": 1}
    assert grade.needs_manual
    assert any(note.startswith("slow: the test cell ran for over") for note in grade.notes)


def test_answers_that_are_huge_together_end_the_submission(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are all kept in its transcript. What was asked before counts."""
    monkeypatch.setattr(session, "MAX_ANSWERED", 3 * 2**20)
    cells = [
        answer_cell("def f(x): return bytes(2**20)"),
        *(checking_cell("assert f(1)", 1, f"t{n}") for n in range(5)),
    ]
    judged = sandbox.judge(*cells)
    assert [cell.score for cell in judged.grade.cells.values()] == [1, 1, 1, 0, 0]
    assert judged.grade.status == "out of memory"
    assert "its answers have over 3 MB together" in " ".join(judged.grade.notes)


def test_a_replay_ends_with_the_submissions_time(sandbox: Sandbox) -> None:
    """The cells are quick at first, and slow when they run again after a call that lost the child."""
    slow = answer_cell("import os, time\nif os.getpid() and time.time() > SINCE + 1.5: time.sleep(9)")
    cells = [answer_cell(f"import time\nSINCE = {time.time()}\ndef f(): time.sleep(9)"), *[slow] * 4]
    started = time.monotonic()
    grade = sandbox.judge(*cells, checking_cell("f()"), submission_seconds=4, call_seconds=2, cell_seconds=9).grade
    assert grade.status == "timed out"
    assert time.monotonic() - started < 9


@pytest.fixture
def job() -> Any:
    def build(student: str, test: str) -> Job:
        cells = notebook(answer_cell("many = 6 * 2**30"), checking_cell(test, 2))
        return Job(student, "tiny", cells, frozenset(), (), Limits(submission_seconds=1, call_seconds=1))

    return build


@pytest.mark.usefixtures("quick")
def test_an_answer_that_makes_a_test_take_too_much_memory_fails_one_check_only(job: Any) -> None:
    """Pages that are never written to take no memory: without the limit this would pass."""
    test = "check = Checks(2)\nwith check('fat', 1): torch.empty(many, dtype=torch.uint8)\n"
    test += "with check('lean', 1): torch.empty(1000)\ncheck.finish()"
    with Batch(1, ["torch"]) as batch:
        (result,) = batch.run([job("a", f"import torch\n{test}")])
    grade = result.grade
    assert (grade.status, grade.score) == ("completed", 1), grade.notes
    assert "memory" in grade.cells["test"].checks[0].message


def test_the_worker_ends_if_no_handler_can_run() -> None:
    """Inside one call of code in C. The batch tries again and then reports `failed`."""
    program = "import itertools\nfrom autograder.judge import time_limit\ntime_limit.GRACE_SECONDS = 0.3\n"
    program += "time_limit.run_within(0.2, lambda: sum(itertools.repeat(0)))"
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == -signal.SIGPROF
