"""Which types cross to a test cell, from a real child: known ones as the real thing, subclasses as their base."""

from __future__ import annotations

import array
import datetime
from collections import Counter, OrderedDict, defaultdict, deque
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pytest
import torch

from autograder.checks import assert_close
from autograder.judge import remote
from autograder.sandbox import wire
from tests.support.sandboxed import Fetch, Sandbox

IMPORTS = """
import array, datetime, enum, types
from collections import *
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
import numpy as np, torch
zone = datetime.timezone(datetime.timedelta(hours=2))
"""
ZONE = datetime.timezone(datetime.timedelta(hours=2))
REBUILT: dict[str, Any] = {
    "range(2, 8, 3)": range(2, 8, 3),
    "slice(1, None)": slice(1, None),
    "...": ...,
    "array.array('d', [1.5, 2])": array.array("d", [1.5, 2]),
    "deque([1, 2], maxlen=3)": deque([1, 2], maxlen=3),
    "OrderedDict(b=1, a=2)": OrderedDict(b=1, a=2),
    "defaultdict(int, a=1)": defaultdict(int, a=1),
    "Counter('aab')": Counter("aab"),
    "Fraction(1, 3)": Fraction(1, 3),
    "Decimal('0.10')": Decimal("0.10"),
    "bytearray(b'ab')": bytearray(b"ab"),
    "datetime.date(2026, 1, 2)": datetime.date(2026, 1, 2),
    "datetime.datetime(2026, 1, 2, 3, 4, 5, 6, zone)": datetime.datetime(2026, 1, 2, 3, 4, 5, 6, ZONE),
    "datetime.time(3, 4, fold=1)": datetime.time(3, 4, fold=1),
    "datetime.timedelta(days=-1, microseconds=1)": datetime.timedelta(days=-1, microseconds=1),
    "Path('a') / 'b'": PurePosixPath("a/b"),
    "torch.float64": torch.float64,
    "torch.device('cpu')": torch.device("cpu"),
    "np.dtype('float32')": np.dtype("float32"),
    "int": int,
    "np.datetime64('2026-01-02')": np.datetime64("2026-01-02"),
    "np.timedelta64(3, 'h')": np.timedelta64(3, "h"),
    "np.longdouble('0.1')": np.longdouble("0.1"),
}
# What a student returns, and the plain value of Python's that a test compares it with.
AS_BASE: dict[str, Any] = {
    "namedtuple('Losses', 'one other')(1, 2)": (1, 2),
    "namedtuple('Nothing', '')()": (),
    "torch.Size([2, 3])": (2, 3),
    "torch.zeros(2).max(0).indices.shape": (),
    "enum.IntEnum('Color', 'RED BLUE').BLUE": 2,
    "enum.IntFlag('Right', 'READ WRITE').WRITE": 2,
    "enum.StrEnum('Name', ['ADA']).ADA": "ada",
    "type('Text', (str,), {})('ab')": "ab",
    "type('Number', (int,), {'__int__': lambda self: 9, '__index__': lambda self: 9})(2**80)": 2**80,
    "type('Number', (float,), {'__float__': lambda self: 9.0})(0.5)": 0.5,
    "type('Number', (complex,), {})(1j)": 1j,
    "type('Rows', (list,), {'__iter__': lambda self: iter([9])})([1])": [1],
    "type('Table', (dict,), {'items': lambda self: []})(a=1)": {"a": 1},
    "type('Group', (set,), {'__iter__': lambda self: iter(())})({1})": {1},
    "types.MappingProxyType({'a': 1})": {"a": 1},
    "{'a': 1}.keys()": {"a"},
    "{'a': 1}.items()": {("a", 1)},
    "memoryview(b'ab')": b"ab",
    "np.str_('ab')": "ab",
    "np.bytes_(b'ab')": b"ab",
    "defaultdict(lambda: 3, a=1)": {"a": 1},
}
AS_ARRAY: dict[str, Any] = {
    "np.array(['a', 'bcd'])": np.array(["a", "bcd"]),
    "np.array([b'a'])": np.array([b"a"]),
    "np.array(['2026-01-02'], dtype='datetime64[D]')": np.array(["2026-01-02"], dtype="datetime64[D]"),
    "np.array([1, 2], dtype='>f8')": np.array([1.0, 2.0]),
    "np.array([0.1, np.inf]).astype(np.longdouble)": np.array([0.1, np.inf]).astype(np.longdouble),
    "np.matrix([[1, 2]])": np.array([[1, 2]]),
    "np.ma.masked_array([1, 2], mask=False)": np.array([1, 2]),
    "np.array([1, 'a', None], dtype=object)": np.array([1, "a", None], dtype=object),
    "type('Mine', (), {'__array__': lambda self, *a, **k: np.ones(2)})()": np.ones(2),
    "type('Mine', (np.ndarray,), {'__array__': 1})(2) * 0 + 1": np.ones(2),
    "type('Mine', (torch.Tensor,), {})([1.0])": torch.ones(1),
    "torch.nn.Parameter(torch.ones(2))": torch.ones(2),
}


@pytest.mark.parametrize("source", REBUILT)
def test_a_value_of_a_known_type_is_rebuilt_as_the_real_thing(sandbox: Sandbox, source: str) -> None:
    value, expected = sandbox.ask([IMPORTS, f"x = {source}"], lambda fetch: fetch("x")), REBUILT[source]
    assert type(value) is type(expected)
    assert value == expected
    assert getattr(value, "maxlen", 0) == getattr(expected, "maxlen", 0)


@pytest.mark.parametrize("source", AS_BASE)
def test_a_subclass_crosses_as_its_base_by_the_bases_own_methods(sandbox: Sandbox, source: str) -> None:
    value = sandbox.ask([IMPORTS, f"def f(): return [{source}]"], lambda fetch: fetch("f")())
    assert value == [AS_BASE[source]]


@pytest.mark.parametrize("source", AS_ARRAY)
def test_any_kind_of_array_crosses_as_its_values(sandbox: Sandbox, source: str) -> None:
    value, expected = sandbox.ask([IMPORTS, f"x = {source}"], lambda fetch: fetch("x")), AS_ARRAY[source]
    assert (type(value), value.dtype, value.shape) == (type(expected), expected.dtype, expected.shape)
    assert value.tolist() == expected.tolist()


def test_a_named_tuple_keeps_its_names(sandbox: Sandbox) -> None:
    losses = sandbox.ask([IMPORTS, "x = namedtuple('Losses', 'one count')(1, 2)"], lambda fetch: fetch("x"))
    assert (losses.one, losses.count, losses._asdict()) == (1, 2, {"one": 1, "count": 2})
    assert isinstance(losses, tuple)


def test_a_default_dictionary_of_a_plain_type_keeps_its_default(sandbox: Sandbox) -> None:
    assert sandbox.ask([IMPORTS, "x = defaultdict(list)"], lambda fetch: fetch("x"))["nothing"] == []


@pytest.mark.parametrize("number", ["Fraction(1, 4)", "Decimal('0.25')", "np.longdouble(0.25)", "np.float16(0.25)"])
def test_exact_numbers_are_close_to_numbers(sandbox: Sandbox, number: str) -> None:
    value = sandbox.ask([IMPORTS, f"x = {number}"], lambda fetch: fetch("x"))
    assert_close(value, 0.25)
    assert_close([value, value], [0.25, 0.25])
    with pytest.raises(AssertionError):
        assert_close(value, 0.5)


def test_text_is_no_number(sandbox: Sandbox) -> None:
    with pytest.raises(AssertionError, match="not numbers"):
        assert_close(np.array(["1", "2"], dtype=object), [1, 2])


def test_what_a_test_passes_arrives_as_the_real_thing(sandbox: Sandbox) -> None:
    values = [value for value in REBUILT.values() if not isinstance(value, slice | type)]
    kinds = sandbox.ask(["def f(*x): return [type(y).__name__ for y in x]"], lambda fetch: fetch("f")(*values))
    assert kinds == [type(value).__name__ for value in values]


def test_gradients_flow_through_named_tuples_and_deques(sandbox: Sandbox) -> None:
    source = "Pair = namedtuple('Pair', 'one other')\ndef f(x): return Pair(x * 2, deque([OrderedDict(a=x * 3)]))"

    def body(fetch: Fetch) -> Any:
        x = torch.ones(2, requires_grad=True)
        pair = fetch("f")(x)
        (pair.one.sum() + pair.other[0]["a"].sum()).backward()
        assert x.grad is not None
        return x.grad.tolist()

    assert sandbox.ask([IMPORTS, source], body) == [5, 5]


STAYS = {
    "np.ma.masked_array([1, 2], mask=[0, 1])": "a masked array",
    "torch.eye(2).to_sparse()": "a sparse_coo tensor",
    "torch.quantize_per_tensor(torch.ones(2), 1, 0, torch.qint8)": "a quantized tensor",
    "torch.ones(2).to(torch.float8_e4m3fn)": "a float8_e4m3fn tensor",
    "(i for i in range(3))": "a generator",
    "range(10**12)": "a range",
    "type('Mine', (), {})()": "a Mine object",
    "type('Odd', (), {})()": "an Odd object",
    "type('Mine', (), {})": "a class",
    "lambda: 1": "a function",
    "Decimal('1e999999')": "a Decimal object",
    "np.zeros(1, dtype=[('a', int)])": "a structured array",
    "torch.nn.Linear(1, 1)": "a Linear object",
}


@pytest.mark.parametrize("source", STAYS)
def test_what_cannot_cross_is_named_in_the_message(sandbox: Sandbox, source: str) -> None:
    def body(fetch: Fetch) -> None:
        value: Any = fetch("f")()
        assert type(value) in (remote.RemoteObject, remote.RemoteFunction)
        for compare in (lambda: value == 1, lambda: assert_close(value, 1.0), lambda: 1 - value):
            with pytest.raises(TypeError, match=f"^your `f` returned {STAYS[source]}"):
                compare()

    sandbox.ask([IMPORTS, f"def f(): return {source}"], body)


MALFORMED = [
    ["range", 0, 10**12, 1], ["range", 0, 1, 0], ["range", 0.5, 1, 1], ["Fraction", 1, 0], ["Fraction", "1", 2],
    ["Decimal", "1e999999999"], ["Decimal", "9" * 10_000], ["Decimal", 1], ["deque", [], -1], ["deque", [], "x"],
    ["named", ["__class__"], [1]], ["named", ["a"], []], ["named", "ab", [1]], ["array", "u", [1]], ["array", "b", [999]],
    ["bytearray", 10**12], ["date", "x"], ["datetime", "2026-01-02", 7], ["timedelta", 10**12, 0, 0], ["type", "object"],
    ["type", ["int"]], ["torch.dtype", "load"], ["torch.device", "x"], ["ndarray", "<U999999999", [1], b""],
    ["ndarray", "<U1", [1], b"\xff\xff\xff\xff"], ["ndarray", "<U1", [1], b"\x00\xd8\x00\x00"], ["ndarray", "|O", [1], bytes(8)],
    ["ndarray", "<M8[x]", [1], bytes(8)], ["ndarray", "float64", [float("inf")], b""], ["ndarray", "float64", [True], bytes(8)],
    ["ndarray", "float64", "ab", b""], ["objects", [3], [1]], ["objects", [float("nan")], []], ["extended", 1.0, 2.0],
    ["extended", ["scalar", "float64", [], bytes(8)], ["ndarray", "float64", [1], bytes(8)]], ["dtype", "O"], ["ellipsis", 1],
    ["items", [1]], ["keys", [["list", []]]], ["Counter", 5], ["defaultdict", [], ["x"]], ["path", 5], [[], 1], [None],
]  # fmt: skip


@pytest.mark.parametrize("tree", MALFORMED, ids=lambda tree: str(tree)[:40])
def test_a_malformed_value_is_a_wire_error(tree: Any) -> None:
    with pytest.raises(wire.WireError):
        wire.decode(tree)
