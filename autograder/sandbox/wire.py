"""The protocol between the judge and a child: plain data in msgpack, limited in size and depth.

A frame is a 4-byte length, a 1-byte channel and the payload. KERNEL frames carry Jupyter messages (a channel's name and
the message's parts), JUDGE frames carry one request or reply. None, bool, int, float, str and bytes cross as themselves, and
every other value as a list whose first item is a tag. Nothing here unpickles or evaluates, so the worst that a hostile peer can
cause is wrong data or a `WireError`.
"""

from __future__ import annotations

import math
import socket
import struct
import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

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
# msgpack makes an empty list of 56 bytes and a pointer from one byte, so 32 MB became 2.4 GB. In messages of up to this many
# bytes, items need not be counted.
SMALL = 2**20
# Python's hashes of integers beyond 64 bits, tuples and complex numbers are predictable, and colliding keys make insertion
# quadratic: 1,000 take 5 ms, 10,000 take a second, and a million would never end.
MAX_HASHED = 1_000
MAX_DIGITS = 4300  # Python's own limit for int(str)
MAX_DIMENSIONS = 16
MAX_DESCRIPTION = 200  # characters of a reference's description
MAX_QUOTE = 40  # characters of unknown data in an error message

NUMPY_DTYPES = {"bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"} | {
    "float16", "float32", "float64", "complex64", "complex128",
}  # fmt: skip
TORCH_DTYPES = (NUMPY_DTYPES - {"uint16", "uint32", "uint64"}) | {"bfloat16"}


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
    """Return the request or reply in `payload`; WireError, before it uses much memory, for anything else."""
    if len(payload) > SMALL and count_items(payload, MAX_NODES) > MAX_NODES:
        raise WireError(f"a message of over {MAX_NODES:,} items")
    try:
        message = msgspec.msgpack.decode(payload)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise WireError(f"not a message: {error}") from None
    if not isinstance(message, list) or not message or not isinstance(message[0], str):
        raise WireError("not a message: a list that begins with a word is expected")
    return message


def encode(value: Any, refer: Callable[[Any], Reference] | None = None, depth: int = 0) -> Any:  # noqa: PLR0911  (one return for each kind)
    """Return `value` as a tree of plain data, exact to the bit.

    `refer` makes a reference to an object that stays here. Raises WireError for data that is too deep and, without `refer`, for
    such an object.
    """
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
    plain = tensor.detach().view(torch.int16) if dtype == "bfloat16" else tensor  # which numpy does not have
    data = plain.numpy(force=True).tobytes()
    return ["tensor", dtype, list(tensor.shape), data, bool(tensor.requires_grad)]


def decode(tree: Any, resolve: Callable[[Reference], Any] = lambda reference: reference) -> Any:
    """Return the value of a tree made by `encode`, with references replaced by `resolve`; WireError if it is malformed."""
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
        if len(rest[0]) > MAX_DIGITS:
            raise WireError(f"an integer of over {MAX_DIGITS} digits")
        return int(rest[0])
    if tag == "complex":
        return complex(*rest)
    if tag in ("ndarray", "scalar"):
        array = _decode_array(*rest[:3])
        return array if tag == "ndarray" else array[()]
    if tag == "tensor":
        return _decode_tensor(*rest)
    if tag in ("function", "object", "reference"):
        number, description = rest[0], rest[1] if len(rest) > 1 else ""
        if type(number) is not int or not isinstance(description, str):
            raise WireError("malformed reference")
        return resolve(Reference(number, tag, description[:MAX_DESCRIPTION]))
    raise WireError(f"unknown kind of data: {str(tag)[:MAX_QUOTE]!r}")


def _spend_on_hashes(keys: list[Any], budget: list[int]) -> None:
    """Count the keys whose hashes a peer could make collide; WireError when the message has too many."""
    safe = sum(key is None or type(key) in (str, bytes, bool, float) for key in keys)  # the hash of text is randomised
    safe += sum(type(key) is int and -(2**63) <= key < 2**63 for key in keys)
    budget[1] -= len(keys) - safe
    if budget[1] < 0:
        raise WireError(f"over {MAX_HASHED:,} keys that are neither text nor small numbers")


def _check_shape(shape: Any, itemsize: int, data: bytes) -> tuple[int, ...]:
    """Return the shape as a tuple; WireError unless `data` fills it exactly."""
    if len(shape) > MAX_DIMENSIONS or any(type(n) is not int or n < 0 for n in shape) or not isinstance(data, bytes):
        raise WireError("malformed array")
    if math.prod(shape) * itemsize != len(data):
        raise WireError("an array whose bytes do not fill its shape")
    return tuple(shape)


def _decode_array(dtype: str, shape: Any, data: bytes) -> Any:
    if dtype not in NUMPY_DTYPES:
        raise WireError(f"unknown array type {str(dtype)[:MAX_QUOTE]!r}")
    return np.frombuffer(bytearray(data), dtype=dtype).reshape(_check_shape(shape, np.dtype(dtype).itemsize, data))


def _decode_tensor(dtype: str, shape: Any, data: bytes, requires_grad: bool) -> Any:
    if dtype not in TORCH_DTYPES:
        raise WireError(f"unknown tensor type {str(dtype)[:MAX_QUOTE]!r}")
    import torch

    torch_dtype: torch.dtype = getattr(torch, dtype)
    size = _check_shape(shape, torch_dtype.itemsize, data)
    flat = torch.frombuffer(bytearray(data), dtype=torch_dtype) if data else torch.empty(0, dtype=torch_dtype)
    tensor = flat.reshape(size)
    if requires_grad and (torch_dtype.is_floating_point or torch_dtype.is_complex):
        tensor.requires_grad_(True)
    return tensor


def graph_tensors(value: Any) -> list[Any]:
    """Return the tensors in `value` that are part of an autograd graph, in an order that is the same at both ends."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        return [value] if value.requires_grad else []
    if isinstance(value, dict):
        value = list(value.values())
    return [tensor for item in value for tensor in graph_tensors(item)] if isinstance(value, list | tuple) else []
