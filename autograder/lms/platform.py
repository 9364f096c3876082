"""What an LMS is to this room: how it names the files that it exports, and what it matches by on the way back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from autograder.lms.archive import Archive
from autograder.lms.saved import Link
from autograder.lms.sheet import Sheet


@dataclass(frozen=True)
class Handed:
    """One file that a person handed in, as the LMS's export names it.

    `person` is the LMS's own id of the person, or of a submission where it has no other; `file` is the student's name for the
    file. Of two `attempt`s the greater is the later; `time` is when it was handed in, in nbgrader's form, "" if the export does
    not say.
    """

    path: str
    person: str
    name: str
    file: str
    attempt: int = 0
    late: bool = False
    time: str = ""


@dataclass(frozen=True)
class Person:
    """A person of the course: the LMS's id, the student ID that names the folder, and what else a roster says."""

    person: str
    student: str
    name: str = ""
    email: str = ""
    time: str = ""


@dataclass(frozen=True)
class Platform:
    """An LMS, by the functions that know its rules.

    `read_name` reads one path of an export, given the ids that a roster names, and returns None for a path that is none of this
    LMS's. `read_people` reads its roster. `details` reads what else an archive says, by the person's id. `feedback_name` names a
    file in the archive for bulk upload, given whose it is and the file's own name: None where the LMS takes no such archive, and
    it returns "" where the LMS could not match this person.
    """

    name: str
    title: str
    read_name: Callable[[str, frozenset[str]], Handed | None]
    read_people: Callable[[Sheet], Sequence[Person]]
    details: Callable[[Archive, Sequence[Handed]], Mapping[str, Person]] = lambda _archive, _handed: {}
    feedback_name: Callable[[Link, str], str] | None = None
