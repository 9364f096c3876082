"""What test cells compare, while somebody looks on: how far each value was from the one expected, beside the tolerance.

`autograder audit` looks on, and so does `build`, to see whether a tolerance stands clear of right answers and of known mistakes.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
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
    place = Place(*_lines(), rtol, atol)
    _shares[place] = max(_shares.get(place, 0.0), _share(got, expected, rtol, atol))


def _share(got: npt.NDArray[Any], expected: npt.NDArray[Any], rtol: float, atol: float) -> float:
    """The worst entry's difference divided by what numpy's `isclose` allows there; inf where that is no number."""
    with np.errstate(all="ignore"):
        mine, wanted = got.astype(float), expected.astype(float)
        allowed = atol + rtol * np.abs(wanted)
        shares = np.where(mine == wanted, 0.0, np.abs(mine - wanted) / allowed)
    return float(np.nan_to_num(shares, nan=np.inf, posinf=np.inf).max())


def _lines() -> tuple[int, int]:
    """The innermost and the outermost line of the test cell that is running; zeros outside of one."""
    frame, lines = sys._getframe(), []
    while frame:
        if frame.f_code.co_filename == TEST_CELL:
            lines.append(frame.f_lineno)
        frame = frame.f_back  # type: ignore[assignment]
    return (lines[0], lines[-1]) if lines else (0, 0)
