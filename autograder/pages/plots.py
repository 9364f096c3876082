"""Positions, bins and letters for the plots and matrices of reports and audits."""

from __future__ import annotations

import math
from collections.abc import Sequence

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def log_position(share: float, low: float, high: float) -> float:
    """The position of a number on a logarithmic axis from 10**low to 10**high: 0 to 1, clipped at both ends."""
    if share <= 0:
        return 0.0
    return min(1.0, max(0.0, (math.log10(share) - low) / (high - low)))


def letter(index: int) -> str:
    """The name of a matrix's column: A to Z, then AA, AB and so on, like the page's lettered list."""
    rest, last = divmod(index, len(ALPHABET))
    return (letter(rest - 1) if rest else "") + ALPHABET[last]


def count_bins(values: Sequence[float], top: float, count: int) -> list[int]:
    """Count the values in each of `count` equal bins of [0, top]; `top` itself belongs to the last bin."""
    counts = [0] * count
    for value in values:
        counts[min(count - 1, max(0, int(value / top * count))) if top else 0] += 1
    return counts
