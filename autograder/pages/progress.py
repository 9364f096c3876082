"""Progress of long work, on stderr: a bar on a terminal, a line now and then elsewhere; and what failed of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from autograder.words import printable

T = TypeVar("T")


def progress(rows: Iterable[T], total: int | None, label: str, quiet: bool = False) -> Iterator[T]:
    """Yield `rows` unchanged, and show how many of `total` have come; `quiet` shows nothing."""
    console = Console(stderr=True)
    if quiet:
        yield from rows
    elif not console.is_terminal:
        yield from _in_lines(rows, total, label, lambda line: click.echo(line, err=True))
    else:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task(label, total=total)
            for row in rows:
                bar.advance(task)
                yield row


def _in_lines(rows: Iterable[T], total: int | None, label: str, write: Callable[[str], None]) -> Iterator[T]:
    step = max(1, (total or 100) // 10)
    write(label if total is None else f"{label}: {total} to do")
    for count, row in enumerate(rows, 1):
        if count % step == 0:
            write(f"{label}: {count} done")
        yield row


def show_failures(failed: Mapping[str, str], what: str) -> int:
    """Print on stderr, by student, what could not be done and why; return the command's exit code."""
    for student, reason in failed.items():
        click.echo(f"autograder: {what} {printable(student)}: {printable(reason)}", err=True)
    return 1 if failed else 0
