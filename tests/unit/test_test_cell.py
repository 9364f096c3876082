"""What one test cell is worth, whatever it does."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.judge.imports import free_names, instructor_imports, judge_imports
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


def test_nothing_at_the_end_is_full_marks() -> None:
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
    found = verdict(source)
    assert [check.message for check in found.checks] == ["", "20 is too large."]
    assert [(span.check, span.example) for span in found.spans] == [("holds", ""), ("does not", "n=20, word=''")]


@given(st.floats().filter(lambda value: not 0 <= value <= 3))
def test_a_number_that_is_no_score_is_for_a_person(value: float) -> None:
    """nan, infinite, negative or too large: the test cell is at fault, so nobody gets 0 for it."""
    made = run("f()", 3, {}, lambda name: lambda: value)
    assert made.score is None
    assert "a number from 0 to 3 is expected" in made.trouble


@pytest.mark.parametrize(
    "last", ["'ok'", "True", "[3]", "__import__('torch').tensor(2.)", "__import__('numpy').bool_(True)", "2j", "print"]
)
def test_what_is_no_number_is_for_a_person(last: str) -> None:
    made = verdict(last)
    assert made.score is None
    assert "a number from 0 to 3 is expected" in made.trouble


def test_a_test_that_is_not_python_is_for_a_person() -> None:
    made = verdict("assert (")
    assert made.score is None
    assert "not valid Python" in made.trouble


def test_checks_without_their_score_at_the_end_are_for_a_person() -> None:
    """Else a cell that forgot its last line would give full marks to all."""
    made = verdict(TWO_CHECKS)
    assert made.score is None
    assert "does not end in their score" in made.trouble


def test_checks_give_partial_marks_and_say_what_failed() -> None:
    made = verdict(TWO_CHECKS + "check.score")
    assert made.score == 1
    assert [(check.name, check.points, check.passed, check.message) for check in made.checks] == [
        ("holds", 1, True, ""),
        ("does not", 2, False, "Count again."),
    ]


def test_a_test_that_raises_keeps_what_its_passed_checks_earned() -> None:
    made = verdict(TWO_CHECKS + "raise KeyError('k')")
    assert (made.score, made.error) == (1, "KeyError: 'k'")


def test_a_test_that_raises_without_checks_earns_nothing() -> None:
    made = verdict("assert False, 'no'\n3")
    assert (made.score, made.error) == (0, "AssertionError: no")


def test_checks_worth_more_than_the_task_never_earn_more() -> None:
    assert verdict("check = Checks(9)\nwith check('a', 9): pass\nraise ValueError").score == 3


def test_stderr_and_warnings_cost_nothing() -> None:
    """In nbgrader a torch warning costs all points."""
    with pytest.warns(UserWarning, match="careful"):
        made = verdict("import sys, warnings\nprint('tqdm', file=sys.stderr)\nwarnings.warn('careful')\n3")
    assert (made.score, made.printed) == (3, "")


def test_prints_are_kept_and_go_nowhere_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert verdict("print('1 of 2')\n1").printed == "1 of 2\n"
    assert capsys.readouterr().out == ""


def test_a_name_that_the_test_does_not_define_is_the_students() -> None:
    assert verdict("assert f(2) == 4", f=lambda x: x * x).score == 3


def test_a_name_that_nobody_defines_is_a_name_error() -> None:
    assert verdict("f(2)").error == "NameError: name 'f' is not defined"


def test_what_the_test_defines_is_never_asked_of_the_student() -> None:
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


def test_what_the_instructor_imported_is_never_taken_from_the_student() -> None:
    imports = instructor_imports(
        ["import math\nfrom numpy import allclose", "%matplotlib inline\nimport os", "import no_such_module"],
        {"math", "allclose", "no_such_module"},
    )
    made = run("assert not allclose(1, 2)\nassert math.pi > 3", 3, imports, lambda name: lambda *_: True)
    assert made.score == 3
    assert "no_such_module" not in imports


def test_only_imports_of_the_instructors_cells_are_run() -> None:
    """A fixture of a visible cell runs in the sandbox; here it would be one more thing to trust."""
    assert set(
        instructor_imports(["import json\nraise SystemExit\n", "if True:\n    import csv"], {"json", "csv"})
    ) == {"json"}


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


def test_the_modules_of_all_test_cells_are_known_beforehand() -> None:
    tests = notebook(checking_cell("import json\nfrom os.path import join"), code("import not_of_a_test"))
    modules = judge_imports(tests)
    assert {"json", "os.path"} <= set(modules)


def test_the_judge_imports_what_its_tests_use_and_no_more() -> None:
    """The first cell imports matplotlib for the student's plots: half a second for a judge that draws nothing."""
    first = "import matplotlib.pyplot as plt\nimport os.path, json\nfrom math import pi, e\nfrom string import *"
    tests = notebook(code(first, grade_id="setup", locked=True), checking_cell("os.path.join('a', f'{pi}')"))
    modules = judge_imports(tests)
    assert {"os.path", "math", "string"} <= set(modules)
    assert not {"matplotlib.pyplot", "json"} & set(modules)
    assert {"os", "pi"} <= set(made := instructor_imports([first], {"os", "pi"})) and not {"plt", "json", "e"} & set(
        made
    )


def test_a_float_that_compares_as_it_likes_is_no_score() -> None:
    liar = type(
        "Liar", (float,), {"__le__": lambda *_: True, "__ge__": lambda *_: True, "__float__": lambda _: math.nan}
    )
    assert run("f()", 3, {"f": lambda: liar(1)}, lambda name: SKIP).score is None


def test_what_a_result_makes_a_test_say_is_cut() -> None:
    """A function may return 64 MB of text; messages that repeat it are kept, printed and shown on a page."""
    long = "x" * 3_000_000
    source = "check = Checks(3)\nwith check('a', 3):\n    assert f() == 1, f()\ncheck.summary()\ncheck.score"
    made = run(source, 3, {}, lambda name: lambda: long)
    raised = run("print(f())\nraise ValueError(f())", 3, {}, lambda name: lambda: long)
    said = [made.checks[0].message, made.printed, raised.error, raised.printed]
    assert all(text.startswith("x") or "xxx" in text for text in said)
    assert max(map(len, said)) < 21_000
