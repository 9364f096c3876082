"""The protocol between the judge and a child: plain data in msgpack, limited in size and depth.

A frame is a 4-byte length, a 1-byte channel and the payload. KERNEL frames carry Jupyter messages (a channel's name and
the message's parts), JUDGE frames carry one request or reply. None, bool, int, float, str and bytes cross as themselves, and
every other value as a list whose first item is a tag (see `arrays` and `library`). Nothing here unpickles or evaluates, so the
worst that a hostile peer can cause is wrong data or a `WireError`.
"""

from __future__ import annotations

import socket
import struct
import sys
import types
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from autograder.sandbox import arrays, library
from autograder.sandbox.item_count import count_items

KERNEL, JUDGE = 0, 1
HEADER = struct.Struct(">IB")
# A cell's figures take some 100 KB and the course's largest argument 10 MB. This limits what one peer can make the other allocate
# at a time.
MAX_FRAME = 64 * 2**20
# The size of one read. Python allocates a buffer of this size for each: 1 MB takes 17 µs, 64 KB takes 3.
READ_BYTES = 2**16
# The course's answers are nested up to 4 deep. A list this deep decodes far from Python's recursion limit.
MAX_DEPTH = 32
MAX_NODES = 1_000_000
# Hashes of numbers beyond 64 bits, tuples and exact numbers are predictable, and colliding keys make insertion quadratic.
# This many such numbers in keys, all in one message, take 0.1 s where they collide; a million would never end.
MAX_HASHED = 4_000
MAX_DESCRIPTION = 200  # characters of a reference's description
MAX_QUOTE = 40  # characters of unknown data in an error message


# What reading malformed data can raise.
MALFORMED = (TypeError, ValueError, LookupError, ArithmeticError, AttributeError, RuntimeError, MemoryError)


class WireError(Exception):
    """Bytes that are not a message of this protocol, or a value that cannot cross."""


@dataclass(frozen=True)
class Reference:
    """An object that stays on the other side, such as a function or a model; `number` identifies it there."""

    number: int
    kind: str  # "function" or "object"
    description: str


def frame(channel: int, payload: bytes) -> bytes:
    """Return the bytes of a frame; WireError if the payload exceeds MAX_FRAME."""
    if len(payload) > MAX_FRAME:
        raise WireError(f"a message of {len(payload):,} bytes is over the limit of {MAX_FRAME:,}")
    return HEADER.pack(len(payload), channel) + payload


def send(sock: socket.socket, channel: int, payload: bytes) -> None:
    """Send a whole frame. Raises WireError like `frame`, OSError if the peer is gone."""
    sock.sendall(frame(channel, payload))


class Frames:
    """Splits a stream of bytes into frames."""

    def __init__(self) -> None:
        self.buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield the (channel, payload) of every frame that `data` completes; WireError for an invalid header."""
        self.buffer += data
        while len(self.buffer) >= HEADER.size:
            length, channel = HEADER.unpack_from(self.buffer)
            if length > MAX_FRAME or channel not in (KERNEL, JUDGE):
                raise WireError(f"a frame of {length:,} bytes on channel {channel}; the limit is {MAX_FRAME:,}")
            end = HEADER.size + length
            if len(self.buffer) < end:
                return
            payload = bytes(self.buffer[HEADER.size : end])
            del self.buffer[:end]
            yield channel, payload


def pack(message: list[Any]) -> bytes:
    """Return a request or reply as bytes. Its values must have been through `encode`."""
    return msgspec.msgpack.encode(message)


def unpack(payload: bytes) -> list[Any]:
    """Return the request or reply in `payload`; WireError, before it uses much memory or time, for anything else."""
    try:
        if count_items(payload, MAX_NODES) > MAX_NODES:
            raise WireError(f"a message of over {MAX_NODES:,} items")
        message = msgspec.msgpack.decode(payload)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise WireError(f"not a message: {error}") from None
    if not isinstance(message, list) or not message or not isinstance(message[0], str):
        raise WireError("not a message: a list that begins with a word is expected")
    return message


def encode(value: Any, refer: Callable[[Any], Any] | None = None, depth: int = 0) -> Any:
    """Return `value` as a tree of plain data, exact to the bit.

    `refer` makes a reference to an object that stays here, or converts it to data. Raises WireError for data that is too deep
    and, without `refer`, for such an object.
    """
    if depth > MAX_DEPTH:
        raise WireError(f"data nested deeper than {MAX_DEPTH} levels")
    kind = type(value)
    if value is None or kind in (bool, float, str, bytes):
        return value
    if kind is int:
        return library.write_int(value)
    if kind is Reference:
        return ["reference", value.number]

    def put(item: Any) -> Any:
        return encode(item, refer, depth + 1)

    if kind in library.WRITERS:  # 2 µs less for each list
        tree = library.WRITERS[kind](value, put)
    else:
        tree = arrays.write(value, put)
        tree = library.write(value, put) if tree is None else tree
    if tree is not None:
        return tree
    if refer is None:
        raise WireError(f"a value of type {kind.__name__} cannot be sent: only arrays, numbers, text and lists of them")
    reference = refer(value)
    return (
        [reference.kind, reference.number, reference.description]
        if isinstance(reference, Reference)
        else put(reference)
    )


def decode(tree: Any, resolve: Callable[[Reference], Any] = lambda reference: reference) -> Any:
    """Return the value of a tree made by `encode`, with references replaced by `resolve`; WireError if it is malformed."""
    try:
        return Reading(resolve)(tree)
    except MALFORMED as error:
        raise WireError(f"malformed data: {error}") from None


class Reading:
    """Reads one tree, and spends the limits that a message has as a whole. Every reader of replies uses it."""

    def __init__(self, resolve: Callable[[Reference], Any]) -> None:
        self.resolve, self.depth, self.nodes, self.hashed = resolve, 0, MAX_NODES, MAX_HASHED

    def __call__(self, tree: Any, /) -> Any:
        """Return the value of a tree, or of a part of it; WireError or what `decode` catches if it is malformed."""
        self.enter()
        if tree is None or isinstance(tree, bool | int | float | str | bytes):
            self.depth -= 1
            return tree
        tag, *rest = tree
        if tag in ("function", "object", "reference"):
            value = self.resolve(_read_reference(tag, *rest))
        elif tag in arrays.TAGS:
            value = arrays.read(tag, rest, self)
        elif tag in library.READERS:
            value = library.read(tag, rest, self)
        else:
            raise WireError(f"unknown kind of data: {str(tag)[:MAX_QUOTE]!r}")
        self.depth -= 1
        return value

    def enter(self) -> None:
        """Count one item and one level more; WireError if there are too many."""
        self.depth += 1
        self.spend(1)

    def spend(self, items: int) -> None:
        """Count so many items; WireError if there are too many."""
        self.nodes -= items
        if self.depth > MAX_DEPTH + 1 or self.nodes < 0:
            raise WireError(f"data nested deeper than {MAX_DEPTH} levels or of over {MAX_NODES:,} items")

    def keys(self, trees: Any, /) -> list[Any]:
        """Return the values of trees that become members of a set; WireError if too many could collide."""
        values = [self(tree) for tree in trees]
        self.hashed -= sum(map(_count_predictable, values))
        if self.hashed < 0:
            raise WireError(f"keys with over {MAX_HASHED:,} parts that are neither text nor small numbers")
        return values

    def pairs(self, trees: Any, /) -> list[tuple[Any, Any]]:
        """Return the keys and values of a mapping; WireError as for `keys`."""
        pairs = [(key, value) for key, value in trees]
        return list(zip(self.keys(key for key, _ in pairs), [self(value) for _, value in pairs], strict=True))


def _count_predictable(key: Any) -> int:
    """Count the parts of a key whose hash a peer could make collide. The hash of text is randomised."""
    if key is None or type(key) in (bool, float, str, bytes) or (type(key) is int and -(2**63) <= key < 2**63):
        return 0
    todo, count = [key], 0
    while todo:
        part = todo.pop()
        todo += part if isinstance(part, tuple | frozenset) else ()
        count += 1
    return count


def _read_reference(kind: str, number: Any, description: Any = "") -> Reference:
    if type(number) is not int or not isinstance(description, str):
        raise WireError("malformed reference")
    return Reference(number, kind, description[:MAX_DESCRIPTION])


def graph_tensors(value: Any) -> list[Any]:
    """Return the tensors in `value` that are part of an autograd graph, in an order that is the same at both ends."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        return [value] if value.requires_grad and arrays.is_dense(value) else []
    if isinstance(value, dict | types.MappingProxyType):
        value = list(value.values())
    return [t for item in value for t in graph_tensors(item)] if isinstance(value, list | tuple | deque) else []
