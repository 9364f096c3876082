"""Reads a reply's values as numbers, text, arrays, lists and dicts, without torch, and within the wire's limits.

Every page and every comparison of answers reads replies here. A student's code may answer anything that fits on the wire: what is
malformed or too much is a `WireError`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from autograder.sandbox import arrays, wire

# By the place of their items behind the tag.
SEQUENCES = dict.fromkeys(("list", "tuple", "deque", "values", "set", "frozenset", "keys"), 0)
SEQUENCES |= dict.fromkeys(("named", "array", "objects"), 1)
MAPPINGS = ("dict", "OrderedDict", "Counter", "defaultdict", "items")
SHORT_RANGE = 10_000
MAX_TYPE = 40  # characters of a type's name


@dataclass(frozen=True)
class RemoteValue:
    """A function or object that stayed in the sandbox."""

    kind: str
    description: str = ""


@dataclass(frozen=True)
class Outline:
    """An array whose data the transcript left out."""

    dtype: str
    shape: tuple[int, ...]


def to_plain(tree: Any) -> Any:
    """Convert a value on the wire to numbers, text, numpy arrays, lists and dicts: tensors to arrays, tuples and sets to lists.

    WireError if it is malformed, nested too deep or has too many items.
    """
    try:
        return _convert(tree, wire.Reading(lambda reference: reference))
    except wire.MALFORMED as error:
        raise wire.WireError(f"malformed data: {error}") from None


def _convert(tree: Any, reading: wire.Reading) -> Any:
    reading.enter()
    value = _convert_tagged(*tree, reading=reading) if isinstance(tree, list) else tree
    reading.depth -= 1
    return value


def _convert_tagged(tag: str, *rest: Any, reading: wire.Reading) -> Any:  # noqa: PLR0911  (one return for each kind)
    if tag in SEQUENCES:
        items = [_convert(item, reading) for item in rest[SEQUENCES[tag]]]
        return sorted(items, key=repr) if tag in ("set", "frozenset", "keys") else items
    if tag in MAPPINGS:
        return {_to_key(_convert(key, reading)): _convert(value, reading) for key, value in rest[0]}
    if tag in ("function", "object", "reference"):
        return RemoteValue(tag, str(rest[1])[: wire.MAX_DESCRIPTION] if len(rest) > 1 else "")
    if tag in ("tensor", "ndarray"):
        return decode_array(tag, *rest[:3])
    if tag == "extended":
        return _convert(rest[0], reading)
    value = wire.decode([tag, *rest])
    if isinstance(value, range) and not value[SHORT_RANGE:]:
        reading.spend(len(value))
        return list(value)
    return _simplify(value)


def _simplify(value: Any) -> Any:
    if isinstance(value, Fraction | Decimal):
        try:
            return float(value)
        except OverflowError:
            return str(value)
    is_plain = value is None or isinstance(value, bool | int | float | complex | str | bytes | np.generic)
    return value if is_plain else bytes(value) if isinstance(value, bytearray) else str(value)


def _to_key(key: Any) -> Any:
    """The hash of text is randomised, so that no key of a student's can collide with another."""
    is_safe = key is None or type(key) in (bool, float, str) or (type(key) is int and -(2**63) <= key < 2**63)
    return key if is_safe else repr(key)


def to_array(value: Any) -> Any:
    """Convert a number, or an array or nested list of numbers, to an array; None for anything else."""
    if not _is_numeric(value):
        return None
    try:
        array = np.asarray(value)
    except (ValueError, OverflowError):  # rows of different lengths
        return None
    return array if array.dtype.kind in "biufc" else None


def _is_numeric(value: Any) -> bool:
    """numpy would give each of a list's texts the length of the longest: one long text among 100,000 takes gigabytes."""
    if isinstance(value, list):
        return all(map(_is_numeric, value))
    if isinstance(value, np.ndarray | np.generic):
        return value.dtype.kind in "biufc"
    return isinstance(value, bool | int | float | complex)


def decode_array(tag: str, dtype: Any, shape: Any, data: Any) -> Any:
    """Return the array in a tree, an outline if its data was left out, or a list of its texts or times."""
    size = arrays.check_shape(shape)
    if data == b"" and 0 not in size:
        return Outline(str(dtype)[:MAX_TYPE], size)
    if tag == "tensor" and dtype == "bfloat16":  # the upper half of a float32
        halves = wire.decode(["ndarray", "uint16", shape, data])
        return (halves.astype(np.uint32) << 16).view(np.float32)
    array = wire.decode(["ndarray", dtype, shape, data])
    if array.dtype.kind in "biufc":
        return array
    if array.size > wire.MAX_NODES:
        raise wire.WireError(f"an array of over {wire.MAX_NODES:,} texts")
    return (array if array.dtype.kind in "US" else array.astype(str)).tolist()
