"""What can come of asking a child, instead of an answer: it raised, or it ended."""

from __future__ import annotations

from typing import Any


class ChildEnded(Exception):
    """The child is gone, or was put down: `why` is "died", "timed out", "out of memory" or "output limit"."""

    def __init__(self, why: str, detail: str) -> None:
        super().__init__(detail)
        self.why = why


class RemoteError(Exception):
    """An exception raised in the child: by a student's function, or because an answer cannot cross."""

    def __init__(self, kind: str, message: str, trace: str) -> None:
        super().__init__(message)
        self.kind, self.message, self.trace = kind, message, trace


def answer(message: list[Any]) -> list[Any]:
    """What a reply says, beginning with "ok" or "missing"; RemoteError where it tells of an exception."""
    if message[0] == "error":
        kind, text, trace = (str(item) for item in (*message[1:], "", "", "")[:3])
        raise RemoteError(kind, text, trace)
    return message
