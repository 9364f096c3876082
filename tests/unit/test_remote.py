"""What a test cell gets of a student's objects, from a real child."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
import torch

from autograder.checks import arguments_after
from autograder.judge import remote
from autograder.judge.asking import StudentError
from tests.support.sandboxed import Fetch, Sandbox, answer_cell, checking_cell, code

DATA = """
import numpy as np, torch
number, text, nothing = 2**70, "é😀", None
pair, listed, empty = (1, 2), [1, (2, [3])], ()
mapping = {"a": {1, 2}, (1, 2): [True]}
array, scalar, tensor = np.arange(6.0).reshape(2, 3), np.float32(0.5), torch.eye(2, dtype=torch.bfloat16)
class Odd: pass
odd = Odd()
"""


def test_data_comes_as_the_same_plain_data(sandbox: Sandbox) -> None:
    values = sandbox.ask(
        [DATA], lambda fetch: [fetch(n) for n in ("number", "text", "nothing", "pair", "listed", "empty", "mapping")]
    )
    assert values == [2**70, "é😀", None, (1, 2), [1, (2, [3])], (), {"a": {1, 2}, (1, 2): [True]}]
    assert [type(value) for value in values] == [int, str, type(None), tuple, list, tuple, dict]


def test_arrays_and_tensors_come_with_type_and_shape(sandbox: Sandbox) -> None:
    array, scalar, tensor = sandbox.ask([DATA], lambda fetch: [fetch(n) for n in ("array", "scalar", "tensor")])
    assert (array.tolist(), array.dtype) == ([[0, 1, 2], [3, 4, 5]], np.float64)
    assert (scalar, type(scalar)) == (0.5, np.float32)
    assert torch.equal(tensor, torch.eye(2, dtype=torch.bfloat16))


def test_a_name_that_is_not_there_is_missing(sandbox: Sandbox) -> None:
    assert sandbox.ask([], lambda fetch: fetch("nowhere")) is remote.MISSING


def test_an_object_stays_there_and_can_be_passed_back(sandbox: Sandbox) -> None:
    def body(fetch: Fetch) -> Any:
        odd = fetch("odd")
        return type(odd), repr(odd), fetch("is_odd")(odd), fetch("is_odd")(1), fetch("apply")(fetch("is_odd"), odd)

    cells = [DATA, "def is_odd(x): return x is odd\ndef apply(f, x): return f(x)"]
    assert sandbox.ask(cells, body) == (remote.RemoteObject, "<Odd in the notebook>", True, False, True)


def test_an_object_of_the_judge_is_never_sent(sandbox: Sandbox) -> None:
    with pytest.raises(TypeError, match="cannot pass a"):
        sandbox.ask(["def f(x): return x"], lambda fetch: fetch("f")(lambda: "expected value"))


def test_a_function_gets_positional_and_keyword_arguments_and_returns_plain_data(sandbox: Sandbox) -> None:
    call = "def f(a, *rest, scale=1, **more): return {'a': a, 'rest': rest, 'scale': scale, 'more': more}"
    result = sandbox.ask([call], lambda fetch: fetch("f")([1], (2,), 3, scale=np.int8(4), more=None))
    assert result == {"a": [1], "rest": ((2,), 3), "scale": 4, "more": {"more": None}}


def test_a_function_that_returns_a_function_returns_a_proxy(sandbox: Sandbox) -> None:
    assert sandbox.ask(["def add(a): return lambda b: a + b"], lambda fetch: fetch("add")(2)(3)) == 5


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        ("ValueError('no')", "ValueError"),
        ("NotImplementedError('no')", "NotImplementedError"),
        ("type('MyError', (Exception,), {})('no')", "MyError"),
        ("SystemExit('no')", "SystemExit"),
        ("KeyboardInterrupt('no')", "KeyboardInterrupt"),
        ("type('UnsatisfiedAssumption', (BaseException,), {})('no')", "UnsatisfiedAssumption"),
    ],
)
def test_an_exception_comes_under_its_own_name_and_as_an_ordinary_one(sandbox: Sandbox, raised: str, kind: str) -> None:
    """Never as a BaseException, which would pass through `with check` and end the worker."""

    def body(fetch: Fetch) -> None:
        with pytest.raises(Exception, match="no") as caught:
            fetch("f")()
        assert type(caught.value).__name__ == kind
        assert isinstance(caught.value, Exception)

    sandbox.ask([f"def f(): raise {raised}"], body)


def test_half_a_surrogate_pair_in_an_exception_affects_that_call_only(sandbox: Sandbox) -> None:
    def body(fetch: Fetch) -> int:
        with pytest.raises(ValueError, match=r"\?"):
            fetch("f")()
        return len(fetch.session.losses)

    assert sandbox.ask([r"def f(): raise ValueError('\ud800')"], body) == 0


def test_gradients_equal_those_of_a_local_graph(sandbox: Sandbox) -> None:
    """For several results and arguments, inside and outside the student's function."""
    source = "def f(x, y, scale): return (x @ y).exp() * scale, {'norm': x.norm()}"
    namespace: dict[str, Any] = {}
    exec(source, namespace)  # noqa: S102  (text of this file)

    def gradients(f: Any) -> list[torch.Tensor]:
        generator = torch.Generator().manual_seed(0)
        x, y = (torch.randn(3, 3, generator=generator, dtype=torch.float64, requires_grad=True) for _ in range(2))
        product, parts = f(x * 2, y, scale=0.5)
        return list(torch.autograd.grad((product.sin().sum() + parts["norm"] ** 2), (x, y)))

    remotely = sandbox.ask([source], lambda fetch: gradients(fetch("f")))
    for there, here in zip(remotely, gradients(namespace["f"]), strict=True):
        assert torch.equal(there, here)


def test_a_gradient_imports_nothing(sandbox: Sandbox) -> None:
    """torch imports sympy for `grad` with weights of its outputs: 0.7 s for every submission."""
    source = "import sys\ndef f(x): return x * x\ndef modules(): return sorted(sys.modules)"

    def body(fetch: Fetch) -> tuple[set[str], list[float]]:
        x, before = torch.ones(2, requires_grad=True), set(fetch("modules")())
        (fetch("f")(x) * torch.tensor([1.0, 2.0])).sum().backward()
        assert x.grad is not None
        return set(fetch("modules")()) - before, x.grad.tolist()

    assert sandbox.ask([source], body) == (set(), [2.0, 4.0])


def test_a_gradient_of_complex_numbers_is_that_of_a_local_function(sandbox: Sandbox) -> None:
    source = "def f(z): return z * z.conj() * (1 + 2j), z.abs()"
    namespace: dict[str, Any] = {}
    exec(source, namespace)  # noqa: S102  (text of this file)

    def gradient(f: Any) -> torch.Tensor:
        z = torch.tensor([1 + 2j, -0.5j, 3], dtype=torch.complex128, requires_grad=True)
        product, length = f(z)
        return torch.autograd.grad((product * (2 - 1j)).real.sum() + length.sin().sum(), z)[0]

    assert torch.equal(sandbox.ask([source], lambda fetch: gradient(fetch("f"))), gradient(namespace["f"]))


def test_a_detached_result_has_no_gradient(sandbox: Sandbox) -> None:
    source = "def f(x): return (x * 2).detach()"
    assert not sandbox.ask([source], lambda fetch: fetch("f")(torch.ones(2, requires_grad=True)).requires_grad)


def test_an_argument_that_the_result_ignores_has_no_gradient(sandbox: Sandbox) -> None:
    def body(fetch: Fetch) -> Any:
        x, y = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
        fetch("f")(x, y).sum().backward()
        return x.grad, y.grad

    used, ignored = sandbox.ask(["def f(x, y): return x * 3"], body)
    assert (used.tolist(), ignored) == ([3, 3], None)


def test_arguments_after_shows_what_was_changed_in_place(sandbox: Sandbox) -> None:
    source = "def spoils(a, b):\n    a *= 2\n    b.append(1)\ndef keeps(a, b): return a * 2"
    arguments: tuple[Any, list[Any]] = (np.ones(2), [])

    def body(fetch: Fetch) -> Any:
        return [arguments_after(fetch(name), *arguments) for name in ("spoils", "keeps")]

    (spoiled, grown), (kept, same) = sandbox.ask([source], body)
    assert (spoiled.tolist(), grown, kept.tolist(), same) == ([2, 2], [1], [1, 1], [])
    assert arguments[0].tolist() == [1, 1]


def test_arguments_after_does_the_same_with_a_local_function() -> None:
    assert arguments_after(lambda a: a.append(1), []) == ([1],)


LOSSES = "import os, time\nbefore = 7\ndef hang():\n    while True: pass\ndef leave(): os._exit(3)\ndef fine(): return before"


@pytest.mark.parametrize(("name", "status"), [("hang", "timed out"), ("leave", "died")])
def test_a_lost_child_is_replaced_and_the_cells_before_run_again(sandbox: Sandbox, name: str, status: str) -> None:
    def body(fetch: Fetch) -> Any:
        fine = fetch("fine")
        with pytest.raises(StudentError, match=f"the code {status}"):
            fetch(name)()
        return fetch.session.losses[0].why, fine(), fetch("before")

    assert sandbox.ask([LOSSES], body, call_seconds=1) == (status, 7, 7)


def test_a_function_lost_twice_is_not_called_a_third_time(sandbox: Sandbox) -> None:
    """Otherwise a property with 100 examples would wait for 100 time limits."""

    def body(fetch: Fetch) -> float:
        leave = fetch("leave")
        for _ in range(20):
            with pytest.raises(StudentError):
                leave()
        return len(fetch.session.losses)

    assert sandbox.ask([LOSSES], body) == 2


def test_a_reference_into_a_lost_child_is_an_error_and_not_another_childs_value(sandbox: Sandbox) -> None:
    def body(fetch: Fetch) -> None:
        kept, graph = fetch("make")(), fetch("twice")(torch.ones(1, requires_grad=True))
        with pytest.raises(StudentError):
            fetch("leave")()
        with pytest.raises(StudentError, match="lost with the process"):
            kept()
        with pytest.raises(StudentError, match="held this graph was lost"):
            graph.sum().backward()

    sandbox.ask([LOSSES, "def make(): return lambda: 1\ndef twice(x): return 2 * x"], body)


def test_forget_frees_objects_in_the_child(sandbox: Sandbox) -> None:
    """It follows each test cell; otherwise the models and graphs of a long notebook would fill the child's memory."""

    def body(fetch: Fetch) -> tuple[int, int]:
        kept = fetch("make")()
        before = fetch("alive")()
        fetch.session.request("forget")
        assert isinstance(kept, remote.RemoteObject)
        return before, fetch("alive")()

    big = "import gc, weakref\nclass Big: pass\nobjects = weakref.WeakSet()\n"
    make = "def make():\n    big = Big()\n    objects.add(big)\n    return big"
    assert sandbox.ask([big, make, "def alive():\n    gc.collect()\n    return len(objects)"], body) == (1, 0)


def test_nothing_runs_after_the_submissions_time(sandbox: Sandbox) -> None:
    def body(fetch: Fetch) -> None:
        time.sleep(1)
        with pytest.raises(StudentError, match="ran for over 1 s"):
            fetch("before")

    sandbox.ask([LOSSES], body, submission_seconds=1)


@pytest.mark.parametrize(
    "answer",
    [
        "['ok']",
        "['ok', ['tensor', 'float32', [9], b'', False]]",
        "['no such status']",
        "[]",
        "['ok', ['function', 'x', 'y']]",
    ],
)
def test_a_forged_answer_is_an_ordinary_error(sandbox: Sandbox, answer: str) -> None:
    """A student may replace the service in the child; the test cell then gets an exception or wrong data."""
    forge = f"""
from autograder.sandbox import wire
from autograder.sandbox.child import Service
honest = Service.answer
Service.answer = lambda self, payload: __import__("msgspec").msgpack.encode({answer})
"""

    def body(fetch: Fetch) -> None:
        with pytest.raises(Exception):  # noqa: B017  (of which kind does not matter)
            fetch("honest")()

    sandbox.ask([forge], body)


def test_the_assignments_files_are_beside_the_notebook(sandbox: Sandbox) -> None:
    cells = ["words = open('data/words.txt').read()"]
    assert sandbox.ask(cells, lambda fetch: fetch("words")) == "three small words"


def test_a_students_change_to_a_file_ends_with_the_child(sandbox: Sandbox) -> None:
    assert sandbox.look("open('data/words.txt', 'w').write('mine')\nseen = open('data/words.txt').read()") == "mine"
    assert sandbox.look("seen = open('data/words.txt').read()") == "three small words"


def test_the_assignments_variables_are_in_the_environment(sandbox: Sandbox) -> None:
    assert sandbox.look("import os\nseen = os.environ['COURSE_DATA']") == "words"


LOCKED = """
class Tower:
    def __init__(self, scale): self.scale = scale
    def encode(self, x): return self.scale * x
def tower(): return Tower(3)
def answer(): return 42
model, table = Tower(2), [1, 2]
"""


@pytest.mark.parametrize(
    ("test", "score", "message"),
    [
        ("assert encoded(model, 5) == 10", 1, ""),
        ("assert encoded(tower(), 5) == 15", 1, ""),
        ("assert encoded(model, 5) == answer()", 0, "what `answer` returns is plain data (int)"),
        ("assert encoded(model, 5) == table", 0, "`table` is plain data (list)"),
    ],
)
def test_from_a_read_only_cell_a_test_accepts_only_objects_that_stay_in_the_notebook(
    sandbox: Sandbox, test: str, score: float, message: str
) -> None:
    """A model is passed back to the student's function as it is. Data could have been changed by the student."""
    locked = code(LOCKED, grade_id="setup", locked=True)
    cells = (locked, answer_cell("def encoded(model, x): return model.encode(x)"), checking_cell(test))
    cell = sandbox.judge(*cells).grade.cells["test"]
    assert cell.score == score
    assert message in cell.error


def test_a_read_only_cells_name_that_the_student_rebinds_to_data_is_refused(sandbox: Sandbox) -> None:
    """No test takes it for the instructor's."""
    cells = (code(LOCKED, grade_id="setup", locked=True), answer_cell("model = 5\ndef encoded(model, x): return 10"))
    cell = sandbox.judge(*cells, checking_cell("assert encoded(model, 5) == 10")).grade.cells["test"]
    assert (cell.score, "is the name bound anew somewhere" in cell.error) == (0, True)


def test_a_name_that_the_judge_cannot_import_is_not_taken_as_data_from_the_student(sandbox: Sandbox) -> None:
    """Otherwise a student who defines the name would choose what the test expects."""
    locked = code("from beside_the_notebook_alone import EXPECTED", grade_id="setup", locked=True)
    cells = (locked, answer_cell("EXPECTED = 7\ndef f(): return 7"), checking_cell("assert f() == EXPECTED"))
    cell = sandbox.judge(*cells).grade.cells["test"]
    assert (cell.score, "`EXPECTED` is plain data" in cell.error) == (0, True)
