"""What decides a grade is one list: whatever on it changes makes stale what depends on it, and nothing else does."""

from __future__ import annotations

import json
import shutil
from importlib.metadata import version
from pathlib import Path

import pytest

from autograder.course import Assignment, Course, open_course
from autograder.course import notebook as nb
from autograder.records.deciding import ANSWERING, JUDGING, Deciding, hash_engine, list_module_files
from tests.support.classroom import ROOT
from tests.support.tiny import NAME
from tests.unit.test_rooms import MODULES, imports, room

PARTS = ("reference", "known", "answers", "verdicts", "grade")


@pytest.fixture
def assignment(tiny: Course, tmp_path: Path) -> Assignment:
    return open_course(shutil.copytree(tiny.root, tmp_path / "course")).assignment(NAME)


def hash_all(assignment: Assignment) -> dict[str, object]:
    """What each of those that depend on something depends on, as it is on disk now."""
    now = Deciding(open_course(assignment.course.root).assignment(NAME))
    source = nb.read(assignment.source_path)
    return {
        "reference": now.reference,
        "known": now.hash_known(source, "form"),
        "answers": now.hash_answers(source),
        "verdicts": now.hash_verdicts(source),
        "grade": now.hash_grade("files"),
    }


def add_settings(assignment: Assignment, text: str) -> None:
    path = assignment.folder / "assignment.toml"
    path.write_text(text + "\n" + path.read_text())


def fake_version(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(
        "autograder.records.deciding.version", lambda package: "0.0" if package == name else version(package)
    )


ALL = set(PARTS)
RUNS = {"answers", "verdicts", "grade"}


@pytest.mark.parametrize(
    ("package", "stale"),
    [("open_clip_torch", ALL), ("torchvision", ALL), ("torch", ALL), ("numpy", RUNS), ("ipykernel", RUNS)],
)
def test_another_version_of_a_package(
    assignment: Assignment, monkeypatch: pytest.MonkeyPatch, package: str, stale: set[str]
) -> None:
    before = hash_all(assignment)
    fake_version(monkeypatch, package)
    after = hash_all(assignment)
    assert {part for part in PARTS if before[part] != after[part]} == stale


def test_other_weights_at_the_same_path(assignment: Assignment, tmp_path: Path) -> None:
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes(b"one")
    add_settings(assignment, f'[environment]\nCLIP_WEIGHTS = "{weights}"')
    before = hash_all(assignment)
    weights.write_bytes(b"two")
    after = hash_all(assignment)
    assert {part for part in PARTS if before[part] != after[part]} == ALL


def test_another_file_in_a_folder_that_the_environment_names(assignment: Assignment, tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "batches").mkdir(parents=True)
    add_settings(assignment, f'[environment]\nCLIP_DATA_FOLDER = "{data}"')
    before = hash_all(assignment)
    (data / "batches" / "test_batch").write_bytes(b"images")
    after = hash_all(assignment)
    assert {part for part in PARTS if before[part] != after[part]} == ALL


def test_a_file_of_the_same_size_in_a_folder_that_cells_may_read(assignment: Assignment, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "images").write_bytes(b"one")
    add_settings(assignment, f'folders = ["{data}"]')
    before = hash_all(assignment)
    (data / "images").write_bytes(b"two")
    after = hash_all(assignment)
    assert {part for part in PARTS if before[part] != after[part]} == RUNS


@pytest.mark.parametrize(
    ("change", "stale"),
    [
        (lambda a: edit(a, "Try a larger number.", "Try 300."), {"reference", "known", "verdicts", "grade"}),
        (lambda a: edit(a, "# Squares", "# On squares"), {"reference", "grade"}),
        (lambda a: edit(a, "x + x", "2 * x"), {"reference", "known", "answers", "grade"}),
        (lambda a: (a.folder / "hidden.csv").write_text("1"), {"reference", "known", "verdicts", "grade"}),
        (lambda a: (a.source_folder / "data.csv").write_text("1"), ALL),
        (lambda a: add_settings(a, "seed = 1"), ALL),
        (lambda a: add_settings(a, 'show_expected = ["square"]'), set()),
        (lambda a: (a.folder / "mutants.toml").write_text("a = 1"), set()),
    ],
)
def test_a_change_of_the_assignment(assignment: Assignment, change: object, stale: set[str]) -> None:
    assert callable(change)
    before = hash_all(assignment)
    change(assignment)
    after = hash_all(assignment)
    assert {part for part in PARTS if before[part] != after[part]} == stale


def edit(assignment: Assignment, old: str, new: str) -> None:
    text = assignment.source_path.read_text()
    assert old in text
    assignment.source_path.write_text(text.replace(old, new))


def test_a_list_that_matches_nothing_is_an_error() -> None:
    with pytest.raises(
        RuntimeError, match=r"autograder\.judge\.moved is listed as deciding grades, but there is no such"
    ):
        hash_engine(("autograder.sandbox", "autograder.judge.moved"))


def test_every_module_between_a_notebook_and_its_grade_is_listed() -> None:
    """Whatever of ours a worker imports to judge a job decides; but not what only carries or keeps the result."""
    listed = {path for name in (*ANSWERING, *JUDGING) for path in list_module_files(name)}
    todo, reached = ["autograder.judge.worker", "autograder.judge.preload", "autograder.course.lay"], set()
    while todo:
        name = todo.pop()
        if name in MODULES and name not in reached:
            reached.add(name)
            todo += imports(name)
    carries = {"autograder.errors", "autograder.files", "autograder.words"}
    carries |= {f"autograder.records.{name}" for name in ("run", "transcript")} | {"autograder.records"}
    carries |= {f"autograder.course{name}" for name in ("", ".course", ".settings", ".variants")}
    assert {name for name in reached if MODULES[name] not in listed} <= carries
    assert {room(name) for name in reached} >= {"judge", "sandbox", "checks"}


def test_which_cells_run_and_in_what_order_decides_the_answers() -> None:
    listed = {path for name in ANSWERING for path in list_module_files(name)}
    assert {MODULES[f"autograder.judge.{name}"] for name in ("walk", "live", "session")} <= listed


def test_a_table_or_a_page_decides_nothing() -> None:
    listed = {path for name in (*ANSWERING, *JUDGING) for path in list_module_files(name)}
    assert not {path for path in listed if path.is_relative_to(ROOT / "autograder" / "pages")}
    assert ROOT / "autograder" / "cli.py" not in listed


def test_the_committed_manifests_are_of_these_parts() -> None:
    course = open_course(ROOT)
    for path in sorted((ROOT / "assignments").glob("*/reference/*/manifest.json")):
        assignment = course.assignment(path.parents[2].name)
        assert json.loads(path.read_bytes()).items() >= Deciding(assignment).reference.items()
