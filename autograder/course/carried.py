"""Finds the visible tests whose names a later cell reads: the sandbox runs these tests too, as "Restart & Run All" did.

Only such a test runs there, in the release's version, which every student has. To run all of them would call each answer twice
and use the submission's time. What a test prints or raises there changes nothing; a name that it did not bind is not there.
"""

from __future__ import annotations

import ast
import re
import symtable

from autograder.course.bindings import bound_by, bound_names, parse_cell
from autograder.course.notebook import Cell, Notebook, is_test, set_visible_test, source, test_sources


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
            offered |= dict.fromkeys(bound_names(text) - bound, (cell, text))
            continue
        text = source(cell)
        for name in _read(text, set(offered)):
            set_visible_test(*offered[name])
        own = bound_names(text)
        bound |= own
        offered = {name: test for name, test in offered.items() if name not in own}


def _read(text: str, wanted: set[str]) -> set[str]:
    """The `wanted` names that a cell reads before it binds them, or in a function that finds them outside."""
    if not wanted.intersection(re.findall(r"\w+", text)) or (tree := parse_cell(text)) is None:
        return set()
    own, read, earlier = bound_names(text), set[str](), set[str]()
    for statement in tree.body:
        names = _global_names(statement) & wanted - earlier
        is_definition = isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        if hasattr(statement, "body"):  # a loop or block, which nearly always binds a name before it reads it
            names -= bound_by(statement)
        read |= names - own if is_definition else names
        earlier |= bound_by(statement)
    return read


def _global_names(statement: ast.stmt) -> set[str]:
    """The names that a statement reads and does not bind in a scope of its own."""
    names: set[str] = set()
    try:
        tables = [top := symtable.symtable(ast.unparse(statement), "<cell>", "exec")]
    except (SyntaxError, RecursionError, MemoryError):  # `return` at the top, or a sum of thousands of terms
        return names
    while tables:
        table = tables.pop()
        tables += table.get_children()
        symbols = [symbol for symbol in table.get_symbols() if symbol.is_referenced()]
        names |= {symbol.get_name() for symbol in symbols if table is top or symbol.is_global()}
    return names
