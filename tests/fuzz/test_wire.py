"""A hostile child may send any bytes and nearly valid messages: they cause a WireError, within stated time and memory."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from typing import Any

import msgspec
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from autograder.sandbox import arrays, wire
from autograder.sandbox.item_count import count_items
from tests.fuzz.mutations import altered, damaged
from tests.fuzz.profiles import fuzz
from tests.support.classroom import ROOT
from tests.unit.test_wire import PLAIN, SIZES, TAGS, TREES, cross, same

TENSORS = st.tuples(st.sampled_from(sorted(arrays.TORCH_DTYPES)), st.lists(st.integers(0, 3), max_size=4)).map(
    lambda of: torch.arange(int(torch.Size(of[1]).numel())).to(getattr(torch, of[0])).reshape(of[1])
)
VALUES = st.recursive(
    PLAIN | TENSORS, lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner), max_leaves=4
)
MESSAGES = VALUES.map(lambda value: ["ok", wire.encode(value), None, 1])
OTHER = TREES | SIZES | TAGS | st.binary(max_size=16)


def read(payload: bytes) -> Any:
    """Read a reply as the judge does."""
    _, tree, *_ = [*wire.unpack(payload), None]
    return wire.decode(tree)


@fuzz
@given(VALUES)
def test_a_value_is_the_same_on_the_other_side(value: Any) -> None:
    assert same(cross(value), value)


@fuzz
@given(damaged(MESSAGES.map(wire.pack)))
def test_a_damaged_message_is_read_or_is_a_wire_error(payload: bytes) -> None:
    with contextlib.suppress(wire.WireError):
        read(payload)


@fuzz
@given(altered(MESSAGES, OTHER))
def test_a_nearly_valid_message_is_read_or_is_a_wire_error(message: Any) -> None:
    with contextlib.suppress(wire.WireError):
        read(msgspec.msgpack.encode(message))


@fuzz
@given(st.lists(damaged(MESSAGES.map(wire.pack)), max_size=3), st.data())
def test_a_damaged_stream_is_split_into_frames_or_is_a_wire_error(payloads: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(wire.HEADER.pack(len(p), wire.JUDGE) + p for p in payloads)
    stream = data.draw(damaged(st.just(stream)))
    frames = wire.Frames()
    with contextlib.suppress(wire.WireError):
        received = sum(wire.HEADER.size + len(payload) for _, payload in frames.feed(stream))
        assert received + len(frames.buffer) == len(stream)


@fuzz
@given(TREES)
def test_items_are_counted_without_decoding_them(tree: Any) -> None:
    payload = msgspec.msgpack.encode(tree)
    if has_map(tree):
        with pytest.raises(ValueError, match="a map"):
            count_items(payload, wire.MAX_NODES)
    else:
        assert count_items(payload, wire.MAX_NODES) == count(tree)


def has_map(tree: Any) -> bool:
    return isinstance(tree, dict) or (isinstance(tree, list) and any(map(has_map, tree)))


def count(tree: Any) -> int:
    return 1 + sum(map(count, tree)) if isinstance(tree, list) else 1


HEAD = "b'\\x93\\xa2ok' + struct.pack('>BI', {kind}, {items}) + {unit} * {items}"
# Frames of the largest size whose content is small on the wire and large in memory, or slow.
HOSTILE = {
    "empty lists": HEAD.format(kind="0xDD", items=2**26 - 16, unit="b'\\x90'"),
    "empty dicts": HEAD.format(kind="0xDD", items=2**26 - 16, unit="b'\\x80'"),
    "nothing": HEAD.format(kind="0xDD", items=2**26 - 16, unit="b'\\xc0'"),
    "short texts": HEAD.format(kind="0xDD", items=2**24 - 16, unit="b'\\xa3abc'"),
    "a dict": HEAD.format(kind="0xDF", items=2**24 - 16, unit="b'\\xc0\\xc0'"),
    "nested": "b'\\x92\\xa2ok' + b'\\x91' * (2**26 - 16)",
    "one text": "b'\\x92\\xa2ok' + struct.pack('>BI', 0xDB, 2**26 - 16) + b'x' * (2**26 - 16)",
    "an array": "wire.pack(['ok', ['ndarray', 'uint8', [2**26 - 64], bytes(2**26 - 64)]])",
    "lists just below the limit": "wire.pack(['ok', ['list', [['list', []]] * 300_000]])",
    "a map of one hash": "b'\\x92\\xa2ok\\xdf' + struct.pack('>I', 2**20) + b'\\x92\\xff\\xfe\\x01' * 2**20",
    "one long text among 100,000": "wire.pack(['ok', ['list', ['x' * 60_000] + ['y'] * 100_000]])",
    "tuples of one hash": "wire.pack(['ok', ['set', [['tuple', [-1 - (n >> b & 1) for b in range(15)]] for n in range(2**15)]]])",
    "one hash": "wire.pack(['ok', ['set', [['int', str(n * (2**61 - 1))] for n in range(300_000)]]])",
}
PROGRAM = """
import resource, struct, sys
from autograder.sandbox import arrays, wire
payload = {payload}
assert len(payload) <= wire.MAX_FRAME
def peak():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]) // 1024
open("/proc/self/clear_refs", "w").write("5")  # resets the peak
before = peak()
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
try:
    wire.decode([*wire.unpack(payload), None][1])
except wire.WireError as error:
    print(error)
print(peak() - before)
"""
# A frame's bytes twice (an array is copied), and a million items of up to 120 bytes before and after decoding.
MAX_MB = 2 * 64 + 250


@pytest.mark.parametrize("payload", HOSTILE.values(), ids=HOSTILE)
def test_the_largest_frame_takes_its_stated_memory_and_time(payload: str) -> None:
    program = PROGRAM.format(payload=payload)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.splitlines()[-1]) < MAX_MB, done.stdout
