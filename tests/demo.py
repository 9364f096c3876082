"""`make demo`: an instructor's notebook becomes a release, a class is graded in sandboxes, the gradebook and every student's
feedback exist. Runs the real commands on a course of its own in build/demo, and compares each score with what it must be."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from autograder.grade import Grade
from tests.classroom import NAME, ROOT, Classroom, Pupil, hand_in, make_course, worth

DUE = "2026-01-10 00:00:00 UTC"
BIN = Path(sys.executable).parent


def main() -> int:
    console = Console(width=None if sys.stdout.isatty() else 150)
    course = make_course(ROOT / "build" / "demo")
    assignment = course.assignment(NAME)
    classroom = Classroom(assignment)
    chosen = ("solution", "blank")
    pupils = [pupil for name in chosen for pupil in classroom.variants(name)]
    pupils += [*classroom.one_of_each("wheat"), *classroom.one_of_each("chaff"), *classroom.mishaps()]
    for pupil in pupils:
        hand_in(assignment, pupil)
    console.print(f"A class of {len(pupils)} has handed in {NAME}. The same course, by hand:\n  cd {course.root}")

    run(
        "autograder", "grade", NAME, "--student", "solution", quiet=True
    )  # the assignment is in the gradebook from here on
    run("nbgrader", "db", "assignment", "add", NAME, f"--duedate={DUE}", quiet=True)
    console.print(f"\n$ autograder grade {NAME}")
    started = time.monotonic()
    printed = run("autograder", "grade", NAME, "--json", "--again").stdout
    seconds = time.monotonic() - started
    grades = {grade.student: grade for grade in map(read, printed.splitlines())}
    surprises = report(console, pupils, grades, worth(classroom.source))
    console.print(
        f"{len(grades)} submissions in {seconds:.0f} s, the endless loop's {assignment.settings.limits.cell_seconds} s included\n"
    )

    for command in (("feedback", NAME), ("export",), ("export", NAME)):
        console.print(f"$ autograder {' '.join(command)}", highlight=False)
        print(run("autograder", *command).stdout.strip())
    some = next(pupil.name for pupil in pupils if pupil.name.startswith("chaff"))
    console.print(f"\nA student's feedback: {course.feedback / some / NAME / assignment.notebook}.html", soft_wrap=True)
    console.print(
        f"TAs grade the written answers in Jupyter's Formgrader: cd {course.root} && {BIN}/jupyter lab", soft_wrap=True
    )
    console.print("every score is the one that was expected" if not surprises else f"{surprises} UNEXPECTED SCORES")
    return 1 if surprises else 0


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
    return Grade.from_json(json.loads(line))


def report(console: Console, pupils: list[Pupil], grades: dict[str, Grade], points: dict[str, float]) -> int:
    """Print the table; the number of pupils whose score or status is not what it must be."""
    table = Table(box=None, pad_edge=False)
    for name in ("handed in", "status", "expected", "got", "", "notes"):
        table.add_column(name, justify="right" if name in ("expected", "got") else "left", overflow="fold")
    surprises = 0
    for pupil in pupils:
        grade = grades[pupil.name]
        unreadable = pupil.status == "unreadable"
        fine = grade.status == pupil.status and (unreadable or not pupil.expected.broken_by(grade))
        surprises += not fine
        expected = "-" if unreadable else pupil.expected.text(points)
        got = "-" if grade.score is None else f"{grade.score:g}"
        table.add_row(
            pupil.name, grade.status, expected, got, "as expected" if fine else "UNEXPECTED", "; ".join(grade.notes)
        )
    console.print(table)
    return surprises


if __name__ == "__main__":
    sys.exit(main())
