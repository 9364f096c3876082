"""nbgrader's own commands read natively what the autograder wrote."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.course import Course, open_course
from tests.support.classroom import NAME, Classroom, hand_in, make_course, read_csv, use_stock

BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A solution, a chaff and a written answer, graded by the real command."""
    course = make_course(tmp_path_factory.mktemp("graded") / "course")
    classroom = Classroom(course.assignment(NAME))
    for pupil in (*classroom.variants("solution"), *classroom.variants("chaff-clip_loss-rows_only")):
        hand_in(course.assignment(NAME), pupil)
        (course.submitted / pupil.name / NAME / "submission_secret.txt").write_text(f"{hash(pupil.name):064x}"[-64:])
    run(course, "autograder", "grade", NAME)
    return course


def run(course: Course, *command: str) -> str:
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=course.root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout + done.stderr


def test_students_are_listed(graded: Course) -> None:
    listed = run(graded, "nbgrader", "db", "student", "list")
    assert "solution" in listed
    assert "chaff-clip_loss-rows_only" in listed


def test_export_has_the_scores(graded: Course, tmp_path: Path) -> None:
    run(graded, "nbgrader", "export", "--to", str(tmp_path / "grades.csv"))
    rows = {row["student_id"]: row for row in read_csv(tmp_path / "grades.csv")}
    assert float(rows["solution"]["score"]) == 40
    assert 34 <= float(rows["chaff-clip_loss-rows_only"]["score"]) < 40
    assert float(rows["solution"]["max_score"]) == 43


def test_our_export_has_the_same_rows_as_nbgraders(graded: Course, tmp_path: Path) -> None:
    run(graded, "nbgrader", "export", "--to", str(tmp_path / "theirs.csv"))
    run(graded, "autograder", "export", "--to", str(tmp_path / "ours.csv"))
    theirs, ours = (read_csv(tmp_path / name) for name in ("theirs.csv", "ours.csv"))
    assert ours == theirs


def test_the_autograded_notebook_is_rendered_with_its_pictures(graded: Course, tmp_path: Path) -> None:
    """By nbgrader's own exporter, which formgrader uses too: a picture missing from a text cell stops it."""
    other = open_course(shutil.copytree(graded.root, tmp_path / "course", symlinks=True))
    use_stock(other.root)
    run(other, "nbgrader", "generate_feedback", NAME)
    assert (other.feedback / "solution" / NAME / "similarity-and-loss.html").stat().st_size > 100_000


def test_feedback_reaches_the_students_through_the_exchange(graded: Course, tmp_path: Path) -> None:
    exchange = tmp_path / "exchange"
    exchange.mkdir(mode=0o777)
    exchange.chmod(0o777)
    run(graded, "autograder", "feedback", NAME)
    run(graded, "nbgrader", "release_feedback", NAME, f"--Exchange.root={exchange}")
    handed_out = [path.read_text() for path in exchange.rglob("*.html")]
    assert len(handed_out) == 2
    assert all("passed" in page for page in handed_out)
