"""What a visible test leaves behind is there for the student's later cells, as after "Restart & Run All"."""

from __future__ import annotations

import pytest

from autograder.course import Limits, open_course
from autograder.course import notebook as nb
from autograder.course.lay import lay
from autograder.judge.job import Job, Judged
from autograder.judge.live import judge
from autograder.judge.replay import NotRecorded, score
from tests.support.classroom import ROOT
from tests.support.sandboxed import Sandbox, answer_cell, checking_cell, code, executed, notebook

VISIBLE = "data, size = [1, 2], 2\nassert first() == size\nlate = 3"
HIDDEN = f"{VISIBLE}\nsecret = 12345\nassert first() != secret"


def make_job(*own: str, first: str = "def first(): return 2", visible: str = VISIBLE, **limits: int) -> Job:
    """The job of a student who put cells of their own behind a test, in front of the second answer."""
    before, after = answer_cell("stub", "first"), answer_cell("stub", "second")
    release = notebook(before, checking_cell(visible, 1, "one"), after, checking_cell("assert second() == 2", 1, "two"))
    source = nb.with_answers(release, {"one": HIDDEN})
    handed_in = nb.with_answers(release, {"first": first, "second": own[-1]})
    cells = handed_in["cells"]
    handed_in["cells"] = [*cells[:2], *({**code(text), "id": f"own-{text[:3]}"} for text in own[:-1]), *cells[2:]]
    laid = lay(source, release, handed_in)
    return Job("ada", "tiny", laid.notebook, laid.unanswered, laid.notes, Limits(**limits))


def marked(job: Job) -> list[str]:
    """The names of the test cells that the sandbox runs."""
    return [
        str(nb.grade_id(cell))
        for cell in job.notebook["cells"]
        if cell["cell_type"] == "code" and nb.visible_test(cell)
    ]


def run(sandbox: Sandbox, job: Job) -> Judged:
    return judge(job, sandbox.take)


@pytest.mark.parametrize(
    "own",
    [
        ("def second(): return size",),
        ("%time print(data)\ndef second(): return len(data)",),
        ("%%time\nshown = [x for x in data]", "def second(): return len(shown)"),
        ("size = size + 0\ndef second(): return size",),
        ("!true\nfor each in data: pass\ndef second(): return each",),
    ],
)
def test_a_later_cell_reads_the_names_of_a_visible_test(sandbox: Sandbox, own: tuple[str, ...]) -> None:
    judged = run(sandbox, make_job(*own))
    assert (judged.grade.score, judged.grade.status, judged.grade.notes) == (2, "completed", ())


@pytest.mark.parametrize(
    "own",
    [
        ("def second(): return 2",),
        ("def second(data=1, *, size=2): return [data for data in (data,)] and size",),
        ("size = 2\ndef second(): return size",),
        ("size = 2", "print(size)\ndef second(): return size"),
        ("def second():\n    size = 2\n    return size",),
        ("def second(): return data_size\ndata_size = 2  # size",),
        ("def second(): return helper()\ndef size(): return 2\nhelper = size",),
        ("broken = size ((",),
        ("for k in range(2):\n    size = k\n    print(size, [data for data in 'x'])",),
        ("second = " + "(" * 100 + "size" + ")" * 100,),
    ],
)
def test_a_test_runs_in_the_sandbox_only_for_names_that_are_read(own: tuple[str, ...]) -> None:
    assert marked(make_job(*own)) == []


def test_a_test_that_fails_leaves_what_it_bound_until_then(sandbox: Sandbox) -> None:
    job = make_job("print(size)\nprint(late)", "def second(): return size", first="def first(): return 0")
    judged = run(sandbox, job)
    assert {name: cell.score for name, cell in judged.grade.cells.items()} == {"one": 0, "two": 1}
    outputs = executed(judged).cells[2].outputs
    assert (outputs[0].text, outputs[1].ename) == ("2\n", "NameError")


def test_nothing_hidden_comes_into_the_sandbox(sandbox: Sandbox) -> None:
    look = "print(data)\nprint('secret' in globals(), [text for text in In if '123' + '45' in text])"
    judged = run(sandbox, make_job(look, "def second(): return 2"))
    assert executed(judged).cells[2].outputs[0].text == "[1, 2]\nFalse []\n"


def test_a_test_that_ends_the_process_costs_its_names_only(sandbox: Sandbox) -> None:
    ends = "import os\ncalls = []\ndef first():\n    calls.append(1)\n    return 2 if len(calls) < 3 else os._exit(1)"
    judged = run(sandbox, make_job("def second(): return 2 if 'size' else size", first=ends))
    assert judged.grade.cells["two"].score == 1
    assert judged.grade.status == "died"
    assert judged.grade.notes == ("the names of one are missing, which later cells read: its test died",)


def test_a_lost_child_has_the_names_again(sandbox: Sandbox) -> None:
    judged = run(sandbox, make_job("import os\nprint(data)\nos._exit(1)", "def second(): return size"))
    assert judged.grade.cells["two"].score == 1


def test_a_run_is_scored_again_only_with_the_same_visible_test(sandbox: Sandbox) -> None:
    job = make_job("def second(): return size")
    judged = run(sandbox, job)
    assert judged.run
    assert score(job, judged.run).grade.score == 2
    with pytest.raises(NotRecorded):
        score(make_job("def second(): return size", visible=VISIBLE.replace("late", "later")), judged.run)


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "source").iterdir() if path.is_dir()))
def test_no_solution_of_the_course_needs_it(name: str) -> None:
    assignment = open_course(ROOT).assignment(name)
    source, release = nb.read(assignment.source_path), nb.read(assignment.release_path)
    cells = lay(source, release, source).notebook["cells"]
    assert not [nb.grade_id(cell) for cell in cells if cell["cell_type"] == "code" and nb.visible_test(cell)]
