"""Lays a student's answers into the instructor's notebook, so that locked and test cells are the instructor's, whatever became of
them in the student's copy."""

from __future__ import annotations

import copy
from dataclasses import dataclass

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
class Laid:
    """A submission ready to be judged: the instructor's cells with the student's answers, notes on what was mended, and
    the manual cells that were left as they were released."""

    notebook: Notebook
    notes: tuple[str, ...]
    unanswered: frozenset[str]


def lay(source_notebook: Notebook, release: Notebook, submitted: Notebook) -> Laid:
    """`submitted`'s answers and own cells in `release`'s frame, with `source_notebook`'s full tests.

    Order is the instructor's; a cell that the student added keeps its place after the cell it followed, and so does one
    that nbgrader does not know (text, a plot), as the student left it. Where a cell comes twice, the last is the answer, as
    it would be in the kernel, and the others run before it as plain cells.
    """
    language = _language(submitted)
    if language not in ("", "python"):
        raise SubmissionError(f"the notebook's kernel is {language}; this assignment is in Python")
    tests = test_sources(source_notebook)
    frame = [copy.deepcopy(cell) for cell in release["cells"]]
    names = {name for cell in frame if (name := grade_id(cell))}
    answers, earlier, extras, notes = _sort(submitted, names)
    if not answers:
        raise SubmissionError("none of the assignment's cells is in this notebook; is it the right file?")

    cells, unanswered = list(extras.get(None, [])), set()
    for cell in frame:
        name = grade_id(cell)
        if name is None and _kept(cell, extras):
            continue
        theirs = answers.get(name) if name else None
        if name and theirs is None:
            notes.append(f"cell {name} was missing; " + ("it counts as unanswered" if is_answer(cell) else "restored"))
        if theirs is not None:
            notes += _differences(cell, theirs)
        if is_answer(cell):
            if theirs is None or source(theirs).strip() == source(cell).strip():
                unanswered.add(str(name))
            elif theirs is not None:
                cell["source"] = source(theirs)
                if "attachments" in theirs and isinstance(theirs["attachments"], dict):
                    cell["attachments"] = theirs["attachments"]
        elif is_test(cell):
            cell["source"] = tests[str(name)]
        cells += earlier.get(str(name), [])
        cells.append(cell)
        cells += extras.get(name, []) if name else []
    for cell in cells:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    unique_ids(cells)
    metadata = release.get("metadata", {})
    laid = {"nbformat": 4, "nbformat_minor": 5, "metadata": copy.deepcopy(metadata), "cells": cells}
    return Laid(laid, tuple(notes), frozenset(unanswered))


def _kept(cell: Cell, extras: dict[str | None, list[Cell]]) -> bool:
    """Whether the student still has this cell of the release; some editors (Colab) give cells other ids."""
    own = (theirs for group in extras.values() for theirs in group)
    return any(theirs["id"] == cell.get("id") or theirs["source"].strip() == source(cell).strip() for theirs in own)


def _sort(
    submitted: Notebook, names: set[str]
) -> tuple[dict[str, Cell], dict[str, list[Cell]], dict[str | None, list[Cell]], list[str]]:
    """The last cell of each known name; earlier copies of answers, by name; the other cells by the known cell that they
    follow; notes on double ones."""
    answers: dict[str, Cell] = {}
    earlier: dict[str, list[Cell]] = {}
    extras: dict[str | None, list[Cell]] = {}
    doubled: list[str] = []
    last: str | None = None
    for cell in submitted["cells"]:
        name = grade_id(cell)
        if name in names:
            if name in answers:
                doubled.append(str(name))
                if is_answer(answers[str(name)]):
                    earlier.setdefault(str(name), []).append(_plain(answers[str(name)]))
            answers[str(name)], last = cell, name
        else:
            extras.setdefault(last, []).append(_plain(cell))
    notes = [f"cell {name} came {doubled.count(name) + 1} times; the last counts" for name in dict.fromkeys(doubled)]
    return answers, earlier, extras, notes


def _plain(cell: Cell) -> Cell:
    """A student's own cell: its text, and nothing that could pass for nbgrader's or change how it is run."""
    kind = cell["cell_type"] if cell["cell_type"] in ("code", "markdown") else "raw"
    plain: Cell = {"cell_type": kind, "id": str(cell.get("id", "")), "metadata": {}, "source": source(cell)}
    if kind == "markdown" and isinstance(cell.get("attachments"), dict):
        plain["attachments"] = cell[
            "attachments"
        ]  # without its picture nbconvert, and so formgrader, refuses the notebook
    return plain


def _differences(ours: Cell, theirs: Cell) -> list[str]:
    """Notes on how a known cell differs from the release. Who changed it is not said: it may be the instructor, afterwards."""
    name = grade_id(ours)
    if theirs["cell_type"] != ours["cell_type"]:
        return [f"cell {name} was turned into a {theirs['cell_type']} cell; restored"]
    if is_graded(ours) and grader(theirs).get("points") != grader(ours).get("points"):
        return [f"the points of {name} are not the release's; those of the release count"]
    if not is_answer(ours) and source(theirs).strip() != source(ours).strip():
        return [f"cell {name} is not the release's; the one of the release was run"]
    return []


def _language(notebook: Notebook) -> str:
    metadata = notebook.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    for key, field in (("kernelspec", "language"), ("language_info", "name")):
        part = metadata.get(key)
        if isinstance(part, dict) and isinstance(part.get(field), str) and part[field]:
            return str(part[field]).lower()
    return ""
