"""Answers as they stand in a transcript: read without torch, compared within rounding, and shown in a line.

What a student's code answered may be anything that fits on the wire, so all of this expects nonsense and says `WireError`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.records.transcript import Exchange, digest
from autograder.sandbox import wire

# Two programs with one mistake differ by rounding: float32 and another order of sums by 1e-6 of a value, and by 1e-4 of a
# difference. Two mistakes that come closer than this on every question of a test are one.
RTOL, ATOL = 1e-4, 1e-6
# How many numbers of one array `shown` shows, for eyes: a matrix of 8 x 8 in eight lines. A list or a text is cut where as many
# numbers would end, of 30 characters each.
SHOWN_NUMBERS, SHOWN_CHARACTERS, LINE = 64, 30, 120


@dataclass(frozen=True)
class Stays:
    """A function or object that did not cross."""

    kind: str
    description: str = ""


@dataclass(frozen=True)
class Outline:
    """An array of which the transcript holds no data."""

    dtype: str
    shape: tuple[int, ...]


def answer(exchange: Exchange) -> bytes:
    """The part of an exchange's answer that counts: a reply as it came, an exception by its name, an end by its kind."""
    if exchange.ended:
        return wire.pack(["ended", exchange.ended[0]])
    message = wire.unpack(exchange.reply)
    return wire.pack(["error", *message[1:2]]) if message[0] == "error" else exchange.reply


def question(exchange: Exchange) -> bytes:
    """A name for what was asked, on this machine or another: a processor with other vector instructions computes a test's
    inputs to numbers that differ in their last bit, and an answer that was recorded there must be found here."""
    try:
        return digest(repr(_rounded(wire.unpack(exchange.request))).encode(errors="surrogatepass"))
    except (wire.WireError, TypeError, ValueError, OverflowError, RecursionError):  # a damaged transcript
        return exchange.name


def _rounded(tree: Any) -> Any:
    """A request's tree with floats and arrays of them rounded; of an array two sums are left, so that not each of a thousand
    numbers has its chance to be rounded up here and down there."""
    if isinstance(tree, float):
        return f"{tree + 0.0:.6g}"
    if isinstance(tree, dict):
        return {key: _rounded(item) for key, item in tree.items()}
    if not isinstance(tree, list):
        return tree
    if len(tree) > 3 and tree[0] in ("tensor", "ndarray", "scalar"):
        array = _array(*tree[:4])
        if isinstance(array, np.ndarray) and array.dtype.kind in "fc":
            return [*tree[:3], _sums(array), *tree[4:]]
    return [_rounded(item) for item in tree]


def _sums(array: Any) -> str:
    """How large the numbers of an array are together, and to which side they lean. Of 20,000 matrices of 5 x 7, float64 or
    float32, none was another when the last bit of each number was changed at random."""
    digits = 6 if array.real.dtype.itemsize >= 8 else 3
    flat = np.concatenate([array.real.ravel(), array.imag.ravel()] if array.dtype.kind == "c" else [array.ravel()])
    finite = np.isfinite(flat)
    kept = np.where(finite, flat, 0).astype(np.float64)
    size = float(np.abs(kept).sum())
    lean = float(kept @ np.cos(np.arange(1, kept.size + 1))) / size if size else 0.0
    odd = [(int(place), str(flat[place])) for place in np.flatnonzero(~finite)]
    return f"{size:.{digits}g} {round(lean, digits) + 0.0} {odd or ''}"


def alike(one: bytes, other: bytes) -> bool:
    """Whether two answers are equal within rounding; False for one that cannot be read."""
    if one == other:
        return True
    try:
        (status, *mine), (status_too, *theirs) = wire.unpack(one), wire.unpack(other)
        if status != status_too or status in ("error", "ended"):
            return status == status_too and mine[:1] == theirs[:1]
        # What a call returned, and what it left of its arguments. The number of its graph says nothing.
        return all(_alike(plain(a), plain(b)) for a, b in zip(mine[:2], theirs[:2], strict=True))
    except (wire.WireError, ValueError):
        return False


def plain(tree: Any, depth: int = 0) -> Any:
    """A value on the wire as numbers, text, numpy arrays, lists and dicts; tensors are arrays, tuples and sets are lists."""
    if not isinstance(tree, list):
        return tree
    if depth > wire.MAX_DEPTH:
        raise wire.WireError("nested too deep")
    try:
        tag, *rest = tree
        if tag in ("list", "tuple", "set", "frozenset"):
            items = [plain(item, depth + 1) for item in rest[0]]
            return sorted(items, key=repr) if "set" in tag else items
        if tag == "dict":
            return {_key(plain(key, depth + 1)): plain(value, depth + 1) for key, value in rest[0]}
        if tag in ("function", "object", "reference"):
            return Stays(tag, str(rest[1]) if len(rest) > 1 else "")
        return _array(tag, *rest[:3]) if tag in ("tensor", "ndarray") else wire.decode(tree)
    except (TypeError, ValueError, IndexError, KeyError) as error:
        raise wire.WireError(f"malformed data: {error}") from None


def numbers(value: Any) -> Any:
    """A number, an array of them, or lists that are one, as an array; None for anything else."""
    if isinstance(value, str | bytes | dict | Stays | Outline) or value is None:
        return None
    try:
        array = np.asarray(value)
    except (ValueError, OverflowError):  # rows of different lengths
        return None
    return array if array.dtype.kind in "biufc" else None


def shown(value: Any, most: int = SHOWN_NUMBERS) -> str:
    """A value as text, the rows of a matrix beneath each other; an array of more than `most` numbers by its shape and range."""
    if isinstance(value, Outline):
        return f"array of {_shape(value.shape)} {value.dtype}"
    if isinstance(value, Stays):
        return f"<{value.description or value.kind}>"
    if isinstance(value, np.ndarray):
        return _shown_array(value, most)
    if isinstance(value, np.generic):
        return shown(value.item(), most)
    if isinstance(value, dict):
        text = "{" + ", ".join(f"{key!r}: {shown(item, most)}" for key, item in value.items()) + "}"
    elif isinstance(value, list):
        text = "[" + ", ".join(shown(item, most) for item in value) + "]"
    else:
        text = f"{value:.6g}" if isinstance(value, float) else repr(value)
    cut = most * SHOWN_CHARACTERS
    return text if len(text) <= cut else f"{text[:cut]}... ({len(text):,} characters)"


def _shown_array(array: Any, most: int) -> str:
    if not array.shape:
        return f"{array:.6g}"
    if array.size <= most:
        return str(np.array2string(array, precision=5, separator=", ", threshold=most, max_line_width=LINE))
    where = array[np.isfinite(array)] if array.dtype.kind in "fc" else array
    ranged = f", {where.min():.4g} to {where.max():.4g}" if where.size and array.dtype.kind in "iuf" else ""
    odd = f", {array.size - where.size} not finite" if where.size < array.size else ""
    first = ", ".join(f"{number:.4g}" for number in array.ravel()[:4])
    return f"array of {_shape(array.shape)} {array.dtype}: {first}, ...{ranged}{odd}"


def _shape(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape)) or "1"


def _alike(one: Any, other: Any) -> bool:
    a, b = numbers(one), numbers(other)
    if a is not None and b is not None:
        return a.shape == b.shape and bool(np.allclose(a, b, rtol=RTOL, atol=ATOL, equal_nan=True))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_alike(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_alike, one, other))
    if isinstance(one, Stays) and isinstance(other, Stays):
        return one.kind == other.kind
    return type(one) is type(other) and bool(one == other)


def _key(key: Any) -> Any:
    return key if isinstance(key, str | int | float | bool | None) else repr(key)


def _array(tag: str, dtype: str, shape: Any, data: bytes) -> Any:
    size = tuple(int(n) for n in shape)
    if not data and 0 not in size:
        return Outline(dtype, size)
    if tag == "tensor" and dtype == "bfloat16":  # the upper half of a float32
        halves = wire.decode(["ndarray", "uint16", list(size), data])
        return (halves.astype(np.uint32) << 16).view(np.float32)
    return wire.decode(["ndarray", dtype, list(size), data])
