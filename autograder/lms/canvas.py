"""Canvas: names of its submissions archive, and its gradebook CSV.

A file is called NAME[_LATE]_USER_ATTACHMENT_FILE, or anon_ID_ATTACHMENT_FILE in an anonymous assignment. NAME is the sortable
name in lower case without anything but letters, digits and underscores. Text that was typed in is called NAME_USER_text.html.
"""

from __future__ import annotations

import re

from autograder.lms.platform import Handed, Person, Platform
from autograder.lms.saved import Link
from autograder.lms.sheet import Sheet

_ANONYMOUS = re.compile(r"(?:LATE_)?(anon_[A-Za-z0-9]+)_([0-9]+)_(.+)", re.DOTALL)
_ONLINE = re.compile(r"(.*?)_?(LATE_)?([0-9]+)_(text|link)(?:-[0-9]+)?\.html")


def read_name(path: str, people: frozenset[str]) -> Handed | None:
    """Read the name of a file in the archive.

    Canvas itself takes the first two numbers between underscores for the ids. A name that ends in a number, as in `doe_2`, has
    one more; the roster's ids tell which is meant.
    """
    if "/" in path:
        return None
    if match := _ANONYMOUS.fullmatch(path):
        return Handed(path, match[1], match[1], match[3], int(match[2]), path.startswith("LATE_"))
    if match := _ONLINE.fullmatch(path):
        return Handed(path, match[3], match[1], f"{match[4]}.html", 0, bool(match[2]))
    parts = path.split("_")
    pairs = [
        place
        for place in range(len(parts) - 2)
        if re.fullmatch(r"[0-9]+", parts[place]) and re.fullmatch(r"[0-9]+", parts[place + 1])
    ]
    if not pairs:
        return None
    place = next((each for each in pairs if parts[each] in people), pairs[0])
    name, late = parts[:place], place > 0 and parts[place - 1] == "LATE"
    shown = "_".join(name[:-1] if late else name)
    return Handed(path, parts[place], shown, "_".join(parts[place + 2 :]), int(parts[place + 1]), late)


def read_people(sheet: Sheet) -> list[Person]:
    """Read the gradebook's rows. A student's ID is the SIS login, else the SIS id, else Canvas's own."""
    key, name = sheet.need("ID"), sheet.need("Student")
    ids = [sheet.column(title) for title in ("SIS Login ID", "SIS User ID")]
    people = []
    for row in sheet.rows[1:]:
        if person := sheet.get(row, key):  # the row of points has none
            student = next((text for place in ids if (text := sheet.get(row, place))), person)
            people.append(Person(person, student, sheet.get(row, name)))
    return people


def feedback_name(link: Link, file: str) -> str:
    """Name a file for bulk upload.

    Canvas splits the name at underscores, leaves out LATE, and takes the first two numbers for user and attachment, so the name
    before them may hold no underscore and be no number. Text that was typed in has no attachment.
    """
    if not link.attempt:
        return ""
    if link.person.startswith("anon_"):
        return f"{link.person}_{link.attempt}_{file}"
    name = re.sub(r"[\W_]", "", link.name).lower()
    return f"{f'n{name}' if name.isdigit() else name or 'n'}_{link.person}_{link.attempt}_{file}"


PLATFORM = Platform("canvas", "Canvas", read_name, read_people, feedback_name=feedback_name)
