"""A grade diff: what another version of the tests makes of a submission whose grade stands. Pure data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from autograder.records.grade import CellGrade, Check, Grade, Mark


@dataclass(frozen=True)
class Change:
    """One submission whose grade is not what it was: the standing one, the other, and why, one sentence for each reason."""

    old: Grade
    new: Grade
    reasons: tuple[str, ...]
    applied: bool

    @property
    def counts(self) -> bool:
        """Whether the total is another, or what it is out of. Checks may differ without it, or a person's points stand."""
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


def reasons(old: Grade, new: Grade, marks: Mapping[str, Mark] = MappingProxyType({})) -> tuple[str, ...]:
    """In what two grades of one submission differ: scores, checks and status. A message alone is no difference, and neither is
    what was mended: beside another release, every copy of the old one has other points. `marks` are what people gave."""
    same = old.status == new.status or {old.status, new.status} == {"completed", "mended"}
    found = [] if same else [f"{new.status}, was {old.status}"]
    for name in dict.fromkeys([*old.cells, *new.cells]):
        given = marks.get(name, Mark(None)).score
        stands = "" if given is None else f"; no effect, a person gave {given:g}"
        found += [f"{name}: {said}{stands}" for said in _cell(old.cells.get(name), new.cells.get(name))]
    return tuple(found)


def _cell(old: CellGrade | None, new: CellGrade | None) -> list[str]:
    if old is None or new is None:
        return ["new" if old is None else "gone"]
    said = list(_checks(_numbered(old.checks), _numbered(new.checks)))
    if new.max_score != old.max_score:
        said.insert(0, f"worth {new.max_score:g}, was {old.max_score:g}")
    if new.trouble != old.trouble:
        said.append(new.trouble or "can be scored again")
    if new.score != old.score and not said:
        said.append(f"{_points(new)}, was {_points(old)}" + (f" ({new.error})" if new.error else ""))
    return said


def _checks(old: dict[tuple[str, int], Check], new: dict[tuple[str, int], Check]) -> Iterator[str]:
    for key in dict.fromkeys([*old, *new]):
        was, now, name = old.get(key), new.get(key), f'"{key[0]}"'
        if now is None:
            yield f"{name} is no longer checked"
        elif was is None:
            yield f"{name} is checked now, and {'passes' if now.passed else 'does not pass'}"
        else:
            if was.passed != now.passed:
                yield f"{name} {'passes now' if now.passed else 'no longer passes'}"
            if was.points != now.points:
                yield f"{name} is worth {now.points:g}, was {was.points:g}"


def _numbered(checks: tuple[Check, ...]) -> dict[tuple[str, int], Check]:
    """Checks by name; of one name, by their order."""
    seen: Counter[str] = Counter()
    numbered = {}
    for check in checks:
        numbered[check.name, seen[check.name]] = check
        seen[check.name] += 1
    return numbered


def _points(cell: CellGrade) -> str:
    return "a person's" if cell.score is None else f"{cell.score:g}"
