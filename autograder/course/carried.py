"""Finds the visible tests whose names a later cell reads: the sandbox runs these tests too, as "Restart & Run All" did.

Only such a test runs there, in the release's version, which every student has. To run all of them would call each answer twice
and use the submission's time. What a test prints or raises there changes nothing; a name that it did not bind is not there.
"""

from __future__ import annotations

import ast
import re
import symtable

from autograder.course.notebook import Cell, Notebook, is_test, set_visible_test, source, test_sources

# A student's text is parsed in the grader's own process, so it is short and not deeply nested; otherwise it reads no name. The
# course's largest cell has 4 KB and five brackets open.
MAX_CHARACTERS, MAX_OPEN = 20_000, 15


def mark_carried(cells: list[Cell], release: Notebook) -> None:
    """Mark in `cells`, a laid notebook's, the test cells that only bind names which a later cell reads."""
    visible = test_sources(release)
    offered: dict[str, tuple[Cell, str]] = {}  # by name, the last test that binds it, if no other cell does
    bound: set[str] = set()
    for cell in cells:
        if cell["cell_type"] != "code":
            continue
        if is_test(cell):
            text = visible[str(cell["metadata"]["nbgrader"]["grade_id"])]
            offered |= dict.fromkeys(_bound(text) - bound, (cell, text))
            continue
        text = source(cell)
        for name in _read(text, set(offered)):
            set_visible_test(*offered[name])
        own = _bound(text) if offered or text else set()
        bound |= own
        offered = {name: test for name, test in offered.items() if name not in own}


def _parse(text: str) -> ast.Module | None:
    """Parse a cell without its magics; None if it is no Python, or too long or too deeply nested."""
    text = re.sub(r"^(\s*)%%?\w+(?: -\w+ \d+| -\w+)* *|^(\s*)!.*", r"\1\2", text, flags=re.MULTILINE)
    opened = most = 0
    for bracket in re.findall(r"[(\[{}\])]", text[: MAX_CHARACTERS + 1]):
        opened += 1 if bracket in "([{" else -1
        most = max(most, opened)
    if len(text) > MAX_CHARACTERS or most > MAX_OPEN:
        return None
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _stored(node: ast.AST) -> set[str]:
    """The names that a top-level statement binds."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name.split(".")[0] for alias in node.names}
    inner = list(ast.walk(node))
    names = {part.id for part in inner if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
    return names.union(*(_stored(part) for part in inner if part is not node and hasattr(part, "body")))


def _bound(text: str) -> set[str]:
    tree = _parse(text)
    return set().union(*map(_stored, tree.body)) if tree else set()


def _read(text: str, wanted: set[str]) -> set[str]:
    """The `wanted` names that a cell reads before it binds them, or in a function that finds them outside."""
    if not wanted.intersection(re.findall(r"\w+", text)) or (tree := _parse(text)) is None:
        return set()
    own, read, earlier = _bound(text), set[str](), set[str]()
    for statement in tree.body:
        names = _global_names(ast.unparse(statement)) & wanted - earlier
        is_definition = isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        if hasattr(statement, "body"):  # a loop or block, which nearly always binds a name before it reads it
            names -= _stored(statement)
        read |= names - own if is_definition else names
        earlier |= _stored(statement)
    return read


def _global_names(text: str) -> set[str]:
    """The names that a statement reads and does not bind in a scope of its own."""
    names: set[str] = set()
    tables = [top := symtable.symtable(text, "<cell>", "exec")]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        symbols = [symbol for symbol in table.get_symbols() if symbol.is_referenced()]
        names |= {symbol.get_name() for symbol in symbols if table is top or symbol.is_global()}
    return names
