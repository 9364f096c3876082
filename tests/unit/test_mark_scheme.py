"""The person who grades a written answer sees its mark scheme after it; the student never does."""

from __future__ import annotations

import json

import nbformat
import pytest

from autograder.course import Course, mark_scheme
from autograder.course import notebook as nb
from autograder.gradebook.autograded import make_autograded_notebook
from autograder.pages.feedback.files import write_feedback
from autograder.records.grade import Grade
from autograder.records.run import Run
from tests.support import grading
from tests.support.sandboxed import code, notebook
from tests.support.tiny import NAME, Desk, release, source, write_course

SCHEME = "One point each.\n\n1. **Names four.** A number alone does not earn it."
ESSAY = f"### BEGIN SOLUTION\nFour.\n\n### BEGIN MARK SCHEME\n{SCHEME}\n### END MARK SCHEME\n### END SOLUTION"


@pytest.fixture(scope="module")
def graded(quick: None, tmp_path_factory: pytest.TempPathFactory) -> Course:
    """One submission of the tiny assignment, graded; its essay has a mark scheme."""
    folder = tmp_path_factory.mktemp("scheme")
    course = write_course(folder / "course", nb.with_answers(source(), {"essay": ESSAY}))
    release(course, folder / "scratch")
    Desk(course.assignment(NAME)).hand_in("ada")
    assert [grade.score for grade in grading.grade(course.assignment(NAME), 1).grades.values()] == [3]
    return course


def test_the_mark_scheme_follows_the_answer_that_a_person_grades(graded: Course) -> None:
    saved = graded.autograded / "ada" / NAME / "tiny.ipynb"
    nbformat.validate(nbformat.read(saved, as_version=4))
    cells = nb.read(saved)["cells"]
    essay = next(index for index, cell in enumerate(cells) if nb.grade_id(cell) == "essay")
    assert nb.source(cells[essay]) == "Mine."
    shown = nb.source(cells[essay + 1])
    assert [line.removeprefix("> ").removeprefix(">") for line in shown.split("\n")][2:] == SCHEME.split("\n")
    assert sum("Names four" in nb.source(cell) for cell in cells) == 1


def test_neither_the_release_nor_a_feedback_page_contains_it(graded: Course) -> None:
    assignment = graded.assignment(NAME)
    list(write_feedback(assignment))
    (page,) = (graded.feedback / "ada" / NAME).glob("*.html")
    assert "Mine." in page.read_text()
    for text in (page.read_text(), assignment.release_path.read_text()):
        assert "Names four" not in text


def shown(source: nb.Notebook) -> bytes:
    """What Formgrader shows of a submission that is the instructor's own notebook."""
    run = Run("ada", NAME, json.dumps(source).encode())
    return make_autograded_notebook(run, Grade("ada", NAME, "completed"), mark_scheme.schemes(source))


def test_the_scheme_of_a_code_answer_is_read_without_its_comment_signs() -> None:
    scheme = "    ### BEGIN MARK SCHEME\n    # One point.\n    #\n    # - if drawn\n    ### END MARK SCHEME\n"
    text = f"def f(S):\n    ### BEGIN SOLUTION\n    return S\n{scheme}    ### END SOLUTION"
    cell = code(text, grade_id="heatmap", solution=True, grade=True, points=2)
    assert mark_scheme.of(cell) == "One point.\n\n- if drawn"


def test_an_answer_without_a_mark_scheme_is_left_alone() -> None:
    cell = code("x = 1", grade_id="x", solution=True, grade=True, points=2)
    made = notebook(cell)
    assert [nb.source(each) for each in json.loads(shown(made))["cells"]] == ["x = 1"]


def test_a_students_cell_of_the_same_id_keeps_the_notebook_valid() -> None:
    made = nb.with_answers(source(), {"essay": ESSAY})
    made["cells"].append({"cell_type": "markdown", "id": "mark-scheme", "metadata": {}, "source": "mine"})
    ids = [cell["id"] for cell in json.loads(shown(made))["cells"]]
    assert len(set(ids)) == len(ids)
