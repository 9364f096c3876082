"""Represents in a test cell what a student defined: data as plain data, a function as a proxy.

A proxy sends its arguments into the sandbox and gets plain data back. Gradients flow: if a result depends on tensors that
require them, an autograd function whose backward runs in the sandbox connects the two.
"""

from __future__ import annotations

import builtins
from typing import Any, Protocol, cast

import torch

from autograder.records.transcript import Exchange
from autograder.sandbox import wire
from autograder.sandbox.endings import ChildEnded, RemoteError


class StudentError(Exception):
    """The student's code gave no usable answer: it hung, died or took too much memory, or sent what cannot be read."""


class Respondent(Protocol):
    """Answers a test cell's questions: a session with the student's code, or the transcript of one.

    `generation` counts the processes that have answered: a reference is valid in its own process only. `asked` are the
    exchanges since the test cell began.
    """

    generation: int
    asked: list[Exchange]

    def request(self, verb: str, *arguments: Any, about: str = "") -> list[Any]:
        """Return the reply, as `sandbox.endings.answer` does; ChildEnded if the child was lost over it."""


MISSING = object()
# torch's own messages on shapes and types have up to 200 characters.
MAX_ERROR_TEXT = 240


def fetch(respondent: Respondent, name: str) -> Any:
    """Return the value of `name` in the sandbox: plain data, a proxy, or MISSING if the name is not defined; StudentError if
    the code is lost or its answer cannot be read."""
    status, *value = _ask(respondent, "get", name)
    return MISSING if status == "missing" else _decode(respondent, value[0], name)


def fetch_read_only(respondent: Respondent, name: str) -> Any:
    """Return the value of `name`, which a read-only cell defines, as `fetch` does: a proxy to a model, or to a function that
    makes one. StudentError if it is plain data: the student could have changed what the test takes for the instructor's."""
    value = fetch(respondent, name)
    if value is not MISSING:
        _refuse_data(value, f"`{name}`")
        value._is_read_only = True
    return value


def _refuse_data(value: Any, label: str) -> None:
    if not isinstance(value, RemoteObject):
        raise StudentError(
            f"{label} is plain data ({type(value).__name__}); from a locked cell a test takes only what stays in the notebook, "
            "such as a model or a function: is the name bound anew somewhere, or should the test define it itself?"
        )


class RemoteObject:
    """A proxy to something in the sandbox that is not plain data. A test can pass it back as an argument."""

    def __init__(self, respondent: Respondent, reference: wire.Reference, name: str | None) -> None:
        self._respondent, self._name, self._description = respondent, name, reference.description
        self._number, self._generation = reference.number, respondent.generation
        self._is_read_only = False

    def __repr__(self) -> str:
        return f"<{self._description} in the notebook>"

    def _reference(self) -> wire.Reference:
        if self._generation != self._respondent.generation:
            if self._name is None:
                raise StudentError(f"{self!r} was lost with the process that made it")
            status, *value = _ask(self._respondent, "get", self._name)
            if status == "missing" or value[0][0] not in ("function", "object"):
                raise NameError(f"name {self._name!r} is not defined")
            self._number, self._generation = value[0][1], self._respondent.generation
        return wire.Reference(self._number, "reference", "")


class RemoteFunction(RemoteObject):
    """A proxy to a student's function."""

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Call it in the sandbox and return its result; an exception is raised here under the same name."""
        result, _ = self._call(arguments, keywords, return_arguments=False)
        if self._is_read_only:
            _refuse_data(result, f"what `{self._name}` returns")
        return result

    def arguments_after(self, *arguments: Any) -> list[Any]:
        """Call it on copies of `arguments`; return the copies as they are after the call."""
        _, after = self._call(arguments, {}, return_arguments=True)
        return list(after)

    def _call(self, arguments: tuple[Any, ...], keywords: dict[str, Any], return_arguments: bool) -> tuple[Any, Any]:
        tree = [_encode(list(arguments)), _encode(keywords)]
        number = self._reference().number
        _, value, after, graph = _ask(
            self._respondent, "call", number, *tree, return_arguments, about=self._name or self._description
        )
        result = _decode(self._respondent, value, None)
        inputs = wire.graph_tensors([list(arguments), keywords])
        if graph is not None and inputs:
            result = _join_graph(self._respondent, graph, inputs, result)
        return result, None if after is None else _decode(self._respondent, after, None)


class _Graph(torch.autograd.Function):
    """Connects a call's results with its arguments in autograd's graph."""

    @staticmethod
    def forward(ctx: Any, respondent: Respondent, graph: int, count: int, *tensors: torch.Tensor) -> Any:
        ctx.respondent, ctx.graph, ctx.generation, ctx.count = respondent, graph, respondent.generation, count
        return tuple(tensor.detach().clone() for tensor in tensors[:count])

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        if ctx.generation != ctx.respondent.generation:
            raise StudentError("the process that held this graph was lost")
        _, tree = _ask(ctx.respondent, "backward", ctx.graph, wire.encode(list(gradients)))
        input_gradients = _decode(ctx.respondent, tree, None)
        return (None, None, None, *[None] * ctx.count, *input_gradients)


def _join_graph(respondent: Respondent, graph: int, inputs: list[torch.Tensor], result: Any) -> Any:
    """Return `result` with its differentiable tensors replaced by tensors whose graph leads to `inputs`."""
    outputs = wire.graph_tensors(result)
    if not outputs:
        return result
    detached = [output.detach() for output in outputs]
    connected = iter(_Graph.apply(respondent, graph, len(outputs), *detached, *inputs))  # type: ignore[no-untyped-call]

    def replace(value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return next(connected) if value.requires_grad else value
        if isinstance(value, dict):
            return {key: replace(item) for key, item in value.items()}
        return type(value)(replace(item) for item in value) if isinstance(value, list | tuple) else value

    return replace(result)


def _encode(value: Any) -> Any:
    """Return a tree of arguments for the wire, in which a proxy is a reference; TypeError for an object of the judge's."""

    def refer(item: Any) -> wire.Reference:
        if isinstance(item, RemoteObject):
            return item._reference()
        kind = type(item).__name__
        raise TypeError(
            f"a test cannot pass a {kind} to a student's function: only data, and what the notebook defined"
        )

    return wire.encode(value, refer)


def _decode(respondent: Respondent, tree: Any, name: str | None) -> Any:
    def resolve(reference: wire.Reference) -> RemoteObject:
        kind = RemoteFunction if reference.kind == "function" else RemoteObject
        return kind(respondent, reference, name)

    try:
        return wire.decode(tree, resolve)
    except wire.WireError as error:
        raise StudentError(f"the answer cannot be read: {error}") from None


def _ask(respondent: Respondent, verb: str, *arguments: Any, about: str = "") -> list[Any]:
    try:
        return respondent.request(verb, *arguments, about=about or verb)
    except ChildEnded as error:
        raise StudentError(f"the code {error.why}: {error}") from None
    except RemoteError as error:
        raise _rebuild_error(error) from None


def _rebuild_error(error: RemoteError) -> Exception:
    """Return an exception with the name and the text of the student's; nothing else crosses.

    The text is cut: an exception that quotes its function's arguments would put a hidden test's inputs on the feedback page.
    """
    error.message = error.message[:MAX_ERROR_TEXT]
    builtin = getattr(builtins, error.kind, None)
    if isinstance(builtin, type) and issubclass(builtin, Exception):
        try:
            return builtin(error.message)
        except TypeError:  # UnicodeDecodeError and some others take more than a text
            return Exception(f"{error.kind}: {error.message}")
    name = error.kind if error.kind.isidentifier() else "Error"
    return cast(Exception, type(name[:60], (Exception,), {})(error.message))
