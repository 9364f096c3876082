"""Named checks, comparisons and features: what test cells import, and the `Checks` that notebooks carry a copy of."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.checks import Checks, as_array, assert_close, features, is_close

NUMBERS = hnp.arrays(np.float64, hnp.array_shapes(max_dims=3, max_side=4), elements=st.floats(-1e6, 1e6))


def run_checks(points: float, *outcomes: tuple[float, Exception | None]) -> Checks:
    """Run one check for each outcome: its points, and the exception it raises or None."""
    check = Checks(points)
    for worth, error in outcomes:
        with check("named", worth):
            if error:
                raise error
    return check


def test_the_score_is_the_sum_of_the_passed_checks() -> None:
    assert run_checks(3, (0.5, None), (1.5, ValueError()), (1, None)).score == 1.5


def test_a_failed_check_does_not_stop_the_next() -> None:
    check = run_checks(2, (1, AssertionError("first")), (1, AssertionError("second")))
    assert [result["message"] for result in check.results] == ["first", "second"]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (NotImplementedError("anything"), "Not written yet."),
        (AssertionError("Add them."), "Add them."),
        (AssertionError(), "This does not hold yet."),
        (KeyError("k"), "KeyError: 'k'"),
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero"),
    ],
)
def test_a_failed_check_says_why(error: Exception, message: str) -> None:
    (result,) = run_checks(1, (1, error)).results
    assert (result["passed"], result["message"]) == (False, message)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_a_check_does_not_swallow_an_interrupt(error: type[BaseException]) -> None:
    with pytest.raises(error), Checks(1)("named", 1):
        raise error


@pytest.mark.parametrize("worth", [0.5, 2])
def test_checks_that_do_not_add_up_to_the_task_are_an_error(worth: float) -> None:
    with pytest.raises(ValueError, match="the task 1"):
        _ = run_checks(1, (worth, None)).score


@given(st.lists(st.booleans(), min_size=1, max_size=30))
def test_a_score_has_no_rounding_left_over(passed: list[bool]) -> None:
    """Thirds and tenths add up exactly: nbgrader refuses 3.0000000000000004 of 3."""
    worth = 3 / len(passed)
    check = run_checks(3, *[(worth, None if fine else ValueError()) for fine in passed])
    assert 0 <= check.score <= 3
    assert not all(passed) or check.score == 3


FAILED = ValueError("no")


@pytest.mark.parametrize(
    ("points", "outcomes", "score", "text"),
    [
        (2, [None, FAILED], 1, "1 of 2 checks passed.\n- named: ValueError: no"),
        (2, [None, None], 2, "All 2 checks passed."),
        (1, [None], 1, "The check passed."),
        (1, [FAILED], 0, "The check failed.\n- named: ValueError: no"),
        (3, [None, None], None, "2 visible checks passed; more run after you hand in."),
        (3, [None], None, "The visible check passed; more run after you hand in."),
        (3, [], None, "All checks of this task run after you hand in."),
    ],
)
def test_a_finished_cell_says_what_passed_and_has_a_score_if_no_check_is_missing(
    points: float,
    outcomes: list[Exception | None],
    score: float | None,
    text: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Stock nbgrader reads the score of a cell with all checks; in the student's version the hidden ones are missing."""
    assert run_checks(points, *((1, outcome) for outcome in outcomes)).finish() == score
    assert capsys.readouterr().out == f"{text}\n"


@pytest.mark.parametrize(
    ("outcomes", "text"),
    [
        ([None, FAILED], "1 of 2 visible checks passed.\n- named: ValueError: no"),
        ([FAILED], "The visible check failed.\n- named: ValueError: no"),
        ([NotImplementedError()], "The visible check failed.\n- named: Not written yet."),
    ],
)
def test_a_failed_check_in_the_students_version_raises(
    outcomes: list[Exception | None], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """nbgrader's Validate takes a cell that raises for a failure, and shows the traceback, which here is this text alone."""
    with pytest.raises(Checks.FailedChecksError) as caught:
        run_checks(3, *((1, outcome) for outcome in outcomes)).finish()
    assert "\n".join(caught.value._render_traceback_()) == text
    assert not capsys.readouterr().out


def test_a_failed_check_worth_nothing_raises_in_a_task_worth_nothing() -> None:
    """nbgrader sees no other difference between 0 of 0 points and 0 of 0 points."""
    with pytest.raises(Checks.FailedChecksError):
        run_checks(0, (0, None), (0, FAILED)).finish()
    assert run_checks(0, (0, None)).finish() == 0


def test_more_points_than_the_task_has_are_an_error() -> None:
    with pytest.raises(ValueError, match="together, the task 1"):
        run_checks(1, (2, None)).finish()


@given(NUMBERS)
def test_an_array_is_close_to_itself_in_every_form(array: Any) -> None:
    for form in (array, array.tolist(), torch.from_numpy(array), torch.from_numpy(array).requires_grad_(True)):
        assert is_close(form, array)


@given(NUMBERS, st.data())
def test_one_wrong_entry_is_named(array: Any, data: st.DataObject) -> None:
    assume(array.size)
    index = tuple(data.draw(st.integers(0, n - 1)) for n in array.shape)
    wrong = array.copy()
    wrong[index] += 1 + abs(wrong[index])
    with pytest.raises(AssertionError) as caught:
        assert_close(wrong, array, "the loss")
    assert f"entry {[int(i) for i in index]} of the loss" in str(caught.value)


@pytest.mark.parametrize(
    ("got", "message"),
    [
        (None, "the result is None: is a `return` missing?"),
        ([1.0, 2.0, 3.0], r"has shape \(3,\), not \(2,\)"),
        (["a", "b"], "not numbers"),
        ([1.0, math.nan], r"entry \[1\] of the result is nan"),
        ([math.inf, 2.0], r"entry \[0\] of the result is inf"),
        ([1.0, 2.001], r"entry \[1\] of the result is 2\.001"),
    ],
)
def test_the_message_does_not_reveal_the_expected_value(got: Any, message: str) -> None:
    with pytest.raises(AssertionError, match=message) as caught:
        assert_close(got, [1.0, 7.125 - 5.125])
    assert "2.0]" not in str(caught.value)


@given(st.floats(1e-3, 1e3), st.floats(-0.9, 0.9))
def test_the_tolerance_is_a_hundred_thousandth(value: float, part: float) -> None:
    assert is_close(value * (1 + part * 1e-5), value)
    assert not is_close(value * (1 + 3e-5) + 3e-6, value)


def test_float32_is_close_enough() -> None:
    exact = features(3, 5, 4)
    assert_close(exact.float(), exact)


def test_features_are_reproducible_signed_and_of_lengths_over_a_decade() -> None:
    """So that a missing normalisation or a forgotten sign shows."""
    drawn = features(1, 8, 4)
    lengths = drawn.norm(dim=1)
    assert torch.equal(drawn, features(1, 8, 4))
    assert not torch.equal(drawn, features(2, 8, 4))
    assert drawn.dtype == torch.float64
    assert (drawn < 0).any()
    assert (drawn > 0).any()
    assert lengths.max() / lengths.min() > 10
    assert features(1, 1, 4).norm() == pytest.approx(7)


def test_a_tensor_with_a_graph_is_read_as_an_array() -> None:
    assert as_array(torch.ones(2, requires_grad=True) * 2).tolist() == [2, 2]
