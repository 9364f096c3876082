"""Reference outputs: what the solution returned when `build` recorded it; they are stale once their source changes."""

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
from autograder.proof.prove import prove
from autograder.records import reference
from tests.support import grading
from tests.support.tiny import NAME, Desk, source, write_course

TEST = """check = Checks(points=1)
### BEGIN HIDDEN TESTS
from autograder.checks import assert_reference, grader_folder
with check("as the reference", 1):
    assert_reference("doubled", double(float((grader_folder() / "input.txt").read_text())), "your double")
### END HIDDEN TESTS
check.finish()"""
WHEAT = "# %% wheat: product\ndef double(x): return 2 * x\n"


@pytest.fixture
def assignment(tmp_path: Path, tiny: Course, quick: None) -> Iterator[Assignment]:
    """The tiny assignment, with its second task compared with a reference output."""
    notebook = nb.with_answers(source(), {"double": TEST})
    course = write_course(tmp_path / "course", notebook)
    folder = course.root / "assignments" / NAME
    (folder / "input.txt").write_text("1.25")
    (folder / "variants" / "double.py").write_text(WHEAT)
    shutil.copytree(tiny.release / NAME, course.release / NAME)
    yield course.assignment(NAME)


def faults_of(assignment: Assignment) -> list[str]:
    rows = prove(assignment, nb.read(assignment.source_path), nb.read(assignment.release_path), 2)
    return [f"{name}: {fault}" for name, fault, _ in rows if fault]


def manifest(assignment: Assignment) -> Path:
    return assignment.folder / "reference" / "default" / "manifest.json"


def test_the_solution_is_recorded_and_the_others_are_compared_with_it(assignment: Assignment) -> None:
    assert faults_of(assignment) == []
    saved = json.loads(manifest(assignment).read_text())
    assert saved["outputs"]["doubled"]["shape"] == []
    assert set(saved["versions"]) == {"torch", "torchvision", "open_clip_torch"}
    (assignment.folder / "variants" / "double.py").write_text("# %% wheat: off\ndef double(x): return 2 * x + 0.01\n")
    again = Assignment(assignment.course, NAME)
    (problem,) = faults_of(again)
    assert problem.startswith("wheat-double-off: double gets 0 of 1 (as the reference: your double is 2.51, off by")


def test_outputs_recorded_twice_are_the_same_to_the_byte(assignment: Assignment) -> None:
    arrays = manifest(assignment).with_name("outputs.safetensors")
    faults_of(assignment)
    first = arrays.read_bytes(), manifest(assignment).read_bytes()
    faults_of(assignment)
    assert (arrays.read_bytes(), manifest(assignment).read_bytes()) == first


@pytest.mark.parametrize(
    ("change", "message"),
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
def test_stale_outputs_stop_grading(assignment: Assignment, change: object, message: str) -> None:
    faults_of(assignment)
    reference.require_fresh(Assignment(assignment.course, NAME))
    assert callable(change)
    change(assignment)
    Desk(assignment).hand_in("ada")
    pattern = message if ".*" in message else re.escape(message)
    with pytest.raises(CourseError, match=f"{pattern}.*`autograder build tiny` makes them"):
        grading.grade(Assignment(assignment.course, NAME), 1)


def test_an_assignment_without_reference_checks_needs_no_outputs(tiny: Course) -> None:
    reference.require_fresh(tiny.assignment(NAME))


def test_a_name_that_was_not_recorded_is_an_error_of_the_course(
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
