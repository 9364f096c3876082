"""Gradescope: its submissions export, submission_ID/FILE with a submission_metadata.yml, and its roster."""

from __future__ import annotations

import re
from collections.abc import Sequence

from autograder.course.timestamp import parse_timestamp
from autograder.lms.archive import Archive
from autograder.lms.platform import Handed, Person, Platform
from autograder.lms.sheet import Sheet

METADATA = "submission_metadata.yml"
_NAME = re.compile(r"submission_([0-9]+)/(.+)", re.DOTALL)
_KEY = re.compile(r"(?:  - |    ):(name|sid|email): (.*)")
_TIME = re.compile(r"  :created_at: (.*)")


def read_name(path: str, _people: frozenset[str]) -> Handed | None:
    """Read a path in the export. The number is the submission's; the metadata say whose it is."""
    match = _NAME.fullmatch(path)
    return Handed(path, match[1], f"submission {match[1]}", match[2], int(match[1])) if match else None


def read_details(archive: Archive, _handed: Sequence[Handed]) -> dict[str, Person]:
    """Read the metadata: of each submission the first submitter and the time.

    Read by line and indent: what students' programs printed stands deeper.
    """
    path = next((path for path in archive.sizes if path.rpartition("/")[2] == METADATA), None)
    people: dict[str, Person] = {}
    if path is None:
        return people
    blocks = re.split(r"^submission_([0-9]+):$", archive.read(path).decode(errors="replace"), flags=re.MULTILINE)
    for number, block in zip(blocks[1::2], blocks[2::2], strict=True):
        submitters = re.split(
            r"^  :(?!submitters)", block.partition("  :submitters:\n")[2], maxsplit=1, flags=re.MULTILINE
        )[0]
        values: dict[str, str] = {}
        for key, text in _KEY.findall(submitters):
            values.setdefault(key, text.strip().strip("'\""))
        match = re.search(rf"^{_TIME.pattern}$", block, re.MULTILINE)
        time = parse_timestamp(match[1].strip().encode()).text if match else None
        student = values.get("sid") or values.get("email") or number
        people[number] = Person(number, student, values.get("name", ""), values.get("email", ""), time or "")
    return people


def read_people(sheet: Sheet) -> list[Person]:
    """Read the roster. A student's ID is the SID, else the address."""
    email = sheet.need("Email")
    sid, first, last, name = (sheet.column(title) for title in ("SID", "First Name", "Last Name", "Name"))
    people = []
    for row in sheet.rows[1:]:
        address = sheet.get(row, email)
        if student := sheet.get(row, sid) or address:
            full = sheet.get(row, name) or f"{sheet.get(row, first)} {sheet.get(row, last)}".strip()
            people.append(Person("", student, full, address))
    return people


PLATFORM = Platform("gradescope", "Gradescope", read_name, read_people, read_details)
