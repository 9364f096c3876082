"""Reads a CSV file of an LMS so that single fields can be changed and every other byte stays as it was."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.course.foreign import decode
from autograder.errors import CourseError
from autograder.files import read_plain

MAX_BYTES = 64 * 2**20  # a gradebook of 1,000 students and 100 columns has 1 MB
MAX_NAMED = 8  # columns in a message
_BOM = "\ufeff"


@dataclass(frozen=True)
class Sheet:
    """A table: its file, and its rows of raw fields, quotes included. The first row is the header."""

    path: Path
    rows: list[list[str]]
    ends: list[str]
    separator: str
    start: str = ""

    @property
    def header(self) -> list[str]:
        """The titles of the columns."""
        return [value(field) for field in self.rows[0]]

    def column(self, *titles: str) -> int | None:
        """The place of the first of these titles that the header has, whatever the case; None if it has none."""
        header = [title.strip().casefold() for title in self.header]
        return next((header.index(title.casefold()) for title in titles if title.casefold() in header), None)

    def need(self, *titles: str) -> int:
        """The same; CourseError if the header has none of them."""
        place = self.column(*titles)
        if place is None:
            there = ", ".join(self.header[:MAX_NAMED])
            raise CourseError(
                f"{self.path} has no column {' or '.join(titles)}, but: {there}; export it from the LMS in English"
            )
        return place

    def get(self, row: Sequence[str], place: int | None) -> str:
        """The value of a row's field; "" where the row is too short or the table lacks the column."""
        return value(row[place]).strip() if place is not None and place < len(row) else ""

    def text(self) -> str:
        """The file's text."""
        return self.start + "".join(
            self.separator.join(row) + end for row, end in zip(self.rows, self.ends, strict=True)
        )


def value(field: str) -> str:
    """What a raw field says: without its quotes."""
    if len(field) >= 2 and field[0] == field[-1] == '"':
        return field[1:-1].replace('""', '"')
    return field


def read_sheet(path: Path) -> Sheet:
    """Read a CSV file; CourseError if it is none or too large."""
    try:
        data = read_plain(path, MAX_BYTES + 1)
    except OSError as error:
        raise CourseError(f"{path} cannot be read: {error.strerror}") from None
    text, doubt = decode(data)
    start = _BOM if data.startswith(b"\xef\xbb\xbf") else ""
    text = text.removeprefix(_BOM)
    if len(data) > MAX_BYTES or "\0" in text or not text.strip():
        raise CourseError(f"{path} is no CSV file; export it from the LMS again")
    if doubt or not data.startswith((start + text[:20]).encode()[:20]):
        raise CourseError(f"{path} is not in UTF-8; export it from the LMS again, and do not save it in a spreadsheet")
    first = text.splitlines()[0]
    separator = max(",;\t", key=first.count)
    rows, ends = _split(path, text, separator)
    return Sheet(path, rows, ends, separator, start)


def _split(path: Path, text: str, separator: str) -> tuple[list[list[str]], list[str]]:
    """Split a text into raw fields; a quoted field may hold separators, line ends and doubled quotes."""
    token = re.compile(
        rf'("(?:[^"]|"")*"[^{separator}\r\n]*|[^{separator}\r\n"][^{separator}\r\n]*|)({separator}|\r\n|\n|\r|\Z)'
    )
    rows: list[list[str]] = [[]]
    ends: list[str] = []
    place = 0
    while True:
        match = token.match(text, place)
        if not match:
            raise CourseError(f"{path} is no whole CSV file: row {len(rows)} ends inside quotes; export it again")
        rows[-1].append(match[1])
        place = match.end()
        if match[2] != separator:
            ends.append(match[2])
            if place == len(text):
                return rows, ends
            rows.append([])
