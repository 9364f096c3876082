"""How much room a tolerance has: between the largest deviation of a right answer and the smallest of a mistake caught there."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass

from autograder.checks.comparisons import Place, Shares
from autograder.judge.job import Judged
from autograder.proof.proof import Expectation

# Right answers need at most 0.05 of their tolerances in this course. Without oneDNN a cosine was seen to deviate five times as
# far as with it (1.5e-6 and 3e-7), so on a machine that nobody has tried, a right answer may need five times what it needs here.
ROOM = 5


@dataclass(frozen=True)
class Compared:
    """What one submission compared, by test cell: a right answer, or a chaff in those cells that should catch it; and the
    cells in which it lost nothing."""

    name: str
    is_right: bool
    shares: Mapping[str, Shares]
    whole: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Margin:
    """One comparison of a test cell. `right` and `wrong` are deviations as shares of the tolerance: the largest of right
    answers, and the smallest of chaffs that are caught there (None where none is), each with whose it is."""

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
        parts = [f"{name} {value:g}" for name, value in (("rtol", self.place.rtol), ("atol", self.place.atol)) if value]
        return ", ".join(parts) or "none"

    @property
    def fault(self) -> str:
        """What is wrong with the tolerance, as one line; "" if it leaves room."""
        if self.right * ROOM <= 1:
            return ""
        where = f"{self.cell}, {self.check}: `{self.code}`" if self.check else f"{self.cell}: `{self.code}`"
        used = f"right answers ({self.right_by}) need {self.right:.2g} of the tolerance ({self.tolerance})"
        if self.wrong is not None and self.wrong <= self.right * ROOM:
            return (
                f"{where}: {used}, and {self.wrong_by} deviates by {self.wrong:.2g} of it: no tolerance stands between"
            )
        return f"{where}: {used}; another machine may round {ROOM} times as much"


def compared_by(expected: Expectation, result: Judged) -> Compared:
    """What a submission of the instructor's compared; of a wrong one, in the cells that should catch it."""
    cells = result.grade.cells
    is_right = expected.is_right
    shares = {cell: found for cell, found in result.compared.items() if is_right or cell in expected.less}
    return Compared(result.grade.student, is_right, shares, frozenset(name for name in cells if cells[name].whole))


def margins(compared: Iterable[Compared], sources: Mapping[str, str]) -> list[Margin]:
    """The margin of every comparison that right answers reach, in the order of the cells; `sources` are their texts."""
    right: dict[tuple[str, Place], tuple[float, str]] = {}
    wrong: dict[tuple[str, Place], tuple[float, str]] = {}
    questions = set()  # places whose answer may be no: `assert not is_close(...)`
    for submission in compared:
        for cell, shares in submission.shares.items():
            for place, share in shares.items():
                key = (cell, place)
                if submission.is_right and share > 1 and cell in submission.whole:
                    questions.add(key)
                if submission.is_right and share > right.get(key, (-1.0, ""))[0]:
                    right[key] = (share, submission.name)
                if not submission.is_right and 1 < share < wrong.get(key, (math.inf, ""))[0]:
                    wrong[key] = (share, submission.name)
    cells = list(sources)
    kept = sorted(right.keys() - questions, key=lambda key: (cells.index(key[0]), key[1].outer, *astuple(key[1])))
    return [_margin(cell, place, sources[cell], right, wrong) for cell, place in kept]


def _margin(
    cell: str,
    place: Place,
    source: str,
    right: Mapping[tuple[str, Place], tuple[float, str]],
    wrong: Mapping[tuple[str, Place], tuple[float, str]],
) -> Margin:
    line = source.splitlines()[place.line - 1].strip() if place.line else ""
    share, name = wrong.get((cell, place), (None, ""))
    return Margin(cell, place, _check_at(source, place.outer), line, *right[cell, place], share, name)


def _check_at(source: str, line: int) -> str:
    """The name of the check that holds this line of a test cell; what its loop puts into the name is left open."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.With) and node.lineno <= line <= (node.end_lineno or 0):
            call = node.items[0].context_expr
            if isinstance(call, ast.Call) and call.args:
                name = call.args[0]
                parts = name.values if isinstance(name, ast.JoinedStr) else [name]
                return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in parts)
    return ""
