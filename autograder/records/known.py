"""Known answers: what the solution and each chaff answered to the test cells of its task, when `autograder build` graded them.

They lie in assignments/NAME/reference/SETTING/answers.known, with a hash of what they were made of. Answers of other code,
tests, chaffs, model, data or torch are stale, and count as none: they give hints, and never cost or earn a mark.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from autograder.course import Assignment, Variant
from autograder.course import notebook as nb
from autograder.files import write_whole
from autograder.records.answers import answer, question
from autograder.records.deciding import Deciding, reference_folder
from autograder.records.grade import CellGrade, Grade
from autograder.records.transcript import Asked, Transcript

FILE = "answers.known"
FORM = "questions by rounded numbers"  # what names a question; answers under other names would never be found
Answers = list[tuple[bytes, bytes]]  # to each question, by its name: the part of the reply that counts


@dataclass(frozen=True)
class Mistake:
    """A chaff's answers, and the checks that it passes, by test cell."""

    label: str
    problem: str
    misconception: str
    hint: str
    answers: dict[str, Answers]
    passed: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Known:
    """An assignment's known answers. `tests` are the test cells of each answer cell."""

    tests: dict[str, tuple[str, ...]] = field(default_factory=dict)
    solution: dict[str, Answers] = field(default_factory=dict)
    mistakes: tuple[Mistake, ...] = ()
    basis: str = ""


def passed(cell: CellGrade) -> tuple[str, ...]:
    """The names of the checks that a cell passes."""
    return tuple(check.name for check in cell.checks if check.passed)


def answers(asked: Asked) -> Answers:
    return [(question(exchange), answer(exchange)) for exchange in asked.exchanges]


Graded = Mapping[
    str, tuple[str, Grade, Transcript]
]  # by label: the answer cell that is wrong, the grade, the transcript


def write(assignment: Assignment, source: nb.Notebook, tests: Mapping[str, frozenset[str]], graded: Graded) -> None:
    """Keep what the solution and the chaffs answered, in place of what was kept before."""
    known = collect(assignment.variants, tests, graded, Deciding(assignment).known(source, FORM))
    write_whole(_path(assignment), zlib.compress(msgspec.msgpack.encode(known), 9))


def collect(variants: Sequence[Variant], tests: Mapping[str, frozenset[str]], graded: Graded, basis: str = "") -> Known:
    """What the solution and those chaffs among `variants` that were graded answered to the `tests` of their answer cell."""
    mistakes = []
    for variant in variants:
        if variant.kind == "chaff" and variant.label in graded:
            problem, grade, transcript = graded[variant.label]
            own = sorted(tests[problem] & transcript.cells.keys())
            given = {name: answers(transcript.cells[name]) for name in own}
            right = {name: passed(grade.cells[name]) for name in own}
            mistakes.append(Mistake(variant.label, problem, variant.misconception, variant.hint, given, right))
    cells = graded["solution"][2].cells if "solution" in graded else {}
    return Known(
        {problem: tuple(sorted(names)) for problem, names in sorted(tests.items()) if names},
        {name: answers(asked) for name, asked in cells.items()},
        tuple(mistakes),
        basis,
    )


def read(assignment: Assignment, source: nb.Notebook) -> Known:
    """The known answers of today's assignment; an empty `Known` where there are none, or only stale ones."""
    try:
        known = msgspec.msgpack.decode(zlib.decompress(_path(assignment).read_bytes()), type=Known)
    except (OSError, zlib.error, msgspec.MsgspecError):
        return Known()
    return known if known.basis == Deciding(assignment).known(source, FORM) else Known()


def unproven(assignment: Assignment) -> str:
    """One line where today's tests were not tried on the chaffs; "" where they were, or there are none."""
    chaffs = any(variant.kind == "chaff" for variant in assignment.variants)
    if not chaffs or read(assignment, nb.read(assignment.source_path)).basis:
        return ""
    return f"{assignment.name} has changed since it was built; `autograder build {assignment.name}` first"


def by_question(given: Sequence[tuple[bytes, bytes]]) -> dict[bytes, list[bytes]]:
    """The answers to each question; one that was asked again has several."""
    found: dict[bytes, list[bytes]] = defaultdict(list)
    for name, reply in given:
        found[name].append(reply)
    return found


def _path(assignment: Assignment) -> Path:
    return reference_folder(assignment) / FILE
