"""A recorded proof stands for one that would be run: it is read only while nothing that it depends on has changed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from autograder.course import notebook as nb
from autograder.course import open_course
from autograder.judge.job import Judged
from autograder.proof import prove as engine
from autograder.proof.prove import Outcome
from autograder.records.grade import Grade
from tests.course.conftest import RECORDED, pytest_terminal_summary
from tests.support import proofs
from tests.support.classroom import ROOT
from tests.support.proofs import EVERYONES, Proof, idle, key, prove, without
from tests.support.sandboxed import code, notebook

NAME = "0-hello"
FILES = (
    "autograder/judge/worker.py",
    "autograder/pages/templates/page.html",
    "tests/course/test_assignment.py",
    "assignments/small-clip/weights.safetensors",
    f"assignments/{NAME}/variants/square.py",
    f"assignments/{NAME}/reference/default/outputs.safetensors",
    f"source/{NAME}/hello.ipynb",
    f"source/{NAME}/data/words.txt",
    f"release/{NAME}/hello.ipynb",
    "constraints.txt",
    "pyproject.toml",
    "nbgrader_config.py",
)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A file of each kind that a checkout has."""
    for name in FILES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


@pytest.mark.parametrize("name", FILES)
def test_another_content_of_any_file_is_another_key(checkout: Path, name: str) -> None:
    before = key(NAME, checkout)
    (checkout / name).write_text(f"{name}!")
    changed = key(NAME, checkout)
    (checkout / name).unlink()
    assert len({before, changed, key(NAME, checkout)}) == 3


@pytest.mark.parametrize("name", FILES[:9])
def test_a_file_that_is_new_or_has_another_name_is_another_key(checkout: Path, name: str) -> None:
    before, path = key(NAME, checkout), checkout / name
    shutil.copy(path, path.with_name("more"))
    more = key(NAME, checkout)
    path.unlink()
    assert len({before, more, key(NAME, checkout)}) == 3


def test_a_package_a_variable_or_an_assignment_that_is_another_is_another_key(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [key(NAME, checkout), key("1-other", checkout)]
    monkeypatch.setenv("CLIP_MODEL", "ViT-B-32")
    keys.append(key(NAME, checkout))
    monkeypatch.setattr(proofs, "distributions", lambda **_: [SimpleNamespace(metadata={"Name": "torch"}, version="9")])
    keys.append(key(NAME, checkout))
    assert len(set(keys)) == 4


def test_what_no_proof_depends_on_leaves_the_key(checkout: Path) -> None:
    before = key(NAME, checkout)
    for name in ("README.md", "autograder/__pycache__/cli.pyc", "source/1-other/other.ipynb"):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text("new")
    assert key(NAME, checkout) == before


def test_what_is_imported_leaves_the_key(tmp_path: Path) -> None:
    """Two processes of one session share a proof, whatever each has imported by then: torch sets a variable, setuptools adds a
    folder of packages to the path."""
    (tmp_path / "some-1.dist-info").mkdir()
    (tmp_path / "some-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: some\nVersion: 1\n")
    lines = [
        "import sys",
        "from tests.support.proofs import surroundings",
        "print(surroundings())",
        "import torch, torchvision, open_clip",
        f"sys.path.append({str(tmp_path)!r})",
        "print(surroundings())",
    ]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    before, after = done.stdout.splitlines()
    assert before == after


def test_all_of_this_checkout_that_is_imported_here_has_its_part_in_the_key() -> None:
    """The engine, the tests, and no third folder beside them."""
    files = [Path(file) for module in list(sys.modules.values()) if (file := getattr(module, "__file__", None))]
    ours = {file.relative_to(ROOT).parts[0] for file in files if file.is_relative_to(ROOT)} - {".venv"}
    assert {"autograder", "tests"} <= ours <= set(EVERYONES)


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The assignments of which a proof is run, in a checkout without records. It holds, but while "broken" is in here."""
    count: list[str] = []

    def rows(assignment: Any, *_: object, **__: object) -> Iterator[Outcome]:
        broken = "breaks" if "broken" in count else ""
        count.append(assignment.name)
        for label in ("solution", "blank", *(variant.label for variant in assignment.variants)):
            yield Outcome(label, broken, Judged(Grade(label, assignment.name, "completed")))

    monkeypatch.setattr(engine, "prove", rows)
    return count


def prove_in(top: Path, folder: str, whole: bool = False) -> Proof:
    return prove(NAME, top / folder, whole, top / "records")


def test_a_proof_that_holds_is_read_the_next_time_and_a_whole_one_is_run(runs: list[str], tmp_path: Path) -> None:
    first, second = (prove_in(tmp_path, folder) for folder in ("first", "second"))
    assert (first.recorded, second.recorded, runs) == (False, True, [NAME])
    assert second.outcomes == first.outcomes
    assert not prove_in(tmp_path, "third", whole=True).recorded
    assert runs == [NAME, NAME]


def test_a_proof_is_run_again_where_its_key_has_changed(
    runs: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prove_in(tmp_path, "first")
    monkeypatch.setattr(proofs, "key", lambda _: "another")
    assert not prove_in(tmp_path, "second").recorded
    assert runs == [NAME, NAME]


def test_a_proof_that_breaks_is_not_recorded(runs: list[str], tmp_path: Path) -> None:
    runs.append("broken")
    prove_in(tmp_path, "first")
    runs.remove("broken")
    assert not prove_in(tmp_path, "second").recorded


def test_the_reference_outputs_of_a_recorded_proof_are_those_that_it_wrote(
    runs: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = engine.prove

    def writes(assignment: Any, *rest: Any, **options: Any) -> Iterator[Outcome]:
        (assignment.folder / "reference" / "default").mkdir(parents=True, exist_ok=True)
        (assignment.folder / "reference" / "default" / "written").write_text("by the proof")
        yield from run(assignment, *rest, **options)

    monkeypatch.setattr(engine, "prove", writes)
    prove_in(tmp_path, "first")
    read = prove_in(tmp_path, "second")
    assert read.recorded
    assert (read.assignment.folder / "reference" / "default" / "written").read_text() == "by the proof"


def test_the_report_names_the_proofs_that_were_not_run() -> None:
    lines: list[str] = []
    report = SimpleNamespace(user_properties=[(RECORDED, NAME)])
    reporter: Any = SimpleNamespace(
        write_line=lines.append, stats={"passed": [SimpleNamespace()], "": [report, report]}
    )
    pytest_terminal_summary(reporter)
    assert lines == [f"proof of {NAME}: recorded, and nothing that it depends on has changed"]


def cells(*texts: str) -> nb.Notebook:
    """A notebook of code cells; those whose text begins with `#` have a grade_id."""
    return notebook(*(code(text, grade_id=text) if text.startswith("#") else code(text) for text in texts))


@pytest.mark.parametrize(
    ("texts", "dropped"),
    [
        (["x = 1", "#\ny = x"], []),
        (["x = 1", "#\nx = x + 1"], []),
        (["x = 1", "#\ndef f(): return x"], []),
        (["a = 1", "x = a", "b = 2", "#\nx"], [2]),
        (["x = 1", "x = 2", "#\nx"], [1]),
        (["print(1)", "#\nx = 1\nx", "plot(x)"], [0, 1]),
    ],
)
def test_a_cell_is_idle_where_no_graded_or_locked_one_needs_it(texts: list[str], dropped: list[int]) -> None:
    source = cells(*texts)
    assert idle(source, []) == dropped
    free = [text for text in texts if not text.startswith("#")]
    kept = [nb.source(cell) for cell in without(source, dropped)["cells"] if nb.grade_id(cell) is None]
    assert kept == [text for place, text in enumerate(free) if place not in dropped]


def test_a_cell_that_a_wheat_or_chaff_needs_is_not_idle() -> None:
    assert idle(cells("x = 1", "#"), ["def f(): return x"]) == []


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "source").iterdir()))
def test_only_cells_without_a_grade_id_are_left_out_of_a_proof(name: str) -> None:
    """The same of the source and of the release."""
    assignment = open_course(ROOT).assignment(name)
    source, release = nb.read(assignment.source_path), nb.read(assignment.release_path)
    places = idle(source, [variant.source for variant in assignment.variants])
    out = []
    for whole in (source, release):
        rest = without(whole, places)
        assert list(nb.known_cells(rest)) == list(nb.known_cells(whole))
        out.append([nb.source(cell) for cell in whole["cells"] if cell not in rest["cells"]])
    assert out[0] == out[1]
    assert len(out[0]) == len(places)


def collected(*options: str) -> str:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "tests/course/test_assignment.py", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_make_prove_leaves_nothing_out_and_make_test_counts_what_it_leaves_out() -> None:
    everything, sample = collected("--prove"), collected()
    assert "deselected" in sample
    assert "test_one_worker_gives_the_same_grades_as_two" not in sample
    assert "deselected" not in everything
    assert "test_one_worker_gives_the_same_grades_as_two" in everything
