"""Asks a respondent about a student's objects, and raises here what the student's code raised there."""

from __future__ import annotations

import builtins
from typing import Any, Protocol, cast

from autograder.records.transcript import Exchange
from autograder.sandbox.endings import ChildEnded, RemoteError

# torch's own messages on shapes and types have up to 200 characters.
MAX_ERROR_TEXT = 240


class StudentError(Exception):
    """The student's code gave no usable answer: it hung, died or took too much memory, or sent what cannot be read."""


class Respondent(Protocol):
    """Answers a test cell's questions: a session with the student's code, or the transcript of one.

    `generation` counts the processes that have answered: a reference is valid in its own process only. `asked` are the
    exchanges since the test cell began.
    """

    generation: int
    asked: list[Exchange]

    def request(self, verb: str, *arguments: Any, about: str = "") -> list[Any]:
        """Return the reply, as `sandbox.endings.answer` does; ChildEnded if the child was lost over it."""


def ask(respondent: Respondent, verb: str, *arguments: Any, about: str = "") -> list[Any]:
    """Return the reply to a request. Raises StudentError if the code was lost over it, else what the student's code raised, under
    the same name."""
    try:
        return respondent.request(verb, *arguments, about=about or verb)
    except ChildEnded as error:
        raise StudentError(f"the code {error.why}: {error}") from None
    except RemoteError as error:
        raise _rebuild_error(error) from None


def _rebuild_error(error: RemoteError) -> Exception:
    """Return an exception with the name and the text of the student's; nothing else crosses.

    The text is cut: an exception that quotes its function's arguments would put a hidden test's inputs on the feedback page.
    """
    error.message = error.message[:MAX_ERROR_TEXT]
    builtin = getattr(builtins, error.kind, None)
    if isinstance(builtin, type) and issubclass(builtin, Exception):
        try:
            return builtin(error.message)
        except TypeError:  # UnicodeDecodeError and some others take more than a text
            return Exception(f"{error.kind}: {error.message}")
    name = error.kind if error.kind.isidentifier() else "Error"
    return cast(Exception, type(name[:60], (Exception,), {})(error.message))
