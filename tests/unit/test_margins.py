"""Tolerances: comparisons of a test cell are measured, and a tolerance needs room around right answers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.checks import assert_close, is_close
from autograder.checks.comparisons import Place, record_comparison, recording
from autograder.judge import test_cell
from autograder.judge.test_cell import Verdict
from autograder.proof.margins import ROOM, Comparisons, Margin, measure_margins

ENTRIES = st.one_of(st.floats(-1e3, 1e3), st.sampled_from([np.nan, np.inf, -np.inf, 0.0, 1e-7]))
PAIRS = hnp.array_shapes(max_dims=2, max_side=3).flatmap(
    lambda shape: st.tuples(*[hnp.arrays(np.float64, shape, elements=ENTRIES)] * 2)
)
CELL = """from autograder.checks import assert_close, is_close
check = Checks(points=2)
def near(value):
    assert_close(value, 1.0, "it", rtol=0, atol=0.1)
with check("direct", 1):
    assert_close(answer, 1.0, "it", rtol=0, atol=0.2)
with check("through a function", 1):
    near(answer)
    assert not is_close(answer, 5.0, rtol=0, atol=0.5)
check.finish()"""


@given(PAIRS, st.sampled_from([(0.0, 0.0), (1e-5, 1e-6), (0.1, 0.0), (0.0, 0.5)]))
def test_a_share_is_at_most_1_where_numpy_says_close_and_above_it_elsewhere(
    pair: tuple[np.ndarray, np.ndarray], tolerance: tuple[float, float]
) -> None:
    got, expected = pair
    rtol, atol = tolerance
    with recording() as shares:
        record_comparison(got, expected, rtol, atol)
    (share,) = shares.values()
    assert (share <= 1 + 1e-9) >= bool(np.isclose(got, expected, rtol=rtol, atol=atol).all())
    assert (share > 1 - 1e-9) >= (not np.isclose(got, expected, rtol=rtol, atol=atol).all())


def test_nothing_is_recorded_unless_it_is_wanted() -> None:
    with recording(enabled=False) as shares:
        assert_close([1.0], [1.0])
    assert shares == {}
    with recording() as shares:
        assert is_close([1.0], [1.0])
    assert list(shares.values()) == [0.0]


def measured(answer: float) -> tuple[Verdict, dict[Place, float]]:
    with recording() as shares:
        verdict = test_cell.run(CELL, 2, {}, lambda _: answer)
    return verdict, shares


def margins_of(*answers: tuple[str, float, bool]) -> list[Margin]:
    """The margins of CELL with these answers: name, answer, whether it is right."""
    submissions = []
    for name, answer, is_right in answers:
        verdict, shares = measured(answer)
        whole = frozenset({"cell"}) if verdict.score == 2 else frozenset()
        submissions.append(Comparisons(name, is_right, {"cell": shares}, whole))
    return measure_margins(submissions, {"cell": CELL})


def test_each_place_has_the_largest_right_deviation_and_the_smallest_wrong_one() -> None:
    direct, through = margins_of(
        ("solution", 1.0, True), ("wheat", 1.01, True), ("chaff-far", 3.0, False), ("chaff-near", 1.5, False)
    )
    assert (direct.check, through.check) == ("direct", "through a function")
    assert through.code == 'assert_close(value, 1.0, "it", rtol=0, atol=0.1)'
    assert [direct.right, direct.wrong] == pytest.approx([0.05, 2.5])
    assert (direct.right_by, direct.wrong_by) == ("wheat", "chaff-near")
    assert [through.right, through.wrong] == pytest.approx([0.1, 5])
    assert [direct.fault, through.fault] == ["", ""]


def test_a_question_whose_answer_is_no_has_no_margin() -> None:
    """`assert not is_close(...)`: a right answer deviates by more than the tolerance there, and should."""
    assert [margin.place.atol for margin in margins_of(("solution", 1.0, True))] == [0.2, 0.1]


def test_a_mistake_that_stays_within_the_tolerance_is_not_caught_there() -> None:
    direct, through = margins_of(("solution", 1.0, True), ("chaff", 1.15, False))
    assert direct.wrong is None
    assert through.wrong == pytest.approx(1.5)
    assert through.wrong_by == "chaff"


def test_a_tolerance_that_right_answers_nearly_fill_is_a_fault() -> None:
    _, through = margins_of(("solution", 1.0, True), ("wheat", 1.0 + 0.1 / ROOM * 1.01, True), ("chaff", 3.0, False))
    assert "right answers (wheat) need 0.2 of the tolerance (atol 0.1)" in through.fault
    assert f"on another machine rounding may be {ROOM} times as large" in through.fault
    assert not margins_of(("wheat", 1.0 + 0.1 / ROOM * 0.99, True))[1].fault


def test_an_overlap_of_right_and_wrong_answers_is_a_fault() -> None:
    _, through = margins_of(("solution", 1.0, True), ("wheat", 1.05, True), ("chaff", 1.15, False))
    assert through.fault.endswith("and a mistake (chaff) 1.5 of it: no tolerance separates them")


def test_a_right_answer_beyond_the_tolerance_is_an_overlap_too() -> None:
    assert any(
        "no tolerance separates them" in margin.fault
        for margin in margins_of(("wheat", 1.3, True), ("chaff", 1.25, False))
    )


@pytest.mark.parametrize(
    ("code", "rtol", "atol", "share"),
    [
        ("abs(answer - 1) < 0.01", 0, 0.01, 0.5),
        ("abs(answer - 1) <= 1e-2 * (1 + abs(answer))", 1e-2, 0, 0.005 / 0.02005),
        ("abs(answer - 1) < (1 + abs(answer)) * 1e-2 + 1e-5", 1e-2, 1e-5, 0.005 / 0.02006),
        ("np.abs(np.array([answer, 1.0]) - 1).max() < 0.01", 0, 0.01, 0.5),
        ("(np.abs(np.array([answer, 1.0]) - 1) < 0.01).all()", 0, 0.01, 0.5),
        ("min(abs(answer - n) for n in (1, 2)) < 0.01", 0, 0.01, 0.5),
        ("np.allclose([answer, 2], [1, 2], rtol=0, atol=0.01)", 0, 0.01, 0.5),
        ("np.allclose(answer, 1, 0.01, 0)", 0.01, 0, 0.5),
        ("np.isclose([answer, 2], 1, atol=0.01)[0]", 1e-5, 0.01, 1 / 0.01001),
        ("np.allclose(answer, answer)", 1e-5, 1e-8, 0),
        ("math.isclose(answer, 1, rel_tol=0.01)", 0.01, 0, 0.5),
    ],
)
def test_a_comparison_that_is_written_out_is_measured(code: str, rtol: float, atol: float, share: float) -> None:
    with recording() as shares:
        verdict = test_cell.run(f"x = 1\nassert {code}", 2, {"np": np, "math": math}, lambda _: 1.005)
    assert (verdict.score, verdict.error) == (2, "")
    ((place, measured_share),) = shares.items()
    assert place == Place(2, 2, rtol, atol)
    assert measured_share == pytest.approx(share)


@pytest.mark.parametrize(
    "code",
    [
        "answer < 0.01",  # a p-value
        "abs(answer) < 1 + 1e-4",
        "abs(answer) < 3",
        "abs(answer) > 1e-6",
        "0 < abs(answer - 1) < 0.01",
        "abs(answer - 1) < len('abc')",
        "answer.isclose == 1",
    ],
)
def test_a_comparison_without_a_tolerance_is_not_measured(code: str) -> None:
    with recording() as shares:
        test_cell.run(f"assert {code}", 2, {"np": np}, lambda _: 1.005)
    assert shares == {}


@given(st.floats(-2, 2), st.sampled_from(["abs(answer - 1) < 0.05", "abs(answer - 1) <= 5e-2 * (1 + abs(answer))"]))
def test_a_cell_scores_the_same_when_it_is_measured_and_its_share_agrees(answer: float, code: str) -> None:
    alone = test_cell.run(f"assert {code}, 'no'", 2, {}, lambda _: answer)
    with recording() as shares:
        assert test_cell.run(f"assert {code}, 'no'", 2, {}, lambda _: answer) == alone
    (share,) = shares.values()
    assert (share <= 1 + 1e-9) >= (alone.score == 2)
    assert (share > 1 - 1e-9) >= (alone.score == 0)


@pytest.mark.parametrize(
    "code", ["abs(1 - answer) < 0.01", "np.allclose(answer, 1)", "np.allclose(answer)", "abs(10**400) < 0.01"]
)
def test_values_that_cannot_be_compared_raise_as_they_would_unmeasured(code: str) -> None:
    alone = test_cell.run(f"assert {code}", 2, {"np": np}, lambda _: "text")
    assert alone.error
    with recording():
        assert test_cell.run(f"assert {code}", 2, {"np": np}, lambda _: "text") == alone
