"""What a test cell says: named checks with points, comparisons, and laws that must hold for all inputs.

`Checks` is all that a student's notebook needs, so the notebook carries a copy of it in a locked cell (`build` keeps the
two equal) and runs anywhere. The rest is for hidden tests. Everything here behaves the same whether the function under
test is a student's own (stock nbgrader, one kernel) or a proxy to one in a sandbox (this engine).
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from autograder.checks.comparisons import compared
from autograder.checks.recorded import recall, remember


class Checks:
    """The named checks of one task. `with check("what must hold", 2):` earns 2 points if nothing inside raises."""

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

    def summary(self) -> None:
        """Print what passed, then what did not, each with its reason."""
        broken = [result for result in self.results if not result["passed"]]
        passed = len(self.results) - len(broken)
        print(f"{passed} of {len(self.results)} checks passed." if broken else f"All {passed} checks passed.")
        for result in broken:
            print(f"- {result['name']}: {result['message']}")

    @property
    def score(self) -> float:
        """The points earned, as a plain float: the last line of a test cell, where nbgrader looks for it."""
        worth = sum(result["points"] for result in self.results)
        if abs(worth - self.points) > 1e-9:
            raise ValueError(f"the checks are worth {worth:g} points together, the task {self.points:g}")
        return float(round(sum(result["points"] for result in self.results if result["passed"]), 6))


def as_array(value: Any) -> npt.NDArray[Any]:
    """A tensor, array, list or number as a numpy array, without its graph."""
    return np.asarray(value.detach().cpu().numpy() if hasattr(value, "detach") else value)


def assert_close(got: Any, expected: Any, what: str = "the result", *, rtol: float = 1e-5, atol: float = 1e-6) -> None:
    """Assert that two arrays have one shape and nearly one value; the message names the entry, never what was expected.

    `got` and `expected` may be tensors, arrays, lists or numbers. The tolerances hold for float64: correct answers
    differ by 1e-12 and less among themselves, and float32 stays within 1e-6 of them.
    """
    if got is None:
        raise AssertionError(f"{what} is None: is a `return` missing?")
    mine, wanted = as_array(got), as_array(expected)
    if mine.shape != wanted.shape:
        raise AssertionError(f"{what} has shape {mine.shape}, not {wanted.shape}.")
    if mine.dtype.kind not in "fiub":
        raise AssertionError(f"{what} is of type {mine.dtype}, not numbers.")
    compared(mine, wanted, rtol, atol)
    off = ~np.isclose(mine, wanted, rtol=rtol, atol=atol)
    if off.any():
        index = tuple(int(i) for i in np.argwhere(off)[0])
        where = f"entry {list(index)} of {what}" if index else what
        raise AssertionError(f"{where} is {mine[index]:.6g}, off by more than rounding.")


def assert_reference(name: str, got: Any, what: str = "the result", *, rtol: float = 0.0, atol: float = 1e-4) -> None:
    """Assert that `got` is nearly what the solution returned here, as `autograder build` recorded it under `name`.

    The tolerance is that of a cosine: on one machine and another, with 1 thread and 2, float32 and float64, correct ones
    differ by 3e-7.
    """
    if got is None:
        raise AssertionError(f"{what} is None: is a `return` missing?")
    if not remember(name, as_array(got)):
        assert_close(got, recall(name), what, rtol=rtol, atol=atol)


def is_close(a: Any, b: Any, *, rtol: float = 1e-5, atol: float = 1e-6) -> bool:
    """Whether `assert_close` would be content."""
    try:
        assert_close(a, b, rtol=rtol, atol=atol)
    except AssertionError:
        return False
    return True


def arguments_after(function: Callable[..., Any], *arguments: Any) -> tuple[Any, ...]:
    """What `function` leaves of copies of its arguments: equal to `arguments` where it changed nothing in place."""
    if hasattr(function, "arguments_after"):  # a proxy: the arguments that matter are the copies in the sandbox
        return tuple(function.arguments_after(*arguments))
    copies = copy.deepcopy(arguments)
    function(*copies)
    return copies


def features(seed: int, rows: int, dim: int) -> Any:
    """Signed float64 features (rows, dim) whose row lengths spread over 1.7 decades, so that a missing normalisation
    shows; the same seed gives the same tensor."""
    import torch

    return torch.tensor(_features(seed, rows, dim))  # a copy: a function under test may change it in place


@lru_cache(maxsize=1024)  # the laws draw the same 120 for every submission, and each takes 0.1 ms to make
def _features(seed: int, rows: int, dim: int) -> Any:
    generator = np.random.default_rng(seed)
    directions = generator.standard_normal((rows, dim))
    lengths = 10 ** np.linspace(-0.85, 0.85, rows) if rows > 1 else np.array([7.0])
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return directions * generator.permutation(lengths)[:, None]
