"""Collects submissions from an LMS's export into gradebook/submitted/: plans, then writes what the plan says."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from autograder.course import NAME, Assignment
from autograder.course import notebook as nb
from autograder.course.candidates import Released, is_named_like_a_notebook
from autograder.course.timestamp import NAME as TIMESTAMP
from autograder.errors import CourseError, SubmissionError
from autograder.files import list_names, read_plain, write_whole
from autograder.lms.archive import MAX_FILE, Archive
from autograder.lms.plan import WRITES, Here, Plan, Row, hash_files, make_plan
from autograder.lms.platform import Handed, Person, Platform
from autograder.lms.recognize import PLATFORMS, Listing, recognize
from autograder.lms.saved import Saved, read_links, write_links
from autograder.lms.sheet import read_sheet


def plan_collection(
    assignment: Assignment, archive: Archive, lms: str = "", roster: Path | None = None, *, replaces: bool = False
) -> Plan:
    """Read an export and plan what becomes of it; nothing is written. `lms` names the LMS where its files' names do not tell.

    Raises CourseError if no LMS names its files so, no notebook is one of this assignment, or the roster is not the LMS's.
    """
    sheet = read_sheet(roster) if roster else None
    listing = recognize(archive.sizes, lms)
    people = list(listing.platform.read_people(sheet)) if sheet else []
    if people:
        listing = recognize(archive.sizes, listing.platform.name, frozenset(each.person for each in people))
    people = _with_details(people, listing.platform, archive, listing)
    digests = _hash_notebooks(assignment, archive, listing)
    saved = read_links(assignment)
    if saved.platform not in ("", listing.platform.name):
        was = PLATFORMS[saved.platform].title if saved.platform in PLATFORMS else saved.platform
        raise CourseError(
            f"{assignment.name} was collected from {was} before, and this is from {listing.platform.title}"
        )
    hashes = {student: _hash_folder(assignment, student) for student in _students(assignment)}
    return make_plan(listing, people, digests, archive.faults, Here(hashes, saved, assignment.notebook, replaces))


def execute(assignment: Assignment, archive: Archive, plan: Plan) -> int:
    """Do what a plan says; return how many submissions were written. The file for the way back is written first, then each
    folder, whole or not at all."""
    links = dict(read_links(assignment).links)
    for row in plan.rows:
        if row.link.path and NAME.fullmatch(row.student) and (row.files or row.student not in links):
            links[row.student] = row.link
    write_links(assignment, Saved(plan.platform, links))
    rows = [row for row in plan.rows if row.action in WRITES]
    for row in rows:
        _write(assignment, archive, row)
    return len(rows)


def _with_details(people: list[Person], platform: Platform, archive: Archive, listing: Listing) -> list[Person]:
    """The roster with what the archive itself says of people, who then need not be found in the roster."""
    details = platform.details(archive, listing.handed).values()
    there = {text for each in details for text in (each.student, each.email) if text}
    return [*details, *(each for each in people if each.student not in there and each.email not in there)]


def _hash_notebooks(assignment: Assignment, archive: Archive, listing: Listing) -> dict[str, str]:
    """Read every notebook without a fault once, so that a damaged export is refused before anything is written; CourseError if
    none is of this assignment."""
    release = nb.read(assignment.release_path)
    released = Released(release)
    # Assignments of a course share read-only cells, such as the set-up.
    cells = [cell for cell in nb.known_cells(release) if nb.is_answer(cell) or nb.is_graded(cell)]
    tasks = frozenset(str(nb.grade_id(cell)) for cell in cells)
    digests: dict[str, str] = {}
    belongs = False
    for file in listing.handed:
        if is_named_like_a_notebook(file.file, assignment.notebook) and file.path not in archive.faults:
            content = archive.read(file.path)
            digests[file.path] = hashlib.sha256(content).hexdigest()
            belongs = belongs or _belongs(released, tasks, file, content)
    if digests and not belongs:
        raise CourseError(
            f"no notebook in it has a cell of {assignment.name}: is it the export of another assignment? nothing was written"
        )
    return digests


def _belongs(released: Released, tasks: frozenset[str], file: Handed, content: bytes) -> bool:
    """Whether a notebook has a cell of these tasks; one that lost nbgrader's metadata, a text of the release."""
    try:
        notebook = nb.parse(content, file.file)
    except SubmissionError:
        return False
    names = {nb.grade_id(cell) for cell in nb.known_cells(notebook)}
    return bool(names & tasks) if names else released.compare(file.file, notebook, "").belongs


def _students(assignment: Assignment) -> list[str]:
    folders = assignment.course.submitted.glob(f"*/{assignment.name}")
    return [folder.parent.name for folder in folders if NAME.fullmatch(folder.parent.name)]


def _hash_folder(assignment: Assignment, student: str) -> str:
    """Hash the notebooks of a submission that is here; one that cannot be read is like no other."""
    folder = assignment.course.submitted / student / assignment.name
    digests: dict[str, str] = {}
    for name in list_names(folder):
        if is_named_like_a_notebook(name, assignment.notebook):
            try:
                digests[name] = hashlib.sha256(read_plain(folder / name, MAX_FILE)).hexdigest()
            except OSError:
                digests[name] = "unreadable"
    return hash_files(digests)


def _write(assignment: Assignment, archive: Archive, row: Row) -> None:
    """Write a submission's folder beside its place, then move it there.

    A process that is killed between the two moves leaves the student without a submission, and the next call writes it.
    """
    folder = assignment.course.submitted / row.student / assignment.name
    fresh, old = (folder.with_name(f".{folder.name}.{end}") for end in ("new", "old"))
    for each in (fresh, old):
        _remove(each)
    files: Mapping[str, bytes] = {name: archive.read(path) for name, path in row.files.items()}
    try:
        for name, content in files.items():
            write_whole(fresh / name, content)
        if row.link.time:
            write_whole(fresh / TIMESTAMP, row.link.time.encode())
        if os.path.lexists(folder):
            folder.rename(old)
        fresh.rename(folder)
    finally:
        _remove(fresh)
    _remove(old)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
