"""Mutants of a solution: each has one small mistake, no two are equal, and they are the same every time."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.proof.audit.mutants import Mutant, make_mutants

SOLUTION = '''def mean_row(matrix, scale=2):
    """The mean of each row."""
    ### BEGIN SOLUTION
    if matrix is None:
        raise ValueError("no matrix " + "given")
    return scale * matrix.T.mean(dim=0) - matrix.sum(1, keepdim=True)
    ### END SOLUTION
'''


def changed(mutant: Mutant) -> str:
    """The lines of a mutant that differ from the solution's."""
    return "\n".join(line[1:].strip() for line in mutant.diff.splitlines()[2:] if line.startswith("+"))


def mutated(expression: str) -> set[str]:
    """What the mutants of a function return instead of this expression."""
    source = f"def f(x, y, z):\n    return {expression}\n"
    return {changed(mutant).removeprefix("return ") for mutant in make_mutants("f-solution", source)}


@pytest.mark.parametrize(
    ("expression", "mutant"),
    [
        ("x - y", "x + y"),
        ("x - y", "y - x"),
        ("x @ y", "x * y"),
        ("x < y", "x <= y"),
        ("x == y", "x != y"),
        ("x in y", "x not in y"),
        ("x and y", "x or y"),
        ("not x", "x"),
        ("-x", "x"),
        ("x + 3", "x + 4"),
        ("x + 3", "x + 2"),
        ("x * 0.5", "x * 1.5"),
        ("(x, True)", "(x, False)"),
        ("x['key']", "x['keyx']"),
        ("x.norm(dim=-1)", "x.norm(dim=0)"),
        ("x.norm(dim=-1)", "x.norm()"),
        ("x.norm(dim=-1)", "x"),
        ("torch.softmax(x, 1)", "x"),
        ("f(x, y)", "f(y, x)"),
        ("x.T", "x"),
        ("max(x, -math.inf)", "max(x, -0)"),
        ("x.masked_fill(y, float('-inf'))", "x.masked_fill(y, 0)"),
        ("x if y else z", "z"),
        ("[a for a in x if a]", "[a for a in x]"),
    ],
)
def test_every_kind_of_mistake_is_made(expression: str, mutant: str) -> None:
    assert mutant in mutated(expression)


def test_no_mutant_returns_a_library() -> None:
    """`torch.softmax(x)` without its call is `x`; every test would catch `torch`."""
    assert "torch" not in mutated("torch.softmax(x, 1)")


def test_error_messages_are_not_mutated() -> None:
    assert not [mutant for mutant in make_mutants("a", SOLUTION) if "raise" in changed(mutant)]


def test_equal_mutants_are_made_once_and_none_equals_the_solution() -> None:
    """Exchanging two equal arguments changes nothing, and Python folds 2 + 2 and 1 + 3 alike."""
    assert "" not in mutated("f(x, x)")
    assert len(mutated("x + (1 + 2)") & {"x + (2 + 2)", "x + (1 + 3)"}) == 1
    several = make_mutants("a", SOLUTION)
    dumps = [ast.dump(ast.parse(mutant.source)) for mutant in several]
    assert len(set(dumps)) == len(dumps) > 10
    assert ast.dump(ast.parse(SOLUTION)) not in dumps


def test_the_same_solution_has_the_same_mutants_and_a_longer_one_a_sample_of_its_own() -> None:
    all_of_them = [mutant.id for mutant in make_mutants("a", SOLUTION)]
    few = [mutant.id for mutant in make_mutants("a", SOLUTION, cap=5)]
    assert few == [mutant.id for mutant in make_mutants("a", SOLUTION, cap=5)]
    assert len(few) == 5
    assert set(few) < set(all_of_them)
    assert len(set(all_of_them)) == len(all_of_them)


def test_a_mutants_name_stays_when_other_lines_change() -> None:
    before = {mutant.id for mutant in make_mutants("a", "def f(x):\n    return x - 1\n")}
    after = {
        mutant.id for mutant in make_mutants("a", "def f(x):\n    y = x + 5\n    z = y\n    w = z\n    return x - 1\n")
    }
    assert len(before & after) >= 1


def test_a_line_that_occurs_twice_has_mutants_with_two_names() -> None:
    twice = "def f(x):\n    x = x + 1\n    y = 0\n    z = 0\n    x = x + 1\n    return x\n"
    names = [mutant.id for mutant in make_mutants("a", twice)]
    assert len(set(names)) == len(names)
    assert any(name.endswith("-2") for name in names)


def test_a_magic_has_no_mutants() -> None:
    assert make_mutants("a", "%matplotlib inline") == []


@given(
    st.integers(-50, 50), st.sampled_from(["+", "-", "*", "//", "%", "**"]), st.sampled_from(["<", "<=", "==", "in"])
)
def test_every_mutant_is_python_and_differs_from_the_solution_in_one_place(
    number: int, operator: str, comparison: str
) -> None:
    source = f"def f(x, y):\n    if x {comparison} y:\n        return x {operator} {number}\n    return g(x, y)\n"
    original = ast.unparse(ast.parse(source)).splitlines()
    for mutant in make_mutants("a", source):
        lines = mutant.source.splitlines()
        assert len(lines) == len(original)
        assert sum(one != two for one, two in zip(lines, original, strict=True)) == 1
