"""Represents in a test cell what a student defined: data as plain data, anything else as a proxy.

A proxy asks the sandbox about its object, and passes back plain data. It never takes part in a comparison with a test's own data:
a student's class could answer that everything equals it. What a test cannot ask raises a TypeError that says what the student's
function returned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from autograder.judge.asking import Respondent, StudentError, ask
from autograder.judge.gradients import join_graph
from autograder.sandbox import wire

MISSING = object()
ASKED_DUNDERS = ("__name__", "__qualname__", "__annotations__")
# What a proxy's description calls them.
NOUNS = {
    "type": "class",
    "function": "function",
    "method": "function",
    "builtin_function_or_method": "function",
    "generator": "generator",
    "module": "module",
}


def fetch(respondent: Respondent, name: str) -> Any:
    """Return the value of `name` in the sandbox: plain data, a proxy, or MISSING if the name is not defined; StudentError if
    the code is lost or its answer cannot be read."""
    status, *value = ask(respondent, "get", name)
    return MISSING if status == "missing" else _decode(respondent, value[0], name, f"your `{name}` is")


def fetch_read_only(respondent: Respondent, name: str) -> Any:
    """Return the value of `name`, which a read-only cell defines, as `fetch` does: a proxy to a model, or to a function that
    makes one. StudentError if it is plain data: the student could have changed what the test takes for the instructor's."""
    value = fetch(respondent, name)
    return value if value is MISSING else _read_only(value, f"`{name}`")


class LockedDataError(StudentError):
    """A test asked for data from a read-only cell, which the student could have changed."""


def _read_only(value: Any, label: str) -> Any:
    if not isinstance(value, RemoteObject):
        raise LockedDataError(
            f"{label} is plain data ({type(value).__name__}); from a locked cell a test takes only what stays in the notebook, "
            "such as a model or a function: is the name bound anew somewhere, or should the test define it itself?"
        )
    value._link.is_read_only = True
    return value


@dataclass
class Link:
    """How a proxy reaches its object. `name` is the name that the notebook gives it, if it was fetched by one; `origin` begins
    a sentence about it."""

    respondent: Respondent
    reference: wire.Reference
    name: str | None
    origin: str
    generation: int
    is_read_only: bool = False

    @property
    def sentence(self) -> str:
        """What the object is, in words for the student."""
        first, _, rest = self.reference.description.partition(" ")
        noun = NOUNS.get(first) or (f"{first} {rest}" if rest.endswith(("tensor", "array")) else f"{first} object")
        return f"{self.origin} {'an' if noun[:1].lower() in tuple('aeiou') else 'a'} {noun}"

    def renew(self) -> wire.Reference:
        """Return a reference that is valid in today's child; StudentError or NameError if the object was lost with another."""
        if self.generation != self.respondent.generation:
            if self.name is None:
                raise StudentError(
                    f"<{self.reference.description} in the notebook> was lost with the process that made it"
                )
            status, *value = ask(self.respondent, "get", self.name)
            if status == "missing" or not isinstance(value[0], list) or value[0][0] not in ("function", "object"):
                raise NameError(f"name {self.name!r} is not defined")
            self.reference = wire.Reference(value[0][1], self.reference.kind, self.reference.description)
            self.generation = self.respondent.generation
        return wire.Reference(self.reference.number, "reference", "")


class RemoteObject:
    """A proxy to something in the sandbox that is not plain data. A test can pass it back as an argument, and ask about it."""

    _link: Link
    __doc__ = property(lambda self: self._ask("getattr", "__doc__"))  # not the proxy's own

    def __init__(self, link: Link) -> None:
        object.__setattr__(self, "_link", link)

    def _ask(self, operation: str, *arguments: Any) -> Any:
        link = self._link
        tree = _encode(list(arguments))
        about = link.name or link.reference.description
        _, answer, *_ = ask(link.respondent, "ask", link.renew().number, operation, tree, about=about)
        value = _decode(link.respondent, answer, None, f"`{operation}` of {link.sentence.partition(' ')[2]} gave")
        return _read_only(value, f"what `{about}` says of itself") if link.is_read_only else value

    def _refuse(self, action: str) -> TypeError:
        return TypeError(
            f"{self._link.sentence}; a test cannot {action}, it needs plain data such as a number or an array"
        )

    def _text(self, operation: str) -> str:
        """The object's own text, or its description: this is part of messages, so it never raises."""
        try:
            text = None if self._link.is_read_only else self._ask(operation)
        except Exception:
            text = None
        return text if isinstance(text, str) else f"<{self._link.reference.description} in the notebook>"

    def _with(self, operation: str, other: Any) -> Any:
        """Ask about this object and another of the student's; TypeError if the other is the test's, or the answer is none."""
        theirs = isinstance(other, RemoteObject) and not other._link.is_read_only and not self._link.is_read_only
        value = self._ask(operation, other) if theirs else None
        if value is None:
            raise self._refuse("compare it" if operation in COMPARISONS else "calculate with it")
        return value

    def __str__(self) -> str:
        return self._text("str")

    def __repr__(self) -> str:
        return self._text("repr")

    def __format__(self, form: str) -> str:
        return cast(str, self._ask("format", form)) if form else str(self)

    def __bool__(self) -> bool:
        value = self._ask("bool")
        if not isinstance(value, bool):
            raise self._refuse("take it for true or false")
        return value

    def __hash__(self) -> int:
        raise self._refuse("look it up in a set or dict")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name not in ASKED_DUNDERS:  # numpy, copy and others look for these
            raise AttributeError(f"{self._link.sentence}, without {name}")
        try:
            return self._ask("getattr", name)
        except LockedDataError as error:  # so that `getattr(model, "size", 64)` gives 64
            raise AttributeError(str(error)) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self._ask("setattr", name, value)

    def __delattr__(self, name: str) -> None:
        self._ask("delattr", name)

    def __reduce_ex__(self, protocol: object) -> Any:
        raise self._refuse("store it")

    def __deepcopy__(self, memo: object) -> Any:
        return self._ask("deepcopy")

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise self._refuse("make an array of it")

    def __array_ufunc__(self, *_: Any, **__: Any) -> Any:
        raise self._refuse("calculate with it")

    def __array_function__(self, *_: Any, **__: Any) -> Any:
        raise self._refuse("calculate with it")

    @classmethod
    def __torch_function__(cls, _: Any, __: Any, arguments: Any = (), keywords: Any = None) -> Any:
        todo = [*arguments, *(keywords or {}).values()]
        todo += [item for value in todo if isinstance(value, list | tuple) for item in value]
        raise next(value for value in todo if isinstance(value, RemoteObject))._refuse("make a tensor of it")


class RemoteFunction(RemoteObject):
    """A proxy to a student's function or class."""

    __doc__ = RemoteObject.__doc__

    @property
    def __signature__(self) -> Any:
        """The proxy's own parameters would be taken for the student's."""
        raise self._refuse("read its signature")

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Call it in the sandbox and return its result; an exception is raised here under the same name."""
        result, _ = self._call(arguments, keywords, return_arguments=False)
        return _read_only(result, f"what `{self._link.name}` returns") if self._link.is_read_only else result

    def __instancecheck__(self, instance: Any) -> bool:
        return isinstance(instance, RemoteObject) and instance._ask("isinstance", self) is True

    def __subclasscheck__(self, subclass: Any) -> bool:
        return isinstance(subclass, RemoteObject) and subclass._ask("issubclass", self) is True

    def arguments_after(self, *arguments: Any) -> list[Any]:
        """Call it on copies of `arguments`; return the copies as they are after the call."""
        _, after = self._call(arguments, {}, return_arguments=True)
        return list(after)

    def _call(self, arguments: tuple[Any, ...], keywords: dict[str, Any], return_arguments: bool) -> tuple[Any, Any]:
        link = self._link
        tree = [_encode(list(arguments)), _encode(keywords)]
        about = link.name or link.reference.description
        _, value, after, graph = ask(link.respondent, "call", link.renew().number, *tree, return_arguments, about=about)
        label = f"`{link.name}`" if link.name else "function"
        result = _decode(link.respondent, value, None, f"your {label} returned")
        inputs = wire.graph_tensors([list(arguments), keywords])
        if graph is not None and inputs:
            result = join_graph(link.respondent, graph, inputs, result)
        return result, None if after is None else _decode(link.respondent, after, None, f"your {label} left")


COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")
ARITHMETIC = (
    "add",
    "sub",
    "mul",
    "matmul",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "lshift",
    "rshift",
    "and",
    "or",
    "xor",
)
# Their answers tell of the object alone: whatever it answers, the student could have returned that as data.
QUESTIONS = (
    "len", "iter", "next", "reversed", "int", "float", "complex", "index", "abs", "round", "neg", "pos", "invert",
    "getitem", "setitem", "delitem", "copy",
)  # fmt: skip


def _question(operation: str) -> Any:
    return lambda self, *arguments: self._ask(operation, *arguments)


def _pair(operation: str) -> Any:
    return lambda self, other: self._with(operation, other)


def _comparison(operation: str) -> Any:
    def compare(self: RemoteObject, other: Any) -> bool:
        value = self._with(operation, other)
        if not isinstance(value, bool | np.bool_):
            raise self._refuse("compare it")
        return bool(value)

    return compare


def _refusal(self: RemoteObject, _: Any) -> Any:
    raise self._refuse("calculate with it")


for _name in QUESTIONS:
    setattr(RemoteObject, f"__{_name}__", _question(_name))
for _name in COMPARISONS:
    setattr(RemoteObject, f"__{_name}__", _comparison(_name))
for _name in ARITHMETIC:
    setattr(RemoteObject, f"__{_name}__", _pair(f"{_name}_" if _name in ("and", "or") else _name))
    setattr(RemoteObject, f"__r{_name}__", _refusal)
for _name in ("divmod", "rdivmod"):
    setattr(RemoteObject, f"__{_name}__", _refusal)
# Python's own messages name a type, as in "'...' object is not callable", and students read them.
RemoteObject.__name__ = RemoteFunction.__name__ = "object that stays in the notebook"


def _encode(value: Any) -> Any:
    """Return a tree of arguments for the wire, in which a proxy is a reference; TypeError for an object of the judge's."""

    def refer(item: Any) -> wire.Reference:
        if isinstance(item, RemoteObject):
            return item._link.renew()
        kind = type(item).__name__
        raise TypeError(
            f"a test cannot pass a {kind} to a student's function: only data, and what the notebook defined"
        )

    return wire.encode(value, refer)


def _decode(respondent: Respondent, tree: Any, name: str | None, origin: str) -> Any:
    def resolve(reference: wire.Reference) -> RemoteObject:
        kind = RemoteFunction if reference.kind == "function" else RemoteObject
        return kind(Link(respondent, reference, name, origin, respondent.generation))

    try:
        return wire.decode(tree, resolve)
    except wire.WireError as error:
        raise StudentError(f"the answer cannot be read: {error}") from None
