"""Arrays, numpy scalars and tensors on the wire: type, shape and bytes, exact to the bit.

`write` runs no method that a student's subclass may have overridden. What it cannot write (a sparse tensor, an array with masked
entries) stays where it is.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

MAX_DIMENSIONS = 16
MAX_QUOTE = 40  # characters of unknown data in an error message
NUMPY_DTYPES = {"bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"} | {
    "float16", "float32", "float64", "complex64", "complex128",
}  # fmt: skip
TORCH_DTYPES = (NUMPY_DTYPES - {"uint16", "uint32", "uint64"}) | {"bfloat16"}
# Text, bytes, points in time and durations, as `numpy.dtype.str` names them.
_OTHER_DTYPE = re.compile(
    r"<U[1-9]\d{0,6}|\|S[1-9]\d{0,7}|<[Mm]8(\[([1-9]\d{0,8})?(Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\])?"
)
MAX_CODE_POINT = 0x10FFFF
TAGS = ("ndarray", "scalar", "tensor", "extended", "objects", "dtype")
Put = Callable[[Any], Any]
Take = Callable[[Any], Any]


def write(value: Any, put: Put) -> Any:
    """Return the tree of an array, a numpy scalar or a tensor; None for anything else. `put` makes the tree of an item."""
    kind = type(value)  # `isinstance` would ask the value for its class
    torch = sys.modules.get("torch")
    if torch is not None and issubclass(kind, torch.Tensor):
        return _write_tensor(value, torch) if is_dense(value) else None
    if issubclass(kind, np.dtype):
        return ["dtype", value.name] if value.name in NUMPY_DTYPES else None
    if issubclass(kind, np.ndarray | np.generic):
        return _write_array(value, kind, put)
    return None


def convert(value: Any) -> Any:
    """Return what an object of another library, or of a student's own class, is as an array; None if it is none."""
    if not any("__array__" in vars(base) for base in type(value).__mro__):
        return None
    array = np.asarray(value)
    return None if array.dtype == object else array


def _write_array(value: Any, kind: type, put: Put) -> Any:
    if _is_masked(kind) and sys.modules["numpy.ma"].getmaskarray(value).any():
        return None  # comparisons would pass over the masked entries
    if issubclass(kind, np.str_ | np.bytes_):
        return put((str.__str__ if issubclass(kind, str) else bytes)(value))
    array = np.asarray(value)  # a subclass as its base
    array = array.astype(array.dtype.newbyteorder("<"), copy=False)
    tag, shape = "ndarray" if issubclass(kind, np.ndarray) else "scalar", list(array.shape)
    if array.dtype.name in NUMPY_DTYPES:
        return [tag, array.dtype.name, shape, array.tobytes()]
    if array.dtype.name in ("float128", "complex256"):
        return _write_extended(array, put, tag == "scalar")
    if array.dtype == object:
        return ["objects", shape, [put(item) for item in array.ravel().tolist()]]
    return [tag, array.dtype.str, shape, array.tobytes()] if _OTHER_DTYPE.fullmatch(array.dtype.str) else None


def _is_masked(kind: type) -> bool:
    """Whether a type is of masked arrays. numpy imports that module when it is needed; here nobody may need it, or be able to:
    a student can have used up all descriptors."""
    masked = sys.modules.get("numpy.ma")
    return masked is not None and issubclass(kind, masked.MaskedArray)


def name_kind(value: Any) -> str:
    """Name an array or tensor that stays where it is by what keeps it there, as "sparse_coo tensor"; "" for anything else."""
    torch = sys.modules.get("torch")
    if torch is not None and issubclass(type(value), torch.Tensor):
        is_odd = value.layout != torch.strided
        kind = value.layout if is_odd else "quantized" if value.is_quantized else value.dtype
        return f"{str(kind).removeprefix('torch.')} tensor"
    if _is_masked(type(value)):
        return "masked array"
    return "structured array" if issubclass(type(value), np.ndarray) else ""


def _write_extended(array: Any, put: Put, is_scalar: bool) -> Any:
    """An array of extended precision as the sum of two of double precision, which is exact on every machine; beyond the range of
    double precision it is infinite."""
    double = np.complex128 if array.dtype.kind == "c" else np.float64
    with np.errstate(all="ignore"):
        high = array.astype(double)
        low = np.where(np.isfinite(high), array - high, 0).astype(double)
    return ["extended", *(put(part[()] if is_scalar else part) for part in (high, low))]


def is_dense(tensor: Any) -> bool:
    """Whether a tensor's values are plain data in memory, of a type that can cross."""
    torch = sys.modules["torch"]
    dtype = str(tensor.dtype).removeprefix("torch.")
    is_strided = tensor.layout == torch.strided and not tensor.is_quantized and not tensor.is_nested
    return dtype in TORCH_DTYPES and is_strided and tensor.device.type != "meta"


def _write_tensor(value: Any, torch: Any) -> list[Any]:
    with torch._C.DisableTorchFunctionSubclass():
        dtype = str(value.dtype).removeprefix("torch.")
        plain = value.detach().view(torch.int16) if dtype == "bfloat16" else value  # which numpy does not have
        data = plain.as_subclass(torch.Tensor).numpy(force=True).tobytes()
        return ["tensor", dtype, list(value.shape), data, bool(value.requires_grad)]


def read(tag: str, rest: list[Any], take: Take) -> Any:
    """Return the array, scalar or tensor that `write` wrote; ValueError or TypeError if it is malformed."""
    if tag == "tensor":
        return _read_tensor(*rest)
    if tag == "extended":
        return _read_extended(*map(take, rest))
    if tag == "objects":
        return _read_objects(rest[0], [take(item) for item in rest[1]])
    if tag == "dtype":
        return np.dtype(_check_dtype(*rest))
    array = _read_array(*rest)
    return array if tag == "ndarray" else array[()]


def check_shape(shape: Any) -> tuple[int, ...]:
    """Return a shape as a tuple; ValueError unless it is a list of at most MAX_DIMENSIONS natural numbers."""
    if type(shape) is not list or len(shape) > MAX_DIMENSIONS or any(type(n) is not int or n < 0 for n in shape):
        raise ValueError("a shape is a short list of natural numbers")
    return tuple(shape)


def _check_size(shape: Any, itemsize: int, data: Any) -> tuple[int, ...]:
    """Return the shape as a tuple; ValueError unless `data` fills it exactly."""
    size = check_shape(shape)
    if not isinstance(data, bytes) or math.prod(size) * itemsize != len(data):
        raise ValueError("an array whose bytes do not fill its shape")
    return size


def _check_dtype(dtype: Any) -> str:
    if type(dtype) is not str or not (dtype in NUMPY_DTYPES or _OTHER_DTYPE.fullmatch(dtype)):
        raise ValueError(f"unknown array type {str(dtype)[:MAX_QUOTE]!r}")
    return dtype


def _read_array(dtype: Any, shape: Any, data: Any) -> Any:
    size = _check_size(shape, np.dtype(_check_dtype(dtype)).itemsize, data)
    array = np.frombuffer(bytearray(data), dtype=dtype).reshape(size)
    if array.dtype.kind == "U":
        points = np.frombuffer(data, np.uint32)
        if ((points > MAX_CODE_POINT) | ((points >= 0xD800) & (points <= 0xDFFF))).any():
            raise ValueError("text that is no Unicode")
    return array


def _read_extended(high: Any, low: Any) -> Any:
    if getattr(high, "dtype", None) not in (np.float64, np.complex128) or getattr(low, "dtype", None) != high.dtype:
        raise ValueError("a number of extended precision has two parts")
    if high.shape != low.shape:
        raise ValueError("parts of different shapes")
    with np.errstate(all="ignore"):
        return high.astype(np.clongdouble if high.dtype == np.complex128 else np.longdouble) + low


def _read_objects(shape: Any, items: list[Any]) -> Any:
    array = np.empty(len(items), dtype=object)
    for index, item in enumerate(items):  # numpy would take a list of lists for rows
        array[index] = item
    return array.reshape(check_shape(shape))


def _read_tensor(dtype: Any, shape: Any, data: Any, requires_grad: bool) -> Any:
    if dtype not in TORCH_DTYPES:
        raise ValueError(f"unknown tensor type {str(dtype)[:MAX_QUOTE]!r}")
    import torch

    torch_dtype: torch.dtype = getattr(torch, dtype)
    size = _check_size(shape, torch_dtype.itemsize, data)
    flat = torch.frombuffer(bytearray(data), dtype=torch_dtype) if data else torch.empty(0, dtype=torch_dtype)
    tensor = flat.reshape(size)
    if requires_grad and (torch_dtype.is_floating_point or torch_dtype.is_complex):
        tensor.requires_grad_(True)
    return tensor
