"""Reads a student's code without running it: the names that a cell binds, and how it differs from another cell."""

from __future__ import annotations

import ast
import re
import symtable

# A cell of more characters is not looked at. Parsing takes 0.5 s and 300 MB for a million characters of short statements; the
# longest answer of the course has 1,200 characters.
MAX_CHARACTERS = 200_000

# Cell magics whose body runs in the student's namespace. Others (%%timeit, %%writefile, %%bash) bind nothing there.
_RUNNING_MAGIC = re.compile(r"\s*%%(time|capture|prun|debug)\b[^\n]*\n")
_LINE_MAGIC = re.compile(r"^(\s*)(?:%time\s+(?=\w)|[%!?].*$)", re.MULTILINE)
_ASSIGNED_MAGIC = re.compile(r"=[ \t]*[%!].*$", re.MULTILINE)


def bound_names(text: str) -> frozenset[str]:
    """Return the names that a code cell binds at its top level; none if it is not valid Python, since it then binds nothing."""
    code = _without_magics(text)
    try:
        top = symtable.symtable(code, "<cell>", "exec") if len(code) <= MAX_CHARACTERS else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    symbols = top.get_symbols() if top else []
    return frozenset(s.get_name() for s in symbols if s.is_assigned() or s.is_imported() or s.is_namespace())


def added_statements(text: str, original: str) -> str:
    """Return the top-level statements of `text` that bind names which `original` does not bind, as they stand there; "" if it
    cannot be read. What else differs is an edited line of the original."""
    known, lines = bound_names(original), text.split("\n")
    try:
        nodes = ast.parse(text).body if len(text) <= MAX_CHARACTERS else []
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    added = []
    for node in nodes:
        decorators = getattr(node, "decorator_list", [])
        first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
        statement = "\n".join(lines[first - 1 : node.end_lineno])
        if bound_names(statement) - known:
            added.append(statement)
    return "\n".join(added)


def normalize(text: str) -> str:
    """Return a cell's text without what editors change by themselves: line ends and blanks before them, empty lines around it."""
    return "\n".join(line.rstrip() for line in text.split("\n")).strip()


def is_same(text: str, original: str) -> bool:
    """Whether two texts are equal but for what editors change."""
    if text == original or len(text) > 4 * len(original) + 1000:  # do not look through megabytes for a short text
        return text == original
    return normalize(text) == normalize(original)


def cut(text: str, block: str) -> tuple[str, str] | None:
    """Return what stands before and after the lines of `block` in `text`; None if they are not in it."""
    inner = normalize(block)
    if not inner or len(text) > MAX_CHARACTERS or inner not in (outer := normalize(text)):
        return None
    before, found, after = f"\n{outer}\n".partition(f"\n{inner}\n")
    return (before.strip("\n"), after.strip("\n")) if found else None


def _without_magics(text: str) -> str:
    text = _RUNNING_MAGIC.sub("", text, count=1) if _RUNNING_MAGIC.match(text) else text
    if "%" not in text and "!" not in text and "?" not in text:
        return text
    try:
        ast.parse(text) if len(text) <= MAX_CHARACTERS else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _LINE_MAGIC.sub(r"\1", _ASSIGNED_MAGIC.sub("= None", text))
    return text
