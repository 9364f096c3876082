"""Reads a transcript's answers without torch, compares them within rounding, and formats them as text.

A student's code may answer anything that fits on the wire, so every function here expects malformed data and raises `WireError`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from autograder.records.plain import Outline, RemoteValue, decode_array, to_array, to_plain
from autograder.records.transcript import Exchange, digest
from autograder.sandbox import wire

# Two programs with the same mistake differ by rounding: float32 and another order of sums change a value by 1e-6 of itself, and
# a difference by 1e-4. Two mistakes whose answers are closer than this on every question count as the same.
RTOL, ATOL = 1e-4, 1e-6
# `format_value` shows at most this many numbers of an array: a matrix of 8 x 8 takes eight lines. A list or a text is cut at the
# length of as many numbers, at 30 characters each.
SHOWN_NUMBERS, SHOWN_CHARACTERS, LINE = 64, 30, 120


def extract_answer(exchange: Exchange) -> bytes:
    """Return the part of an answer that is compared: a reply unchanged, the type of an exception, how the child ended."""
    if exchange.ended:
        return wire.pack(["ended", exchange.ended[0]])
    message = wire.unpack(exchange.reply)
    return wire.pack(["error", *message[1:2]]) if message[0] == "error" else exchange.reply


def name_question(exchange: Exchange) -> bytes:
    """Return a name for what was asked, the same on every machine.

    Processors with other vector instructions compute a test's inputs with other last bits, and an answer that was recorded on
    one machine must be found on another. A question that cannot be read is named by its bytes.
    """
    try:
        return digest(repr(_round_tree(wire.unpack(exchange.request))).encode(errors="surrogatepass"))
    except (wire.WireError, *wire.MALFORMED):  # a damaged transcript
        return exchange.name


def _round_tree(tree: Any) -> Any:
    """Round the floats in a request's tree. An array of floats is replaced by two sums: if each of its numbers were rounded,
    one of a thousand would be rounded up on one machine and down on another."""
    if isinstance(tree, float):
        return f"{tree + 0.0:.6g}"
    if isinstance(tree, dict):
        return {key: _round_tree(item) for key, item in tree.items()}
    if not isinstance(tree, list):
        return tree
    if len(tree) > 3 and tree[0] in ("tensor", "ndarray", "scalar"):
        array = decode_array(*tree[:4])
        if isinstance(array, np.ndarray) and array.dtype.kind in "fc":
            return [*tree[:3], _summarize(array), *tree[4:]]
    return [_round_tree(item) for item in tree]


def _summarize(array: Any) -> str:
    """Sum the sizes of an array's numbers, and the numbers weighted by their place; list those that are not finite.

    The summaries of 20,000 matrices of 5 x 7, float64 or float32, did not change when the last bit of each number was changed
    at random.
    """
    digits = 6 if array.real.dtype.itemsize >= 8 else 3
    flat = np.concatenate([array.real.ravel(), array.imag.ravel()] if array.dtype.kind == "c" else [array.ravel()])
    finite = np.isfinite(flat)
    values = np.where(finite, flat, 0).astype(np.float64)
    size = float(np.abs(values).sum())
    weighted = float(values @ np.cos(np.arange(1, values.size + 1))) / size if size else 0.0
    others = [(int(index), str(flat[index])) for index in np.flatnonzero(~finite)]
    return f"{size:.{digits}g} {round(weighted, digits) + 0.0} {others or ''}"


def agree(one: bytes, other: bytes) -> bool:
    """Return whether two answers are equal within rounding; False if one cannot be read."""
    if one == other:
        return True
    try:
        (status, *mine), (other_status, *theirs) = wire.unpack(one), wire.unpack(other)
        if status != other_status or status in ("error", "ended"):
            return status == other_status and mine[:1] == theirs[:1]
        # What a call returned, and its arguments after the call. The number of its autograd graph means nothing.
        return all(_values_agree(to_plain(a), to_plain(b)) for a, b in zip(mine[:2], theirs[:2], strict=True))
    except (wire.WireError, *wire.MALFORMED):
        return False


def format_value(value: Any, limit: int = SHOWN_NUMBERS) -> str:  # noqa: PLR0911  (one return for each kind)
    """Format a value as text, a matrix with one row per line; of an array of more than `limit` numbers its shape and range."""
    if isinstance(value, Outline):
        return f"array of {_format_shape(value.shape)} {value.dtype}"
    if isinstance(value, RemoteValue):
        return f"<{value.description or value.kind}>"
    if isinstance(value, np.ndarray):
        return _format_array(value, limit)
    if isinstance(value, np.generic):
        return format_value(value.item(), limit)
    most = limit * SHOWN_CHARACTERS
    if isinstance(value, dict):
        items = (f"{format_value(key, limit)}: {format_value(item, limit)}" for key, item in value.items())
        return f"{{{_join(items, most, len(value))}}}"
    if isinstance(value, list):
        return f"[{_join((format_value(item, limit) for item in value), most, len(value))}]"
    if isinstance(value, str | bytes):
        return repr(value) if len(value) <= most else f"{value[:most]!r}... ({len(value):,} characters)"
    text = f"{value:.6g}" if isinstance(value, float) else repr(value)
    return text if len(text) <= most else f"{text[:most]}... ({len(text):,} characters)"


def _join(items: Iterable[str], most: int, count: int) -> str:
    """Join items up to `most` characters; no others are formatted."""
    shown: list[str] = []
    length = 0
    for item in items:
        shown.append(item)
        length += len(item) + 2
        if length > most:
            return f"{', '.join(shown)[:most]}... ({count:,} items)"
    return ", ".join(shown)


def _format_array(array: Any, limit: int) -> str:
    if not array.shape:
        return f"{array:.6g}"
    if array.size <= limit:
        return str(np.array2string(array, precision=5, separator=", ", threshold=limit, max_line_width=LINE))
    finite = array[np.isfinite(array)] if array.dtype.kind in "fc" else array
    extent = f", {finite.min():.4g} to {finite.max():.4g}" if finite.size and array.dtype.kind in "iuf" else ""
    others = f", {array.size - finite.size} not finite" if finite.size < array.size else ""
    first = ", ".join(f"{number:.4g}" for number in array.ravel()[:4])
    return f"array of {_format_shape(array.shape)} {array.dtype}: {first}, ...{extent}{others}"


def _format_shape(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape)) or "1"


def _values_agree(one: Any, other: Any) -> bool:
    a, b = to_array(one), to_array(other)
    if a is not None and b is not None:
        with np.errstate(all="ignore"):
            return a.shape == b.shape and bool(np.allclose(a, b, rtol=RTOL, atol=ATOL, equal_nan=True))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_values_agree(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_values_agree, one, other))
    if isinstance(one, RemoteValue) and isinstance(other, RemoteValue):
        return one.kind == other.kind
    return type(one) is type(other) and bool(one == other)
