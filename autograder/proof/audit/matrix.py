"""Which check catches which mistake: one matrix for every task, and what can be read from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from autograder.records.grade import CellGrade, Grade

WHOLE_CELL = "the whole cell"


@dataclass(frozen=True)
class CheckName:
    """A check of a test cell. `turn` counts those of one name in one cell; a cell without checks is one check."""

    cell: str
    name: str
    turn: int = 0


@dataclass(frozen=True)
class Row:
    """A mistake, the checks that catch it, and all that its test cells said: equal where nothing tells two apart."""

    name: str
    caught_by: frozenset[CheckName]
    said: tuple[CellGrade, ...] = ()


@dataclass(frozen=True)
class Matrix:
    """The checks of one task, and the mistakes in it: chaffs, and the mutants that were made."""

    task: str
    checks: tuple[CheckName, ...]
    chaffs: tuple[Row, ...]
    mutants: tuple[Row, ...] = ()

    def alone(self, check: CheckName, rows: Iterable[Row]) -> int:
        """How many of these only this check catches."""
        return sum(row.caught_by == {check} for row in rows)

    def caught(self, check: CheckName, rows: Iterable[Row]) -> int:
        return sum(check in row.caught_by for row in rows)

    @property
    def redundant(self) -> list[CheckName]:
        """The checks without which every chaff and mutant would still be caught."""
        rows = (*self.chaffs, *self.mutants)
        return [check for check in self.checks if not self.alone(check, rows)]

    @property
    def fragile(self) -> list[tuple[str, CheckName]]:
        """The chaffs that one check alone stands against, where there are others that could."""
        rows = (row for row in self.chaffs if len(row.caught_by) == 1 < len(self.checks))
        return [(row.name, check) for row in rows for check in row.caught_by]

    @property
    def collisions(self) -> list[list[str]]:
        """Chaffs that get the same points and are told the same: a student who holds one cannot be told which."""
        groups = defaultdict(list)
        for row in self.chaffs:
            groups[row.said].append(row.name)
        return [names for names in groups.values() if len(names) > 1]


def matrix(
    task: str, tests: Iterable[str], right: Grade, chaffs: Mapping[str, Grade], mutants: Mapping[str, Grade]
) -> Matrix:
    """The matrix of a task that these test cells grade; `right` is the solution's grade, which has every check."""
    cells = [name for name in right.cells if name in set(tests)]
    checks = tuple(check for cell in cells for check in _named(cell, right.cells[cell]))
    known = frozenset(checks)

    def rows(grades: Mapping[str, Grade]) -> tuple[Row, ...]:
        return tuple(
            Row(name, known - _passed(grade, cells), tuple(grade.cells[cell] for cell in cells))
            for name, grade in grades.items()
        )

    return Matrix(task, checks, rows(chaffs), rows(mutants))


def _named(cell: str, grade: CellGrade) -> list[CheckName]:
    names = [check.name for check in grade.checks]
    return [CheckName(cell, name, names[:i].count(name)) for i, name in enumerate(names)] or [
        CheckName(cell, WHOLE_CELL)
    ]


def _passed(grade: Grade, cells: Iterable[str]) -> set[CheckName]:
    """The checks that were reached and passed; one that a test cell's own error kept from being reached was not."""
    passed = set()
    for cell in cells:
        found = grade.cells[cell]
        if found.checks:
            passed |= {name for name, check in zip(_named(cell, found), found.checks, strict=True) if check.passed}
        elif found.whole:
            passed.add(CheckName(cell, WHOLE_CELL))
    return passed
