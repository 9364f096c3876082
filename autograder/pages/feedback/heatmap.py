"""A student's matrix and the solution's as two tables with colored cells.

Both share one color scale, and every cell shows its number, so the page can be read without color.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.records.answers import agree, extract_answer, name_question
from autograder.records.grade import CellGrade
from autograder.records.known import Answers, group_by_question
from autograder.records.plain import to_array, to_plain
from autograder.records.transcript import Asked
from autograder.sandbox import wire

MAX_SIDE = 8  # a larger matrix wraps on a phone: two lines of digits for each of its rows
# Viridis, from small to large: its order remains visible in gray.
COLORS = ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))
GRAY = (136, 136, 136)
MIDDLE = 0.179  # on this luminance black and white ink have the same contrast, 4.6
SRGB_LINEAR = 0.04045  # up to this value sRGB is linear


@dataclass(frozen=True)
class Entry:
    """One entry of a matrix: its number, its colors as CSS, and whether it differs from the solution's."""

    text: str
    style: str
    off: bool


@dataclass(frozen=True)
class Heatmaps:
    """What the student's function returned in a failed check, and what the solution's did, as rows of entries."""

    check: str
    mine: tuple[tuple[Entry, ...], ...]
    right: tuple[tuple[Entry, ...], ...]


def compare_matrices(
    cell: CellGrade, asked: Asked, solution: Mapping[str, Answers] | None, name: str
) -> Heatmaps | None:
    """The first matrix in a failed check of the test cell `name` that differs from the solution's; None if there is none."""
    expected = group_by_question((solution or {}).get(name, []))
    for check, span in zip(cell.checks, asked.spans, strict=False):
        for exchange in () if check.passed else asked.exchanges[span.first : span.last]:
            for reply in expected.get(name_question(exchange), [])[:1]:
                mine, right = _matrix(extract_answer(exchange)), _matrix(reply)
                if mine is not None and right is not None and not agree(extract_answer(exchange), reply):
                    return _heatmaps(check.name, mine, right)
    return None


def _matrix(reply: bytes) -> Any:
    """The float array (rows, columns) in a reply, each side from 2 to MAX_SIDE; None for any other reply."""
    try:
        status, *values = wire.unpack(reply)
        array = to_array(to_plain(values[0])) if status == "ok" else None
    except (wire.WireError, *wire.MALFORMED):
        return None
    if array is None or array.ndim != 2 or array.dtype.kind == "c" or not all(1 < n <= MAX_SIDE for n in array.shape):
        return None
    return array.astype(float)


def _heatmaps(check: str, mine: Any, right: Any) -> Heatmaps:
    finite = np.concatenate([array[np.isfinite(array)] for array in (mine, right)])
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    same_shape = mine.shape == right.shape
    nowhere = np.zeros(mine.shape, dtype=bool)
    with np.errstate(all="ignore"):
        off = ~np.isclose(mine, right, rtol=1e-4, atol=1e-6, equal_nan=True) if same_shape else nowhere
    return Heatmaps(check, _entries(mine, off, low, high), _entries(right, np.zeros_like(right, bool), low, high))


def _entries(array: Any, off: Any, low: float, high: float) -> tuple[tuple[Entry, ...], ...]:
    return tuple(
        tuple(Entry(f"{x:.3g}", _style(x, low, high), bool(odd)) for x, odd in zip(row, marks, strict=True))
        for row, marks in zip(array, off, strict=True)
    )


def _style(value: float, low: float, high: float) -> str:
    """The CSS of a value on the color scale from `low` to `high`, with black or white ink."""
    color: tuple[int, ...] = GRAY
    if np.isfinite(value):
        span = high / 2 - low / 2  # the difference of two large numbers would be infinite
        place = (value / 2 - low / 2) / span * (len(COLORS) - 1) if span > 0 else 0.0
        below = min(int(place), len(COLORS) - 2)
        part = place - below
        color = tuple(round(a + (b - a) * part) for a, b in zip(COLORS[below], COLORS[below + 1], strict=True))
    ink = "#000" if luminance(color) > MIDDLE else "#fff"
    return f"background:#{''.join(f'{part:02x}' for part in color)};color:{ink}"


def luminance(color: tuple[int, ...]) -> float:
    """WCAG's relative luminance of an sRGB color (three bytes), 0 to 1."""
    parts = [part / 255 for part in color]
    red, green, blue = (part / 12.92 if part <= SRGB_LINEAR else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
