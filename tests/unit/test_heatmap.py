"""Two matrices as tables: which are shown, and that every number can be read."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.pages.heatmap import Pair, luminance, pair
from autograder.records.grade import CellGrade, Check
from autograder.records.transcript import Asked, Exchange, Span, digest
from autograder.sandbox import wire

RIGHT = [[1.0, 0.5], [0.25, 1.0]]


def asked(value: object, passed: bool = False) -> tuple[CellGrade, Asked]:
    """A cell with one check that asked one question, and what came back."""
    reply = wire.pack(["ok", wire.encode(value), None, None])
    return CellGrade(1.0, float(passed), (Check("entries", 1.0, passed),)), Asked(
        (Exchange(b"question", reply, 1),), (Span("entries", 0, 1),)
    )


def compared(value: object, right: object = RIGHT, passed: bool = False) -> Pair | None:
    solution = {"task": [(digest(b"question"), wire.pack(["ok", wire.encode(right), None, None]))]}
    return pair(*asked(value, passed), solution, "task")


def test_a_wrong_matrix_is_shown_beside_the_right_one_and_what_differs_is_marked() -> None:
    found = compared(np.array([[1.0, 0.5], [9.0, 1.0]]))
    assert found
    assert [[square.off for square in row] for row in found.mine] == [[False, False], [True, False]]
    assert [[square.text for square in row] for row in found.right] == [["1", "0.5"], ["0.25", "1"]]


@pytest.mark.parametrize(
    "value",
    [RIGHT, [[1.0, 0.5], [0.25, 1.0 + 1e-9]], [1.0, 2.0], "text", [["a", "b"]], None, [[1j, 0], [0, 1]], np.zeros((2, 9))],
)  # fmt: skip
def test_what_is_right_or_no_small_matrix_is_not_shown(value: object) -> None:
    assert compared(value) is None


def test_of_a_check_that_passed_nothing_is_shown() -> None:
    assert compared([[9.0, 9.0], [9.0, 9.0]], passed=True) is None


def test_a_matrix_of_another_shape_is_shown_without_marks() -> None:
    found = compared(np.zeros((3, 2)))
    assert found
    assert not [square for row in found.mine for square in row if square.off]


@given(st.lists(st.floats(width=32) | st.integers(-5, 5), min_size=4, max_size=4))
def test_every_number_can_be_read_on_its_color(values: list[float]) -> None:
    """Infinities and nan too; 4.5 is WCAG's contrast for text."""
    found = compared(np.array(values, dtype=float).reshape(2, 2), [[5e9, -5e9], [0.0, 1.0]])
    assert found
    for square in (square for rows in (found.mine, found.right) for row in rows for square in row):
        colors = re.fullmatch(r"background:#(\w{6});color:#(\w{3})", square.style)
        assert colors
        paper, ink = colors.groups()
        on = luminance(tuple(bytes.fromhex(paper)))
        assert (1.05 / (on + 0.05) if ink == "fff" else (on + 0.05) / 0.05) >= 4.5
