"""Measures how much room a tolerance leaves between right answers and the mistakes that it must catch."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass

from autograder.checks.comparisons import Place, Shares
from autograder.proof.expectation import Expectation
from autograder.proof.results import Result, read_comparisons

# Right answers in this course need at most 0.05 of their tolerances. A cosine was off by 1.5e-6 without oneDNN and by 3e-7 with
# it, so on an untried machine a right answer may need five times what it needs here.
ROOM = 5

Key = tuple[str, Place]  # a test cell and a comparison in it
Extremes = dict[Key, tuple[float, str]]  # a deviation as a share of the tolerance, and the submission that it came from


@dataclass(frozen=True)
class Comparisons:
    """What one submission compared, by test cell, and the cells in which it got full marks.

    Of a chaff these are only the cells that should catch it.
    """

    name: str
    is_right: bool
    shares: Mapping[str, Shares]
    whole: frozenset[str] = frozenset()

    def list_shares(self) -> Iterator[tuple[Key, float]]:
        """Yield every comparison with its deviation as a share of the tolerance: more than 1 is outside."""
        for cell, shares in self.shares.items():
            for place, share in shares.items():
                yield (cell, place), share


@dataclass(frozen=True)
class Margin:
    """One comparison of a test cell, with the deviations nearest to its tolerance, as shares of it.

    `right` is the largest deviation of a right answer and `wrong` the smallest of a chaff that the comparison catches, None if
    it catches none; each has the name of the submission that it came from.
    """

    cell: str
    place: Place
    check: str
    code: str
    right: float
    right_by: str
    wrong: float | None
    wrong_by: str

    @property
    def tolerance(self) -> str:
        """The tolerance in words: `rtol 1e-05, atol 1e-06`."""
        parts = [f"{name} {value:g}" for name, value in (("rtol", self.place.rtol), ("atol", self.place.atol)) if value]
        return ", ".join(parts) or "none"

    @property
    def fault(self) -> str:
        """What is wrong with the tolerance, as one line; "" if it leaves room."""
        if self.right * ROOM <= 1:
            return ""
        where = f"{self.cell}, {self.check}: `{self.code}`" if self.check else f"{self.cell}: `{self.code}`"
        need = f"right answers ({self.right_by}) need {self.right:.2g} of the tolerance ({self.tolerance})"
        if self.wrong is not None and self.wrong <= self.right * ROOM:
            return (
                f"{where}: {need} and a mistake ({self.wrong_by}) {self.wrong:.2g} of it: no tolerance separates them"
            )
        return f"{where}: {need}; on another machine rounding may be {ROOM} times as large: widen the tolerance"


def collect_comparisons(expected: Expectation, result: Result) -> Comparisons:
    """Collect what a trial compared; of a chaff, only in the cells that should catch it."""
    cells = result.grade.cells
    compared = read_comparisons(result)
    shares = {cell: compared[cell] for cell in compared if expected.is_right or cell in expected.less}
    whole = frozenset(name for name in cells if cells[name].whole)
    return Comparisons(result.grade.student, expected.is_right, shares, whole)


def measure_margins(comparisons: Iterable[Comparisons], sources: Mapping[str, str]) -> list[Margin]:
    """Measure the margin of every comparison that right answers reach, in the order of the cells.

    `sources` are the texts of the test cells, by grade_id.
    """
    right: Extremes = {}
    wrong: Extremes = {}
    negated: set[Key] = set()  # `assert not is_close(...)`: right answers deviate there, and should
    for submission in comparisons:
        for key, share in submission.list_shares():
            if submission.is_right:
                if share > 1 and key[0] in submission.whole:
                    negated.add(key)
                if share > right.get(key, (-1.0, ""))[0]:
                    right[key] = (share, submission.name)
            elif 1 < share < wrong.get(key, (math.inf, ""))[0]:
                wrong[key] = (share, submission.name)
    cells = list(sources)
    keys = sorted(right.keys() - negated, key=lambda key: (cells.index(key[0]), key[1].outer, *astuple(key[1])))
    return [_make_margin(key, sources[key[0]], right[key], wrong.get(key)) for key in keys]


def _make_margin(key: Key, source: str, right: tuple[float, str], wrong: tuple[float, str] | None) -> Margin:
    cell, place = key
    code = source.splitlines()[place.line - 1].strip() if place.line else ""
    return Margin(cell, place, _find_check(source, place.outer), code, *right, *(wrong or (None, "")))


def _find_check(source: str, line: int) -> str:
    """The name of the check that holds this line of a test cell, with `…` for what an f-string fills in; "" if none does."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.With) and node.lineno <= line <= (node.end_lineno or 0):
            call = node.items[0].context_expr
            if isinstance(call, ast.Call) and call.args:
                name = call.args[0]
                parts = name.values if isinstance(name, ast.JoinedStr) else [name]
                return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in parts)
    return ""
