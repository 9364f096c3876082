"""Laws run on the same inputs every time; numbers are drawn once, and a failure is shrunk to the smallest."""

from __future__ import annotations

import importlib
import json
import random
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import assume, event
from hypothesis import strategies as st

from autograder.checks import laws
from autograder.checks.laws import for_all
from autograder.cli import main
from tests.support import tiny
from tests.support.classroom import ROOT

NUMBERS = {"x": st.integers(0, 10**6), "y": st.floats(-1, 1), "of": st.sampled_from([3, -0.5]), "sign": st.booleans()}


@pytest.fixture(autouse=True)
def empty_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(laws, "_drawn", {})


def draw(examples: int, **strategies: Any) -> list[Any]:
    """Return the inputs that a law runs on."""
    seen: list[Any] = []

    @for_all(examples, **strategies)
    def _(**values: Any) -> None:
        seen.append(values)

    return seen


def draw_without_cache(examples: int, **strategies: Any) -> list[Any]:
    seen: list[Any] = []
    laws._tried(examples, strategies, lambda **values: seen.append(values))
    return seen


@pytest.mark.parametrize("examples", [8, 100])
def test_a_law_runs_on_hypothesis_draws_the_same_every_time(examples: int) -> None:
    first = draw(examples, **NUMBERS)
    assert len(first) == examples
    assert first == draw(examples, **NUMBERS) == draw_without_cache(examples, **NUMBERS)


def test_numbers_are_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    before = draw(8, **NUMBERS)
    monkeypatch.setattr(laws, "_tried", pytest.fail)
    assert draw(8, **NUMBERS) == before


@pytest.mark.parametrize(
    "strategy",
    [
        lambda n: st.integers(0, 9).map(lambda x: x + n),
        lambda n: st.integers(0, 9).filter(lambda x: x != n),
        lambda n: st.sampled_from([[n]]).map(len),
        lambda n: st.builds(list),
        lambda n: st.data(),
    ],
    ids=["map", "filter", "of a list", "builds", "data"],
)
def test_strategies_whose_repr_does_not_decide_their_draws_are_not_cached(strategy: Any) -> None:
    draw(8, x=strategy(1))
    assert not laws._drawn


def test_laws_with_different_strategies_share_no_draws() -> None:
    strategies: list[dict[str, Any]] = [
        {"x": st.integers(0, 9)},
        {"x": st.integers(0, 8)},
        {"y": st.integers(0, 9)},
        {"x": st.floats(0, 9)},
        {"x": st.sampled_from([0, 9])},
        {"x": st.sampled_from([9, 0])},
        {"x": st.integers(0, 9), "y": st.integers(0, 8)},
        {"x": st.integers(0, 8), "y": st.integers(0, 9)},
    ]
    for one in strategies:
        assert draw(8, **one) == draw_without_cache(8, **one)
    assert draw(9, **strategies[0]) == draw_without_cache(9, **strategies[0])


def test_a_law_runs_on_the_same_inputs_whatever_code_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """hypothesis takes constants from loaded code outside site-packages."""
    before = draw(200, **NUMBERS)
    (tmp_path / "somebodys_code.py").write_text(f"NUMBERS = {[123_000 + n for n in range(50)]}")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("somebodys_code")
    laws._drawn.clear()
    assert draw(200, **NUMBERS) == before


def test_global_generators_are_seeded_the_same_in_every_law() -> None:
    def draw_globals() -> list[float]:
        seen: list[float] = []

        @for_all(3, n=st.integers(0, 9))
        def _(n: int) -> None:
            seen.extend((random.random(), float(np.random.rand())))

        return seen

    before = draw_globals()
    random.seed(5)
    np.random.seed(5)
    assert draw_globals() == before


@pytest.mark.parametrize("strategy", [st.integers(0, 1000), st.integers(0, 1000).map(int)], ids=["once", "anew"])
def test_a_broken_law_raises_its_own_assertion_for_the_smallest_input(strategy: Any) -> None:
    for _ in range(2):
        with pytest.raises(AssertionError) as caught:

            @for_all(50, x=strategy)
            def _(x: int) -> None:
                if x >= 10:
                    raise AssertionError(f"{x} is too large")

        assert str(caught.value) == "10 is too large"
        assert "x=10" in "".join(caught.value.__notes__)


def test_a_law_that_fails_once_has_failed() -> None:
    """A function that passes only when it is called again is wrong."""
    calls: list[int] = []
    with pytest.raises(AssertionError, match="only the first time"):

        @for_all(5, x=st.integers(0, 9))
        def _(x: int) -> None:
            calls.append(x)
            assert len(calls) > 1, "only the first time"


def test_a_law_may_assume_and_note() -> None:
    for _ in range(2):
        seen: list[int] = []

        @for_all(20, x=st.integers(0, 9))
        def _(x: int) -> None:
            event("seen")
            assume(x % 2)
            seen.append(x)  # noqa: B023  it is called here and now

        assert len(seen) == 20 or len(set(seen)) == 5


def test_a_law_with_an_impossible_strategy_says_so() -> None:
    with pytest.raises(Exception, match="min_value"):
        draw(3, x=st.integers(5, 2))


def test_laws_draw_alike_where_the_package_is_installed_and_where_it_is_developed(tmp_path: Path) -> None:
    """hypothesis takes code in site-packages for no code of yours: there it has fewer constants to draw."""
    installed = tmp_path / "site-packages"
    for name in ("__init__.py", "errors.py"):
        (installed / "autograder").mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "autograder" / name, installed / "autograder")
    shutil.copytree(ROOT / "autograder" / "checks", installed / "autograder" / "checks")
    program = """
import json, autograder
from hypothesis import strategies as st
from autograder.checks import for_all
seen = []
for strategy in (st.integers(0, 10**6), st.floats(-1000, 1000), st.text()):
    for_all(300, x=strategy)(lambda x: seen.append(x))
print(json.dumps([autograder.__file__, seen]))
"""
    draws = {}
    for place in (installed, ROOT):
        environment = {"PYTHONPATH": str(place), "PATH": "/usr/bin:/bin"}
        done = subprocess.run(
            [sys.executable, "-P", "-c", program],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        file, draws[place] = json.loads(done.stdout)
        assert Path(file).is_relative_to(place)
    assert len(draws[ROOT]) == 900
    assert draws[installed] == draws[ROOT]


def test_the_version_is_pinned_wherever_one_is_named() -> None:
    requirements = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    constraints = (ROOT / "constraints.txt").read_text().splitlines()
    pin = f"hypothesis=={laws.HYPOTHESIS}"
    assert pin in requirements
    assert pin in constraints
    assert not laws.version_fault()


def other_version(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(laws, "HYPOTHESIS", "6.1.0")
    return f"laws draw as elsewhere with hypothesis 6.1.0 only, not with {hypothesis.__version__}; "


def other_names(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.delattr(hypothesis.internal.conjecture.providers, "_get_local_constants")
    return "laws cannot draw as elsewhere: "


@pytest.mark.parametrize("change", [other_version, other_names])
def test_another_hypothesis_is_told_in_one_line_and_draws_nothing(change: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a law, also one that was drawn before, and by the doctor."""
    draw(3, **NUMBERS)
    line = change(monkeypatch)
    with pytest.raises(RuntimeError, match=re.escape(line)) as refusal:
        draw(3, **NUMBERS)
    assert "\n" not in str(refusal.value)
    done = CliRunner().invoke(main, ["doctor", "--json"])
    ill = [finding for finding in map(json.loads, done.stdout.splitlines()) if not finding["well"]]
    assert done.exit_code == 3
    assert [(finding["name"], finding["detail"]) for finding in ill] == [("hypothesis", str(refusal.value))]


@pytest.mark.parametrize("command", ["grade", "build", "audit"])
def test_with_another_hypothesis_nothing_is_graded(
    command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    course = tiny.write_course(tmp_path / "course")
    tiny.release(course, tmp_path / "scratch")
    line = other_version(monkeypatch)
    done = CliRunner().invoke(main, [command, tiny.NAME, "--course", str(course.root)])
    assert done.exit_code == 2
    assert done.stderr.startswith(f"autograder: {line}")
    assert done.stderr.count("\n") == 1


def test_global_generators_are_put_back() -> None:
    random.seed(5)
    np.random.seed(5)
    expected = random.getstate(), np.random.random()
    np.random.seed(5)
    for _ in range(2):
        draw(3, **NUMBERS)
    assert (random.getstate(), np.random.random()) == expected
