"""Every attack handed in to one course, each followed by an honest submission, and graded by the real command: once for
all tests. Beside it, what stands around the grader and must be as it was."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.course import Assignment
from tests.attacks import arena
from tests.attacks.attack import Attack, cell_attacks
from tests.attacks.tampered import tampered_attacks

MARK = f"an-attack-was-here-{os.getpid()}"
ATTACKS = [*cell_attacks(), *tampered_attacks()]
# In turn after each attack, and all of them before the first.
NEIGHBOURS = ("solution", "wrong", "no-square", "blank")


@dataclass
class Host:
    """What an attack would like to reach: a private file, a service on a port and one on an abstract socket."""

    canary: Path
    visitors: list[str] = field(default_factory=list)

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            for family, address in (
                (socket.AF_INET, ("127.0.0.1", 0)),
                (socket.AF_UNIX, f"\0{MARK}-listener-of-the-host"),
            ):
                listener = stack.enter_context(socket.socket(family))
                listener.bind(address)
                listener.listen()
                # Closed alone, it would go on listening for the thread that waits for visitors.
                stack.callback(listener.shutdown, socket.SHUT_RDWR)
                threading.Thread(target=self._answer, args=(listener,), daemon=True).start()
                if family == socket.AF_INET:
                    self.port = listener.getsockname()[1]
            yield

    def _answer(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                visitor, _ = listener.accept()
                with visitor:
                    self.visitors.append(str(visitor))


@dataclass(frozen=True)
class Arena:
    """A graded batch: what the command printed and wrote, and what was there before."""

    assignment: Assignment
    attacks: Sequence[Attack]
    lines: dict[str, dict[str, Any]]
    host: Host
    before: dict[str, str]
    after: dict[str, str]
    grader: subprocess.CompletedProcess[str]

    def of(self, attack: Attack) -> dict[str, Any]:
        return self.lines[student(attack)]

    def neighbour(self, attack: Attack) -> tuple[str, dict[str, Any]]:
        """The honest submission that was handed in behind it."""
        number = self.attacks.index(attack)
        kind = NEIGHBOURS[number % len(NEIGHBOURS)]
        return kind, self.lines[f"{student(attack)}-next"]

    def honest(self, name: str) -> dict[str, Any]:
        return self.lines[f"000-{name}"]

    def notebook(self, student: str) -> Path:
        return self.assignment.course.autograded / student / arena.NAME / f"{arena.NAME}.ipynb"


def student(attack: Attack) -> str:
    return f"{ATTACKS.index(attack) + 1:03}-{attack.name}"


def scores(line: dict[str, Any]) -> dict[str, float | None]:
    return {name: cell["score"] for name, cell in line["cells"].items()}


def hand_in(assignment: Assignment, name: str, attack: Attack | None, kind: str, words: dict[str, str]) -> None:
    """One submission into its folder: an attack, or the honest one called `kind`."""
    folder = assignment.course.submitted / name / arena.NAME
    folder.mkdir(parents=True)
    (folder / "timestamp.txt").write_text("2026-01-09 12:00:00 UTC")
    notebook = arena.honest(assignment.course, kind)
    if attack:
        attack.hand_in(folder, notebook)
    elif kind != "unreadable":
        (folder / f"{arena.NAME}.ipynb").write_text(json.dumps(notebook))
    _fill_in(folder, words)


def _fill_in(folder: Path, words: dict[str, str]) -> None:
    """Tell the attack where things are on this machine, in its files and its links."""
    for path in [] if folder.is_symlink() else sorted(folder.iterdir()):
        if path.is_symlink():
            target = str(path.readlink())
            path.unlink()
            path.symlink_to(_replaced(target, words))
        elif path.is_file() and path.stat().st_size < 2**20:
            with contextlib.suppress(UnicodeDecodeError):
                text = path.read_text()
                if "THE_" in text:
                    path.write_text(_replaced(text, words))


def _replaced(text: str, words: dict[str, str]) -> str:
    for word, value in words.items():
        text = text.replace(word, value)
    return text


def fight(folder: Path, attacks: Sequence[Attack] = ATTACKS, run: Sequence[str] = (), workers: int = 3) -> Arena:
    """Hand in and grade. `run` is put before the command: it may change who runs it."""
    assignment = arena.write_course(folder / "course")
    host = Host(folder / "canary")
    host.canary.mkdir()
    (host.canary / "private.txt").write_text(arena.SECRET)
    course = assignment.course
    environment = {**os.environ, "GRADER_SECRET": arena.SECRET, "HOME": str(folder)}
    command = [
        *run,
        str(Path(sys.executable).parent / "autograder"),
        "grade",
        arena.NAME,
        "--course",
        str(course.root),
        "--json",
    ]
    with host.listening():
        words = {
            "THE_CANARY": str(host.canary), "THE_COURSE": str(course.root), "THE_PORT": str(host.port),
            "THE_LISTENER": f"{MARK}-listener-of-the-host", "THE_PID": str(os.getpid()), "THE_MARK": MARK,
        }  # fmt: skip
        for kind in arena.HONEST:
            hand_in(assignment, f"000-{kind}", None, kind, words)
        # Graded before all others and marked by a person: rows of the gradebook that nobody may touch.
        hand_in(assignment, "000-marked", None, "solution", words)
        for number, attack in enumerate(attacks):
            hand_in(assignment, student(attack), attack, attack.base, words)
            hand_in(assignment, f"{student(attack)}-next", None, NEIGHBOURS[number % len(NEIGHBOURS)], words)
        if run:
            hand_over(folder)
        first = subprocess.run(
            [*command, "--student", "000-marked"], env=environment, check=False, capture_output=True, text=True
        )
        assert first.returncode == 0, first.stderr
        mark_by_hand(assignment, "000-marked")
        before = fingerprint(course.root, host.canary)
        done = subprocess.run(
            [*command, f"--workers={workers}"], env=environment, check=False, capture_output=True, text=True
        )
        after = fingerprint(course.root, host.canary)
    lines = {line["student"]: line for line in map(json.loads, done.stdout.splitlines())}
    return Arena(assignment, attacks, lines, host, before, after, done)


def hand_over(folder: Path) -> None:
    """Give everything to the ordinary user who will grade."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, 65534, 65534, follow_symlinks=False)


def mark_by_hand(assignment: Assignment, name: str) -> None:
    from nbgrader.api import Gradebook

    with Gradebook(assignment.course.db_url) as book:
        grade = book.find_grade("essay", arena.NAME, arena.NAME, name)
        grade.manual_score, grade.needs_manual_grade = 1.5, False
        book.find_comment("essay", arena.NAME, arena.NAME, name).manual_comment = "Well argued."
        book.db.commit()


def marked_by_hand(assignment: Assignment, name: str) -> tuple[float, str]:
    from nbgrader.api import Gradebook

    with Gradebook(assignment.course.db_url) as book:
        grade = book.find_grade("essay", arena.NAME, arena.NAME, name)
        return grade.manual_score, book.find_comment("essay", arena.NAME, arena.NAME, name).manual_comment


def fingerprint(root: Path, canary: Path) -> dict[str, str]:
    """Every path of the course but what grading writes, and of the canary's folder, with what it is."""
    kept = [
        root / "source",
        root / "release",
        root / "assignments",
        root / "nbgrader_config.py",
        root / "gradebook/submitted",
        canary,
    ]
    paths = [path for top in kept for path in (top, *top.rglob("*"))] + list(root.iterdir())
    return {str(path): _what(path) for path in paths}


def _what(path: Path) -> str:
    if path.is_symlink():
        return f"link to {path.readlink()}"
    mode = f"{path.stat().st_mode:o}"
    if path.is_file() and path.stat().st_size < 2**26:
        return f"{mode} {hashlib.sha256(path.read_bytes()).hexdigest()}"
    return mode
