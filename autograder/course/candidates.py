"""Chooses between several notebooks in one submission: a blank one never wins over an answered one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from autograder.course.bindings import normalize
from autograder.course.notebook import Cell, Notebook, grade_id, is_answer, known_cells, source

# Windows hides the end `.txt` that it adds; some servers add `.json`.
_NOTEBOOK = re.compile(r".*\.ipynb(\.(txt|json))?", re.IGNORECASE | re.DOTALL)
# What is added to the name of a copy. A learning platform numbers what was handed in again (-1), a browser what was downloaded
# again, as in (1): the higher, the later. Jupyter's -Copy1 says nothing about time.
_LATER = re.compile(r"(?:-|_| ?\()v?(\d{1,3})\)?$", re.IGNORECASE)
_COPY = re.compile(r"[-_ ]*(?:copy|kopie|copie|copia|副本)[-_ ]*\(?\d*\)?", re.IGNORECASE)
# A notebook without nbgrader's metadata belongs to the assignment if it has this many of the release's cells.
_FEWEST_EQUAL = 3


def is_named_like_a_notebook(path: str, name: str) -> bool:
    """Whether a path in a submission's folder could be the notebook `name`.ipynb. Hidden files and folders are not: Jupyter keeps
    its checkpoints there, and macOS a twin of each file."""
    *folders, file = path.split("/")
    if any(part.startswith(".") or part == "__MACOSX" for part in (*folders, file)):
        return False
    if _NOTEBOOK.fullmatch(file):
        return True
    return PurePosixPath(file).stem.casefold() == name.casefold() and PurePosixPath(file).suffix in (
        ".json",
        ".txt",
        "",
    )


@dataclass(frozen=True)
class Candidate:
    """A notebook in a submission: its path, how its text was read ("" if it was UTF-8), whether it has any of the assignment's
    cells, the answer cells that differ from the release, by grade_id, and the texts that the release does not have."""

    path: str
    notebook: Notebook
    encoding: str
    belongs: bool
    answered: frozenset[str]
    own: frozenset[str]


class Released:
    """The texts of a release, with which candidates are compared."""

    def __init__(self, release: Notebook) -> None:
        self.texts = {_text(cell) for cell in release["cells"]}
        self.answers = {str(grade_id(cell)): _text(cell) for cell in known_cells(release) if is_answer(cell)}
        self.names = {grade_id(cell) for cell in known_cells(release)}

    def compare(self, path: str, notebook: Notebook, encoding: str) -> Candidate:
        """Compare a notebook with the release. Line ends and blanks around a text are no difference."""
        texts = {_text(cell) for cell in notebook["cells"]} - {""}
        names = {grade_id(cell) for cell in known_cells(notebook)}
        answered = {
            str(grade_id(cell))
            for cell in known_cells(notebook)
            if grade_id(cell) in self.answers and _text(cell) not in ("", self.answers[str(grade_id(cell))])
        }
        belongs = bool(names & self.names) or len(texts & self.texts) >= _FEWEST_EQUAL
        return Candidate(path, notebook, encoding, belongs, frozenset(answered), frozenset(texts - self.texts))


def choose(candidates: list[Candidate], wanted: str) -> tuple[Candidate, str]:
    """Return the notebook to grade, and why it was taken and not another; "" if no other one holds work that it lacks, and it is
    `wanted`, or the only one.

    `candidates` stand in the order of preference where nothing else decides.
    """
    best = max(candidates, key=lambda each: (bool(each.own), *_rank(each, wanted)))  # the first of equals
    others = [each for each in candidates if each is not best]
    rivals = [each for each in others if each.own and each.own != best.own]
    if not rivals:
        blank = [each for each in others if not each.own]
        return best, "the other is as it was released" if blank and best.path != wanted and best.own else ""
    return best, _say_why(best, rivals, wanted)


def _rank(candidate: Candidate, wanted: str) -> tuple[int, int, int, bool]:
    """Answers first, then the number of a later upload or download, then own cells where nbgrader's metadata were lost, then the
    expected name."""
    unmarked = 0 if candidate.answered else len(candidate.own)
    return len(candidate.answered), _number(candidate.path, wanted), unmarked, candidate.path == wanted


def _say_why(best: Candidate, rivals: list[Candidate], wanted: str) -> str:
    fewer = max(len(each.answered) for each in rivals)
    if len(best.answered) > fewer:
        return f"several hold answers, and it answers the most tasks ({len(best.answered)}; the next {fewer})"
    if _number(best.path, wanted):
        return "both hold answers, and it has the highest number, so it was handed in or downloaded last"
    if best.path == wanted:
        return "both hold answers, and it has the expected name"
    return "both hold answers, and nothing says which is meant; if it is the wrong one, remove it and grade again"


def _number(path: str, wanted: str) -> int:
    """The number that a platform or browser put after the expected name; 0 if there is none."""
    stem = re.sub(r"\.ipynb.*$", "", PurePosixPath(path).name, flags=re.IGNORECASE)
    rest = stem.casefold().rpartition(wanted.removesuffix(".ipynb").casefold())[2]
    match = None if _COPY.match(rest) else _LATER.search(rest)
    return int(match[1]) if match else 0


def _text(cell: Cell) -> str:
    return normalize(source(cell))
