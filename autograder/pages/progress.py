"""Long work shows where it is: a bar on a terminal, a line now and then elsewhere. Always on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

T = TypeVar("T")


def progress(rows: Iterable[T], total: int | None, what: str, quiet: bool = False) -> Iterator[T]:
    """Pass `rows` on, and show how many of `total` have come; `quiet` shows nothing."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield from _plain(rows, total, what, (lambda _: None) if quiet else (lambda line: click.echo(line, err=True)))
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=total)
        for row in rows:
            bar.advance(task)
            yield row


def _plain(rows: Iterable[T], total: int | None, what: str, say: Callable[[str], None]) -> Iterator[T]:
    step = max(1, (total or 100) // 10)
    say(what if total is None else f"{what}: {total} to do")
    for count, row in enumerate(rows, 1):
        if count % step == 0:
            say(f"{what}: {count} done")
        yield row
