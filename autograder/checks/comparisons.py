"""Records how far each value that a test cell compares was from the expected one.

`autograder audit` and `build` record, to see whether each tolerance separates right answers from known mistakes. `assert_close`
and its relatives call `record_comparison` themselves. A comparison that a test cell writes out, such as `abs(a - b) < 1e-6` or
`np.allclose(a, b)`, is recorded by the code that `instrument` puts in its place.
"""

from __future__ import annotations

import ast
import contextlib
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

# The file name that a test cell's code is compiled with. It identifies the cell's own lines among a call's frames.
TEST_CELL = "<test cell>"


@dataclass(frozen=True)
class Place:
    """A comparison in a test cell: its line, the top-level line of the cell that led there, and its tolerances."""

    line: int
    outer: int
    rtol: float
    atol: float


# The largest deviation seen at each place, as a share of what the tolerance allows: above 1 it is too large.
Shares = dict[Place, float]

_shares: Shares | None = None


@contextlib.contextmanager
def recording(enabled: bool = True) -> Iterator[Shares]:
    """While this context is open, and if `enabled`, record the largest deviation at each place in the mapping it yields."""
    global _shares  # noqa: PLW0603  (test cells call comparisons without a context to pass)
    shares: Shares = {}
    _shares = shares if enabled else None
    try:
        yield shares
    finally:
        _shares = None


def is_recording() -> bool:
    """Whether comparisons are being recorded."""
    return _shares is not None


def record_comparison(got: npt.NDArray[Any], expected: npt.NDArray[Any], rtol: float, atol: float) -> None:
    """Record the comparison of two arrays of the same shape, if comparisons are being recorded."""
    if _shares is None or got.size == 0:
        return
    with np.errstate(all="ignore"):
        actual, target = got.astype(float), expected.astype(float)
        allowed = atol + rtol * np.abs(target)
        differences = np.where(actual == target, 0.0, np.abs(actual - target))
        _record(Place(*_locate(), rtol, atol), differences, allowed)


def _record(place: Place, differences: Any, allowed: Any) -> None:
    """Record the largest quotient of difference and allowed difference; one that is not a number counts as inf."""
    assert _shares is not None  # noqa: S101  (for mypy: only called while recording)
    with np.errstate(all="ignore"):
        shares = np.where(differences == 0, 0.0, differences / allowed)
    worst = float(np.nan_to_num(shares, nan=np.inf, posinf=np.inf).max())
    _shares[place] = max(_shares.get(place, 0.0), worst)


def _locate() -> tuple[int, int]:
    """Return the innermost and the outermost line of the running test cell; zeros outside of one."""
    frame, lines = sys._getframe(), []
    while frame:
        if frame.f_code.co_filename == TEST_CELL:
            lines.append(frame.f_lineno)
        frame = frame.f_back  # type: ignore[assignment]
    return (lines[0], lines[-1]) if lines else (0, 0)


# An expression with an `abs` in it that is compared with a number below this is a difference due to rounding. A p-value, which
# is compared with such a number too, has no `abs`.
LARGEST_TOLERANCE = 0.1
# The default tolerances of numpy and torch, and of Python's math module.
_DEFAULTS = {"rtol": 1e-5, "atol": 1e-8}
_MATH_DEFAULTS = {"rel_tol": 1e-9, "abs_tol": 0.0}


def instrument(tree: ast.Module) -> ast.Module:
    """Replace the comparisons that a cell writes out by calls of `RECORDERS`, which record them and return the same result."""
    _Instrumenter().visit(tree)
    return ast.fix_missing_locations(tree)


class _Instrumenter(ast.NodeTransformer):
    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        """`... abs(...) ... < 1e-6`, or a sum or product of such a number."""
        self.generic_visit(node)
        if len(node.ops) > 1 or not isinstance(node.ops[0], ast.Lt | ast.LtE) or not _has_abs(node.left):
            return node
        tolerances = _read_tolerances(node.comparators[0])
        if tolerances is None:
            return node
        or_equal = isinstance(node.ops[0], ast.LtE)
        arguments = [node.left, node.comparators[0], *map(ast.Constant, (or_equal, *tolerances))]
        return ast.copy_location(ast.Call(ast.Name("__below__", ast.Load()), arguments, []), node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """`np.allclose(...)` and its relatives."""
        self.generic_visit(node)
        if not isinstance(node.func, ast.Attribute) or node.func.attr not in ("allclose", "isclose"):
            return node
        call = ast.Call(ast.Name("__close__", ast.Load()), [node.func, *node.args], node.keywords)
        return ast.copy_location(call, node)


def _has_abs(node: ast.expr) -> bool:
    functions = (call.func for call in ast.walk(node) if isinstance(call, ast.Call))
    return any("abs" in (getattr(function, "id", ""), getattr(function, "attr", "")) for function in functions)


def _read_tolerances(node: ast.expr) -> tuple[float, float] | None:
    """Return the relative and absolute tolerance that an expression states; None if it is not a tolerance."""
    match node:
        case ast.Constant(float(value)) if 0 < value < LARGEST_TOLERANCE:
            return 0.0, value
        case ast.BinOp(left, ast.Mult(), right):
            factors = [factor for factor in (_read_tolerances(left), _read_tolerances(right)) if factor]
            return (max(factors[0]), 0.0) if factors else None
        case ast.BinOp(left, ast.Add(), right):
            one, other = _read_tolerances(left), _read_tolerances(right)
            return (max(one[0], other[0]), max(one[1], other[1])) if one and other else None
    return None


def _is_below(left: Any, right: Any, or_equal: bool, rtol: float, atol: float) -> Any:
    with contextlib.suppress(Exception):  # what cannot be measured is still compared
        _record(Place(*_locate(), rtol, atol), _as_floats(left), _as_floats(right))
    return left <= right if or_equal else left < right


def _is_close(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    with contextlib.suppress(Exception):
        defaults = _MATH_DEFAULTS if function is math.isclose else _DEFAULTS
        tolerances = {**defaults, **dict(zip(defaults, arguments[2:], strict=False)), **keywords}
        got, expected = np.broadcast_arrays(*map(_as_floats, arguments[:2]))
        record_comparison(got, expected, *(float(tolerances[name]) for name in defaults))
    return function(*arguments, **keywords)


def _as_floats(value: Any) -> npt.NDArray[Any]:
    return np.asarray(value.detach() if hasattr(value, "detach") else value, dtype=float)


# The functions that an instrumented cell calls, by the names it calls them by.
RECORDERS = {"__below__": _is_below, "__close__": _is_close}
