"""A run: one execution of a submission, whole and unchangeable. A grade is a pure function of a run and of today's tests."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from autograder.records.transcript import Transcript, TranscriptError, loads


@dataclass(frozen=True)
class Run:
    """What came of executing one submission.

    `notebook` is the executed notebook as JSON: the student's answers in the instructor's frame, with the outputs of all
    cells but the test cells, which are not executed with it. `asked` is the transcript as `transcript.dumps` packs it, b""
    for one that is too long to be kept. `ended` says how the run ended if not at the notebook's end (a status), and `notes`
    what happened to the student's code. `handed_in` and `answers_key` are hashes of what went in: the files, and all that
    the answers depend on.
    """

    student: str
    assignment: str
    notebook: bytes
    asked: bytes = b""
    ended: str = ""
    notes: tuple[str, ...] = ()
    isolation: tuple[str, ...] = ()
    seconds: float = 0.0
    handed_in: str = ""
    answers_key: str = ""

    @property
    def transcript(self) -> Transcript | None:
        """What the tests asked; None where that is not kept, or cannot be read."""
        try:
            return loads(self.asked)
        except TranscriptError:
            return None


def pack(run: Run) -> bytes:
    """A run as bytes: to be kept in a file, or sent to another process."""
    return msgspec.msgpack.encode(run)


def unpack(content: bytes) -> Run:
    """The run that `pack` wrote; ValueError for anything else."""
    return msgspec.msgpack.decode(content, type=Run)
