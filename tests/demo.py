"""`make demo`: an instructor's notebook becomes a release, a class is graded in sandboxes, the gradebook and every student's
feedback exist. Runs the real commands on a course of its own in build/demo, and compares each score with what it must be."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from autograder.course import Course
from autograder.course import notebook as nb
from autograder.errors import AutograderError
from autograder.records.grade import Grade
from autograder.records.store import parse_record
from tests.support.classroom import NAME, ROOT, Classroom, Pupil, hand_in, make_course, worth

DUE = "2026-01-10 00:00:00 UTC"
BIN = Path(sys.executable).parent


def main() -> int:
    console = Console(width=None if sys.stdout.isatty() else 150)
    course = make_course(ROOT / "build" / "demo")
    names = sorted(path.name for path in course.source.iterdir())
    classes = {name: hand_in_all(course, name) for name in names}
    count = sum(map(len, classes.values()))
    console.print(f"{count} submissions of {len(names)} assignments. The same course, by hand:\n  cd {course.root}")

    # The assignment with the mishaps has a deadline; it is in the gradebook once somebody's is graded.
    run("autograder", "grade", NAME, "--student", "solution", quiet=True)
    run("nbgrader", "db", "assignment", "add", NAME, f"--duedate={DUE}", quiet=True)
    surprises = 0
    for name in names:
        console.print(f"\n$ autograder grade {name}")
        started = time.monotonic()
        printed = run("autograder", "grade", name, "--json", "--again").stdout
        seconds = time.monotonic() - started
        grades = {grade.student: grade for grade in map(read, printed.splitlines())}
        surprises += report(console, classes[name], grades, worth(nb.read(course.assignment(name).source_path)))
        console.print(f"{len(grades)} submissions in {seconds:.0f} s{waited(course, name)}")

    console.print()
    for command in (*(("feedback", name) for name in names), ("export",), ("export", NAME)):
        console.print(f"$ autograder {' '.join(command)}", highlight=False)
        print(run("autograder", *command).stdout.strip())
    some = next(pupil.name for pupil in classes[NAME] if pupil.name.startswith("chaff"))
    page = course.feedback / some / NAME / f"{course.assignment(NAME).notebook}.html"
    console.print(f"\nA student's feedback: {page}", soft_wrap=True)
    console.print(
        f"TAs grade the written answers in Jupyter's Formgrader: cd {course.root} && {BIN}/jupyter lab", soft_wrap=True
    )
    console.print("every score is the one that was expected" if not surprises else f"{surprises} UNEXPECTED SCORES")
    return 1 if surprises else 0


def hand_in_all(course: Course, name: str) -> list[Pupil]:
    """The solution, the blank release, a wheat and a chaff of every task; for one assignment the mishaps of every term."""
    classroom = Classroom(course.assignment(name))
    pupils = [pupil for kind in ("solution", "blank") for pupil in classroom.variants(kind)]
    pupils += [*classroom.one_of_each("wheat"), *classroom.one_of_each("chaff")]
    pupils += classroom.mishaps() if name == NAME else []
    for pupil in pupils:
        hand_in(course.assignment(name), pupil)
    return pupils


def waited(course: Course, name: str) -> str:
    limit = course.assignment(name).settings.limits.cell_seconds
    return f", the endless loop's {limit} s included" if name == NAME else ""


def run(program: str, *arguments: str, quiet: bool = False) -> subprocess.CompletedProcess[str]:
    """One real command in the demo's course; its progress is shown, its failure stops the demo."""
    stderr = subprocess.PIPE if quiet else None
    done = subprocess.run(
        [str(BIN / program), *arguments],
        cwd=ROOT / "build" / "demo",
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        check=False,
    )
    unreadable_allowed = arguments[0] == "grade"  # exit code 1: some submissions could not be read, which is shown
    if done.returncode not in ((0, 1) if unreadable_allowed else (0,)):
        sys.exit(f"{program} {' '.join(arguments)} ended with {done.returncode}: {done.stderr or ''}")
    return done


def read(line: str) -> Grade:
    record = parse_record(line.encode())
    assert record
    return record.grade


def report(console: Console, pupils: list[Pupil], grades: dict[str, Grade], points: dict[str, float]) -> int:
    """Print the table; the number of pupils whose score or status is not what it must be."""
    table = Table(box=None, pad_edge=False)
    for name in ("handed in", "status", "expected", "got", "", "notes"):
        table.add_column(name, justify="right" if name in ("expected", "got") else "left", overflow="fold")
    surprises = 0
    for pupil in pupils:
        grade = grades[pupil.name]
        unreadable = pupil.status == "unreadable"
        fine = grade.status == pupil.status and (unreadable or not pupil.expected.find_fault(grade))
        surprises += not fine
        expected = "-" if unreadable else pupil.expected.describe_points(points)
        got = "-" if grade.score is None else f"{grade.score:g}"
        table.add_row(
            pupil.name, grade.status, expected, got, "as expected" if fine else "UNEXPECTED", "; ".join(grade.notes)
        )
    console.print(table)
    return surprises


if __name__ == "__main__":
    try:
        sys.exit(main())
    except AutograderError as error:  # an instructor's own course, half edited
        sys.exit(f"demo: {error}")
