"""The `autograder` command as a process of its own, for programs that must not import torch, change folder or wait.

nbgrader's converters run inside Formgrader's server, which serves other pages meanwhile.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

# -P: nothing in the course's folder takes the place of a module.
PROGRAM = (sys.executable, "-P", "-c", "from autograder.cli import main; main(prog_name='autograder')")
PREFIX = "autograder: "  # of the line in which the command says why it did not do it
FAILURES = {
    1: "some submissions could not be graded or shown; the lines above say which and why",
    4: "grades would change, and were left as they are; `autograder grade {name} --apply` writes the new ones",
}


def make_command(verb: str, name: str, root: Path, students: Sequence[str], *options: str) -> list[str]:
    """Return the arguments of `autograder VERB` for assignment `name` of the course in `root`; no students means all."""
    return [*PROGRAM, verb, f"--course={root}", *(f"--student={student}" for student in students), *options, "--", name]


def make_environment() -> dict[str, str]:
    """Return this process's environment, for a command whose output is read as plain lines of 120 characters."""
    return {**os.environ, "COLUMNS": "120", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1"}


def run(arguments: Sequence[str], show: Callable[[str], None]) -> str:
    """Run a command from `make_command`, `show` each line that it prints, and return why it failed, "" if it did not."""
    lines: list[str] = []
    with subprocess.Popen(
        arguments,
        env=make_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            lines.append(line.rstrip("\n"))
            show(lines[-1])
    return explain(process.returncode, lines, arguments[-1])


def explain(code: int, lines: Sequence[str], name: str) -> str:
    """Say in one line why a command for assignment `name` that printed `lines` ended with this exit code; "" for 0."""
    if code == 0:
        return ""
    reasons = [line.removeprefix(PREFIX) for line in lines if line.startswith(PREFIX)]
    if code not in FAILURES or (code == 1 and len(reasons) == 1):
        return reasons[-1] if reasons else f"`autograder` ended with exit code {code}"
    return FAILURES[code].format(name=name)
