"""The demo's class hands in what students have: the release with answers typed in, never the instructor's notebook."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from autograder.course import Course, mark_scheme
from autograder.course import notebook as nb
from autograder.proof.regions import split_lines
from autograder.proof.release import TELLING_LENGTH
from tests.demo import hand_in_all
from tests.support.classroom import NAME, ROOT, Classroom, hand_in, is_written, make_course

INSTRUCTORS_OWN = ("### BEGIN", "### END", "# misconception:", "# hint:")
NAMES = sorted(path.name for path in (ROOT / "source").iterdir())


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return make_course(tmp_path_factory.mktemp("demo") / "course")


def telling_lines(course: Course, name: str) -> set[str]:
    """Every line of a model answer, a mark scheme or an explanation in a solution that is long enough to be recognised."""
    source = nb.read(course.assignment(name).source_path)
    written = [nb.source(cell) for cell in nb.known_cells(source) if is_written(cell)]
    written += mark_scheme.schemes(source).values()
    solutions = [nb.source(cell) for cell in nb.known_cells(source) if nb.is_answer(cell)]
    explained = [
        line for text in solutions for line, inside in split_lines(text) if inside and line.lstrip().startswith("#")
    ]
    written.append("\n".join(explained))
    return {line for text in written for line in text.splitlines() if len(line) >= TELLING_LENGTH}


@pytest.mark.parametrize("name", NAMES)
def test_no_submission_of_the_demo_holds_an_instructors_marker_or_a_model_answer(course: Course, name: str) -> None:
    hand_in_all(course, name)
    notebooks = list(course.submitted.glob(f"*/{name}/*.ipynb"))
    assert len(notebooks) > 2
    for path in notebooks:
        if path.is_symlink():
            continue  # to the instructor's notebook, as a mishap: it is not read
        text = path.read_text()
        assert not [note for note in INSTRUCTORS_OWN if note in text], path
        if text.endswith("}"):  # a broken file is one of the mishaps
            sources = "\n".join(nb.source(cell) for cell in nb.read(path)["cells"])
            assert not [line for line in telling_lines(course, name) if line in sources], path


def test_a_right_answer_of_the_demo_leaves_no_written_cell_empty(course: Course) -> None:
    """Otherwise nobody could try to mark it."""
    for name in NAMES:
        classroom = Classroom(course.assignment(name))
        blank = {nb.grade_id(cell): nb.source(cell) for cell in nb.known_cells(classroom.release)}
        for cell in nb.known_cells(classroom.notebook(classroom.solution)):
            assert not nb.is_answer(cell) or nb.source(cell) != blank[nb.grade_id(cell)], (name, nb.grade_id(cell))


def test_a_page_of_the_demo_shows_no_mark_scheme_and_no_model_answer(course: Course) -> None:
    classroom = Classroom(course.assignment(NAME))
    (solution,) = classroom.variants("solution")
    hand_in(classroom.assignment, solution)
    for command in ("grade", "feedback"):
        program = [str(Path(sys.executable).parent / "autograder"), command, NAME, "--student", "solution"]
        subprocess.run(program, cwd=course.root, check=True, capture_output=True)
    page = (course.feedback / "solution" / NAME / f"{classroom.assignment.notebook}.html").read_text()
    assert "MARK SCHEME" not in page and "BEGIN SOLUTION" not in page
    assert not [line for line in telling_lines(course, NAME) if line[:60] in page]
