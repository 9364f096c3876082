"""The matrix of a task: which check catches which mistake, and what can be read from that."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from autograder.records.grade import CellGrade, Grade

WHOLE_CELL = "the whole cell"


@dataclass(frozen=True)
class CheckName:
    """A check of a test cell; a cell without checks counts as one check.

    `occurrence` counts the checks of one name in a cell, from 0.
    """

    cell: str
    name: str
    occurrence: int = 0


@dataclass(frozen=True)
class Row:
    """A mistake, the checks that catch it, and the grades of its test cells.

    Two mistakes that nothing tells apart have equal grades.
    """

    name: str
    caught_by: frozenset[CheckName]
    cells: tuple[CellGrade, ...] = ()


@dataclass(frozen=True)
class Matrix:
    """The checks of one task and the mistakes in it: its chaffs and mutants."""

    task: str
    checks: tuple[CheckName, ...]
    chaffs: tuple[Row, ...]
    mutants: tuple[Row, ...] = ()

    def alone(self, check: CheckName, rows: Iterable[Row]) -> int:
        """Count the rows that only this check catches."""
        return sum(row.caught_by == {check} for row in rows)

    def caught(self, check: CheckName, rows: Iterable[Row]) -> int:
        """Count the rows that this check catches."""
        return sum(check in row.caught_by for row in rows)

    @property
    def redundant(self) -> list[CheckName]:
        """The checks without which every chaff and mutant would still be caught."""
        rows = (*self.chaffs, *self.mutants)
        return [check for check in self.checks if not self.alone(check, rows)]

    @property
    def fragile(self) -> list[tuple[str, CheckName]]:
        """The chaffs that only one of several checks catches, with that check."""
        rows = (row for row in self.chaffs if len(row.caught_by) == 1 < len(self.checks))
        return [(row.name, check) for row in rows for check in row.caught_by]

    @property
    def collisions(self) -> list[list[str]]:
        """Chaffs with equal points and messages: a student who holds one cannot be told which."""
        groups = defaultdict(list)
        for row in self.chaffs:
            groups[row.cells].append(row.name)
        return [names for names in groups.values() if len(names) > 1]


def make_matrix(
    task: str, tests: Iterable[str], solution: Grade, chaffs: Mapping[str, Grade], mutants: Mapping[str, Grade]
) -> Matrix:
    """Make the matrix of a task from the grades of its mistakes; `tests` are its test cells.

    The solution's grade names all checks, since it reaches every one.
    """
    names = set(tests)
    cells = [name for name in solution.cells if name in names]
    checks = tuple(check for cell in cells for check in _name_checks(cell, solution.cells[cell]))
    return Matrix(task, checks, _make_rows(chaffs, checks, cells), _make_rows(mutants, checks, cells))


def _make_rows(grades: Mapping[str, Grade], checks: Iterable[CheckName], cells: Sequence[str]) -> tuple[Row, ...]:
    return tuple(
        Row(name, frozenset(checks) - _list_passed(grade, cells), tuple(grade.cells[cell] for cell in cells))
        for name, grade in grades.items()
    )


def _name_checks(cell: str, grade: CellGrade) -> list[CheckName]:
    names = [check.name for check in grade.checks]
    checks = [CheckName(cell, name, names[:index].count(name)) for index, name in enumerate(names)]
    return checks or [CheckName(cell, WHOLE_CELL)]


def _list_passed(grade: Grade, cells: Iterable[str]) -> set[CheckName]:
    """The checks that were reached and passed. An error of the test cell's own may keep the last ones from being reached."""
    passed = set()
    for cell in cells:
        result = grade.cells[cell]
        if result.checks:
            names = _name_checks(cell, result)
            passed |= {name for name, check in zip(names, result.checks, strict=True) if check.passed}
        elif result.whole:
            passed.add(CheckName(cell, WHOLE_CELL))
    return passed
