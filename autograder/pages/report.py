"""`autograder report`: how a class did, from the transcripts and the gradebook; a page and CSV files in gradebook/reports/."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from autograder.course import Assignment
from autograder.errors import CourseError
from autograder.gradebook.book import Book
from autograder.pages.export import write_csv
from autograder.pages.items import FEWEST, Item, items
from autograder.pages.sheet import render, write_report
from autograder.records.archive import Archive
from autograder.records.grade import GRADED, Grade
from autograder.records.store import graded_students


@dataclass(frozen=True)
class Row:
    """One submission: its grade; the points of each task, a person's before the automatic ones, None while they wait; and the
    misconceptions that it shows, each with its answer cell."""

    grade: Grade
    points: Mapping[str, float | None]
    misconceptions: tuple[tuple[str, str], ...] = ()

    @property
    def student(self) -> str:
        return self.grade.student

    @property
    def is_graded(self) -> bool:
        return self.grade.status in GRADED

    @property
    def score(self) -> float:
        """The points so far, as the feedback page has them."""
        return self.grade.final

    @property
    def reason(self) -> str:
        """Why a person must look at it; "" if nobody must."""
        if not self.is_graded:
            return f"{self.grade.status}: {'; '.join(self.grade.notes)}"
        troubled = [name for name in self.grade.waiting if self.grade.cells[name].trouble]
        marked = [name for name in self.grade.waiting if self.grade.points[name] is not None]
        again = [name for name in marked if name not in troubled]
        written = [name for name in self.grade.waiting if name not in (*troubled, *again)]
        parts = [f"{name}: {self.grade.cells[name].trouble}" for name in troubled]
        parts += [f"to be marked: {', '.join(written)}"] if written else []
        parts += [f"handed in anew since it was marked: {', '.join(again)}"] if again else []
        return "; ".join(parts)


@dataclass(frozen=True)
class CheckRate:
    """How many of the graded submissions pass a check."""

    task: str
    check: str
    passed: int
    count: int


@dataclass(frozen=True)
class Held:
    """How many of the graded submissions answer as those do who hold a misconception."""

    task: str
    misconception: str
    count: int


@dataclass(frozen=True)
class Report:
    """A class's results of one assignment."""

    assignment: str
    rows: tuple[Row, ...]

    @cached_property
    def graded(self) -> list[Row]:
        return [row for row in self.rows if row.is_graded]

    @cached_property
    def worth(self) -> dict[str, float]:
        """The most points of every graded cell, in the notebook's order."""
        return {name: cell.max_score for row in self.graded for name, cell in row.grade.cells.items()}

    @property
    def max_score(self) -> float:
        return math.fsum(self.worth.values())

    @cached_property
    def scores(self) -> list[float]:
        return [row.score for row in self.graded]

    @property
    def unmarked(self) -> list[float]:
        """Of each graded submission of which a person must still give points: how many these can be at most."""
        waiting = ([self.worth[task] for task, points in row.points.items() if points is None] for row in self.graded)
        return [math.fsum(most) for most in waiting if most]

    @cached_property
    def items(self) -> list[Item]:
        return items(self.worth, [row.points for row in self.graded])

    @cached_property
    def checks(self) -> list[CheckRate]:
        """Every check, in the notebook's order; one that a test cell's error kept from being reached did not pass."""
        passed: Counter[tuple[str, str]] = Counter()
        for row in self.graded:
            for name, cell in row.grade.cells.items():
                passed.update({(name, check.name): int(check.passed) for check in cell.checks})
        return [CheckRate(*key, count, len(self.graded)) for key, count in passed.items()]

    @cached_property
    def held(self) -> list[Held]:
        """The misconceptions that are held, the most frequent first."""
        counts = Counter(found for row in self.graded for found in set(row.misconceptions))
        return [Held(task.removesuffix("-solution"), text, count) for (task, text), count in counts.most_common()]

    @property
    def statuses(self) -> dict[str, int]:
        return dict(Counter(row.grade.status for row in self.rows).most_common())

    @property
    def for_a_person(self) -> list[Row]:
        return [row for row in self.rows if row.reason]

    @property
    def seconds(self) -> list[float]:
        """How long each run took in its worker."""
        return [row.grade.seconds for row in self.graded]

    def as_json(self) -> dict[str, Any]:
        """What `autograder report --json` prints."""
        return {
            "assignment": self.assignment,
            "submissions": len(self.rows),
            "graded": len(self.graded),
            "statuses": self.statuses,
            "max_score": self.max_score,
            "mean": statistics.fmean(self.scores) if self.scores else None,
            "median": statistics.median(self.scores) if self.scores else None,
            "unmarked": len(self.unmarked),
            "tasks": {
                item.name: {key: value for key, value in asdict(item).items() if key != "name"} for item in self.items
            },
            "checks": [asdict(rate) for rate in self.checks],
            "misconceptions": [asdict(held) for held in self.held],
            "for_a_person": {row.student: row.reason for row in self.for_a_person},
        }


def report(assignment: Assignment) -> Report:
    """The results of an assignment, as they stand; CourseError where nothing is graded."""
    names = graded_students(assignment)
    archive = Archive(assignment)
    with Book(assignment.course) as book:
        rows = [_row(archive, book, name) for name in names]
    return Report(assignment.name, tuple(row for row in rows if row))


def _row(archive: Archive, book: Book, student: str) -> Row | None:
    """A submission's row; None where its record cannot be read, which the next `grade` makes anew."""
    try:
        graded = archive.open(student)
    except CourseError:
        return None
    diagnoses = graded.diagnoses if graded.grade.status in GRADED else {}
    misconceptions = tuple((each.problem, each.misconception) for each in diagnoses.values() if each.misconception)
    grade = replace(graded.grade, marks=book.marks(archive.assignment, student))
    return Row(grade, grade.points, misconceptions)


def write_report_files(assignment: Assignment, made: Report) -> list[Path]:
    """Write the page and the CSV files; their paths, the page first."""
    course, name = assignment.course, assignment.name
    page = write_report(
        course, f"report-{name}.html", render("report.html.j2", report=made, median=statistics.median, fewest=FEWEST)
    )
    tables = {
        "submissions": (
            ("student", "status", "score", "max_score", "seconds", "for_a_person", *made.worth),
            [
                (
                    row.student,
                    row.grade.status,
                    row.score if row.is_graded else "",
                    made.max_score,
                    round(row.grade.seconds, 3),
                    row.reason,
                    *("" if row.points.get(task) is None else row.points[task] for task in made.worth),
                )
                for row in made.rows
            ],
        ),
        "tasks": (tuple(Item.__dataclass_fields__), [tuple(asdict(item).values()) for item in made.items]),
        "misconceptions": (tuple(Held.__dataclass_fields__), [tuple(asdict(held).values()) for held in made.held]),
        "checks": (tuple(CheckRate.__dataclass_fields__), [tuple(asdict(rate).values()) for rate in made.checks]),
    }
    paths = [course.reports / f"report-{name}-{table}.csv" for table in tables]
    for path, (header, rows) in zip(paths, tables.values(), strict=True):
        write_csv(path, header, rows)
    return [page, *paths]
