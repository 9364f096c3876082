"""`autograder explain`: why one submission has the points that it has, from its record and its transcript. Nothing is run.

For a TA's eyes: it shows what hidden tests asked, and what the solution answered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from autograder.course import Assignment
from autograder.course import notebook as nb
from autograder.errors import CourseError
from autograder.gradebook.book import read_marks
from autograder.records.answers import SHOWN_NUMBERS, Stays, alike, answer, plain, question, shown
from autograder.records.archive import Archive
from autograder.records.diagnose import UNWRITTEN, Diagnosis, unwritten
from autograder.records.grade import CellGrade, Check, Grade, Mark, points_of
from autograder.records.known import Known, by_question
from autograder.records.store import graded_students
from autograder.records.transcript import Asked, Exchange, Span
from autograder.sandbox import wire
from autograder.words import counted, printable

LAST_QUESTIONS = 8  # of a check: the one that it broke at, and what led there
WHOLE = 10_000  # numbers of an array in `--json`; what is larger is a picture, or a model's weights


@dataclass(frozen=True)
class Question:
    """One question in words: what was asked, what came back, what the solution answered ("" where it was not asked this),
    whether the two agree, and how many times the same was asked and answered."""

    asked: str
    answered: str
    expected: str = ""
    agrees: bool = True
    times: int = 1


@dataclass(frozen=True)
class CheckStory:
    """One check, with the last of its different questions; `left_out` counts those before. A broken one broke after the last.
    `example` is what hypothesis drew for the smallest counterexample to a law; then the questions are those of that draw."""

    check: Check
    questions: tuple[Question, ...] = ()
    left_out: int = 0
    example: str = ""


@dataclass(frozen=True)
class CellStory:
    """One test cell."""

    name: str
    cell: CellGrade
    checks: tuple[CheckStory, ...]
    diagnosis: Diagnosis | None = None
    manual: Mark | None = None

    def lines(self) -> Iterator[str]:
        """The story in lines: of a check that passed its name alone."""
        yield f"{self.name}: {self._score()}"
        if unwritten(self.cell) and all(check.message == UNWRITTEN for check in self.cell.checks):
            yield "  not written yet"
            return
        for story in self.checks:
            yield f"  {'passed ' if story.check.passed else 'BROKEN '} {story.check.name} ({story.check.points:g})"
            if not story.check.passed:
                yield from _broken(story)
        for said in filter(None, (self.cell.error, self.cell.trouble)):
            yield f"  the test cell stopped: {said}"
        if self.diagnosis and self.diagnosis.hint:
            yield f"  answers as {', '.join(self.diagnosis.chaffs)} does ({self.diagnosis.misconception})"
            yield f"  hint: {self.diagnosis.hint}"
        elif self.diagnosis:
            yield "  no known mistake answers like this"

    def _score(self) -> str:
        """The points that stand, and the tests' where a person gave others."""
        points, tests = points_of(self.cell.score, self.manual), self.cell.score
        if points is None:
            return "waits for a person"
        said = f"{points:g} of {self.cell.max_score:g}"
        if self.manual and (self.manual.score is not None or self.manual.extra):
            said += " by a person" + ("" if tests is None else f" (tests: {tests:g})")
        return said + (
            ", to be looked at again: other files were handed in since" if self.manual and self.manual.stale else ""
        )


@dataclass(frozen=True)
class Story:
    """One submission. `notes` say what could not be told; `raised` what its cells ended in, of those that raised, by name."""

    grade: Grade
    cells: tuple[CellStory, ...]
    notes: tuple[str, ...] = ()
    raised: Mapping[str, str] = field(default_factory=dict)

    def lines(self) -> Iterator[str]:
        """The story in lines, to be printed."""
        yield from map(_indented, self._lines())

    def _lines(self) -> Iterator[str]:
        score = "not graded" if self.grade.total is None else f"{self.grade.total:g} of {self.grade.max_score:g}"
        yield f"{self.grade.student}, {self.grade.assignment}: {self.grade.status}, {score}"
        yield from (f"note: {note}" for note in (*self.grade.notes, *self.notes))
        yield from (f"raised in {name}: {error}" for name, error in self.raised.items())
        for cell in self.cells:
            yield ""
            yield from cell.lines()

    def as_json(self) -> dict[str, Any]:
        """What `explain --json` prints."""
        return {
            "student": self.grade.student,
            "assignment": self.grade.assignment,
            "status": self.grade.status,
            "score": self.grade.score,
            "max_score": self.grade.max_score,
            "total": self.grade.total,
            "notes": [*self.grade.notes, *self.notes],
            "raised": dict(self.raised),
            "cells": [
                {
                    "grade_id": story.name,
                    "score": story.cell.score,
                    "max_score": story.cell.max_score,
                    "by_person": story.manual and story.manual.score,
                    "error": story.cell.error,
                    "trouble": story.cell.trouble,
                    "checks": [asdict(check) for check in story.checks],
                    "diagnosis": story.diagnosis and story.diagnosis.as_json(),
                }
                for story in self.cells
            ],
        }


def explain(assignment: Assignment, student: str, grade_id: str = "", most: int = SHOWN_NUMBERS) -> Story:
    """The story of a submission, or of one of its test cells, with arrays of up to `most` numbers whole; CourseError where
    there is none."""
    graded_students(assignment, (student,))
    graded = Archive(assignment).open(student)
    grade, known = graded.grade, graded.known
    if grade_id and grade_id not in grade.cells:
        raise CourseError(f"no graded cell {grade_id!r}; there are: {', '.join(grade.cells)}")
    asked = graded.asked or {}
    marks = read_marks(assignment, student)
    cells = tuple(
        CellStory(
            name,
            cell,
            tuple(_checks(name, cell, asked.get(name, Asked()), known, most)),
            graded.diagnosed_cells.get(name),
            marks.cells.get(name),
        )
        for name, cell in grade.cells.items()
        if grade_id in ("", name)
    )
    no_transcript = "no transcript is kept of this submission; grade it with --again to make one"
    notes = [] if graded.asked is not None else [no_transcript]
    notes += (
        [] if known.basis else [f"no known answers of today's tests; `autograder build {assignment.name}` makes them"]
    )
    return Story(replace(grade, marks=marks), cells, tuple(notes), nb.raised(graded.notebook))


def _broken(story: CheckStory) -> Iterator[str]:
    yield f"    said:     {story.check.message}"
    if story.example:
        yield f"    drawn:    {story.example}"
    if story.left_out:
        of_what = " on other draws" if story.example else ""
        yield f"    ({counted(story.left_out, 'question')}{of_what} before these)"
    for number, told in enumerate(story.questions, start=1):
        again = f"    ({told.times} times)" if told.times > 1 else ""
        yield f"    asked:    {told.asked}{again}"
        yield f"    answered: {told.answered}"
        if not told.agrees:
            yield f"    solution: {told.expected}"
        if number == len(story.questions):
            yield "    and here the check broke"


def _indented(text: str) -> str:
    """A matrix's rows beneath each other; and whatever a student's text holds, its lines are none of ours."""
    return printable(text).replace("\n", "\n" + 14 * " ")


def _checks(name: str, cell: CellGrade, asked: Asked, known: Known, most: int) -> Iterator[CheckStory]:
    right = by_question(known.solution.get(name, []))
    spans = asked.spans if [span.check for span in asked.spans] == [check.name for check in cell.checks] else ()
    names = _names(asked)
    for number, check in enumerate(cell.checks):
        span = spans[number] if spans else Span(check.name, 0, 0)
        different = _different(asked.exchanges[span.first : span.last])
        last = _different(asked.exchanges[span.drawn : span.last]) if span.example else different
        questions = tuple(
            replace(_question(exchange, right, names, most), times=times) for exchange, times in last[-LAST_QUESTIONS:]
        )
        yield CheckStory(check, questions, len(different) - len(questions), span.example)


def _different(exchanges: Sequence[Exchange]) -> list[tuple[Exchange, int]]:
    """Each different question with its answer, in the order in which it was last asked, and how often it was."""
    last: dict[tuple[bytes, bytes], Exchange] = {}
    times: Counter[tuple[bytes, bytes]] = Counter()
    for exchange in exchanges:
        key = (exchange.name, answer(exchange))
        times[key] += 1
        last.pop(key, None)
        last[key] = exchange
    return [(exchange, times[key]) for key, exchange in last.items()]


def _names(asked: Asked) -> dict[int, str]:
    """What the references in calls are called: a name that was fetched."""
    names: dict[int, str] = {}
    for exchange in asked.exchanges:
        try:
            verb, *arguments = wire.unpack(exchange.request)
            if verb == "get" and exchange.reply:
                _, (_, number, *_rest) = wire.unpack(exchange.reply)
                names[number] = str(arguments[0])
        except (wire.WireError, ValueError, TypeError):
            continue  # it fetched data, or nothing
    return names


def _question(exchange: Exchange, right: dict[bytes, list[bytes]], names: dict[int, str], most: int) -> Question:
    expected = right.get(question(exchange), [b""])[0]
    agrees = not expected or alike(answer(exchange), expected)
    said = _said(expected, most) if expected else ""
    return Question(_asked(exchange.request, names, most), _answered(exchange, most), said, agrees)


def _asked(request: bytes, names: dict[int, str], most: int) -> str:
    """A request as a line of Python, near enough."""
    try:
        verb, *rest = wire.unpack(request)
        if verb == "call":
            arguments = [shown(value, most) for value in plain(rest[1])]
            arguments += [f"{key}={shown(value, most)}" for key, value in plain(rest[2]).items()]
            return f"{names.get(rest[0], 'a function')}({', '.join(arguments)})"
        if verb == "backward":
            return f"the gradients, from {shown(plain(rest[1]), most)}"
        return str(rest[0]) if verb == "get" else verb
    except (wire.WireError, ValueError, TypeError, IndexError, AttributeError):
        return "a question that cannot be shown"


def _answered(exchange: Exchange, most: int) -> str:
    if exchange.ended:
        return f"{exchange.ended[0]}: {exchange.ended[1]}"
    message = wire.unpack(exchange.reply)
    return f"{message[1]}: {message[2]}" if message[0] == "error" and len(message) > 2 else _said(exchange.reply, most)


def _said(reply: bytes, most: int) -> str:
    """The part of a reply that counts, in a line."""
    status, *values = wire.unpack(reply)
    if status == "missing":
        return "there is no such name"
    if status in ("error", "ended"):
        return f"{'raises' if status == 'error' else 'the process'} {values[0] if values else ''}".strip()
    try:
        value = plain(values[0])
        after = f"; its arguments afterwards: {shown(plain(values[1]), most)}" if len(values) > 1 and values[1] else ""
        return ("a function" if isinstance(value, Stays) and value.kind == "function" else shown(value, most)) + after
    except (wire.WireError, IndexError):
        return "what cannot be read"
