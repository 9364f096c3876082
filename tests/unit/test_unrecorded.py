"""A grade that another engine wrote is told as such by every command that shows grades."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from nbgrader.api import Gradebook

from autograder.cli import main
from autograder.course import Course, open_course
from autograder.gradebook.unrecorded import find_unrecorded
from autograder.records.store import record_path
from tests.support.classroom import use_stock
from tests.support.grading import grade
from tests.support.tiny import NAME, Desk
from tests.unit.test_native import call

WARNS = "import sys\ndef square(x):\n    print('slow', file=sys.stderr)\n    return x * x"  # costs all points there
SAID = "tiny: 1 grade in the gradebook not from this engine (right); "


@pytest.fixture(scope="module")
def graded(tiny: Course, quick: None, tmp_path_factory: pytest.TempPathFactory) -> Course:
    course = open_course(shutil.copytree(tiny.root, tmp_path_factory.mktemp("graded") / "course"))
    desk = Desk(course.assignment(NAME))
    desk.hand_in_a_class()
    desk.hand_in("warns", desk.answered(square_solution=WARNS))
    grade(course.assignment(NAME), 2)
    return course


@pytest.fixture
def course(graded: Course, tmp_path: Path) -> Course:
    return open_course(shutil.copytree(graded.root, tmp_path / "course", symlinks=True))


def change(course: Course, change_it: Callable[[Any], None]) -> None:
    with Gradebook(course.db_url, course.course_id) as book:
        change_it(book.find_submission(NAME, "right"))
        book.db.commit()


def other_score(submission: Any) -> None:
    submission.notebooks[0].grades[0].auto_score = 0.5


def other_time(submission: Any) -> None:
    submission.timestamp = submission.timestamp.replace(year=2025)


def test_our_own_grades_are_recorded(course: Course) -> None:
    """Also what could not be read, has no time or waits; and after marks, a new deadline, a file that is not graded yet."""
    assert find_unrecorded(course) == {}

    def mark(submission: Any) -> None:
        for row in submission.notebooks[0].grades:
            row.manual_score, row.needs_manual_grade, row.extra_credit = 1.5, False, 1

    change(course, mark)
    Desk(course.assignment(NAME)).hand_in("right").with_name("timestamp.txt").write_text("2026-01-11 12:00:00 UTC")
    assert find_unrecorded(course) == {}


@pytest.mark.parametrize("changed", [other_score, other_time])
def test_another_score_or_time_is_told(changed: Callable[[Any], None], course: Course) -> None:
    change(course, changed)
    assert find_unrecorded(course) == {NAME: ["right"]}
    assert find_unrecorded(course, NAME, ["blank"]) == {}
    assert find_unrecorded(course, "another") == {}


def test_a_grade_without_a_record_is_told(course: Course) -> None:
    for student in ("right", "broken"):  # the second has no score, so no engine has graded it
        record_path(course.assignment(NAME), student).unlink()
    assert find_unrecorded(course) == {NAME: ["right"]}


def test_every_command_that_shows_grades_says_so(course: Course) -> None:
    change(course, other_score)

    def run(*command: str) -> Result:
        return CliRunner().invoke(main, [*command, f"--course={course.root}"])

    for command in (["export"], ["export", NAME], ["report", NAME], ["feedback", NAME]):
        lines = [line for line in run(*command).stderr.splitlines() if line.startswith(SAID)]
        assert len(lines) == 1, command
        assert "`autograder grade tiny` replaces the" in lines[0]
    assert SAID not in run("feedback", NAME, "--student=blank").stderr
    done = run("grade", NAME, "--student=right")
    assert f"{SAID}graded again here" in done.stderr.splitlines()
    assert SAID not in run("export").stderr


def test_what_nbgraders_own_kernel_gave_is_told(course: Course) -> None:
    use_stock(course.root)
    call(course, "nbgrader", "autograde", NAME, "--student=warns", "--force")
    assert find_unrecorded(course) == {NAME: ["warns"]}


def test_a_course_without_a_gradebook_has_none(tmp_path: Path, tiny: Course) -> None:
    course = open_course(shutil.copytree(tiny.root, tmp_path / "course"))
    (course.root / "gradebook" / "gradebook.db").unlink()
    assert find_unrecorded(course) == {}
