"""What a student's own machine offers and a jail lacks: the notebook's folder on sys.path, shared memory, torch.compile."""

from __future__ import annotations

import contextlib
import mmap
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

SHARED_MEMORY = "/dev/shm"  # the child's own, of limited size
PACKAGE_FOLDERS = ("site-packages", "dist-packages")
# Variables for the programs that cells start. There is no network, so to try again or to wait would only use up the time of the
# submission: five such lines of pip took 40 s.
ENVIRONMENT = {
    "PIP_RETRIES": "0",
    "PIP_TIMEOUT": "1",
    "PIP_NO_INPUT": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "UV_OFFLINE": "1",
    "CONDA_OFFLINE": "1",
    "GIT_TERMINAL_PROMPT": "0",
    # For a torch that a notebook imports itself; `surround` deals with one that is imported ahead.
    "TORCH_COMPILE_DISABLE": "1",
}


def surround(home: str) -> None:
    """Prepare this process, which will be forked for each child, for notebooks in the folder `home`."""
    os.environ |= ENVIRONMENT
    add_to_path(home)
    mmap.mmap = Memory  # type: ignore[misc]
    if "torch" in sys.modules:
        sys.modules["torch"].compile = run_eagerly  # type: ignore[attr-defined]


def add_to_path(home: str) -> None:
    """Let modules be imported from the current folder and from `home`, where IPython puts it: behind the standard library.

    In Jupyter that is one folder, until a cell changes it. IPython itself leaves it out here, since Python runs with -P.
    """
    indices = (index for index, path in enumerate(sys.path) if path.endswith(PACKAGE_FOLDERS))
    position = next(indices, len(sys.path))
    sys.path[position:position] = ["", home]


def forget_listings(home: str) -> None:
    """Make Python look into the notebook's folder again at the next import.

    It keeps a folder's listing for as long as the folder's time stays the same. That time has steps of some milliseconds, and
    two cells, of which the first looks for a module and the second writes it, can be faster than that here.
    """
    folders = [home]
    with contextlib.suppress(OSError):  # a cell may have removed the current folder
        folders.append(str(Path.cwd()))
    for folder in folders:
        with contextlib.suppress(Exception):  # no import has looked there, or a student's own finder does
            sys.path_importer_cache[folder].invalidate_caches()  # type: ignore[union-attr]


class Memory(mmap.mmap):
    """mmap.mmap. Memory that belongs to no file and is shared lies in a nameless file here.

    The filter refuses such memory, because it can hide from the memory watch. A file in /dev/shm counts, and processes that are
    forked share it all the same.
    """

    def __new__(cls, fileno: int, length: int, *arguments: Any, **keywords: Any) -> Memory:
        """Map a file as mmap.mmap does, or memory if `fileno` is -1; OSError if there is not enough."""
        flags = arguments[0] if arguments else keywords.get("flags", mmap.MAP_SHARED)
        if fileno != -1 or not flags & mmap.MAP_SHARED:
            return super().__new__(cls, fileno, length, *arguments, **keywords)
        file = os.open(SHARED_MEMORY, os.O_TMPFILE | os.O_RDWR, 0o600)
        try:
            if length > 0:
                os.posix_fallocate(file, 0, length)  # or a page that is not there would end the process
            arguments = (flags & ~mmap.MAP_ANONYMOUS, *arguments[1:]) if arguments else ()
            keywords |= {"flags": flags & ~mmap.MAP_ANONYMOUS} if "flags" in keywords else {}
            return super().__new__(cls, file, length, *arguments, **keywords)
        finally:
            os.close(file)


def run_eagerly(model: Any = None, **_: Any) -> Any:
    """torch.compile, which here returns the function as it is: the results are the same.

    A compiler need not be installed, and where it is, the first call took 80 s of CPU time, the import alone 6.
    """
    if model is None:
        decorate: Callable[[Any], Any] = run_eagerly
        return decorate
    return model
