"""What a student defined, as a test cell sees it: data as plain data, a function as a proxy that sends its arguments into
the sandbox and gets plain data back. Gradients flow: a result that depends on tensors which require them is joined to
those by an autograd function whose backward runs in the sandbox.
"""

from __future__ import annotations

import builtins
from typing import Any, Protocol, cast

import torch

from autograder.sandbox import wire
from autograder.sandbox.ends import ChildEnded, RemoteError


class StudentError(Exception):
    """The student's code was lost while it was asked: it hung, died or took too much memory."""


class Answers(Protocol):
    """What answers for the student. Its `generation` counts the processes that did: references are good in their own only."""

    generation: int

    def request(self, verb: str, *arguments: Any, about: str = "") -> list[Any]: ...


MISSING = object()
# torch's own messages on shapes and types run to 200 characters.
MAX_ERROR_TEXT = 240


def fetch(session: Answers, name: str) -> Any:
    """The value of `name` in the sandbox: plain data, a proxy, or MISSING where nothing is called so."""
    status, *value = _ask(session, "get", name)
    return MISSING if status == "missing" else _received(session, value[0], name)


def fetch_fixture(session: Answers, name: str) -> Any:
    """The value of `name`, which a locked cell defined: a proxy to what stays in the sandbox, a model or a function that makes
    one. Plain data is refused, for a student could have changed what a test would take for the instructor's."""
    value = fetch(session, name)
    if value is not MISSING:
        _must_stay(value, f"`{name}`")
        value._is_fixture = True
    return value


def _must_stay(value: Any, what: str) -> None:
    if not isinstance(value, RemoteObject):
        raise StudentError(
            f"{what} is plain data ({type(value).__name__}); from a locked cell a test takes only what stays in the notebook, "
            "such as a model or a function: is the name bound anew somewhere, or should the test define it itself?"
        )


class RemoteObject:
    """Something in the sandbox that is no plain data. It can be passed back as an argument, and called if it can be."""

    def __init__(self, session: Answers, reference: wire.Reference, name: str | None) -> None:
        self._session, self._name, self._description = session, name, reference.description
        self._number, self._generation = reference.number, session.generation
        self._is_fixture = False

    def __repr__(self) -> str:
        return f"<{self._description} in the notebook>"

    def _reference(self) -> wire.Reference:
        if self._generation != self._session.generation:
            if self._name is None:
                raise StudentError(f"{self!r} was lost with the process that made it")
            status, *value = _ask(self._session, "get", self._name)
            if status == "missing" or value[0][0] not in ("function", "object"):
                raise NameError(f"name {self._name!r} is not defined")
            self._number, self._generation = value[0][1], self._session.generation
        return wire.Reference(self._number, "reference", "")


class RemoteFunction(RemoteObject):
    """A student's function."""

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Call it in the sandbox; what it raises there is raised here under the same name."""
        result, _ = self._call(arguments, keywords, return_arguments=False)
        if self._is_fixture:
            _must_stay(result, f"what `{self._name}` returns")
        return result

    def arguments_after(self, *arguments: Any) -> list[Any]:
        """Call it on copies of `arguments`; what it left of them."""
        _, after = self._call(arguments, {}, return_arguments=True)
        return list(after)

    def _call(self, arguments: tuple[Any, ...], keywords: dict[str, Any], return_arguments: bool) -> tuple[Any, Any]:
        tree = [_sent(list(arguments)), _sent(keywords)]
        number = self._reference().number
        _, value, after, graph = _ask(
            self._session, "call", number, *tree, return_arguments, about=self._name or self._description
        )
        result = _received(self._session, value, None)
        inputs = wire.graph_tensors([list(arguments), keywords])
        if graph is not None and inputs:
            result = _joined(self._session, graph, inputs, result)
        return result, None if after is None else _received(self._session, after, None)


class _Graph(torch.autograd.Function):
    """The edge from a call's results back to its arguments."""

    @staticmethod
    def forward(ctx: Any, session: Answers, graph: int, count: int, *tensors: torch.Tensor) -> Any:
        ctx.session, ctx.graph, ctx.generation, ctx.count = session, graph, session.generation, count
        return tuple(tensor.detach().clone() for tensor in tensors[:count])

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        if ctx.generation != ctx.session.generation:
            raise StudentError("the process that held this graph was lost")
        _, tree = _ask(ctx.session, "backward", ctx.graph, wire.encode(list(gradients)))
        received = _received(ctx.session, tree, None)
        return (None, None, None, *[None] * ctx.count, *received)


def _joined(session: Answers, graph: int, inputs: list[torch.Tensor], result: Any) -> Any:
    """`result` with its differentiable tensors replaced by ones whose graph leads to `inputs`."""
    outputs = wire.graph_tensors(result)
    if not outputs:
        return result
    detached = [output.detach() for output in outputs]
    joined = iter(_Graph.apply(session, graph, len(outputs), *detached, *inputs))  # type: ignore[no-untyped-call]

    def replace(value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return next(joined) if value.requires_grad else value
        if isinstance(value, dict):
            return {key: replace(item) for key, item in value.items()}
        return type(value)(replace(item) for item in value) if isinstance(value, list | tuple) else value

    return replace(result)


def _sent(value: Any) -> Any:
    """Arguments as they cross; a proxy goes back as the reference that it is."""

    def refer(item: Any) -> wire.Reference:
        if isinstance(item, RemoteObject):
            return item._reference()
        kind = type(item).__name__
        raise TypeError(
            f"a test cannot pass a {kind} to a student's function: only data, and what the notebook defined"
        )

    return wire.encode(value, refer)


def _received(session: Answers, tree: Any, name: str | None) -> Any:
    def resolve(reference: wire.Reference) -> RemoteObject:
        kind = RemoteFunction if reference.kind == "function" else RemoteObject
        return kind(session, reference, name)

    try:
        return wire.decode(tree, resolve)
    except wire.WireError as error:
        raise StudentError(f"the answer cannot be read: {error}") from None


def _ask(session: Answers, verb: str, *arguments: Any, about: str = "") -> list[Any]:
    try:
        return session.request(verb, *arguments, about=about or verb)
    except ChildEnded as error:
        raise StudentError(f"the code {error.why}: {error}") from None
    except RemoteError as error:
        raise _local(error) from None


def _local(error: RemoteError) -> Exception:
    """The student's exception as one of the same name here; nothing but its name and text crossed.

    The text is cut: an exception that quotes its function's arguments would put a hidden test's inputs on the feedback page.
    """
    error.message = error.message[:MAX_ERROR_TEXT]
    known = getattr(builtins, error.kind, None)
    if isinstance(known, type) and issubclass(known, Exception):
        try:
            return known(error.message)
        except TypeError:  # UnicodeDecodeError and its like want more than a text
            return Exception(f"{error.kind}: {error.message}")
    name = error.kind if error.kind.isidentifier() else "Error"
    return cast(Exception, type(name[:60], (Exception,), {})(error.message))
