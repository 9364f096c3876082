"""Real children for the tests: one warm process a session, a fresh child for each use."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat import from_dict

from autograder.course import Limits
from autograder.course import notebook as nb
from autograder.judge import remote
from autograder.judge.job import Job, Judged
from autograder.judge.live import judge
from autograder.judge.session import Session
from autograder.sandbox import wire
from autograder.sandbox.client import ChildKernel
from autograder.sandbox.warm import ChildLimits

MARK = "only-the-grader-knows-this"
FILES = {"data/words.txt": b"three small words"}  # what lies beside every notebook


def code(source: str, **grader: Any) -> nb.Cell:
    """A code cell; `grader` is its nbgrader metadata."""
    metadata = (
        {"nbgrader": {"schema_version": 3, **dict.fromkeys(("grade", "locked", "solution", "task"), False), **grader}}
        if grader
        else {}
    )
    return {"cell_type": "code", "metadata": metadata, "source": source, "outputs": [], "execution_count": None}


def checking_cell(source: str, points: float = 1, grade_id: str = "test") -> nb.Cell:
    return code(source, grade_id=grade_id, grade=True, locked=True, points=points)


def answer_cell(source: str, grade_id: str = "answer") -> nb.Cell:
    return code(source, grade_id=grade_id, solution=True)


def notebook(*cells: nb.Cell) -> nb.Notebook:
    numbered = [{"id": f"cell-{index}", **cell} for index, cell in enumerate(cells)]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": numbered}


def executed(judged: Judged) -> Any:
    """The executed notebook of a run, as nbformat has it."""
    assert judged.run
    return from_dict(json.loads(judged.run.notebook))


@dataclass(frozen=True)
class Sandbox:
    """A warm process to take children from, and its id."""

    control: socket.socket
    pid: int

    def take(self, limits: ChildLimits, output_bytes: int = 2**20) -> ChildKernel:
        child = ChildKernel(self.control, limits, output_bytes)
        child.ready()
        return child

    @contextlib.contextmanager
    def child(self, **limits: int) -> Iterator[ChildKernel]:
        kernel = self.take(ChildLimits(**limits))
        try:
            yield kernel
        finally:
            kernel.close()

    def look(self, source: str, **limits: int) -> Any:
        """Run a cell in a fresh child; what it bound to `seen`."""
        with self.child(**limits) as child:
            return seen(child, source)

    def judge(self, *cells: nb.Cell, **limits: int) -> Judged:
        """Judge a notebook of these cells, as a submission is judged."""
        job = Job("ada", "tiny", notebook(*cells), frozenset(), (), Limits(**limits))
        return judge(job, self.take)

    def ask(self, cells: Sequence[str], body: Callable[[Fetch], Any], **limits: int) -> Any:
        """Run student cells in a session, then `body`, which gets a function that fetches what they defined."""

        async def run() -> Any:
            session = Session(lambda: self.take(ChildLimits()), Limits(**limits))
            try:
                for cell in cells:
                    session.kernel.run_silently(cell, 10)
                    session.cells.append(cell)
                return body(Fetch(session))
            finally:
                session.close()

        return asyncio.run(run())


def descendants(pid: int) -> set[int]:
    """The ids of all processes below `pid`, as this machine sees them."""
    parents: dict[int, int] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(status.parent.name)] = int(status.read_text().rpartition(")")[2].split()[1])
    found: set[int] = set()
    while more := {child for child, parent in parents.items() if parent in found | {pid}} - found:
        found |= more
    return found


def gone(pids: set[int], seconds: float = 5) -> bool:
    """Whether all of these processes end within `seconds`; one that only waits to be reaped has ended."""
    deadline = time.monotonic() + seconds
    while any(_runs(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@dataclass(frozen=True)
class Fetch:
    """What a test cell does with a name that the student defined."""

    session: Session

    def __call__(self, name: str) -> Any:
        return remote.fetch(self.session, name)


def seen(child: ChildKernel, source: str) -> Any:
    child.run_silently(source, 20)
    return wire.decode(child.request("get", "seen", timeout=10)[1])
