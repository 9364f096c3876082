"""The tables that the commands print on the terminal."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.syntax import Syntax
from rich.table import Table

from autograder.pages.plots import letter
from autograder.records.grade import GRADED
from autograder.words import MAX_NAME, counted, one_line

if TYPE_CHECKING:
    from autograder.pages.report.results import Report
    from autograder.proof.audit.matrix import Matrix
    from autograder.proof.audit.run import Audit
    from autograder.records.change import Change
    from autograder.records.grade import Grade

WIDTH = 100  # of an audit and a report
CLASS_WIDTH = 160  # of a class's table in a file or pipe
MAX_OTHERS = 5  # files of an export that are nobody's
NO_VALUE = "\N{EN DASH}"
ON_THE_PAGE = "redundant"  # 41 of the first assignment's 50 checks are, and the matrix shows them already


def show_grades(grades: Sequence[Grade], unchanged: int, rescored: int) -> None:
    """Print a row for each submission, sorted by student, and how many were graded. Of these, `unchanged` kept the grade of an
    earlier run, and `rescored` got theirs from the transcript."""
    table = _plain_table("student", "status")
    for name in ("score", "of"):
        table.add_column(name, justify="right")
    table.add_column("to mark")
    table.add_column("notes", overflow="fold")
    for grade in sorted(grades, key=lambda grade: grade.student):
        score = "-" if grade.total is None else f"{grade.total:g}"
        waiting = ", ".join(grade.waiting) if grade.status in GRADED else "all"
        notes = "; ".join(grade.notes)
        table.add_row(escape(grade.student), grade.status, score, f"{grade.max_score:g}", waiting, escape(notes))
    console = _class_console()
    console.print(table)
    graded = sum(grade.status in GRADED for grade in grades)
    cached = f" ({unchanged} unchanged since the last run)" if unchanged else ""
    waiting = _needing_grading(sum(grade.needs_manual for grade in grades))
    _print_line(console, f"{graded} of {len(grades)} graded{cached}; {waiting}")
    if rescored:
        _print_line(console, f"{counted(rescored, 'submission')} scored from the transcript, without rerunning")


def show_collection(rows: Sequence[tuple[str, str, str, str]], others: Sequence[str], dry_run: bool) -> None:
    """Print what was collected: of each person the student ID, what happened, the name and notes; then how many there are of
    each, and which files are nobody's. In a dry run nothing has happened yet."""
    table = _plain_table("student", "submission", "name")
    table.add_column("notes", overflow="fold")
    for row in rows:
        table.add_row(*(escape(one_line(text)) for text in row))
    console = _class_console()
    console.print(table)
    counts = Counter(action for _student, action, _name, _notes in rows)
    _print_line(console, ", ".join(f"{count} {action}" for action, count in counts.items()))
    if others:
        more = f" and {len(others) - MAX_OTHERS} more" if len(others) > MAX_OTHERS else ""
        names = ", ".join(one_line(name, MAX_NAME) for name in others[:MAX_OTHERS])
        _print_line(console, escape(f"files that are nobody's submission: {names}{more}"))
    if dry_run:
        _print_line(console, "nothing is written: this was a dry run")


def show_changes(changes: Mapping[str, Change], assignment: str, applied: bool) -> None:
    """Print the old and new score of each submission that today's tests grade differently, the reasons, and how to apply them.

    A reason that many submissions share is repeated for each, so that the lines can be searched.
    """
    table = _plain_table("student")
    for name in ("old", "new"):
        table.add_column(name, justify="right")
    table.add_column("why", overflow="fold")
    for student, change in sorted(changes.items()):
        old, new = (f"{grade.total or 0:g}/{grade.max_score:g}" for grade in (change.old, change.new))
        table.add_row(escape(student), old, new, escape("; ".join(change.reasons)))
    console = _class_console()
    console.print("\n", table, sep="")
    count = sum(change.changes_total for change in changes.values())
    outcome = "replaced by today's tests" if applied else "would change under today's tests; nothing is changed yet"
    _print_line(console, f"{counted(count, 'grade')} {outcome}")
    if same := len(changes) - count:
        verb = "keeps its" if same == 1 else "keep their"
        reason = "only checks differ, or a mark overrides them"
        _print_line(console, f"{counted(same, 'submission')} {verb} score: {reason}")
    if not applied:
        _print_line(console, f"to replace them: `autograder grade {assignment} --apply`")


def show_report(report: Report) -> None:
    """Print the statistics of each task, and how many submissions ended in which status."""
    table = _table("task", "points", "difficulty", "full", "none", "waiting", "discrimination")
    for item in report.items:
        mean = NO_VALUE if item.mean is None else f"{item.mean:.2f}"
        discrimination = NO_VALUE
        if item.discrimination is not None:
            discrimination = f"{item.discrimination:.2f} ({item.low:.2f} to {item.high:.2f})"
        counts = map(str, (item.full, item.none, item.waiting))
        table.add_row(escape(item.name), f"{item.max_score:g}", mean, *counts, discrimination)
    console = Console(width=WIDTH)
    console.print(table)
    statuses = ", ".join(f"{count} {status}" for status, count in report.statuses.items())
    waiting = _needing_grading(len(report.for_a_person))
    console.print(f"{counted(len(report.rows), 'submission')}: {statuses}; {waiting}")


def show_audit(audit: Audit, to_fix: int) -> None:
    """Print every task's matrix, the mutants, the tolerances, the survivors without a verdict and the findings, of which
    `to_fix` must be fixed."""
    console = Console(width=WIDTH)
    for task in audit.tasks:
        console.print(f"[bold]{escape(task.matrix.task)}[/bold]")
        for part in _matrix(task.matrix):
            console.print(part)
        console.print()
    console.print(_mutants(audit))
    if audit.margins:
        console.print(_tolerances(audit))
    survivors = [mutant for task in audit.tasks for mutant in task.survivors if mutant.id not in audit.verdicts]
    for mutant in survivors:
        console.print(f"\n[bold]{mutant.id}[/bold], {mutant.kind}")
        console.print(Syntax("\n".join(mutant.diff.splitlines()[2:]), "diff", background_color="default"))
    for kind, lines in _by_kind((finding.kind, finding.text) for finding in audit.findings).items():
        on_the_page = kind == ON_THE_PAGE
        console.print(f"\n[bold]{kind}[/bold] ({len(lines)})" + (": listed on the page" if on_the_page else ""))
        for line in lines if not on_the_page else []:
            console.print(f"- {escape(line)}")
    caught = f"{audit.killed} of {audit.mutants} mutants caught"
    _print_line(console, f"{counted(audit.graded, 'submission')} graded; {caught}; {to_fix} to fix")


def _by_kind(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    kinds: dict[str, list[str]] = {}
    for kind, text in pairs:
        kinds.setdefault(kind, []).append(text)
    return kinds


def _matrix(matrix: Matrix) -> Iterable[RenderableType]:
    """A row for each chaff and a column for each check. Columns have letters, explained below: names would be too wide."""
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
        caught, alone = matrix.caught(check, matrix.chaffs), matrix.alone(check, matrix.chaffs)
        mutants = matrix.caught(check, matrix.mutants)
        yield f"  {letter(index)}  {escape(check.name)}: chaffs {caught}, alone {alone}; mutants {mutants}"


def _mutants(audit: Audit) -> Table:
    table = _table("task", "mutants", "caught", "share", "equivalent", "gaps", "not judged")
    for task in audit.tasks:
        count, alive = len(task.matrix.mutants), len(task.survivors)
        share = f"{(count - alive) / count:.0%}" if count else NO_VALUE
        verdicts = [str(audit.count_verdicts(task, verdict)) for verdict in ("equivalent", "gap", "")]
        table.add_row(escape(task.matrix.task), str(count), str(count - alive), share, *verdicts)
    return table


def _tolerances(audit: Audit) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, caption="deviations as shares of the tolerance")
    table.add_column("test cell, line", overflow="fold", min_width=30)
    table.add_column("tolerance")
    table.add_column("right", justify="right")
    table.add_column("mistake", justify="right")
    table.add_column("nearest", overflow="fold")
    for margin in audit.margins:
        wrong = NO_VALUE if margin.wrong is None else f"{margin.wrong:.2g}"
        nearest = margin.wrong_by.removeprefix("chaff-").removeprefix(f"{margin.cell}-")
        place = f"{margin.cell}, {margin.place.line}"
        table.add_row(escape(place), margin.tolerance, f"{margin.right:.2g}", wrong, escape(nearest))
    return table


def _table(first: str, *others: str) -> Table:
    """A table with a line under its header; all columns but the first hold numbers."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="right")
    return table


def _plain_table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in columns:
        table.add_column(name)
    return table


def _needing_grading(count: int) -> str:
    return f"{count} {'needs' if count == 1 else 'need'} manual grading"


def _print_line(console: Console, text: str) -> None:
    """Print a plain sentence, which the terminal wraps."""
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def _class_console() -> Console:
    return Console(width=None if sys.stdout.isatty() else CLASS_WIDTH)
