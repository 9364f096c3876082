"""Files whole or not at all; what a killed process left is taken away, and what a living one has is not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.files import digest, write_whole
from tests.support.classroom import ROOT
from tests.support.deep import nested

HOLDS = """
import sys, tempfile
from autograder.files import scratch
scratch()
print(tempfile.mkdtemp(), flush=True)
sys.stdin.read()
"""


def holder(folder: Path) -> tuple[subprocess.Popen[str], Path]:
    """A process with a temporary folder of its own, and a folder in it."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_temporary_files_go_with_their_process_and_those_of_a_killed_one_with_the_next(tmp_path: Path) -> None:
    (tmp_path / "autograder-of-somebody-else").mkdir()  # it has no lock: not ours to judge
    killed, left = holder(tmp_path)
    assert left.parent.parent == tmp_path
    killed.kill()
    killed.wait()
    assert left.is_dir()
    living, first = holder(tmp_path)
    assert not left.parent.exists()
    other, second = holder(tmp_path)
    assert first.is_dir() and second.is_dir()
    for process in (living, other):
        process.communicate()
    assert [path.name for path in tmp_path.iterdir()] == ["autograder-of-somebody-else"]


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "page.html").mkdir()
    with pytest.raises(OSError, match=r"page\.html"):
        write_whole(tmp_path / "page.html", b"words")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_what_a_killed_run_left_of_a_file_is_written_over_and_no_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"mine")
    (tmp_path / ".page.html.new").symlink_to(tmp_path / "other")
    write_whole(tmp_path / "page.html", b"words")
    assert (tmp_path / "page.html").read_bytes() == b"words"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "page.html"]
    assert (tmp_path / "other").read_bytes() == b"mine"


def test_a_folder_of_any_depth_has_a_hash(tmp_path: Path) -> None:
    with nested(tmp_path):
        assert digest(tmp_path, 100) == digest(tmp_path, 100)
