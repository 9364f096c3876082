"""What a worker process of a batch does: judges one job after the other, with the next child always warming up.

This module is imported once by the fork server, with torch and what the test cells import; workers are forks of that.
"""

from __future__ import annotations

import signal
import socket

import hypothesis  # noqa: F401  (the first test cell would pay for it)
import nbformat.v4
import torch

from autograder.errors import InfrastructureError
from autograder.grade import Grade
from autograder.judge.submission import Job, judge
from autograder.sandbox import confine
from autograder.sandbox.kernel import ChildEnded, ChildKernel
from autograder.sandbox.warm import ChildLimits


class Children:
    """Hands out children, and starts the next one while this one works: a kernel's 0.1 s passes unnoticed."""

    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self.spare: tuple[ChildLimits, int, ChildKernel] | None = None

    def take(self, limits: ChildLimits, output_bytes: int) -> ChildKernel:
        """A child with these limits that takes requests."""
        spare, self.spare = self.spare, None
        if spare and spare[:2] == (limits, output_bytes):
            child = spare[2]
        else:
            if spare:
                spare[2].close()
            child = ChildKernel(self.control, limits, output_bytes)
        try:
            child.ready()
        except ChildEnded as error:  # before any code of a student's: not the student's doing
            raise InfrastructureError(f"a fresh kernel was lost: {error}") from None
        self.spare = (limits, output_bytes, ChildKernel(self.control, limits, output_bytes))
        return child

    def close(self) -> None:
        if self.spare:
            self.spare[2].close()


_children: Children | None = None


def start(control: socket.socket) -> None:
    """Initialise this worker process."""
    global _children
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the batch's own process stops the workers
    confine.die_with_parent()
    torch.set_num_threads(1)
    _children = Children(control)


def work(job: Job) -> tuple[Grade, bytes]:
    """Judge one job: its grade, and the notebook with outputs as bytes to be saved."""
    assert _children is not None
    judged = judge(job, _children.take)
    return judged.grade, nbformat.v4.writes_json(judged.notebook).encode(errors="replace") + b"\n"
