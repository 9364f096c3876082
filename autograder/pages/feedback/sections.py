"""The sections of a feedback page: which answers, graded cells and other cells belong together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from autograder.course import notebook as nb
from autograder.pages.feedback.advice import Advice
from autograder.pages.feedback.text import NAME_CHARACTERS, clip
from autograder.pages.frames import Frame, raised_in_cell
from autograder.records.grade import CellGrade, Check, Grade, Mark, combine_points

_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(\S.*)$", re.MULTILINE)
_POINTS = re.compile(r" \([^()]*\bpoints?\b[^()]*\)$")


@dataclass(frozen=True)
class Task:
    """One graded cell, with its mark. `written` answers are marked by a person; `released` is the test cell's source as
    students have it."""

    name: str
    grade: CellGrade
    mark: Mark | None
    written: bool
    anchor: str
    advice: Advice
    released: str = ""

    def in_notebook(self, check: Check) -> bool:
        """Whether the student's copy of the test cell makes this check, with its name as a literal string."""
        return any(f"{quote}{check.name}{quote}" in self.released for quote in "\"'")

    def frames(self, check: Check) -> tuple[Frame, ...]:
        """The lines of the student's code at which the exception of this check was raised."""
        number = next((n for n, each in enumerate(self.grade.checks) if each is check), -1)
        return self.advice.raised.get(number, ())

    @property
    def by_person(self) -> bool:
        """Whether a person marked the cell."""
        return self.mark is not None and self.mark.score is not None

    @property
    def stale(self) -> bool:
        """Whether other files were handed in since the mark."""
        return self.mark is not None and self.mark.stale

    @property
    def points(self) -> float | None:
        """The mark, or else the tests' score; None until there is one."""
        return combine_points(self.grade.score, self.mark)


@dataclass
class Section:
    """One heading: the student's answers, the graded cells that test them, and other cells with outputs."""

    heading: str
    tasks: list[Task] = field(default_factory=list)
    answers: list[nb.Cell] = field(default_factory=list)
    extras: list[nb.Cell] = field(default_factory=list)
    notebook: nb.Notebook = field(default_factory=dict, repr=False)

    @property
    def stopped(self) -> str:
        """The error of the first answer that raised one, if points were lost; else ""."""
        errors = nb.raised({"cells": self.answers}) if not all(task.grade.whole for task in self.tasks) else {}
        return next(iter(errors.values()), "")

    @property
    def stopped_at(self) -> tuple[Frame, ...]:
        """The lines of the student's code at which that error was raised."""
        raised = (raised_in_cell(cell, self.notebook) for cell in self.answers)
        return next(filter(None, raised), ()) if self.stopped else ()

    @property
    def names(self) -> list[str]:
        """Every grade_id that may hold a person's comment. Formgrader keeps a comment with the answer cell."""
        return list(dict.fromkeys([*filter(None, map(nb.grade_id, self.answers)), *(t.name for t in self.tasks)]))


def make_sections(notebook: nb.Notebook, tasks: Mapping[str, Task], release: nb.Notebook) -> list[Section]:
    """Group the notebook's cells into sections, in its order. Text that is not in `release` is the student's; after a written
    answer it belongs to that.

    An answer after a graded cell begins a new section, and so does a test under another heading. Tasks that the notebook lacks
    come last, for example all of them if it could not be read.
    """
    left, released = dict(tasks), {nb.source(cell).strip() for cell in release.get("cells", [])}
    sections: list[Section] = []
    early: list[nb.Cell] = []  # cells under a heading whose task is still to come
    heading = ""
    for cell in notebook.get("cells", []):
        name = str(nb.grade_id(cell))
        last = sections[-1] if sections else Section("")
        if nb.is_answer(cell) or name in left:
            if not sections or (last.tasks and (nb.is_answer(cell) or last.heading != heading)):
                last, early = Section(heading, extras=early, notebook=notebook), []
                sections.append(last)
            last.answers += [cell] if nb.is_answer(cell) else []
            last.tasks += [left.pop(name)] if name in left else []
        elif cell["cell_type"] == "markdown" and nb.source(cell).strip() not in released:
            if last.heading == heading and any(task.written for task in last.tasks):
                last.answers.append(cell)
        elif cell["cell_type"] == "markdown":
            heading = _last_heading(nb.source(cell)) or heading
        elif cell.get("outputs") and not nb.is_test(cell):
            (last.extras if sections and last.heading == heading else early).append(cell)
    rest = Section("Other cells" if sections else "", list(left.values()), extras=early)
    return [*sections, rest] if left or early else sections


def make_tasks(
    notebook: nb.Notebook,
    grade: Grade,
    marks: Mapping[str, Mark],
    advice: Mapping[str, Advice],
    released: Mapping[str, str],
) -> dict[str, Task]:
    """The graded cells by grade_id, and those that only a person marked, as in an unreadable submission."""
    by_hand = {name: CellGrade(0.0, None) for name, mark in marks.items() if mark.score is not None}
    written = {nb.grade_id(cell) for cell in notebook.get("cells", []) if nb.is_manual(cell)}
    return {
        name: Task(
            name,
            cell,
            marks.get(name),
            name in written,
            f"task-{number}",
            advice.get(name, Advice()),
            released.get(name, ""),
        )
        for number, (name, cell) in enumerate((by_hand | grade.cells).items(), 1)
    }


def _last_heading(text: str) -> str:
    """The last heading of a Markdown text, without its points and markup; "" if there is none."""
    headings = _HEADING.findall(text)
    line = clip(headings[-1].strip(" \t#"), NAME_CHARACTERS) if headings else ""
    return _POINTS.sub("", line.replace("`", "").replace("*", ""))
