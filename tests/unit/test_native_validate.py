"""`nbgrader validate` in a course of this engine runs a student's notebook in the sandbox, and says what it says elsewhere."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config

from autograder.course import Course, open_course
from tests.support.tiny import NAME, Desk
from tests.unit.test_native import ESCAPE, call, watch_kernels

FAILED = "VALIDATION FAILED ON {} CELL(S)!"


@pytest.fixture
def course(tiny: Course, tmp_path: Path) -> Course:
    return open_course(shutil.copytree(tiny.root, tmp_path / "course"))


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return watch_kernels(tmp_path, monkeypatch)


def validate(course: Course, *options: str, answers: dict[str, str] | None = None, **variables: str) -> tuple[int, str]:
    desk = Desk(course.assignment(NAME))
    path = desk.hand_in("student", desk.answered(**(answers or {})))
    done = call(course, "nbgrader", "validate", str(path), *options, **variables)
    return done.returncode, done.stdout + done.stderr


def test_right_answers_succeed(course: Course, watched: Path) -> None:
    code, said = validate(course)
    assert (code, "Success! Your notebook passes all the tests." in said) == (0, True), said
    assert not watched.exists()


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        ("def square(x): return 5", "- two: The square of 2 is 4."),
        ("raise NotImplementedError()", "NameError: name 'square' is not defined"),
        ("def square(x):\n    import os\n    os._exit(1)", "NotRun: the process ended (exit 1)"),
    ],
)
def test_wrong_answers_fail_with_the_reason(answer: str, line: str, course: Course, watched: Path) -> None:
    code, said = validate(course, answers={"square_solution": answer})
    assert code == 0
    assert FAILED.format(2 if "exit" in answer else 1) in said, said
    assert line in said, said
    assert not watched.exists()


@pytest.mark.prove
def test_a_cell_that_never_ends_is_stopped(course: Course, watched: Path) -> None:
    code, said = validate(course, "--Execute.timeout=3", answers={"square_solution": "while True: pass"})
    assert FAILED.format(2) in said, said
    assert code == 0
    assert not watched.exists()


def test_code_cannot_reach_the_machine(course: Course, watched: Path) -> None:
    escape = ESCAPE.format(path=str(watched.parent / "escaped"))
    _, said = validate(course, answers={"square_solution": escape})
    assert FAILED.format(1) in said, said
    assert list(watched.parent.iterdir()) == []


def test_without_this_engine_nothing_runs(course: Course, watched: Path, tmp_path: Path) -> None:
    (tmp_path / "broken" / "autograder").mkdir(parents=True)
    (tmp_path / "broken" / "autograder" / "__init__.py").write_text("raise ImportError('not installed')")
    broken = str(tmp_path / "broken")
    for code, said in (validate(course, PYTHONPATH=broken), validate(course, "--Execute.kernel_name=gone")):
        assert code == 1, said
        assert "Success" not in said
        assert list(watched.parent.iterdir()) == []


def test_it_says_what_a_plain_kernel_says(course: Course, tmp_path: Path) -> None:
    """The same results, to the letter: the outputs come from a real kernel."""
    from nbgrader.validator import Validator

    desk = Desk(course.assignment(NAME))
    path = desk.hand_in("student", desk.answered(square_solution="def square(x):\n    return x / 0", essay=""))
    results: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(course.root)
        for options in ({}, {"Execute": {"kernel_name": "autograder"}}):
            results.append(Validator(config=Config(options)).validate(str(path)))
    assert results[0] == results[1]
    assert results[0]["failed"]
