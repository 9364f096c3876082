"""A grade diff: how another version of the tests would change the grade of a submission."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from autograder.records.grade import CellGrade, Check, Grade, Mark


@dataclass(frozen=True)
class Change:
    """A submission whose grade changes: the `old` and the `new` grade, one sentence for each difference, and whether the new
    grade was `applied`."""

    old: Grade
    new: Grade
    reasons: tuple[str, ...]
    applied: bool

    @property
    def changes_total(self) -> bool:
        """Whether the total or its maximum changes. It does not if only checks change, or if a person gave the points."""
        return (self.old.total, self.old.max_score) != (self.new.total, self.new.max_score)

    def as_json(self) -> dict[str, Any]:
        """The key `change` of a line of `--json`, documented in the README."""
        return {
            "old_score": self.old.score,
            "old_max_score": self.old.max_score,
            "new_score": self.new.score,
            "new_max_score": self.new.max_score,
            "old_total": self.old.total,
            "new_total": self.new.total,
            "reasons": list(self.reasons),
            "applied": self.applied,
        }


def list_reasons(old: Grade, new: Grade, marks: Mapping[str, Mark] = MappingProxyType({})) -> tuple[str, ...]:
    """List the differences between two grades of one submission in status, scores and checks. `marks` are those that people
    gave, by grade_id.

    A changed message alone is not reported. Neither is a change between `completed` and `mended`: after a new release, every
    copy of the old one is mended because it has other points.
    """
    is_same = old.status == new.status or {old.status, new.status} == {"completed", "mended"}
    reasons = [] if is_same else [f"{new.status}, was {old.status}"]
    for name in dict.fromkeys([*old.cells, *new.cells]):
        points = marks.get(name, Mark(None)).score
        note = "" if points is None else f"; no effect, a person gave {points:g}"
        reasons += [f"{name}: {reason}{note}" for reason in _compare_cells(old.cells.get(name), new.cells.get(name))]
    return tuple(reasons)


def _compare_cells(old: CellGrade | None, new: CellGrade | None) -> list[str]:
    if old is None or new is None:
        return ["new" if old is None else "gone"]
    reasons = list(_compare_checks(_number_checks(old.checks), _number_checks(new.checks)))
    if new.max_score != old.max_score:
        reasons.insert(0, f"worth {new.max_score:g}, was {old.max_score:g}")
    if new.trouble != old.trouble:
        reasons.append(new.trouble or "can be scored again")
    if new.score != old.score and not reasons:
        reasons.append(f"{_format_score(new)}, was {_format_score(old)}" + (f" ({new.error})" if new.error else ""))
    return reasons


def _compare_checks(old: dict[tuple[str, int], Check], new: dict[tuple[str, int], Check]) -> Iterator[str]:
    for key in dict.fromkeys([*old, *new]):
        before, after, name = old.get(key), new.get(key), f'"{key[0]}"'
        if after is None:
            yield f"{name} is no longer checked"
        elif before is None:
            yield f"{name} is checked now, and {'passes' if after.passed else 'does not pass'}"
        else:
            if before.passed != after.passed:
                yield f"{name} {'passes now' if after.passed else 'no longer passes'}"
            if before.points != after.points:
                yield f"{name} is worth {after.points:g}, was {before.points:g}"


def _number_checks(checks: tuple[Check, ...]) -> dict[tuple[str, int], Check]:
    """Return the checks by name and number: checks of the same name are numbered in their order."""
    counts: Counter[str] = Counter()
    numbered = {}
    for check in checks:
        numbered[check.name, counts[check.name]] = check
        counts[check.name] += 1
    return numbered


def _format_score(cell: CellGrade) -> str:
    return "a person's" if cell.score is None else f"{cell.score:g}"
