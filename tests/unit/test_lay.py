"""Laying a student's answers into the instructor's notebook: all other cells stay the instructor's, whatever the student did."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.course import lay as laying
from autograder.course import notebook as nb
from autograder.course.lay import PreparedSubmission
from autograder.errors import SubmissionError
from tests.support.classroom import NAME, ROOT
from tests.support.sandboxed import answer_cell, checking_cell, code, notebook

HIDDEN = "assert f(2) == 4\n### BEGIN HIDDEN TESTS\nassert f(3) == 9\n### END HIDDEN TESTS"
TEXT = {"cell_type": "markdown", "metadata": {}, "source": "Square it."}
ESSAY = {
    "cell_type": "markdown",
    "metadata": {"nbgrader": {"grade_id": "essay", "grade": True, "solution": True, "points": 2}},
    "source": "YOUR ANSWER HERE",
}
LOCKED = code("import math", grade_id="setup", locked=True)
BLANK = "raise NotImplementedError()"
SOURCE = notebook(TEXT, LOCKED, answer_cell("def f(x): return x * x"), checking_cell(HIDDEN, 2), ESSAY)
RELEASE = notebook(TEXT, LOCKED, answer_cell(BLANK), checking_cell("assert f(2) == 4", 2), ESSAY)


def fill_in(**answers: str) -> nb.Notebook:
    """Return the release as a student fills it in."""
    return nb.with_answers(RELEASE, {"answer": "def f(x): return x**2", "essay": "Mine.", **answers})


def lay(student: nb.Notebook) -> PreparedSubmission:
    return laying.lay(SOURCE, RELEASE, student)


def texts(laid: PreparedSubmission, kind: str = "code") -> list[str]:
    return [cell["source"] for cell in laid.notebook["cells"] if cell["cell_type"] == kind]


def test_answers_come_from_the_student_and_tests_from_the_instructor() -> None:
    laid = lay(fill_in())
    assert texts(laid) == ["import math", "def f(x): return x**2", HIDDEN]
    assert texts(laid, "markdown") == ["Square it.", "Mine."]
    assert (laid.notes, laid.unanswered) == ((), frozenset())


def test_an_answer_as_released_counts_as_unanswered() -> None:
    assert lay(fill_in(answer=BLANK, essay=" YOUR ANSWER HERE\n")).unanswered == {"answer", "essay"}


def test_changed_tests_and_locked_cells_are_restored() -> None:
    laid = lay(fill_in(test="2", setup="import math; math.pi = 3"))
    assert texts(laid) == ["import math", "def f(x): return x**2", HIDDEN]
    assert set(laid.notes) == {
        f"cell {name} is not the release's; the one of the release was run" for name in ("setup", "test")
    }


def test_changed_points_do_not_count() -> None:
    student = fill_in()
    student["cells"][3]["metadata"]["nbgrader"]["points"] = 100
    laid = lay(student)
    assert [nb.points(cell) for cell in laid.notebook["cells"] if nb.is_test(cell)] == [2]
    assert laid.notes == ("the points of test are not the release's; those of the release count",)


def test_an_answer_turned_into_text_is_code_again() -> None:
    student = fill_in()
    student["cells"][2]["cell_type"] = "markdown"
    laid = lay(student)
    assert texts(laid)[1] == "def f(x): return x**2"
    assert laid.notes == ("cell answer was turned into a markdown cell; restored",)


def test_missing_cells_are_restored_and_an_answer_among_them_is_unanswered() -> None:
    student = fill_in()
    del student["cells"][2:4]
    laid = lay(student)
    assert texts(laid) == ["import math", BLANK, HIDDEN]
    assert laid.notes == ("cell answer was missing; it counts as unanswered", "cell test was missing; restored")
    assert laid.unanswered == {"answer"}


@pytest.mark.parametrize("other_ids", [False, True])
def test_text_and_plots_of_the_release_appear_once_as_the_student_left_them(other_ids: bool) -> None:
    """Cells that nbgrader does not know are in both notebooks and must not run twice. Colab gives cells other ids."""
    student = fill_in()
    student["cells"].append({**code("edited = 1"), "id": "plot"})
    if other_ids:
        student["cells"][0]["id"] = "colab"
    release = copy.deepcopy(RELEASE)
    release["cells"] += [{**code("plot()"), "id": "plot"}, {**code("gone()"), "id": "gone"}]
    laid = laying.lay(SOURCE, release, student)
    assert texts(laid, "markdown") == ["Square it.", "Mine."]
    assert texts(laid)[3:] == ["edited = 1", "gone()"]


def test_own_cells_stay_after_the_cell_they_followed_and_lose_their_metadata() -> None:
    student = fill_in()
    own = code("y = 1", grade_id="mine", grade=True, points=99)
    own["metadata"]["tags"] = ["skip-execution"]
    student["cells"].insert(2, own)
    student["cells"].insert(0, code("first = 1"))
    laid = lay(student)
    assert texts(laid) == ["first = 1", "import math", "y = 1", "def f(x): return x**2", HIDDEN]
    assert [cell["metadata"] for cell in laid.notebook["cells"] if cell["source"] == "y = 1"] == [{}]


@pytest.mark.parametrize("apart", [False, True])
def test_the_last_copy_of_an_answer_runs_last(apart: bool) -> None:
    """As in the student's own kernel, the last copy replaces what the first one defines."""
    student = fill_in(answer="f = 'last'")
    student["cells"].insert(1 if apart else 2, answer_cell("f = 'first'"))
    laid = lay(student)
    assert [text for text in texts(laid) if text.startswith("f = ")] == ["f = 'first'", "f = 'last'"]
    assert laid.notes == ("cell answer came 2 times; the last counts",)


def test_a_test_that_comes_twice_runs_once() -> None:
    student = fill_in()
    student["cells"].append(copy.deepcopy(student["cells"][3]))
    assert texts(lay(student)).count(HIDDEN) == 1


def test_a_notebook_of_another_kernel_is_refused() -> None:
    student = fill_in()
    student["metadata"] = {"kernelspec": {"language": "R", "name": "ir"}}
    with pytest.raises(SubmissionError, match="kernel is r; this assignment is in Python"):
        lay(student)


def test_a_notebook_of_another_assignment_is_refused() -> None:
    with pytest.raises(SubmissionError, match="is it the right file"):
        lay(notebook(code("1", grade_id="elsewhere")))


MANGLERS = st.lists(
    st.tuples(
        st.sampled_from(["delete", "copy", "swap", "retype", "forge", "strip", "own"]),
        st.integers(0, 99),
        st.integers(0, 99),
    ),
    max_size=8,
)


def mangle(student: nb.Notebook, edits: list[tuple[str, int, int]]) -> nb.Notebook:
    cells = student["cells"]
    for edit, a, b in edits:
        i, j = a % max(1, len(cells)), b % max(1, len(cells))
        if edit == "own" or not cells:
            cells.insert(i, code("own = 1"))
        elif edit == "delete":
            del cells[i]
        elif edit == "copy":
            cells.insert(j, copy.deepcopy(cells[i]))
        elif edit == "swap":
            cells[i], cells[j] = cells[j], cells[i]
        elif edit == "retype":
            cells[i]["cell_type"] = ["code", "markdown", "raw", "no such type"][b % 4]
        elif edit == "forge":
            grader = {
                "grade_id": ["answer", "test", "setup", "new", 7][b % 5],
                "grade": True,
                "solution": a % 2 == 0,
                "points": -1,
            }
            cells[i]["metadata"] = {"nbgrader": grader}
        else:
            cells[i].pop(["metadata", "source", "id", "outputs"][b % 4], None)
    return student


@given(MANGLERS)
def test_however_a_notebook_is_mangled_other_cells_stay_the_instructors(edits: list[tuple[str, int, int]]) -> None:
    """Each test cell and locked cell appears once, in the instructor's order, with the instructor's text, type and points, and no
    other cell has nbgrader's metadata."""
    try:
        laid = lay(mangle(fill_in(), edits))
    except SubmissionError:
        return
    known = [cell for cell in laid.notebook["cells"] if nb.grade_id(cell)]
    assert [cell["metadata"] for cell in known] == [cell["metadata"] for cell in RELEASE["cells"] if nb.grade_id(cell)]
    assert [cell["cell_type"] for cell in known] == ["code", "code", "code", "markdown"]
    assert (known[0]["source"], known[2]["source"]) == ("import math", HIDDEN)
    ids = [cell["id"] for cell in laid.notebook["cells"]]
    assert len(set(ids)) == len(ids)


def test_nbformat_accepts_a_laid_notebook() -> None:
    import nbformat

    student = mangle(fill_in(), [("copy", 2, 1), ("own", 1, 0), ("retype", 0, 3), ("strip", 2, 2)])
    nbformat.validate(nbformat.from_dict(lay(student).notebook))


def test_the_first_assignment_laid_into_itself_needs_no_repair() -> None:
    source, release = (nb.read(next((ROOT / part / NAME).glob("*.ipynb"))) for part in ("source", "release"))
    laid = laying.lay(source, release, release)
    assert laid.notes == ()
    assert [nb.grade_id(cell) for cell in laid.notebook["cells"]] == [nb.grade_id(cell) for cell in release["cells"]]
    assert {nb.grade_id(cell) for cell in source["cells"] if nb.is_answer(cell)} == laid.unanswered
