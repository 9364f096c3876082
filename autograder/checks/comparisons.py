"""What test cells compare, while somebody looks on: how far each value was from the one expected, beside the tolerance.

`autograder audit` looks on, and so does `build`, to see whether a tolerance stands clear of right answers and of known mistakes.
`assert_close` and its like tell of themselves; what a test cell writes out, `abs(a - b) < 1e-6` or `np.allclose(a, b)`, is told
of by the code that `watched` puts in its place.
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

# The file name that a test cell's code is compiled with: so its own lines are known among a call's frames.
TEST_CELL = "<test cell>"


@dataclass(frozen=True)
class Place:
    """A comparison in a test cell: its line, the line at the top level of the cell that led there, and its tolerances."""

    line: int
    outer: int
    rtol: float
    atol: float


# For each place the largest deviation that was seen, as a share of what the tolerance allows: above 1 it is too large.
Shares = dict[Place, float]

_shares: Shares | None = None


@contextlib.contextmanager
def recording(wanted: bool = True) -> Iterator[Shares]:
    """Inside, if it is wanted, `compared` keeps the largest deviation of each place in the mapping that this yields."""
    global _shares
    shares: Shares = {}
    _shares = shares if wanted else None
    try:
        yield shares
    finally:
        _shares = None


def compared(got: npt.NDArray[Any], expected: npt.NDArray[Any], rtol: float, atol: float) -> None:
    """Take note of a comparison of two arrays of one shape, if somebody looks on."""
    if _shares is None or got.size == 0:
        return
    with np.errstate(all="ignore"):
        mine, wanted = got.astype(float), expected.astype(float)
        allowed = atol + rtol * np.abs(wanted)
        _keep(Place(*_lines(), rtol, atol), np.where(mine == wanted, 0.0, np.abs(mine - wanted)), allowed)


def _keep(place: Place, differences: Any, allowed: Any) -> None:
    """The worst entry's difference divided by what is allowed there; inf where that is no number."""
    assert _shares is not None
    with np.errstate(all="ignore"):
        shares = np.where(differences == 0, 0.0, differences / allowed)
    worst = float(np.nan_to_num(shares, nan=np.inf, posinf=np.inf).max())
    _shares[place] = max(_shares.get(place, 0.0), worst)


def _lines() -> tuple[int, int]:
    """The innermost and the outermost line of the test cell that is running; zeros outside of one."""
    frame, lines = sys._getframe(), []
    while frame:
        if frame.f_code.co_filename == TEST_CELL:
            lines.append(frame.f_lineno)
        frame = frame.f_back  # type: ignore[assignment]
    return (lines[0], lines[-1]) if lines else (0, 0)


# What is compared with a number below this, and has an `abs` in it, is a difference that rounding may make. A p-value has none.
SMALL = 0.1
# What numpy and torch take if no tolerance is given, and Python.
_CLOSE = {"rtol": 1e-5, "atol": 1e-8}
_MATH_CLOSE = {"rel_tol": 1e-9, "abs_tol": 0.0}


def looked_at() -> bool:
    """Whether somebody looks on."""
    return _shares is not None


def watched(tree: ast.Module) -> ast.Module:
    """The same cell, with comparisons that it writes out handed to `WATCHERS`, which tell of them and answer as they would."""
    _Watched().visit(tree)
    return ast.fix_missing_locations(tree)


class _Watched(ast.NodeTransformer):
    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        """`... abs(...) ... < 1e-6`, or a sum or product of such a number."""
        self.generic_visit(node)
        if len(node.ops) > 1 or not isinstance(node.ops[0], ast.Lt | ast.LtE) or not _has_abs(node.left):
            return node
        tolerances = _tolerances(node.comparators[0])
        if tolerances is None:
            return node
        arguments = [
            node.left,
            node.comparators[0],
            *map(ast.Constant, (isinstance(node.ops[0], ast.LtE), *tolerances)),
        ]
        return ast.copy_location(ast.Call(ast.Name("__below__", ast.Load()), arguments, []), node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """`np.allclose(...)` and its like."""
        self.generic_visit(node)
        if not isinstance(node.func, ast.Attribute) or node.func.attr not in ("allclose", "isclose"):
            return node
        call = ast.Call(ast.Name("__close__", ast.Load()), [node.func, *node.args], node.keywords)
        return ast.copy_location(call, node)


def _has_abs(node: ast.expr) -> bool:
    calls = (found.func for found in ast.walk(node) if isinstance(found, ast.Call))
    return any("abs" in (getattr(called, "id", ""), getattr(called, "attr", "")) for called in calls)


def _tolerances(node: ast.expr) -> tuple[float, float] | None:
    """What an expression allows in proportion and at least, as far as it says so; None for one that is no tolerance."""
    match node:
        case ast.Constant(float(value)) if 0 < value < SMALL:
            return 0.0, value
        case ast.BinOp(left, ast.Mult(), right):
            factors = [found for found in (_tolerances(left), _tolerances(right)) if found]
            return (max(factors[0]), 0.0) if factors else None
        case ast.BinOp(left, ast.Add(), right):
            one, other = _tolerances(left), _tolerances(right)
            return (max(one[0], other[0]), max(one[1], other[1])) if one and other else None
    return None


def _below(left: Any, right: Any, or_equal: bool, rtol: float, atol: float) -> Any:
    with contextlib.suppress(Exception):  # what cannot be measured is compared all the same
        _keep(Place(*_lines(), rtol, atol), _numbers(left), _numbers(right))
    return left <= right if or_equal else left < right


def _close(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    with contextlib.suppress(Exception):
        defaults = _MATH_CLOSE if function is math.isclose else _CLOSE
        given = {**defaults, **dict(zip(defaults, arguments[2:], strict=False)), **keywords}
        got, expected = np.broadcast_arrays(*map(_numbers, arguments[:2]))
        compared(got, expected, *(float(given[name]) for name in defaults))
    return function(*arguments, **keywords)


def _numbers(value: Any) -> npt.NDArray[Any]:
    return np.asarray(value.detach() if hasattr(value, "detach") else value, dtype=float)


WATCHERS = {"__below__": _below, "__close__": _close}
