"""Atomic writes, a hash of a folder, and one folder for all temporary files of a process."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice
from multiprocessing.util import Finalize
from pathlib import Path
from typing import IO

PREFIX = "autograder-"
# What is hashed of a folder. On two busy cores 10,000 empty files take 1.2 s, and 128 MB take 1.7 s; without a limit, 300 sparse
# files of 64 MB took 106 s. A notebook of 5 MB among the 2,000 files of a small Git repository is far below both.
MAX_ENTRIES = 10_000
MAX_HASHED = 128 * 2**20


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

    The hash covers the names of the first MAX_ENTRIES files and folders, each folder's own before those below it, and the content
    of files of up to `largest` bytes: of the wanted ones until they have `largest` bytes together, of others until MAX_HASHED
    are read. A file whose content is left out counts by its size. Links are not followed. What cannot be read, or disappears
    meanwhile, counts by its name.
    """
    checksum = hashlib.sha256()
    contents: dict[str, bytes] = {}
    room, budget = largest, MAX_HASHED
    for name, entry in islice(_walk(folder), MAX_ENTRIES):
        checksum.update(f"\0/{name}\0{entry.is_symlink()}\0".encode(errors="surrogateescape"))
        with contextlib.suppress(OSError):
            if not entry.is_file(follow_symlinks=False):
                continue
            size, is_wanted = entry.stat(follow_symlinks=False).st_size, wanted(name)
            if size > min(largest, room if is_wanted else budget):
                checksum.update(str(size).encode())
                continue
            content = read_plain(folder / name, size)
            checksum.update(hashlib.sha256(content).digest())
            if is_wanted:
                room -= size
                contents[name] = content
            else:
                budget -= size
    return checksum.hexdigest(), contents


def list_names(folder: Path) -> list[str]:
    """List the paths in a folder of its first MAX_ENTRIES files, links and other entries that are no folders."""
    entries = islice(_walk(folder), MAX_ENTRIES)
    return [name for name, entry in entries if name.endswith(".ipynb") or not entry.is_dir(follow_symlinks=False)]


def read_plain(path: Path, most: int) -> bytes:
    """Read the first `most` bytes of a file; OSError if it is a link, or anything but a regular file. Never waits for one."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    with os.fdopen(descriptor, "rb") as file:
        return file.read(most)


def _walk(folder: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield every entry below a folder with its path in it, each folder's by name, before those of its own folders."""
    todo = [(folder, "")]
    while todo:
        path, prefix = todo.pop()
        with contextlib.suppress(OSError), os.scandir(path) as entries:
            for entry in sorted(islice(entries, MAX_ENTRIES), key=lambda entry: entry.name):
                yield f"{prefix}{entry.name}", entry
                if entry.is_dir(follow_symlinks=False):
                    todo.append((Path(entry.path), f"{prefix}{entry.name}/"))


@cache
def scratch() -> Path:
    """Create the folder that holds, from now on, all temporary files of this process and of those it starts.

    The folder is removed when this process ends. A killed process leaves its folder but not the lock on it, and the next process
    removes folders that are not locked.
    """
    _remove_abandoned(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    lock = _lock(folder / ".lock.new")
    assert lock is not None  # noqa: S101  (for mypy: the folder is new)
    # After multiprocessing has removed its own folder in there, which it does at -100.
    Finalize(None, _remove, (folder, lock), exitpriority=-200)
    folder.chmod(0o755)  # when started by root, another user runs the jail's programs from here
    Path(lock.name).rename(folder / ".lock")  # so that under its final name it is never unlocked
    tempfile.tempdir = os.environ["TMPDIR"] = str(folder)
    return folder


def _remove(folder: Path, lock: IO[bytes]) -> None:
    """Remove a folder and then release its lock, which closing the file does."""
    shutil.rmtree(folder, ignore_errors=True)
    lock.close()


def _remove_abandoned(parent: Path) -> None:
    for folder in parent.glob(f"{PREFIX}*"):
        try:
            if folder.is_symlink() or folder.stat().st_uid != os.getuid() or not (folder / ".lock").is_file():
                continue
            lock = _lock(folder / ".lock")
        except OSError:
            continue  # somebody else's, or already removed
        if lock:
            _remove(folder, lock)


def _lock(path: Path) -> IO[bytes] | None:
    """Open and lock a file, until it is closed; return None if another process has locked it."""
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file
