"""Moodle: names of its submissions archive, and its grading worksheet.

A file is called NAME_PARTICIPANT_assignsubmission_file_/FILE, or the same without the folder.
"""

from __future__ import annotations

import re

from autograder.lms.platform import Handed, Person, Platform
from autograder.lms.saved import Link
from autograder.lms.sheet import Sheet

_NAME = re.compile(r"([^/]*?)_([0-9]+)_assignsubmission_([a-z]+)(?:_?/|_)(.+)", re.DOTALL)

_FORM = re.compile(r"(?<=[0-9])_assignsubmission_file(?:_?/|_)")


def read_name(path: str, _people: frozenset[str]) -> Handed | None:
    """Read a path in the archive. The number before `assignsubmission` is the participant's, whatever the name holds."""
    match = _NAME.fullmatch(path)
    return Handed(path, match[2], match[1], match[4]) if match else None


def read_people(sheet: Sheet) -> list[Person]:
    """Read the worksheet's rows. A student's ID is the ID number, else the address, else the participant's number."""
    key = sheet.need("Identifier")
    name, number, email = (sheet.column(title) for title in ("Full name", "ID number", "Email address"))
    people = []
    for row in sheet.rows[1:]:
        if match := re.search(r"[0-9]+$", sheet.get(row, key)):
            address = sheet.get(row, email)
            student = sheet.get(row, number) or address or match[0]
            people.append(Person(match[0], student, sheet.get(row, name), address))
    return people


def feedback_name(link: Link, file: str) -> str:
    """Name a file for bulk upload, in the form that this Moodle exported. Moodle splits it at underscores, so the person's name
    may hold none."""
    match = _FORM.search(link.path)
    name = re.sub(r"[_/\\\s]+", " ", link.name).strip(" .") or "Participant"
    return f"{name}_{link.person}{match[0] if match else '_assignsubmission_file_/'}{file}"


PLATFORM = Platform("moodle", "Moodle", read_name, read_people, feedback_name=feedback_name)
