"""When a submission was handed in: what people and platforms write, and what is left for nbgrader."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbgrader.utils import parse_utc

from autograder.course.timestamp import MAX_BYTES, parse_timestamp, settle_timestamp


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-09 12:00:00 UTC", "2026-01-09 12:00:00"),
        ("2026-01-09 12:00:00.250000 UTC", "2026-01-09 12:00:00.250000"),
        ("2026-01-10 01:30:00 +0200", "2026-01-09 23:30:00"),
        ("2026-01-10 01:30:00 +02:00", "2026-01-09 23:30:00"),
        ("2026-01-10 01:30:00+02", "2026-01-09 23:30:00"),
        ("2026-01-09 20:00:00 -0530", "2026-01-10 01:30:00"),
        ("2026-01-09 20:00:00 EST", "2026-01-10 01:00:00"),
        ("2026-07-09 20:00:00 CEST", "2026-07-09 18:00:00"),
        ("2026-01-09T23:59:59.999Z", "2026-01-09 23:59:59.999000"),
        ("2026-01-09T23:59:59+01:00", "2026-01-09 22:59:59"),
        ("20260109T235959Z", "2026-01-09 23:59:59"),
        ("2026-01-09 8:25 PM", "2026-01-09 20:25:00"),
        ("Fri, 9 Jan 2026 20:25:53 +0000", "2026-01-09 20:25:53"),
        ("January 9, 2026 at 8:25 PM UTC", "2026-01-09 20:25:00"),
        ("31/01/2026 01:00", "2026-01-31 01:00:00"),
        ("01/31/2026 01:00", "2026-01-31 01:00:00"),
        ("07.07.2026 01:00", "2026-07-07 01:00:00"),
        ("2026-01-09-20-25-53-460007", "2026-01-09 20:25:53.460007"),
        ("1768003200", "2026-01-10 00:00:00"),
        ("1768003200.5", "2026-01-10 00:00:00.500000"),
        ("1768003200000", "2026-01-10 00:00:00"),
        ("\ufeff2026-01-09 12:00:00 UTC\r\n", "2026-01-09 12:00:00"),
        ("2026-01-09 12:00:00 XYZ", "2026-01-09 12:00:00"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_time_is_read_however_it_is_written(tmp_path: Path, text: str, moment: str, encoding: str) -> None:
    """And nbgrader, which Formgrader's lists ask, then reads the same moment from the file."""
    file = tmp_path / "timestamp.txt"
    file.write_bytes(text.encode(encoding))
    timestamp = settle_timestamp(tmp_path)
    assert timestamp.text is not None, timestamp.note
    assert parse_utc(timestamp.text) == datetime.fromisoformat(moment)
    assert parse_utc(file.read_text(encoding="ascii").strip()) == datetime.fromisoformat(moment)
    assert bool(timestamp.note) == ("XYZ" in text)


@pytest.mark.parametrize(
    ("data", "note"),
    [
        (b"last Friday", "timestamp.txt says 'last Friday', which is no time; not counted"),
        (b"", "timestamp.txt is empty; not counted"),
        (b"2026-01-09", "timestamp.txt says '2026-01-09', which is no time; not counted"),
        (b"12:00", "timestamp.txt says '12:00', which is no time; not counted"),
        (b"2026-13-09 12:00:00 UTC", "timestamp.txt says '2026-13-09 12:00:00 UTC', which is no time; not counted"),
        (
            b"10/01/2026 01:00",
            "timestamp.txt says '10/01/2026 01:00', which may be day 10 of month 1 or day 1 of month 10; write year-month-day; "
            "not counted",
        ),
        (b"\x00\xff\x1b[31m", None),
        (b"9" * 5_000, f"timestamp.txt has over {MAX_BYTES} bytes, which is no time; not counted"),
    ],
)
def test_what_is_no_time_is_not_counted_and_moved_aside(tmp_path: Path, data: bytes, note: str | None) -> None:
    """So that Formgrader's list, which fails on it, works; nothing of it is lost."""
    (tmp_path / "timestamp.txt").write_bytes(data)
    timestamp = settle_timestamp(tmp_path)
    assert timestamp.text is None
    assert note is None or timestamp.note == note
    assert timestamp.note.isprintable()
    assert [path.name for path in tmp_path.iterdir()] == ["timestamp.txt.original"]
    assert (tmp_path / "timestamp.txt.original").read_bytes() == data
    assert settle_timestamp(tmp_path).text is None


def test_nothing_is_changed_where_nbgrader_reads_the_same(tmp_path: Path) -> None:
    for text in ("2026-01-09 12:00:00 UTC", "2026-01-09 12:00:00.5 UTC\n", "2026-01-09T12:00:00+02:00"):
        (tmp_path / "timestamp.txt").write_text(text)
        assert settle_timestamp(tmp_path).text
        assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"timestamp.txt": text}


def test_a_link_a_folder_and_a_second_odd_file_are_moved_aside(tmp_path: Path) -> None:
    (tmp_path / "others").write_text("2026-01-09 12:00:00 UTC")
    (tmp_path / "timestamp.txt").symlink_to(tmp_path / "others")
    assert settle_timestamp(tmp_path).text is None
    (tmp_path / "timestamp.txt").mkdir()
    assert settle_timestamp(tmp_path).text is None
    assert {path.name for path in tmp_path.iterdir()} == {
        "others",
        "timestamp.txt.original",
        "timestamp.txt.original-2",
    }


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2099, 1, 1)), st.timezones())
def test_every_moment_in_every_zone_is_read_as_it_was_meant(moment: datetime, zone: object) -> None:
    aware = moment.replace(microsecond=0, tzinfo=zone)  # type: ignore[arg-type]
    offset = aware.utcoffset()
    if (
        offset is None or offset.total_seconds() % 60
    ):  # zones of the past were not at whole minutes, which no format can say
        return
    for text in (aware.isoformat(), aware.strftime("%Y-%m-%d %H:%M:%S %z"), aware.strftime("%a, %d %b %Y %H:%M:%S %z")):
        read = parse_timestamp(text.encode()).text
        assert read is not None, text
        assert parse_utc(read) == aware.astimezone(UTC).replace(tzinfo=None)
