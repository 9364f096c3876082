"""The tables that the command line prints. Those of an audit and a report fit 100 columns."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.syntax import Syntax
from rich.table import Table

from autograder.pages.sheet import letter
from autograder.words import counted

if TYPE_CHECKING:
    from autograder.pages.report import Report
    from autograder.proof.audit.matrix import Matrix
    from autograder.proof.audit.run import Audit
    from autograder.records.change import Change
    from autograder.records.grade import Grade

WIDTH = 100
MANY = "redundant"  # of the 50 checks of the first assignment 41 are: their letters' lines in the matrix say so already


def show_grades(grades: list[Grade]) -> None:
    """A row for each submission."""
    table = Table(box=None, pad_edge=False)
    for name, justify in (
        ("student", "left"),
        ("status", "left"),
        ("score", "right"),
        ("of", "right"),
        ("by hand", "left"),
    ):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    table.add_column("notes", overflow="fold")
    for result in grades:
        score = "-" if result.total is None else f"{result.total:g}"
        by_hand = ", ".join(result.waiting) if result.status not in ("unreadable", "failed") else "all"
        notes = "; ".join(result.notes)
        table.add_row(escape(result.student), result.status, score, f"{result.max_score:g}", by_hand, escape(notes))
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def show_changes(changes: dict[str, Change], assignment: str, applied: bool) -> None:
    """Who gets what in place of what, and why, and what to do about it. A reason that many share is said for each, so that the
    lines can be searched."""
    table = Table(box=None, pad_edge=False)
    for name in ("student", "old", "new"):
        table.add_column(name, justify="left" if name == "student" else "right")
    table.add_column("why", overflow="fold")
    for student, change in sorted(changes.items()):
        old, new = (f"{grade.total or 0:g}/{grade.max_score:g}" for grade in (change.old, change.new))
        table.add_row(escape(student), old, new, escape("; ".join(change.reasons)))
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print("\n", table, sep="")
    count = sum(change.counts for change in changes.values())
    done = "replaced by today's tests" if applied else "would change under today's tests; nothing of that is written"
    console.print(f"{counted(count, 'grade')} {done}", highlight=False, soft_wrap=True)
    if rest := len(changes) - count:
        said = f"{counted(rest, 'submission')} of the same score as before: other checks, or a person's points stand"
        console.print(said, highlight=False, soft_wrap=True)
    if not applied:
        said = f"to write it: `autograder grade {assignment} --apply`"
        console.print(escape(said), highlight=False, soft_wrap=True)


def show_audit(audit: Audit) -> None:
    """Every task's matrix, the mutants, the tolerances, and what was found."""
    console = Console(width=WIDTH)
    for task in audit.tasks:
        console.print(f"[bold]{escape(task.matrix.task)}[/bold]")
        for part in _matrix(task.matrix):
            console.print(part)
        console.print()
    console.print(_mutants(audit))
    if audit.margins:
        console.print(_tolerances(audit))
    unjudged = [m for task in audit.tasks for m in task.survivors if m.id not in audit.verdicts]
    for mutant in unjudged:
        console.print(f"\n[bold]{mutant.id}[/bold], {mutant.kind}")
        console.print(Syntax("\n".join(mutant.diff.splitlines()[2:]), "diff", background_color="default"))
    for kind, lines in _by_kind((found.kind, found.text) for found in audit.findings).items():
        console.print(f"\n[bold]{kind}[/bold] ({len(lines)})" + (": listed on the page" if kind == MANY else ""))
        for line in lines if kind != MANY else []:
            console.print(f"- {escape(line)}")


def show_report(report: Report) -> None:
    """The tasks' statistics, and how many submissions there are."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("task")
    for name in ("points", "difficulty", "full", "none", "waiting", "discrimination"):
        table.add_column(name, justify="right")
    for item in report.items:
        mean = "–" if item.mean is None else f"{item.mean:.2f}"
        told = "–" if item.discrimination is None else f"{item.discrimination:.2f} ({item.low:.2f} to {item.high:.2f})"
        counts = (item.full, item.none, item.waiting)
        table.add_row(escape(item.name), f"{item.max_score:g}", mean, *map(str, counts), told)
    console = Console(width=WIDTH)
    console.print(table)
    statuses = ", ".join(f"{count} {status}" for status, count in report.statuses.items())
    console.print(f"{counted(len(report.rows), 'submission')}: {statuses}; {len(report.for_a_person)} for a person")


def _by_kind(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    kinds: dict[str, list[str]] = {}
    for kind, text in pairs:
        kinds.setdefault(kind, []).append(text)
    return kinds


def _matrix(matrix: Matrix) -> Iterable[RenderableType]:
    """A row for each chaff and a letter for each check; what the letters mean stands below. So long names do not make it wide."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("chaff", no_wrap=True, max_width=WIDTH - 12 - 2 * len(matrix.checks))
    for index in range(len(matrix.checks)):
        table.add_column(letter(index))
    table.add_column("checks", justify="right")
    for row in matrix.chaffs:
        name = row.name.removeprefix(f"chaff-{matrix.task}-")
        marks = ["●" if check in row.caught_by else "·" for check in matrix.checks]
        table.add_row(escape(name), *marks, str(len(row.caught_by)))
    if matrix.chaffs:
        yield table
    for index, check in enumerate(matrix.checks):
        alone, beside = (matrix.alone(check, matrix.chaffs), matrix.caught(check, matrix.chaffs))
        mutants = matrix.caught(check, matrix.mutants)
        yield f"  {letter(index)}  {escape(check.name)}: chaffs {beside}, alone {alone}; mutants {mutants}"


def _mutants(audit: Audit) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("task")
    for name in ("mutants", "caught", "share", "equivalent", "gaps", "not judged"):
        table.add_column(name, justify="right")
    for task in audit.tasks:
        made, alive = len(task.matrix.mutants), len(task.survivors)
        share = f"{(made - alive) / made:.0%}" if made else "–"
        judged = [str(audit.count_verdicts(task, verdict)) for verdict in ("equivalent", "gap", "")]
        table.add_row(escape(task.matrix.task), str(made), str(made - alive), share, *judged)
    return table


def _tolerances(audit: Audit) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, caption="as shares of the tolerance")
    table.add_column("test cell, line", overflow="fold", min_width=30)
    table.add_column("tolerance")
    table.add_column("right", justify="right")
    table.add_column("mistake", justify="right")
    table.add_column("nearest", overflow="fold")
    for margin in audit.margins:
        wrong = "–" if margin.wrong is None else f"{margin.wrong:.2g}"
        short = margin.wrong_by.removeprefix("chaff-").removeprefix(f"{margin.cell}-")
        place = f"{margin.cell}, {margin.place.line}"
        table.add_row(escape(place), margin.tolerance, f"{margin.right:.2g}", wrong, escape(short))
    return table
