"""Data crosses exactly to the bit, and bytes that are not our messages cause a WireError and nothing worse."""

from __future__ import annotations

import contextlib
import math
import socket
import time
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.sandbox import arrays, library, wire

FLOATS = st.floats(allow_nan=True, allow_infinity=True)
HASHABLE = st.none() | st.booleans() | st.integers() | FLOATS | st.text() | st.binary() | st.complex_numbers()
DTYPES = st.sampled_from(sorted(arrays.NUMPY_DTYPES)).map(np.dtype)
SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3)
ARRAYS = st.tuples(DTYPES, SHAPES).flatmap(lambda of: hnp.arrays(*of))
PLAIN = st.recursive(
    HASHABLE | ARRAYS | DTYPES.flatmap(lambda of: hnp.arrays(of, ())).map(lambda array: array[()]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(HASHABLE, inner, max_size=4)
        | st.frozensets(HASHABLE, max_size=4)
        | st.sets(HASHABLE, max_size=4)
    ),
    max_leaves=12,
)
# Anything that msgpack can carry, often with the tags of our own trees.
TAGS = st.sampled_from(
    [
        *library.READERS,
        *arrays.TAGS,
        *"function object reference odd int64 bool bfloat16 <U1 |S2 <M8[s] float32".split(),
    ]
)
SIZES = st.integers(-(2**63), 2**64 - 1) | st.integers(-1, 3)
TREES = st.recursive(
    st.none() | st.booleans() | SIZES | FLOATS | st.text(max_size=4) | st.binary(max_size=16) | TAGS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(TAGS, inner).map(list)
        | st.tuples(
            st.sampled_from(["ndarray", "tensor"]), TAGS, st.lists(SIZES, max_size=3), st.binary(max_size=8), inner
        ).map(list)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=20,
)


def cross(value: Any) -> Any:
    """Send a value across the wire."""
    return wire.decode(wire.unpack(wire.pack(["ok", wire.encode(value)]))[1])


def same(a: Any, b: Any) -> bool:
    """Whether two values have equal types and bits; nan equals itself."""
    if type(a) is not type(b):
        return False
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict):
        return same(list(a), list(b)) and same(list(a.values()), list(b.values()))
    if isinstance(a, set | frozenset):
        return sorted(map(repr, a)) == sorted(map(repr, b))
    if isinstance(a, np.ndarray | np.generic):
        return bool(a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes())
    return bool(repr(a) == repr(b))


@given(PLAIN)
@example(2**4000)
@example(-(2**63) - 1)
@example([(), [], {}, set(), frozenset(), [()], ([],)])
@example({"nan": math.nan, "inf": -math.inf, "zero": -0.0})
def test_plain_data_comes_back_the_same(value: Any) -> None:
    assert same(cross(value), value)


@given(ARRAYS.filter(lambda array: array.dtype.name in arrays.TORCH_DTYPES), st.booleans())
def test_a_tensor_keeps_its_type_shape_bits_and_requires_grad(array: npt.NDArray[Any], requires_grad: bool) -> None:
    tensor = torch.from_numpy(array.copy())
    if tensor.is_floating_point() or tensor.is_complex():
        tensor.requires_grad_(requires_grad)
    back = cross(tensor)
    assert (back.dtype, back.shape, back.requires_grad) == (tensor.dtype, tensor.shape, tensor.requires_grad)
    assert back.detach().numpy().tobytes() == array.tobytes()


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3)])
def test_bfloat16_crosses_although_numpy_has_no_such_type(shape: tuple[int, ...]) -> None:
    tensor = torch.randn(shape).to(torch.bfloat16)
    assert cross(tensor).dtype == torch.bfloat16
    assert torch.equal(cross(tensor), tensor)


def test_a_view_crosses_as_its_values() -> None:
    assert cross(torch.arange(6).reshape(2, 3).T).tolist() == [[0, 3], [1, 4], [2, 5]]
    assert cross(np.arange(6)[::-2]).tolist() == [5, 3, 1]


def test_a_value_that_crossed_can_be_written_to() -> None:
    """A test may change an array it received: the array has its own memory, not the message's."""
    array, tensor = cross(np.zeros(2)), cross(torch.zeros(2))
    array[0], tensor[0] = 1, 1
    assert (array[0], tensor[0]) == (1, 1)


@pytest.mark.parametrize("value", [object(), np.zeros(1, "i,i"), np.array([object()]), len, torch.nn.Linear(1, 1)])
def test_anything_but_plain_data_is_refused(value: Any) -> None:
    with pytest.raises(wire.WireError, match="cannot be sent"):
        wire.encode(value)


def test_a_subclass_of_a_plain_type_crosses_as_its_base() -> None:
    """Its operators would be student code, and do not cross."""
    always_equal = type("AlwaysEqual", (int,), {"__eq__": lambda *_: True})
    assert same(cross([always_equal(1)]), [1])


@pytest.mark.parametrize(
    "unit", [b"\x80", b"\xde\x00\x00", b"\xdf\x00\x00\x00\x00", b"\xd4\x01\x00", b"\xc7\x01\x01\x00"]
)
def test_maps_and_extensions_are_refused(unit: bytes) -> None:
    with pytest.raises(wire.WireError, match="a map or an extension"):
        wire.unpack(b"\x92\xa2ok" + unit)


def swapped(count: int) -> list[tuple[int, ...]]:
    """Different tuples of one hash: Python's hashes of -1 and -2 are the same."""
    bits = count.bit_length()
    return [tuple(-1 - (number >> bit & 1) for bit in range(bits)) for number in range(count)]


COLLIDING: dict[str, Any] = {
    "tuples": swapped(30_000),
    "large integers": [hash(1) + number * (2**61 - 1) for number in range(10, 30_000)],
    "nested tuples": [(pair, pair) for pair in swapped(5_000)],
    "sets": [frozenset([key]) for key in swapped(5_000)],
    "complex numbers": [complex(number, -2) for number in range(5_000)],
}


@pytest.mark.parametrize("keys", COLLIDING.values(), ids=COLLIDING.keys())
@pytest.mark.parametrize("tag", ["set", "dict", "keys", "items", "OrderedDict", "Counter", "frozenset"])
def test_keys_that_could_collide_are_refused_before_they_are_hashed(tag: str, keys: list[Any]) -> None:
    trees = [wire.encode(key) for key in keys]
    started = time.process_time()
    with pytest.raises(wire.WireError, match="keys with over"):
        wire.decode([tag, trees if tag in ("set", "keys", "frozenset") else [[tree, 1] for tree in trees]])
    assert time.process_time() - started < 1


@pytest.mark.parametrize("build", [lambda inner: [inner], lambda inner: {"k": inner}, lambda inner: (inner,)])
def test_deep_data_is_refused_on_both_sides(build: Any) -> None:
    value: Any = 1
    for _ in range(wire.MAX_DEPTH + 1):
        value = build(value)
    with pytest.raises(wire.WireError, match="nested deeper"):
        wire.encode(value)
    tree: Any = 1
    for _ in range(3000):
        tree = ["list", [tree]]
    with pytest.raises(wire.WireError, match="nested deeper"):
        wire.decode(tree)


def test_too_many_items_are_refused() -> None:
    with pytest.raises(wire.WireError, match="items"):
        wire.decode(["list", [["list", [1] * 1000]] * 1001])


@given(TREES)
@example(["tensor", "float32", [0, 2**63 - 1], b"", False])
@example(["tensor", "float32", [0, 2**64 - 1], b"", False])
@example(["tensor", "float32", [0, 2**40, 2**40], b"", True])
@example(["ndarray", "float32", [0, 2**63], b""])
@example(["ndarray", "float64", [2**62, 4], b""])
@example(["int", "9" * 5000])
@example(["set", [["list", []]]])
@example(["dict", [[["list", []], 1]]])
@example(["complex", b"1"])
def test_any_tree_decodes_or_is_a_wire_error(tree: Any) -> None:
    with contextlib.suppress(wire.WireError):
        wire.decode(msgspec.msgpack.decode(msgspec.msgpack.encode(tree)))


@given(st.binary(max_size=200))
@example(b"\x91" * 200_000)
def test_any_bytes_unpack_or_are_a_wire_error(payload: bytes) -> None:
    try:
        message = wire.unpack(payload)
    except wire.WireError:
        return
    assert isinstance(message[0], str)


def test_an_array_larger_than_its_data_is_refused_before_allocation() -> None:
    with pytest.raises(wire.WireError, match="do not fill"):
        wire.decode(["ndarray", "float64", [2**40], b"12345678"])


@given(st.lists(st.tuples(st.sampled_from([wire.KERNEL, wire.JUDGE]), st.binary(max_size=50)), max_size=5), st.data())
def test_frames_come_out_whole_however_the_stream_is_split(
    frames: list[tuple[int, bytes]], data: st.DataObject
) -> None:
    stream = b"".join(wire.HEADER.pack(len(payload), channel) + payload for channel, payload in frames)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    frames_in, received = wire.Frames(), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        received += list(frames_in.feed(stream[start:end]))
    assert received == frames
    assert not frames_in.buffer


@given(st.binary(max_size=64))
def test_any_bytes_are_frames_or_a_wire_error(stream: bytes) -> None:
    frames = wire.Frames()
    with contextlib.suppress(wire.WireError):
        assert all(len(payload) <= len(stream) for _, payload in frames.feed(stream))


@pytest.mark.parametrize("header", [wire.HEADER.pack(wire.MAX_FRAME + 1, wire.JUDGE), wire.HEADER.pack(1, 7)])
def test_a_frame_that_is_too_large_or_has_no_channel_is_refused_before_its_payload_arrives(header: bytes) -> None:
    with pytest.raises(wire.WireError, match="a frame of"):
        list(wire.Frames().feed(header))


def test_a_message_over_the_limit_is_not_sent() -> None:
    with socket.socket(socket.AF_UNIX) as unconnected, pytest.raises(wire.WireError, match="over the limit"):
        wire.send(unconnected, wire.JUDGE, b"x" * (wire.MAX_FRAME + 1))


def test_a_single_entry_of_a_column_crosses() -> None:
    """It has the matrix's stride, and torch considers it contiguous."""
    lone = torch.arange(12).reshape(1, 12)[:, 1::3][:, :1].reshape(-1).as_strided((1,), (3,))
    assert wire.decode(wire.encode(lone)).tolist() == lone.tolist() == [1]
