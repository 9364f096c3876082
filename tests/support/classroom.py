"""A class for an assignment: its solution, blank release, wheats and chaffs as students, and the mishaps of every term.

What each must come to is derived from the wheats and chaffs and from what was done to the solution, never typed in. The
tests, the demo and the benchmarks all hand in from here.
"""

from __future__ import annotations

import copy
import csv
import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.course import Assignment, Course, open_course
from autograder.course import notebook as nb
from autograder.proof.expectation import Expectation
from autograder.proof.regions import split_lines
from autograder.proof.tasks import group_tests
from autograder.proof.trial import make_trials

ROOT = Path(__file__).resolve().parents[2]
NAME = "1-similarity-and-loss"
MARK_SCHEME = re.compile(r"^ *### BEGIN MARK SCHEME.*?### END MARK SCHEME *\n?", re.DOTALL | re.MULTILINE)
NOTES = re.compile(r"^# (?:misconception|hint): .*\n", re.MULTILINE)  # of a chaff
OWN_WORDS = "Here a pupil would explain the result in a few sentences. Nobody has marked them yet."


def read_csv(path: Path) -> list[dict[str, str]]:
    """The rows of a table, by the names in its first line."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def make_course(folder: Path) -> Course:
    """A course of its own in `folder`, with this repository's assignments and no submissions."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    for name in ("source", "release", "assignments"):
        shutil.copytree(ROOT / name, folder / name)
    return open_course(folder)


def use_stock(folder: Path) -> None:
    """Let nbgrader's commands in this course do what they do elsewhere: run students' cells in a kernel of theirs, and wait for
    none to leave, which takes up to 3 s each and gains nothing."""
    config = folder / "nbgrader_config.py"
    lines = [line for line in config.read_text().splitlines() if "autograder.native" not in line]
    rest = [line for line in lines if not line.startswith("c.Execute.kernel_name")]
    config.write_text("\n".join([*rest, 'c.Execute.shutdown_kernel = "immediate"', ""]))


@dataclass(frozen=True)
class Pupil:
    """One submission: what is handed in, and what must come of it."""

    name: str
    status: str
    expected: Expectation
    hand_in: Callable[[Path], None]  # into the submission's folder


def hand_in(assignment: Assignment, pupil: Pupil) -> None:
    folder = assignment.course.submitted / pupil.name / assignment.name
    folder.mkdir(parents=True, exist_ok=True)
    pupil.hand_in(folder)


class Classroom:
    """Makes pupils for one assignment."""

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment
        self.source, self.release = nb.read(assignment.source_path), nb.read(assignment.release_path)
        self.trials = make_trials(assignment, self.source)
        self.solution, self.all_full = self.trials["solution"].answers, self.trials["solution"].expected
        self.own = group_tests(self.source)
        self.written = {str(nb.grade_id(cell)) for cell in nb.known_cells(self.source) if is_written(cell)}

    def notebook(self, answers: dict[str, str]) -> nb.Notebook:
        """The release with answers typed in, as students have it: no markers of the instructor's and no model answer."""
        return nb.with_answers(self.release, {name: self._typed(name, text) for name, text in answers.items()})

    def _typed(self, name: str, text: str) -> str:
        """An answer without what only the instructor's files have: markers, mark schemes, explanations, notes of a chaff."""
        if name in self.written and text == self.solution[name]:
            return OWN_WORDS
        lines = split_lines(NOTES.sub("", MARK_SCHEME.sub("", text)))
        return "\n".join(line for line, inside in lines if not (inside and line.lstrip().startswith("#")))

    def answered(self, name: str, answers: dict[str, str], expected: Expectation, status: str = "completed") -> Pupil:
        return Pupil(name, status, expected, self._writer(self.notebook(answers)))

    def variants(self, kind: str = "") -> Iterator[Pupil]:
        """The solution, the blank release, and every wheat and chaff (or those whose label begins with `kind`)."""
        for name, trial in self.trials.items():
            if name.startswith(kind):
                yield self.answered(name, trial.answers, trial.expected)

    def one_of_each(self, kind: str) -> Iterator[Pupil]:
        """The first wheat or chaff of every problem."""
        seen = set()
        for variant in self.assignment.variants:
            if variant.kind == kind and variant.problem not in seen:
                seen.add(variant.problem)
                yield next(self.variants(variant.label))

    def mishaps(self) -> Iterator[Pupil]:
        """What happens every term."""
        yield self._spoiled("endless-loop", "timed out", "\nwhile True:\n    pass\n")
        yield self._spoiled("os-exit", "died", "\nimport os\nos._exit(0)\n")
        yield self._added(
            "torch-warning", "import warnings, sys\nwarnings.warn('lr_scheduler')\nprint('tqdm', file=sys.stderr)"
        )
        yield self._added("floods-the-output", "print('x' * 50_000_000)", "output limit")
        yield Pupil("broken-file", "unreadable", Expectation(frozenset()), self._raw(b'{"cells": ['))
        yield Pupil("symbolic-link", "unreadable", Expectation(frozenset()), self._link)
        yield Pupil("renamed-file", "mended", self.all_full, self._renamed)
        yield Pupil("late", "completed", self.all_full, self._late)
        yield self._mangled("copied-a-cell", self._copy_cell)
        yield self._mangled("changed-a-test", self._change_test)
        yield self._mangled("deleted-an-answer", self._delete_answer, self._without(self._first))

    @property
    def _first(self) -> str:
        return next(
            name for name in self.own if self.own[name] and name in self.solution and "def " in self.solution[name]
        )

    def _without(self, cell: str) -> Expectation:
        return Expectation(self.all_full.full - self.own[cell], none=self.own[cell])

    def _spoiled(self, name: str, status: str, text: str) -> Pupil:
        """The solution, with `text` before the last function that the solution defines: that task alone is lost."""
        cell = [name for name in self.own if self.own[name] and "def " in self.solution[name]][-1]
        answers = {**self.solution, cell: text + self.solution[cell]}
        return self.answered(name, answers, self._without(cell), status)

    def _added(self, name: str, text: str, status: str = "completed") -> Pupil:
        """The solution, with a cell of the student's own at the start."""
        notebook = self.notebook(self.solution)
        notebook["cells"].insert(0, {"cell_type": "code", "id": "own", "metadata": {}, "source": text, "outputs": []})
        return Pupil(name, status, self.all_full, self._writer(notebook))

    def _mangled(self, name: str, mangle: Callable[[nb.Notebook], None], expected: Expectation | None = None) -> Pupil:
        notebook = self.notebook(self.solution)
        mangle(notebook)
        return Pupil(name, "mended", expected or self.all_full, self._writer(notebook))

    def _copy_cell(self, notebook: nb.Notebook) -> None:
        index = next(i for i, cell in enumerate(notebook["cells"]) if nb.grade_id(cell) == self._first)
        notebook["cells"].insert(index, copy.deepcopy(notebook["cells"][index]))

    def _change_test(self, notebook: nb.Notebook) -> None:
        test = next(cell for cell in notebook["cells"] if nb.is_test(cell))
        test["source"], test["metadata"]["nbgrader"]["points"] = "100", 100

    def _delete_answer(self, notebook: nb.Notebook) -> None:
        notebook["cells"] = [cell for cell in notebook["cells"] if nb.grade_id(cell) != self._first]

    def _writer(self, notebook: nb.Notebook) -> Callable[[Path], None]:
        return self._raw(json.dumps(notebook).encode())

    def _raw(
        self, content: bytes, name: str = "", timestamp: str = "2026-01-09 12:00:00 UTC"
    ) -> Callable[[Path], None]:
        def write(folder: Path) -> None:
            (folder / (name or f"{self.assignment.notebook}.ipynb")).write_bytes(content)
            (folder / "timestamp.txt").write_text(timestamp)

        return write

    def _renamed(self, folder: Path) -> None:
        content = json.dumps(self.notebook(self.solution)).encode()
        self._raw(content, f"{self.assignment.notebook} (1).ipynb")(folder)

    def _late(self, folder: Path) -> None:
        content = json.dumps(self.notebook(self.solution)).encode()
        self._raw(content, timestamp="2026-01-12 09:30:00 UTC")(folder)

    def _link(self, folder: Path) -> None:
        (folder / f"{self.assignment.notebook}.ipynb").symlink_to(self.assignment.source_path)


def is_written(cell: nb.Cell) -> bool:
    """Whether students answer in words here. A plot, which a person marks too, is written in code."""
    return nb.is_manual(cell) and cell["cell_type"] == "markdown"


def worth(source: nb.Notebook) -> dict[str, float]:
    """The points of every graded cell."""
    return {str(nb.grade_id(cell)): nb.points(cell) for cell in source["cells"] if nb.is_graded(cell)}


def graded_lines(output: str) -> dict[str, dict[str, Any]]:
    """What `autograder grade --json` printed, by student."""
    return {line["student"]: line for line in map(json.loads, output.splitlines())}
