"""Mutants: copies of the solution with one small mistake each, which a good test cell catches.

Mutation libraries were considered: cosmic-ray and mutmut are maintained, but are test runners with a database or a terminal of
their own and bring 20 packages; mutatest is not maintained. Only one thing is needed here: one cell's text with one node
replaced.
"""

from __future__ import annotations

import ast
import difflib
import hashlib
import random
import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from autograder.proof.audit.replacements import make_changes

# The course's longest solution has 68 mutants, so the course is audited with all of them. Beyond the cap a sample is taken, whose
# seed is the cell's name, so that it is the same every time.
CAP = 80


@dataclass(frozen=True)
class Mutant:
    """An answer cell with one mistake: the kind of mistake, the cell's text with it, and the difference as a unified diff.

    `id` is made from the changed lines, so it stays the same when other lines change.
    """

    cell: str
    kind: str
    source: str
    diff: str
    id: str


def make_mutants(cell: str, source: str, cap: int = CAP) -> list[Mutant]:
    """Make at most `cap` mutants of one answer cell, no two of them equal; [] if its text is not plain Python."""
    try:
        tree = ast.parse(source)
    except SyntaxError:  # a magic
        return []
    original = ast.unparse(tree)
    mutants: dict[str, Mutant] = {}
    for kind, text in _list_distinct(tree, original):
        mutant = _make_mutant(cell, kind, original, text, mutants)
        mutants[mutant.id] = mutant
    sample = set(random.Random(cell).sample(range(len(mutants)), min(cap, len(mutants))))  # noqa: S311  (no secret)
    return [mutant for index, mutant in enumerate(mutants.values()) if index in sample]


def _list_distinct(tree: ast.Module, original: str) -> Iterator[tuple[str, str]]:
    """The changes that compile, and compile to something else than the original and the changes before them."""
    seen = {_fingerprint(original)}
    for kind, text in make_changes(tree):
        try:
            fingerprint = _fingerprint(text)
        except SyntaxError:
            continue
        if fingerprint not in seen:
            seen.add(fingerprint)
            yield kind, text


def _make_mutant(cell: str, kind: str, original: str, text: str, others: dict[str, Mutant]) -> Mutant:
    lines = list(difflib.unified_diff(original.splitlines(), text.splitlines(), "solution", "mutant", lineterm="", n=1))
    body = [line for line in lines[2:] if line.startswith(("-", "+"))]
    digest = hashlib.sha256("\n".join(body).encode()).hexdigest()[:8]
    name = f"{cell.removesuffix('-solution')}-{digest}"
    earlier = sum(other == name or other.startswith(f"{name}-") for other in others)  # the same line in other places
    return Mutant(cell, kind, text + "\n", "\n".join(lines), f"{name}-{earlier + 1}" if earlier else name)


def _fingerprint(text: str) -> tuple[Any, ...]:
    """What Python compiles a text to, without line numbers: equal for mutants that behave the same."""
    return _describe_code(compile(text, "<mutant>", "exec"))


def _describe_code(code: types.CodeType) -> tuple[Any, ...]:
    constants = tuple(
        _describe_code(c) if isinstance(c, types.CodeType) else (type(c).__name__, repr(c)) for c in code.co_consts
    )
    return code.co_code, constants, code.co_names, code.co_varnames, code.co_freevars
