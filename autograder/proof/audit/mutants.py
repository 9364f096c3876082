"""Mutants: the solution with one small mistake each, made from its syntax tree. A test that lets one pass tests less than it
seems to.

Mutation libraries were looked at: cosmic-ray and mutmut are kept, but are test runners with a database or a terminal of
their own and bring 20 packages; mutatest is not kept. What is needed here, one cell's text with one node exchanged, is below.
"""

from __future__ import annotations

import ast
import difflib
import hashlib
import random
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

# The course's longest solution gives 68, so the course is audited with all. What is beyond the cap is left out by a sample whose
# seed is the cell's name: the same ones come every time.
CAP = 80
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


@dataclass(frozen=True)
class Mutant:
    """A cell with one mistake: what kind of mistake, the cell's text with it, and the difference as lines. `id` names the
    difference, so it stays the same while the lines around it do."""

    cell: str
    kind: str
    source: str
    diff: str
    id: str


def mutants(cell: str, source: str, cap: int = CAP) -> list[Mutant]:
    """The mutants of one answer cell, at most `cap`; [] for one that is not Python. Equal ones are made once."""
    try:
        tree = ast.parse(source)
    except SyntaxError:  # a magic
        return []
    original = ast.unparse(tree)
    seen = {_fingerprint(original)}
    found: dict[str, Mutant] = {}
    for kind, text in _changed(tree):
        try:
            same = _fingerprint(text)
        except SyntaxError:
            continue
        if same not in seen:
            seen.add(same)
            mutant = _mutant(cell, kind, original, text, found)
            found[mutant.id] = mutant
    made = list(found.values())
    kept = set(random.Random(cell).sample(range(len(made)), min(cap, len(made))))  # noqa: S311  (no secret)
    return [mutant for index, mutant in enumerate(made) if index in kept]


def _mutant(cell: str, kind: str, original: str, text: str, others: dict[str, Mutant]) -> Mutant:
    lines = list(difflib.unified_diff(original.splitlines(), text.splitlines(), "solution", "mutant", lineterm="", n=1))
    body = [line for line in lines[2:] if line.startswith(("-", "+"))]
    digest = hashlib.sha256("\n".join(body).encode()).hexdigest()[:8]
    name = f"{cell.removesuffix('-solution')}-{digest}"
    again = sum(other == name or other.startswith(f"{name}-") for other in others)  # the same line, in two places
    return Mutant(cell, kind, text + "\n", "\n".join(lines), f"{name}-{again + 1}" if again else name)


def _fingerprint(text: str) -> tuple[Any, ...]:
    """What Python makes of a text, without where it stands: equal for mutants that differ in nothing that runs."""
    return _code(compile(text, "<mutant>", "exec"))


def _code(code: types.CodeType) -> tuple[Any, ...]:
    constants = tuple(
        _code(c) if isinstance(c, types.CodeType) else (type(c).__name__, repr(c)) for c in code.co_consts
    )
    return code.co_code, constants, code.co_names, code.co_varnames, code.co_freevars


def _changed(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The kind and the text of every change, in the order of the tree."""
    local = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    local |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    for parent, field, index, node in list(_places(tree)):
        for kind, other in _replacements(parent, node, local):
            _put(parent, field, index, other)
            yield kind, ast.unparse(ast.fix_missing_locations(tree))
            _put(parent, field, index, node)


def _places(tree: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    """Every node with its parent and its place there. Not what an error message says, nor a docstring."""
    for field, value in ast.iter_fields(tree):
        for index, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if not isinstance(node, ast.AST) or isinstance(node, ast.Raise) or _is_text(node):
                continue
            yield tree, field, index, node
            if not _is_axis(node):  # of a matrix, dim=1 is dim=-1: the axis is exchanged as a whole
                yield from _places(node)


def _is_axis(node: ast.AST) -> bool:
    return isinstance(node, ast.keyword) and node.arg in AXES and ast.unparse(node.value).removeprefix("-").isdigit()


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _put(parent: ast.AST, field: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[index] = node


def _replacements(parent: ast.AST, node: ast.AST, local: set[str]) -> Iterator[tuple[str, ast.AST]]:
    """What may stand in a node's place by mistake."""
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
        case ast.If(test, body, orelse):
            yield "comparison", ast.If(ast.UnaryOp(ast.Not(), test), body, orelse)
        case ast.IfExp(_, body, orelse):
            yield "dropped", body
            yield "dropped", orelse
        case ast.comprehension(target, iterable, [_, *_], is_async):
            yield "dropped", ast.comprehension(target, iterable, [], is_async)
        case ast.keyword(name, value) if _is_axis(node):
            yield (
                "axis",
                ast.keyword(name, ast.UnaryOp(ast.USub(), ast.Constant(1)) if _is_zero(value) else ast.Constant(0)),
            )
        case ast.Attribute(value, "T" | "mT"):
            yield "dropped", value
        case ast.Attribute(_, "inf") | ast.Call(ast.Name("float"), [ast.Constant("inf" | "-inf")]):
            yield "constant", ast.Constant(0)  # a mask, a first maximum: 0 is what one thinks is small
        case ast.Call():
            yield from _call(node, local)
        case ast.Constant(value):
            yield from (("constant", ast.Constant(other)) for other in _constants(parent, value))


def _is_zero(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value == 0


def _call(node: ast.Call, local: set[str]) -> Iterator[tuple[str, ast.AST]]:
    """Without the call; with its first arguments exchanged; without one of its keywords."""
    function, arguments = node.func, node.args
    if arguments and not isinstance(arguments[0], ast.Starred):
        yield "dropped", arguments[0]
    if isinstance(function, ast.Attribute):
        root = cast(ast.AST, function.value)  # `torch.mean(x)` without its call is `x`, never `torch`
        while isinstance(root, ast.Attribute | ast.Subscript):
            root = root.value
        if not isinstance(root, ast.Name) or root.id in local:
            yield "dropped", function.value
    if len(arguments) > 1:
        yield "order", ast.Call(function, [arguments[1], arguments[0], *arguments[2:]], node.keywords)
    for index in range(len(node.keywords)):
        yield "dropped", ast.Call(function, arguments, node.keywords[:index] + node.keywords[index + 1 :])


def _constants(parent: ast.AST, value: object) -> list[Any]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1]
    if isinstance(value, float):
        return [value + 1]
    inside = isinstance(parent, ast.JoinedStr | ast.FormattedValue)
    return [value + "x"] if isinstance(value, str) and value and not inside else []
