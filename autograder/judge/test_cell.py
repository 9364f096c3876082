"""Runs one test cell in this process and scores it.

A test cell is ordinary Python. A name that it uses and does not define is looked up in this order: `Checks`, imports of the
instructor's read-only cells (imported here, never taken from the student), builtins, and the student's notebook.
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
from autograder.judge.time_limit import run_within
from autograder.records.grade import Check
from autograder.records.transcript import Span

SKIP: Any = object()
_Code = tuple[types.CodeType, types.CodeType | None, tuple[str, ...]]
# In characters. A message may repeat a result of 64 MB. The feedback page shows 1,000 characters of a message, and a test cell of
# the course prints at most 3,000.
MAX_MESSAGE, MAX_PRINTED = 2_000, 20_000


@dataclass
class Verdict:
    """The result of a test cell.

    `score` is in points, or None if the cell itself is faulty or ran for too long: then `trouble` gives the reason, and a person
    must grade it. `checks` are in order, and `spans` hold the questions of each; `printed` is the cell's output, and `error` its
    exception as one line.
    """

    score: float | None
    checks: tuple[Check, ...] = ()
    spans: tuple[Span, ...] = ()
    printed: str = ""
    error: str = ""
    trouble: str = ""


class _TrackedChecks(Checks):
    """`Checks` that record the questions of each check, as counted by `count_questions`, and hypothesis's counterexample."""

    def __init__(self, count_questions: Callable[[], int], points: float) -> None:
        super().__init__(points)
        self.count_questions = count_questions
        self.spans: list[Span] = []

    @contextlib.contextmanager
    def __call__(self, name: str, points: float) -> Iterator[None]:
        first, example = self.count_questions(), ""
        drawn = first

        def begin() -> None:
            nonlocal drawn
            drawn = self.count_questions()

        token = draw_begins.set(begin)
        with super().__call__(name, points):
            try:
                yield
            except Exception as error:
                example = _counterexample(error)
                raise
            finally:
                draw_begins.reset(token)
                self.spans.append(Span(name, first, self.count_questions(), example, drawn))

    def finish(self) -> float:
        """Print the summary and return the score: here no check is missing, unless the test cell is faulty (ValueError)."""
        score = self.score
        print(self.summary)
        return score


def _counterexample(error: Exception) -> str:
    """Return hypothesis's smallest arguments, from its note on the error; `for_all` names every property `law`."""
    notes = (note.partition("law(") for note in getattr(error, "__notes__", ()))
    return next((" ".join(arguments.rstrip(" )\n,").split()) for _, law, arguments in notes if law), "")


def run(  # noqa: PLR0913, PLR0917  (a test cell needs no more and no less)
    source: str,
    points: float,
    imports: dict[str, Any],
    fetch: Callable[[str], Any],
    count_questions: Callable[[], int] = lambda: 0,
    seconds: float = 3600,
) -> Verdict:
    """Run a test cell worth `points` for at most `seconds`.

    `fetch` returns a student's value by its name, or SKIP if there is none. `count_questions` returns the number of questions
    so far.
    """
    try:
        code = _compile(source, is_recording())
    except SyntaxError as error:
        return Verdict(None, trouble=f"the test cell is not valid Python: {error}")
    verdict = run_within(seconds, lambda: _run(code, points, imports, fetch, count_questions))
    # The answer or the test itself may be the cause, so a person decides.
    return verdict or Verdict(None, trouble=f"the test cell ran for over {seconds:.0f} s")


def _run(
    code: _Code,
    points: float,
    imports: dict[str, Any],
    fetch: Callable[[str], Any],
    count_questions: Callable[[], int],
) -> Verdict:
    body, last, names = code
    namespace: dict[str, Any] = {
        "__name__": "__main__",
        "Checks": partial(_TrackedChecks, count_questions),
        **RECORDERS,
        **imports,
    }
    out, value, error_line = io.StringIO(), None, ""
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        try:
            for name in names:
                if name not in namespace and (student_value := fetch(name)) is not SKIP:
                    namespace[name] = student_value
            exec(body, namespace)
            value = eval(last, namespace) if last else None
        except (Exception, SystemExit) as error:  # an exit of the test cell must not become one of the command
            error_line = _cut(f"{type(error).__name__}: {error}", MAX_MESSAGE)
    groups = [value for value in namespace.values() if isinstance(value, Checks)]
    results = (result for group in groups for result in group.results)
    checks = tuple(Check(**{**result, "message": _cut(result["message"], MAX_MESSAGE)}) for result in results)
    spans = tuple(span for group in groups if isinstance(group, _TrackedChecks) for span in group.spans)
    verdict = Verdict(None, checks, spans, _cut(out.getvalue(), MAX_PRINTED), error_line)
    earned = sum(check.points for check in checks if check.passed)
    verdict.score, verdict.trouble = _score(value, points, error_line, earned, bool(groups))
    return verdict


def _cut(text: str, most: int) -> str:
    """The text in at most so many characters, all of them ones that a file can hold: half a surrogate pair cannot be kept."""
    cut = text if len(text) <= most else f"{text[:most]} [and {len(text) - most:,} characters more]"
    return cut.encode(errors="replace").decode()


def _score(value: Any, points: float, error: str, earned: float, has_checks: bool) -> tuple[float | None, str]:
    if error:
        return min(float(earned), points), ""
    if value is None:
        return (None, "the test cell makes checks but does not end in their score") if has_checks else (points, "")
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return None, f"the test cell ends in a {type(value).__name__}; a number from 0 to {points:g} is expected"
    number = float(value)
    if not math.isfinite(number) or not 0 <= number <= points:
        return None, f"the test cell ends in {number:g}; a number from 0 to {points:g} is expected"
    return number, ""


@lru_cache(maxsize=256)
def _compile(source: str, is_measured: bool) -> _Code:
    """Compile the cell without its last expression, and that expression; return both and the names to fetch, in order. If
    `is_measured`, the cell records what it compares."""
    tree = instrument(ast.parse(source)) if is_measured else ast.parse(source)
    last = None
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        last = compile(ast.Expression(tree.body.pop().value), TEST_CELL, "eval")  # type: ignore[attr-defined]
    return compile(tree, TEST_CELL, "exec"), last, free_names(source)
