"""Atomic writes, a hash of a folder, and one folder for all temporary files of a process."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from multiprocessing.util import Finalize
from pathlib import Path
from typing import IO

PREFIX = "autograder-"


def write_whole(path: Path, content: bytes) -> None:
    """Write a file atomically: whatever happens, it has its old content or all of `content`. Raises OSError.

    The temporary file beside it has a fixed name, so that the next call removes what a killed one left.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    try:
        with fresh.open("xb") as file:  # x: do not follow a link that somebody put there
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def digest(
    folder: Path, largest: int, wanted: Callable[[str], bool] = lambda path: False
) -> tuple[str, dict[str, bytes]]:
    """Hash everything in a folder, however deeply nested, and return with the hash the files whose path in it is `wanted`.

    The hash covers names, and the content of files of up to `largest` bytes. Links are not followed. What cannot be read, or
    disappears meanwhile, counts by its name. Wanted files are returned until they have `largest` bytes together.
    """
    checksum, todo = hashlib.sha256(), [(folder, "")]
    contents: dict[str, bytes] = {}
    room = largest
    while todo:
        path, prefix = todo.pop()
        with contextlib.suppress(OSError):
            for entry in sorted(os.scandir(path), key=lambda entry: entry.name):
                name = f"{prefix}/{entry.name}"
                checksum.update(f"\0{name}\0{entry.is_symlink()}\0".encode(errors="surrogateescape"))
                with contextlib.suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        todo.append((Path(entry.path), name))
                    elif entry.is_file(follow_symlinks=False) and entry.stat().st_size <= largest:
                        content = Path(entry.path).read_bytes()
                        checksum.update(hashlib.sha256(content).digest())
                        if wanted(name[1:]) and len(content) <= room:
                            room -= len(content)
                            contents[name[1:]] = content
    return checksum.hexdigest(), contents


@cache
def scratch() -> Path:
    """Create the folder that holds, from now on, all temporary files of this process and of those it starts.

    The folder is removed when this process ends. A killed process leaves its folder but not the lock on it, and the next process
    removes folders that are not locked.
    """
    _remove_abandoned(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    # After multiprocessing has removed its own folder in there, which it does at -100.
    Finalize(None, shutil.rmtree, (folder,), {"ignore_errors": True}, exitpriority=-200)
    folder.chmod(0o755)  # when started by root, another user runs the jail's programs from here
    lock = _lock(folder / ".lock.new")
    assert lock is not None  # noqa: S101  (for mypy: the folder is new)
    Path(lock.name).rename(folder / ".lock")  # so that under its final name it is never unlocked
    _locks.append(lock)
    tempfile.tempdir = os.environ["TMPDIR"] = str(folder)
    return folder


_locks: list[IO[bytes]] = []  # kept open: closing a file releases its lock


def _remove_abandoned(parent: Path) -> None:
    for folder in parent.glob(f"{PREFIX}*"):
        try:
            if folder.is_symlink() or folder.stat().st_uid != os.getuid() or not (folder / ".lock").is_file():
                continue
            lock = _lock(folder / ".lock")
        except OSError:
            continue  # somebody else's, or already removed
        if lock:
            shutil.rmtree(folder, ignore_errors=True)
            lock.close()


def _lock(path: Path) -> IO[bytes] | None:
    """Open and lock a file, until it is closed; return None if another process has locked it."""
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file
