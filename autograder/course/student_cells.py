"""Sorts a student's cells: which are the assignment's, by metadata, id or text, and which are the student's own.

Editors lose metadata, people merge, split, copy and retype cells. Whatever is found here is only ever run or shown as the
student's; tests, points and locked cells come from the instructor's notebook alone.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from autograder.course.bindings import added_statements, bound_names, cut, is_same, normalize
from autograder.course.notebook import Cell, Notebook, grade_id, is_answer, is_manual, source

TEXT_KINDS = ("markdown", "raw")
MAX_NAMES = 10  # in one note


@dataclass
class StudentCells:
    """A student's cells by the known cell that they belong to.

    `known` has the copy of each known cell that counts, `earlier` the other copies of an answer, as own cells that run before it.
    `extras` are the other cells, by the known cell that they follow; what was typed into a read-only or test cell, around the
    instructor's text, is among them. `repeated` names the known cells that came more than once, as often as that was,
    and `unmarked` those that had lost nbgrader's metadata.
    """

    known: dict[str, Cell] = field(default_factory=dict)
    earlier: dict[str, list[Cell]] = field(default_factory=dict)
    extras: dict[str | None, list[Cell]] = field(default_factory=dict)
    repeated: list[str] = field(default_factory=list)
    unmarked: list[str] = field(default_factory=list)

    def notes(self, frame: dict[str, Cell]) -> list[str]:
        """Notes on cells that came more than once, or without nbgrader's metadata."""
        lost = ", ".join(self.unmarked[:MAX_NAMES]) + (" and others" if len(self.unmarked) > MAX_NAMES else "")
        notes = [f"without nbgrader's metadata, recognised by id or text: {lost}"] if lost else []
        for name in dict.fromkeys(self.repeated):
            times = f"cell {name} came {self.repeated.count(name) + 1} times"
            notes.append(f"{times}; its parts were joined" if is_essay(frame[name]) else f"{times}; the last counts")
        return notes

    def own_cells(self) -> Iterator[Cell]:
        """Every cell that is not a known one."""
        for group in (*self.earlier.values(), *self.extras.values()):
            yield from group

    def still_has(self, cell: Cell) -> bool:
        """Whether the student kept this cell of the release. Text counts too: some editors (Colab) give cells other ids."""
        return any(own["id"] == cell.get("id") or is_same(own["source"], source(cell)) for own in self.own_cells())


def is_essay(cell: Cell) -> bool:
    """Whether a cell is for a written answer: text that a person marks."""
    return is_manual(cell) and cell["cell_type"] != "code"


def sort_cells(
    submitted: Notebook, frame: dict[str, Cell], full: dict[str, str], wanted: frozenset[str]
) -> StudentCells:
    """Sort the cells of `submitted`.

    `frame` has the release's known cells by grade_id, in order, `full` the texts of the instructor's, with hidden tests, and
    `wanted` the names that answers bind.
    """
    student = StudentCells()
    copies: dict[str, list[Cell]] = {}
    last: str | None = None
    for cell, name in zip(submitted["cells"], _identify(submitted["cells"], frame), strict=True):
        if name is None:
            student.extras.setdefault(last, []).append(make_plain(cell))
            continue
        student.unmarked += [] if grade_id(cell) == name else [name]
        copies.setdefault(name, []).append(cell)
        before, after = _own_parts(cell, frame[name], full.get(name, ""), wanted)
        student.extras.setdefault(last, []).extend(before)
        student.extras.setdefault(name, []).extend(after)
        last = name
    for name, group in copies.items():
        student.repeated += [name] * (len(group) - 1)
        student.known[name] = group[-1]
        if is_answer(frame[name]):
            _choose(student, name, group, frame[name])
    _cut_merged(student, frame)
    return student


def _identify(cells: list[Cell], frame: dict[str, Cell]) -> list[str | None]:
    """The name of each cell, or None: by its metadata; where no cell has that, by the id that the release gave it, or by the
    text of the release."""
    names = [name if (name := grade_id(cell)) in frame else None for cell in cells]
    lost = {name: cell for name, cell in frame.items() if name not in names}
    for place, cell in enumerate(cells):
        if names[place] is None and lost:
            found = next((name for name, known in lost.items() if _is_copy(cell, known)), None)
            if found:
                names[place] = found
                del lost[found]
    return names


def _is_copy(cell: Cell, known: Cell) -> bool:
    if cell["cell_type"] != known["cell_type"]:
        return False
    # Many written answers begin alike, so their text alone does not tell which one a cell is.
    same_text = not is_essay(known) and is_same(source(cell), source(known))
    return same_text or (bool(known.get("id")) and cell.get("id") == known["id"])


def _choose(student: StudentCells, name: str, copies: list[Cell], known: Cell) -> None:
    """Choose the copy of an answer cell that counts: the last one that differs from the release, if there is one. The others stay
    before it, as in the student's kernel; of a written answer they become parts of it."""
    answered = [cell for cell in copies if not is_same(source(cell), source(known))]
    if is_essay(known) and answered:
        student.known[name] = join(answered)
    else:
        chosen = (answered or copies)[-1]
        student.known[name] = chosen
        student.earlier[name] = [make_plain(cell) for cell in copies if cell is not chosen and cell in answered]


def _own_parts(cell: Cell, known: Cell, full: str, wanted: frozenset[str]) -> tuple[list[Cell], list[Cell]]:
    """What a student typed into a read-only or test cell, as own cells before and after it. In a cell whose own lines were
    edited too, perhaps by the instructor since, that is new definitions, if one of them is an answer."""
    text = source(cell)
    if (
        cell["cell_type"] != "code"
        or known["cell_type"] != "code"
        or any(is_same(text, one) for one in (source(known), full))
    ):
        return [], []
    parts = cut(text, source(known))
    if not parts:
        added = added_statements(text, f"{source(known)}\n{full}")
        parts = (added if bound_names(added) & wanted else "", "")
    before, after = ([make_plain({**cell, "source": part})] if part.strip() else [] for part in parts)
    return before, after


def _cut_merged(student: StudentCells, frame: dict[str, Cell]) -> None:
    """Remove the text of test cells that an editor merged into other cells: the judge runs them."""
    lost = [cell for name, cell in frame.items() if name not in student.known and not is_answer(cell)]
    holders = [cell for name, cell in student.known.items() if is_answer(frame[name])]
    for cell in [*holders, *student.own_cells()] if lost else []:
        for missing in lost:
            parts = cut(source(cell), source(missing)) if cell["cell_type"] == "code" else None
            if parts:
                cell["source"] = "\n\n".join(filter(None, parts))


def make_plain(cell: Cell) -> Cell:
    """Return a student's own cell without anything that could pass for nbgrader's or change how it is run."""
    kind = cell["cell_type"] if cell["cell_type"] in ("code", "markdown") else "raw"
    plain: Cell = {"cell_type": kind, "id": str(cell.get("id", "")), "metadata": {}, "source": source(cell)}
    # Without its picture, nbconvert and so formgrader would refuse the notebook.
    if kind == "markdown" and (pictures := attachments(cell)):
        plain["attachments"] = pictures
    return plain


def attachments(cell: Cell) -> dict[str, dict[str, Any]]:
    """The cell's attachments that nbformat accepts: by file name, then by MIME type, text or lines of text."""

    def is_text(data: Any) -> bool:
        return isinstance(data, str) or (isinstance(data, list) and all(isinstance(line, str) for line in data))

    files = cell.get("attachments")
    bundles = files.items() if isinstance(files, dict) else ()
    kept = {
        name: {kind: data for kind, data in bundle.items() if is_text(data)}
        for name, bundle in bundles
        if isinstance(bundle, dict)
    }
    return {name: bundle for name, bundle in kept.items() if bundle}


def join(parts: list[Cell]) -> Cell:
    """One cell with the text and the pictures of all these, in order. The first of two pictures of one name counts."""
    whole = copy.deepcopy(parts[0])
    whole["source"] = "\n\n".join(normalize(source(part)) for part in parts) if len(parts) > 1 else source(parts[0])
    pictures: dict[str, Any] = {}
    for part in reversed(parts):
        pictures |= attachments(part)
    if pictures:
        whole["attachments"] = pictures
    return whole
