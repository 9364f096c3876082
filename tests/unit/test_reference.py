"""Reference outputs: what the solution returned when `build` recorded it; of anything else they are stale."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from autograder.checks import assert_reference
from autograder.course import Assignment, Course
from autograder.course import notebook as nb
from autograder.errors import CourseError
from autograder.grading.grading import Class
from autograder.proof.prove import prove as prove_assignment
from autograder.records import reference
from tests.support.tiny import NAME, Desk, source, write_course

TEST = """check = Checks(points=1)
check.summary()
### BEGIN HIDDEN TESTS
from autograder.checks import assert_reference, grader_folder
with check("as the reference", 1):
    assert_reference("doubled", double(float((grader_folder() / "input.txt").read_text())), "your double")
check.score
### END HIDDEN TESTS"""
WHEAT = "# %% wheat: product\ndef double(x): return 2 * x\n"


@pytest.fixture
def assignment(tmp_path: Path, tiny: Course, quick: None) -> Iterator[Assignment]:
    """The tiny assignment, its second task compared with a reference output; proven once, so that it is recorded."""
    made = nb.with_answers(source(), {"double": TEST})
    course = write_course(tmp_path / "course", made)
    folder = course.root / "assignments" / NAME
    (folder / "input.txt").write_text("1.25")
    (folder / "variants" / "double.py").write_text(WHEAT)
    shutil.copytree(tiny.release / NAME, course.release / NAME)
    yield course.assignment(NAME)


def prove(assignment: Assignment) -> list[str]:
    rows = prove_assignment(assignment, nb.read(assignment.source_path), nb.read(assignment.release_path), 2)
    return [f"{name}: {broken}" for name, broken, _ in rows if broken]


def manifest(assignment: Assignment) -> Path:
    return assignment.folder / "reference" / "default" / "manifest.json"


def test_the_solution_is_recorded_and_the_others_are_compared_with_it(assignment: Assignment) -> None:
    assert prove(assignment) == []
    made = json.loads(manifest(assignment).read_text())
    assert made["outputs"]["doubled"]["shape"] == []
    assert set(made["versions"]) == {"torch", "torchvision", "open_clip_torch"}
    (assignment.folder / "variants" / "double.py").write_text("# %% wheat: off\ndef double(x): return 2 * x + 0.01\n")
    again = Assignment(assignment.course, NAME)
    (problem,) = prove(again)
    assert problem.startswith("wheat-double-off: double gets 0 of 1 (as the reference: your double is 2.51, off by")


def test_recorded_twice_the_outputs_are_the_same_to_the_byte(assignment: Assignment) -> None:
    kept = manifest(assignment).with_name("outputs.safetensors")
    prove(assignment)
    first = kept.read_bytes(), manifest(assignment).read_bytes()
    prove(assignment)
    assert (kept.read_bytes(), manifest(assignment).read_bytes()) == first


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda a: a.source_path.write_text(a.source_path.read_text() + " "), "stale (changed: source)"),
        (lambda a: (a.folder / "assignment.toml").write_text("seed = 1"), "stale (changed: seed)"),
        (
            lambda a: (a.folder / "assignment.toml").write_text("[environment]\nCLIP_MODEL = 'ViT-B-32'"),
            "stale (changed: environment)",
        ),
        (
            lambda a: (a.folder / "assignment.toml").write_text("reference = 'ViT-B-32'"),
            "has no reference outputs in .*ViT-B-32",
        ),
        (lambda a: (a.source_folder / "data.csv").write_text("1,2"), "stale (changed: files)"),
        (lambda a: (a.folder / "input.txt").write_text("1.5"), "stale (changed: hidden files)"),
        (lambda a: manifest(a).unlink(), "has no reference outputs in"),
        (lambda a: manifest(a).write_text("[]"), "stale (changed: manifest.json)"),
        (lambda a: manifest(a).with_name("outputs.safetensors").unlink(), "stale (changed: outputs.safetensors)"),
    ],
)  # fmt: skip
def test_nothing_is_graded_with_outputs_of_something_else(assignment: Assignment, change: object, said: str) -> None:
    prove(assignment)
    reference.require_fresh(Assignment(assignment.course, NAME))
    assert callable(change)
    change(assignment)
    Desk(assignment).hand_in("ada")
    pattern = said if ".*" in said else re.escape(said)
    with pytest.raises(CourseError, match=f"{pattern}.*`autograder build tiny` makes them"):
        list(Class(Assignment(assignment.course, NAME), 1).grades())


def test_an_assignment_that_compares_with_none_needs_none(tiny: Course) -> None:
    reference.require_fresh(tiny.assignment(NAME))


def test_a_name_that_was_not_recorded_is_no_fault_of_the_student(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nbgrader_config.py").write_text("")
    (tmp_path / "source" / "tiny").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "source" / "tiny")
    with pytest.raises(CourseError, match="no reference output 'x'"):
        assert_reference("x", 1.0)


def test_outputs_are_compared_to_the_tolerance_of_a_cosine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.checks.checks.recall", lambda _: np.array([0.5, 0.25]))
    assert_reference("x", [0.50009, 0.25])
    with pytest.raises(AssertionError, match=r"entry \[0\] of the result is 0.5002, off"):
        assert_reference("x", [0.5002, 0.25])
    with pytest.raises(AssertionError, match="None"):
        assert_reference("x", None)
