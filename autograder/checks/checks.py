"""The building blocks of a test cell: named checks with points, and assertions that compare arrays.

`Checks` is all that a student's notebook needs. The notebook carries a copy of the class in a locked cell, so that it runs
anywhere; `build` refuses a copy that differs. The rest is for hidden tests. Everything here behaves the same whether the
function under test is the student's own (stock nbgrader, one kernel) or a proxy to one in a sandbox (this engine).
"""

from __future__ import annotations

import contextlib
import copy
import numbers
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from autograder.checks.comparisons import record_comparison
from autograder.checks.recorded import recall, record


class Checks:
    """The named checks of one task. `with check("what must hold", 2):` earns 2 points if nothing inside raises.

    `check.finish()` is the last line of a test cell, and students see it.
    """

    class FailedChecksError(Exception):
        """Some checks failed. IPython shows the text of this exception in place of a traceback."""

        def _render_traceback_(self) -> list[str]:
            return str(self).splitlines()

    def __init__(self, points: float) -> None:
        self.points = points
        self.results: list[dict[str, Any]] = []

    @contextlib.contextmanager
    def __call__(self, name: str, points: float) -> Iterator[None]:
        message = ""
        try:
            yield
        except NotImplementedError:
            message = "Not written yet."
        except AssertionError as error:
            message = str(error) or "This does not hold yet."
        except Exception as error:
            message = f"{type(error).__name__}: {error}"
        self.results.append({"name": name, "points": points, "passed": not message, "message": message})

    def finish(self) -> float | None:
        """End a test cell: print the summary and return the score, or None where checks are missing.

        The student's version lacks the hidden checks, so the points do not add up to the task's. A failed check raises
        `FailedChecksError` there, which nbgrader's Validate reports. Where all checks are there, nbgrader reads the score;
        a failure in a task of 0 points shows only if something raises.
        """
        failed = any(not result["passed"] for result in self.results)
        if failed and (self._lacks_checks or self.points == 0):
            raise self.FailedChecksError(self.summary)
        print(self.summary)
        return None if self._lacks_checks else self.score

    @property
    def summary(self) -> str:
        """What passed, in one line, and a line with the reason for each check that failed."""
        failed = [result for result in self.results if not result["passed"]]
        count, kind = len(self.results), "visible check" if self._lacks_checks else "check"
        if not count:
            return "All checks of this task run after you hand in."
        if failed:
            first = f"The {kind} failed." if count == 1 else f"{count - len(failed)} of {count} {kind}s passed."
            return "\n".join([first, *(f"- {result['name']}: {result['message']}" for result in failed)])
        if self._lacks_checks:
            first = f"The {kind} passed" if count == 1 else f"{count} {kind}s passed"
            return f"{first}; more run after you hand in."
        return f"The {kind} passed." if count == 1 else f"All {count} {kind}s passed."

    @property
    def _lacks_checks(self) -> bool:
        return bool(sum(result["points"] for result in self.results) < self.points - 1e-9)

    @property
    def score(self) -> float:
        """The points earned, as a plain float: nbgrader reads no other number."""
        worth = sum(result["points"] for result in self.results)
        if abs(worth - self.points) > 1e-9:
            raise ValueError(f"the checks are worth {worth:g} points together, the task {self.points:g}")
        return float(round(sum(result["points"] for result in self.results if result["passed"]), 6))


def as_array(value: Any) -> npt.NDArray[Any]:
    """Return a tensor, array, list or number as a numpy array, detached from any autograd graph; exact numbers (Fraction,
    Decimal) become floats."""
    # Asked of the type: a proxy to an object in the sandbox would ask the object.
    array = np.asarray(value.detach().cpu().numpy() if hasattr(type(value), "detach") else value)
    if array.dtype == object and all(isinstance(item, numbers.Real | Decimal) for item in array.flat):
        return array.astype(float)
    return array


def assert_close(got: Any, expected: Any, what: str = "the result", *, rtol: float = 1e-5, atol: float = 1e-6) -> None:
    """Assert that two arrays have the same shape and nearly the same values.

    `got` and `expected` may be tensors, arrays, lists or numbers. The AssertionError names the first entry that differs,
    never the value expected there. The default tolerances suit float64: correct answers differ from each other by at most
    1e-12, and float32 stays within 1e-6 of them.
    """
    if got is None:
        raise AssertionError(f"{what} is None: is a `return` missing?")
    actual, target = as_array(got), as_array(expected)
    if actual.shape != target.shape:
        raise AssertionError(f"{what} has shape {actual.shape}, not {target.shape}.")
    if actual.dtype.kind not in "fiub":
        raise AssertionError(f"{what} is of type {actual.dtype}, not numbers.")
    record_comparison(actual, target, rtol, atol)
    differs = ~np.isclose(actual, target, rtol=rtol, atol=atol)
    if differs.any():
        index = tuple(int(i) for i in np.argwhere(differs)[0])
        where = f"entry {list(index)} of {what}" if index else what
        raise AssertionError(f"{where} is {actual[index]:.6g}, off by more than rounding.")


def assert_reference(name: str, got: Any, what: str = "the result", *, rtol: float = 0.0, atol: float = 1e-4) -> None:
    """Assert that `got` is close to the solution's output, which `autograder build` recorded under `name`.

    The default tolerance suits cosine similarities: between machines, thread counts, float32 and float64, correct ones
    differ by 3e-7. Raises CourseError where nothing is recorded under `name`.
    """
    if got is None:
        raise AssertionError(f"{what} is None: is a `return` missing?")
    if not record(name, as_array(got)):
        assert_close(got, recall(name), what, rtol=rtol, atol=atol)


def is_close(a: Any, b: Any, *, rtol: float = 1e-5, atol: float = 1e-6) -> bool:
    """Whether `assert_close` would pass."""
    try:
        assert_close(a, b, rtol=rtol, atol=atol)
    except AssertionError:
        return False
    return True


def arguments_after(function: Callable[..., Any], *arguments: Any) -> tuple[Any, ...]:
    """Call `function` on copies of the arguments and return the copies: equal to `arguments` if it changed none in place."""
    if hasattr(function, "arguments_after"):  # a proxy: the call changes the copies in the sandbox, not these
        return tuple(function.arguments_after(*arguments))
    copies = copy.deepcopy(arguments)
    function(*copies)
    return copies


def features(seed: int, rows: int, dim: int) -> Any:
    """Return a float64 tensor (rows, dim) of both signs; the same seed gives the same tensor.

    Row lengths span 1.7 decades, so that a missing normalisation shows.
    """
    import torch

    return torch.tensor(_draw_features(seed, rows, dim))  # a copy: a function under test may change it in place


@lru_cache(maxsize=1024)  # laws draw the same 120 for every submission, at 0.1 ms each
def _draw_features(seed: int, rows: int, dim: int) -> Any:
    generator = np.random.default_rng(seed)
    directions = generator.standard_normal((rows, dim))
    lengths = 10 ** np.linspace(-0.85, 0.85, rows) if rows > 1 else np.array([7.0])
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return directions * generator.permutation(lengths)[:, None]
