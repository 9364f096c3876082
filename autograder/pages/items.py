"""Classical item statistics: how hard each task is, and whether it tells strong submissions from weak ones."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# A correlation of 0 comes out anywhere within 0.63 of it with 10 submissions (95 % of the time), within 0.36 with 30.
FEWEST = 10
Points = Mapping[str, float | None]


@dataclass(frozen=True)
class Item:
    """One task over all graded submissions. `mean` is the mean share of its points (its difficulty in the field's words: the
    higher, the easier), `discrimination` the correlation of its points with those of all other tasks, from `low` to `high`
    with 95 % confidence; None where it cannot be told. `waiting` submissions have no points for it yet; while there are any,
    no mean is told: an essay that was left blank has its 0 at once."""

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


def items(worth: Mapping[str, float], submissions: Sequence[Points]) -> list[Item]:
    """The statistics of each task; `worth` are its points at most, `submissions` what each got, None while it waits."""
    complete = [name for name in worth if all(points.get(name) is not None for points in submissions)]
    return [_item(name, worth, submissions, [other for other in complete if other != name]) for name in worth]


def _item(name: str, worth: Mapping[str, float], submissions: Sequence[Points], rest: Sequence[str]) -> Item:
    pairs = [(value, sum(p[other] or 0.0 for other in rest)) for p in submissions if (value := p.get(name)) is not None]
    got = [value for value, _ in pairs]
    top = worth[name]
    r = _correlation(pairs) if rest else None
    low, high = (None, None) if r is None else interval(r, len(pairs))
    return Item(
        name,
        top,
        len(got),
        len(submissions) - len(got),
        statistics.fmean(got) / top if len(got) == len(submissions) > 0 and top else None,
        sum(value >= top for value in got),
        sum(value <= 0 for value in got),
        r,
        low,
        high,
    )


def _correlation(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Pearson's r; None for fewer than FEWEST pairs, and where one side is constant."""
    if len(pairs) < FEWEST or any(len({round(pair[k], 9) for pair in pairs}) < 2 for k in (0, 1)):
        return None
    return statistics.correlation(*zip(*pairs, strict=True))


def interval(r: float, count: int) -> tuple[float, float]:
    """The 95 % confidence interval of a correlation of `count` pairs, by Fisher's transformation."""
    z, wide = math.atanh(max(-0.999999, min(0.999999, r))), 1.96 / math.sqrt(count - 3)
    return math.tanh(z - wide), math.tanh(z + wide)
