"""What the judge asked of a submission and what came back: the bytes of the wire, test cell by test cell.

It is part of a `Run`. With it the test cells can be scored again (`judge.replay`), shown to a TA (`pages.explain`) and
compared with known mistakes (`diagnose`), and no student's code runs.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

# Up to eleven requests of a submission send pictures, 3.6 MB at a time; all others of the course are shorter than this. Of a
# longer one the transcript holds a digest (2 ms for 4 MB) and an outline: shapes, and the data of small arrays.
MAX_REQUEST = 2**16
MAX_OUTLINED = 2**10
# A solution of the course has 1 to 315 KB, which become 0.2 to 63 KB in 0.05 to 1.5 ms. A submission that is over this keeps no
# transcript, and has to run again where others are only scored anew.
MAX_BYTES = 8 * 2**20


class TranscriptError(Exception):
    """Bytes that are no transcript, or not one of today's form."""


@dataclass(frozen=True)
class Exchange:
    """One question and what came of it: a reply, or how the child `ended`. `generation` counts the submission's children.

    `request` is what was sent, or where `digest` is not empty, an outline of it.
    """

    request: bytes
    reply: bytes
    generation: int
    ended: tuple[str, str] | None = None
    digest: bytes = b""

    @classmethod
    def of(
        cls, asked: list[Any], request: bytes, reply: bytes, generation: int, ended: tuple[str, str] | None = None
    ) -> Exchange:
        """The exchange in which `asked` was sent as `request`."""
        if len(request) <= MAX_REQUEST:
            return cls(request, reply, generation, ended)
        return cls(msgspec.msgpack.encode(_outlined(asked)), reply, generation, ended, digest(request))

    def answers(self, request: bytes) -> bool:
        """Whether this was the question, to the bit."""
        return self.digest == digest(request) if self.digest else self.request == request

    @property
    def name(self) -> bytes:
        """What tells this question from others."""
        return self.digest or digest(self.request)


@dataclass(frozen=True)
class Span:
    """One check of a test cell: the questions that it asked are `exchanges[first:last]`. `example` are the arguments of
    the smallest counterexample that hypothesis found, "" where there is none; its questions begin with `exchanges[drawn]`."""

    check: str
    first: int
    last: int
    example: str = ""
    drawn: int = 0


@dataclass(frozen=True)
class Asked:
    """What one test cell asked, in order."""

    exchanges: tuple[Exchange, ...] = ()
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True)
class Transcript:
    """What each test cell of a submission asked, by grade_id."""

    cells: dict[str, Asked] = field(default_factory=dict)


def digest(request: bytes) -> bytes:
    """A name for a request; where the processor has instructions for it, SHA-256 is seven times as fast as BLAKE2."""
    return hashlib.sha256(request).digest()[:16]


def dumps(transcript: Transcript) -> bytes:
    """The transcript as bytes; b"" for one that is too long to be kept."""
    size = sum(len(e.request) + len(e.reply) for asked in transcript.cells.values() for e in asked.exchanges)
    return zlib.compress(msgspec.msgpack.encode(transcript), 1) if size <= MAX_BYTES else b""


def loads(content: bytes) -> Transcript:
    """The transcript that `dumps` wrote; TranscriptError for anything else."""
    inflater = zlib.decompressobj()
    try:
        plain = inflater.decompress(content, 2 * MAX_BYTES)
        if not inflater.eof:
            raise TranscriptError("not whole")
        return msgspec.msgpack.decode(plain, type=Transcript)
    except (zlib.error, msgspec.MsgspecError) as error:
        raise TranscriptError(f"not a transcript: {error}") from None


def _outlined(tree: Any) -> Any:
    """A request's tree without the data of its large arrays."""
    if isinstance(tree, bytes):
        return tree if len(tree) <= MAX_OUTLINED else b""
    if isinstance(tree, list):
        return [_outlined(item) for item in tree]
    return {key: _outlined(item) for key, item in tree.items()} if isinstance(tree, Mapping) else tree
