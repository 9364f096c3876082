"""Values of the standard library's types on the wire: containers, exact numbers, dates, and subclasses of Python's own types.

`WRITERS` is searched in the order of a type's bases, so a subclass crosses as its nearest base in the table. A writer reads the
value by that base's own methods: whatever a subclass overrides, its values are what crosses. `READERS` build the real thing
again, so a comparison in the judge runs Python's code alone.
"""

from __future__ import annotations

import array
import datetime
import sys
import types
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePath, PurePosixPath
from typing import Any, Protocol

# Python's own limit for int(str). It also limits the exponent of a Decimal: int(Decimal("1e999999999")) takes 400 MB.
MAX_DIGITS = 4300
MAX_RANGE = 1_000_000  # the wire's limit of items: a test may make a list of a range
MAX_FIELDS = 255
FACTORIES: dict[str, type] = {
    kind.__name__: kind for kind in (int, float, complex, bool, str, bytes, list, tuple, dict, set, frozenset)
}
TYPES = FACTORIES | {"NoneType": type(None)}
Put = Callable[[Any], Any]


class Take(Protocol):
    """Reads the items of a value; ValueError if they are malformed or too many."""

    def __call__(self, tree: Any, /) -> Any:
        """Return the value of a tree."""

    def keys(self, trees: Any, /) -> list[Any]:
        """Return the values of trees that become members of a set."""

    def pairs(self, trees: Any, /) -> list[tuple[Any, Any]]:
        """Return the keys and values of a mapping."""


class NamedTuple(tuple[Any, ...]):
    """A tuple whose items also have names, as a student's named tuple has."""

    _fields: tuple[str, ...]

    def __getattribute__(self, name: str) -> Any:
        """Return the item of that name, or else the tuple's attribute."""
        fields = tuple.__getattribute__(self, "__dict__").get("_fields", ())
        return self[fields.index(name)] if name in fields else super().__getattribute__(name)

    def _asdict(self) -> dict[str, Any]:
        return dict(zip(self._fields, self, strict=True))

    @classmethod
    def of(cls, fields: Iterable[str], items: Iterable[Any]) -> NamedTuple:
        """Return the tuple of these items, under these names; ValueError if the names do not fit."""
        self = cls(items)
        self._fields = tuple(fields)
        if len(self._fields) != len(self) or not all(type(n) is str and not n.startswith("_") for n in self._fields):
            raise ValueError("a named tuple with other names than items")
        return self


def write(value: Any, put: Put) -> Any:
    """Return the tree of a value, or None if its type is not in the table. `put` makes the tree of an item."""
    if type(value) is type:
        return ["type", value.__name__] if TYPES.get(value.__name__) is value else None
    torch = sys.modules.get("torch")
    if torch is not None and type(value) in (torch.dtype, torch.device):
        return [f"torch.{type(value).__name__}", str(value).removeprefix("torch.")]
    writer = next((WRITERS[base] for base in type(value).__mro__ if base in WRITERS), None)
    return writer(value, put) if writer else None


def read(tag: str, rest: list[Any], take: Take) -> Any:
    """Return the value that `write` wrote; KeyError for an unknown tag, ValueError or TypeError if it is malformed."""
    return READERS[tag](take, *rest)


def _writes_items(base: Any) -> Callable[[Any, Put], Any]:
    return lambda value, put: [base.__name__, [put(item) for item in base.__iter__(value)]]


def _pairs(items: Iterable[tuple[Any, Any]], put: Put) -> list[Any]:
    return [[put(key), put(item)] for key, item in items]


def _write_tuple(value: Any, put: Put) -> Any:
    items = [put(item) for item in tuple.__iter__(value)]
    names = getattr(type(value), "_fields", None) or getattr(type(value), "__match_args__", ())
    if type(names) is tuple and len(names) == len(items) and all(type(n) is str and n[0] != "_" for n in names):
        return ["named", list(names), items] if names else ["tuple", items]
    return ["tuple", items]


def write_int(value: int) -> Any:
    """Return the tree of an int; msgpack's end at 64 bits."""
    return value if -(2**63) <= value < 2**63 else ["int", str(value)]


def _write_range(value: range, put: Put) -> Any:
    return None if value[MAX_RANGE:] else ["range", *map(put, (value.start, value.stop, value.step))]


def _write_array(value: Any, put: Put) -> Any:
    items = array.array.tolist(value)
    return put(items) if value.typecode == "u" else ["array", value.typecode, [put(item) for item in items]]


def _write_memory(value: memoryview, put: Put) -> Any:
    return put(value.tobytes() if value.itemsize == 1 else value.tolist())


def _write_decimal(value: Decimal, _: Put) -> Any:
    text = Decimal.__str__(value)
    return ["Decimal", text] if _is_small(Decimal(text)) else None


def _is_small(number: Decimal) -> bool:
    return not number.is_finite() or max(len(number.as_tuple().digits), abs(number.adjusted())) <= MAX_DIGITS


def _write_defaultdict(value: Any, put: Put) -> Any:
    name = getattr(value.default_factory, "__name__", "")
    known = name if FACTORIES.get(name) is value.default_factory else ""
    return ["defaultdict", _pairs(dict.items(value), put), known]


def _write_timedelta(value: datetime.timedelta, _: Put) -> Any:
    return ["timedelta", value.days, value.seconds, value.microseconds]


def _write_time(value: Any, _: Put) -> Any:
    base = datetime.datetime if isinstance(value, datetime.datetime) else datetime.time
    return [base.__name__, base.isoformat(value), value.fold]


WRITERS: dict[type, Callable[[Any, Put], Any]] = {
    int: lambda value, _: write_int(int.__int__(value)),
    float: lambda value, _: float.__float__(value),
    complex: lambda value, _: ["complex", complex.real.__get__(value), complex.imag.__get__(value)],
    str: lambda value, _: str.__str__(value),
    bytes: lambda value, _: bytes(memoryview(value)),
    bytearray: lambda value, _: ["bytearray", bytes(memoryview(value))],
    memoryview: _write_memory,
    **{base: _writes_items(base) for base in (list, set, frozenset)},
    tuple: _write_tuple,
    dict: lambda value, put: ["dict", _pairs(dict.items(value), put)],
    types.MappingProxyType: lambda value, put: ["dict", _pairs(value.items(), put)],
    OrderedDict: lambda value, put: ["OrderedDict", _pairs(OrderedDict.items(value), put)],
    Counter: lambda value, put: ["Counter", _pairs(dict.items(value), put)],
    defaultdict: _write_defaultdict,
    type({}.keys()): lambda value, put: ["keys", [put(item) for item in value]],
    type({}.values()): lambda value, put: ["values", [put(item) for item in value]],
    type({}.items()): lambda value, put: ["items", _pairs(value, put)],
    deque: lambda value, put: ["deque", [put(item) for item in deque.__iter__(value)], value.maxlen],
    range: _write_range,
    slice: lambda value, put: ["slice", *map(put, (value.start, value.stop, value.step))],
    type(...): lambda *_: ["ellipsis"],
    array.array: _write_array,
    Fraction: lambda value, put: ["Fraction", put(value.numerator), put(value.denominator)],
    Decimal: _write_decimal,
    datetime.date: lambda value, _: ["date", datetime.date.isoformat(value)],
    datetime.datetime: _write_time,
    datetime.time: _write_time,
    datetime.timedelta: _write_timedelta,
    PurePath: lambda value, _: ["path", PurePath.__str__(value)],
}


def _read_int(_: Take, text: Any) -> int:
    if type(text) is not str or len(text) > MAX_DIGITS + 1:
        raise ValueError(f"an integer of over {MAX_DIGITS} digits")
    return int(text)


def _read_range(take: Take, *ends: Any) -> range:
    value = range(*(_whole(take(end)) for end in ends))
    if value[MAX_RANGE:]:
        raise ValueError("a range that is too long")
    return value


def _whole(number: Any) -> int:
    if type(number) is not int:
        raise ValueError("a whole number is expected")
    return number


def _read_array(take: Take, code: Any, items: Any) -> Any:
    if code not in tuple("bBhHiIlLqQfd"):
        raise ValueError("unknown type of array")
    return array.array(code, [take(item) for item in items])


def _read_decimal(_: Take, text: Any) -> Decimal:
    number = Decimal(text) if type(text) is str and len(text) <= 2 * MAX_DIGITS else Decimal("sNaN")
    if number.is_snan() or not _is_small(number):
        raise ValueError("a decimal number that is too long")
    return number


def _read_counter(take: Take, trees: Any) -> Any:
    counter: Counter[Any] = Counter()
    dict.update(counter, take.pairs(trees))
    return counter


def _read_torch(name: str, text: Any) -> Any:
    import torch

    value = torch.device(text) if name == "device" else getattr(torch, text)
    if not isinstance(value, getattr(torch, name)):
        raise ValueError(f"unknown torch {name}")
    return value


READERS: dict[str, Callable[..., Any]] = {
    "int": _read_int,
    "complex": lambda _, real, imaginary: complex(real, imaginary),
    "bytearray": lambda _, data: bytearray(_bytes(data)),
    "list": lambda take, trees: [take(tree) for tree in trees],
    "tuple": lambda take, trees: tuple(take(tree) for tree in trees),
    "set": lambda take, trees: set(take.keys(trees)),
    "frozenset": lambda take, trees: frozenset(take.keys(trees)),
    "named": lambda take, names, trees: NamedTuple.of(names[:MAX_FIELDS], map(take, trees)),
    "dict": lambda take, trees: dict(take.pairs(trees)),
    "OrderedDict": lambda take, trees: OrderedDict(take.pairs(trees)),
    "Counter": _read_counter,
    "defaultdict": lambda take, trees, name: defaultdict(FACTORIES.get(name), take.pairs(trees)),
    "keys": lambda take, trees: dict.fromkeys(take.keys(trees)).keys(),
    "values": lambda take, trees: dict(enumerate(map(take, trees))).values(),
    "items": lambda take, trees: dict(take.pairs(trees)).items(),
    "deque": lambda take, trees, most: deque(map(take, trees), most),
    "range": _read_range,
    "slice": lambda take, *ends: slice(*map(take, ends)),
    "ellipsis": lambda _: ...,
    "array": _read_array,
    "Fraction": lambda take, top, bottom: Fraction(_whole(take(top)), _whole(take(bottom))),
    "Decimal": _read_decimal,
    "date": lambda _, text: datetime.date.fromisoformat(text),
    "datetime": lambda _, text, fold: datetime.datetime.fromisoformat(text).replace(fold=fold),
    "time": lambda _, text, fold: datetime.time.fromisoformat(text).replace(fold=fold),
    "timedelta": lambda _, days, seconds, rest: datetime.timedelta(_whole(days), _whole(seconds), _whole(rest)),
    "path": lambda _, text: PurePosixPath(text),
    "type": lambda _, name: TYPES[name],
    "torch.dtype": lambda _, text: _read_torch("dtype", text),
    "torch.device": lambda _, text: _read_torch("device", text),
}


def _bytes(data: Any) -> bytes:
    if type(data) is not bytes:  # bytearray(5) has five bytes, and bytearray(10**12) never ends
        raise ValueError("bytes are expected")
    return data
