"""The commands by which submissions come in and results go out: `collect`, `feedback` and `export`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from autograder.course import Assignment, open_course
from autograder.options import (
    assignment_argument,
    course_option,
    json_lines_option,
    open_assignment,
    without_slash,
)
from autograder.pages import doubts
from autograder.pages.progress import progress, show_failures
from autograder.words import counted, flat


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@assignment_argument
@course_option
@click.option(
    "--from",
    "lms",
    type=click.Choice(["canvas", "moodle", "brightspace", "gradescope"]),
    help="The LMS that FILE is from  [default: the one whose names its files have]",
)
@click.option(
    "--roster",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The LMS's gradebook, worksheet or roster as CSV: names the students, and shows who handed in nothing.",
)
@click.option("--replace", "replaces", is_flag=True, help="Replace edited and later submissions too.")
@click.option("--dry-run", is_flag=True, help="Show who would get what, and write nothing.")
@json_lines_option
def collect(
    file: Path,
    name: str,
    folder: Path | None,
    *,
    lms: str | None,
    roster: Path | None,
    replaces: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Put the submissions in FILE, an LMS's export of ASSIGNMENT, into gradebook/submitted/.

    FILE is the zip file from Canvas, Moodle, Brightspace or Gradescope, or the folder unpacked from it. A submission that is
    there already is replaced only if it was collected before, was not edited since, and is no later than the one in FILE.
    """
    from autograder.lms.archive import open_archive
    from autograder.lms.collect import execute, plan_collection
    from autograder.pages.tables import show_collection

    assignment = open_assignment(folder, name)
    with open_archive(file) as archive:
        plan = plan_collection(assignment, archive, lms or "", roster, replaces=replaces)
        if not dry_run:
            execute(assignment, archive, plan)
    if as_json:
        for row in plan.rows:
            click.echo(json.dumps(row.as_json()))
    else:
        rows = [(row.student, str(row.action), row.link.name, "; ".join(row.notes)) for row in plan.rows]
        show_collection(rows, plan.others, dry_run)
        if not dry_run:
            click.echo(f"next: `autograder grade {name}`")


@click.command()
@assignment_argument
@course_option
@click.option("--student", "students", multiple=True, help="Write only this student's page (repeatable).")
@click.option(
    "--zip",
    "archive",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write the pages into this archive, for bulk upload to the LMS that `collect` read.",
)
def feedback(name: str, folder: Path | None, students: tuple[str, ...], archive: Path | None) -> None:
    """Write each student's feedback page for ASSIGNMENT, with marks and comments."""
    from autograder.lms.pack import find_platform, pack_pages
    from autograder.pages.feedback.files import write_feedback

    assignment = open_assignment(folder, name)
    if archive:
        find_platform(assignment)  # before the pages, which take minutes
    doubts.warn_if_unproven(assignment, "no hints")
    doubts.warn_if_unrecorded(assignment.course, name, doubts.NOT_SHOWN, students)
    failed: dict[str, str] = {}
    written = progress(write_feedback(assignment, students, failed), None, f"feedback for {name}")
    pages = {path.parent.parent.name: path for path in written}
    click.echo(f"{counted(len(pages), 'page')} in {assignment.course.feedback}/STUDENT/{name}/")
    if archive:
        left_out = pack_pages(assignment, pages, archive)
        click.echo(f"{archive}: {counted(len(pages) - len(left_out), 'page')} for bulk upload")
        sys.exit(show_failures(failed, "no page for") | show_failures(left_out, "not in the archive:"))
    click.echo(f"next: `nbgrader release_feedback {name}` hands them out, `autograder export` writes the grades")
    sys.exit(show_failures(failed, "no page for"))


@click.command()
@click.argument("name", metavar="[ASSIGNMENT]", required=False, callback=without_slash)
@course_option
@click.option("--to", "target", type=click.Path(path_type=Path, dir_okay=False), help="Write the CSV file here.")
@click.option(
    "--into",
    "sheet",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Fill in this grade file, which the LMS exported; --to defaults to a file beside it.",
)
@click.option("--column", default="", help="The title of ASSIGNMENT's column in that file, where it has another name.")
@click.option("--waiting", is_flag=True, help="Also fill in students who still wait for a person's marks.")
def export(
    name: str | None, folder: Path | None, target: Path | None, sheet: Path | None, column: str, *, waiting: bool
) -> None:
    """Write grades as CSV: the totals of every assignment, or ASSIGNMENT task by task.

    With --into, ASSIGNMENT's totals go into the grade file that Canvas, Moodle or Brightspace exported, and nothing else in it
    changes.
    """
    from autograder.pages.export import write_tasks, write_totals

    course = open_course(folder)
    if sheet:
        if not name:
            raise click.UsageError("--into needs an ASSIGNMENT")
        _export_into(course.assignment(name), sheet, target, column, waiting=waiting)
        return
    if column or waiting:
        raise click.UsageError("--column and --waiting need --into")
    path = target or course.submitted.parent / f"{name or 'grades'}.csv"
    count = write_tasks(course.assignment(name), path) if name else write_totals(course, path)
    doubts.warn_if_unrecorded(course, name or "", doubts.AS_THEY_ARE)
    click.echo(f"{path}: {counted(count, 'row')}")


def _export_into(assignment: Assignment, path: Path, target: Path | None, column: str, *, waiting: bool) -> None:
    from autograder.files import write_whole
    from autograder.lms.gradesheet import default_target, fill
    from autograder.lms.saved import read_links
    from autograder.lms.scores import read_scores
    from autograder.lms.sheet import read_sheet

    doubts.warn_if_unrecorded(assignment.course, assignment.name, doubts.AS_THEY_ARE)
    sheet = read_sheet(path)
    filling = fill(sheet, column or assignment.name, read_scores(assignment), read_links(assignment), waiting=waiting)
    target = target or default_target(path)
    write_whole(target, filling.sheet.text().encode())
    click.echo(f"{target}: {counted(len(filling.filled), 'score')} filled in, {len(filling.unchanged)} unchanged")
    for reason, students in (
        ("left alone, waiting for a person's marks", filling.waiting),
        ("left alone, excused or locked in the LMS", filling.locked),
        (f"graded, but not in {path}", filling.absent),
    ):
        if students:
            click.echo(f"{reason}: {', '.join(map(flat, students))}")
