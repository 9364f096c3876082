"""nbgrader's own commands and API grade with this engine in a course whose nbgrader_config.py names it, and never with a kernel
of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from traitlets.config.loader import PyFileConfigLoader

from autograder.course import Course, open_course
from autograder.records.store import record_path
from tests.support.tiny import NAME, Desk

BIN = Path(sys.executable).parent
ESCAPE = "def square(x):\n    open({path!r}, 'w').write('out')\n    return x * x\nsquare(1)"


@pytest.fixture
def course(tiny: Course, tmp_path: Path) -> Course:
    """A class: right, partly right, hostile, and three that hand in somebody else's work by a link."""
    course = open_course(shutil.copytree(tiny.root, tmp_path / "course"))
    desk = Desk(course.assignment(NAME))
    desk.hand_in("right")
    desk.hand_in("partly", desk.answered(square_solution="def square(x): return 4"))
    desk.hand_in("hostile", desk.answered(square_solution=ESCAPE.format(path=str(tmp_path / "outside" / "escaped"))))
    desk.put("links-notebook", b"").unlink()
    (course.submitted / "links-notebook" / NAME / "tiny.ipynb").symlink_to(course.submitted / "right/tiny/tiny.ipynb")
    (course.submitted / "links-folder").mkdir()
    (course.submitted / "links-folder" / NAME).symlink_to(course.submitted / "right" / NAME)
    desk.hand_in("links-file")
    (course.submitted / "links-file" / NAME / "data.txt").symlink_to(course.root / "source/tiny/tiny.ipynb")
    return course


def watch_kernels(folder: Path, patch: pytest.MonkeyPatch) -> Path:
    """A file that any kernel outside the sandbox would write as it starts; it would be alone in its folder."""
    startup = folder / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    mark = folder / "outside" / "kernel-started"
    mark.parent.mkdir(exist_ok=True)
    mark.parent.chmod(0o777)
    (startup / "mark.py").write_text(f"open({str(mark)!r}, 'w').close()\n")
    patch.setenv("IPYTHONDIR", str(folder / "ipython"))
    return mark


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return watch_kernels(tmp_path, monkeypatch)


def call(course: Course, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", **variables}
    return subprocess.run(command, cwd=course.root, env=environment, capture_output=True, text=True, check=False)


def read_results(course: Course) -> dict[str, Any]:
    """All that a grading leaves: records but for the seconds, executed notebooks and times, rows of the gradebook."""
    results: dict[str, Any] = {}
    for path in sorted(course.autograded.rglob("*")):
        if path.is_file():
            results[str(path.relative_to(course.root))] = path.read_bytes()
    for folder in course.submitted.iterdir():
        record = json.loads(record_path(course.assignment(NAME), folder.name).read_bytes())
        results[folder.name] = {name: value for name, value in record.items() if name not in ("seconds", "run")}
    with Gradebook(course.db_url, course.course_id) as book:
        for submission in book.assignment_submissions(NAME):
            rows = [row.to_dict() for notebook in submission.notebooks for row in notebook.grades]
            for row in rows:
                del row["id"]
            results[f"{submission.student_id}'s rows"] = (str(submission.timestamp), submission.score, rows)
    return results


def ours(course: Course) -> dict[str, Any]:
    """What `autograder grade` leaves of the same class."""
    other = open_course(shutil.copytree(course.root, course.root.with_name("other"), symlinks=True))
    for name in ("links-notebook", "links-folder"):  # their targets are in the first course: the same files
        assert (other.submitted / name).is_dir()
    assert call(other, "autograder", "grade", NAME).returncode == 1
    return read_results(other)


def api(course: Course) -> NbGraderAPI:
    config = PyFileConfigLoader("nbgrader_config.py", str(course.root)).load_config()
    return NbGraderAPI(CourseDirectory(config=config), config=config)


def test_the_command_leaves_what_autograder_grade_leaves(course: Course, watched: Path) -> None:
    done = call(course, "nbgrader", "autograde", NAME)
    assert done.returncode == 1, done.stderr  # two could not be read
    assert "tiny.ipynb is a symbolic link" in done.stderr
    assert "WARNING" not in done.stderr
    assert list(watched.parent.iterdir()) == []
    assert read_results(course) == ours(course)
    names = [path.name for path in course.autograded.rglob("*")]
    assert "data.txt" not in names


@pytest.mark.prove
def test_the_api_grades_one_student(course: Course, watched: Path) -> None:
    """As Formgrader's button does: with force, so that it runs again."""
    for _ in range(2):
        result = api(course).autograde(NAME, "hostile")
        assert result["success"], result
        assert "hostile" in result["log"]
    assert list(watched.parent.iterdir()) == []
    assert [path.name for path in course.transcripts.iterdir()] == ["hostile"]
    refused = api(course).autograde(NAME, "links-notebook")
    assert not refused["success"]
    assert "symbolic link" in refused["log"]


def test_without_this_engine_nbgrader_refuses(course: Course, watched: Path, tmp_path: Path) -> None:
    """Whatever keeps it from being imported: nothing is run, copied or written."""
    (tmp_path / "broken" / "autograder").mkdir(parents=True)
    (tmp_path / "broken" / "autograder" / "__init__.py").write_text("raise ImportError('not installed')")
    before = read_rows(course)
    for command in ("autograde", "generate_feedback"):
        done = call(course, "nbgrader", command, NAME, PYTHONPATH=str(tmp_path / "broken"))
        assert done.returncode != 0, command
        assert "autograder.native" in done.stderr
    assert list(watched.parent.iterdir()) == []
    assert not course.autograded.exists()
    assert read_rows(course) == before


def read_rows(course: Course) -> list[str]:
    with Gradebook(course.db_url, course.course_id) as book:
        return [str(submission) for submission in book.assignment_submissions(NAME)]


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        ("--no-execute", "leave it out"),
        ("--db=sqlite:////tmp/another.db", "as db_url"),
        ("--CourseDirectory.autograded_directory=elsewhere", "as autograded"),
        ("--Autograde.exporter_class=nbconvert.exporters.NotebookExporter", "restore c.Autograde.exporter_class"),
    ],
)
def test_an_option_that_would_be_passed_over_is_refused(
    option: str, reason: str, course: Course, watched: Path
) -> None:
    done = call(course, "nbgrader", "autograde", NAME, "--student=right", option)
    assert done.returncode == 1
    assert reason in done.stderr
    assert list(watched.parent.iterdir()) == []
    assert not list(course.transcripts.glob("*"))


@pytest.mark.prove
def test_feedback_is_ours(course: Course) -> None:
    """The same pages and files, for those whom nbgrader's options name."""
    for folder in ("right", "partly"):
        (course.submitted / folder / NAME / "submission_secret.txt").write_text("a" * 64)
    assert call(course, "nbgrader", "autograde", NAME, "--student=[rp]*").returncode == 0
    done = call(course, "nbgrader", "generate_feedback", NAME, "--student=right")
    assert done.returncode == 0, done.stderr
    assert [path.name for path in course.feedback.iterdir()] == ["right"]
    assert api(course).generate_feedback(NAME)["success"]
    assert api(course).generate_feedback(NAME, "partly")["success"]
    theirs = {path.relative_to(course.feedback): path.read_bytes() for path in course.feedback.rglob("*.*")}
    shutil.rmtree(course.feedback)
    assert call(course, "autograder", "feedback", NAME).returncode == 0
    assert {path.relative_to(course.feedback): path.read_bytes() for path in course.feedback.rglob("*.*")} == theirs
    assert len(theirs) == 6
    assert b"90_000" not in b"".join(theirs.values())
