"""The only bytes that cross between the judge and a sandbox: plain data in msgpack, capped in size and depth.

A frame is a 4-byte length, a 1-byte channel and the payload. KERNEL frames carry Jupyter messages (a channel's name and
the message's parts), JUDGE frames carry one request or reply. A value on the wire is None, bool, int, float, str or
bytes as itself, and everything else as a list whose first item is a tag. Nothing here pickles or evaluates, so the worst
that a hostile peer can send is wrong data or a `WireError`.
"""

from __future__ import annotations

import math
import socket
import struct
import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
import numpy as np

KERNEL, JUDGE = 0, 1
HEADER = struct.Struct(">IB")
# A cell's figures are some 100 KB and a course's largest argument 10 MB; the cap bounds what one peer can make the other
# allocate at a time.
MAX_FRAME = 64 * 2**20
# What is asked for in one read of the socket. A buffer is made for it each time: 1 MB takes 17 µs, 64 KB 3.
READ_BYTES = 2**16
# Nested answers of the course reach depth 4. A Python list this deep decodes without nearing the recursion limit.
MAX_DEPTH = 32
MAX_NODES = 1_000_000
# Of one byte, msgpack makes an empty list of 56 and a pointer to it: 32 MB became 2.4 GB. Below this, nobody need count.
SMALL = 2**20
# Python's hashes of integers beyond 64 bits, tuples and complex numbers are no secret: one who makes them equal has every one
# compared with every other. 1,000 take 5 ms, 10,000 a second, and a million would never end.
MAX_HASHED = 1_000

NUMPY_DTYPES = {"bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"} | {
    "float16", "float32", "float64", "complex64", "complex128",
}  # fmt: skip
TORCH_DTYPES = (NUMPY_DTYPES - {"uint16", "uint32", "uint64"}) | {"bfloat16"}


class WireError(Exception):
    """Bytes that are no message of this protocol, or a value that cannot cross."""


@dataclass(frozen=True)
class Reference:
    """An object that stays on the other side: a function, a model. `number` names it there."""

    number: int
    kind: str  # "function" or "object"
    description: str


def frame(channel: int, payload: bytes) -> bytes:
    """A frame as it crosses."""
    if len(payload) > MAX_FRAME:
        raise WireError(f"a message of {len(payload):,} bytes is over the limit of {MAX_FRAME:,}")
    return HEADER.pack(len(payload), channel) + payload


def send(sock: socket.socket, channel: int, payload: bytes) -> None:
    """Send one frame, whole."""
    sock.sendall(frame(channel, payload))


class Frames:
    """Cuts a stream of bytes into frames."""

    def __init__(self) -> None:
        self.buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """The (channel, payload) of every frame that `data` completes."""
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
    """One request or reply as bytes; its values have been through `encode`."""
    return msgspec.msgpack.encode(message)


def unpack(payload: bytes) -> list[Any]:
    """The request or reply in `payload`; raises WireError for anything else, and before it takes up much memory."""
    if len(payload) > SMALL and _items(payload) > MAX_NODES:
        raise WireError(f"a message of over {MAX_NODES:,} items")
    try:
        message = msgspec.msgpack.decode(payload)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise WireError(f"not a message: {error}") from None
    if not isinstance(message, list) or not message or not isinstance(message[0], str):
        raise WireError("not a message: a list that begins with a word is expected")
    return message


def _items(payload: bytes) -> int:
    """How many items a message has, up to one more than MAX_NODES: read from their heads at 0.3 µs each, and nothing is made of
    them."""
    count, at, left = 0, 0, 1
    while left and at < len(payload) and count <= MAX_NODES:
        head = HEADS[payload[at]]
        number = int.from_bytes(payload[at + 1 : at + 1 + head.digits], "big")
        at += 1 + head.digits + head.size + number * head.size_each
        left += head.items + number * head.items_each - 1
        count += 1
    return count


class _Head(NamedTuple):
    """What the first byte of an item in msgpack says: how many bytes of a number follow; how many bytes after them belong to the
    item, and how many items are inside, at all events and for each of that number."""

    digits: int = 0
    size: int = 0
    size_each: int = 0
    items: int = 0
    items_each: int = 0


def _heads() -> list[_Head]:
    heads = [_Head()] * 256
    for n in range(16):
        heads[0x80 + n], heads[0x90 + n] = _Head(items=2 * n), _Head(items=n)  # short dicts, short lists
        heads[0xA0 + n], heads[0xB0 + n] = _Head(size=n), _Head(size=16 + n)  # short text
    for n, digits in enumerate((1, 2, 4)):
        heads[0xC4 + n] = heads[0xD9 + n] = _Head(digits, size_each=1)  # bytes, text
        heads[0xC7 + n] = _Head(digits, size=1, size_each=1)  # extensions
    for n, size in enumerate((4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 2, 3, 5, 9, 17)):
        heads[0xCA + n] = _Head(size=size)  # floats, integers, extensions of a fixed size
    for n, digits in enumerate((2, 4)):
        heads[0xDC + n], heads[0xDE + n] = _Head(digits, items_each=1), _Head(digits, items_each=2)  # lists, dicts
    return heads


HEADS = _heads()


def encode(value: Any, refer: Callable[[Any], Reference] | None = None, depth: int = 0) -> Any:  # noqa: PLR0911  (one return for each kind)
    """`value` as a tree of plain data; `refer` names an object that stays here (without it such a value is refused)."""
    if depth > MAX_DEPTH:
        raise WireError(f"data nested deeper than {MAX_DEPTH} levels")
    kind = type(value)
    if value is None or kind in (bool, float, str, bytes):
        return value
    if kind is int:
        return value if -(2**63) <= value < 2**63 else ["int", str(value)]
    if kind is complex:
        return ["complex", value.real, value.imag]
    if kind in (list, tuple, set, frozenset):
        return [kind.__name__, [encode(item, refer, depth + 1) for item in value]]
    if kind is dict:
        return ["dict", [[encode(k, refer, depth + 1), encode(v, refer, depth + 1)] for k, v in value.items()]]
    if isinstance(value, Reference):
        return ["reference", value.number]
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        return _encode_tensor(value, torch)
    if isinstance(value, np.ndarray | np.generic) and value.dtype.name in NUMPY_DTYPES:
        array = np.ascontiguousarray(value)
        tag = "ndarray" if isinstance(value, np.ndarray) else "scalar"
        return [tag, array.dtype.name, list(value.shape), array.tobytes()]
    if refer is None:
        raise WireError(f"a value of type {kind.__name__} cannot be sent: only arrays, numbers, text and lists of them")
    reference = refer(value)
    return [reference.kind, reference.number, reference.description]


def _encode_tensor(tensor: Any, torch: types.ModuleType) -> list[Any]:
    dtype = str(tensor.dtype).removeprefix("torch.")
    if dtype not in TORCH_DTYPES:
        raise WireError(f"a tensor of type {dtype} cannot be sent")
    plain = tensor.detach().view(torch.int16) if dtype == "bfloat16" else tensor  # numpy has no name for it
    data = plain.numpy(force=True).tobytes()
    return ["tensor", dtype, list(tensor.shape), data, bool(tensor.requires_grad)]


def decode(tree: Any, resolve: Callable[[Reference], Any] = lambda reference: reference) -> Any:
    """The value of an `encode`d tree; `resolve` says what a reference becomes here."""
    budget = [MAX_NODES, MAX_HASHED]
    try:
        return _decode(tree, resolve, 0, budget)
    except (TypeError, ValueError, IndexError, KeyError, OverflowError, AttributeError) as error:
        raise WireError(f"malformed data: {error}") from None


def _decode(tree: Any, resolve: Callable[[Reference], Any], depth: int, budget: list[int]) -> Any:  # noqa: PLR0911  (as above)
    budget[0] -= 1
    if depth > MAX_DEPTH or budget[0] < 0:
        raise WireError(f"data nested deeper than {MAX_DEPTH} levels or of over {MAX_NODES:,} items")
    if tree is None or isinstance(tree, bool | int | float | str | bytes):
        return tree
    tag, *rest = tree
    if tag in ("list", "tuple", "set", "frozenset"):
        items = [_decode(item, resolve, depth + 1, budget) for item in rest[0]]
        if tag in ("set", "frozenset"):
            _spend_on_hashes(items, budget)
        return {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}[tag](items)
    if tag == "dict":
        pairs = [(_decode(k, resolve, depth + 1, budget), _decode(v, resolve, depth + 1, budget)) for k, v in rest[0]]
        _spend_on_hashes([key for key, _ in pairs], budget)
        return dict(pairs)
    if tag == "int":
        if len(rest[0]) > 4300:  # Python's own limit for int(str)
            raise WireError("an integer of over 4300 digits")
        return int(rest[0])
    if tag == "complex":
        return complex(*rest)
    if tag in ("ndarray", "scalar"):
        array = _array(*rest[:3])
        return array if tag == "ndarray" else array[()]
    if tag == "tensor":
        return _decode_tensor(*rest)
    if tag in ("function", "object", "reference"):
        number, description = rest[0], rest[1] if len(rest) > 1 else ""
        if type(number) is not int or not isinstance(description, str):
            raise WireError("malformed reference")
        return resolve(Reference(number, tag, description[:200]))
    raise WireError(f"unknown kind of data: {str(tag)[:40]!r}")


def _spend_on_hashes(keys: list[Any], budget: list[int]) -> None:
    safe = sum(key is None or type(key) in (str, bytes, bool, float) for key in keys)  # text has a secret in its hash
    safe += sum(type(key) is int and -(2**63) <= key < 2**63 for key in keys)
    budget[1] -= len(keys) - safe
    if budget[1] < 0:
        raise WireError(f"over {MAX_HASHED:,} keys that are neither text nor small numbers")


def _size(shape: Any, itemsize: int, data: bytes) -> tuple[int, ...]:
    if len(shape) > 16 or any(type(n) is not int or n < 0 for n in shape) or not isinstance(data, bytes):
        raise WireError("malformed array")
    if math.prod(shape) * itemsize != len(data):
        raise WireError("an array whose bytes do not fill its shape")
    return tuple(shape)


def _array(dtype: str, shape: Any, data: bytes) -> Any:
    if dtype not in NUMPY_DTYPES:
        raise WireError(f"unknown array type {str(dtype)[:40]!r}")
    return np.frombuffer(bytearray(data), dtype=dtype).reshape(_size(shape, np.dtype(dtype).itemsize, data))


def _decode_tensor(dtype: str, shape: Any, data: bytes, requires_grad: bool) -> Any:
    if dtype not in TORCH_DTYPES:
        raise WireError(f"unknown tensor type {str(dtype)[:40]!r}")
    import torch

    wanted: torch.dtype = getattr(torch, dtype)
    size = _size(shape, wanted.itemsize, data)
    flat = torch.frombuffer(bytearray(data), dtype=wanted) if data else torch.empty(0, dtype=wanted)
    tensor = flat.reshape(size)
    if requires_grad and (wanted.is_floating_point or wanted.is_complex):
        tensor.requires_grad_(True)
    return tensor


def graph_tensors(value: Any) -> list[Any]:
    """The tensors in `value` that take part in a graph, in a fixed order: both ends number them by it."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        return [value] if value.requires_grad else []
    if isinstance(value, dict):
        value = list(value.values())
    return [tensor for item in value for tensor in graph_tensors(item)] if isinstance(value, list | tuple) else []
