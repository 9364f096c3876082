"""Laying a student's answers into the instructor's notebook: all other cells stay the instructor's, whatever the student did."""

from __future__ import annotations

import contextlib
import copy
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.course import lay as laying
from autograder.course import notebook as nb
from autograder.course.lay import PreparedSubmission
from autograder.errors import SubmissionError
from tests.support.classroom import NAME, ROOT
from tests.support.sandboxed import answer_cell, checking_cell, code, notebook

HIDDEN = "assert f(2) == 4\n### BEGIN HIDDEN TESTS\nassert f(3) == 9\n### END HIDDEN TESTS"
TEXT = {"cell_type": "markdown", "metadata": {}, "source": "Square it."}
ESSAY = {
    "cell_type": "markdown",
    "metadata": {"nbgrader": {"grade_id": "essay", "grade": True, "solution": True, "points": 2}},
    "source": "YOUR ANSWER HERE",
}
LOCKED = code("import math", grade_id="setup", locked=True)
BLANK = "raise NotImplementedError()"
SOURCE = notebook(TEXT, LOCKED, answer_cell("def f(x): return x * x"), checking_cell(HIDDEN, 2), ESSAY)
RELEASE = notebook(TEXT, LOCKED, answer_cell(BLANK), checking_cell("assert f(2) == 4", 2), ESSAY)


def fill_in(**answers: str) -> nb.Notebook:
    """Return the release as a student fills it in."""
    return nb.with_answers(RELEASE, {"answer": "def f(x): return x**2", "essay": "Mine.", **answers})


def lay(student: nb.Notebook) -> PreparedSubmission:
    return laying.lay(SOURCE, RELEASE, student)


def texts(laid: PreparedSubmission, kind: str = "code") -> list[str]:
    return [cell["source"] for cell in laid.notebook["cells"] if cell["cell_type"] == kind]


def test_answers_come_from_the_student_and_tests_from_the_instructor() -> None:
    laid = lay(fill_in())
    assert texts(laid) == ["import math", "def f(x): return x**2", HIDDEN]
    assert texts(laid, "markdown") == ["Square it.", "Mine."]
    assert (laid.notes, laid.unanswered) == ((), frozenset())


def test_an_answer_as_released_counts_as_unanswered() -> None:
    assert lay(fill_in(answer=BLANK, essay=" YOUR ANSWER HERE\n")).unanswered == {"answer", "essay"}


def test_changed_tests_and_locked_cells_are_restored() -> None:
    laid = lay(fill_in(test="2", setup="import math; math.pi = 3"))
    assert texts(laid) == ["import math", "def f(x): return x**2", HIDDEN]
    assert set(laid.notes) == {
        f"cell {name} is not the release's; the one of the release was run" for name in ("setup", "test")
    }


def test_an_answer_between_the_tests_of_its_task_is_no_unanswered_one() -> None:
    """It earns what the tests below it give."""
    second = {**answer_cell("def f(x): return 2 * x"), "metadata": {}}
    source = notebook(
        answer_cell("def f(x): return x * x"), checking_cell("f(1)", 1, "a"), checking_cell("f(2)", 1, "b")
    )
    student = notebook(checking_cell("f(1)", 1, "a"), second, checking_cell("f(2)", 1, "b"))
    laid = laying.lay(source, nb.with_answers(source, {"answer": BLANK}), student)
    assert texts(laid) == [BLANK, "f(1)", "def f(x): return 2 * x", "f(2)"]
    assert laid.unanswered == frozenset()
    assert laid.notes == ("cell answer was missing; its answer was found in another cell",)


def test_changed_points_do_not_count() -> None:
    student = fill_in()
    student["cells"][3]["metadata"]["nbgrader"]["points"] = 100
    laid = lay(student)
    assert [nb.points(cell) for cell in laid.notebook["cells"] if nb.is_test(cell)] == [2]
    assert laid.notes == ("the points of test are not the release's; those of the release count",)


def test_an_answer_turned_into_text_is_code_again() -> None:
    student = fill_in()
    student["cells"][2]["cell_type"] = "markdown"
    laid = lay(student)
    assert texts(laid)[1] == "def f(x): return x**2"
    assert laid.notes == ("cell answer was turned into a markdown cell; restored",)


def test_missing_cells_are_restored_and_an_answer_among_them_is_unanswered() -> None:
    student = fill_in()
    del student["cells"][2:4]
    laid = lay(student)
    assert texts(laid) == ["import math", BLANK, HIDDEN]
    assert laid.notes == ("cell answer was missing; it counts as unanswered", "cell test was missing; restored")
    assert laid.unanswered == {"answer"}


@pytest.mark.parametrize("other_ids", [False, True])
def test_text_and_plots_of_the_release_appear_once_as_the_student_left_them(other_ids: bool) -> None:
    """Cells that nbgrader does not know are in both notebooks and must not run twice. Colab gives cells other ids."""
    student = fill_in()
    student["cells"].append({**code("edited = 1"), "id": "plot"})
    if other_ids:
        student["cells"][0]["id"] = "colab"
    release = copy.deepcopy(RELEASE)
    release["cells"] += [{**code("plot()"), "id": "plot"}, {**code("gone()"), "id": "gone"}]
    laid = laying.lay(SOURCE, release, student)
    assert texts(laid, "markdown") == ["Square it.", "Mine."]
    assert texts(laid)[3:] == ["edited = 1", "gone()"]


def test_own_cells_stay_after_the_cell_they_followed_and_lose_their_metadata() -> None:
    student = fill_in()
    own = code("y = 1", grade_id="mine", grade=True, points=99)
    own["metadata"]["tags"] = ["skip-execution"]
    student["cells"].insert(2, own)
    student["cells"].insert(0, code("first = 1"))
    laid = lay(student)
    assert texts(laid) == ["first = 1", "import math", "y = 1", "def f(x): return x**2", HIDDEN]
    assert [cell["metadata"] for cell in laid.notebook["cells"] if cell["source"] == "y = 1"] == [{}]


@pytest.mark.parametrize("apart", [False, True])
def test_the_last_copy_of_an_answer_runs_last(apart: bool) -> None:
    """As in the student's own kernel, the last copy replaces what the first one defines."""
    student = fill_in(answer="f = 'last'")
    student["cells"].insert(1 if apart else 2, answer_cell("f = 'first'"))
    laid = lay(student)
    assert [text for text in texts(laid) if text.startswith("f = ")] == ["f = 'first'", "f = 'last'"]
    assert laid.notes == ("cell answer came 2 times; the last counts",)


def test_a_test_that_comes_twice_runs_once() -> None:
    student = fill_in()
    student["cells"].append(copy.deepcopy(student["cells"][3]))
    assert texts(lay(student)).count(HIDDEN) == 1


def test_a_notebook_of_another_kernel_is_refused() -> None:
    student = fill_in()
    student["metadata"] = {"kernelspec": {"language": "R", "name": "ir"}}
    with pytest.raises(SubmissionError, match="kernel is r; this assignment is in Python"):
        lay(student)


def test_a_notebook_of_another_assignment_is_refused() -> None:
    with pytest.raises(SubmissionError, match="is it the right file"):
        lay(notebook(code("1", grade_id="elsewhere")))


def outcome(cells: list[nb.Cell], stop: str) -> object:
    """What `f(3)` gives after the code cells before the test cell `stop` have run in order, as by Restart & Run All; an error by
    its name. A cell that raises does not stop the others."""
    namespace: dict[str, Any] = {}
    for cell in cells:
        if nb.grade_id(cell) == stop:
            break
        if cell["cell_type"] == "code":
            with contextlib.suppress(Exception):
                exec(nb.source(cell), namespace)  # noqa: S102  (this file wrote it)
    try:
        return namespace["f"](3)
    except Exception as error:
        return type(error).__name__


STUB = "def f(x):\n    raise NotImplementedError()"
GOOD = "def f(x):\n    return x ** 2"
TEST = "assert f(2) == 4\nshown = f(1)"
TASK = notebook(TEXT, LOCKED, answer_cell(STUB), checking_cell(TEST, 2), ESSAY)
WHOLE = notebook(
    TEXT, LOCKED, answer_cell("def f(x): return x * x"), checking_cell(f"{TEST}\nassert f(3) == 9", 2), ESSAY
)


def student(*edits: Callable[[list[nb.Cell]], None]) -> PreparedSubmission:
    """Lay the release after these edits of its cells: text, setup, answer, test, essay."""
    copied = copy.deepcopy(TASK)
    for edit in edits:
        edit(copied["cells"])
    return laying.lay(WHOLE, TASK, copied)


def typed(cells: list[nb.Cell]) -> None:
    cells[2]["source"] = GOOD


def retyped(cells: list[nb.Cell]) -> None:
    cells[2] = code(GOOD)


def above_everything(cells: list[nb.Cell]) -> None:
    del cells[2]
    cells.insert(0, code(GOOD))


def above_its_stub(cells: list[nb.Cell]) -> None:
    cells.insert(2, code(GOOD))


def below_its_stub(cells: list[nb.Cell]) -> None:
    cells.insert(3, code(GOOD))


def in_the_test_cell(cells: list[nb.Cell]) -> None:
    cells[3]["source"] = f"{GOOD}\n\n{TEST}"


def in_an_edited_test_cell(cells: list[nb.Cell]) -> None:
    cells[3]["source"] = f"{GOOD}\n\nassert f(2) == 4 or True\nshown = f(2)"


def in_the_setup_cell(cells: list[nb.Cell]) -> None:
    cells[1]["source"] = f"import math\n{GOOD}"
    del cells[2]


def merged_with_the_test(cells: list[nb.Cell]) -> None:
    cells[2]["source"] = f"{GOOD}\n\n{TEST}"
    del cells[3]


def merged_into_the_setup_cell(cells: list[nb.Cell]) -> None:
    cells[1]["source"] = f"import math\n\n{GOOD}\n\n{TEST}"
    del cells[2:4]


def without_metadata(cells: list[nb.Cell]) -> None:
    typed(cells)
    for cell in cells:
        cell["metadata"] = {}


def without_metadata_and_ids(cells: list[nb.Cell]) -> None:
    without_metadata(cells)
    for cell in cells:
        del cell["id"]


def split_in_two(cells: list[nb.Cell]) -> None:
    cells[2:3] = [
        {**answer_cell("def square(x): return x * x"), "id": "one"},
        answer_cell("def f(x): return square(x)"),
    ]


def a_blank_copy_below(cells: list[nb.Cell]) -> None:
    cells[2:3] = [{**answer_cell(GOOD), "id": "one"}, answer_cell(STUB)]


def a_helper_and_the_answer_retyped(cells: list[nb.Cell]) -> None:
    cells[2:3] = [code("def square(x): return x * x"), code("def f(x): return square(x)")]


def timed_and_retyped(cells: list[nb.Cell]) -> None:
    cells[2] = code(f"%%time\n{GOOD}")


ANSWERS = [
    typed, retyped, above_everything, above_its_stub, below_its_stub, in_the_test_cell, in_an_edited_test_cell, in_the_setup_cell,
    merged_with_the_test, merged_into_the_setup_cell, without_metadata, without_metadata_and_ids, split_in_two,
    a_blank_copy_below, a_helper_and_the_answer_retyped,
]  # fmt: skip


@pytest.mark.parametrize("edit", ANSWERS)
def test_an_answer_counts_wherever_an_editor_or_a_student_put_it(edit: Callable[[list[nb.Cell]], None]) -> None:
    laid = student(edit)
    assert outcome(laid.notebook["cells"], "test") == 9
    known = [cell for cell in laid.notebook["cells"] if nb.grade_id(cell)]
    assert [nb.grade_id(cell) for cell in known] == ["setup", "answer", "test", "essay"]
    assert [nb.source(known[0]), nb.source(known[2])] == ["import math", f"{TEST}\nassert f(3) == 9"]
    assert "answer" not in laid.unanswered


@pytest.mark.parametrize(
    "edit", [retyped, timed_and_retyped, above_its_stub, below_its_stub, a_helper_and_the_answer_retyped]
)
def test_an_answer_typed_beside_its_cell_stands_in_it(edit: Callable[[list[nb.Cell]], None]) -> None:
    laid = student(edit)
    answer = next(cell for cell in laid.notebook["cells"] if nb.grade_id(cell) == "answer")
    assert "def f(x): return" in answer["source"].replace("\n    ", " ")
    assert sum("def f" in nb.source(cell) for cell in laid.notebook["cells"]) == 1


def test_a_blank_release_and_a_deleted_answer_stay_unanswered() -> None:
    assert student().unanswered == {"answer", "essay"}
    laid = student(lambda cells: cells.__delitem__(2))
    assert laid.unanswered == {"answer", "essay"}
    assert outcome(laid.notebook["cells"], "test") == "NotImplementedError"


def test_an_answer_below_its_test_comes_too_late_for_the_test_and_in_time_for_later_cells() -> None:
    def move(cells: list[nb.Cell]) -> None:
        cells.insert(4, code(GOOD))
        del cells[2]

    laid = student(move)
    assert outcome(laid.notebook["cells"], "test") == "NotImplementedError"
    assert outcome(laid.notebook["cells"], "essay") == 9


def test_what_a_stub_defines_beside_the_answer_is_kept() -> None:
    stub = "SCALE = 2\n\n\ndef f(x):\n    raise NotImplementedError()"
    release = notebook(LOCKED, answer_cell(stub), checking_cell(TEST, 2))
    source = notebook(LOCKED, answer_cell("SCALE = 2\ndef f(x): return x * SCALE"), checking_cell(TEST, 2))
    for edit in (lambda cells: cells.insert(1, code("def f(x): return x * SCALE")), above_top):
        copied = copy.deepcopy(release)
        edit(copied["cells"])
        assert outcome(laying.lay(source, release, copied).notebook["cells"], "test") == 6


def above_top(cells: list[nb.Cell]) -> None:
    cells.insert(0, code("def f(x): return x * SCALE"))
    del cells[2]


PIECES = st.permutations([GOOD, "y = 1", "f(2)", "print(f)"])


@given(PIECES, st.integers(0, 4), st.booleans())
def test_a_stub_never_replaces_what_the_student_defined(pieces: list[str], place: int, is_dropped: bool) -> None:
    """The law: whatever own cells run before the test define f, it is theirs that the test finds."""

    def edit(cells: list[nb.Cell]) -> None:
        own = [code(piece) for piece in pieces]
        if is_dropped:
            del cells[2]
        at = min(place, 3 - is_dropped)
        cells[at:at] = own

    assert outcome(student(edit).notebook["cells"], "test") == 9


MINE = {"cell_type": "markdown", "metadata": {}, "source": "Mine, in a cell of its own."}
PART = {**ESSAY, "source": "Part one."}


def essay_of(laid: PreparedSubmission) -> str:
    return str(next(cell["source"] for cell in laid.notebook["cells"] if nb.grade_id(cell) == "essay"))


@pytest.mark.parametrize(
    ("edit", "text"),
    [
        (lambda cells: cells.append(dict(MINE)), MINE["source"]),
        (lambda cells: cells.insert(4, dict(MINE)), MINE["source"]),
        (lambda cells: cells.__setitem__(4, dict(MINE)), MINE["source"]),
        (lambda cells: cells.__setitem__(4, {**MINE, "cell_type": "raw"}), MINE["source"]),
        (
            lambda cells: cells.__setitem__(slice(4, 5), [dict(PART), {**PART, "source": "Part two."}]),
            "Part one.\n\nPart two.",
        ),
        (lambda cells: cells.__setitem__(slice(4, 5), [dict(PART), dict(ESSAY)]), "Part one."),
        (lambda cells: cells.__setitem__(slice(4, 5), [dict(PART), dict(MINE)]), f"Part one.\n\n{MINE['source']}"),
    ],
    ids=["below", "above", "retyped", "retyped as raw text", "split", "split with a blank rest", "goes on below"],
)
def test_a_written_answer_waits_whole_wherever_it_was_written(edit: Callable[[list[nb.Cell]], None], text: str) -> None:
    laid = student(edit)
    assert essay_of(laid) == text
    assert "essay" not in laid.unanswered


def test_text_of_the_release_beside_a_written_answer_is_no_answer() -> None:
    question = {**TEXT, "source": "Explain in two sentences what a batch of eight pairs asks of the model."}
    release = notebook(LOCKED, question, ESSAY, question | {"source": "The end."})
    assert laying.lay(release, release, copy.deepcopy(release)).unanswered == {"essay"}
    colab = copy.deepcopy(release)
    for cell in colab["cells"]:
        del cell["id"]
    assert laying.lay(release, release, colab).unanswered == {"essay"}
    colab["cells"][1]["source"] += "\n\nBecause there are seven negatives."
    laid = laying.lay(release, release, colab)
    assert laid.unanswered == frozenset(), "an answer below the question waits for a person"


def test_what_was_typed_around_a_test_is_the_students_and_the_test_the_instructors() -> None:
    laid = student(typed, lambda cells: cells[3].update(source=f"before = 1\n{TEST}\nprint(before)"))
    assert texts(laid) == ["import math", GOOD, "before = 1", f"{TEST}\nassert f(3) == 9", "print(before)"]


@pytest.mark.parametrize(
    "attachments",
    [
        None,
        [],
        "x",
        {"a.png": None},
        {"a.png": {}},
        {"a.png": ["x"]},
        {"a.png": {"image/png": None}},
        {"a.png": {"image/png": [1]}},
    ],
)
def test_nbformat_accepts_whatever_attachments_a_text_has(attachments: object) -> None:
    import nbformat

    laid = student(
        lambda cells: cells[4].update(source="Mine.", attachments=attachments),
        lambda cells: cells.append({**MINE, "attachments": attachments}),
    )
    nbformat.validate(nbformat.from_dict(laid.notebook))


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(f"{' ' * depth}if x:" for depth in range(90)) + f"\n{' ' * 90}x = 1",
        "x = " + "(" * 90,
        "x = " + "{" * 90 + "(" * 90,
        "x = 1; " * 10_000,
        "é" * 99_999,
        "lambda: " * 5_000,
        "%%time\n" * 5_000,
        "-" * 90_000 + "1",
        "y = " + "+".join(["shown"] * 900),
        "y = " + "+".join(["shown"] * 2_000),
        "shown" + ".real" * 5_000,
        "return shown",
    ],
    ids=[
        "blocks",
        "brackets",
        "braces",
        "statements",
        "one name",
        "lambdas",
        "magics",
        "signs",
        "a sum",
        "a longer sum",
        "attributes",
        "return",
    ],
)
def test_no_students_text_takes_long_to_read(text: str) -> None:
    """It is read in the grader's own process: in its CPU time, 20 times the slowest of these."""
    began = time.process_time()
    student(lambda cells: cells[3].update(source=text), lambda cells: cells.insert(4, code(text)))
    assert time.process_time() - began < 10


def _text(source: str, id_: str) -> nb.Cell:
    return {"cell_type": "markdown", "id": id_, "metadata": {}, "source": source}


def _essay(name: str, source: str) -> nb.Cell:
    metadata = code("", grade_id=name, grade=True, solution=True, points=2)["metadata"]
    return {"cell_type": "markdown", "id": name, "metadata": metadata, "source": source}


FIRST, SECOND = "## First question: why does the loss rise?", "## Second question: what do the columns say?"
END = "## Summary: a pair of encoders shares one space."
QUESTIONS = notebook(
    code("import math", grade_id="setup", locked=True),
    _text(FIRST, "ask-1"), _essay("one", "YOUR ANSWER HERE"), _text(SECOND, "ask-2"), _essay("two", "YOUR ANSWER HERE"),
    _text(END, "end"),
)  # fmt: skip
Edit = Callable[[list[nb.Cell]], object]


def essays(edit: Edit) -> tuple[dict[str, str], PreparedSubmission]:
    """The two written answers, laid after this edit of the cells: setup, question, answer, question, answer, end."""
    copied = copy.deepcopy(QUESTIONS)
    edit(copied["cells"])
    laid = laying.lay(QUESTIONS, QUESTIONS, copied)
    return {str(nb.grade_id(cell)): nb.source(cell) for cell in laid.notebook["cells"] if nb.is_manual(cell)}, laid


def both_retyped(cells: list[nb.Cell]) -> None:
    cells[2], cells[4] = _text("One.", "a"), _text("Two.", "b")


def both_retyped_without_any_metadata_or_id(cells: list[nb.Cell]) -> None:
    both_retyped(cells)
    for cell in cells[1:]:
        cell["id"] = ""


def the_second_at_the_end(cells: list[nb.Cell]) -> None:
    cells[2]["source"] = "One."
    cells.append(_text("Two.", "b"))


@pytest.mark.parametrize("edit", [both_retyped, both_retyped_without_any_metadata_or_id, the_second_at_the_end])
def test_each_of_two_written_answers_gets_its_own_text(edit: Edit) -> None:
    found, laid = essays(edit)
    assert found == {"one": "One.", "two": "Two."}
    assert not laid.unanswered


def merged_with_the_next(cells: list[nb.Cell]) -> None:
    cells[2]["source"] = f"One.\n\n{SECOND}\n\nTwo."
    del cells[3:5]


def typed_into_the_text_below(cells: list[nb.Cell]) -> None:
    cells[5]["source"] = f"Two.\n\n{END}"


def a_comment_in_a_code_cell(cells: list[nb.Cell]) -> None:
    cells.insert(5, code("# Two: the columns ask for the image."))


def prose_in_a_code_cell(cells: list[nb.Cell]) -> None:
    cells.insert(4, code("The columns ask for the image of each text."))


def a_picture_alone(cells: list[nb.Cell]) -> None:
    cells[4]["attachments"] = {"page.png": {"image/png": "iVBORw0KGgo="}}


@pytest.mark.parametrize(
    "edit",
    [merged_with_the_next, typed_into_the_text_below, a_comment_in_a_code_cell, prose_in_a_code_cell, a_picture_alone],
)
def test_a_person_looks_wherever_a_written_answer_may_be(edit: Edit) -> None:
    _, laid = essays(edit)
    assert "two" not in laid.unanswered
    assert not [note for note in laid.notes if "unanswered" in note]


def test_code_of_ones_own_beside_a_written_answer_is_no_answer() -> None:
    assert essays(lambda cells: cells.insert(4, code("math.log(8)")))[1].unanswered == {"one", "two"}


@pytest.mark.parametrize(
    "stub",
    [
        "def f(x):\n    # What to do here?\n    raise NotImplementedError()",
        'def f(x):\n    "Squares."\n    raise NotImplementedError()',
    ],
)
def test_a_stub_with_another_comment_does_not_replace_the_answer(stub: str) -> None:
    def edit(cells: list[nb.Cell]) -> None:
        cells[2]["source"] = stub
        cells.insert(0, code(GOOD))

    laid = student(edit)
    assert outcome(laid.notebook["cells"], "test") == 9


def test_a_long_sum_is_no_stub() -> None:
    laid = student(lambda cells: cells[2].update(source="f = lambda x: " + "+".join(["x"] * 600)))
    assert outcome(laid.notebook["cells"], "test") == 1800


def test_a_comment_in_a_stub_is_kept_where_there_is_no_answer() -> None:
    def edit(cells: list[nb.Cell]) -> None:
        cells[2]["source"] = f"# I ran out of time.\n{STUB}"

    assert "# I ran out of time." in texts(student(edit))[1]


MANGLERS = st.lists(
    st.tuples(
        st.sampled_from(["delete", "copy", "swap", "retype", "forge", "strip", "own"]),
        st.integers(0, 99),
        st.integers(0, 99),
    ),
    max_size=8,
)


def mangle(student: nb.Notebook, edits: list[tuple[str, int, int]]) -> nb.Notebook:
    cells = student["cells"]
    for edit, a, b in edits:
        i, j = a % max(1, len(cells)), b % max(1, len(cells))
        if edit == "own" or not cells:
            cells.insert(i, code("own = 1"))
        elif edit == "delete":
            del cells[i]
        elif edit == "copy":
            cells.insert(j, copy.deepcopy(cells[i]))
        elif edit == "swap":
            cells[i], cells[j] = cells[j], cells[i]
        elif edit == "retype":
            cells[i]["cell_type"] = ["code", "markdown", "raw", "no such type"][b % 4]
        elif edit == "forge":
            grader = {
                "grade_id": ["answer", "test", "setup", "new", 7][b % 5],
                "grade": True,
                "solution": a % 2 == 0,
                "points": -1,
            }
            cells[i]["metadata"] = {"nbgrader": grader}
        else:
            cells[i].pop(["metadata", "source", "id", "outputs"][b % 4], None)
    return student


@given(MANGLERS)
def test_however_a_notebook_is_mangled_other_cells_stay_the_instructors(edits: list[tuple[str, int, int]]) -> None:
    """Each test cell and locked cell appears once, in the instructor's order, with the instructor's text, type and points, and no
    other cell has nbgrader's metadata."""
    try:
        laid = lay(mangle(fill_in(), edits))
    except SubmissionError:
        return
    known = [cell for cell in laid.notebook["cells"] if nb.grade_id(cell)]
    assert [cell["metadata"] for cell in known] == [cell["metadata"] for cell in RELEASE["cells"] if nb.grade_id(cell)]
    assert [cell["cell_type"] for cell in known] == ["code", "code", "code", "markdown"]
    assert (known[0]["source"], known[2]["source"]) == ("import math", HIDDEN)
    ids = [cell["id"] for cell in laid.notebook["cells"]]
    assert len(set(ids)) == len(ids)


def test_nbformat_accepts_a_laid_notebook() -> None:
    import nbformat

    student = mangle(fill_in(), [("copy", 2, 1), ("own", 1, 0), ("retype", 0, 3), ("strip", 2, 2)])
    nbformat.validate(nbformat.from_dict(lay(student).notebook))


def test_the_first_assignment_laid_into_itself_needs_no_repair() -> None:
    source, release = (nb.read(next((ROOT / part / NAME).glob("*.ipynb"))) for part in ("source", "release"))
    laid = laying.lay(source, release, release)
    assert laid.notes == ()
    assert [nb.grade_id(cell) for cell in laid.notebook["cells"]] == [nb.grade_id(cell) for cell in release["cells"]]
    assert {nb.grade_id(cell) for cell in source["cells"] if nb.is_answer(cell)} == laid.unanswered
