"""What went wrong in a submission, task by task: the known mistake that answers as it does, or the property that broke.

A mistake fits where, in all test cells of the task, it passes and fails the same checks, and every question that both were
asked was answered alike; and at least half of the questions were asked of both. hypothesis draws the same questions for the
same behaviour, so mostly that is all of them; where rounding sends its search for a smaller counterexample another way, the
common ones decide. If mistakes with different hints fit, none is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from autograder.records.answers import alike
from autograder.records.grade import CellGrade, Check, Grade
from autograder.records.known import Answers, Known, Mistake, answers, by_question, passed
from autograder.records.transcript import Asked

COMMON = 0.5
UNWRITTEN = "Not written yet."  # `Checks` says so of NotImplementedError


@dataclass(frozen=True)
class Diagnosis:
    """Of one task: `problem` is its answer cell, `cell` a test cell that lost points. `check` is a property that does not hold
    there, and `message` the smallest counterexample to it that was found. Where a known mistake fits, `chaffs` are its labels,
    and `misconception` and `hint` what the instructor says of it."""

    problem: str
    cell: str
    check: str = ""
    message: str = ""
    chaffs: tuple[str, ...] = ()
    misconception: str = ""
    hint: str = ""

    @property
    def sentence(self) -> str:
        """What broke, in words."""
        return f"This does not hold yet: {self.check}. {self.message}".strip() if self.check else self.message

    def as_json(self) -> dict[str, Any]:
        return {**vars(self), "chaffs": list(self.chaffs)}


def diagnose(known: Known, grade: Grade, asked: Mapping[str, Asked] | None) -> dict[str, Diagnosis]:
    """A diagnosis of each task that an answer was written for and that lost points, by its answer cell's grade_id; a test cell
    that `known` has in no task is one of its own."""
    tests = dict(known.tests)
    in_tasks = {name for names in tests.values() for name in names}
    tests |= {name: (name,) for name, cell in grade.cells.items() if name not in in_tasks and cell.checks}
    return {
        problem: found
        for problem, names in tests.items()
        if (found := _task(problem, {n: grade.cells[n] for n in names if n in grade.cells}, asked or {}, known))
    }


def _task(problem: str, cells: Mapping[str, CellGrade], asked: Mapping[str, Asked], known: Known) -> Diagnosis | None:
    broken = [name for name, cell in cells.items() if cell.score is not None and not cell.whole]
    written = [name for name in broken if not unwritten(cells[name])]
    if not written:
        return None
    cell, check = _telling(written, cells, asked)
    said = (check.name, check.message) if check else ("", cells[cell].error)
    given = {name: answers(asked[name]) for name in cells if name in asked}
    fitting = [m for m in known.mistakes if m.problem == problem and _fits(m, cells, given)]
    if len({mistake.hint for mistake in fitting}) != 1:
        return Diagnosis(problem, cell, *said)
    misconceptions = {mistake.misconception for mistake in fitting}
    misconception = misconceptions.pop() if len(misconceptions) == 1 else ""
    return Diagnosis(problem, cell, *said, tuple(m.label for m in fitting), misconception, fitting[0].hint)


def unwritten(cell: CellGrade) -> bool:
    """Whether a test cell says that there is no answer yet."""
    lost = [check for check in cell.checks if not check.passed]
    return (bool(lost) and lost[0].message == UNWRITTEN) or cell.error.startswith("NotImplementedError")


def _telling(names: list[str], cells: Mapping[str, CellGrade], asked: Mapping[str, Asked]) -> tuple[str, Check | None]:
    """Of the broken checks a law with its smallest counterexample, or else the first: checks go from the simple to the subtle,
    and what breaks an early one breaks later ones too. So does what breaks a cell's very first, on the form of an answer."""
    broken = [
        (name, check, example, check is cells[name].checks[0])
        for name in names
        for check, example in zip(cells[name].checks, _examples(cells[name], asked.get(name)), strict=True)
        if not check.passed
    ]
    telling = [found for found in broken if found[3]] or [found for found in broken if found[2]] or broken
    return telling[0][:2] if telling else (names[0], None)


def _examples(cell: CellGrade, asked: Asked | None) -> Iterator[str]:
    """Of each check hypothesis's note on the smallest counterexample, or ""."""
    spans = asked.spans if asked else ()
    for number, check in enumerate(cell.checks):
        yield spans[number].example if number < len(spans) and spans[number].check == check.name else ""


def _fits(mistake: Mistake, cells: Mapping[str, CellGrade], given: Mapping[str, Answers]) -> bool:
    return set(mistake.answers) == set(cells) and all(
        name in given and passed(cell) == mistake.passed[name] and same(given[name], mistake.answers[name])
        for name, cell in cells.items()
    )


def same(mine: Answers, theirs: Answers) -> bool:
    """Whether every question that both were asked was answered alike, and these were enough of them."""
    one, other = by_question(mine), by_question(theirs)
    pairs = [pair for name in one.keys() & other.keys() for pair in zip(one[name], other[name], strict=False)]
    return len(pairs) >= COMMON * max(len(mine), len(theirs)) and all(alike(*pair) for pair in pairs)
