"""What a student does next, for the top of the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autograder.pages.feedback.sections import Section, Task
from autograder.records.diagnose import UNWRITTEN, is_unwritten
from autograder.records.grade import Grade


@dataclass(frozen=True)
class NextStep:
    """One step: what to do, the heading and anchor of the task ("" if it is no task), and why."""

    text: str
    heading: str = ""
    anchor: str = ""
    more: str = ""


def next_step(grade: Grade, sections: Sequence[Section]) -> NextStep:
    """Return what to do next: first what stopped, then what fails by itself, then what is not written yet."""
    if grade.status == "unreadable":
        return _hand_in_again(grade)
    if grade.status == "failed":
        return NextStep("You need not do anything: this notebook will be graded again.")
    open_tasks = [(section, task) for section in sections for task in section.tasks if _is_open(task)]
    if open_tasks:
        return _start_with(*min(open_tasks, key=lambda pair: _urgency(*pair)))
    waiting = [task for section in sections for task in section.tasks if task.points is None or task.stale]
    if waiting:
        return NextStep("Nothing is left to do. A person still reads what the checks cannot grade.")
    return NextStep("Nothing is left to do: every task has full points.")


def _hand_in_again(grade: Grade) -> NextStep:
    reason = " ".join(grade.notes[0].split()) if grade.notes else "the file could not be read"
    steps = "Open your notebook in Jupyter, check that your answers are in it, save it, and hand in that file."
    return NextStep("Hand in again. Nothing could be graded.", more=f"Why: {reason.rstrip('.')}. {steps}")


def _is_open(task: Task) -> bool:
    return task.points is not None and not task.by_person and not task.grade.whole


def _is_unwritten(task: Task) -> bool:
    checks = task.grade.checks
    return task.written or (is_unwritten(task.grade) and all(check.message == UNWRITTEN for check in checks))


def _urgency(section: Section, task: Task) -> int:
    """0 for what stopped, 1 for what fails by itself, 2 for what calls a failing answer, 3 for what is not written yet."""
    if task.advice.calls:
        return 2
    if section.stopped:
        return 0
    return 3 if _is_unwritten(task) else 1


def _start_with(section: Section, task: Task) -> NextStep:
    heading = section.heading or task.name
    if section.stopped:
        lines = [frame.line for frame in section.stopped_at if frame.cell in section.names]
        place = f" in line {lines[-1]}" if lines else ""
        return NextStep("Start with", heading, task.anchor, f"Your own cell stops with an error{place}.")
    if _is_unwritten(task):
        return NextStep("Go on with", heading, task.anchor, "It is not written yet.")
    if task.advice.diagnosis and task.advice.diagnosis.hint:
        return NextStep("Start with", heading, task.anchor, f"Hint: {task.advice.diagnosis.hint}")
    failed = [check for check in task.grade.checks if not check.passed]
    return NextStep("Start with", heading, task.anchor, f"It fails the check “{failed[0].name}”." if failed else "")
