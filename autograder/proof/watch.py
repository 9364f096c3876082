"""The progress display that `build` and `audit` ask their caller for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")


class Watch(Protocol):
    """Shows progress over `total` rows while it passes them on, as a progress bar does."""

    def __call__(self, total: int, rows: Iterator[T], /) -> Iterable[T]: ...
