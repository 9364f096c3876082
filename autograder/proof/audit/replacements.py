"""Small mistakes in a solution's syntax tree: what may stand in the place of each of its nodes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, cast

AXES = {"dim", "axis", "dims"}
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Div, ast.Mod: ast.Mult,
    ast.Pow: ast.Mult, ast.MatMult: ast.Mult,
}  # fmt: skip
COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
ORDERED = (ast.Sub, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.MatMult)


def make_changes(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield the kind and the whole text of every single change, in the order of the tree.

    The tree is changed in place between two of them and is the same again at the end.
    """
    local = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    local |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    for parent, field, index, node in list(_list_places(tree)):
        for kind, other in _replace(parent, node, local):
            _put(parent, field, index, other)
            yield kind, ast.unparse(ast.fix_missing_locations(tree))
            _put(parent, field, index, node)


def _list_places(tree: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    """Every node with its parent and its place there, except error messages and docstrings."""
    for field, value in ast.iter_fields(tree):
        for index, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if not isinstance(node, ast.AST) or isinstance(node, ast.Raise) or _is_text(node):
                continue
            yield tree, field, index, node
            if not _is_axis(node):  # dim=1 of a matrix is dim=-1, so `_replace_value` replaces the axis as a whole
                yield from _list_places(node)


def _is_axis(node: ast.AST) -> bool:
    return isinstance(node, ast.keyword) and node.arg in AXES and ast.unparse(node.value).removeprefix("-").isdigit()


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _put(parent: ast.AST, field: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[index] = node


def _replace(parent: ast.AST, node: ast.AST, local: set[str]) -> Iterator[tuple[str, ast.AST]]:
    """What may stand in a node's place by mistake, with the kind of mistake."""
    yield from _replace_operator(node)
    yield from _drop_branch(node)
    yield from _replace_value(parent, node, local)


def _replace_operator(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    match node:
        case ast.BinOp(left, op, right):
            yield "operator", ast.BinOp(left, OPERATORS.get(type(op), ast.Add)(), right)
            if isinstance(op, ORDERED):
                yield "order", ast.BinOp(right, op, left)
        case ast.AugAssign(target, op, value):
            yield "operator", ast.AugAssign(target, OPERATORS.get(type(op), ast.Add)(), value)
        case ast.Compare(left, [op, *rest], values):
            yield "comparison", ast.Compare(left, [COMPARISONS[type(op)](), *rest], values)
        case ast.BoolOp(op, values):
            yield "operator", ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
        case ast.UnaryOp(ast.USub() | ast.Not(), operand):
            yield "operator", operand


def _drop_branch(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    match node:
        case ast.If(test, body, orelse):
            yield "comparison", ast.If(ast.UnaryOp(ast.Not(), test), body, orelse)
        case ast.IfExp(_, body, orelse):
            yield "dropped", body
            yield "dropped", orelse
        case ast.comprehension(target, iterable, [_, *_], is_async):
            yield "dropped", ast.comprehension(target, iterable, [], is_async)


def _replace_value(parent: ast.AST, node: ast.AST, local: set[str]) -> Iterator[tuple[str, ast.AST]]:
    match node:
        case ast.keyword(name, value) if _is_axis(node):
            other = ast.UnaryOp(ast.USub(), ast.Constant(1)) if _is_zero(value) else ast.Constant(0)
            yield "axis", ast.keyword(name, other)
        case ast.Attribute(value, "T" | "mT"):
            yield "dropped", value
        case ast.Attribute(_, "inf") | ast.Call(ast.Name("float"), [ast.Constant("inf" | "-inf")]):
            yield "constant", ast.Constant(0)  # in a mask or a first maximum, 0 is easily taken for small
        case ast.Call():
            yield from _replace_call(node, local)
        case ast.Constant(value):
            yield from (("constant", ast.Constant(other)) for other in _list_constants(parent, value))


def _is_zero(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value == 0


def _replace_call(node: ast.Call, local: set[str]) -> Iterator[tuple[str, ast.AST]]:
    """Without the call, with its first two arguments exchanged, and without one of its keywords."""
    function, arguments = node.func, node.args
    if arguments and not isinstance(arguments[0], ast.Starred):
        yield "dropped", arguments[0]
    if isinstance(function, ast.Attribute):
        root = cast(ast.AST, function.value)  # `torch.mean(x)` without its call is `x`, not `torch`
        while isinstance(root, ast.Attribute | ast.Subscript):
            root = root.value
        if not isinstance(root, ast.Name) or root.id in local:
            yield "dropped", function.value
    if len(arguments) > 1:
        yield "order", ast.Call(function, [arguments[1], arguments[0], *arguments[2:]], node.keywords)
    for index in range(len(node.keywords)):
        yield "dropped", ast.Call(function, arguments, node.keywords[:index] + node.keywords[index + 1 :])


def _list_constants(parent: ast.AST, value: object) -> list[Any]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1]
    if isinstance(value, float):
        return [value + 1]
    inside = isinstance(parent, ast.JoinedStr | ast.FormattedValue)
    return [value + "x"] if isinstance(value, str) and value and not inside else []
