"""What several commands share: their arguments and options, and how an assignment is opened."""

from __future__ import annotations

import os
from pathlib import Path

import click

from autograder.course import Assignment, open_course

CORES = len(os.sched_getaffinity(0))


def without_slash(_context: click.Context, _parameter: click.Parameter, name: str | None) -> str | None:
    """Return an assignment's name without the slash at its end."""
    return name and name.rstrip("/")  # a shell completes `grade 1-name/`


assignment_argument = click.argument("name", metavar="ASSIGNMENT", callback=without_slash)
course_option = click.option(
    "--course",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="The course folder  [default: the nearest folder up that holds nbgrader_config.py]",
)
workers_option = click.option(
    "--workers", type=click.IntRange(1, 256), default=CORES, show_default="cores", help="Grade this many at once."
)
task_option = click.option("--task", default="", help="Use only this answer cell's wheats, chaffs and mutants.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
json_lines_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, one object per line.")


def open_assignment(folder: Path | None, name: str, task: str = "") -> Assignment:
    """Open an assignment, narrowed to one task if `task` is given."""
    assignment = open_course(folder).assignment(name)
    if not task:
        return assignment
    from autograder.proof.tasks import narrow_to_task

    return narrow_to_task(assignment, task)
