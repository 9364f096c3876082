"""The command line: each command parses its options, calls one function and prints the result.

Exit codes: 0 everything was done; 1 some submissions could not be graded or read, an assignment was refused, or audit found
something to fix; 2 the call or the course is invalid; 3 the sandbox is not available; 4 grades would change and were left as
they are; 130 interrupted.

Heavy imports wait for the command that needs them: torch and nbformat take seconds.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from autograder.course import open_course
from autograder.errors import CourseError
from autograder.files import scratch
from autograder.handover import collect, export, feedback
from autograder.options import (
    assignment_argument,
    course_option,
    json_lines_option,
    json_option,
    open_assignment,
    task_option,
    workers_option,
)
from autograder.pages import doubts
from autograder.pages.progress import progress, show_failures
from autograder.records.grade import GRADED
from autograder.stopping import Group
from autograder.words import counted

if TYPE_CHECKING:
    from autograder.records.change import Change
    from autograder.records.grade import Grade

T = TypeVar("T")


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="clip-autograder")
def main() -> None:
    """Grade nbgrader notebooks: student cells run in a sandbox, test cells outside it."""
    scratch()
    atexit.register(gc.freeze)  # at exit Python would search nbgrader's 130,000 objects for garbage: 0.3 s


for command in (collect, feedback, export):
    main.add_command(command)


def _require_pinned_hypothesis() -> None:
    """CourseError if another version is installed: laws would draw other examples, and a raising test cell costs points."""
    from autograder.checks.laws import version_fault

    if fault := version_fault():
        raise CourseError(fault)


@main.command()
@assignment_argument
@course_option
@workers_option
@task_option
def build(name: str, folder: Path | None, workers: int, task: str) -> None:
    """Prove that the tests of ASSIGNMENT work, then write its student version to release/.

    The build is refused, and the old release kept, if the solution or a wheat loses points, the blank release gets any, a chaff
    is not caught in exactly its own task, or the release contains part of a solution or hidden test.
    """
    from autograder.proof.build import build as build_release

    _require_pinned_hypothesis()
    assignment = open_assignment(folder, name, task)
    problems = build_release(assignment, workers, lambda total, rows: progress(rows, total, f"proving {name}"))
    if problems:
        for problem in problems:
            click.echo(f"- {problem}", err=True)
        click.echo(f"refused; release/{name} is unchanged", err=True)
        sys.exit(1)
    if task:
        kinds = [variant.kind for variant in assignment.variants]
        variants = " and ".join(counted(kinds.count(kind), kind) for kind in ("wheat", "chaff"))
        click.echo(
            f"{task} is proven on {variants}; nothing is released until `autograder build {name}` proves all tasks"
        )
    else:
        click.echo(
            f"{assignment.release_folder} is ready; "
            f"commit it, then hand it out with `nbgrader release_assignment {name}`"
        )


@main.command()
@assignment_argument
@course_option
@click.option(
    "--to", "target", type=click.Path(path_type=Path), help="The notebook  [default: gradebook/solutions/ASSIGNMENT/]"
)
def solution(name: str, folder: Path | None, target: Path | None) -> None:
    """Write a solved version of ASSIGNMENT, for students after the deadline: answers with their reasoning, and visible tests.

    Hidden tests and mark schemes stay out, and nbgrader does not take the notebook for a submission.
    """
    from autograder.course import notebook as nb
    from autograder.files import write_whole
    from autograder.proof.solved import solve

    assignment = open_assignment(folder, name)
    file = f"{assignment.notebook}-solved.ipynb"
    target = target or assignment.course.submitted.parent / "solutions" / name / file
    solved = solve(nb.read(assignment.source_path))
    write_whole(target, (json.dumps(solved, indent=1, ensure_ascii=False) + "\n").encode())
    click.echo(f"{target}: for students after the deadline; the files beside their notebook belong beside it")


@main.command()
@assignment_argument
@course_option
@workers_option
@click.option(
    "--repeat", "repeats", type=click.IntRange(0, 100), default=0, metavar="N", help="Regrade everything N more times."
)
@json_option
@task_option
def audit(name: str, folder: Path | None, workers: int, *, repeats: int, as_json: bool, task: str) -> None:
    """Report what the tests of ASSIGNMENT catch and miss, and how much margin its tolerances leave.

    Grades the solution, the wheats, the chaffs and mutants of the solution. Exits with 1 if something must be fixed, or if a
    surviving mutant has no verdict in assignments/ASSIGNMENT/mutants.toml.
    """
    from autograder.pages import audit as audit_page
    from autograder.pages.tables import show_audit
    from autograder.proof.audit import run

    _require_pinned_hypothesis()
    assignment = open_assignment(folder, name, task)

    def watch(total: int, rows: Iterator[T]) -> Iterator[T]:
        return progress(rows, total, f"auditing {name}", quiet=as_json)

    result = run.audit(assignment, workers, repeats, watch)
    path = audit_page.write_page(assignment, result)
    to_fix = sum(finding.must_be_mended for finding in result.findings)
    if as_json:
        click.echo(json.dumps(audit_page.as_json(result), ensure_ascii=False))
    else:
        show_audit(result, to_fix)
        click.echo(f"page: {path}")
    sys.exit(1 if to_fix else 0)


@main.command()
@assignment_argument
@course_option
@workers_option
@click.option("--student", "students", multiple=True, help="Grade only this student (repeatable).")
@click.option("--again", is_flag=True, help="Rerun unchanged submissions too.")
@click.option("--apply", is_flag=True, help="Replace existing grades by those of today's tests.")
@json_lines_option
def grade(
    name: str, folder: Path | None, workers: int, *, students: tuple[str, ...], again: bool, apply: bool, as_json: bool
) -> None:
    """Grade the submissions of ASSIGNMENT and write the grades to the gradebook.

    If its tests or points have changed, existing grades are compared with those of today's tests, and only what needs to run
    is rerun. Changes are shown, and written only with --apply.
    """
    from autograder.grading.grading import grade_class
    from autograder.grading.plan import Step
    from autograder.grading.roster import list_misnamed_folders, read_roster
    from autograder.pages.tables import show_changes, show_grades
    from autograder.records.known import find_missing_proof

    _require_pinned_hypothesis()
    assignment = open_assignment(folder, name)
    if apply and (reason := find_missing_proof(assignment)):
        raise CourseError(f"refusing --apply: {reason}")
    roster = read_roster(assignment, students)
    for misnamed in list_misnamed_folders(assignment):
        click.echo(f"skipped folder {misnamed}: not a valid student ID", err=True)
    doubts.warn_if_unrecorded(assignment.course, name, doubts.REPLACED, roster)
    grades: list[Grade] = []
    changes: dict[str, Change] = {}
    steps: list[Step] = []
    # Interrupted between two of them, its processes end at once.
    with contextlib.closing(grade_class(assignment, workers, students, again=again, apply=apply)) as outcomes:
        for outcome in progress(outcomes, len(roster), f"grading {name}", quiet=as_json):
            grade = outcome.grade
            if as_json:
                click.echo(_json_line(grade, outcome.change))
            grades.append(replace(grade, cells={}, notes=()) if as_json else grade)  # printed already: save memory
            steps.append(outcome.step)
            if outcome.change:
                changes[grade.student] = outcome.change
    if not as_json:
        show_grades(grades, steps.count(Step.KEEP), steps.count(Step.SCORE))
        if changes:
            show_changes(changes, name, apply)
        doubts.warn_if_unproven(assignment, "these tests are not proven")
        if any(result.needs_manual for result in grades):
            click.echo("next: mark the written answers in Formgrader (`jupyter lab` in the course folder)")
        click.echo(f"then: `autograder feedback {name}`")
    ungraded = any(result.status not in GRADED for result in grades)
    sys.exit(1 if ungraded else 4 if changes and not apply else 0)


def _json_line(result: Grade, change: Change | None) -> str:
    """A submission's line of JSON, in ASCII: some readers end a line at other characters of a student's text."""
    return json.dumps({**result.as_json(), "total": result.total, "change": change and change.as_json()})


@main.command()
@click.argument("student")
@assignment_argument
@click.argument("grade_id", required=False, default="")
@course_option
@json_option
def explain(student: str, name: str, grade_id: str, folder: Path | None, as_json: bool) -> None:
    """Show why STUDENT has this score in ASSIGNMENT, or in its cell GRADE_ID.

    For each failed check: what was asked, what came back, what the solution answered, and which known mistake fits. Nothing is
    run. The output shows hidden tests and right answers: it is for you, not for the student.
    """
    from autograder.pages.explain.submission import WHOLE
    from autograder.pages.explain.submission import explain as explain_submission
    from autograder.pages.explain.wording import story_lines
    from autograder.records.answers import SHOWN_NUMBERS

    story = explain_submission(open_assignment(folder, name), student, grade_id, WHOLE if as_json else SHOWN_NUMBERS)
    for line in [json.dumps(story.as_json(), ensure_ascii=False)] if as_json else story_lines(story):
        click.echo(line)


@main.command()
@assignment_argument
@course_option
@json_option
def report(name: str, folder: Path | None, as_json: bool) -> None:
    """Write how the class did in ASSIGNMENT: a page with plots, and CSV files."""
    from autograder.pages.report.files import write_report_files
    from autograder.pages.report.reading import read_report
    from autograder.pages.tables import show_report

    assignment = open_assignment(folder, name)
    doubts.warn_if_unproven(assignment, "no misconceptions")
    doubts.warn_if_unrecorded(assignment.course, name, doubts.NOT_SHOWN)
    results = read_report(assignment)
    paths = write_report_files(assignment, results)
    if as_json:
        click.echo(json.dumps(results.as_json(), ensure_ascii=False))
    else:
        show_report(results)
        click.echo("\n".join(map(str, paths)))
    sys.exit(show_failures(results.failed, "not read in full:"))


@main.command()
@course_option
@click.option("--mend", is_flag=True, help="Make torchvision importable where its build does not fit torch.")
@json_lines_option
def doctor(folder: Path | None, mend: bool, as_json: bool) -> None:
    """Try every part and every layer of the sandbox, and say which of them work."""
    from autograder import doctor as checkup

    if mend:
        click.echo(checkup.mend())
        return
    if folder:
        open_course(folder)
    missing = 0
    for finding in checkup.findings():
        missing += not finding.well
        if as_json:
            click.echo(json.dumps(finding.__dict__))
            continue
        click.echo(f"{'ok     ' if finding.well else 'MISSING'} {finding.name:28} {finding.detail}")
        if not finding.well:
            click.echo(f"        -> {finding.remedy}")
    if not as_json:
        click.echo(f"{missing} of these are missing" if missing else "everything works")
    sys.exit(3 if missing else 0)
