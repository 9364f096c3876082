"""Fills an assignment's scores into the grade file that an LMS exported, and changes nothing else in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from autograder.errors import CourseError
from autograder.lms.saved import Saved
from autograder.lms.sheet import Sheet
from autograder.words import MAX_NAME, one_line

MAX_NAMED = 8  # columns in a message
EXCUSED = "EX"  # Canvas's word


@dataclass(frozen=True)
class Column:
    """The column of one assignment: its place and, where the header or a row of points says it, its maximum."""

    place: int
    maximum: float | None = None


@dataclass(frozen=True)
class Form:
    """How an LMS lays out its grade file.

    `key` is the column with the LMS's own id and `ids` are those with other ids, of which one may be the student ID. `find` finds
    the assignment's column by its title. `locked` is a column, with the word in it that forbids a change.
    """

    platform: str
    key: str
    ids: Sequence[str]
    decimals: int
    find: Callable[[Sheet, str], Column]
    maximum: str = ""
    locked: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Score:
    """A student's total in an assignment of `maximum` points; `waits` while a person must mark something."""

    points: float
    maximum: float
    waits: bool


@dataclass
class Filling:
    """What was done to a grade file: the student IDs by what happened to their row."""

    sheet: Sheet
    filled: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    locked: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)


def canvas_column(sheet: Sheet, title: str) -> Column:
    """Find `Title (id)`; the row of points below the header has its maximum. CourseError if the column cannot be changed."""
    titles = {place: re.sub(r" \([0-9]+\)$", "", text) for place, text in enumerate(sheet.header) if _is_canvas(text)}
    place = _match(sheet, titles, title)
    for row in sheet.rows[1:3]:
        if sheet.get(row, sheet.column("Student")) == "Points Possible":
            text = sheet.get(row, place)
            if "read only" in text.casefold():
                raise CourseError(f"{sheet.path}: Canvas does not let anybody change the column {sheet.header[place]}")
            return Column(place, _number(text))
    return Column(place)


def moodle_column(sheet: Sheet, _title: str) -> Column:
    """Find the only grade of a worksheet."""
    return Column(sheet.need("Grade"))


def brightspace_column(sheet: Sheet, title: str) -> Column:
    """Find `Title Points Grade`, after which Brightspace writes the maximum."""
    pattern = re.compile(r"(.*) Points Grade(?: <.*?MaxPoints:([0-9.]+).*>)?")
    matches = {place: match for place, text in enumerate(sheet.header) if (match := pattern.fullmatch(text.strip()))}
    place = _match(sheet, {place: match[1] for place, match in matches.items()}, title)
    return Column(place, _number(matches[place][2] or ""))


FORMS = (
    Form("moodle", "Identifier", ("ID number", "Email address"), 5, moodle_column, "Maximum Grade",
         ("Grade can be changed", "No")),
    Form("brightspace", "", ("Username", "OrgDefinedId"), 2, brightspace_column),
    Form("canvas", "ID", ("SIS Login ID", "SIS User ID"), 2, canvas_column),
)  # fmt: skip


def find_form(sheet: Sheet) -> Form:
    """Tell by its header which LMS wrote a grade file; CourseError if none did."""
    for form in FORMS:
        if sheet.column(form.key or form.ids[1]) is not None and sheet.column(*form.ids) is not None:
            return form
        if form.key and sheet.column(form.key) is not None and sheet.column("Student", "Grade") is not None:
            return form
    there = ", ".join(sheet.header[:MAX_NAMED])
    raise CourseError(
        f"{sheet.path} is no grade file of Canvas, Moodle or Brightspace in English; its columns are: {there}"
    )


def fill(sheet: Sheet, title: str, scores: Mapping[str, Score], saved: Saved, *, waiting: bool = False) -> Filling:
    """Fill the scores, by student ID, into the column of this title; with `waiting` also of students who wait for a person.

    A row is matched by the LMS's id as it was collected, else by another id that is the student ID; never by name. CourseError if
    the column is missing, has another maximum, or no row or two rows are one student's; then nothing is filled.
    """
    form = find_form(sheet)
    column = form.find(sheet, title)
    rows = _match_rows(sheet, form, scores, saved)
    if not rows:
        raise CourseError(
            f"no row of {sheet.path} is a student's with a grade here; is it of another course or assignment?"
        )
    filling = Filling(replace(sheet, rows=[list(row) for row in sheet.rows]))
    for student, score in sorted(scores.items()):
        if student not in rows:
            filling.absent.append(student)
            continue
        row = filling.sheet.rows[rows[student]]
        _check_maximum(sheet, form, column, row, score)
        students = _choose_list(filling, form, column, row, replace(score, waits=score.waits and not waiting))
        students.append(student)
        if students is filling.filled:
            _put(row, column.place, f"{_round(score.points, form):f}")
    return filling


def _check_maximum(sheet: Sheet, form: Form, column: Column, row: Sequence[str], score: Score) -> None:
    most = _number(sheet.get(row, sheet.column(form.maximum))) if form.maximum else column.maximum
    if most is not None and _round(most, form) != _round(score.maximum, form):
        raise CourseError(
            f"{sheet.path} has {most:g} points for this assignment, and the notebook {score.maximum:g}; "
            "make them equal in the LMS"
        )


def _choose_list(filling: Filling, form: Form, column: Column, row: Sequence[str], score: Score) -> list[str]:
    """The list of those to whom the same happens as to this row's student."""
    sheet = filling.sheet
    old = sheet.get(row, column.place)
    title, word = form.locked
    if score.waits:
        return filling.waiting
    if old == EXCUSED or (title and sheet.get(row, sheet.column(title)) == word):
        return filling.locked
    before = _number(old)
    same = before is not None and _round(before, form) == _round(score.points, form)
    return filling.unchanged if same else filling.filled


def _put(row: list[str], place: int, text: str) -> None:
    text = text.rstrip("0").rstrip(".") if "." in text else text
    row += [""] * (place + 1 - len(row))
    row[place] = f'"{text}"' if row[place].startswith('"') else text


def _round(points: float, form: Form) -> Decimal:
    """Points as the LMS keeps them: a half goes up, as people expect."""
    return Decimal(repr(points)).quantize(Decimal(1).scaleb(-form.decimals), ROUND_HALF_UP)


def _match_rows(sheet: Sheet, form: Form, scores: Mapping[str, Score], saved: Saved) -> dict[str, int]:
    """The number of each student's row."""
    students = (
        {link.person: student for student, link in saved.links.items()} if saved.platform == form.platform else {}
    )
    places = [place for title in form.ids if (place := sheet.column(title)) is not None]
    key = sheet.column(form.key) if form.key else None
    rows: dict[str, int] = {}
    for number, row in enumerate(sheet.rows[1:], 1):
        person = re.sub(r"^Participant ", "", sheet.get(row, key))
        known = [students.get(person, ""), *(sheet.get(row, place).removeprefix("#") for place in places), person]
        student = next((each for each in known if each in scores), None)
        if student is None:
            continue
        if student in rows:
            raise CourseError(
                f"{sheet.path} has two rows of {one_line(student, MAX_NAME)}: {rows[student] + 1} and {number + 1}"
            )
        rows[student] = number
    return rows


def _is_canvas(title: str) -> bool:
    return bool(re.search(r" \([0-9]+\)$", title))


def _match(sheet: Sheet, titles: Mapping[int, str], wanted: str) -> int:
    """The place of the only column with this title; letters' case and what is no letter or digit do not matter."""
    places = [place for place, title in titles.items() if wanted in (sheet.header[place], title)]
    places = places or [place for place, title in titles.items() if _plain(title) == _plain(wanted)]
    if len(places) != 1:
        there = "; ".join(one_line(sheet.header[place], MAX_NAME) for place in list(titles)[:MAX_NAMED]) or "none"
        how_many = f"{len(places)} columns" if places else "no column"
        raise CourseError(f"{sheet.path} has {how_many} for {wanted}; name one with --column, of: {there}")
    return places[0]


def _plain(title: str) -> str:
    return re.sub(r"[\W_]", "", title).casefold()


def _number(text: str) -> float | None:
    """A number as the LMS writes it, with commas between thousands; None for anything else."""
    text = text.strip()
    if not re.fullmatch(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?|[0-9]+(\.[0-9]*)?", text):
        return None
    return float(text.replace(",", ""))


def default_target(path: Path) -> Path:
    """Where the filled file goes if nobody says: beside the LMS's own, which stays."""
    return path.with_name(f"{path.stem}-filled{path.suffix}")
