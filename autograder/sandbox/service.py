"""Answers the judge's requests about a student's objects, in the process that holds them.

What is data crosses by value. Anything else stays here, and the judge asks about it: calls it, takes its length, an attribute, an
item. An answer tells of the object alone; the judge sends nothing that a test compares with it.
"""

from __future__ import annotations

import copy
import itertools
import operator
import traceback
from collections.abc import Callable
from typing import Any

from autograder.sandbox import arrays, wire

MAX_MESSAGE, MAX_TRACEBACK = 2000, 4000  # characters of an exception that the judge gets


def _has_own(value: Any, *names: str) -> bool:
    """Whether a class of the value's, other than `object`, defines one of these methods."""
    return any(name in vars(base) for base in type(value).__mro__ if base is not object for name in names)


def _truth(value: Any) -> Any:
    # Any object is true by default: that would be an answer to a question that its author never thought of.
    return bool(value) if _has_own(value, "__bool__", "__len__") else None


OPERATIONS: dict[str, Callable[..., Any]] = {
    "bool": _truth,
    # None for an object that has no text of its own.
    "str": lambda value: str(value) if _has_own(value, "__str__", "__repr__") else None,
    "repr": lambda value: repr(value) if _has_own(value, "__repr__") else None,
    **{each.__name__: each for each in (len, iter, next, reversed, int, float, complex, abs, round, format)},
    **{each.__name__: each for each in (getattr, setattr, delattr, isinstance, issubclass, copy.copy, copy.deepcopy)},
    **{
        name: getattr(operator, name)
        for name in (
            "getitem setitem delitem index neg pos invert add sub mul matmul truediv floordiv mod pow "
            "lshift rshift and_ or_ xor lt le gt ge"
        ).split()
    },
    # None where neither has a rule of its own, for then any two objects differ.
    "eq": lambda one, other: one == other if one is other or _has_own(one, "__eq__") else None,
    "ne": lambda one, other: one != other if one is other or _has_own(one, "__eq__") else None,
}


class Service:
    """Answers the judge's requests between cells. A student's code can replace any of this, so the judge trusts no answer."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names
        self.objects: dict[int, Any] = {}  # those that the judge has a reference to, and graphs for a later backward
        self.numbers = itertools.count(1)

    def answer(self, payload: bytes) -> bytes:
        """Return the reply to one request: "ok" with values, "missing", or "error" with type, message and traceback."""
        try:
            verb, *arguments = wire.unpack(payload)
            return wire.pack(getattr(self, f"do_{verb}")(*arguments))
        except BaseException as error:  # even a student's sys.exit() is answered and does not end the kernel
            lines = traceback.format_exception(error)
            texts = [type(error).__name__, str(error)[:MAX_MESSAGE], "".join(lines)[-MAX_TRACEBACK:]]
            # A lone surrogate would not cross.
            return wire.pack(["error", *(text.encode(errors="replace").decode() for text in texts)])

    def keep(self, value: Any) -> int:
        """Store an object; return its number."""
        number = next(self.numbers)
        self.objects[number] = value
        return number

    def refer(self, value: Any) -> Any:
        """Return an object as an array, if it can be one; else store it and return a reference to it."""
        kept = arrays.name_kind(value)
        if not kept and (array := arrays.convert(value)) is not None:
            return array
        kind = "function" if callable(value) else "object"
        description = kept or f"{type(value).__name__} {getattr(value, '__name__', '')}".strip()
        return wire.Reference(self.keep(value), kind, description)

    def encode(self, value: Any) -> Any:
        """Encode a value for the wire, with references to what cannot cross."""
        return wire.encode(value, self.refer)

    def decode(self, tree: Any) -> Any:
        """Decode a value from the wire, with the objects that its references name."""
        return wire.decode(tree, lambda reference: self.objects[reference.number])

    def do_get(self, name: str) -> list[Any]:
        """Fetch the value of a name that the notebook defines."""
        return ["ok", self.encode(self.names[name])] if name in self.names else ["missing"]

    def do_call(self, number: int, arguments_tree: Any, keywords_tree: Any, return_arguments: bool) -> list[Any]:
        """Call an object; reply with its result, the arguments afterwards if asked, and the number of its graph, if any."""
        arguments, keywords = self.decode(arguments_tree), self.decode(keywords_tree)
        inputs = wire.graph_tensors([arguments, keywords])
        result = self.objects[number](*arguments, **keywords)
        after = self.encode(arguments) if return_arguments else None
        graph = self.keep((wire.graph_tensors(result), inputs)) if inputs else None
        return ["ok", self.encode(result), after, graph]

    def do_ask(self, number: int, operation: str, arguments_tree: Any) -> list[Any]:
        """Apply one of OPERATIONS to an object."""
        return ["ok", self.encode(OPERATIONS[operation](self.objects[number], *self.decode(arguments_tree)))]

    def do_backward(self, graph: int, gradients_tree: Any) -> list[Any]:
        """Return the gradients of a call's inputs, from those of its outputs."""
        import torch

        outputs, inputs = self.objects[graph]
        # The gradient of the weighted sum of the outputs. Passing the weights to `grad` gives the same, but makes torch
        # import sympy, which takes 0.7 s in each child.
        weighted = zip(outputs, self.decode(gradients_tree), strict=True)
        total = sum((output * weight.conj()).real.sum() for output, weight in weighted)
        gradients = torch.autograd.grad(total, inputs, allow_unused=True, retain_graph=True)
        return ["ok", self.encode(list(gradients))]

    def do_forget(self) -> list[Any]:
        """Forget all objects and number from 1 again, so that a test cell's requests do not depend on earlier test cells."""
        self.objects.clear()
        self.numbers = itertools.count(1)
        return ["ok", None]
