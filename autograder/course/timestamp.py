"""Reads when a submission was handed in from its timestamp.txt, which people and platforms write in many ways.

nbgrader's own reader takes `+0200` for 200 seconds and fails on what is no time, and one such file breaks Formgrader's list of
the class. So a file that it would misread is replaced by one in nbgrader's form, or by none; the original stays beside it.
"""

from __future__ import annotations

import os
import re
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

from autograder.course.foreign import decode
from autograder.files import read_plain, write_whole
from autograder.words import one_line

NAME = "timestamp.txt"
MAX_BYTES = 240  # nbgrader's have 30
MAX_SHOWN = 60  # characters in a note
_OURS = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})? UTC")
_EPOCH = re.compile(r"(\d{9,10})(?:\.\d+)?|\d{12,13}")
_DASHES = re.compile(r"(\d{4}-\d\d-\d\d)[-_ T](\d\d)-(\d\d)-(\d\d)(?:-(\d{1,6}))?")
_DAY_OR_MONTH = re.compile(r"(?<![\d./-])(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d\d)(?!\d)")
_YEAR = re.compile(r"(?<!\d)(\d{4}|(19|20)\d{6})(?!\d)")
MONTHS = 12
# The abbreviations that mean one zone only, or nearly so, in hours from UTC.
ZONES = {
    "Z": 0, "UTC": 0, "GMT": 0, "WET": 0, "WEST": 1, "BST": 1, "CET": 1, "MEZ": 1, "CEST": 2, "MESZ": 2, "EET": 2, "EEST": 3,
    "MSK": 3, "JST": 9, "KST": 9, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13,
    "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
}  # fmt: skip


@dataclass(frozen=True)
class Timestamp:
    """When a submission was handed in, in nbgrader's form, or None if nobody can tell; and a note if there is doubt."""

    text: str | None
    note: str = ""


def settle_timestamp(folder: Path) -> Timestamp:
    """Read the time of the submission in `folder`, and leave a timestamp.txt there that nbgrader reads alike, or none.

    Where the folder cannot be written, the file stays as it is, and the note says so.
    """
    path = folder / NAME
    if not os.path.lexists(path):
        return Timestamp(None)
    try:
        data = read_plain(path, MAX_BYTES + 1)
    except OSError:
        data, timestamp = b"", Timestamp(None, f"{NAME} is no file that can be read; not counted")
    else:
        timestamp = parse_timestamp(data)
    if not data or not _nbgrader_agrees(data, timestamp.text):
        try:
            _replace(path, timestamp.text)
        except OSError as error:
            return Timestamp(
                None, f"{NAME} must be replaced for nbgrader, and cannot be ({error.strerror}); not counted"
            )
    return timestamp


def parse_timestamp(data: bytes) -> Timestamp:
    """Read the bytes of a timestamp.txt. A date whose day and month nobody can tell apart, or without a time of day, counts as
    none: a guess would cost marks."""
    if len(data) > MAX_BYTES:
        return Timestamp(None, f"{NAME} has over {MAX_BYTES} bytes, which is no time; not counted")
    text = " ".join(decode(data)[0].replace("\ufeff", "").split())
    if not text:
        return Timestamp(None, f"{NAME} is empty; not counted")
    if doubt := _find_doubt(text):
        return Timestamp(None, f"{NAME} says {_quote(text)}, which {doubt}; not counted")
    try:
        moment, zone_note = _parse(text)
        utc = moment.astimezone(UTC)
        return Timestamp(utc.strftime(f"%Y-%m-%d %H:%M:%S{'.%f' if utc.microsecond else ''} UTC"), zone_note)
    except Exception:  # dateutil does not check its input, and can raise anything
        return Timestamp(None, f"{NAME} says {_quote(text)}, which is no time; not counted")


def _quote(text: str) -> str:
    return repr(one_line(text, MAX_SHOWN))


def _find_doubt(text: str) -> str:
    if match := _DAY_OR_MONTH.search(text):
        first, second = int(match[1]), int(match[2])
        if first <= MONTHS and second <= MONTHS and first != second:
            return f"may be day {first} of month {second} or day {second} of month {first}; write year-month-day"
    return ""


def _parse(text: str) -> tuple[datetime, str]:
    """The moment that a text means, with its zone, and a note on a zone that is not known."""
    if match := _EPOCH.fullmatch(text):
        return datetime.fromtimestamp(float(text) if match[1] else int(text) / 1000, UTC), ""
    if match := _DASHES.fullmatch(text):
        text = f"{match[1]} {match[2]}:{match[3]}:{match[4]}" + (f".{match[5]}" if match[5] else "")
    from dateutil import parser

    if not _YEAR.search(text):
        raise ValueError  # dateutil would take today's year
    unknown: list[str] = []

    def find_zone(name: str | None, offset: int | None) -> tzinfo | int | None:
        if offset is not None:
            return offset
        if name is not None and name.upper() not in ZONES:
            unknown.append(name)
        return ZONES.get((name or "UTC").upper(), 0) * 3600

    day_first = bool((match := _DAY_OR_MONTH.search(text)) and int(match[1]) > MONTHS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        moment = parser.parse(text, tzinfos=find_zone, dayfirst=day_first, default=datetime(1, 1, 1))
        later = parser.parse(text, tzinfos=find_zone, dayfirst=day_first, default=datetime(2, 2, 2, 1, 1, 1))
    if moment.replace(tzinfo=None) - later.replace(tzinfo=None) not in (
        timedelta(),
        timedelta(seconds=-1),
        timedelta(seconds=-61),
    ):
        raise ValueError  # a part of the date or the hour is not in the text
    note = f"{NAME} names the time zone {_quote(unknown[0])}, which is not known; taken as UTC" if unknown else ""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)), note


def _nbgrader_agrees(data: bytes, text: str | None) -> bool:
    """Whether nbgrader reads the file as we do."""
    if text is None:
        return False
    try:
        shown = data.decode("ascii").strip()
    except UnicodeDecodeError:
        return False
    if _OURS.fullmatch(shown):
        return True
    from nbgrader.utils import parse_utc

    try:
        return bool(parse_utc(shown) == parse_utc(text))
    except Exception:  # as above
        return False


def _replace(path: Path, text: str | None) -> None:
    """Keep the file under a name that is free, and write the time in nbgrader's form if there is one. If that is interrupted, the
    file is still there."""
    number = 1
    while os.path.lexists(aside := path.with_name(f"{NAME}.original" + (f"-{number}" if number > 1 else ""))):
        number += 1
    if text and not path.is_dir():
        os.link(path, aside, follow_symlinks=False)
        write_whole(path, text.encode())
    else:
        path.rename(aside)
