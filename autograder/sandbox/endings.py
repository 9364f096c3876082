"""How a request to a child can end without an answer: the child raised an exception, or it ended."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
from typing import Any

from autograder.errors import InfrastructureError

REPORT_SECONDS = 2  # the line closes a moment before the supervisor knows
# The kernel's CPU limit counts the clock ticks at which the child was running, and the supervisor reports its time. Beside
# neighbours that sleep at each tick, the time was 0.92 of the limit, and once less than 0.9. No submission as a whole may take
# half of the limit.
CPU_SHARE = 0.5


class ChildEnded(Exception):  # noqa: N818  (an event with a reason, not always an error)
    """The child ended or was killed; `why` is "died", "timed out", "out of memory" or "output limit"."""

    def __init__(self, why: str, detail: str) -> None:
        super().__init__(detail)
        self.why = why


class RemoteError(Exception):
    """An exception raised in the child: by a student's function, or because an answer cannot cross."""

    def __init__(self, kind: str, message: str, trace: str) -> None:
        super().__init__(message)
        self.kind, self.message, self.trace = kind, message, trace


def answer(message: list[Any]) -> list[Any]:
    """Return a reply, which begins with "ok" or "missing"; raise RemoteError if it is an exception."""
    if message[0] == "error":
        kind, text, trace = (str(item) for item in (*message[1:], "", "", "")[:3])
        raise RemoteError(kind, text, trace)
    return message


def read_end(leash: socket.socket, cpu_seconds: int) -> ChildEnded | InfrastructureError:
    """Read from the leash how a child ended, whose limit was `cpu_seconds`.

    Nobody inside the child's namespace can kill it by SIGKILL or reach the supervisor. If that happened, it was this
    machine, which is short of memory or shutting down.
    """
    report: dict[str, Any] = {}
    with contextlib.suppress(OSError, ValueError):
        leash.settimeout(REPORT_SECONDS)
        data = leash.recv(8192)
        if not data:
            return InfrastructureError("the child and its supervisor were killed; see this machine's log")
        report = json.loads(data)
    if report.get("out_of_memory"):
        return ChildEnded("out of memory", "it took more memory than the assignment allows")
    if report.get("doubt"):
        return ChildEnded("died", f"it could not be watched ({report['doubt']})")
    status = report.get("status")
    if status == -signal.SIGKILL:
        if report["cpu_seconds"] > CPU_SHARE * cpu_seconds:
            return ChildEnded("timed out", f"it took over {cpu_seconds} s of CPU time")
        return InfrastructureError("the child was killed from outside; is this machine short of memory?")
    how = f"signal {-status}" if isinstance(status, int) and status < 0 else f"exit {status}"
    return ChildEnded("died", f"the process ended ({how})")
