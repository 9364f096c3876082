"""A transcript: what the judge asked of a submission and what came back, for each test cell.

It holds the bytes of the wire and is part of a `Run`. With it a submission can be rescored (`judge.replay`), explained to a TA
(`pages.explain`) and compared with known mistakes (`diagnose`) without running the student's code.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

# Up to eleven requests of a submission send pictures, 3.6 MB each; all others of the course are shorter than this. Of a longer
# request the transcript holds a digest (2 ms for 4 MB) and an outline: shapes, and the data of small arrays.
MAX_REQUEST = 2**16
MAX_OUTLINE_BYTES = 2**10
# The solutions of the course have 1 to 315 KB, 0.2 to 63 KB compressed. A longer transcript is not kept, and its submission runs
# again where others are rescored.
MAX_BYTES = 8 * 2**20


class TranscriptError(Exception):
    """The bytes are not a transcript, or not in today's format."""


@dataclass(frozen=True)
class Exchange:
    """One question with its reply, or with how the child `ended`: status and message. `generation` counts the submission's
    children.

    `request` is what was sent, or an outline of it if `digest` is not empty.
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
        """Return the exchange in which `asked` was sent as `request`, with an outline if the request is long."""
        if len(request) <= MAX_REQUEST:
            return cls(request, reply, generation, ended)
        return cls(msgspec.msgpack.encode(_outline(asked)), reply, generation, ended, digest(request))

    def answers(self, request: bytes) -> bool:
        """Return whether this exchange answers exactly this request, to the bit."""
        return self.digest == digest(request) if self.digest else self.request == request

    @property
    def name(self) -> bytes:
        """A name for the question: two exchanges with one name asked the same, to the bit."""
        return self.digest or digest(self.request)


@dataclass(frozen=True)
class Span:
    """One check of a test cell, which asked the questions `exchanges[first:last]`. `example` are the arguments of the smallest
    counterexample that hypothesis found, "" if there is none; its questions begin at `exchanges[drawn]`."""

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
    """Return a name for a request. SHA-256 is seven times as fast as BLAKE2 on processors with instructions for it."""
    return hashlib.sha256(request).digest()[:16]


def dumps(transcript: Transcript) -> bytes:
    """Pack a transcript into bytes; b"" if it is too long to be kept."""
    size = sum(len(e.request) + len(e.reply) for asked in transcript.cells.values() for e in asked.exchanges)
    return zlib.compress(msgspec.msgpack.encode(transcript), 1) if size <= MAX_BYTES else b""


def loads(content: bytes) -> Transcript:
    """Unpack the transcript that `dumps` wrote; TranscriptError for anything else."""
    inflater = zlib.decompressobj()
    try:
        plain = inflater.decompress(content, 2 * MAX_BYTES)
        if not inflater.eof:
            raise TranscriptError("incomplete or too long")
        return msgspec.msgpack.decode(plain, type=Transcript)
    except (zlib.error, msgspec.MsgspecError) as error:
        raise TranscriptError(f"not a transcript: {error}") from None


def _outline(tree: Any) -> Any:
    """Copy a request's tree without the data of its large arrays."""
    if isinstance(tree, bytes):
        return tree if len(tree) <= MAX_OUTLINE_BYTES else b""
    if isinstance(tree, list):
        return [_outline(item) for item in tree]
    return {key: _outline(item) for key, item in tree.items()} if isinstance(tree, Mapping) else tree
