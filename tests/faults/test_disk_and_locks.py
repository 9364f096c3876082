"""A full disk, a locked or damaged gradebook, folders that may not be written: one line, nothing half-written, and what was saved
stands."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.conftest import Undisturbed
from tests.faults.scene import COMMAND, Ledger, Running, Scene, database
from tests.faults.test_processes import completes
from tests.support.tiny import NAME

only_root_mounts = pytest.mark.skipif(os.getuid() != 0, reason="a small file system has to be mounted: only root may")


def refused(run: Running, *words: str) -> str:
    """The one line with which it ended, with code 2; it has one of these words."""
    assert run.end() == 2, run.said
    line = run.said.strip()
    assert "\n" not in line, line
    assert line.startswith("autograder: ") and any(word in line for word in words), line
    return line


@contextlib.contextmanager
def mounted(folder: Path, *options: str) -> Iterator[None]:
    subprocess.run(["mount", *options, str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextlib.contextmanager
def full_disk(folder: Path) -> Iterator[Path]:
    """`folder`, with what it holds, on a disk of its own, which a file "filler" fills."""
    kept = folder.with_name(f"{folder.name}-kept")
    shutil.copytree(folder, kept, symlinks=True)
    with mounted(folder, "-t", "tmpfs", "-o", "size=4m", "tmpfs"):
        shutil.copytree(kept, folder, symlinks=True, dirs_exist_ok=True)
        filler = folder / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        yield filler
        filler.unlink(missing_ok=True)
        shutil.rmtree(kept)
        shutil.copytree(folder, kept, symlinks=True)
    shutil.rmtree(folder)
    kept.rename(folder)


@only_root_mounts
def test_a_full_disk_stops_the_run_and_the_next_goes_on_from_there(scene: Scene, undisturbed: Undisturbed) -> None:
    """Before each run a little room is made, so that each stops elsewhere: at a notebook, in the database, at a transcript."""
    reported, stopped_by = [], set()
    with full_disk(scene.course.submitted.parent) as filler:
        for pages in (0, 2, 5, 7, 9):
            os.truncate(filler, filler.stat().st_size - pages * 4096)
            with scene.grading() as run:
                stopped_by.add(refused(run, "No space left", "disk is full", "disk I/O error").split()[1])
            reported += run.graded
            assert scene.left_over() == []
    assert len(stopped_by) > 1, stopped_by
    assert reported  # else nothing could be made again
    completes(scene, undisturbed, reported)


@only_root_mounts
def test_a_full_disk_leaves_no_half_of_a_feedback_page(scene: Scene) -> None:
    scene.grade()
    feedback = scene.course.feedback
    feedback.mkdir()
    with full_disk(feedback) as filler:
        os.truncate(filler, filler.stat().st_size - 25 * 4096)
        with scene.running([COMMAND, "feedback", NAME]) as run:
            line = refused_in_progress(run)
        assert "No space left" in line
        some = list(feedback.rglob("*.html"))
        assert some
        assert all(path.read_text().rstrip().endswith("</html>") for path in some)
        assert scene.left_over() == []
    with scene.running([COMMAND, "feedback", NAME]) as run:
        assert run.process.communicate()[0].startswith("14 pages")
    assert all(page in feedback.rglob("*.html") for page in some)


def refused_in_progress(run: Running) -> str:
    run.process.communicate()
    assert run.process.returncode == 2
    return run.said.splitlines()[-1]


@contextlib.contextmanager
def locked(scene: Scene, seconds: float) -> Iterator[None]:
    """Another program that writes, for so long."""
    book = sqlite3.connect(database(scene.course), check_same_thread=False, isolation_level=None)
    book.execute("begin exclusive")
    timer = threading.Timer(seconds, lambda: book.execute("commit"))
    timer.start()
    yield
    timer.cancel()
    timer.join()
    book.close()


def wait_for_the_lock(scene: Scene, seconds: int) -> None:
    config = scene.course.root / "nbgrader_config.py"
    text = config.read_text() + f'\nc.CourseDirectory.db_url += "?timeout={seconds}"\n'
    config.write_text(text)


@pytest.mark.parametrize("after", [0, 4])
def test_a_gradebook_that_is_locked_for_a_moment_is_waited_for(
    scene: Scene, undisturbed: Undisturbed, after: int
) -> None:
    with scene.grading() as run:
        run.wait_for(after)
        with locked(scene, 4):
            assert run.end() == 1, run.said
    assert sorted(run.graded) == undisturbed.students
    assert Ledger.of(scene.course) == undisturbed.after


def test_a_gradebook_that_stays_locked_stops_the_run(scene: Scene, undisturbed: Undisturbed) -> None:
    wait_for_the_lock(scene, 1)
    with locked(scene, 99), scene.grading() as run:
        refused(run, "locked; close the program that holds it")
    assert Ledger.of(scene.course) == undisturbed.before
    with scene.grading() as run:
        run.wait_for(4)
        with locked(scene, 99):
            refused(run, "locked; close the program that holds it")
    completes(scene, undisturbed, run.graded)


def cut_short(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def overwrite(path: Path) -> None:
    """Ten pages of noise in the middle."""
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(random.Random(0).randbytes(40960))


def replace(path: Path) -> None:
    path.write_text("This is a letter, and no database.\n" * 200)


@pytest.mark.parametrize("damage", [cut_short, overwrite, replace])
def test_a_damaged_gradebook_is_not_written_to(
    scene: Scene, undisturbed: Undisturbed, damage: Callable[[Path], None]
) -> None:
    """Once a copy is put back, all is as without a fault."""
    path = database(scene.course)
    copy = Path(shutil.copy(path, scene.folder / "copy.db"))
    damage(path)
    damaged = path.read_bytes()
    with scene.grading() as run:
        refused(run, "restore a backup")
    assert path.read_bytes() == damaged
    shutil.copy(copy, path)
    assert Ledger.of(scene.course) == undisturbed.before


def test_an_older_gradebook_gets_what_it_lacks(scene: Scene, undisturbed: Undisturbed) -> None:
    """A copy from before this run is put back: nobody's files have changed, but rows are missing and others are out of date."""
    copy = shutil.copy(database(scene.course), scene.folder / "copy.db")
    scene.grade()
    shutil.copy(copy, database(scene.course))
    scene.grade()
    assert Ledger.of(scene.course) == undisturbed.after


@pytest.mark.parametrize("lost", ["autograded", "transcripts"])
def test_what_is_lost_beside_the_gradebook_is_made_again(scene: Scene, undisturbed: Undisturbed, lost: str) -> None:
    scene.grade()
    shutil.rmtree(scene.course.submitted.parent / lost)
    scene.grade()
    found = Ledger.of(scene.course)
    assert found.files == undisturbed.after.files
    if lost == "autograded":
        assert found == undisturbed.after
    else:  # who was marked is asked to look again: nobody knows what they marked
        assert len(found.rows) == len(undisturbed.after.rows)


def test_a_gradebook_folder_that_may_not_be_written_is_said(scene: Scene, undisturbed: Undisturbed) -> None:
    folder = scene.course.submitted.parent
    with contextlib.ExitStack() as stack:
        if os.getuid() == 0:
            stack.enter_context(mounted(folder, "--bind", str(folder)))
            subprocess.run(["mount", "-o", "remount,bind,ro", str(folder)], check=True)
        else:
            folder.chmod(0o500)
            stack.callback(folder.chmod, 0o755)
        with scene.grading() as run:
            refused(run, "Read-only file system", "Permission denied")
    assert Ledger.of(scene.course) == undisturbed.before


@only_root_mounts
def test_no_room_for_temporary_files_is_said(scene: Scene, undisturbed: Undisturbed) -> None:
    with full_disk(scene.temporary) as filler:
        os.truncate(filler, filler.stat().st_size - 4 * 4096)
        with scene.grading() as run:
            refused(run, "No space left")
    assert Ledger.of(scene.course) == undisturbed.before
    assert scene.left_over() == []


@pytest.mark.parametrize("files", [12, 24])
def test_too_few_open_files_cost_nobody_a_mark(scene: Scene, undisturbed: Undisturbed, files: int) -> None:
    with scene.grading(under=["prlimit", f"--nofile={files}:{files}"]) as run:
        run.end()
    print(files, run.process.returncode, run.said, run.lines)
    completes(scene, undisturbed, run.graded)
