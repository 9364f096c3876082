"""Diagnoses each task of a submission: a known mistake with the same answers, or a broken property.

A mistake fits if, in all test cells of the task, it passes and fails the same checks, gave the same answer to every question
that both were asked, and at least half of the questions were asked of both. hypothesis draws the same questions for the same
behaviour, so usually both were asked all of them; if rounding sends its search for a smaller counterexample another way, the
common ones decide. If mistakes with different hints fit, none is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from autograder.records.answers import agree
from autograder.records.grade import CellGrade, Check, Grade
from autograder.records.known import Answers, Known, Mistake, group_by_question, list_answers, list_passed_checks
from autograder.records.transcript import Asked

MIN_COMMON = 0.5  # the share of questions that both must have been asked
UNWRITTEN = "Not written yet."  # the message of `Checks` for a NotImplementedError


@dataclass(frozen=True)
class Diagnosis:
    """What went wrong in one task.

    `problem` is the task's answer cell, and `cell` a test cell that lost points. `check` is the check that failed there, and
    `message` its message, for a law with the smallest counterexample. If a known mistake fits, `chaffs` are the labels of the
    chaffs that make it, and `misconception` and `hint` are the instructor's words for it.
    """

    problem: str
    cell: str
    check: str = ""
    message: str = ""
    chaffs: tuple[str, ...] = ()
    misconception: str = ""
    hint: str = ""

    @property
    def sentence(self) -> str:
        """What broke, as a sentence for the student."""
        return f"This does not hold yet: {self.check}. {self.message}".strip() if self.check else self.message

    def as_json(self) -> dict[str, Any]:
        """The key `diagnosis` of a cell in `explain --json`."""
        return {**vars(self), "chaffs": list(self.chaffs)}


def diagnose(known: Known, grade: Grade, asked: Mapping[str, Asked] | None) -> dict[str, Diagnosis]:
    """Diagnose each task that has an answer and lost points, by the grade_id of its answer cell. A test cell that `known` has in
    no task counts as a task of its own."""
    tests = dict(known.tests)
    in_tasks = {name for names in tests.values() for name in names}
    tests |= {name: (name,) for name, cell in grade.cells.items() if name not in in_tasks and cell.checks}
    return {
        task: diagnosis
        for task, names in tests.items()
        if (
            diagnosis := _diagnose_task(
                task, {n: grade.cells[n] for n in names if n in grade.cells}, asked or {}, known
            )
        )
    }


def _diagnose_task(
    task: str, cells: Mapping[str, CellGrade], asked: Mapping[str, Asked], known: Known
) -> Diagnosis | None:
    broken = [name for name, cell in cells.items() if cell.score is not None and not cell.whole]
    written = [name for name in broken if not is_unwritten(cells[name])]
    if not written:
        return None
    name, check = _choose_check(written, cells, asked)
    diagnosis = Diagnosis(task, name, check.name if check else "", check.message if check else cells[name].error)
    answers = {name: list_answers(asked[name]) for name in cells if name in asked}
    mistakes = [each for each in known.mistakes if each.problem == task and _fits(each, cells, answers)]
    if len({mistake.hint for mistake in mistakes}) != 1:
        return diagnosis
    misconceptions = {mistake.misconception for mistake in mistakes}
    misconception = misconceptions.pop() if len(misconceptions) == 1 else ""
    labels = tuple(mistake.label for mistake in mistakes)
    return replace(diagnosis, chaffs=labels, misconception=misconception, hint=mistakes[0].hint)


def is_unwritten(cell: CellGrade) -> bool:
    """Return whether a test cell says that there is no answer yet."""
    failed = [check for check in cell.checks if not check.passed]
    return (bool(failed) and failed[0].message == UNWRITTEN) or cell.error.startswith("NotImplementedError")


def _choose_check(
    names: list[str], cells: Mapping[str, CellGrade], asked: Mapping[str, Asked]
) -> tuple[str, Check | None]:
    """Choose the failed check that tells a student most, and its test cell.

    A cell's first check, on the form of an answer, comes before all others, because what breaks it breaks later ones too. Then
    comes a law with its smallest counterexample, then the first failed check: checks go from the simple to the subtle.
    """
    failed = [
        (name, check, example, check is cells[name].checks[0])
        for name in names
        for check, example in zip(cells[name].checks, _list_examples(cells[name], asked.get(name)), strict=True)
        if not check.passed
    ]
    first = [(name, check) for name, check, _, is_first in failed if is_first]
    laws = [(name, check) for name, check, example, _ in failed if example]
    others = [(name, check) for name, check, _, _ in failed]
    return next(iter([*first, *laws, *others]), (names[0], None))


def _list_examples(cell: CellGrade, asked: Asked | None) -> Iterator[str]:
    """Yield, for each check, the arguments of the smallest counterexample, or ""."""
    spans = asked.spans if asked else ()
    for number, check in enumerate(cell.checks):
        yield spans[number].example if number < len(spans) and spans[number].check == check.name else ""


def _fits(mistake: Mistake, cells: Mapping[str, CellGrade], answers: Mapping[str, Answers]) -> bool:
    return set(mistake.answers) == set(cells) and all(
        name in answers
        and list_passed_checks(cell) == mistake.passed[name]
        and _have_same_answers(answers[name], mistake.answers[name])
        for name, cell in cells.items()
    )


def _have_same_answers(mine: Answers, theirs: Answers) -> bool:
    """Return whether all questions that both were asked have equal answers, and both were asked enough of the same ones."""
    one, other = group_by_question(mine), group_by_question(theirs)
    pairs = [pair for key in one.keys() & other.keys() for pair in zip(one[key], other[key], strict=False)]
    return len(pairs) >= MIN_COMMON * max(len(mine), len(theirs)) and all(agree(*pair) for pair in pairs)
