"""What a test can ask of an object that stays in the sandbox: it passes no comparison by default, or by what its class says."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch

from autograder.checks import assert_close
from tests.support.sandboxed import Fetch, Sandbox, answer_cell, checking_cell, code

# A plain object, and one whose class answers everything as a student might wish.
PLAIN = "class Mine: pass"
LIAR = """
class Mine:
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = lambda self, other: True
    __sub__ = __rsub__ = __mul__ = __rmul__ = __radd__ = __mod__ = __divmod__ = lambda self, *other: 0
    __hash__ = lambda self: 1
"""
MAKE = "def f(x=0): return Mine()"


@dataclasses.dataclass
class Pair:
    value: Any


# Each would be true, or go on, for an object that the student's function returns by mistake.
USES = """
value == 1 | value != 1 | 1 == value | 1 != value | value < 1 | 1 < value | value >= 1 | value == 'a' | value != None
not value | bool(value) | value in [1] | 1 in [value] | value in {1} | value not in {1, 2} | {value: 1} | 1 in value
[value] == [1] | [value] != [1] | (1, value) == (1, 2) | {'a': value} == {'a': 1} | Pair(value) == Pair(1)
sorted([value, 1]) | max(1, value) | sum([value]) | abs(value - 1) < 9 | 1 - value | value * 2 | 2 ** value
divmod(value, 2) | -value | abs(value) | round(value) | float(value) | int(value) | complex(value)
math.isclose(value, 0) | range(value) | [1, 2][value] | len(value) | list(value) | iter(value) | next(value)
value[0] | f'{value:.3f}' | np.asarray(value) | np.array([value]) | np.allclose(value, 0) | np.add(value, 1)
np.arange(3) == value | np.testing.assert_allclose(value, 0) | torch.as_tensor(value)
torch.allclose(value, torch.zeros(1)) | torch.zeros(1) == value | torch.stack([value])
torch.equal(torch.ones(1), value) | pytest.approx(1) == value | value == pytest.approx(1) | value == Fraction(1, 2)
Fraction(1, 2) != value | assert_close(value, 0) | any([value]) | all([value]) | value and 1 | copy.copy(value) == 1
value.size | value.size == 1 | value() | value == value.copy
""".strip().replace("\n", " | ")
SCOPE = {
    **{"np": np, "torch": torch, "pytest": pytest, "math": math, "copy": copy},
    **{"Fraction": Fraction, "Pair": Pair, "assert_close": assert_close},
}


@pytest.mark.parametrize("use", USES.split(" | "))
@pytest.mark.parametrize("kind", [PLAIN, LIAR], ids=["plain", "liar"])
def test_an_object_that_stays_in_the_sandbox_passes_nothing(sandbox: Sandbox, kind: str, use: str) -> None:
    """And no message shows a name of the grader's classes."""

    def body(fetch: Fetch) -> None:
        with pytest.raises((TypeError, AttributeError, ValueError)) as caught:
            eval(use, SCOPE, {"value": fetch("f")()})  # noqa: S307  (text of this file)
        assert "Remote" not in str(caught.value)

    sandbox.ask([kind, MAKE], body)


@pytest.mark.parametrize(
    "test", ["assert f(1) != Fraction(1, 2)", "assert f(-1)", "assert f(1) not in (2, 3)", "assert not f(1)"]
)
def test_a_wrong_object_earns_no_points_and_is_named(sandbox: Sandbox, test: str) -> None:
    checks = f"from fractions import Fraction\ncheck = Checks(1)\nwith check('x', 1):\n    {test}\ncheck.score"
    cell = sandbox.judge(answer_cell(f"{PLAIN}\n{MAKE}"), checking_cell(checks)).grade.cells["test"]
    assert cell.score == 0
    assert cell.checks[0].message.startswith("TypeError: your `f` returned a Mine object")


STACK = """
class Stack:
    def __init__(self, *items): self.items, self.size = list(items), len(items)
    def push(self, item): self.items.append(item); return self
    def __len__(self): return len(self.items)
    def __iter__(self): return iter(self.items)
    def __getitem__(self, index): return self.items[index]
    def __eq__(self, other): return self.items == other.items
    def __lt__(self, other): return len(self) < len(other)
    def __add__(self, other): return Stack(*self.items, *other.items)
    def __float__(self): return float(sum(self.items))
    def __repr__(self): return f"Stack({self.items})"
    def __str__(self): return "a stack"
class Small(Stack): "A small one."
class Bare: pass
def generate():
    yield 1
    yield [2, 3]
def count():
    n = 0
    while True: yield (n := n + 1)
"""
ANSWERS = {
    "len(Stack(1, 2))": 2,
    "list(Stack(1, 2))": [1, 2],
    "Stack(1, 2)[1]": 2,
    "Stack(1, 2)[-1:]": [2],
    "Stack(1, 2).size": 2,
    "hasattr(Stack(), 'weight')": False,
    "Stack(1).push(5).items": [1, 5],
    "2 in Stack(1, 2)": True,
    "3 in Stack(1, 2)": False,
    "Stack(1) == Stack(1)": True,
    "Stack(1) != Stack(2)": True,
    "Stack(1) < Stack(2, 3)": True,
    "len(Stack(1) + Stack(2))": 2,
    "float(Stack(1, 2))": 3.0,
    "repr(Stack(1))": "Stack([1])",
    "str(Stack(1))": "a stack",
    "f'{Stack(1)}'": "a stack",
    "repr(Bare())": "<Bare in the notebook>",
    "bool(Stack())": False,
    "bool(Stack(1))": True,
    "isinstance(Small(), Stack)": True,
    "isinstance(Stack(), Small)": False,
    "isinstance(3, Stack)": False,
    "issubclass(Small, Stack)": True,
    "Small.__doc__": "A small one.",
    "generate.__name__": "generate",
    "list(generate())": [1, [2, 3]],
    "next(count())": 1,
    "[n for n, _ in zip(count(), 'abc')]": [1, 2, 3],
    "len(copy.deepcopy(Stack(1)))": 1,
    "Stack(1) is None": False,
    "callable(Stack)": True,
    "callable(Stack())": False,
    "setattr(s := Stack(1), 'size', 7) or s.size": 7,
}


@pytest.mark.parametrize("use", ANSWERS)
def test_a_students_class_answers_questions_about_itself(sandbox: Sandbox, use: str) -> None:
    def body(fetch: Fetch) -> Any:
        names = {name: fetch(name) for name in ("Stack", "Small", "Bare", "generate", "count")}
        return eval(use, {**SCOPE, **names})  # noqa: S307  (text of this file)

    assert sandbox.ask([STACK], body) == ANSWERS[use]


def test_the_parameters_of_a_proxy_are_not_taken_for_the_students(sandbox: Sandbox) -> None:
    def body(fetch: Fetch) -> None:
        with pytest.raises(TypeError, match="a test cannot read its signature"):
            inspect.signature(fetch("f"))

    sandbox.ask(["def f(a, b): pass"], body)


@pytest.mark.parametrize("text", ["raise ValueError", "while True: pass", "return 5"])
def test_an_object_without_a_readable_text_is_described(sandbox: Sandbox, text: str) -> None:
    """A message may quote it where an exception would lose the checks before it."""
    source = f"class Odd:\n    def __str__(self):\n        {text}\n    __repr__ = __str__\nodd = Odd()"
    value = sandbox.ask([source], lambda fetch: str(fetch("odd")), call_seconds=1)
    assert value == "<Odd in the notebook>"


@pytest.mark.parametrize(
    "test",
    [
        "assert encoded(model, 5) == model.scale * 5",
        "assert encoded(model, 5) == len(model)",
        "assert encoded(model, 5) == model.encode(5)",
        "assert encoded(model, 5) == float(model)",
        "assert model == encoded(model, 5)",
        "assert model",
    ],
)
def test_a_read_only_cells_object_gives_a_test_no_data(sandbox: Sandbox, test: str) -> None:
    """The student could have changed what the test takes for the instructor's."""
    locked = code(
        "class Tower:\n    scale = 2\n    def encode(self, x): return 2 * x\n    def __len__(self): return 10\n"
        "    def __float__(self): return 10.0\nmodel = Tower()",
        grade_id="setup",
        locked=True,
    )
    cell = sandbox.judge(locked, answer_cell("def encoded(m, x): return 10"), checking_cell(test)).grade.cells["test"]
    assert (cell.score, bool(cell.error)) == (0, True)


def test_a_default_stands_in_for_data_of_a_read_only_cells_object(sandbox: Sandbox) -> None:
    """As for an attribute that is not there; the nested object can be passed back."""
    locked = code(
        "class Eye:\n    size = 32\nclass Model:\n    visual = Eye()\nmodel = Model()", grade_id="setup", locked=True
    )
    test = checking_cell("assert side(getattr(getattr(model, 'visual', None), 'size', 64)) == 64")
    assert sandbox.judge(locked, answer_cell("def side(x): return x"), test).grade.cells["test"].score == 1
