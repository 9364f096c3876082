"""One slow answer costs its own task: the others have their share of the submission's time."""

from __future__ import annotations

import pytest

from autograder.judge.budget import Budget
from autograder.records.grade import Grade
from tests.support.sandboxed import Sandbox, answer_cell, checking_cell, code

TASKS = ("a", "b", "c", "d")
TEST = """check = Checks(points=2)
for k in range({calls}):
    with check(f"call {{k}}", 2 / {calls}):
        assert {task}(k) == k
check.score"""


def judge(sandbox: Sandbox, seconds: dict[str, float], calls: int = 3, before: str = "", **limits: int) -> Grade:
    """Judge four tasks, each with so many calls that take the `seconds` of the task, and a cell of the student's before each."""
    cells = []
    for task in TASKS:
        cells.append(answer_cell(
            f"import time\ndef {task}(k):\n    time.sleep({seconds.get(task, 0)})\n    return k", f"{task}-answer"
        ))  # fmt: skip
        cells.append(checking_cell(TEST.format(calls=calls, task=task), 2, task))
    if before:
        cells.insert(0, code(before))
    return sandbox.judge(*cells, **limits).grade


def scores(grade: Grade) -> dict[str, float | None]:
    return {name: cell.score for name, cell in grade.cells.items()}


@pytest.mark.parametrize(
    "slow", [pytest.param(task, marks=[pytest.mark.prove] if task in "ac" else []) for task in TASKS]
)
def test_a_slow_answer_costs_its_own_task(sandbox: Sandbox, slow: str) -> None:
    grade = judge(sandbox, {slow: 0.5}, calls=20, submission_seconds=6, call_seconds=2)
    assert {name: score for name, score in scores(grade).items() if name != slow} == dict.fromkeys(
        set(TASKS) - {slow}, 2
    )
    assert 0 < (grade.cells[slow].score or 0) < 2
    assert grade.status == "timed out"
    reason = "the submission ran for over 6 s" if slow == "d" else "its task used up its part of the submission's 6 s"
    assert grade.notes == (f"{slow}: the code timed out: {reason}",)


def test_two_slow_answers_cost_their_tasks(sandbox: Sandbox) -> None:
    grade = judge(sandbox, {"a": 0.5, "b": 0.5}, calls=20, submission_seconds=6, call_seconds=2)
    assert (grade.cells["c"].score, grade.cells["d"].score) == (2, 2)
    assert (grade.cells["b"].score or 0) > 0, "its own share"


def test_a_slow_answer_that_fits_gets_all_its_points(sandbox: Sandbox) -> None:
    grade = judge(sandbox, {"b": 0.5}, calls=5, submission_seconds=8)
    assert (grade.status, grade.score, grade.notes) == ("completed", 8, ())


def test_a_cell_that_hangs_leaves_time_for_its_own_task(sandbox: Sandbox) -> None:
    grade = judge(sandbox, {}, before="while True: pass", submission_seconds=6)
    assert (grade.status, grade.score) == ("timed out", 8)


def test_a_call_that_hangs_is_cut_when_its_task_is_over(sandbox: Sandbox) -> None:
    grade = judge(sandbox, {"c": 60}, submission_seconds=8, call_seconds=30)
    assert scores(grade) == {"a": 2, "b": 2, "c": 0, "d": 2}


def test_a_share_is_kept_for_each_task_and_the_rest_is_for_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("autograder.judge.budget.time.monotonic", lambda: now)
    whole = Budget(80, tasks=4)  # 40 s are kept: 10 for each
    assert (whole.left, whole.task_left, whole.cell_left) == (80, 50, 25)
    now += 50
    assert whole.task_left == 0
    whole.next_task()
    assert whole.task_left == 10
    now += 1
    whole.next_task()
    assert whole.task_left == 19, "what a task leaves is passed on"
    now += 25  # replays may use more
    whole.next_task()
    assert (whole.task_left, whole.left) == (4, 4)
    now += 7  # a test that was slow itself
    whole.next_task(grace=2)
    assert (whole.cell_left, whole.left) == (0, 0)
    whole = Budget(80, tasks=1)
    now += 85
    whole.next_task(grace=20)
    assert (whole.cell_left, whole.left) == (0, 0), "time is given back, and never more than was taken"
