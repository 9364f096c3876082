"""Laws: properties that must hold for all inputs, tested on inputs that hypothesis draws."""

from __future__ import annotations

import contextlib
import random
import re
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import partial, wraps
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

# hypothesis promises no draws from one version to the next, nor a way to draw without the constants of the code that is loaded
# (`_leave_out_local_constants`). So the version is pinned: here, in pyproject.toml and in constraints.txt.
HYPOTHESIS = "6.170.15"

# The repr of strategies that draw numbers only: there, an equal repr means equal draws. The repr of a `map` or `filter` does not
# say what its function does.
_OF_NUMBERS = re.compile(r"(integers|floats|booleans)\([^()]*\)|sampled_from\(\[[-+.\de, ]*\]\)")
# Called at the start of each draw: `explain` shows what the last draw asked, which is that of the smallest failure.
draw_begins: ContextVar[Callable[[], None]] = ContextVar("draw_begins", default=lambda: None)
_drawn: dict[tuple[object, ...], list[dict[str, Any]]] = {}


def for_all(max_examples: int = 12, **strategies: Any) -> Callable[[Callable[..., None]], None]:
    """Test the decorated property now, on inputs drawn by hypothesis, and raise the exception of the smallest failure.

        @for_all(seed=st.integers(0, 999), n=st.integers(2, 5))
        def _(seed, n): ...

    The draws are the same in every run, so the same submission gets the same grade, here and in stock nbgrader.
    (hypothesis's `derandomize` derives the draws from the property's source, which only stock nbgrader has at hand.) 12 examples
    are enough over a few small integers: a chaff of the course that breaks a law breaks it on nearly every draw.

    Numbers are drawn once for each process, since hypothesis takes 0.4 ms an example. It runs again only to shrink a failure.

    RuntimeError with one line if another version of hypothesis is installed: it would draw other examples.
    """

    def run(law_of_test: Callable[..., None]) -> None:
        _leave_out_local_constants()

        @wraps(law_of_test)
        def law(**values: Any) -> None:
            draw_begins.get()()
            law_of_test(**values)

        law.__name__ = law.__qualname__ = "law"  # the name that `_example` in judge/test_cell.py looks for
        law.__module__ = __name__
        tried = partial(_tried, max_examples, strategies)
        printed = [repr(strategy) for strategy in strategies.values()]
        if all(map(_OF_NUMBERS.fullmatch, printed)):
            _once_drawn(law, tried, (max_examples, *strategies, *printed))
        else:
            tried(law)

    return run


def version_fault() -> str:
    """Why laws cannot draw here what they draw everywhere, in one line; "" where they can. Does not import hypothesis."""
    try:
        return _fault_of(version("hypothesis"))
    except PackageNotFoundError:
        return _fault_of("none")


def _fault_of(installed: str) -> str:
    if installed == HYPOTHESIS:
        return ""
    remedy = f"`pip install hypothesis=={HYPOTHESIS}`"
    return f"laws draw as elsewhere with hypothesis {HYPOTHESIS} only, not with {installed}; {remedy}"


def _leave_out_local_constants() -> None:
    """In one draw of forty hypothesis takes a constant from the code that is loaded and lies outside site-packages: another one
    where this package is installed otherwise, and another after the first submission. There is no setting for it."""
    import hypothesis

    if fault := _fault_of(hypothesis.__version__):
        raise RuntimeError(fault)
    try:
        from hypothesis.internal.conjecture import providers
        from hypothesis.internal.constants_ast import Constants

        if providers._get_local_constants is not Constants:
            providers._get_local_constants = Constants
    except (ImportError, AttributeError) as error:
        raise RuntimeError(
            f"laws cannot draw as elsewhere: {error}; `pip install --force-reinstall hypothesis=={HYPOTHESIS}`"
        ) from None


@contextlib.contextmanager
def _seeded() -> Iterator[None]:
    """The global generators seeded with 0, and put back afterwards: what hypothesis promises for each of its examples."""
    states = random.getstate(), np.random.get_state()
    random.seed(0)
    np.random.seed(0)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])


def _once_drawn(
    law: Callable[..., None], tried: Callable[[Callable[..., None]], None], key: tuple[object, ...]
) -> None:
    """Do as `tried(law)` does, on the draws cached under `key`. A law that fails goes to `tried` once more, to be shrunk."""
    from hypothesis.errors import HypothesisException

    if key not in _drawn:
        draws: list[dict[str, Any]] = []
        tried(lambda **values: draws.append(values))
        _drawn[key] = draws
    try:
        with _seeded():  # hypothesis does so for each example, which here would take as long as the law
            for values in _drawn[key]:
                law(**values)
    except HypothesisException:  # the law calls `assume` or `note`, which work inside hypothesis only
        tried(law)
    except Exception:
        tried(law)
        raise


def _tried(max_examples: int, strategies: dict[str, Any], law: Callable[..., None]) -> None:
    """Let hypothesis draw and test the law; raise the exception of the smallest failure."""
    from hypothesis import HealthCheck, Phase, given, seed, settings

    quiet = settings(
        max_examples=max_examples,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
    )
    seed(0)(quiet(given(**strategies)(law)))()
