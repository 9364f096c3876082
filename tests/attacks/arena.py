"""The assignment that is attacked: a function, data, a function of tensors, a bare test, a written answer. And the honest
submissions that attacks are compared with."""

from __future__ import annotations

import copy
import inspect
import json
import shutil
from pathlib import Path

from autograder.checks import Checks
from autograder.course import Assignment, Course, open_course
from autograder.course import notebook as nb
from autograder.gradebook.generate import generate
from autograder.proof.release import publish
from tests.support.classroom import ROOT
from tests.support.sandboxed import answer_cell, checking_cell, code, notebook

NAME = "arena"
# It stands in the hidden tests, the gradebook and the grader's environment, and must come out nowhere.
SECRET = "only-the-grader-knows-this"  # noqa: S105  (what must not come out)
SETUP = (
    "import contextlib\nfrom collections.abc import Iterator\nfrom typing import Any\n\nimport numpy as np\nimport torch\n\n\n"
    + inspect.getsource(Checks)
)
SQUARE_TEST = """check = Checks(points=2)
with check("two", 1):
    assert square(2) == 4, f"The square of 2 is not {square(2)}."
### BEGIN HIDDEN TESTS
expected = {"only-the-grader-knows-this": 90_000}
with check("three hundred", 1):
    assert square(300) == expected["only-the-grader-knows-this"], f"The square of 300 is not {square(300)}."
### END HIDDEN TESTS
check.finish()"""
TABLE_TEST = """assert len(table) == 5
### BEGIN HIDDEN TESTS
assert np.allclose(table, [n * n for n in range(1, 6)])
assert table == [n * n for n in range(1, 6)]
### END HIDDEN TESTS"""
UNIT_TEST = """check = Checks(points=3)
with check("one row", 1):
    assert torch.allclose(unit(torch.tensor([[3.0, 4.0]])), torch.tensor([[0.6, 0.8]])), "(3, 4) has length 5."
### BEGIN HIDDEN TESTS
from autograder.checks import assert_close, features
rows = features(0, 4, 3)
with check("any row", 1):
    mine, theirs = unit(rows), rows / rows.norm(dim=1, keepdim=True)
    assert_close(mine @ mine.T, theirs @ theirs.T, "the cosines")
    assert_close(mine, theirs)
with check("its gradient", 1):
    mine, theirs = rows.clone().requires_grad_(), rows.clone().requires_grad_()
    (mine / mine.norm(dim=1, keepdim=True))[:, 0].sum().backward()
    unit(theirs)[:, 0].sum().backward()
    assert_close(theirs.grad, mine.grad)
### END HIDDEN TESTS
check.finish()"""
DOUBLE_TEST = """assert double(2) == 4
### BEGIN HIDDEN TESTS
assert double(300) == 600
### END HIDDEN TESTS"""
SOLUTION = {
    "square-solution": "def square(x):\n    return x * x",
    "table-solution": "table = [1, 4, 9, 16, 25]",
    "unit-solution": "def unit(x):\n    return x / x.norm(dim=1, keepdim=True)",
    "double-solution": "def double(x):\n    return 2 * x",
    "essay": "Because four is two times two.",
}
WRONG = {
    "square-solution": "def square(x):\n    return -1",
    "table-solution": "table = [0, 0, 0, 0, 0]",
    "unit-solution": "def unit(x):\n    return 0 * x",
    "double-solution": "def double(x):\n    return -1",
    "essay": "Because.",
}
TASKS = ("square", "table", "unit", "double")
# The automatic points that each honest submission must get, of 7; the essay's two are a person's.
HONEST = {
    "solution": 7,
    "wrong": 0,
    "blank": 0,
    "no-square": 5,
    "no-table": 6,
    "no-unit": 4,
    "no-double": 6,
    "unreadable": None,
}


def write_course(folder: Path) -> Assignment:
    """A course with this assignment, built as `autograder build` builds, but unproven."""
    for path in (f"source/{NAME}", f"assignments/{NAME}", "gradebook"):
        (folder / path).mkdir(parents=True)
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    (folder / f"source/{NAME}/{NAME}.ipynb").write_text(json.dumps(_source()))
    # The solution takes 0.2 s and 20 MB. A fifth of the default memory fills faster.
    (folder / f"assignments/{NAME}/assignment.toml").write_text(
        "[limits]\ncell_seconds = 12\ncall_seconds = 5\nsubmission_seconds = 60\nmemory_mb = 400\ndisk_mb = 64\n"
        "processes = 64\noutput_mb = 1\n"
    )
    course = open_course(folder)
    assignment = course.assignment(NAME)
    scratch = folder / "scratch"
    scratch.mkdir()
    generate(assignment, scratch, course.db_url)
    publish(scratch / NAME, assignment)
    shutil.rmtree(scratch)
    return assignment


def _source() -> nb.Notebook:
    def solved(name: str) -> nb.Cell:
        return answer_cell(f"### BEGIN SOLUTION\n{SOLUTION[name]}\n### END SOLUTION", name)

    essay = {
        "cell_type": "markdown",
        "metadata": code("", grade_id="essay", grade=True, solution=True, points=2)["metadata"],
        "source": f"### BEGIN SOLUTION\n{SOLUTION['essay']}\n### END SOLUTION",
    }
    made = notebook(
        {"cell_type": "markdown", "metadata": {}, "source": "# Arena"},
        code(SETUP, grade_id="setup", locked=True, grade=False),
        solved("square-solution"),
        checking_cell(SQUARE_TEST, 2, "square"),
        solved("table-solution"),
        checking_cell(TABLE_TEST, 1, "table"),
        solved("unit-solution"),
        checking_cell(UNIT_TEST, 3, "unit"),
        solved("double-solution"),
        checking_cell(DOUBLE_TEST, 1, "double"),
        essay,
    )
    made["metadata"] = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}
    return copy.deepcopy(made)


def honest(course: Course, name: str) -> nb.Notebook:
    """The notebook of an honest submission: the release with answers typed in."""
    release = nb.read(course.assignment(NAME).release_path)
    if name in ("blank", "unreadable"):
        return release
    answers = WRONG if name == "wrong" else dict(SOLUTION)
    answers.pop(f"{name.removeprefix('no-')}-solution", None)
    return nb.with_answers(release, answers)
