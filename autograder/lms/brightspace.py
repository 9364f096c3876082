"""Brightspace: names of its submissions archive, and its grades CSV.

Each submission is a folder, USER-FOLDER - NAME - DATE; the date is in the user's time zone, taken as this machine's. The CSV has
no USER, so people are matched by their names.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from autograder.lms.platform import Handed, Person, Platform
from autograder.lms.saved import Link
from autograder.lms.sheet import Sheet

_NAME = re.compile(
    r"([0-9]+)-[0-9]+ ?- ?([^/]+?) ?- ?([A-Za-z]{3,9} [0-9]{1,2}, [0-9]{4} [0-9]{3,4} [AP]M)/(.+)", re.DOTALL
)


def read_name(path: str, _people: frozenset[str]) -> Handed | None:
    """Read a path in the archive. Of one person's folders the later date counts."""
    match = _NAME.fullmatch(path)
    if not match:
        return None
    try:
        moment = _read_time(match[3])
    except ValueError:
        return None
    time = moment.strftime("%Y-%m-%d %H:%M:%S UTC")
    return Handed(path, match[1], match[2], match[4], int(moment.timestamp()), time=time)


def _read_time(text: str) -> datetime:
    date, clock, half = text.rsplit(" ", 2)
    month, rest = date.split(" ", 1)
    return datetime.strptime(f"{month[:3]} {rest} {clock.zfill(4)} {half}", "%b %d, %Y %I%M %p").astimezone(UTC)


def read_people(sheet: Sheet) -> list[Person]:
    """Read the rows. A student's ID is the Username, else the OrgDefinedId; both may begin with `#`."""
    sheet.need("OrgDefinedId", "Username")
    first, last, email = (sheet.column(title) for title in ("First Name", "Last Name", "Email"))
    ids = [sheet.column(title) for title in ("Username", "OrgDefinedId")]
    people = []
    for row in sheet.rows[1:]:
        known = [text for place in ids if (text := sheet.get(row, place).removeprefix("#"))]
        if known:
            name = f"{sheet.get(row, first)} {sheet.get(row, last)}".strip()
            people.append(Person("", known[0], name, sheet.get(row, email)))
    return people


def feedback_name(link: Link, file: str) -> str:
    """Name a file for bulk upload: in the folder that Brightspace exported."""
    folder = next((part for part in link.path.split("/") if _NAME.fullmatch(f"{part}/x")), "")
    return f"{folder}/{file}" if folder else ""


PLATFORM = Platform("brightspace", "Brightspace", read_name, read_people, feedback_name=feedback_name)
