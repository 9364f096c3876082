"""An earlier run is scored from its transcript: no student's code runs."""

from __future__ import annotations

import time

import pytest

from autograder.course import Limits
from autograder.course import notebook as nb
from autograder.judge.job import Job, Judged
from autograder.judge.live import judge
from autograder.judge.replay import NotRecorded, score
from autograder.records.transcript import Asked
from autograder.sandbox.client import ChildKernel
from autograder.sandbox.warm import LAYERS, ChildLimits
from tests.support.sandboxed import Sandbox, answer_cell, checking_cell, code, notebook


def replayed(sandbox: Sandbox, *cells: nb.Cell, changed: str = "") -> tuple[Judged, Judged]:
    """Judge a submission, then score it from its transcript with its last cell `changed`; return both results."""
    judged = sandbox.judge(*cells)
    anew = [*cells[:-1], {**cells[-1], "source": changed or cells[-1]["source"]}]
    job = Job("ada", "tiny", notebook(*anew), frozenset(), (), limits=Limits())
    assert judged.run
    return judged, score(job, judged.run)


def asked(judged: Judged, name: str) -> Asked:
    """Return what a test cell asked."""
    assert judged.run and judged.run.transcript
    return judged.run.transcript.cells[name]


CALLS = """check = Checks(points=1)
with check("calls", 1):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = f(x).sum()
    y.backward()
    assert float(x.grad.sum()) == 6, f"{x.grad}"
    assert f(torch.ones(100_000))[0] == 1
check.finish()"""


@pytest.mark.parametrize(
    "answer",
    [
        "f = lambda x: x * x",
        "f = lambda x: x * x * x",
        "def f(x): raise ValueError('no')",
        "import os\nf = lambda x: os._exit(1)",
        "calls = []\ndef f(x):\n    calls.append(x)\n    return x * len(calls)",
        "g = 1",
    ],
)
def test_a_replay_gives_the_same_result_as_the_run(sandbox: Sandbox, answer: str) -> None:
    """Also for gradients, large arguments, exceptions, lost processes and missing names."""
    cells = (code("import torch", grade_id="setup", locked=True), answer_cell(answer), checking_cell(CALLS))
    judged, anew = replayed(sandbox, *cells)
    assert anew.grade.cells == judged.grade.cells
    assert (anew.grade.status, anew.grade.notes) == (judged.grade.status, judged.grade.notes)
    assert anew.run == judged.run


def test_a_replay_continues_after_a_lost_process_as_the_run_did(sandbox: Sandbox) -> None:
    """The second call goes to another process."""
    calls = "\n".join(f"with check('{x}', 0.5):\n    assert f({x}) == {x}" for x in (1, 2))
    test = checking_cell(f"check = Checks(points=1)\n{calls}\ncheck.finish()")
    judged, anew = replayed(sandbox, answer_cell("import os\nf = lambda x: os._exit(1) if x == 1 else x"), test)
    assert judged.grade.score == 0.5
    assert anew.grade.cells == judged.grade.cells


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ("f(2)", "another argument"),
        ("f(1)\nf(1)", "one question more"),
        ("1", "none"),
    ],
)
def test_a_new_question_or_one_left_out_is_not_answered(sandbox: Sandbox, changed: str, reason: str) -> None:
    with pytest.raises(NotRecorded):
        replayed(sandbox, answer_cell("f = lambda x: float(x)"), checking_cell("f(1)"), changed=changed)


def test_no_check_takes_a_missing_answer_for_a_wrong_one(sandbox: Sandbox) -> None:
    test = "check = Checks(points=1)\nwith check('a', 1):\n    assert {}\ncheck.finish()"
    answer, asks = answer_cell("f = lambda x: 1"), checking_cell(test.format("f(1) == 1"))
    with pytest.raises(NotRecorded):
        replayed(sandbox, answer, asks, changed=test.format("f(1) == 1 and f(2) == 1"))


def test_what_one_test_asks_does_not_depend_on_those_before_it(sandbox: Sandbox) -> None:
    """References are numbered from the start in each test cell."""
    test = checking_cell("f(1)", grade_id="last")
    alone = sandbox.judge(answer_cell("f = lambda x: x"), test)
    after = sandbox.judge(answer_cell("f = lambda x: x"), checking_cell("f(1), f(2), f(f)", grade_id="first"), test)
    assert asked(alone, "last") == asked(after, "last")


def test_a_rescored_grade_has_the_seconds_and_the_layers_of_its_run(sandbox: Sandbox) -> None:
    """Seconds include the start of the first child."""

    def take_slowly(limits: ChildLimits, output_bytes: int) -> ChildKernel:
        time.sleep(0.3)
        return sandbox.take(limits, output_bytes)

    cells = notebook(answer_cell("f = lambda x: x"), checking_cell("f(1)"))
    judged = judge(Job("ada", "tiny", cells, frozenset(), (), Limits(), isolation=LAYERS), take_slowly)
    assert judged.run and judged.grade.seconds > 0.3
    rescored = score(Job("ada", "tiny", cells, frozenset(), (), Limits(), isolation=("another layer",)), judged.run)
    assert (rescored.grade.seconds, rescored.grade.isolation) == (judged.grade.seconds, LAYERS)


@pytest.mark.parametrize("now_a_test", [0, 1])
def test_a_submission_runs_again_if_an_answer_cell_has_become_a_test_cell_or_the_reverse(
    sandbox: Sandbox, now_a_test: int
) -> None:
    """Otherwise every later cell would get the outputs of another."""
    kinds = [answer_cell("1", "cell"), checking_cell("1", grade_id="cell")]
    earlier, today = (
        notebook(kind, code("2"), checking_cell("1")) for kind in (kinds[1 - now_a_test], kinds[now_a_test])
    )
    run = sandbox.judge(*earlier["cells"]).run
    assert run
    with pytest.raises(NotRecorded):
        score(Job("ada", "tiny", today, frozenset(), (), Limits()), run)
