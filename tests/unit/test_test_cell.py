"""The score of one test cell, for everything that it may do."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.judge.imports import free_names, judge_imports, run_imports
from autograder.judge.test_cell import SKIP, Verdict, run
from tests.support.sandboxed import checking_cell, code, notebook

TWO_CHECKS = """
check = Checks(points=3)
with check("holds", 1):
    assert 1 + 1 == 2
with check("does not", 2):
    assert 1 + 1 == 3, "Count again."
"""


def verdict(source: str, points: float = 3, **student: Any) -> Verdict:
    return run(source, points, {}, lambda name: student.get(name, SKIP))


@pytest.mark.parametrize(
    "last", ["1.5", "0", "3", "3.0", "__import__('numpy').float64(1.5)", "__import__('fractions').Fraction(3, 2)"]
)
def test_a_number_at_the_end_is_the_score(last: str) -> None:
    assert verdict(last).score == pytest.approx(eval(last))  # noqa: S307  (text of this file)
    assert verdict(last).trouble == ""


def test_no_value_at_the_end_gives_full_marks() -> None:
    assert verdict("assert True").score == 3
    assert verdict("None").score == 3
    assert verdict("").score == 3


def test_a_law_that_breaks_leaves_its_smallest_counterexample() -> None:
    source = """
from autograder.checks import for_all
from hypothesis import strategies as st
check = Checks(points=3)
with check("holds", 1):
    for_all(n=st.integers(2, 50))(lambda n: None)
with check("does not", 2):
    @for_all(n=st.integers(2, 50), word=st.text())
    def _(n, word):
        assert n < 20, f"{n} is too large."
"""
    result = verdict(source)
    assert [check.message for check in result.checks] == ["", "20 is too large."]
    assert [(span.check, span.example) for span in result.spans] == [("holds", ""), ("does not", "n=20, word=''")]


@given(st.floats().filter(lambda value: not 0 <= value <= 3))
def test_a_number_that_is_not_a_score_needs_a_person(value: float) -> None:
    """nan, infinite, negative or too large: the test cell is faulty, so no student gets 0 for it."""
    result = run("f()", 3, {}, lambda name: lambda: value)
    assert result.score is None
    assert "a number from 0 to 3 is expected" in result.trouble


@pytest.mark.parametrize(
    "last", ["'ok'", "True", "[3]", "__import__('torch').tensor(2.)", "__import__('numpy').bool_(True)", "2j", "print"]
)
def test_a_last_value_that_is_not_a_number_needs_a_person(last: str) -> None:
    result = verdict(last)
    assert result.score is None
    assert "a number from 0 to 3 is expected" in result.trouble


def test_a_test_cell_that_is_not_python_needs_a_person() -> None:
    result = verdict("assert (")
    assert result.score is None
    assert "not valid Python" in result.trouble


def test_checks_without_their_score_at_the_end_need_a_person() -> None:
    """Otherwise a cell without its last line would give everyone full marks."""
    result = verdict(TWO_CHECKS)
    assert result.score is None
    assert "does not end in their score" in result.trouble


def test_checks_give_partial_marks_and_say_what_failed() -> None:
    result = verdict(TWO_CHECKS + "check.finish()")
    assert result.score == 1
    assert [(check.name, check.points, check.passed, check.message) for check in result.checks] == [
        ("holds", 1, True, ""),
        ("does not", 2, False, "Count again."),
    ]


def test_checks_worth_nothing_that_fail_are_no_error_here() -> None:
    """In the notebook they raise, since nbgrader's Validate could not see it otherwise."""
    result = run("check = Checks(0)\nwith check('a', 0): assert False\ncheck.finish()", 0, {}, lambda _: SKIP)
    assert (result.score, result.error, result.trouble) == (0, "", "")
    assert result.printed.startswith("The check failed.")


def test_missing_checks_are_an_error_here() -> None:
    """Only the student's version lacks checks. A test cell must not earn full points by making too few."""
    result = verdict("check = Checks(3)\nwith check('a', 1): pass\ncheck.finish()")
    assert (result.score, result.error) == (1, "ValueError: the checks are worth 1 points together, the task 3")


def test_a_test_that_raises_keeps_what_its_passed_checks_earned() -> None:
    result = verdict(TWO_CHECKS + "raise KeyError('k')")
    assert (result.score, result.error) == (1, "KeyError: 'k'")


def test_a_test_that_exits_raises() -> None:
    """Otherwise SystemExit would reach the command that grades, and end it without a message."""
    result = verdict(TWO_CHECKS + "raise SystemExit(3)")
    assert (result.score, result.error) == (1, "SystemExit: 3")


def test_a_test_that_raises_without_checks_earns_nothing() -> None:
    result = verdict("assert False, 'no'\n3")
    assert (result.score, result.error) == (0, "AssertionError: no")


def test_checks_worth_more_than_the_task_never_earn_more() -> None:
    assert verdict("check = Checks(9)\nwith check('a', 9): pass\nraise ValueError").score == 3


def test_stderr_and_warnings_cost_nothing() -> None:
    """In nbgrader a torch warning costs all points."""
    with pytest.warns(UserWarning, match="careful"):
        result = verdict("import sys, warnings\nprint('tqdm', file=sys.stderr)\nwarnings.warn('careful')\n3")
    assert (result.score, result.printed) == (3, "")


def test_prints_are_recorded_and_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert verdict("print('1 of 2')\n1").printed == "1 of 2\n"
    assert capsys.readouterr().out == ""


def test_a_name_that_the_test_does_not_define_comes_from_the_student() -> None:
    assert verdict("assert f(2) == 4", f=lambda x: x * x).score == 3


def test_a_name_that_nobody_defines_is_a_name_error() -> None:
    assert verdict("f(2)").error == "NameError: name 'f' is not defined"


def test_a_name_that_the_test_defines_never_comes_from_the_student() -> None:
    """Nor are builtins, `Checks`, and what it imports."""
    source = "import math\nfrom os import path as p\ndef g(y): return y\nx = 1\nfor i in [1]: pass\n"
    source += (
        "assert len([j for j in range(3)]) == 3 and g(x) and math and p and i == 1\nCheck = Checks(3)\nCheck.points"
    )
    asked: list[str] = []

    def fetch(name: str) -> Any:
        asked.append(name)
        return SKIP

    assert run(source, 3, {}, fetch).error == ""
    assert asked == []


def test_a_name_that_the_instructor_imports_never_comes_from_the_student() -> None:
    imports = run_imports(
        ["import math\nfrom numpy import allclose", "%matplotlib inline\nimport os", "import no_such_module"],
        {"math", "allclose", "no_such_module"},
    )
    result = run("assert not allclose(1, 2)\nassert math.pi > 3", 3, imports, lambda name: lambda *_: True)
    assert result.score == 3
    assert "no_such_module" not in imports


def test_only_imports_of_the_instructors_cells_are_run() -> None:
    """Other code of a visible cell runs in the sandbox only."""
    assert set(run_imports(["import json\nraise SystemExit\n", "if True:\n    import csv"], {"json", "csv"})) == {
        "json"
    }


def test_a_test_cell_leaves_nothing_for_the_next() -> None:
    verdict("leftover = 1")
    assert verdict("leftover").error.startswith("NameError")


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("f(x)", ("f", "x")),
        ("f = 1\nf", ()),
        ("def g(a, *b, c=d, **e): return a, b, c, e, h", ("d", "h")),
        ("class A(B):\n    z = y\n    def m(self): return z", ("B", "y", "z")),
        ("[i for i in xs if i > n]", ("n", "xs")),
        ("lambda q: q + r", ("r",)),
        ("with check('a', 1) as c: f(c)", ("check", "f")),
        ("def outer():\n    inner = 1\n    def deep(): return inner + far\n    return deep", ("far",)),
        ("def g():\n    global made\n    made = 1\ng()\nmade", ("made",)),
        ("try: pass\nexcept Odd as e: e", ("Odd",)),
        ("print(len(sum))", ()),
        ("x += 1", ()),
        ("f'{name!r:>{width}}'", ("name", "width")),
        ("@wraps\ndef f() -> kind: ...", ("kind", "wraps")),
        ("(walrus := 1) + walrus", ()),
    ],
)
def test_free_names_are_those_that_the_cell_uses_and_does_not_bind(source: str, names: tuple[str, ...]) -> None:
    assert free_names(source) == names


@given(st.lists(st.sampled_from("abcde"), min_size=1, max_size=4), st.sampled_from("abcde"))
def test_a_name_is_free_or_bound_never_both(used: list[str], bound: str) -> None:
    assert free_names(f"{bound} = 1\nprint({', '.join(used)})") == tuple(sorted(set(used) - {bound}))


def test_the_modules_that_test_cells_import_are_found_without_running_them() -> None:
    tests = notebook(checking_cell("import json\nfrom os.path import join"), code("import not_of_a_test"))
    modules = judge_imports(tests)
    assert {"json", "os.path"} <= set(modules)


def test_the_judge_imports_what_its_tests_use_and_no_more() -> None:
    """The first cell imports matplotlib for the student's plots, which would take the judge half a second."""
    first = "import matplotlib.pyplot as plt\nimport os.path, json\nfrom math import pi, e\nfrom string import *"
    tests = notebook(code(first, grade_id="setup", locked=True), checking_cell("os.path.join('a', f'{pi}')"))
    modules = judge_imports(tests)
    assert {"os.path", "math", "string"} <= set(modules)
    assert not {"matplotlib.pyplot", "json"} & set(modules)
    names = set(run_imports([first], {"os", "pi"}))
    assert {"os", "pi"} <= names
    assert not {"plt", "json", "e"} & names


def test_a_float_with_its_own_comparisons_is_not_a_score() -> None:
    liar = type(
        "Liar", (float,), {"__le__": lambda *_: True, "__ge__": lambda *_: True, "__float__": lambda _: math.nan}
    )
    assert run("f()", 3, {"f": lambda: liar(1)}, lambda name: SKIP).score is None


def test_long_messages_and_prints_are_cut() -> None:
    """A function may return 64 MB of text, and messages that repeat it are stored, printed and shown on a page."""
    long = "x" * 3_000_000
    source = "check = Checks(3)\nwith check('a', 3):\n    assert f() == 1, f()\ncheck.finish()"
    result = run(source, 3, {}, lambda name: lambda: long)
    raised = run("print(f())\nraise ValueError(f())", 3, {}, lambda name: lambda: long)
    texts = [result.checks[0].message, result.printed, raised.error, raised.printed]
    assert all(text.startswith("x") or "xxx" in text for text in texts)
    assert max(map(len, texts)) < 21_000


def test_whatever_a_test_prints_or_says_can_be_kept() -> None:
    """Half a surrogate pair is text to Python, and to no file."""
    check = "check = Checks(1)\nwith check('a', 1):\n    raise AssertionError(chr(0xD800))\nprint(chr(0xDC00))\n"
    for source in (f"{check}check.finish()", f"{check}raise ValueError(chr(0xDFFF))"):
        verdict = run(source, 1, {}, lambda name: SKIP)
        text = f"{verdict.printed}{verdict.error}{verdict.checks[0].message}"
        assert "?" in text
        assert text.encode()
