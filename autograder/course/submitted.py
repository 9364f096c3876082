"""Reads what a student handed in: one folder, from which one notebook is taken."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from autograder.course.notebook import Notebook, grade_id, parse
from autograder.errors import SubmissionError
from autograder.files import digest
from autograder.words import printable

# Students save outputs too: a notebook of 30 figures is 5 MB.
MAX_NOTEBOOK_BYTES = 64 * 2**20
MOST_NAMED = 10


@dataclass(frozen=True)
class HandedIn:
    """A submission's folder, read once: a hash of all that lies in it, and the notebooks directly in it by file name. Those
    that are no plain files, or too large, are not among them."""

    folder: Path
    hash: str
    notebooks: Mapping[str, bytes]


def read_folder(folder: Path) -> HandedIn:
    """What was handed in in `folder`."""
    hash_, notebooks = digest(folder, MAX_NOTEBOOK_BYTES, lambda path: path.endswith(".ipynb") and "/" not in path)
    return HandedIn(folder, hash_, notebooks)


def hash_folder(folder: Path) -> str:
    """The hash that `read_folder` gives, with nothing kept in memory."""
    return digest(folder, MAX_NOTEBOOK_BYTES)[0]


def read_notebook(handed_in: HandedIn, name: str, graded: set[str]) -> tuple[Notebook, list[str]]:
    """The notebook among the files handed in, and notes on it.

    Looks for `name`.ipynb; failing that for the one notebook that holds some of the cells in `graded`, since browsers
    and learning platforms rename files. SubmissionError if there is none, or it cannot be read.
    """
    folder = handed_in.folder
    wanted = folder / f"{name}.ipynb"
    if os.path.lexists(wanted):
        return parse(_content(handed_in, wanted), wanted.name), []
    others = sorted(folder.glob("*.ipynb"))
    if not others:
        raise SubmissionError(f"no notebook in {folder.name}/: {wanted.name} is expected")
    fitting = []
    for path in others:
        notebook = parse(_content(handed_in, path), _shown(path))
        if graded & {grade_id(cell) for cell in notebook["cells"]}:
            fitting.append((path, notebook))
    if len(fitting) == 1:
        path, notebook = fitting[0]
        return notebook, [f"{_shown(path)} was taken as {wanted.name}"]
    names = ", ".join(map(_shown, others[:MOST_NAMED]))
    raise SubmissionError(f"{wanted.name} is missing, and {names} cannot stand for it; rename the right one")


def _content(handed_in: HandedIn, path: Path) -> bytes:
    content = handed_in.notebooks.get(path.name)
    return _read_plain(path) if content is None else content


def _shown(path: Path) -> str:
    """A file's name for a message: whoever handed it in chose it, and it need not be text, or of one line."""
    return printable(os.fsencode(path.name).decode(errors="replace")).replace("\n", "\ufffd")


def _read_plain(path: Path) -> bytes:
    """The bytes of a regular file; a link could lead to another student's work or out of the course."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if path.is_symlink():
            raise SubmissionError(f"{_shown(path)} is a symbolic link; hand in the file itself") from None
        raise SubmissionError(f"{_shown(path)} cannot be read: {error.strerror}") from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise SubmissionError(f"{_shown(path)} is not a regular file")
    with os.fdopen(descriptor, "rb") as file:
        if status.st_size > MAX_NOTEBOOK_BYTES:
            size = f"{status.st_size / 2**20:.0f} MB"
            raise SubmissionError(f"{_shown(path)} is {size} long; clear the outputs and save it again (at most 64 MB)")
        return file.read()
