"""Finds the names that a cell uses and binds, and what it imports; runs import statements only."""

from __future__ import annotations

import ast
import builtins
import contextlib
import symtable
from collections.abc import Container, Iterable
from typing import Any

from autograder.course import notebook as nb


def free_names(source: str) -> tuple[str, ...]:
    """Return the names that a cell uses, does not bind at its top level, and that are no builtins; SyntaxError if it is not
    valid Python."""
    top = symtable.symtable(source, "<test cell>", "exec")
    bound = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    names: set[str] = set()
    tables = [top]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        for symbol in table.get_symbols():
            if symbol.is_global() or (table is top and symbol.is_referenced()):
                names.add(symbol.get_name())
    return tuple(sorted(name for name in names - bound if not hasattr(builtins, name)))


def used_names(sources: Iterable[str]) -> set[str]:
    """Return the free names of these cells; a cell that is not valid Python has none."""
    names: set[str] = set()
    for text in sources:
        with contextlib.suppress(SyntaxError):
            names.update(free_names(text))
    return names


def bound_names(source: str) -> set[str]:
    """Return the names that a cell binds at its top level by definitions and assignments."""
    try:
        nodes = ast.parse(source).body
    except SyntaxError:
        return set()
    names = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
    targets = [node for top in nodes for node in ast.walk(top) if isinstance(node, ast.Name)]
    return names | {node.id for node in targets if isinstance(node.ctx, ast.Store)}


def imported_names(source: str) -> set[str]:
    """Return the names that a cell's top-level import statements bind.

    A student could define those that the judge cannot import, so a test does not accept data under such a name.
    """
    return {_bound_name(alias) for statement in _import_statements(source) for alias in statement.names}


def run_imports(sources: Iterable[str], wanted: Container[str]) -> dict[str, Any]:
    """Run those of the cells' top-level imports that bind a `wanted` name; return what they bind.

    Names that no test uses are not imported: matplotlib, which a first cell imports for the student's plots, would take the
    judge half a second.
    """
    namespace: dict[str, Any] = {}
    for statement in _wanted_imports(sources, wanted):
        with contextlib.suppress(ImportError):  # a test that needs the name fails and says so
            exec(compile(ast.Module([statement], []), "<imports>", "exec"), namespace)
    namespace.pop("__builtins__", None)
    return namespace


def _wanted_imports(sources: Iterable[str], wanted: Container[str]) -> list[ast.Import | ast.ImportFrom]:
    """Return the top-level import statements of these cells, reduced to the names that are wanted."""
    statements = [statement for text in sources for statement in _import_statements(text)]
    for statement in statements:
        statement.names = [alias for alias in statement.names if _bound_name(alias) in wanted or alias.name == "*"]
    return [statement for statement in statements if statement.names]


def _import_statements(source: str) -> list[ast.Import | ast.ImportFrom]:
    """Return a cell's top-level import statements; a cell with magics, which only a kernel can run, has none."""
    try:
        nodes = ast.parse(source).body
    except SyntaxError:
        return []
    return [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]


def _bound_name(alias: ast.alias) -> str:
    return alias.asname or alias.name.split(".")[0]


def imported_modules(sources: Iterable[str]) -> list[str]:
    """Return the modules that these cells import, at any level, in the order in which they occur."""
    modules: dict[str, None] = {}
    for text in sources:
        with contextlib.suppress(SyntaxError):
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Import):
                    modules.update((alias.name, None) for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module:
                    modules[node.module] = None
    return list(modules)


def judge_imports(source: nb.Notebook) -> list[str]:
    """Return the modules that judging this notebook imports: those of its test cells, and those that test cells use from its
    other read-only cells."""
    cells = [cell for cell in nb.known_cells(source) if cell["cell_type"] == "code" and not nb.is_answer(cell)]
    tests = [nb.source(cell) for cell in cells if nb.is_test(cell)]
    read_only = [nb.source(cell) for cell in cells if not nb.is_test(cell)]
    return imported_modules([*map(ast.unparse, _wanted_imports(read_only, used_names(tests))), *tests])


def student_imports(source: nb.Notebook) -> list[str]:
    """Return the modules that the cells of this notebook import, solutions included and test cells excluded."""
    cells = [cell for cell in source["cells"] if cell["cell_type"] == "code" and not nb.is_test(cell)]
    return imported_modules(nb.source(cell) for cell in cells)
