"""Runs one test cell in this process, and says what it is worth.

A test cell is ordinary Python. Names that it uses and did not define are, in this order: `Checks`, what the instructor's
cells import (resolved here, never taken from the student), builtins, and what the student's notebook holds.
"""

from __future__ import annotations

import ast
import contextlib
import io
import math
import numbers
import types
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from autograder.checks import Checks
from autograder.grade import Check
from autograder.judge.imports import free_names

SKIP: Any = object()


@dataclass
class Verdict:
    """What a test cell came to. `score` is None where the cell itself is at fault: then `trouble` says how, and a person
    must look. `checks` are in order; `printed` is its output; `error` what it raised, as one line."""

    score: float | None
    checks: tuple[Check, ...] = ()
    printed: str = ""
    error: str = ""
    trouble: str = ""


def run(source: str, points: float, imports: dict[str, Any], fetch: Callable[[str], Any]) -> Verdict:
    """Run a test cell worth `points`. `fetch` gives a student's value, or SKIP where there is none."""
    try:
        body, last, names = _compiled(source)
    except SyntaxError as error:
        return Verdict(None, trouble=f"the test cell is not valid Python: {error}")
    namespace: dict[str, Any] = {"__name__": "__main__", "Checks": Checks, **imports}
    out, value, error_line = io.StringIO(), None, ""
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        try:
            for name in names:
                if name not in namespace and (found := fetch(name)) is not SKIP:
                    namespace[name] = found
            exec(body, namespace)
            value = eval(last, namespace) if last else None
        except Exception as error:
            error_line = f"{type(error).__name__}: {error}"
    made = [value for value in namespace.values() if isinstance(value, Checks)]
    checks = tuple(Check(**result) for check in made for result in check.results)
    verdict = Verdict(None, checks, out.getvalue(), error_line)
    earned = sum(check.points for check in checks if check.passed)
    verdict.score, verdict.trouble = _score(value, points, error_line, earned, bool(made))
    return verdict


def _score(value: Any, points: float, error: str, earned: float, has_checks: bool) -> tuple[float | None, str]:
    if error:
        return min(float(earned), points), ""
    if value is None:
        return (points, "") if not has_checks else (None, "the test cell makes checks but does not end in their score")
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return None, f"the test cell ends in a {type(value).__name__}; a number from 0 to {points:g} is expected"
    number = float(value)
    if not math.isfinite(number) or not 0 <= number <= points:
        return None, f"the test cell ends in {number:g}; a number from 0 to {points:g} is expected"
    return number, ""


@lru_cache(maxsize=256)
def _compiled(source: str) -> tuple[types.CodeType, types.CodeType | None, tuple[str, ...]]:
    """The cell without its last expression, that expression, and the names to fetch, in order."""
    tree = ast.parse(source)
    last = None
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        last = compile(ast.Expression(tree.body.pop().value), "<test cell>", "eval")  # type: ignore[attr-defined]
    return compile(tree, "<test cell>", "exec"), last, free_names(source)
