"""Known answers: what the solution and each chaff answered to the test cells of their tasks.

`autograder build` writes them to assignments/NAME/reference/SETTING/answers.known, with a hash of what they depend on. Answers
of other code, tests, chaffs, model, data or torch are stale and are ignored. They give hints, and never change a score.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from autograder.course import Assignment, Variant
from autograder.course import notebook as nb
from autograder.files import write_whole
from autograder.records.answers import extract_answer, name_question
from autograder.records.deciding import Deciding, reference_folder
from autograder.records.grade import CellGrade, Grade
from autograder.records.transcript import Asked, Transcript

FILE = "answers.known"
FORM = "questions by rounded numbers"  # how questions are named; answers under other names would never match
Answers = list[tuple[bytes, bytes]]  # the name of each question, and the part of the answer that is compared


@dataclass(frozen=True)
class Mistake:
    """A chaff's answers, and the checks that it passes, by test cell. `problem` is the answer cell that it gets wrong."""

    label: str
    problem: str
    misconception: str
    hint: str
    answers: dict[str, Answers]
    passed: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Known:
    """An assignment's known answers. `tests` are the test cells of each answer cell, and `basis` is a hash of what the answers
    depend on, "" where there are none."""

    tests: dict[str, tuple[str, ...]] = field(default_factory=dict)
    solution: dict[str, Answers] = field(default_factory=dict)
    mistakes: tuple[Mistake, ...] = ()
    basis: str = ""


@dataclass(frozen=True)
class GradedVariant:
    """The solution or a chaff after a build graded it. `cell` is the answer cell that the chaff gets wrong, "" for the
    solution."""

    cell: str
    grade: Grade
    transcript: Transcript


def write(
    assignment: Assignment,
    source: nb.Notebook,
    tests: Mapping[str, frozenset[str]],
    graded: Mapping[str, GradedVariant],
) -> None:
    """Replace the known answers by those of `graded`, the solution and the chaffs by label; `tests` are the test cells of
    each answer cell."""
    known = collect_answers(assignment.variants, tests, graded, Deciding(assignment).hash_known(source, FORM))
    write_whole(_path(assignment), zlib.compress(msgspec.msgpack.encode(known), 9))


def collect_answers(
    variants: Iterable[Variant],
    tests: Mapping[str, frozenset[str]],
    graded: Mapping[str, GradedVariant],
    basis: str = "",
) -> Known:
    """Collect what the solution and those chaffs among `variants` that were graded answered to the `tests` of their answer
    cell."""
    mistakes = []
    for variant in variants:
        if variant.kind == "chaff" and variant.label in graded:
            chaff = graded[variant.label]
            names = sorted(tests[chaff.cell] & chaff.transcript.cells.keys())
            answers = {name: list_answers(chaff.transcript.cells[name]) for name in names}
            passed = {name: list_passed_checks(chaff.grade.cells[name]) for name in names}
            mistakes.append(Mistake(variant.label, chaff.cell, variant.misconception, variant.hint, answers, passed))
    cells = graded["solution"].transcript.cells if "solution" in graded else {}
    return Known(
        {cell: tuple(sorted(names)) for cell, names in sorted(tests.items()) if names},
        {name: list_answers(asked) for name, asked in cells.items()},
        tuple(mistakes),
        basis,
    )


def read(assignment: Assignment, source: nb.Notebook) -> Known:
    """Read the known answers of today's assignment; an empty `Known` if there are none, or only stale ones."""
    try:
        known = msgspec.msgpack.decode(zlib.decompress(_path(assignment).read_bytes()), type=Known)
    except (OSError, zlib.error, msgspec.MsgspecError):
        return Known()
    return known if known.basis == Deciding(assignment).hash_known(source, FORM) else Known()


def find_missing_proof(assignment: Assignment) -> str:
    """Return one line if today's tests were not tried on the chaffs; "" if they were, or if there are no chaffs."""
    has_chaffs = any(variant.kind == "chaff" for variant in assignment.variants)
    if not has_chaffs or read(assignment, nb.read(assignment.source_path)).basis:
        return ""
    return f"{assignment.name} has changed since it was built; `autograder build {assignment.name}` first"


def list_passed_checks(cell: CellGrade) -> tuple[str, ...]:
    """List the names of the checks that a cell passes."""
    return tuple(check.name for check in cell.checks if check.passed)


def list_answers(asked: Asked) -> Answers:
    """List the questions of a test cell, by name, with their answers, in order."""
    return [(name_question(exchange), extract_answer(exchange)) for exchange in asked.exchanges]


def group_by_question(answers: Sequence[tuple[bytes, bytes]]) -> dict[bytes, list[bytes]]:
    """Group answers by question; a question that was asked again has several."""
    groups: dict[bytes, list[bytes]] = defaultdict(list)
    for question, answer in answers:
        groups[question].append(answer)
    return groups


def _path(assignment: Assignment) -> Path:
    return reference_folder(assignment) / FILE
