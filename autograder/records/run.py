"""A run: one execution of a submission, whole and immutable.

A grade is a pure function of a run and of today's tests.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from autograder.records.transcript import Transcript, TranscriptError, loads


@dataclass(frozen=True)
class Run:
    """The result of executing one submission.

    `notebook` is the executed notebook as JSON: the student's answers in the instructor's notebook, with the outputs of all
    cells except test cells, which run in the judge. `asked` is the transcript as packed by `transcript.dumps`, b"" if it is too
    long to be kept. `ended` is the status of a run that stopped before the notebook's end, "" if it did not, and `notes` say
    what happened to the student's code. `isolation` names the active layers. `handed_in` is a hash of the files, and
    `answers_key` of all that the answers depend on.
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
        """The transcript; None if it is not kept or cannot be read."""
        try:
            return loads(self.asked)
        except TranscriptError:
            return None


def pack(run: Run) -> bytes:
    """Pack a run into bytes, for a file or another process."""
    return msgspec.msgpack.encode(run)


def unpack(content: bytes) -> Run:
    """Unpack the run that `pack` wrote; ValueError for anything else."""
    return msgspec.msgpack.decode(content, type=Run)
