"""The files of `autograder report`: a page and four CSV files in gradebook/reports/."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from autograder.course import Assignment
from autograder.pages.export import write_csv
from autograder.pages.report.items import FEWEST, Item
from autograder.pages.report.results import CheckRate, MisconceptionCount, Report
from autograder.pages.sheet import render_sheet, write_report

Table = tuple[Sequence[str], Iterable[Sequence[Any]]]  # header and rows


def write_report_files(assignment: Assignment, report: Report) -> list[Path]:
    """Write the page and the CSV files; their paths, the page first."""
    course, name = assignment.course, assignment.name
    html = render_sheet("report.html.j2", report=report, median=statistics.median, fewest=FEWEST)
    paths = [write_report(course, f"report-{name}.html", html)]
    for table, (header, rows) in _tables(report).items():
        path = course.reports / f"report-{name}-{table}.csv"
        write_csv(path, header, rows)
        paths.append(path)
    return paths


def _tables(report: Report) -> dict[str, Table]:
    return {
        "submissions": _submissions(report),
        "tasks": _table(Item, report.items),
        "misconceptions": _table(MisconceptionCount, report.misconceptions),
        "checks": _table(CheckRate, report.checks),
    }


def _submissions(report: Report) -> Table:
    header = ("student", "status", "score", "max_score", "seconds", "for_a_person", *report.worth)
    rows = [
        (
            row.student,
            row.grade.status,
            row.score if row.is_graded else "",
            report.max_score,
            round(row.grade.seconds, 3),
            row.reason,
            *("" if row.points.get(task) is None else row.points[task] for task in report.worth),
        )
        for row in report.rows
    ]
    return header, rows


def _table(kind: Any, rows: Iterable[Any]) -> Table:
    """A table of dataclasses: a column for each field."""
    return [field.name for field in fields(kind)], [tuple(asdict(row).values()) for row in rows]
