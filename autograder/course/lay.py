"""Lays a student's answers into the instructor's notebook.

Locked and test cells are always the instructor's, whatever happened to them in the student's copy. The student's code runs in
the student's order, wherever it was typed, and a stub of the release never replaces what it defined.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass

from autograder.course.bindings import added_statements, bound_names, is_prose, is_same, is_same_code
from autograder.course.carried import mark_carried
from autograder.course.notebook import (
    Cell,
    Notebook,
    grade_id,
    grader,
    is_answer,
    is_graded,
    is_test,
    source,
    test_sources,
    unique_ids,
)  # fmt: skip
from autograder.course.student_cells import TEXT_KINDS, StudentCells, attachments, is_essay, join, sort_cells
from autograder.errors import SubmissionError

ANSWERED_ELSEWHERE = "# Answered in another cell."
TELLING = 40  # characters of a text of the release that are not in a student's cell by chance


@dataclass(frozen=True)
class PreparedSubmission:
    """A submission ready to be judged: the instructor's cells with the student's answers, notes on what had to be repaired, and
    the grade_ids of the answer cells that are as they were released."""

    notebook: Notebook
    notes: tuple[str, ...]
    unanswered: frozenset[str]


def lay(source_notebook: Notebook, release: Notebook, submitted: Notebook) -> PreparedSubmission:
    """Put the answers and own cells of `submitted` into the cells of `release`, with the full tests of `source_notebook`.

    The order is the instructor's. A cell that the student added stays after the cell it followed, and so does one that nbgrader
    does not know (text, a plot), as the student left it. Of several copies of an answer cell the last is the answer, as it would
    be in the kernel; the others run before it as plain cells.

    An answer cell that is missing or as released gets the answer that was typed beside it. If the answer stands further up, the
    stub is left out, since it would replace what the student defined. A written answer includes the text cells that the student
    added beside it.

    Raises SubmissionError for a notebook in another language, and for one with none of the assignment's cells.
    """
    language = _language(submitted)
    if language not in ("", "python"):
        raise SubmissionError(f"the notebook's kernel is {language}; this assignment is in Python")
    frame = {name: cell for cell in release["cells"] if (name := grade_id(cell))}
    wanted = _wanted_names(source_notebook, frame)
    full = {str(grade_id(cell)): source(cell) for cell in source_notebook["cells"]}
    student = sort_cells(submitted, frame, full, frozenset().union(*wanted.values()))
    layout = _Layout(release, student, wanted)
    if not student.known and not layout.recovers():
        raise SubmissionError("this notebook has none of the assignment's cells; is it the right file?")
    layout.fill(test_sources(source_notebook))
    mark_carried(layout.cells, release)
    notes = (*student.notes(frame), *layout.notes)
    return PreparedSubmission(_assemble(layout.cells, release), notes, frozenset(layout.unanswered))


def _wanted_names(source_notebook: Notebook, frame: dict[str, Cell]) -> dict[str, frozenset[str]]:
    """The names by which an answer is recognised, by grade_id: those that its stub or else the solution binds, without those
    that no test uses."""
    tests = "\n".join(test_sources(source_notebook).values())
    wanted = {}
    for cell in source_notebook["cells"]:
        name = grade_id(cell)
        if name in frame and is_answer(cell) and cell["cell_type"] == "code":
            names = bound_names(source(frame[name])) or bound_names(source(cell))
            tested = frozenset(each for each in names if re.search(rf"\b{re.escape(each)}\b", tests))
            wanted[str(name)] = tested or names
    return wanted


class _Layout:
    """The laid cells as they are put together, from the first to the last."""

    def __init__(self, release: Notebook, student: StudentCells, wanted: dict[str, frozenset[str]]) -> None:
        self.frame: list[Cell] = [copy.deepcopy(cell) for cell in release["cells"]]
        self.student, self.wanted = student, wanted
        self.cells: list[Cell] = []
        self.gap = 0  # the place in `cells` of the first one after the last known cell
        self.bound: set[str] = set()  # names that the student's code has bound so far
        self.notes: list[str] = []
        self.unanswered: set[str] = set()
        self.released = [(cell.get("id"), source(cell).strip(), grade_id(cell) is None) for cell in self.frame]

    def recovers(self) -> bool:
        """Whether any answer is recognised by the names that it binds."""
        names: frozenset[str] = frozenset().union(*self.wanted.values())
        return any(_binds(cell, names) for cell in self.student.own_cells())

    def fill(self, tests: dict[str, str]) -> None:
        """Lay all cells."""
        self._add_own(self.student.extras.get(None, []))
        known = {name: source(cell) for cell in self.frame if (name := grade_id(cell))}
        recovered = set()
        for cell in self.frame:
            name = grade_id(cell)
            if name is None:
                if not self.student.still_has(cell):
                    self.cells.append(cell)
            elif self._lay_known(name, cell, tests):
                recovered.add(name)
        # An answer further down, between the tests of its task, is one for those below it.
        late = {name for name in self.unanswered if self.wanted.get(name, frozenset()) & self.bound}
        self.unanswered -= late
        for cell in self.frame:
            if name := grade_id(cell):
                submitted, found, waits = (
                    self.student.known.get(name),
                    name in recovered | late,
                    name not in self.unanswered,
                )
                self.notes += _differences(cell, submitted, known[name], found, waits=waits)

    def _lay_known(self, name: str, cell: Cell, tests: dict[str, str]) -> bool:
        """Lay a known cell and what belongs to it; return whether its answer was found in another cell of the student's."""
        student, submitted = self.student, self.student.known.get(name)
        rest = list(student.extras.get(name, []))
        recovered = False
        if is_essay(cell):
            self._write(name, cell, submitted, rest)
        elif is_answer(cell):
            self._add_own(student.earlier.get(name, []))
            recovered = self._answer(name, cell, submitted, rest)
        elif is_test(cell):
            cell["source"] = tests[name]
        self.cells.append(cell)
        self.gap = len(self.cells)
        if is_answer(cell) and name not in self.unanswered:
            self.bound |= bound_names(source(cell))
        self._add_own(rest)
        return recovered

    def _add_own(self, cells: list[Cell]) -> None:
        self.cells += cells
        for cell in cells:
            if cell["cell_type"] == "code" and not self._is_released(cell):
                self.bound |= bound_names(cell["source"])

    def _is_released(self, cell: Cell) -> bool:
        """Whether a cell is one of the release, as it was released or, if nbgrader does not know it, with more text in it."""
        return any(
            is_same(cell["source"], text)
            or (is_plain and (cell.get("id") == id_ or (len(text) > TELLING and text in cell["source"])))
            for id_, text, is_plain in self.released
        )

    def _answer(self, name: str, cell: Cell, submitted: Cell | None, rest: list[Cell]) -> bool:
        """Fill a code cell with its answer; return whether the answer was found in another cell of the student's."""
        own = source(submitted) if submitted is not None else source(cell)
        is_edited = not is_same(own, source(cell))
        if is_edited and not is_same_code(own, source(cell)):
            cell["source"] = own
            return False
        names = self.wanted.get(name, frozenset())
        for group, first in ((rest, 0), (self.cells, self.gap)):  # what runs last counts
            for place in reversed(range(first, len(group))):
                if _binds(group[place], names) and not self._is_released(group[place]):
                    answer = group.pop(place)
                    left = added_statements(source(cell), source(answer))
                    if group is rest:  # what stands between the stub and the answer runs before it, as it did
                        self._add_own(group[:place])
                        del group[:place]
                    else:
                        rest[:0] = group[place:]
                        del group[place:]
                    cell["source"] = "\n\n".join(filter(None, (left, source(answer))))
                    return group is not rest or submitted is None
        if names & self.bound:
            cell["source"] = _without(source(cell), self.bound) or ANSWERED_ELSEWHERE
            return True
        cell["source"] = own  # a comment in the stub, which the student's page shows
        if not is_edited:
            self.unanswered.add(name)
        return False

    def _write(self, name: str, cell: Cell, submitted: Cell | None, rest: list[Cell]) -> None:
        """Fill a cell for a written answer with all that the student wrote there: in the cell, and in text cells beside it."""
        if submitted is None:
            self._find_place(cell, rest)
        doubts = [*self.cells[self.gap :], *rest]
        parts = [submitted] if submitted is not None and _is_written(submitted, cell) else []
        below = self._take_texts(rest, 0, up_to_released=bool(parts) or self._is_before_essay(cell))
        above = [] if parts else self._take_texts(self.cells, self.gap, up_to_released=False)
        parts = [*above, *parts, *below]
        if parts:
            whole = join(parts)
            cell["source"] = source(whole)
            if pictures := attachments(whole):
                cell["attachments"] = pictures
        elif not (self._has_more_text(doubts) or (submitted is None and self._follows_essay(cell))):
            self.unanswered.add(name)

    def _find_place(self, cell: Cell, rest: list[Cell]) -> None:
        """Move to `rest` what stands below the place of a missing cell: that is behind the text of the release before it."""
        before = self.frame[: self._index(cell)]
        heading = before[-1] if before and grade_id(before[-1]) is None else None
        places = [i for i in range(self.gap, len(self.cells)) if heading and _is_copy(self.cells[i], heading)]
        later = range(places[-1] + 1 if places else len(self.cells), len(self.cells))
        end = next((i for i in later if self._is_released(self.cells[i])), len(self.cells))
        rest[:0] = self.cells[end:]
        del self.cells[end:]

    def _index(self, cell: Cell) -> int:
        return next(index for index, one in enumerate(self.frame) if one is cell)

    def _is_before_essay(self, cell: Cell) -> bool:
        """Whether the next known cell is for a written answer: texts in front of it may belong to it."""
        after = (one for one in self.frame[self._index(cell) + 1 :] if grade_id(one))
        return is_essay(next(after, {}))

    def _follows_essay(self, cell: Cell) -> bool:
        """Whether the known cell before is a written answer of the student's, into which this one may have been merged."""
        before = [one for one in self.frame[: self._index(cell)] if grade_id(one)]
        return bool(before) and is_essay(before[-1]) and grade_id(before[-1]) not in self.unanswered

    def _take_texts(self, cells: list[Cell], first: int, *, up_to_released: bool) -> list[Cell]:
        """Remove and return the student's own text cells in `cells` from `first` on; up to the first text of the release if
        asked, for what follows that belongs to the next question."""
        taken = []
        for cell in cells[first:]:
            if cell["cell_type"] not in TEXT_KINDS:
                continue
            if self._is_released(cell):
                if up_to_released:
                    break
            elif cell["source"].strip():
                taken.append(cell)
        cells[first:] = [cell for cell in cells[first:] if not any(cell is one for one in taken)]
        return taken

    def _has_more_text(self, cells: list[Cell]) -> bool:
        """Whether the student wrote text in these cells: in one of their own, or in one of the release's text cells."""
        own = [cell for cell in cells if not is_same(cell["source"], "") and not self._is_released(cell)]
        if any(cell["cell_type"] in TEXT_KINDS or is_prose(cell["source"]) for cell in own):
            return True
        return any(
            cell["cell_type"] in TEXT_KINDS and len(text) > TELLING and text in cell["source"].strip() != text
            for cell in cells
            for _, text, is_plain in self.released
            if is_plain
        )


def _is_copy(cell: Cell, original: Cell) -> bool:
    """Whether a cell is this one of the release that nbgrader does not know, perhaps with more text in it."""
    text = source(original).strip()
    same_id = bool(original.get("id")) and cell.get("id") == original["id"]
    return same_id or is_same(cell["source"], text) or (len(text) > TELLING and text in cell["source"])


def _is_written(submitted: Cell, released: Cell) -> bool:
    """Whether a cell for a written answer has a text or a picture that the release does not have."""
    pictures = attachments(released)
    added = [name for name, picture in attachments(submitted).items() if pictures.get(name) != picture]
    return not is_same(source(submitted), source(released)) or bool(added)


def _binds(cell: Cell, names: frozenset[str]) -> bool:
    return cell["cell_type"] == "code" and bool(names & bound_names(cell["source"]))


def _without(stub: str, bound: set[str]) -> str:
    """The statements of a stub that bind other names than those that the student's code has bound."""
    mine = bound_names(stub) & bound
    return added_statements(stub, "\n".join(f"{name} = 0" for name in sorted(mine)))


def _differences(original: Cell, submitted: Cell | None, released: str, recovered: bool, *, waits: bool) -> list[str]:
    """Notes on how a known cell differs from the release. They do not say who changed it: that may be the instructor, later."""
    name = grade_id(original)
    note = ""
    if submitted is None:
        answered = recovered or (is_essay(original) and not is_same(source(original), released))
        lost = "it counts as unanswered"
        if answered or (is_essay(original) and waits):
            lost = (
                "its answer was found in another cell"
                if answered
                else "a person must look for its answer in the others"
            )
        note = f"cell {name} was missing; {lost if is_answer(original) else 'restored'}"
    elif submitted["cell_type"] != original["cell_type"]:
        note = f"cell {name} was turned into a {submitted['cell_type']} cell; restored"
    elif (
        is_graded(original) and grader(submitted) and grader(submitted).get("points") != grader(original).get("points")
    ):
        note = f"the points of {name} are not the release's; those of the release count"
    elif not is_answer(original) and not is_same(source(submitted), released):
        note = f"cell {name} is not the release's; the one of the release was run"
    elif recovered:
        note = f"cell {name} is as released; its answer was found in another cell"
    return [note] if note else []


def _assemble(cells: list[Cell], release: Notebook) -> Notebook:
    """Make a notebook of these cells, without outputs and with valid ids, and with the release's metadata."""
    for cell in cells:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    unique_ids(cells)
    metadata = copy.deepcopy(release.get("metadata", {}))
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}


def _language(notebook: Notebook) -> str:
    """The programming language of a notebook in lower case; "" if it does not say."""
    metadata = notebook.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    for section, key in (("kernelspec", "language"), ("language_info", "name")):
        entries = metadata.get(section)
        if isinstance(entries, dict) and isinstance(entries.get(key), str) and entries[key]:
            return str(entries[key]).lower()
    return ""
