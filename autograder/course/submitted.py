"""Reads the notebook that a student handed in from the student's folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from autograder.course.candidates import Candidate, Released, choose, is_named_like_a_notebook
from autograder.course.foreign import decode, describe_name
from autograder.course.notebook import Notebook, parse
from autograder.errors import SubmissionError
from autograder.files import digest, list_names, read_plain
from autograder.words import MAX_NAME, one_line

# Students save outputs too: a notebook with 30 figures is 5 MB.
MAX_NOTEBOOK_BYTES = 64 * 2**20
MAX_NAMES = 10  # file names in one message
MAX_READ = 10  # notebooks that are parsed in one folder; a student who keeps a copy for every task has nine


@dataclass(frozen=True)
class HandedIn:
    """A submission's folder, read once: a hash of all that lies in it, and its notebooks by their path in it. Those that are no
    plain files, or too large, are not among them."""

    folder: Path
    hash: str
    notebooks: Mapping[str, bytes]


def read_folder(folder: Path, name: str) -> HandedIn:
    """What was handed in in `folder`, where `name`.ipynb is expected."""
    hash_, notebooks = digest(folder, MAX_NOTEBOOK_BYTES, lambda path: is_named_like_a_notebook(path, name))
    return HandedIn(folder, hash_, notebooks)


def hash_folder(folder: Path, name: str) -> str:
    """The hash that `read_folder` gives."""
    return digest(folder, MAX_NOTEBOOK_BYTES, lambda path: is_named_like_a_notebook(path, name))[0]


def read_notebook(handed_in: HandedIn, name: str, release: Notebook) -> tuple[Notebook, list[str]]:
    """Choose the notebook among the files handed in, and return it with notes on it.

    It is `name`.ipynb, unless another one holds the answers: browsers, editors and learning platforms rename files and put them
    into folders. Raises SubmissionError if no file can be read as a notebook of the assignment.
    """
    released, wanted = Released(release), f"{name}.ipynb"
    names = [path for path in list_names(handed_in.folder) if is_named_like_a_notebook(path, name)]
    names.sort(key=lambda path: (path != wanted, path.count("/"), path))
    candidates: list[Candidate] = []
    faults: dict[str, SubmissionError] = {}
    for path in names[:MAX_READ]:
        try:
            data = _content(handed_in, path, wanted)
            notebook = parse(data, shown(path))
        except SubmissionError as error:
            faults[path] = error
            continue
        candidate = released.compare(path, notebook, decode(data)[1])
        if candidate.belongs or path == wanted:
            candidates.append(candidate)
    if not candidates:
        raise _explain(handed_in.folder, wanted, names, faults)
    best, why = choose(candidates, wanted)
    unread = [path for path in faults if name.casefold() in path.casefold()]
    if unread and not best.own:  # the answers may be in the one that cannot be read
        raise faults[unread[0]]
    return best.notebook, _describe(best, why, candidates, wanted, faults)


def shown(path: str) -> str:
    """A file's path for a message. The student chose it, so it need not be valid text, short, or fit on one line."""
    return one_line(path, MAX_NAME)


def _describe(
    best: Candidate, why: str, candidates: list[Candidate], wanted: str, faults: Mapping[str, SubmissionError]
) -> list[str]:
    """The notes on a choice: the file that was taken, why, and how its text was read."""
    notes = []
    others = [shown(each.path) for each in candidates if each.path != best.path]
    if wanted in faults:
        notes.append(f"{shown(best.path)} was taken as {wanted}: {one_line(str(faults[wanted]))}")
    elif why:
        notes.append(f"{shown(best.path)} was taken as {wanted} and not {', '.join(others[:MAX_NAMES])}: {why}")
    elif best.path != wanted:
        notes.append(f"{shown(best.path)} was taken as {wanted}")
    if best.encoding:
        notes.append(f"{shown(best.path)} {best.encoding}")
    return notes


def _explain(folder: Path, wanted: str, names: list[str], faults: Mapping[str, SubmissionError]) -> SubmissionError:
    """Why there is no notebook to grade: the first file's own fault, or what was handed in instead of one."""
    if faults:
        return next(iter(faults.values()))
    if names:
        listed = ", ".join(map(shown, names[:MAX_NAMES]))
        return SubmissionError(
            f"{wanted} is missing, and {listed} has none of the assignment's cells; hand in {wanted}"
        )
    others = [path for path in list_names(folder) if describe_name(path) and _is_the_students(path)]
    if others:
        what = "; ".join(f"{shown(path)} is {describe_name(path)}" for path in sorted(others)[:3])
        return SubmissionError(f"no notebook was handed in ({what}); hand in {wanted} itself")
    return SubmissionError(f"no notebook in {folder.name}/; {wanted} is expected")


def _is_the_students(path: str) -> bool:
    """Whether a student put this file into the folder: not nbgrader, this engine or macOS."""
    return not path.startswith(("timestamp", "submission_secret", "__MACOSX", "."))


def _content(handed_in: HandedIn, path: str, wanted: str) -> bytes:
    """The bytes that were hashed; or those of the expected notebook, if it alone is too long to be kept beside others."""
    content = handed_in.notebooks.get(path)
    if content is None:
        content = _read(handed_in.folder / path, shown(path))
        if path != wanted:
            raise SubmissionError(f"{shown(path)} was not read: the notebooks here have over 64 MB; hand in one")
    return content


def _read(path: Path, what: str) -> bytes:
    """Read a regular file. A link is refused: it could lead to another student's work or out of the course."""
    if path.is_symlink():
        raise SubmissionError(f"{what} is a symbolic link; hand in the file itself")
    try:
        if not path.is_file():
            raise SubmissionError(f"{what} is not a regular file; hand in the notebook")
        if (size := path.stat().st_size) > MAX_NOTEBOOK_BYTES:
            limit = f"at most {MAX_NOTEBOOK_BYTES // 2**20} MB"
            raise SubmissionError(f"{what} is {size / 2**20:.0f} MB; clear the outputs and save it again ({limit})")
        return read_plain(path, MAX_NOTEBOOK_BYTES)
    except OSError as error:
        raise SubmissionError(f"{what} cannot be read: {error.strerror}") from None
