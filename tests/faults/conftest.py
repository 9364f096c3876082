"""One class for all faults: made once, graded once without any."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from autograder.course import Course
from tests.faults.scene import SETTLED, Ledger, Scene, hand_in_first, hand_in_the_rest
from tests.support import tiny


@dataclass(frozen=True)
class Undisturbed:
    """The class before a run, all that a run without faults made of it, and how long that took."""

    course: Course
    before: Ledger
    after: Ledger
    students: list[str]
    seconds: float


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    folder = tmp_path_factory.mktemp("class")
    course = tiny.write_course(folder / "course")
    tiny.release(course, folder / "scratch")
    desk = tiny.Desk(course.assignment(tiny.NAME))
    hand_in_first(desk)
    first = Scene(course, folder / "first")
    with first.grading() as run:
        assert run.end() == 0, run.said
    mark(first.course)
    shutil.rmtree(course.root)
    shutil.copytree(first.course.root, course.root, symlinks=True)
    hand_in_the_rest(desk)
    second = Scene(course, folder / "second")
    started = time.monotonic()
    run = second.grade()
    seconds = time.monotonic() - started
    assert (first.left_over(), second.left_over()) == ([], [])
    before, after = Ledger.of(course), Ledger.of(second.course)
    # Where a path or form has changed, a ledger of nothing would equal every other.
    assert len(after.rows) > len(before.rows) > 0
    assert before.comments
    assert sorted(after.records) == sorted(run.graded)
    assert set(SETTLED) <= set(before.records)
    assert before.files
    assert after.files.keys() > before.files.keys()
    return Undisturbed(course, before, after, sorted(run.graded), seconds)


def mark(course: Course) -> None:
    """What formgrader does: points and a comment for each essay, and one automatic score overruled."""
    with Gradebook(course.db_url, course.course_id) as book:
        for name in SETTLED:
            notebook = book.find_submission_notebook("tiny", tiny.NAME, name)
            row = {row.name: row for row in notebook.grades}["essay"]
            row.manual_score, row.needs_manual_grade = 1.5, False
            {row.name: row for row in notebook.comments}["essay"].manual_comment = f"Well, {name}."
        {row.name: row for row in notebook.grades}["square"].manual_score = 0.5
        book.db.commit()


@pytest.fixture
def scene(undisturbed: Undisturbed, tmp_path: Path) -> Iterator[Scene]:
    made = Scene(undisturbed.course, tmp_path)
    yield made
    shutil.rmtree(made.temporary, ignore_errors=True)
