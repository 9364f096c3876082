"""The command line: parse, call, print. Heavy imports wait for the command that needs them.

Exit codes: 0 all was done; 1 some submissions could not be graded, an assignment was refused, or audit found something to
mend; 2 the call or the course is not as it must be; 3 the sandbox cannot be had; 4 grades would change and were left as they
are; 130 interrupted.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import gc
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from autograder.course import open_course
from autograder.errors import AutograderError, CourseError, IsolationError
from autograder.files import scratch
from autograder.pages.progress import progress
from autograder.stopping import let_end, stoppable
from autograder.words import counted

T = TypeVar("T")
CORES = len(os.sched_getaffinity(0))


class Group(click.Group):
    """Turns every error of ours into its one line and its exit code."""

    def invoke(self, context: click.Context) -> Any:
        try:
            with stoppable():
                return super().invoke(context)
        except IsolationError as error:
            _fail(error, 3)
        except AutograderError as error:
            _fail(error, 2)
        except OSError as error:  # a full disk, a folder that may not be written, no more open files
            if error.errno == errno.EPIPE:
                raise  # whoever read the output has had enough; click ends quietly
            where = f"{error.filename}: " if error.filename else ""
            _fail(f"{where}{error.strerror or error}; mend it and run the same command again, what was saved stands", 2)
        except KeyboardInterrupt:
            let_end()
            saved = {"grade": "what was graded is saved, and the same command goes on from there"}
            again = saved.get(context.invoked_subcommand or "", "the same command begins anew")
            click.echo(f"\nstopped; {again}", err=True)
            sys.exit(130)


def _fail(error: Exception | str, code: int) -> None:
    click.echo(f"autograder: {error}", err=True)
    sys.exit(code)


def _must_draw_alike() -> None:
    """CourseError where laws would draw other examples here than elsewhere, before anything is graded by them."""
    from autograder.checks.laws import version_fault

    if fault := version_fault():
        raise CourseError(fault)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="clip-autograder")
def main() -> None:
    """Grades nbgrader notebooks: student cells in a sandbox, test cells outside it."""
    scratch()
    atexit.register(gc.freeze)  # as it ends, Python looks through nbgrader's 130,000 objects for garbage: 0.3 s


def _name(_context: click.Context, _parameter: click.Parameter, typed: str | None) -> str | None:
    return typed and typed.rstrip("/")  # a shell completes `grade 1-name/`


assignment_argument = click.argument("assignment", callback=_name)
course_option = click.option(
    "--course",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="The course's folder  [default: the nearest one up that holds nbgrader_config.py]",
)
workers_option = click.option(
    "--workers", type=click.IntRange(1, 256), default=CORES, show_default="the cores", help="How many grade at once."
)


task_option = click.option("--task", default="", help="Look at this answer cell's wheats, chaffs and mutants alone.")


@main.command()
@assignment_argument
@course_option
@workers_option
@task_option
def build(assignment: str, folder: Path | None, workers: int, task: str) -> None:
    """Make the student version of ASSIGNMENT, after proving that its tests work.

    Refused, and the old release kept, if the solution or a wheat loses a mark, the blank release gets one, a chaff is not
    caught in its own task alone, or anything of a solution or hidden test is left in the release.
    """
    from autograder.proof.build import build as build_release
    from autograder.proof.tasks import narrow_to_task

    _must_draw_alike()
    found = open_course(folder).assignment(assignment)
    found = narrow_to_task(found, task) if task else found
    problems = build_release(found, workers, lambda total, rows: progress(rows, total, f"proving {assignment}"))
    if problems:
        for problem in problems:
            click.echo(f"- {problem}", err=True)
        click.echo(f"refused; release/{assignment} is as it was", err=True)
        sys.exit(1)
    if task:
        tried = " and ".join(counted(sum(v.kind == kind for v in found.variants), kind) for kind in ("wheat", "chaff"))
        click.echo(
            f"{task} is proven on {tried}, with nothing released: `autograder build {assignment}` proves the other tasks too"
        )
        return
    click.echo(
        f"{found.release_folder} is ready; commit it, then hand it out with `nbgrader release_assignment {assignment}`"
    )


@main.command()
@assignment_argument
@course_option
@workers_option
@click.option("--repeat", "repeats", type=click.IntRange(0, 100), default=0, help="Grade all again so many times.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@task_option
def audit(assignment: str, folder: Path | None, workers: int, repeats: int, as_json: bool, task: str) -> None:
    """Say what the tests of ASSIGNMENT catch and miss, and how much room its tolerances have.

    Grades the solution, wheats, chaffs and mutants of the solution. Ends with 1 if something is to be mended, or a mutant that
    survives is not judged in assignments/ASSIGNMENT/mutants.toml.
    """
    from autograder.pages import audit as page
    from autograder.pages.tables import show_audit
    from autograder.proof.audit import run
    from autograder.proof.tasks import narrow_to_task

    _must_draw_alike()
    found = open_course(folder).assignment(assignment)
    found = narrow_to_task(found, task) if task else found

    def watch(total: int, rows: Iterator[T]) -> Iterator[T]:
        return progress(rows, total, f"auditing {assignment}", quiet=as_json)

    made = run.audit(found, workers, repeats, watch)
    path = page.write_page(found, made)
    to_mend = sum(finding.must_be_mended for finding in made.findings)
    if as_json:
        click.echo(json.dumps(page.as_json(made), ensure_ascii=False))
    else:
        show_audit(made)
        click.echo(
            f"{made.graded} submissions graded; {made.killed} of {made.mutants} mutants caught; {to_mend} to mend"
        )
        click.echo(f"as a page: {path}")
    sys.exit(1 if to_mend else 0)


@main.command()
@assignment_argument
@course_option
@workers_option
@click.option("--student", "students", multiple=True, help="Grade this student's alone; may be given again.")
@click.option("--again", is_flag=True, help="Run unchanged submissions too.")
@click.option("--apply", is_flag=True, help="Replace grades that stand by those of today's tests.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON a submission.")
def grade(
    assignment: str,
    folder: Path | None,
    workers: int,
    students: tuple[str, ...],
    again: bool,
    apply: bool,
    as_json: bool,
) -> None:
    """Grade what was handed in for ASSIGNMENT, and write it to the gradebook.

    Where the tests or points have changed, grades that stand are compared with those of today's tests, without running what
    need not run. What would change is shown, and written with --apply only.
    """
    from autograder.grading.grading import grade_class
    from autograder.grading.plan import Step
    from autograder.grading.roster import misnamed_folders, read_roster
    from autograder.pages.tables import show_changes, show_grades
    from autograder.records.known import unproven

    _must_draw_alike()
    found = open_course(folder).assignment(assignment)
    if apply and (said := unproven(found)):
        raise CourseError(f"no grade is replaced by those of tests that are not proven: {said}")
    total = len(read_roster(found, students))
    for name in misnamed_folders(found):
        click.echo(f"passed over: the folder {name} cannot be a student's name; rename it", err=True)
    grades, changes, steps = [], {}, []
    # Stopped between two of them, its processes end at once.
    with contextlib.closing(grade_class(found, workers, students, again=again, apply=apply)) as outcomes:
        for outcome in progress(outcomes, total, f"grading {assignment}", quiet=as_json):
            result, change = outcome.grade, outcome.change
            steps.append(outcome.step)
            if change:
                changes[result.student] = change
            if as_json:
                line = {**result.as_json(), "total": result.total, "change": change and change.as_json()}
                click.echo(json.dumps(line))  # in ASCII: a student's text may hold what some take for a line's end
            grades.append(replace(result, cells={}, notes=()) if as_json else result)  # what is said need not be kept
    grades.sort(key=lambda result: result.student)
    ungraded = [result for result in grades if result.status in ("unreadable", "failed")]
    if not as_json:
        show_grades(grades)
        kept, scored = steps.count(Step.KEEP), steps.count(Step.SCORE)
        unchanged = f" ({kept} unchanged since the last run)" if kept else ""
        waiting = sum(result.needs_manual for result in grades)
        waits = f"{waiting} {'waits' if waiting == 1 else 'wait'} for a person"
        click.echo(f"{len(grades) - len(ungraded)} of {len(grades)} graded{unchanged}; {waits}")
        if scored:
            click.echo(f"{counted(scored, 'submission')} scored from a transcript, without running again")
        if changes:
            show_changes(changes, assignment, apply)
        if said := unproven(found):
            click.echo(f"these tests are not proven: {said}", err=True)
        if waiting:
            click.echo("next: the written answers, in Jupyter's Formgrader (`jupyter lab` in the course's folder)")
        click.echo(f"then: `autograder feedback {assignment}`")
    sys.exit(1 if ungraded else 4 if changes and not apply else 0)


@main.command()
@assignment_argument
@course_option
@click.option("--student", "students", multiple=True, help="This student's page alone; may be given again.")
def feedback(assignment: str, folder: Path | None, students: tuple[str, ...]) -> None:
    """Write each student's feedback page for ASSIGNMENT, with the points and comments that people gave."""
    from autograder.pages.students import write_feedback
    from autograder.records.known import unproven

    found = open_course(folder).assignment(assignment)
    if said := unproven(found):
        click.echo(f"no hints: {said}", err=True)
    count = 0
    for _ in progress(write_feedback(found, students), None, f"feedback for {assignment}"):
        count += 1
    click.echo(f"{counted(count, 'page')} in {found.course.feedback}/STUDENT/{assignment}/")
    click.echo(f"next: `nbgrader release_feedback {assignment}` hands them out, `autograder export` writes the grades")


@main.command()
@click.argument("student")
@assignment_argument
@click.argument("grade_id", required=False, default="")
@course_option
@click.option("--json", "as_json", is_flag=True, help="One object of JSON.")
def explain(student: str, assignment: str, grade_id: str, folder: Path | None, as_json: bool) -> None:
    """Show why STUDENT has the points that they have in ASSIGNMENT, or in its cell GRADE_ID.

    For each check: what was asked, what came back, what the solution answered, and which known mistake fits. Nothing is run.
    What it shows of hidden tests and right answers is for you, not for the student.
    """
    from autograder.pages.explain import WHOLE
    from autograder.pages.explain import explain as tell
    from autograder.records.answers import SHOWN_NUMBERS

    story = tell(open_course(folder).assignment(assignment), student, grade_id, WHOLE if as_json else SHOWN_NUMBERS)
    if as_json:
        click.echo(json.dumps(story.as_json(), ensure_ascii=False))
        return
    for line in story.lines():
        click.echo(line)


@main.command()
@assignment_argument
@course_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def report(assignment: str, folder: Path | None, as_json: bool) -> None:
    """Write how the class did in ASSIGNMENT: a page with plots, and CSV files."""
    from autograder.pages import report as room
    from autograder.pages.tables import show_report
    from autograder.records.known import unproven

    found = open_course(folder).assignment(assignment)
    if said := unproven(found):
        click.echo(f"no misconceptions: {said}", err=True)
    made = room.report(found)
    paths = room.write_report_files(found, made)
    if as_json:
        click.echo(json.dumps(made.as_json(), ensure_ascii=False))
        return
    show_report(made)
    for path in paths:
        click.echo(str(path))


@main.command()
@click.argument("assignment", required=False, callback=_name)
@course_option
@click.option("--to", "target", type=click.Path(path_type=Path, dir_okay=False), help="Where to write the CSV file.")
def export(assignment: str | None, folder: Path | None, target: Path | None) -> None:
    """Write the grades as CSV: every assignment's totals, or ASSIGNMENT task by task."""
    from autograder.pages.export import write_tasks, write_totals

    course = open_course(folder)
    if assignment:
        path = target or course.submitted.parent / f"{assignment}.csv"
        count = write_tasks(course.assignment(assignment), path)
    else:
        path = target or course.submitted.parent / "grades.csv"
        count = write_totals(course, path)
    click.echo(f"{path}: {counted(count, 'row')}")


@main.command()
@course_option
@click.option("--mend", is_flag=True, help="Let torchvision import where its build does not fit torch's.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON a finding.")
def doctor(folder: Path | None, mend: bool, as_json: bool) -> None:
    """Say which parts are here and which layers of the sandbox are active, by trying each."""
    from autograder import doctor as room

    if mend:
        click.echo(room.mend())
        return
    if folder:
        open_course(folder)
    ill = 0
    for finding in room.findings():
        ill += not finding.well
        if as_json:
            click.echo(json.dumps(finding.__dict__))
        else:
            click.echo(f"{'ok     ' if finding.well else 'MISSING'} {finding.name:28} {finding.detail}")
            if not finding.well:
                click.echo(f"        -> {finding.remedy}")
    if not as_json:
        click.echo("all is well" if not ill else f"{ill} of these are missing")
    sys.exit(3 if ill else 0)
