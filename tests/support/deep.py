"""A folder nested deeper than most programs can walk."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

LEVELS = 1500  # Python's recursion limit is 1000


@contextlib.contextmanager
def nested(folder: Path) -> Iterator[None]:
    """Folders in one another below `folder`, taken away by rm afterwards: shutil.rmtree cannot."""
    at = os.open(folder, os.O_RDONLY)
    for _ in range(LEVELS):
        os.mkdir("d", dir_fd=at)
        inner = os.open("d", os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = inner
    os.close(at)
    try:
        yield
    finally:
        subprocess.run(["rm", "-rf", str(folder / "d")], check=True)
