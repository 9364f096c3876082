"""Files that are there whole or not at all, and one folder for all that is temporary."""

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
    """Write a file so that it is there whole or not at all, whatever happens meanwhile.

    What a killed run leaves beside it has a fixed name: the next one takes it away.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    try:
        with fresh.open("xb") as file:  # x: no link that somebody put there is followed
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
    """All that lies in a folder, however deep, as one hash; and the content of those files whose path below it is `wanted`.

    Hashed are names, and the content of files up to `largest` bytes. No link is followed. What may not be read, or goes away
    meanwhile, counts by its name. Of the wanted files, as many are returned as have `largest` bytes together.
    """
    digest, contents, todo = hashlib.sha256(), dict[str, bytes](), [(folder, "")]
    room = largest
    while todo:
        where, below = todo.pop()
        with contextlib.suppress(OSError):
            for entry in sorted(os.scandir(where), key=lambda entry: entry.name):
                name = f"{below}/{entry.name}"
                digest.update(f"\0{name}\0{entry.is_symlink()}\0".encode(errors="surrogateescape"))
                with contextlib.suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        todo.append((Path(entry.path), name))
                    elif entry.is_file(follow_symlinks=False) and entry.stat().st_size <= largest:
                        content = Path(entry.path).read_bytes()
                        digest.update(hashlib.sha256(content).digest())
                        if wanted(name[1:]) and len(content) <= room:
                            room -= len(content)
                            contents[name[1:]] = content
    return digest.hexdigest(), contents


@cache
def scratch() -> Path:
    """From here on, every temporary file of this process and of those that it starts is in one folder, which goes with it.

    A process that was killed leaves its folder, but not the lock on it: whoever comes next removes what nobody holds.
    """
    _remove_abandoned(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    # After multiprocessing has taken away what it has in there, which it does at -100.
    Finalize(None, shutil.rmtree, (folder,), {"ignore_errors": True}, exitpriority=-200)
    folder.chmod(0o755)  # started as root, another user runs the jail's programs from here
    lock = _locked(folder / ".lock.new")
    assert lock is not None
    Path(lock.name).rename(folder / ".lock")  # under its name it is locked from its first moment on
    _held.append(lock)
    tempfile.tempdir = os.environ["TMPDIR"] = str(folder)
    return folder


_held: list[IO[bytes]] = []  # closed, a lock is gone


def _remove_abandoned(where: Path) -> None:
    for folder in where.glob(f"{PREFIX}*"):
        try:
            if folder.is_symlink() or folder.stat().st_uid != os.getuid() or not (folder / ".lock").is_file():
                continue
            lock = _locked(folder / ".lock")
        except OSError:
            continue  # somebody else's, or gone meanwhile
        if lock:
            shutil.rmtree(folder, ignore_errors=True)
            lock.close()


def _locked(path: Path) -> IO[bytes] | None:
    """The file, locked for as long as it is open; None where another process has it."""
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file
