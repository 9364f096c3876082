"""Runs one test cell in this process, and says what it is worth.

A test cell is ordinary Python. Names that it uses and did not define are, in this order: `Checks`, what the instructor's
read-only cells import (resolved here, never taken from the student), builtins, and what the student's notebook holds.
"""

from __future__ import annotations

import ast
import contextlib
import io
import math
import numbers
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from autograder.checks import Checks
from autograder.checks.comparisons import RECORDERS, TEST_CELL, instrument, is_recording
from autograder.checks.laws import draw_begins
from autograder.judge.imports import free_names
from autograder.judge.time_limit import within
from autograder.records.grade import Check
from autograder.records.transcript import Span

SKIP: Any = object()
_Compiled = tuple[types.CodeType, types.CodeType | None, tuple[str, ...]]
# A message repeats what a student's function returned, which may be 64 MB of text. The feedback page shows 1,000 characters
# of one, and what a test of the course prints is at most 3,000 long.
MOST_SAID, MOST_PRINTED = 2_000, 20_000


@dataclass
class Verdict:
    """What a test cell came to. `score` is None where the cell itself is at fault, or ran for too long: then `trouble` says
    how, and a person must look. `checks` are in order, and `spans` say what each of them asked; `printed` is the cell's
    output; `error` what it raised, as one line."""

    score: float | None
    checks: tuple[Check, ...] = ()
    spans: tuple[Span, ...] = ()
    printed: str = ""
    error: str = ""
    trouble: str = ""


class _Watched(Checks):
    """`Checks` that note how many questions had been `asked` before and after each check, and hypothesis's counterexample."""

    def __init__(self, asked: Callable[[], int], points: float) -> None:
        super().__init__(points)
        self.asked = asked
        self.spans: list[Span] = []

    @contextlib.contextmanager
    def __call__(self, name: str, points: float) -> Iterator[None]:
        first, example = self.asked(), ""
        drawn = first

        def begin() -> None:
            nonlocal drawn
            drawn = self.asked()

        before = draw_begins.set(begin)
        with super().__call__(name, points):
            try:
                yield
            except Exception as error:
                example = _example(error)
                raise
            finally:
                draw_begins.reset(before)
                self.spans.append(Span(name, first, self.asked(), example, drawn))


def _example(error: Exception) -> str:
    """The arguments that hypothesis ended with, from its note on the error; `for_all` calls every property `law`."""
    notes = (note.partition("law(") for note in getattr(error, "__notes__", ()))
    return next((" ".join(drawn.rstrip(" )\n,").split()) for _, law, drawn in notes if law), "")


def run(  # noqa: PLR0913, PLR0917  (a test cell needs no more and no less)
    source: str,
    points: float,
    imports: dict[str, Any],
    fetch: Callable[[str], Any],
    asked: Callable[[], int] = lambda: 0,
    seconds: float = 3600,
) -> Verdict:
    """Run a test cell worth `points` for at most `seconds`. `fetch` gives a student's value, or SKIP where there is none; `asked`
    says how many questions have been asked so far."""
    try:
        compiled = _compiled(source, is_recording())
    except SyntaxError as error:
        return Verdict(None, trouble=f"the test cell is not valid Python: {error}")
    verdict = within(seconds, lambda: _run(compiled, points, imports, fetch, asked))
    # Nobody can tell the answer that makes a test endless from the test that is: no points won, none lost.
    return verdict or Verdict(None, trouble=f"the test cell ran for over {seconds:.0f} s")


def _run(
    compiled: _Compiled,
    points: float,
    imports: dict[str, Any],
    fetch: Callable[[str], Any],
    asked: Callable[[], int],
) -> Verdict:
    body, last, names = compiled
    namespace: dict[str, Any] = {"__name__": "__main__", "Checks": partial(_Watched, asked), **RECORDERS, **imports}
    out, value, error_line = io.StringIO(), None, ""
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        try:
            for name in names:
                if name not in namespace and (found := fetch(name)) is not SKIP:
                    namespace[name] = found
            exec(body, namespace)
            value = eval(last, namespace) if last else None
        except Exception as error:
            error_line = _cut(f"{type(error).__name__}: {error}", MOST_SAID)
    made = [value for value in namespace.values() if isinstance(value, Checks)]
    results = (result for check in made for result in check.results)
    checks = tuple(Check(**{**result, "message": _cut(result["message"], MOST_SAID)}) for result in results)
    spans = tuple(span for check in made if isinstance(check, _Watched) for span in check.spans)
    verdict = Verdict(None, checks, spans, _cut(out.getvalue(), MOST_PRINTED), error_line)
    earned = sum(check.points for check in checks if check.passed)
    verdict.score, verdict.trouble = _score(value, points, error_line, earned, bool(made))
    return verdict


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]} [and {len(text) - most:,} characters more]"


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
def _compiled(source: str, measured: bool) -> _Compiled:
    """The cell without its last expression, that expression, and the names to fetch, in order; `measured`, it tells of what it
    compares."""
    tree = instrument(ast.parse(source)) if measured else ast.parse(source)
    last = None
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        last = compile(ast.Expression(tree.body.pop().value), TEST_CELL, "eval")  # type: ignore[attr-defined]
    return compile(tree, TEST_CELL, "exec"), last, free_names(source)
