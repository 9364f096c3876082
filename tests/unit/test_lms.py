"""Collecting from an LMS's export: who gets what, what is refused, and what happens to what is here."""

from __future__ import annotations

import io
import json
import random
import re
import shutil
import stat
import unicodedata
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from autograder.cli import main
from autograder.course import Assignment, Course, open_course
from autograder.course import notebook as nb
from autograder.errors import CourseError
from autograder.lms import archive
from autograder.lms.archive import open_archive
from autograder.lms.brightspace import PLATFORM as BRIGHTSPACE
from autograder.lms.canvas import PLATFORM as CANVAS
from autograder.lms.gradescope import PLATFORM as GRADESCOPE
from autograder.lms.gradesheet import Score, fill
from autograder.lms.moodle import PLATFORM as MOODLE
from autograder.lms.pack import pack_pages
from autograder.lms.recognize import recognize
from autograder.lms.saved import Link, Saved
from autograder.lms.sheet import Sheet, read_sheet
from tests.support.tiny import NAME, Desk

CANVAS_ROSTER = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Squares (77)\n    Points Possible,,,,,5\n"
    '"Doe, Jane",345,S1,jane,One,\n"O\'Neil, Zoë",346,S2,zoe,One,\n"Last, Lea",347,S3,lea,One,\n'
)
NAMES = st.text(
    st.one_of(
        st.sampled_from("_ ,'-.12äøßéñ李अ"), st.characters(exclude_characters="/\\\0", exclude_categories=["Cs", "Cc"])
    ),
    min_size=1,
    max_size=20,
).map(lambda text: unicodedata.normalize("NFC", text))
IDS = st.integers(1, 10**9).map(str)


@pytest.fixture
def course(tiny: Course, tmp_path: Path) -> Course:
    return open_course(shutil.copytree(tiny.root, tmp_path / "course"))


@pytest.fixture
def assignment(course: Course) -> Assignment:
    return course.assignment(NAME)


@pytest.fixture
def run(course: Course) -> Callable[..., Result]:
    def invoke(*arguments: object) -> Result:
        return CliRunner().invoke(main, [*map(str, arguments), "--course", str(course.root)])

    return invoke


def zipped(path: Path, files: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return path


def answered(assignment: Assignment, essay: str = "Mine.") -> bytes:
    return json.dumps(Desk(assignment).answered(essay=essay)).encode()


def lines(done: Result) -> dict[str, dict[str, Any]]:
    """The rows of `--json` by student."""
    assert done.exit_code == 0, done.output
    return {row["student"]: row for row in map(json.loads, done.stdout.splitlines())}


def everything(course: Course) -> dict[str, bytes]:
    root = course.submitted.parent
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


# What the LMSs do, in their own order of steps.


def canvas_name(sortable: str, late: bool, user: str, attachment: str, file: str) -> str:
    """How Canvas names a file: underscores around a number go, then whatever is no word character."""
    base = "_".join([re.sub(r"_([0-9]+)_", r"\1", sortable).lower(), *(["LATE"] if late else []), user])
    base = "".join(
        c
        for c in base
        if c == "_" or unicodedata.category(c)[0] in "LM" or unicodedata.category(c) in ("Nd", "Nl", "Pc")
    )
    return f"{base}_{attachment}_{file}"


@given(
    NAMES, st.booleans(), IDS, IDS, st.sampled_from(["tiny.ipynb", "my_1_2_3.ipynb", "a b-1.ipynb", "lösung_7.ipynb"])
)
def test_a_name_that_canvas_wrote_gives_back_user_attachment_and_file(
    sortable: str, late: bool, user: str, attachment: str, file: str
) -> None:
    path = canvas_name(sortable, late, user, attachment, file)
    handed = CANVAS.read_name(path, frozenset([user]))
    assert handed is not None
    sure = not re.search(r"(^|_)[0-9]+(_|$)", canvas_name(sortable, False, "u", "", "").partition("_u_")[0])
    if sure:
        assert (handed.person, handed.attempt, handed.file, handed.late) == (user, int(attachment), file, late)
        assert CANVAS.read_name(path, frozenset()) == handed  # and no roster is needed


@pytest.mark.parametrize(
    ("path", "person", "attempt", "file", "late"),
    [
        ("doejane_345_678_tiny.ipynb", "345", 678, "tiny.ipynb", False),
        ("doejane_LATE_345_678_tiny-1.ipynb", "345", 678, "tiny-1.ipynb", True),
        ("anon_x7Yz1_678_tiny.ipynb", "anon_x7Yz1", 678, "tiny.ipynb", False),
        ("LATE_anon_x7Yz1_678_tiny.ipynb", "anon_x7Yz1", 678, "tiny.ipynb", True),
        ("doe_2_345_678_tiny.ipynb", "345", 678, "tiny.ipynb", False),
        ("12_345_678_9_tiny.ipynb", "345", 678, "9_tiny.ipynb", False),
        ("doejane_345_text.html", "345", 0, "text.html", False),
        ("doejane_LATE_345_link.html", "345", 0, "link.html", True),
    ],
)
def test_names_of_canvas(path: str, person: str, attempt: int, file: str, late: bool) -> None:
    handed = CANVAS.read_name(path, frozenset(["345"]))
    assert handed is not None
    assert (handed.person, handed.attempt, handed.file, handed.late) == (person, attempt, file, late)


@given(NAMES, IDS, st.sampled_from(["_file_/", "_file/", "_file_"]), st.sampled_from(["tiny.ipynb", "a_1/b_2.ipynb"]))
def test_a_name_that_moodle_wrote_gives_back_participant_name_and_file(
    name: str, participant: str, between: str, file: str
) -> None:
    handed = MOODLE.read_name(f"{name}_{participant}_assignsubmission{between}{file}", frozenset())
    assert handed is not None
    assert (handed.person, handed.name, handed.file) == (participant, name, file)


def test_names_of_brightspace_and_gradescope() -> None:
    early = BRIGHTSPACE.read_name("12345-678 - Jane O'Neil- Sep 1, 2026 120 PM/tiny.ipynb", frozenset())
    later = BRIGHTSPACE.read_name("12345-678 - Jane O'Neil - Sep 1, 2026 1120 PM/tiny.ipynb", frozenset())
    assert early is not None
    assert later is not None
    assert (early.person, early.name, early.file) == ("12345", "Jane O'Neil", "tiny.ipynb")
    assert later.attempt - early.attempt == 10 * 3600
    handed = GRADESCOPE.read_name("submission_99/src/tiny.ipynb", frozenset())
    assert handed is not None
    assert (handed.person, handed.file) == ("99", "src/tiny.ipynb")


def test_an_export_is_recognised_in_a_folder_of_its_own_too() -> None:
    for path, name in (
        ("doe_1_2_tiny.ipynb", "canvas"),
        ("Jane Doe_1_assignsubmission_file_/tiny_1_2_.ipynb", "moodle"),
        ("1-2 - Jane Doe - Sep 1, 2026 120 PM/tiny.ipynb", "brightspace"),
        ("submission_1/a_1_2_tiny.ipynb", "gradescope"),
    ):
        assert recognize([path]).platform.name == name
        listing = recognize([f"export/{path}"])
        assert listing.platform.name == name
        assert listing.handed[0].path == f"export/{path}"
    with pytest.raises(CourseError, match="none of its 1 files is named as"):
        recognize(["tiny.ipynb"])
    with pytest.raises(CourseError, match="as Moodle names submissions"):
        recognize(["doe_1_2_tiny.ipynb"], "moodle")


# From the export to the folders.


def test_a_canvas_export_fills_the_folders_with_a_row_and_a_reason_for_everybody(
    assignment: Assignment, run: Callable[..., Result], tmp_path: Path
) -> None:
    content = answered(assignment)
    export = zipped(
        tmp_path / "x.zip",
        {
            "doejane_345_678_tiny.ipynb": content,
            "doejane_345_679_tiny-1.ipynb": answered(assignment, "Better."),
            "oneilzoë_LATE_346_700_essay.pdf": b"%PDF",
            "two_348_701_a.ipynb": content,
            "two_348_702_b.ipynb": content,
            "__MACOSX/._doejane_345_678_tiny.ipynb": b"\0\5\x16\7",
            "readme.txt": b"",
        },
    )
    (tmp_path / "roster.csv").write_text(CANVAS_ROSTER)
    before = everything(assignment.course)
    dry = lines(run("collect", export, NAME, "--roster", tmp_path / "roster.csv", "--dry-run", "--json"))
    assert everything(assignment.course) == before
    rows = lines(run("collect", export, NAME, "--roster", tmp_path / "roster.csv", "--json"))
    assert rows == dry
    assert {name: row["action"] for name, row in rows.items()} == {
        "jane": "new", "zoe": "nothing", "lea": "nothing", "348": "new",
    }  # fmt: skip
    assert rows["zoe"]["notes"] == ["late", "no notebook, but a PDF: essay.pdf"]
    assert rows["lea"]["notes"] == ["handed in nothing"]
    assert "2 notebooks (a.ipynb, b.ipynb)" in rows["348"]["notes"][0]
    submitted = assignment.course.submitted
    assert (submitted / "jane" / NAME / "tiny.ipynb").read_bytes() == answered(assignment, "Better.")
    assert sorted(path.name for path in (submitted / "348" / NAME).iterdir()) == ["a.ipynb", "b.ipynb"]
    kept = json.loads((submitted.parent / "lms" / f"{NAME}.json").read_text())
    assert kept["lms"] == "canvas"
    assert kept["students"]["jane"]["person"] == "345"
    assert (kept["students"]["jane"]["attempt"], kept["students"]["jane"]["file"]) == (679, "tiny-1.ipynb")
    table = run("collect", export, NAME, "--roster", tmp_path / "roster.csv").stdout
    assert "2 unchanged, 2 nothing" in table
    assert "files that are nobody's submission: readme.txt" in table


def test_what_is_here_is_replaced_only_by_a_later_one_and_never_if_it_was_edited(
    assignment: Assignment, run: Callable[..., Result], tmp_path: Path
) -> None:
    first = zipped(tmp_path / "1.zip", {"doe_1_10_tiny.ipynb": answered(assignment, "One.")})
    second = zipped(tmp_path / "2.zip", {"doe_1_20_tiny-1.ipynb": answered(assignment, "Two.")})
    here = assignment.course.submitted / "1" / NAME / "tiny.ipynb"

    def action(*arguments: object) -> str:
        row = lines(run("collect", *arguments, NAME, "--json"))["1"]
        return f"{row['action']} {' '.join(row['notes'])}".strip()

    assert [action(first), action(first), action(second)] == ["new", "unchanged", "replaced"]
    assert action(first) == "kept a later one is here; --replace takes the export's"
    assert here.read_bytes() == answered(assignment, "Two.")
    here.write_bytes(answered(assignment, "Edited."))
    assert action(second).startswith("kept another one is here, which was not collected or was edited")
    assert here.read_bytes() == answered(assignment, "Edited.")
    assert action(second, "--replace") == "replaced"
    assert here.read_bytes() == answered(assignment, "Two.")
    assert [path.name for path in here.parents[1].iterdir()] == [NAME]


def test_without_attempts_an_export_that_was_replaced_before_is_the_older(
    assignment: Assignment, run: Callable[..., Result], tmp_path: Path
) -> None:
    path = "Jane Doe_5_assignsubmission_file_/x.ipynb"
    first = zipped(tmp_path / "1.zip", {path: answered(assignment, "One.")})
    second = zipped(tmp_path / "2.zip", {path: answered(assignment, "Two.")})
    actions = [lines(run("collect", each, NAME, "--json"))["5"]["action"] for each in (first, second, first, second)]
    assert actions == ["new", "replaced", "kept", "unchanged"]


def test_an_exchange_submission_stays(assignment: Assignment, run: Callable[..., Result], tmp_path: Path) -> None:
    there = Desk(assignment).hand_in("5")
    export = zipped(tmp_path / "1.zip", {"Jane Doe_5_assignsubmission_file_/x.ipynb": answered(assignment, "Other.")})
    before = there.read_bytes()
    assert lines(run("collect", export, NAME, "--json"))["5"]["action"] == "kept"
    assert there.read_bytes() == before


def test_moodle_brightspace_and_gradescope_with_their_rosters(
    assignment: Assignment, run: Callable[..., Result], tmp_path: Path
) -> None:
    content = answered(assignment)
    roster = tmp_path / "roster.csv"
    cases = {
        "Zoë d'Or_1_5_assignsubmission_file_/x.ipynb": (
            "\ufeffIdentifier,Full name,ID number,Email address,Grade\nParticipant 5,Zoë d'Or_1,zo,z@x.org,-\n", "zo"
        ),
        "12-9 - Zoë d'Or- Sep 1, 2026 120 PM/x.ipynb": (
            "OrgDefinedId,Username,Last Name,First Name,Email,End-of-Line Indicator\n#77,#zd,d'Or,Zoë,z@x.org,#\n", "zd"
        ),
        "assignment_1_export/submission_9/x.ipynb": ("First Name,Last Name,Email,SID\nZoë,d'Or,z@x.org,s-1\n", "s-1"),
    }  # fmt: skip
    metadata = (
        "---\nsubmission_9:\n  :submitters:\n  - :name: Zoë d'Or\n    :sid: 's-1'\n    :email: z@x.org\n"
        "  :created_at: 2026-01-09 13:00:00.123456789 +01:00\n  :results:\n    :output: |\n      - :sid: forged\n"
    )
    for path, (text, student) in cases.items():
        roster.write_text(text)
        files = {path: content}
        if path.startswith("assignment"):
            files["assignment_1_export/submission_metadata.yml"] = metadata.encode()
        export = zipped(tmp_path / "x.zip", files)
        rows = lines(run("collect", export, NAME, "--roster", roster, "--json"))
        assert [row["action"] for row in rows.values()] == ["new"], path
        assert (assignment.course.submitted / student / NAME / "tiny.ipynb").read_bytes() == content
        (assignment.course.submitted.parent / "lms" / f"{NAME}.json").unlink()
    stamped = assignment.course.submitted / "s-1" / NAME / "timestamp.txt"
    assert stamped.read_text() == "2026-01-09 12:00:00.123456 UTC"


def test_a_folder_is_collected_as_the_zip_that_it_was(
    assignment: Assignment, run: Callable[..., Result], tmp_path: Path
) -> None:
    export = zipped(tmp_path / "x.zip", {"Jane_5_assignsubmission_file_/x.ipynb": answered(assignment)})
    with zipfile.ZipFile(export) as file:
        file.extractall(tmp_path / "unpacked")
    assert lines(run("collect", tmp_path / "unpacked", NAME, "--json"))["5"]["action"] == "new"
    assert lines(run("collect", export, NAME, "--json"))["5"]["action"] == "unchanged"


# What no LMS writes.


def made(write: Callable[[zipfile.ZipFile], None]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as file:
        write(file)
    return data.getvalue()


def link(file: zipfile.ZipFile) -> None:
    info = zipfile.ZipInfo("doe_1_2_tiny.ipynb")
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    file.writestr(info, "/etc/passwd")


def encrypted() -> bytes:
    data = bytearray(made(lambda file: file.writestr("doe_1_2_tiny.ipynb", "{}")))
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(signature) + offset] |= 1
    return bytes(data)


def damaged() -> bytes:
    data = bytearray(made(lambda file: file.writestr(zipfile.ZipInfo("doe_1_2_tiny.ipynb"), "{}" * 50)))
    data[60] ^= 255
    return bytes(data)


HOSTILE = {
    "absolute": (made(lambda file: file.writestr("/etc/doe_1_2_tiny.ipynb", "{}")), "leads out of it"),
    "drive": (made(lambda file: file.writestr("C:\\doe_1_2_tiny.ipynb", "{}")), "leads out of it"),
    "above": (made(lambda file: file.writestr("a/../../doe_1_2_tiny.ipynb", "{}")), "leads out of it"),
    "above in Windows": (made(lambda file: file.writestr("..\\doe_1_2_tiny.ipynb", "{}")), "leads out of it"),
    "link": (made(link), "a link or device"),
    "encrypted": (encrypted(), "is encrypted"),
    "damaged": (damaged(), "no whole zip file"),
    "truncated": (made(lambda file: file.writestr("doe_1_2_tiny.ipynb", "{}" * 99))[:-30], "download it again"),
    "empty": (b"", "no whole zip file"),
    "another kind": (b"%PDF-1.4", "no whole zip file"),
    "nothing in it": (made(lambda file: None), "none of its 0 files"),
    "foreign": (made(lambda file: file.writestr("doe_1_2_x.ipynb", '{"cells": [], "nbformat": 4}')), "another assignment"),
}  # fmt: skip


def test_an_export_of_another_assignment_with_the_same_set_up_is_refused(
    course: Course, run: Callable[..., Result], tmp_path: Path
) -> None:
    release = nb.read(course.assignment(NAME).release_path)
    shared = {**release, "cells": [cell for cell in release["cells"] if nb.grade_id(cell) in (None, "setup")]}
    export = zipped(tmp_path / "x.zip", {"doe_1_2_tiny.ipynb": json.dumps(shared).encode()})
    done = run("collect", export, NAME)
    assert (done.exit_code, "another assignment" in done.stderr) == (2, True), done.output


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_or_damaged_export_is_refused_in_one_line_and_nothing_is_written(
    kind: str, course: Course, run: Callable[..., Result], tmp_path: Path
) -> None:
    content, reason = HOSTILE[kind]
    (tmp_path / "x.zip").write_bytes(content)
    before = everything(course)
    done = run("collect", tmp_path / "x.zip", NAME)
    assert done.exit_code == 2, done.output
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1
    assert everything(course) == before


def test_the_limits_on_files_and_bytes_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export = zipped(tmp_path / "x.zip", {"a_1_2_x.ipynb": b"12345", "a_1_3_y.ipynb": b"12345"})
    for name, limit, reason in (("MAX_FILES", 1, "at most 1"), ("MAX_BYTES", 9, "would unpack to")):
        with monkeypatch.context() as patch:
            patch.setattr(archive, name, limit)
            with pytest.raises(CourseError, match=reason), open_archive(export):
                pass
    monkeypatch.setattr(archive, "MAX_FILE", 4)
    with open_archive(export) as opened, pytest.raises(CourseError, match="at most"):
        opened.read("a_1_2_x.ipynb")


def test_a_bomb_or_a_huge_file_costs_the_student_who_sent_it_alone(
    course: Course, run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a video beside a notebook costs nobody anything."""
    monkeypatch.setattr(archive, "MAX_FILE", 2**20)
    noise = random.Random(0).randbytes(2**20 + 1)
    good = answered(course.assignment(NAME))
    export = zipped(
        tmp_path / "x.zip",
        {
            "ann_1_11_tiny.ipynb": good,
            "bea_2_12_tiny.ipynb": bytes(5 * 2**20),
            "cleo_3_13_tiny.ipynb": noise,
            "dora_4_14_tiny.ipynb": good,
            "dora_4_15_film.mp4": noise,
        },
    )
    rows = lines(run("collect", export, NAME, "--json"))
    assert {student: row["action"] for student, row in rows.items()} == {
        "1": "new",
        "2": "nothing",
        "3": "nothing",
        "4": "new",
    }
    assert "as a zip bomb does; not collected" in rows["2"]["notes"][0]
    assert "has 1 MB (at most 1); not collected" in rows["3"]["notes"][0]


def test_a_link_in_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a_1_2_x.ipynb").symlink_to("/etc/passwd")
    with pytest.raises(CourseError, match="a link or device"), open_archive(tmp_path):
        pass


def test_names_from_windows_and_macos_come_out_right(tmp_path: Path) -> None:
    """UTF-8 without its flag and with separate accents (macOS), code page 437 and backslashes (Windows)."""

    def write(file: zipfile.ZipFile) -> None:
        for name in ("1-aXXb.ipynb", "2-X/c.ipynb"):
            file.writestr(name, "{}")

    decomposed = unicodedata.normalize("NFD", "ä").encode()[1:]
    data = made(write).replace(b"aXX", b"a" + decomposed).replace(b"2-X/c", b"2-\x81\\c")
    (tmp_path / "x.zip").write_bytes(data)
    with open_archive(tmp_path / "x.zip") as opened:
        assert sorted(opened.sizes) == ["1-äb.ipynb", "2-ü/c.ipynb"]
        assert opened.read("1-äb.ipynb") == b"{}"


@pytest.mark.parametrize(
    ("roster", "reason"),
    [
        ("Student,Kennung\nDoe,1\n", "no column ID, but: Student, Kennung"),
        (CANVAS_ROSTER.replace("zoe", "jane"), "two people have the id jane"),
        (CANVAS_ROSTER.replace("346", "345"), "two people have the id 345"),
        ("", "no CSV file"),
        ('Student,ID\n"Doe', "ends inside quotes"),
    ],
)
def test_a_wrong_roster_is_refused_in_one_line(
    roster: str, reason: str, assignment: Assignment, run: Callable[..., Result], tmp_path: Path
) -> None:
    (tmp_path / "r.csv").write_text(roster)
    export = zipped(tmp_path / "x.zip", {"doe_345_2_tiny.ipynb": answered(assignment)})
    done = run("collect", export, NAME, "--roster", tmp_path / "r.csv")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1), done.output
    assert reason in done.stderr
    assert not assignment.course.submitted.exists()


@given(
    st.lists(st.lists(st.text(st.sampled_from('a ",\n;ä'), max_size=5), min_size=2, max_size=4), min_size=1, max_size=4)
)
def test_a_sheet_that_is_not_changed_is_written_back_byte_by_byte(table: list[list[str]]) -> None:
    import csv
    import tempfile

    text = io.StringIO()
    csv.writer(text).writerows([["Student", "ID"], *table])
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        path = Path(file.name)
        path.write_bytes(text.getvalue().encode())
        sheet = read_sheet(path)
        assert sheet.text() == text.getvalue()
        assert [[sheet.get(row, i) for i in range(len(row))] for row in sheet.rows][1 : 1 + len(table)] == [
            [field.strip() for field in row] for row in table
        ]


# The way back: what each LMS reads from a name.


def canvas_reads(path: str) -> tuple[str, str]:
    """User, or anonymous id, and attachment, as Canvas takes them from the base name of an uploaded file."""
    parts = [part for part in path.rpartition("/")[2].split("_") if part != "LATE"]
    if parts[0] == "anon":
        return f"anon_{parts[1]}", parts[2]
    numbers = [part for part in parts if re.fullmatch("[0-9]+", part)]
    return numbers[0], numbers[1]


def moodle_reads(path: str) -> str | None:
    """The participant whose feedback a file is, as Moodle takes it from a path: split in at most five parts."""
    parts = path.split("_", 4)
    if any(part.startswith(".") for part in path.split("/")) or len(parts) < 4:
        return None
    plugin = parts[3].split("/")[0]
    return parts[1] if (parts[2], plugin) == ("assignsubmission", "file") and parts[1].isdecimal() else None


@given(NAMES, IDS, IDS)
def test_canvas_finds_user_and_attachment_in_a_feedback_name(name: str, user: str, attachment: str) -> None:
    for person in (user, "anon_x7Yz1"):
        made = CANVAS.feedback_name(Link(person, name, attempt=int(attachment)), "tiny.html")  # type: ignore[misc]
        assert canvas_reads(made) == (person, attachment)
        assert made.endswith("_tiny.html")


@given(NAMES, IDS, st.sampled_from(["_file_/", "_file/", "_file_"]))
def test_moodle_finds_the_participant_in_a_feedback_name(name: str, participant: str, form: str) -> None:
    path = f"export/{name}_{participant}_assignsubmission{form}x.ipynb"
    made = MOODLE.feedback_name(Link(participant, name, path=path), "tiny.html")  # type: ignore[misc]
    assert moodle_reads(made) == participant
    assert made.endswith(f"_assignsubmission{form}tiny.html")


def pages(assignment: Assignment, *students: str) -> dict[str, Path]:
    """A page for each student, as `autograder feedback` leaves it."""
    paths = {student: assignment.course.feedback / student / NAME / "tiny.html" for student in students}
    for student, path in paths.items():
        path.parent.mkdir(parents=True)
        path.write_text(f"page of {student}")
    return paths


@pytest.mark.parametrize(
    ("path", "back"),
    [
        ("do_e_LATE_1_10_tiny-1.ipynb", "doe_1_10_tiny.html"),
        ("x/Jane D_1_assignsubmission_file_/x.ipynb", "Jane D_1_assignsubmission_file_/tiny.html"),
        ("1-9 - Jane D- Sep 1, 2026 120 PM/x.ipynb", "1-9 - Jane D- Sep 1, 2026 120 PM/tiny.html"),
    ],
)
def test_the_archive_holds_every_page_under_the_name_that_the_lms_matches_by(
    path: str, back: str, assignment: Assignment, run: Callable[..., Result], tmp_path: Path
) -> None:
    export = zipped(tmp_path / "x.zip", {path: answered(assignment)})
    lines(run("collect", export, NAME, "--json"))
    left_out = pack_pages(assignment, pages(assignment, "1", "stranger"), tmp_path / "out.zip")
    assert list(left_out) == ["stranger"]
    with zipfile.ZipFile(tmp_path / "out.zip") as file:
        assert {name: file.read(name) for name in file.namelist()} == {back: b"page of 1"}


def test_feedback_writes_the_archive_and_without_a_collection_says_what_is_missing(
    assignment: Assignment, run: Callable[..., Result], tmp_path: Path
) -> None:
    refused = run("feedback", NAME, "--zip", tmp_path / "out.zip")
    assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)
    assert "`autograder collect` writes them" in refused.stderr
    export = zipped(tmp_path / "x.zip", {"submission_9/x.ipynb": answered(assignment)})
    lines(run("collect", export, NAME, "--json"))
    assert "Gradescope takes no archive" in run("feedback", NAME, "--zip", tmp_path / "out.zip").stderr
    assert not (tmp_path / "out.zip").exists()


@pytest.mark.usefixtures("quick")
def test_from_a_canvas_export_to_the_feedback_archive_in_three_commands(
    assignment: Assignment, run: Callable[..., Result], tmp_path: Path
) -> None:
    export = zipped(tmp_path / "x.zip", {"doejane_345_678_tiny.ipynb": answered(assignment)})
    for arguments in (("collect", export, NAME), ("grade", NAME), ("feedback", NAME, "--zip", tmp_path / "out.zip")):
        done = run(*arguments)
        assert done.exit_code == 0, done.output
    assert "out.zip: 1 page for bulk upload" in done.stdout
    with zipfile.ZipFile(tmp_path / "out.zip") as file:
        assert file.namelist() == ["doejane_345_678_tiny.html"]
        assert file.read(file.namelist()[0]) == (assignment.course.feedback / "345" / NAME / "tiny.html").read_bytes()


# Grades into the LMS's own file.

CANVAS_GRADES = (
    '\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,tiny (77),"Other, one (78)",Final (read only)\r\n'
    "    Points Possible,,,,,5,10,(read only)\r\n"
    '"Doe, Jane",345,S1,jane,One,,=1+1,"1,234.5"\r\n"O\'Neil",346,S2,zoe,One,EX,,\r\n"Last, Lea",347,S3,lea,One,3.00,,\r\n'
    "Wait,348,S4,wait,One,,,\r\nNobody,349,S5,nobody,One,2,,\r\n"
)
SCORES = {
    "x-345": Score(4.125, 5, False), "zoe": Score(1, 5, False), "lea": Score(3, 5, False), "wait": Score(2, 5, True),
    "gone": Score(1, 5, False),
}  # fmt: skip
SAVED = Saved("canvas", {"x-345": Link("345")})


def sheet_of(tmp_path: Path, text: str) -> Sheet:
    (tmp_path / "theirs.csv").write_bytes(text.encode())
    return read_sheet(tmp_path / "theirs.csv")


def test_canvas_gradebook_changes_in_the_assignments_column_alone(tmp_path: Path) -> None:
    filling = fill(sheet_of(tmp_path, CANVAS_GRADES), "tiny", SCORES, SAVED)
    assert filling.sheet.text() == CANVAS_GRADES.replace("jane,One,,=1", "jane,One,4.13,=1")
    assert (filling.filled, filling.unchanged) == (["x-345"], ["lea"])
    assert (filling.waiting, filling.locked, filling.absent) == (["wait"], ["zoe"], ["gone"])
    told = fill(sheet_of(tmp_path, CANVAS_GRADES), "tiny", SCORES, SAVED, waiting=True)
    assert told.sheet.text() == filling.sheet.text().replace("wait,One,,", "wait,One,2,")


def test_moodle_worksheet_and_brightspace(tmp_path: Path) -> None:
    header = "Identifier,Full name,Email address,Grade,Maximum Grade,Grade can be changed,Last modified (grade)\n"
    rows = 'Participant 5,"D, J",j@x.org,,5.00,Yes,-\nParticipant 6,Z,lea,,5.00,No,-\n'
    scores = {"a": Score(4.123456, 5, False), "lea": Score(1, 5, False)}
    filling = fill(sheet_of(tmp_path, header + rows), "any", scores, Saved("moodle", {"a": Link("5")}))
    assert filling.sheet.text() == (header + rows).replace("j@x.org,,5", "j@x.org,4.12346,5")
    assert filling.locked == ["lea"]
    text = "OrgDefinedId,Username,tiny Points Grade <Numeric MaxPoints:5>,End-of-Line Indicator\n#12,#lea,,#\n"
    filling = fill(sheet_of(tmp_path, text), "tiny", scores, Saved("", {}))
    assert filling.sheet.text() == text.replace("#lea,,#", "#lea,1,#")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (CANVAS_GRADES.replace("tiny (77)", "Homework (77)"), "no column for tiny; name one with --column, of: Homework"),
        (CANVAS_GRADES.replace("Other, one", "Tiny!").replace("tiny (", "TINY ("), "2 columns for tiny"),
        (CANVAS_GRADES.replace("Possible,,,,,5", "Possible,,,,,50"), "has 50 points for this assignment, and the notebook 5"),
        (CANVAS_GRADES.replace("Possible,,,,,5", "Possible,,,,,(read only)"), "does not let anybody change"),
        (CANVAS_GRADES.replace("347,S3,lea", "347,S3,zoe"), "two rows of zoe: 4 and 5"),
        (CANVAS_GRADES.replace("34", "9").replace("zoe", "z").replace("lea", "l").replace("wait", "w"), "no row of"),
        ("Teilnehmer,Bewertung\n1,2\n", "no grade file of Canvas, Moodle or Brightspace in English"),
    ],
)  # fmt: skip
def test_a_wrong_grade_file_is_refused(text: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(CourseError, match=re.escape(reason)):
        fill(sheet_of(tmp_path, text), "tiny", SCORES, SAVED)


@pytest.mark.usefixtures("quick")
def test_export_into_leaves_the_lms_file_and_writes_one_beside_it(
    assignment: Assignment, run: Callable[..., Result], tmp_path: Path
) -> None:
    Desk(assignment).hand_in("jane")
    assert run("grade", NAME).exit_code == 0
    theirs = tmp_path / "theirs.csv"
    theirs.write_bytes(CANVAS_GRADES.encode())
    done = run("export", NAME, "--into", theirs)
    assert done.exit_code == 0, done.output
    assert "0 scores filled in" in done.stdout
    assert "waiting for a person's marks: jane" in done.stdout
    assert (tmp_path / "theirs-filled.csv").read_bytes() == CANVAS_GRADES.encode()
    done = run("export", NAME, "--into", theirs, "--waiting", "--to", tmp_path / "out.csv")
    assert "1 score filled in" in done.stdout
    assert (tmp_path / "out.csv").read_bytes() == CANVAS_GRADES.replace("jane,One,,", "jane,One,3,").encode()
    assert theirs.read_bytes() == CANVAS_GRADES.encode()
    assert run("export", "--into", theirs).exit_code == 2
    assert run("export", NAME, "--waiting").exit_code == 2
