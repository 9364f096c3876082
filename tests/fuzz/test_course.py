"""What an instructor or a TA may have mistyped, and what lies among the submissions: CourseError in one line, or a note."""

from __future__ import annotations

import contextlib
import json
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import asdict
from nbgrader.utils import parse_utc

from autograder.course import NAME, Course, read_variants
from autograder.course.timestamp import parse_timestamp
from autograder.errors import CourseError
from autograder.files import digest
from autograder.records.store import read_record, record_path
from tests.fuzz.mutations import altered, damaged
from tests.fuzz.profiles import fuzz
from tests.support import tiny

SETTINGS = b"""
seed = 3
folders = ["/usr"]
reference = "large"

[limits]
cell_seconds = 5
memory_mb = 500

[environment]
CLIP_MODEL = "ViT-B-32"
"""
KEYS = st.sampled_from(["seed", "folders", "reference", "limits.cell_seconds", "limits.memory_mb", "environment.A"])
VALUES = st.sampled_from(
    ["1e3", "-1", "1" + "0" * 30, "inf", "nan", "[1]", '"x"', "1979-05-27", '"a\\u0000b"', '["/"]']
)


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return tiny.write_course(tmp_path_factory.mktemp("fuzz") / "course")


@fuzz
@given(st.binary(max_size=60) | damaged(st.just(SETTINGS)) | st.tuples(KEYS, VALUES).map(" = ".join).map(str.encode))
@example(b"seed = " + b"[" * 5000)
@example(b"seed = " + b"9" * 5000)
@example(b"\xff")
@example(b'folders = ["/\\u0000"]')
@example(b'environment = {A = "\\u0000"}')
@example(b"limits.processes = 99999999999999999999")
@example(b"limits.cell_seconds = 4294967296")  # more than a C int holds
def test_any_settings_are_read_or_are_a_course_error(course: Course, text: bytes) -> None:
    assignment = replace(course).assignment(tiny.NAME)
    (assignment.folder / "assignment.toml").write_bytes(text)
    try:
        settings = assignment.settings
    except CourseError as error:
        assert str(assignment.folder) in str(error)
        assert "\n" not in str(error)
        return
    assert all(0 < value < 2**31 for value in asdict(settings.limits).values())
    assert not any("\0" in text for text in (*settings.environment.values(), *settings.folders))


@fuzz
@given(st.binary(max_size=60) | damaged(st.just(tiny.VARIANTS.encode())))
def test_any_variants_are_read_or_are_a_course_error(text: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "square.py"
        path.write_bytes(text)
        try:
            variants = read_variants(path)
        except CourseError as error:
            assert str(path) in str(error)
            return
        assert len({variant.label for variant in variants}) == len(variants) > 0


DATES = r"\d{1,5}[-/. ]\d{1,3}[-/. ]?\d{0,4}[T ]?[\d:.]{0,9} ?[\w+/-]{0,12}"


@fuzz
@given(st.text(max_size=30) | st.from_regex(DATES, fullmatch=True))
@example("2026-01-09 12:00:00 /etc/passwd")
@example("0001-01-01 00:00:00 +14:00")
@example("99999999999999999999")
def test_any_text_is_a_time_that_nbgrader_reads_or_a_note(text: str) -> None:
    timestamp = parse_timestamp(text.encode(errors="surrogatepass"))
    assert timestamp.note.isprintable()
    assert parse_utc(timestamp.text) if timestamp.text else timestamp.note


@fuzz
@given(st.text(max_size=120))
@example("\udcff")
@example("a\n")
def test_a_students_name_can_be_written_wherever_it_must(name: str) -> None:
    """Into JSON, CSV, HTML, a database and a folder's path."""
    if NAME.fullmatch(name):
        assert name.encode().decode() == name
        assert len(name.splitlines()) == 1
        assert Path("a", name).name == name


CHECK = {"name": "n", "points": 1, "passed": True, "message": ""}
GRADE = {
    "key": "k",
    "student": "ada",
    "assignment": "tiny",
    "status": "completed",
    "notes": ["one"],
    "isolation": [],
    "seconds": 1.0,
    "cells": {"square": {"score": 1.0, "max_score": 2.0, "checks": [CHECK], "error": "", "trouble": ""}},
}
OTHER = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.lists(st.integers(), max_size=2)


@fuzz
@given(damaged(st.just(json.dumps(GRADE).encode())) | altered(st.just(GRADE), OTHER).map(json.dumps).map(str.encode))
def test_a_damaged_record_is_a_grade_or_none(course: Course, text: bytes) -> None:
    """What is none is graded anew; what seems to be one is compared with the database."""
    assignment = course.assignment(tiny.NAME)
    path = record_path(assignment, "ada")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text)
    if record := read_record(assignment, "ada"):
        assert json.dumps(record.grade.as_json())
        assert isinstance(record.grade.score, float | None)


@fuzz
@given(
    st.dictionaries(
        st.text(st.characters(exclude_characters="/."), min_size=1, max_size=5), st.binary(max_size=9), max_size=4
    )
)
def test_the_hash_of_a_folder_tells_its_contents_apart(files: dict[str, bytes]) -> None:
    written: dict[str, bytes] = {}
    with tempfile.TemporaryDirectory() as folder:
        empty = digest(Path(folder), 100)
        for name, content in files.items():
            with contextlib.suppress(OSError, ValueError):
                (Path(folder) / name).write_bytes(content)
                written[name] = content
        before = digest(Path(folder), 100)
        assert (before == empty) == (not written)
        for name, content in written.items():
            (Path(folder) / name).write_bytes(content + b"!")
            assert digest(Path(folder), 100) != before
            (Path(folder) / name).write_bytes(content)
        assert digest(Path(folder), 100) == before
