"""The real command on a small class, to be hurt while it runs; and all that it leaves behind, to be counted."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.course import Course, open_course
from tests.support.sandboxed import descendants, gone
from tests.support.tiny import NAME, Desk

COMMAND = str(Path(sys.executable).with_name("autograder"))
# A run of this class takes 4 to 8 s, and 25 s where every process of it was started three times on a busy machine.
PATIENCE = 120
# Random moments tried by each test that has them; the seeds are fixed, and one takes a minute or two. `make prove` tries five,
# and `FAULT_SEEDS=30 make faults` as many as are wanted.
SEEDS = int(os.environ.get("FAULT_SEEDS", "1"))
SETTLED = ("ada", "bob", "cyd", "dan")  # graded, and marked by a person, before any fault
ANEW = ("ada", "bob")  # of these, who handed in again since


def hand_in_first(desk: Desk) -> None:
    for name in SETTLED:
        desk.hand_in(name)


def hand_in_the_rest(desk: Desk) -> None:
    """Twelve submissions to grade, of every kind; two of the settled students handed in anew."""
    for name in ANEW:
        desk.hand_in(name, desk.answered(square_solution="def square(x): return 4", essay="Another."))
    for number in range(6):
        desk.hand_in(f"student-{number}")
    desk.hand_in("blank", desk.release)
    desk.hand_in("dies", desk.answered(double_solution="def double(x):\n    import os\n    os._exit(1)"))
    desk.hand_in("misnamed", name="homework.ipynb")
    desk.put("broken", b'{"cells": [')


ROWS = """
select s.student_id, s.timestamp, b.name, g.auto_score, g.manual_score, g.needs_manual_grade
from submitted_assignment s join submitted_notebook n on n.assignment_id = s.id join grade g on g.notebook_id = n.id
join base_cell b on b.id = g.cell_id
"""
COMMENTS = """
select s.student_id, b.name, c.auto_comment, c.manual_comment from submitted_assignment s
join submitted_notebook n on n.assignment_id = s.id join comment c on c.notebook_id = n.id join base_cell b on b.id = c.cell_id
"""


@dataclass(frozen=True)
class Ledger:
    """All that grading leaves in a course, in a form to be compared: what differs between two runs for no reason, seconds and
    the numbers of rows, is left out; what is there twice is there twice."""

    rows: list[Any]
    comments: list[Any]
    records: dict[str, Any]
    files: dict[str, bytes]

    @classmethod
    def of(cls, course: Course) -> Ledger:
        with contextlib.closing(sqlite3.connect(database(course))) as book:
            rows, comments = (sorted(map(repr, book.execute(query))) for query in (ROWS, COMMENTS))
        records = {path.parent.name: json.loads(path.read_bytes()) for path in course.transcripts.glob("*/*.json")}
        for record in records.values():
            # The tracebacks in a run name its temporary folder; that there is one, and which grade, is compared.
            record |= {"seconds": 0, "run": bool(record["run"])}
        files = [path for path in course.autograded.rglob("*") if path.is_file()]
        return cls(rows, comments, records, {str(f.relative_to(course.root)): f.read_bytes() for f in files})


def database(course: Course) -> Path:
    return Path(course.db_url.removeprefix("sqlite:///").partition("?")[0])


@dataclass
class Running:
    """One `autograder` at work, in a process group of its own, as a terminal starts it."""

    process: subprocess.Popen[str]
    stderr: Path
    lines: list[dict[str, Any]] = field(default_factory=list)

    def wait_for(self, count: int) -> None:
        """Return when so many submissions were reported, or it ended."""
        assert self.process.stdout is not None
        while len(self.lines) < count and (line := self.process.stdout.readline()):
            self.lines.append(json.loads(line))

    def end(self) -> int:
        """Its exit code, when it has ended by itself."""
        self.wait_for(10**6)
        return self.process.wait(PATIENCE)

    @property
    def said(self) -> str:
        return self.stderr.read_text()

    @property
    def graded(self) -> list[str]:
        return [line["student"] for line in self.lines if line["status"] != "failed"]

    def interrupt(self, number: int = signal.SIGINT) -> None:
        """As a terminal does it: everyone in the process group hears it."""
        os.killpg(self.process.pid, number)

    def kill(self, part: str) -> set[int]:
        """kill -9 every process that plays this part now; those that were there."""
        pids = self.parts().get(part, set())
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return pids

    def parts(self) -> dict[str, set[int]]:
        """Its processes by what they do."""
        found: dict[str, set[int]] = {"main": {self.process.pid}, "all": {self.process.pid}}
        for pid in descendants(self.process.pid):
            with contextlib.suppress(OSError):
                found["all"].add(pid)
                found.setdefault(_part(pid), set()).add(pid)
        return found


def _part(pid: int) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_bytes()
    parent = int(_status(pid, "PPid"))
    if b"sandbox.zygote" in words:
        if _status(pid, "Name") == "bwrap":
            return "jail"
        return "warm" if _status(parent, "Name") == "bwrap" else "children"
    if b"forkserver" not in words:
        return "others"
    return "workers" if b"forkserver" in Path(f"/proc/{parent}/cmdline").read_bytes() else "fork server"


def _status(pid: int, key: str) -> str:
    text = Path(f"/proc/{pid}/status").read_text()
    found = re.search(rf"^{key}:\s*(.*)$", text, re.MULTILINE)
    return found.group(1) if found else ""


class Scene:
    """A copy of the class, with a folder for temporary files of its own."""

    def __init__(self, original: Course, folder: Path) -> None:
        self.course = open_course(shutil.copytree(original.root, folder / "course", symlinks=True))
        self.temporary = Path(tempfile.mkdtemp(prefix="faults-"))  # not below `folder`: the path of a socket is short
        self.temporary.chmod(0o755)
        self.folder, self.runs = folder, 0

    @contextlib.contextmanager
    def grading(
        self, *options: str, under: Sequence[str] = (), environment: Mapping[str, str] | None = None
    ) -> Iterator[Running]:
        """`autograder grade`, running, `under` a program that starts it. Whatever is left of it in the end is killed."""
        command = [*under, COMMAND, "grade", NAME, "--json", "--workers", "2", *options]
        with self.running(command, environment) as run:
            yield run

    @contextlib.contextmanager
    def running(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> Iterator[Running]:
        self.runs += 1
        stderr = self.folder / f"stderr-{self.runs}"
        with stderr.open("w") as file:
            process = subprocess.Popen(
                # A shell's background jobs, and all that they start, these tests too, ignore Ctrl-C.
                ["env", "--default-signal=INT", *command],
                cwd=self.course.root,
                env={**os.environ, "TMPDIR": str(self.temporary), **(environment or {})},
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
                start_new_session=True,
            )
        run = Running(process, stderr)
        try:
            yield run
        finally:
            run.kill("all")
            process.wait()
            assert process.stdout is not None
            process.stdout.close()

    def grade(self, *options: str) -> Running:
        """A whole run that nothing disturbs."""
        with self.grading(*options) as run:
            assert run.end() == 1, run.said  # one of the class cannot be read
        return run

    def left_over(self) -> list[str]:
        """Temporary files, and files that were not finished."""
        half = [path for path in self.course.submitted.parent.rglob(".*") if path.name != ".lock"]
        return [str(path) for path in (*self.temporary.iterdir(), *half)]


def ended(pids: set[int]) -> bool:
    """Whether these processes end by themselves."""
    return gone(pids, seconds=15)
