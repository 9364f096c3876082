"""Classical item statistics: how hard each task is, and how well it separates strong from weak."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# With 10 uncorrelated submissions, 95 % of measured correlations lie within 0.63 of 0; with 30, within 0.36.
FEWEST = 10
Points = Mapping[str, float | None]


@dataclass(frozen=True)
class Item:
    """One task over all graded submissions.

    `mean` is the mean share of its points, which the field calls difficulty: the higher, the easier. It is None while any of
    `waiting` submissions have no points yet, since a blank essay gets its 0 at once. `discrimination` is the correlation of
    its points with those of all other tasks, with its 95 % confidence interval from `low` to `high`; None if it is not defined.
    """

    name: str
    max_score: float
    count: int
    waiting: int
    mean: float | None
    full: int
    none: int
    discrimination: float | None
    low: float | None
    high: float | None


def item_statistics(worth: Mapping[str, float], submissions: Sequence[Points]) -> list[Item]:
    """The statistics of each task. `worth` has its maximal points; each of `submissions` has its points, None while it waits."""
    complete = [name for name in worth if all(points.get(name) is not None for points in submissions)]
    return [_item(name, worth, submissions, [other for other in complete if other != name]) for name in worth]


def _item(name: str, worth: Mapping[str, float], submissions: Sequence[Points], rest: Sequence[str]) -> Item:
    pairs = [(value, sum(p[other] or 0.0 for other in rest)) for p in submissions if (value := p.get(name)) is not None]
    points = [value for value, _ in pairs]
    top = worth[name]
    r = _correlation(pairs) if rest else None
    low, high = (None, None) if r is None else confidence_interval(r, len(pairs))
    return Item(
        name,
        top,
        len(points),
        len(submissions) - len(points),
        statistics.fmean(points) / top if len(points) == len(submissions) > 0 and top else None,
        sum(value >= top for value in points),
        sum(value <= 0 for value in points),
        r,
        low,
        high,
    )


def _correlation(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Pearson's r; None for fewer than FEWEST pairs, and if either side is constant."""
    if len(pairs) < FEWEST or any(len({round(pair[side], 9) for pair in pairs}) == 1 for side in (0, 1)):
        return None
    return statistics.correlation(*zip(*pairs, strict=True))


def confidence_interval(r: float, count: int) -> tuple[float, float]:
    """The 95 % confidence interval of a correlation of `count` pairs, by Fisher's transformation."""
    z, width = math.atanh(max(-0.999999, min(0.999999, r))), 1.96 / math.sqrt(count - 3)
    return math.tanh(z - width), math.tanh(z + width)
