"""Which names a cell uses and binds, and what the instructor's cells import: read from their text, nothing is run but imports."""

from __future__ import annotations

import ast
import builtins
import contextlib
import symtable
from collections.abc import Container, Iterable
from typing import Any

from autograder.course import notebook as nb


def free_names(source: str) -> tuple[str, ...]:
    """The names that a cell uses and neither binds at its top level nor finds among the builtins."""
    top = symtable.symtable(source, "<test cell>", "exec")
    bound = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    used: dict[str, None] = {}
    tables = [top]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        for symbol in table.get_symbols():
            if symbol.is_global() or (table is top and symbol.is_referenced()):
                used[symbol.get_name()] = None
    return tuple(sorted(name for name in used if name not in bound and not hasattr(builtins, name)))


def used(sources: Iterable[str]) -> set[str]:
    """The free names of these cells; none where one is not valid Python, which has no names to use."""
    names: set[str] = set()
    for text in sources:
        with contextlib.suppress(SyntaxError):
            names.update(free_names(text))
    return names


def bound(source: str) -> set[str]:
    """The names that a cell binds at its top level."""
    try:
        nodes = ast.parse(source).body
    except SyntaxError:
        return set()
    names = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
    targets = [node for top in nodes for node in ast.walk(top) if isinstance(node, ast.Name)]
    return names | {node.id for node in targets if isinstance(node.ctx, ast.Store)}


def imported(source: str) -> set[str]:
    """The names that a cell's top-level import statements bind. What the judge cannot import itself is the student's to
    define, and so no data for a test."""
    return {_binds(alias) for statement in _imports(source) for alias in statement.names}


def instructor_imports(sources: Iterable[str], wanted: Container[str]) -> dict[str, Any]:
    """What the top-level import statements of the instructor's cells bind under a `wanted` name. What no test uses is not
    imported: matplotlib, which a first cell imports for the student's plots, would take the judge half a second."""
    namespace: dict[str, Any] = {}
    for statement in _needed(sources, wanted):
        with contextlib.suppress(ImportError):  # then a test that needs it says so
            exec(compile(ast.Module([statement], []), "<imports>", "exec"), namespace)
    namespace.pop("__builtins__", None)
    return namespace


def _needed(sources: Iterable[str], wanted: Container[str]) -> list[ast.Import | ast.ImportFrom]:
    """The top-level import statements of these cells, with those of their names that are wanted."""
    statements = [statement for text in sources for statement in _imports(text)]
    for statement in statements:
        statement.names = [alias for alias in statement.names if _binds(alias) in wanted or alias.name == "*"]
    return [statement for statement in statements if statement.names]


def _imports(source: str) -> list[ast.Import | ast.ImportFrom]:
    """A cell's top-level import statements; none where it has magics: such a cell is for the kernel."""
    try:
        nodes = ast.parse(source).body
    except SyntaxError:
        return []
    return [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]


def _binds(alias: ast.alias) -> str:
    return alias.asname or alias.name.split(".")[0]


def imported_modules(sources: Iterable[str]) -> list[str]:
    """The modules that these cells import, anywhere in them: worth importing once for all workers."""
    found: dict[str, None] = {}
    for text in sources:
        with contextlib.suppress(SyntaxError):
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Import):
                    found.update((alias.name, None) for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module:
                    found[node.module] = None
    return list(found)


def judge_imports(source: nb.Notebook) -> list[str]:
    """The modules that judging this notebook will import: those of its test cells, and what these use of other locked ones."""
    cells = [cell for cell in nb.known_cells(source) if cell["cell_type"] == "code" and not nb.is_answer(cell)]
    tests = [nb.source(cell) for cell in cells if nb.is_test(cell)]
    locked = [nb.source(cell) for cell in cells if not nb.is_test(cell)]
    return imported_modules([*map(ast.unparse, _needed(locked, used(tests))), *tests])


def student_imports(source: nb.Notebook) -> list[str]:
    """The modules that running this notebook's cells will import: those of all cells but the tests, the solution's included."""
    cells = [cell for cell in source["cells"] if cell["cell_type"] == "code" and not nb.is_test(cell)]
    return imported_modules(nb.source(cell) for cell in cells)
