"""Reads a student's code without running it: the names that a cell binds, and how it differs from another cell."""

from __future__ import annotations

import ast
import re

# A student's text is parsed in the grader's own process, so it is short and not deeply nested: parsing takes 0.5 s for 1 MB of
# short statements, and twice as long for each bracket that is open. The course's largest cell has 4 KB and five brackets open.
MAX_CHARACTERS, MAX_OPEN = 100_000, 15
_BRACKET = re.compile(r"[(\[{}\])]")
_MAGIC = re.compile(r"^(\s*)%%?\w+(?: -\w+ \d+| -\w+)* *|^(\s*)!.*", re.MULTILINE)
_ASSIGNED_MAGIC = re.compile(r"=[ \t]*[%!].*$", re.MULTILINE)
_DEFINITIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_SCOPES = _DEFINITIONS | ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
# Cell magics whose body is no code of the student's namespace.
_FOREIGN = re.compile(r"\s*%%(?!time\b|capture\b|prun\b|debug\b)")


def parse_cell(text: str) -> ast.Module | None:
    """Parse a cell without its magics; None if it is no Python, or too long or too deeply nested."""
    if len(text) > MAX_CHARACTERS or _FOREIGN.match(text):
        return None
    opened = most = 0
    for bracket in _BRACKET.findall(text):
        opened += 1 if bracket in "([{" else -1
        most = max(most, opened)
    if most > MAX_OPEN:
        return None
    try:
        return ast.parse(_ASSIGNED_MAGIC.sub("= None", _MAGIC.sub(r"\1\2", text)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def bound_names(text: str) -> frozenset[str]:
    """Return the names that a code cell binds at its top level; none if it is not valid Python, since it then binds nothing."""
    tree = parse_cell(text)
    return frozenset().union(*map(bound_by, tree.body)) if tree else frozenset()


def bound_by(statement: ast.stmt) -> set[str]:
    """Return the names that a top-level statement binds, in the blocks within it too."""
    names: set[str] = set()
    todo: list[ast.AST] = [statement]
    while todo:
        node = todo.pop()
        if isinstance(node, _SCOPES):
            names |= {node.name} if isinstance(node, _DEFINITIONS) else set()
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        todo += ast.iter_child_nodes(node)
    return names


def added_statements(text: str, original: str) -> str:
    """Return the top-level statements of `text` that bind names which `original` does not bind, as they stand there; "" if it
    cannot be read. What else differs is an edited line of the original."""
    known, lines, tree = bound_names(original), text.split("\n"), parse_cell(text)
    added = []
    for node in tree.body if tree else []:
        first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))])
        if bound_by(node) - known:
            added.append("\n".join(lines[first - 1 : node.end_lineno]))
    return "\n".join(added)


def normalize(text: str) -> str:
    """Return a cell's text without what editors change by themselves: line ends and blanks before them, empty lines around it."""
    return "\n".join(line.rstrip() for line in text.split("\n")).strip()


def is_same(text: str, original: str) -> bool:
    """Whether two texts are equal but for what editors change."""
    if text == original or len(text) > 4 * len(original) + 1000:  # do not look through megabytes for a short text
        return text == original
    return normalize(text) == normalize(original)


def is_same_code(text: str, original: str) -> bool:
    """Whether two code cells differ in nothing but comments, docstrings and layout."""
    if len(text) > 4 * len(original) + 1000:  # as in `is_same`
        return False
    one, other = parse_cell(text), parse_cell(original)
    try:
        return one is not None and other is not None and _dump(one) == _dump(other)
    except RecursionError:  # a sum of hundreds of terms; a stub has none
        return False


def is_prose(text: str) -> bool:
    """Whether a code cell does nothing, since its text is no Python, a comment or a string, as an answer typed into it is."""
    tree = parse_cell(text)
    return bool(text.strip()) and (tree is None or all(map(_is_string, tree.body)))


def _is_string(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _dump(tree: ast.Module) -> str:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [statement for statement in body if not _is_string(statement)]  # type: ignore[attr-defined]
    return ast.dump(tree)


def cut(text: str, block: str) -> tuple[str, str] | None:
    """Return what stands before and after the lines of `block` in `text`; None if they are not in it."""
    inner = normalize(block)
    if not inner or len(text) > MAX_CHARACTERS or inner not in (outer := normalize(text)):
        return None
    before, found, after = f"\n{outer}\n".partition(f"\n{inner}\n")
    return (before.strip("\n"), after.strip("\n")) if found else None
