"""Lets gradients flow through a student's function: its graph stays in the sandbox, where backward runs too."""

from __future__ import annotations

from collections import deque
from typing import Any

import torch

from autograder.judge.asking import Respondent, StudentError, ask
from autograder.sandbox import wire
from autograder.sandbox.library import NamedTuple


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
        _, tree = ask(ctx.respondent, "backward", ctx.graph, wire.encode(list(gradients)))
        input_gradients = wire.decode(tree)
        return (None, None, None, *[None] * ctx.count, *input_gradients)


def join_graph(respondent: Respondent, graph: int, inputs: list[torch.Tensor], result: Any) -> Any:
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
            copy = value.copy()  # of the same type, an OrderedDict for example
            copy.update((key, replace(item)) for key, item in value.items())
            return copy
        if isinstance(value, NamedTuple):
            return NamedTuple.of(value._fields, map(replace, value))
        return type(value)(map(replace, value)) if isinstance(value, list | tuple | deque) else value

    return replace(result)
