"""Reads the notebook that a student handed in from the student's folder."""

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

# Students save outputs too: a notebook with 30 figures is 5 MB.
MAX_NOTEBOOK_BYTES = 64 * 2**20
MAX_NAMES = 10  # file names in one message


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
    """Choose the notebook among the files handed in, and return it with notes on it.

    It is `name`.ipynb or, since browsers and learning platforms rename files, the only notebook there that has any of the cells
    in `graded`. Raises SubmissionError if there is no such notebook or it cannot be read.
    """
    folder = handed_in.folder
    wanted = folder / f"{name}.ipynb"
    if os.path.lexists(wanted):  # a broken link too, which is then refused
        return parse(_content(handed_in, wanted), wanted.name), []
    others = sorted(folder.glob("*.ipynb"))
    if not others:
        raise SubmissionError(f"no notebook in {folder.name}/; {wanted.name} is expected")
    candidates = []
    for path in others:
        notebook = parse(_content(handed_in, path), _printable_name(path))
        if graded & {grade_id(cell) for cell in notebook["cells"]}:
            candidates.append((path, notebook))
    if len(candidates) == 1:
        path, notebook = candidates[0]
        return notebook, [f"{_printable_name(path)} was taken as {wanted.name}"]
    names = ", ".join(map(_printable_name, others[:MAX_NAMES]))
    raise SubmissionError(
        f"{wanted.name} is missing, and no other notebook clearly replaces it ({names}); rename the right one"
    )


def _content(handed_in: HandedIn, path: Path) -> bytes:
    content = handed_in.notebooks.get(path.name)
    return _read_plain(path) if content is None else content


def _printable_name(path: Path) -> str:
    """A file's name for a message. The student chose it, so it need not be valid text, or fit on one line."""
    return printable(os.fsencode(path.name).decode(errors="replace")).replace("\n", "\ufffd")


def _read_plain(path: Path) -> bytes:
    """Read a regular file. A link is refused: it could lead to another student's work or out of the course."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if path.is_symlink():
            raise SubmissionError(f"{_printable_name(path)} is a symbolic link; hand in the file itself") from None
        raise SubmissionError(f"{_printable_name(path)} cannot be read: {error.strerror}") from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise SubmissionError(f"{_printable_name(path)} is not a regular file")
    with os.fdopen(descriptor, "rb") as file:
        if status.st_size > MAX_NOTEBOOK_BYTES:
            size = f"{status.st_size / 2**20:.0f} MB"
            limit = f"at most {MAX_NOTEBOOK_BYTES // 2**20} MB"
            raise SubmissionError(f"{_printable_name(path)} is {size}; clear the outputs and save it again ({limit})")
        return file.read()
