"""Whoever takes this repository knows under which licence each file stands, and how to cite it."""

from __future__ import annotations

import subprocess
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

from tests.support.classroom import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NOTICE = (ROOT / "NOTICE").read_text()
HOLDER = "CLIP autograder contributors"
# Where NOTICE's FILES stands for a folder.
FOLDERS = (
    "assignments/small-clip/files",
    *(f"{kind}/{name}" for kind in ("source", "release") for name in ("2-shared-space", "3-zero-shot", "4-limits")),
)
# Patterns that NOTICE lists, and those of files that no one else has made.
FOREIGN = ("small-clip/merges.txt.gz", "drawings/*/twemoji-*.png", "drawings/*/openclipart-*.png", "pairs/*.png")
HIDDEN = ("drawings/*/twemoji-*.png", "drawings/*/openmoji-*.png", "drawings/*/openclipart-*.png")
TRAINED = ("small-clip/open_clip_model.safetensors", "other-text-tower.safetensors", "features.npz")
TEXT = {".py", ".md", ".ipynb", ".toml", ".j2", ".js", ".json", ".yml", ".cff", ".known", ".svg", ".txt", ""}


def committed() -> list[Path]:
    """The files that git tracks; what is not text is never of ours without a line that says so."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [Path(name) for name in listed.split("\0") if name]


def test_the_licence_is_the_same_everywhere() -> None:
    text = (ROOT / "LICENSE").read_text()
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert text.startswith("BSD 3-Clause License") and HOLDER in text
    assert PROJECT["license"] == citation["license"] == "BSD-3-Clause"
    assert PROJECT["license-files"] == ["LICENSE", "NOTICE"]
    assert [author["name"] for author in PROJECT["authors"]] == [author["name"] for author in citation["authors"]]


def test_the_citation_has_the_keys_that_its_format_demands_and_the_packages_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert str(citation["version"]) == PROJECT["version"]
    assert citation["abstract"] == PROJECT["description"]


@pytest.mark.parametrize("pattern", [*FOREIGN, *(f"FILES/{name}" for name in TRAINED)])
def test_the_notice_lists_every_kind_of_file_that_the_next_test_lets_pass(pattern: str) -> None:
    assert pattern in NOTICE


def test_no_file_of_unknown_origin_is_committed() -> None:
    """Every file that is no text of ours is one that NOTICE names, a reference output, or a picture of this project."""
    unknown = [str(path) for path in committed() if path.suffix not in TEXT and not is_known(path)]
    assert not unknown, f"say in NOTICE and SOURCES.md where these are from: {unknown}"


def is_known(path: Path) -> bool:
    name = str(path)
    reference = fnmatch(name, "assignments/*/reference/*/outputs.safetensors")
    hidden = any(fnmatch(name, f"assignments/small-clip/hidden/{pattern}") for pattern in HIDDEN)
    files = any(fnmatch(name, f"{folder}/{pattern}") for folder in FOLDERS for pattern in (*FOREIGN, *TRAINED))
    ours = fnmatch(name, "docs/pictures/*.png")  # of our own pages: tests/pictures.py
    return reference or hidden or files or ours


def test_every_folder_with_files_of_others_has_its_page_of_sources() -> None:
    for folder in (*FOLDERS, "assignments/small-clip/hidden"):
        assert folder in NOTICE or folder.removesuffix("/hidden") in NOTICE
        assert (ROOT / folder / "SOURCES.md").is_file(), folder


def test_the_workflow_calls_what_every_machine_calls() -> None:
    steps = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]["test"]["steps"]
    commands = [step.get("run", "") for step in steps]
    assert commands[-1] == ".ci/run"
    hint = "kernel.apparmor_restrict_unprivileged_userns=0"
    assert any(hint in command for command in commands) and hint in (ROOT / "autograder/doctor.py").read_text()
