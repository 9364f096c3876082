"""Plans a collection: from the names in an export and what is here already, who gets which files and why."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any

from autograder.course import NAME
from autograder.course.candidates import is_named_like_a_notebook
from autograder.course.foreign import describe_name
from autograder.errors import CourseError
from autograder.lms.platform import Handed, Person
from autograder.lms.recognize import Listing
from autograder.lms.saved import Link, Saved
from autograder.words import MAX_NAME, one_line

MAX_NAMES = 5  # files in one note
_AGAIN = re.compile(r"(?:-([0-9]{1,3})| \(([0-9]{1,3})\))$")  # what an LMS or a browser adds to a file's name


class Action(StrEnum):
    """What happens to a student's folder."""

    NEW = "new"
    NEWER = "replaced"
    SAME = "unchanged"
    KEPT = "kept"
    NOTHING = "nothing"


WRITES = (Action.NEW, Action.NEWER)


@dataclass(frozen=True)
class Row:
    """What happens to one person's submission: which files of the export become which files of the folder, and why."""

    student: str
    action: Action
    link: Link
    files: Mapping[str, str] = field(default_factory=dict)  # name in the folder -> path in the export
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The row as plain data."""
        return {
            "student": self.student, "action": str(self.action), "name": self.link.name, "lms_id": self.link.person,
            "late": self.link.late, "time": self.link.time or None, "files": dict(self.files), "notes": list(self.notes),
        }  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """A collection: the LMS, a row for each person, and the paths in the export that are nobody's."""

    platform: str
    rows: Sequence[Row]
    others: Sequence[str]


@dataclass(frozen=True)
class Here:
    """What the course has: the hash of each student's folder, as `hash_files` makes it, what earlier collections kept, and the
    name of the notebook that it expects. Where the caller `replaces`, the export's submission counts, whatever is here."""

    hashes: Mapping[str, str]
    saved: Saved
    notebook: str
    replaces: bool = False


def hash_files(digests: Mapping[str, str]) -> str:
    """Hash the notebooks of one folder, given the digest of each by its name."""
    lines = "".join(f"{digest} {name}\n" for name, digest in sorted(digests.items()))
    return hashlib.sha256(lines.encode(errors="surrogateescape")).hexdigest()


def make_plan(
    listing: Listing, people: Sequence[Person], digests: Mapping[str, str], faults: Mapping[str, str], here: Here
) -> Plan:
    """Plan who gets what; `digests` are those of the export's notebooks by path, and `faults` say which files are not read and
    why.

    A submission that is here stays unless an earlier collection put it here and the export's is no older.
    CourseError if the roster or the export gives two people one student ID.
    """
    by_person = defaultdict(list)
    for file in listing.handed:
        by_person[file.person].append(file)
    known = _Known(people, here.saved)
    rows: list[Row] = []
    for files in by_person.values():
        person = known.find(files[0])
        row = _choose(person, files, here.notebook, faults)
        rows.append(_settle(row, {target: digests[path] for target, path in row.files.items()}, here))
    _refuse_twins([row.student for row in rows])
    there = {row.student for row in rows}
    for person in people:
        if person.student not in there:
            rows.append(Row(person.student, Action.NOTHING, _link(person), notes=("handed in nothing",)))
    return Plan(listing.platform.name, sorted(rows, key=lambda row: row.student), listing.others)


class _Known:
    """Finds the person of a file: in the roster by id or, where that lacks the ids, by name; or as it was collected before."""

    def __init__(self, people: Sequence[Person], saved: Saved) -> None:
        _refuse_twins([person.student for person in people])
        _refuse_twins([person.person for person in people if person.person])
        self._by_id = {person.person: person for person in people if person.person}
        self._by_name: dict[str, list[Person]] = defaultdict(list)
        for person in people:
            if not person.person:
                self._by_name[person.name.casefold()].append(person)
        self._earlier = {link.person: student for student, link in saved.links.items()}

    def find(self, file: Handed) -> Person:
        """The person who handed in this file; one without a roster is called by the LMS's id."""
        same_name = self._by_name[file.name.casefold()]
        person = self._by_id.get(file.person) or (same_name[0] if len(same_name) == 1 else None)
        student = person.student if person else self._earlier.get(file.person, file.person)
        found = person or Person(file.person, student)
        return Person(file.person, student, found.name or file.name, found.email, found.time)


def _refuse_twins(ids: Sequence[str]) -> None:
    seen: set[str] = set()
    for each in ids:
        if each in seen:
            raise CourseError(f"two people have the id {one_line(each, MAX_NAME)}; correct the roster")
        seen.add(each)


def _link(person: Person, file: Handed | None = None) -> Link:
    if file is None:
        return Link(person.person, person.name, person.email)
    time = file.time or person.time
    return Link(person.person, person.name, person.email, file.path, file.file, file.attempt, file.late, time)


def _choose(person: Person, files: Sequence[Handed], name: str, faults: Mapping[str, str]) -> Row:
    """Choose among a person's files: of one file's attempts the latest, and of the rest every notebook that can be read."""
    named = _latest([file for file in files if is_named_like_a_notebook(file.file, name)])
    notebooks = [file for file in named if file.path not in faults]
    last = max(notebooks or files, key=lambda file: (file.attempt, file.path))
    link = _link(person, last)
    notes = ["late"] if link.late else []
    notes += [
        f"{one_line(file.file, MAX_NAME)} {faults[file.path]}; not collected" for file in named if file.path in faults
    ]
    if not NAME.fullmatch(person.student):
        return Row(person.student, Action.NOTHING, link, notes=(*notes, "this is not a valid student ID"))
    if not notebooks and named:
        return Row(person.student, Action.NOTHING, link, notes=tuple(notes))
    if not notebooks:
        return Row(person.student, Action.NOTHING, link, notes=(*notes, f"no notebook, but {_describe(files)}"))
    if len(notebooks) == 1:
        return Row(person.student, Action.NEW, link, {f"{name}.ipynb": last.path}, tuple(notes))
    notes.append(f"{len(notebooks)} notebooks ({_list(notebooks)}); `autograder grade` takes the one with more answers")
    return Row(person.student, Action.NEW, link, _name_apart(notebooks), tuple(notes))


def _latest(files: Sequence[Handed]) -> list[Handed]:
    """Of files whose names differ only in the number of an attempt, keep the latest; of an earlier submission, none."""
    latest: dict[str, tuple[int, int, Handed]] = {}
    for file in files:
        path = PurePosixPath(file.file)
        match = _AGAIN.search(path.stem)
        number = int(match[1] or match[2]) if match else 0
        key = f"{path.stem[: match.start()] if match else path.stem}{path.suffix}"
        if key not in latest or (number, file.attempt) > latest[key][:2]:
            latest[key] = (number, file.attempt, file)
    return [file for _number, _attempt, file in latest.values()]


def _name_apart(files: Sequence[Handed]) -> dict[str, str]:
    """Name several notebooks by their own names; a folder around one becomes a part of its name, and equal names get numbers."""
    named: dict[str, str] = {}
    for file in files:
        path = PurePosixPath(file.file.replace("/", "-").lstrip("."))
        target, number = str(path), 1
        while target in named:
            number += 1
            target = f"{path.stem}_{number}{path.suffix}"
        named[target] = file.path
    return named


def _list(files: Sequence[Handed]) -> str:
    more = f" and {len(files) - MAX_NAMES} more" if len(files) > MAX_NAMES else ""
    return ", ".join(one_line(file.file, MAX_NAME) for file in files[:MAX_NAMES]) + more


def _describe(files: Sequence[Handed]) -> str:
    kind = describe_name(files[0].file) if len(files) == 1 else ""
    return f"{kind}: {_list(files)}" if kind else _list(files)


def _settle(row: Row, digests: Mapping[str, str], here: Here) -> Row:
    """Decide what happens to the submission that is here already."""
    if not row.files:
        return row
    fresh, current = hash_files(digests), here.hashes.get(row.student)
    earlier = here.saved.links.get(row.student)
    before = earlier.collected if earlier else ()
    link = replace(row.link, collected=(*(each for each in before if each != fresh), fresh))
    if current is None:
        return replace(row, action=Action.NEW, link=link)
    if current == fresh:
        return replace(row, action=Action.SAME, link=link)
    if not here.replaces and (reason := _why_keep(row.link, fresh, current, earlier)):
        notes = (*row.notes, f"{reason}; --replace takes the export's")
        return Row(row.student, Action.KEPT, earlier or row.link, notes=notes)
    return replace(row, action=Action.NEWER, link=link)


def _why_keep(link: Link, fresh: str, current: str, earlier: Link | None) -> str:
    """Why the submission that is here stays; "" if the export's is later. Without attempts, one that was collected and
    replaced before is the older."""
    if earlier is None or current not in earlier.collected:
        return "another one is here, which was not collected or was edited"
    if link.attempt != earlier.attempt:
        return "a later one is here" if link.attempt < earlier.attempt else ""
    order = earlier.collected
    return "a later one is here" if fresh in order and order.index(fresh) < order.index(current) else ""
