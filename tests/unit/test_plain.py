"""Every reader of replies keeps the wire's limits: no answer stops a page, takes gigabytes or takes minutes."""

from __future__ import annotations

import resource
import time
from fractions import Fraction
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given

from autograder.pages.explain.questions import Phrasebook, different
from autograder.pages.feedback.heatmap import compare_matrices
from autograder.records.answers import agree, extract_answer, format_value
from autograder.records.grade import CellGrade, Check
from autograder.records.known import group_by_question
from autograder.records.plain import to_plain
from autograder.records.transcript import Asked, Exchange, Span, digest
from autograder.sandbox import wire
from tests.unit.test_kinds import MALFORMED
from tests.unit.test_wire import PLAIN, TREES, swapped

QUESTION = wire.pack(["call", 1, ["list", [1.0]], ["dict", []], False])
RIGHT = wire.pack(["ok", wire.encode(np.eye(2)), None, None])
HUGE = [[1e308, -1e308], [float("nan"), 5e-324]]
HOSTILE: dict[str, Any] = {
    "infinite shape": ["ndarray", "float64", [float("inf")], b""],
    "shape of text": ["tensor", "float64", ["x"], b""],
    "negative shape": ["ndarray", "float64", [-1, 3], b""],
    "shape that is none": ["tensor", "float64", None, b""],
    "many dimensions": ["ndarray", "float64", [1] * 100_000, b""],
    "long name of a type": ["ndarray", "x" * 1_000_000, [1], b""],
    "one long text among 100,000": ["list", ["x" * 60_000, *["y"] * 100_000]],
    "100,000 long texts": ["list", ["x" * 600] * 100_000],
    "tuples of one hash": ["dict", [[wire.encode(key), 1] for key in swapped(30_000)]],
    "integers of one hash": ["dict", [[["int", str(n * (2**61 - 1))], 1] for n in range(10, 30_000)]],
    "set of tuples of one hash": ["set", [wire.encode(key) for key in swapped(30_000)]],
    "keys of keys": ["dict", [[["dict", [[wire.encode(key), 1] for key in swapped(300)]], 1]]],
    "huge numbers": ["list", [["list", row] for row in HUGE]],
    "huge array": wire.encode(np.array(HUGE)),
    "rows of different lengths": ["list", [["list", [1]], ["list", [1, 2]]]],
    "integer of 4,300 digits": ["int", "9" * 4_300],
    "huge fraction": ["Fraction", ["int", "9" * 4_000], 7],
    "many ranges": ["list", [["range", 0, 10_000, 1]] * 1_000],
    "texts in an array": wire.encode(np.array(["a" * 1_000] * 1_000)),
    "nested": wire.encode(eval("[" * 30 + "]" * 30)),  # noqa: S307  (text of this file)
    "deeper": msgspec.msgpack.decode(b"\x92\xa4list\x91" * 60 + b"\xc0"),
    "half a pair": ["ndarray", "<U1", [1], b"\x00\xd8\x00\x00"],
    "no reference": ["function", [], []],
    **{f"malformed {number}": tree for number, tree in enumerate(MALFORMED)},
}


def read_everywhere(reply: bytes) -> None:
    """Do with a reply what feedback, report and explain do."""
    exchange = Exchange(QUESTION, reply, 1)
    asked = Asked((exchange, exchange), (Span("entries", 0, 2),))
    cell = CellGrade(1.0, 0.0, (Check("entries", 1.0, False),))
    assert isinstance(agree(reply, RIGHT) or agree(RIGHT, reply), bool)
    assert isinstance(agree(reply, reply[:-1] + b"\x01"), bool)
    compare_matrices(cell, asked, {"task": [(digest(QUESTION), RIGHT)]}, "task")
    solution = group_by_question([(digest(QUESTION), RIGHT)])
    (question,) = Phrasebook(asked, solution, 64).questions(different(asked.exchanges))
    assert len(question.answered) < 10_000


@pytest.mark.parametrize("tree", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_reply_costs_little(tree: Any) -> None:
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    read_everywhere(msgspec.msgpack.encode(["ok", tree, None, None]))
    assert time.process_time() - started < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 600_000  # kilobytes


@given(TREES)
def test_any_tree_is_read_or_is_a_wire_error(tree: Any) -> None:
    try:
        wire.unpack(msgspec.msgpack.encode(["ok", tree, tree, None]))
    except wire.WireError:
        return  # it never gets into a transcript
    read_everywhere(msgspec.msgpack.encode(["ok", tree, tree, None]))


@given(PLAIN)
def test_whatever_crosses_can_be_shown_and_agrees_with_itself(value: Any) -> None:
    tree = wire.encode(value)
    assert format_value(to_plain(tree))
    one, other = (wire.pack(["ok", tree, None, number]) for number in (1, 2))
    assert agree(one, other)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ((1, 2), [1, 2], True),
        (range(3), [0, 1, 2], True),
        (Fraction(1, 2), 0.5, True),
        (np.longdouble(0.5), 0.5, True),
        ({"a": 1}.items(), {"a": 1}, True),
        (np.array(["a"]), ["a"], True),
        (np.array([1.0]), ["1"], False),
        (Fraction(1, 3), 0.5, False),
        (np.array(["a"]), ["b"], False),
    ],
)
def test_answers_agree_by_their_values_whatever_their_types(one: Any, other: Any, equal: bool) -> None:
    """A known mistake is recognised although a student answers with another type of sequence or number."""
    replies = [wire.pack(["ok", wire.encode(value), None, None]) for value in (one, other)]
    assert agree(*map(extract_answer, (Exchange(QUESTION, reply, 1) for reply in replies))) is equal
