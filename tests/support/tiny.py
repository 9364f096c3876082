"""An assignment of two tasks and an essay, small enough to be built and graded in seconds; and pupils for it."""

from __future__ import annotations

import copy
import inspect
import json
import shutil
from pathlib import Path

import nbformat

from autograder.checks import Checks
from autograder.course import Assignment, Course, open_course
from autograder.course import notebook as nb
from autograder.gradebook.generate import generate
from autograder.proof.release import publish
from tests.support.classroom import ROOT
from tests.support.sandboxed import answer_cell, checking_cell, code, notebook

NAME = "tiny"
SETUP = (
    f"import contextlib\nfrom collections.abc import Iterator\nfrom typing import Any\n\n\n{inspect.getsource(Checks)}"
)
SQUARE = (
    "def square(x):\n    ### BEGIN SOLUTION\n    squared_value = x * x\n    return squared_value\n    ### END SOLUTION"
)
SQUARE_TEST = """check = Checks(points=2)
with check("two", 1):
    assert square(2) == 4, "The square of 2 is 4."
### BEGIN HIDDEN TESTS
with check("three hundred", 1):
    assert square(300) == 90_000, "Try a larger number."
### END HIDDEN TESTS
check.finish()"""
DOUBLE = "def double(x):\n    ### BEGIN SOLUTION\n    return x + x\n    ### END SOLUTION"
ESSAY = {
    "cell_type": "markdown",
    "metadata": code("", grade_id="essay", grade=True, solution=True, points=2)["metadata"],
    "source": "### BEGIN SOLUTION\nBecause four is two times two.\n### END SOLUTION",
}
VARIANTS = """
# %% wheat: power
def square(x):
    return x**2

# %% chaff: doubles
# misconception: squaring is doubling
# hint: Try 3.
def square(x):
    return x + x
"""
# What the autograder gives for the right answers: 2 for square, 1 for double; the essay waits for a person.
RIGHT = {
    "square-solution": "def square(x): return x * x",
    "double-solution": "def double(x): return 2 * x",
    "essay": "Mine.",
}


def source() -> nb.Notebook:
    locked = {"locked": True, "grade": False}
    cells = notebook(
        {"cell_type": "markdown", "metadata": {}, "source": "# Squares"},
        code(SETUP, grade_id="setup", **locked),
        answer_cell(SQUARE, "square-solution"),
        checking_cell(SQUARE_TEST, 2, "square"),
        answer_cell(DOUBLE, "double-solution"),
        checking_cell(
            "assert double(2) == 4\n### BEGIN HIDDEN TESTS\nassert double(300) == 600\n### END HIDDEN TESTS",
            1,
            "double",
        ),
        ESSAY,
    )
    cells["metadata"] = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}
    return copy.deepcopy(cells)


def write_course(folder: Path, made: nb.Notebook | None = None, variants: str = VARIANTS) -> Course:
    """A course with this assignment's source and settings, and no release."""
    for path in ("source/tiny", "assignments/tiny/variants", "gradebook"):
        (folder / path).mkdir(parents=True)
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    (folder / "source/tiny/tiny.ipynb").write_text(json.dumps(made or source()))
    (folder / "assignments/tiny/assignment.toml").write_text(
        "[limits]\ncell_seconds = 5\ncall_seconds = 2\nmemory_mb = 500\n"
    )
    (folder / "assignments/tiny/variants/square.py").write_text(variants)
    return open_course(folder)


def release(course: Course, scratch: Path) -> None:
    """Put the assignment's release in its place, unproven, and its cells into the gradebook."""
    assignment = course.assignment(NAME)
    scratch.mkdir()
    generate(assignment, scratch, course.db_url)
    publish(scratch / NAME, assignment)


class Desk:
    """Hands in submissions of one assignment."""

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment
        self.release = nb.read(assignment.release_path)

    def answered(self, **answers: str) -> nb.Notebook:
        """The release with the right answers but for some, by grade_id with an underscore for its hyphen."""
        return nb.with_answers(self.release, RIGHT | {name.replace("_", "-"): text for name, text in answers.items()})

    def hand_in(self, student: str, made: nb.Notebook | None = None, name: str = "tiny.ipynb") -> Path:
        """Hand in a notebook, or the right answers; where it lies."""
        return self.put(student, json.dumps(made or self.answered()).encode(), name)

    def put(self, student: str, content: bytes, name: str = "tiny.ipynb") -> Path:
        folder = self.assignment.course.submitted / student / self.assignment.name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
        (folder / "timestamp.txt").write_text("2026-01-09 12:00:00 UTC")
        return folder / name

    def hand_in_a_class(self) -> None:
        """One of each: who answered rightly, partly and not at all, and what cannot be read or has to be mended."""
        self.hand_in("right")
        self.hand_in("blank", self.release)
        self.hand_in("partly", self.answered(square_solution="def square(x): return 4", essay="YOUR ANSWER HERE"))
        self.hand_in("dies", self.answered(double_solution="def double(x):\n    import os\n    os._exit(1)"))
        self.put("broken", b'{"cells": [')
        self.put("empty", b"")
        linked = self.put("linked", b"")
        linked.unlink()
        linked.symlink_to(self.assignment.course.submitted / "right" / NAME / "tiny.ipynb")
        self.hand_in("mistimed").with_name("timestamp.txt").write_text("yesterday, or so")
        self.hand_in("misnamed", name="homework.ipynb")
        self.hand_in("undecided", name="a.ipynb")
        self.hand_in("undecided", self.answered(essay="Another."), name="b.ipynb")
        in_julia = self.answered()
        in_julia["metadata"]["kernelspec"] = {"name": "julia", "language": "julia"}
        self.hand_in("julia", in_julia)
        self.hand_in("elsewhere", notebook(code("1 + 1")))
        old = nbformat.convert(nbformat.from_dict(self.answered()), 3)
        self.put("format-3", json.dumps(old).encode())
        lacking = self.answered()
        lacking["cells"] = [cell for cell in lacking["cells"] if nb.grade_id(cell) not in ("double", "double-solution")]
        self.hand_in("lacking", lacking)
        doubled = self.answered()
        first = next(i for i, cell in enumerate(doubled["cells"]) if nb.grade_id(cell) == "square-solution")
        doubled["cells"].insert(first, {**copy.deepcopy(doubled["cells"][first]), "source": "def square(x): return 0"})
        self.hand_in("doubled", doubled)
        priced = self.answered(square="99")
        for cell in filter(nb.is_test, priced["cells"]):
            cell["metadata"]["nbgrader"]["points"] = 99
        self.hand_in("priced", priced)
