"""Lays a student's answers into the instructor's notebook.

Locked and test cells are always the instructor's, whatever happened to them in the student's copy.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

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
from autograder.errors import SubmissionError


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

    Raises SubmissionError for a notebook in another language, and for one with none of the assignment's cells.
    """
    language = _language(submitted)
    if language not in ("", "python"):
        raise SubmissionError(f"the notebook's kernel is {language}; this assignment is in Python")
    frame = [copy.deepcopy(cell) for cell in release["cells"]]
    student = _sort(submitted, {name for cell in frame if (name := grade_id(cell))})
    if not student.answers:
        raise SubmissionError("this notebook has none of the assignment's cells; is it the right file?")
    tests, notes, unanswered = test_sources(source_notebook), student.notes(), set()
    cells = list(student.extras.get(None, []))
    for cell in frame:
        name = grade_id(cell)
        if name is None and student.still_has(cell):
            continue
        answer = student.answers.get(name) if name else None
        if name:
            notes += _differences(cell, answer)
        if is_answer(cell) and not _fill(cell, answer):
            unanswered.add(str(name))
        elif is_test(cell):
            cell["source"] = tests[str(name)]
        cells += [*student.earlier.get(str(name), []), cell, *(student.extras.get(name, []) if name else [])]
    mark_carried(cells, release)
    return PreparedSubmission(_assemble(cells, release), tuple(notes), frozenset(unanswered))


@dataclass(frozen=True)
class _StudentCells:
    """A student's cells: the last one of each known name; earlier copies of answers, by name; the other cells, by the known cell
    that they follow; and the names of known cells that came more than once, as often as they were repeated."""

    answers: dict[str, Cell] = field(default_factory=dict)
    earlier: dict[str, list[Cell]] = field(default_factory=dict)
    extras: dict[str | None, list[Cell]] = field(default_factory=dict)
    repeated: list[str] = field(default_factory=list)

    def notes(self) -> list[str]:
        """Notes on cells that came more than once."""
        count = self.repeated.count
        return [f"cell {name} came {count(name) + 1} times; the last counts" for name in dict.fromkeys(self.repeated)]

    def still_has(self, cell: Cell) -> bool:
        """Whether the student kept this cell of the release. Text counts too: some editors (Colab) give cells other ids."""
        own = (extra for group in self.extras.values() for extra in group)
        return any(extra["id"] == cell.get("id") or extra["source"].strip() == source(cell).strip() for extra in own)


def _sort(submitted: Notebook, names: set[str]) -> _StudentCells:
    student = _StudentCells()
    answers = student.answers
    last: str | None = None
    for cell in submitted["cells"]:
        name = grade_id(cell)
        if name in names:
            if name in answers:
                student.repeated.append(str(name))
                if is_answer(answers[str(name)]):
                    student.earlier.setdefault(str(name), []).append(_plain(answers[str(name)]))
            answers[str(name)], last = cell, name
        else:
            student.extras.setdefault(last, []).append(_plain(cell))
    return student


def _plain(cell: Cell) -> Cell:
    """Return a student's own cell without anything that could pass for nbgrader's or change how it is run."""
    kind = cell["cell_type"] if cell["cell_type"] in ("code", "markdown") else "raw"
    plain: Cell = {"cell_type": kind, "id": str(cell.get("id", "")), "metadata": {}, "source": source(cell)}
    # Without its picture, nbconvert and so formgrader would refuse the notebook.
    if kind == "markdown" and isinstance(cell.get("attachments"), dict):
        plain["attachments"] = cell["attachments"]
    return plain


def _fill(cell: Cell, answer: Cell | None) -> bool:
    """Put the student's answer into an answer cell of the release; return whether there is one that differs from the release."""
    if answer is None or source(answer).strip() == source(cell).strip():
        return False
    cell["source"] = source(answer)
    if isinstance(answer.get("attachments"), dict):
        cell["attachments"] = answer["attachments"]
    return True


def _differences(original: Cell, submitted: Cell | None) -> list[str]:
    """Notes on how a known cell differs from the release. They do not say who changed it: that may be the instructor, later."""
    name = grade_id(original)
    if submitted is None:
        return [f"cell {name} was missing; " + ("it counts as unanswered" if is_answer(original) else "restored")]
    if submitted["cell_type"] != original["cell_type"]:
        return [f"cell {name} was turned into a {submitted['cell_type']} cell; restored"]
    if is_graded(original) and grader(submitted).get("points") != grader(original).get("points"):
        return [f"the points of {name} are not the release's; those of the release count"]
    if not is_answer(original) and source(submitted).strip() != source(original).strip():
        return [f"cell {name} is not the release's; the one of the release was run"]
    return []


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
