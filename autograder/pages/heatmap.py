"""A student's matrix beside the solution's, as two tables with colored cells: both have one scale, and every number stands in its
cell, so that the page needs neither color nor a picture to be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.records.answers import alike, answer, numbers, plain, question
from autograder.records.grade import CellGrade
from autograder.records.known import Answers, by_question
from autograder.records.transcript import Asked
from autograder.sandbox import wire

# Beyond this a phone shows two rows of digits for each row of the matrix.
MAX_SIDE = 8
# Viridis, from small to large: it stays in order without color, too.
COLORS = ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))
GRAY = (136, 136, 136)
MIDDLE = 0.179  # the luminance on which black and white ink have one contrast, 4.6


@dataclass(frozen=True)
class Square:
    """One entry: its number, its colors as CSS, and whether it is not what the solution has there."""

    text: str
    style: str
    off: bool


@dataclass(frozen=True)
class Pair:
    """What a student's function returned in a broken check, and what the solution's did."""

    check: str
    mine: tuple[tuple[Square, ...], ...]
    right: tuple[tuple[Square, ...], ...]


def pair(cell: CellGrade, asked: Asked, solution: Mapping[str, Answers] | None, name: str) -> Pair | None:
    """The first matrix of a broken check of the cell called `name` that is not the solution's; None where there is none."""
    right = by_question((solution or {}).get(name, []))
    for check, span in zip(cell.checks, asked.spans, strict=False):
        for exchange in () if check.passed else asked.exchanges[span.first : span.last]:
            for expected in right.get(question(exchange), [])[:1]:
                mine, theirs = _matrix(answer(exchange)), _matrix(expected)
                if mine is not None and theirs is not None and not alike(answer(exchange), expected):
                    return _pair(check.name, mine, theirs)
    return None


def _matrix(reply: bytes) -> Any:
    try:
        status, *values = wire.unpack(reply)
        array = numbers(plain(values[0])) if status == "ok" else None
    except (wire.WireError, IndexError):
        return None
    if array is None or array.ndim != 2 or array.dtype.kind == "c" or not all(1 < n <= MAX_SIDE for n in array.shape):
        return None
    return array.astype(float)


def _pair(check: str, mine: Any, right: Any) -> Pair:
    finite = np.concatenate([array[np.isfinite(array)] for array in (mine, right)])
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    same = mine.shape == right.shape
    off = ~np.isclose(mine, right, rtol=1e-4, atol=1e-6, equal_nan=True) if same else np.zeros(mine.shape, dtype=bool)
    return Pair(check, _squares(mine, off, low, high), _squares(right, np.zeros(right.shape, dtype=bool), low, high))


def _squares(array: Any, off: Any, low: float, high: float) -> tuple[tuple[Square, ...], ...]:
    return tuple(
        tuple(Square(f"{x:.3g}", _style(x, low, high), bool(odd)) for x, odd in zip(row, marks, strict=True))
        for row, marks in zip(array, off, strict=True)
    )


def _style(value: float, low: float, high: float) -> str:
    color: tuple[int, ...] = GRAY
    if np.isfinite(value):
        place = (value - low) / (high - low) * (len(COLORS) - 1) if high > low else 0.0
        below = min(int(place), len(COLORS) - 2)
        part = place - below
        color = tuple(round(a + (b - a) * part) for a, b in zip(COLORS[below], COLORS[below + 1], strict=True))
    ink = "#000" if luminance(color) > MIDDLE else "#fff"
    return f"background:#{''.join(f'{part:02x}' for part in color)};color:{ink}"


def luminance(color: tuple[int, ...]) -> float:
    """WCAG's relative luminance of an sRGB color, 0 to 1."""
    parts = [part / 255 for part in color]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
