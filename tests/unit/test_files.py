"""Atomic writes, and temporary folders: those of a killed process are removed, those of a living one are not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.files import digest, write_whole
from tests.support.classroom import ROOT
from tests.support.deep import nested

HOLDER = """
import sys, tempfile
from autograder.files import scratch
scratch()
print(tempfile.mkdtemp(), flush=True)
sys.stdin.read()
"""


def start_holder(folder: Path) -> tuple[subprocess.Popen[str], Path]:
    """Start a process with a temporary folder of its own; return it and a folder in that folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_a_process_removes_its_temporary_files_and_those_of_a_killed_one(tmp_path: Path) -> None:
    (tmp_path / "autograder-of-somebody-else").mkdir()  # it has no lock, so it is not ours to remove
    killed, left = start_holder(tmp_path)
    assert left.parent.parent == tmp_path
    killed.kill()
    killed.communicate()
    assert left.is_dir()
    living, first = start_holder(tmp_path)
    assert not left.parent.exists()
    other, second = start_holder(tmp_path)
    assert first.is_dir() and second.is_dir()
    for process in (living, other):
        process.communicate()
    assert [path.name for path in tmp_path.iterdir()] == ["autograder-of-somebody-else"]


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "page.html").mkdir()
    with pytest.raises(OSError, match=r"page\.html"):
        write_whole(tmp_path / "page.html", b"words")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_what_a_killed_run_left_is_overwritten_and_no_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"mine")
    (tmp_path / ".page.html.new").symlink_to(tmp_path / "other")
    write_whole(tmp_path / "page.html", b"words")
    assert (tmp_path / "page.html").read_bytes() == b"words"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "page.html"]
    assert (tmp_path / "other").read_bytes() == b"mine"


def test_a_folder_of_any_depth_has_a_hash(tmp_path: Path) -> None:
    with nested(tmp_path):
        assert digest(tmp_path, 100) == digest(tmp_path, 100)
