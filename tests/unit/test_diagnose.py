"""From a wrong answer to its hint: transcripts, known answers, diagnoses, `explain` and feedback pages, on a tiny assignment with
one law and two chaffs that no test tells apart."""

from __future__ import annotations

import html
import json
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from nbgrader.api import Gradebook

from autograder.cli import main
from autograder.course import Assignment, Course, open_course
from autograder.course import notebook as nb
from autograder.errors import CourseError
from autograder.gradebook.book import Book
from autograder.pages.explain.submission import explain
from autograder.pages.explain.wording import cell_lines, story_lines
from autograder.pages.feedback.advice import Advice
from autograder.pages.feedback.files import write_feedback
from autograder.pages.feedback.page import render_page
from autograder.pages.frames import raised_in_cell, raised_in_check
from autograder.pages.report.reading import read_report
from autograder.proof.prove import prove
from autograder.records import archive, known
from autograder.records.answers import format_value, name_question
from autograder.records.diagnose import Diagnosis, diagnose
from autograder.records.grade import Check, Grade, Marks
from autograder.records.store import read_record, read_run, record_path
from autograder.records.transcript import Asked, Exchange, Span
from autograder.sandbox import wire
from tests.support import grading
from tests.support import tiny as small
from tests.support.sandboxed import answer_cell, checking_cell
from tests.support.tiny import NAME, Desk

LAW_TEST = """check = Checks(points=3)
with check("two", 1):
    assert square(2) == 4, f"The square of 2 is 4; you return {square(2)}."
### BEGIN HIDDEN TESTS
from autograder.checks import assert_close, for_all
from hypothesis import strategies as st
with check("the square of a hundred numbers", 1):
    assert_close(square(300), 90_000, "your square of a large number")
with check("a number and its opposite have one square", 1):

    @for_all(10, x=st.integers(1, 1000))
    def _(x):
        one, other = square(x), square(-x)
        assert one == other, f"The square of {x} is {one} and that of {-x} is {other}."


### END HIDDEN TESTS
check.finish()"""
VARIANTS = """
# %% wheat: power
def square(x):
    return x**2

# %% chaff: doubles
# misconception: squaring is doubling
# hint: Try 3.
def square(x):
    return x + x

# %% chaff: cubes
# misconception: three factors
# hint: Count your factors.
def square(x):
    return x * x * x

# %% chaff: zero
# misconception: nothing is a start
# hint: Return something else than 0.
def square(x):
    return 0

# %% chaff: nought
# misconception: nothing will do
# hint: Nothing is not enough.
def square(x):
    return x - x
"""
SUBMISSIONS = {
    "right": "def square(x):\n    return x * x",
    "doubles-otherwise": "import numpy as np\nsquare = lambda number: np.sum([number, number])",
    "doubles-nearly": "def square(x):\n    return 2 * x * (1 + 1e-9 * (x != 2))",
    "unknown": "def square(x):\n    return x * x + (36 < x < 300)",
    "one-off": "def square(x):\n    return x * x + (abs(x) == 300)",
    "zero-otherwise": "def square(x):\n    return 0.0",
    "raises": "def square(x):\n    return x.squared()",
    "blank": "",
}


def make_source() -> nb.Notebook:
    """The tiny assignment with another test of square."""
    notebook = small.source()
    test = next(cell for cell in notebook["cells"] if nb.grade_id(cell) == "square")
    test["source"], test["metadata"]["nbgrader"]["points"] = LAW_TEST, 3
    return notebook


@pytest.fixture(scope="module")
def built(quick: None, tmp_path_factory: pytest.TempPathFactory) -> Course:
    """The course with its release and known answers, and a class that was graded once; nobody writes to it."""
    folder = tmp_path_factory.mktemp("diagnose")
    course = small.write_course(folder / "course", make_source(), VARIANTS)
    small.release(course, folder / "scratch")
    assignment = course.assignment(NAME)
    source = nb.read(assignment.source_path)
    for name, broken, _ in prove(assignment, source, nb.read(assignment.release_path), 2):
        assert not broken, f"{name}: {broken}"
    desk = Desk(assignment)
    for student, answer in SUBMISSIONS.items():
        desk.hand_in(student, desk.answered(square_solution=answer) if answer else desk.release)
    grading.grade(assignment, 2)
    return course


@pytest.fixture
def course(built: Course, tmp_path: Path) -> Course:
    """A copy of it, to be spoiled."""
    return open_course(shutil.copytree(built.root, tmp_path / "course", symlinks=True))


@pytest.fixture
def assignment(built: Course) -> Assignment:
    return built.assignment(NAME)


def read_diagnosis(assignment: Assignment, student: str) -> Diagnosis | None:
    record = read_record(assignment, student)
    assert record
    answers = known.read(assignment, nb.read(assignment.source_path))
    run = read_run(assignment, record)
    transcript = run.transcript if run else None
    return diagnose(answers, record.grade, transcript.cells if transcript else None).get("square-solution")


@pytest.mark.parametrize("student", ["doubles-otherwise", "doubles-nearly"])
def test_the_same_mistake_in_other_code_gets_the_chaffs_hint(assignment: Assignment, student: str) -> None:
    """A numpy integer in place of an int, a lambda, or a value that differs by rounding."""
    diagnosis = read_diagnosis(assignment, student)
    assert diagnosis
    assert (diagnosis.chaffs, diagnosis.misconception, diagnosis.hint) == (
        ("chaff-square-doubles",),
        "squaring is doubling",
        "Try 3.",
    )


def test_a_mistake_that_is_in_no_list_gets_the_broken_law_with_its_smallest_counterexample(
    assignment: Assignment,
) -> None:
    diagnosis = read_diagnosis(assignment, "unknown")
    assert diagnosis
    assert (diagnosis.hint, diagnosis.chaffs, diagnosis.cell) == ("", (), "square")
    assert diagnosis.check == "a number and its opposite have one square"
    assert diagnosis.message == "The square of 37 is 1370 and that of -37 is 1369."


def test_a_wrong_form_is_named_before_a_law_that_it_breaks(course: Course) -> None:
    desk = Desk(course.assignment(NAME))
    desk.hand_in("list", desk.answered(square_solution="def square(x):\n    return [x] * 2 if x > 0 else [x]"))
    grading.grade(course.assignment(NAME), 2, ["list"])
    diagnosis = read_diagnosis(course.assignment(NAME), "list")
    assert diagnosis
    assert diagnosis.check == "two"


def test_where_no_law_breaks_the_check_that_does_is_named(assignment: Assignment) -> None:
    diagnosis = read_diagnosis(assignment, "one-off")
    assert diagnosis
    assert diagnosis.sentence == (
        "This does not hold yet: the square of a hundred numbers. your square of a large number is 90001, off by more than "
        "rounding."
    )


def test_of_two_chaffs_that_nothing_tells_apart_neither_is_named(assignment: Assignment) -> None:
    diagnosis = read_diagnosis(assignment, "zero-otherwise")
    assert diagnosis
    assert (diagnosis.chaffs, diagnosis.hint) == ((), "")


def test_an_answer_that_raises_or_is_not_there_or_is_right_is_no_known_mistake(assignment: Assignment) -> None:
    raises = read_diagnosis(assignment, "raises")
    assert raises
    assert (raises.hint, "AttributeError" in raises.message) == ("", True)
    assert read_diagnosis(assignment, "blank") is None
    assert read_diagnosis(assignment, "right") is None


@pytest.mark.parametrize("change", ["variants", "test", "seed", "file"])
def test_known_answers_of_another_assignment_give_no_hint(course: Course, change: str) -> None:
    assignment = course.assignment(NAME)
    if change == "variants":
        path = assignment.folder / "variants" / "square.py"
        path.write_text(path.read_text().replace("Try 3.", "Try 4."))
    elif change == "test":
        text = assignment.source_path.read_text()
        assignment.source_path.write_text(text.replace("square(300), 90_000", "square(301), 90_601"))
    elif change == "seed":
        (assignment.folder / "assignment.toml").write_text("seed = 1\n")
    else:
        next(assignment.folder.rglob("*.known")).write_bytes(b"damaged")
    assignment = open_course(course.root).assignment(NAME)
    assert known.read(assignment, nb.read(assignment.source_path)) == known.Known()
    assert known.find_missing_proof(assignment) == "tiny has changed since it was built; `autograder build tiny` first"
    diagnosis = read_diagnosis(assignment, "doubles-otherwise")
    assert diagnosis is None or not diagnosis.hint


def test_what_pages_show_is_no_part_of_the_grade(course: Course) -> None:
    settings = course.root / "assignments" / NAME / "assignment.toml"
    settings.write_text('show_expected = ["square"]\n' + settings.read_text())
    assert grading.grade(open_course(course.root).assignment(NAME), 2).kept == len(SUBMISSIONS)


def test_prose_may_change_and_the_hints_stay(course: Course) -> None:
    assignment = course.assignment(NAME)
    assignment.source_path.write_text(assignment.source_path.read_text().replace("# Squares", "# On squares"))
    diagnosis = read_diagnosis(assignment, "doubles-nearly")
    assert diagnosis
    assert diagnosis.hint == "Try 3."


def name_call(*arguments: Any) -> bytes:
    """The name of the question f(*arguments)."""
    return name_question(Exchange(wire.pack(["call", 1, wire.encode(list(arguments)), wire.encode({}), False]), b"", 0))


@pytest.mark.parametrize(("dtype", "ulps", "most"), [(np.float64, 4, 0), (np.float32, 2, 2), (np.complex128, 4, 0)])
def test_a_question_has_one_name_on_all_machines(dtype: Any, ulps: int, most: int) -> None:
    """Another processor's vector instructions round a test's inputs in another way: of 200 matrices, next to none is another
    question for it. Other numbers, another order, type or shape are."""
    draw = np.random.default_rng(0)
    changed = taken = 0
    for _ in range(200):
        here = (draw.standard_normal((5, 7)) * 10 ** draw.uniform(-2, 2, (5, 1))).astype(dtype)
        there = (here * (1 + np.finfo(dtype).eps * draw.integers(-ulps, ulps + 1, here.shape))).astype(dtype)
        changed += name_call(here, 0.3) != name_call(there, 0.1 + 0.2)
        swapped, other = (
            here[:, ::-1].copy(),
            here + (np.arange(35).reshape(5, 7) == 17) * np.abs(here).mean().astype(dtype),
        )
        names = {name_call(x, 0.3) for x in (here, swapped, here.T.copy(), other, here.real.astype(np.float16), -here)}
        taken += 7 - len(names | {name_call(here, 0.31)})
    assert (changed <= most, taken <= most) == (True, True)


def test_what_is_not_finite_is_part_of_a_questions_name() -> None:
    values = ([1.0, np.nan], [np.nan, 1.0], [np.inf, 1.0], [-np.inf, 1.0], [0.0, 1.0], [1.0, 0.0], [0.0, 0.0])
    assert len({name_call(np.array(value)) for value in values}) == len(values)
    assert name_call(np.array([0.0, -0.0])) == name_call(np.array([-0.0, 0.0]))


@pytest.mark.parametrize(
    "request_",
    [
        b"",
        b"\xc1",
        ["call", ["tensor", "float64", [float("inf")], b"8"]],
        ["ndarray", "float64", 3, b"8"],
        ["ndarray", "odd", [1], b"8"],
    ],
)
def test_a_damaged_question_has_a_name(request_: Any) -> None:
    exchange = Exchange(request_ if isinstance(request_, bytes) else wire.pack(request_), b"", 0)
    assert name_question(exchange) == exchange.name


def test_known_answers_are_no_part_of_the_grade(course: Course) -> None:
    """Or every build would grade everybody anew."""
    assignment = course.assignment(NAME)
    next(assignment.folder.rglob("*.known")).unlink()
    assert grading.grade(assignment, 2).kept == len(SUBMISSIONS)


def test_explain_tells_what_was_asked_what_came_back_and_what_the_solution_says(assignment: Assignment) -> None:
    lines = list(story_lines(explain(assignment, "doubles-otherwise", "square")))
    text = "\n".join(lines)
    assert lines[0] == "doubles-otherwise, tiny: completed, 2 of 6"
    assert "  passed  two (1)" in lines
    assert "  FAILED  the square of a hundred numbers (1)" in lines
    assert "    asked:    square(300)\n    answered: 600\n    solution: 90000" in text
    assert "    drawn:    x=1" in text
    assert "  same answers as chaff-square-doubles (squaring is doubling)\n  hint: Try 3." in text


def test_explain_shows_what_a_law_asked_of_its_smallest_counterexample_and_counts_the_rest(
    assignment: Assignment,
) -> None:
    """hypothesis tries many on the way there, and some of them again."""
    (cell,) = explain(assignment, "unknown", "square").cells
    law = cell.checks[2]
    assert [(question.asked, question.answered) for question in law.questions] == [
        ("square(37)", "1370"),
        ("square(-37)", "1369"),
    ]
    assert law.left_out > 8
    lines = list(cell_lines(cell))
    start = lines.index("    drawn:    x=37")
    assert lines[start + 1] == f"    (after {law.left_out} questions on other draws)"
    end = lines.index("    the check failed here", start)
    assert lines[end - 1] == "    answered: 1369"


def test_explain_tells_a_question_that_was_asked_again_once(assignment: Assignment) -> None:
    """The first check asks before it compares, and again for its message."""
    (cell,) = explain(assignment, "zero-otherwise", "square").cells
    assert "    asked:    square(2)    (2 times)" in list(cell_lines(cell))


def test_what_a_student_wrote_is_no_command_to_the_terminal_and_no_line_of_explain(course: Course) -> None:
    assignment = course.assignment(NAME)
    desk = Desk(assignment)
    forged = "def square(x):\n    raise ValueError('\\x1b[2J\\x1b]0;mine\\x07no\\n  passed  three hundred (1)\\r')"
    desk.hand_in("forger", desk.answered(square_solution=f"{forged}\nsquare(1)"))
    grading.grade(assignment, 2, ("forger",))
    text = "\n".join(story_lines(explain(assignment, "forger")))
    assert all(line.isprintable() for line in text.split("\n"))
    assert "  passed  three hundred (1)" in text
    assert not [line for line in text.split("\n") if line.startswith("  passed  three")]


def test_explain_tells_an_answer_that_is_not_written_in_a_line(course: Course) -> None:
    """And not one of which a part is."""
    assignment = course.assignment(NAME)
    (blank,) = explain(assignment, "blank", "square").cells
    assert list(cell_lines(blank)) == ["square: 0 of 3", "  not written yet"]
    desk = Desk(assignment)
    half = "def square(x):\n    if x == 2:\n        raise NotImplementedError\n    return x"
    desk.hand_in("half", desk.answered(square_solution=half))
    grading.grade(assignment, 2, ("half",))
    (written,) = explain(assignment, "half", "square").cells
    assert any("your square of a large number" in line for line in cell_lines(written))


def test_a_student_whose_cell_stopped_is_told_to_start_there(course: Course) -> None:
    """Not at the check that could not find what it did not define."""
    assignment = course.assignment(NAME)
    desk = Desk(assignment)
    desk.hand_in("mistyped", desk.answered(square_solution="def square(x)\n    return x * x"))
    desk.hand_in("afterwards", desk.answered(square_solution="def square(x):\n    return x * x\n\n\nsquare('a')"))
    grading.grade(assignment, 2, ("mistyped", "afterwards"))
    pages = write_pages(course, "mistyped", "afterwards", "unknown")
    mistyped = pages.pop("mistyped")
    start = mistyped.index("Start here.</strong> Your own cell stopped with an error")
    assert start < mistyped.index("NameError")
    assert "SyntaxError: expected &#39;:&#39; (line 1)" in mistyped[start : start + 200]
    assert "Start with this one" not in mistyped
    assert [name for name in pages if "Start here." in pages[name]] == []


def test_explain_says_which_cells_raised(course: Course) -> None:
    """Or a TA would see that a name is not defined, and not why."""
    assignment = course.assignment(NAME)
    desk = Desk(assignment)
    desk.hand_in("mistyped", desk.answered(square_solution="def square(x)\n    return x * x"))
    grading.grade(assignment, 2, ("mistyped",))
    story = explain(assignment, "mistyped", "square")
    (error,) = story.as_json()["raised"].values()
    assert error == "SyntaxError: expected ':' (line 1)"
    lines = list(story_lines(story))
    assert lines[1] == f"square-solution raised {error}"
    assert any("NameError: name 'square' is not defined" in line for line in lines)
    assert explain(assignment, "right").raised == {}


@pytest.mark.parametrize(("rows", "whole"), [(8, True), (9, False)])
def test_a_matrix_is_shown_whole_with_its_rows_beneath_each_other(rows: int, whole: bool) -> None:
    matrix = np.arange(rows * 8).reshape(rows, 8)
    text = format_value(matrix)
    assert text.count("\n") == (rows - 1 if whole else 0)
    assert ("..." in text) is not whole
    assert "..." not in format_value(matrix, 10_000)


def test_explain_puts_a_persons_points_beside_those_of_the_tests(course: Course) -> None:
    """Also while somebody grades."""
    assignment = course.assignment(NAME)
    with Gradebook(course.db_url, course.course_id) as book:
        rows = {row.name: row for row in book.find_submission_notebook("tiny", NAME, "unknown").grades}
        for name, points in {"square": 2.5, "essay": 1}.items():
            rows[name].manual_score, rows[name].needs_manual_grade = points, False
        book.db.commit()
        tests = rows["square"].auto_score
    with Book(course):
        story = explain(assignment, "unknown")
    text = "\n".join(story_lines(story))
    assert f"square: 2.5 of 3, marked by a person (tests: {tests:g})" in text
    assert "essay: 1 of 2, marked by a person\n" in text + "\n"
    assert story.as_json()["total"] == 2.5 + 1 + 1
    assert f"completed, {4.5:g} of 6" in text
    assert [cell["by_person"] for cell in story.as_json()["cells"]] == [2.5, None, 1]


def test_explain_without_a_gradebook_makes_none(course: Course) -> None:
    path = Path(course.db_url.removeprefix("sqlite:///"))
    path.unlink()
    assert list(story_lines(explain(course.assignment(NAME), "right")))
    assert not path.exists()


def test_explain_as_json_and_without_a_cell(built: Course) -> None:
    done = CliRunner().invoke(main, ["explain", "unknown", NAME, "--course", str(built.root), "--json"])
    story = json.loads(done.stdout)
    assert done.exit_code == 0
    assert [cell["grade_id"] for cell in story["cells"]] == ["square", "double", "essay"]
    assert story["cells"][0]["diagnosis"]["check"] == "a number and its opposite have one square"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (("nobody",), "nobody has not handed in tiny: "),
        (("late",), "late has no grade for tiny yet; `autograder grade tiny` first"),
        (("right", "cube"), "no graded cell 'cube'"),
    ],
)
def test_explain_says_what_is_not_there(built: Course, call: tuple[str, ...], message: str) -> None:
    student, *cell = call
    (built.submitted / "late" / NAME).mkdir(parents=True, exist_ok=True)
    done = CliRunner().invoke(main, ["explain", student, NAME, *cell, "--course", str(built.root)])
    assert (done.exit_code, message in done.output) == (2, True)


def test_explain_of_a_record_without_a_transcript_says_so(course: Course) -> None:
    next(course.transcripts.glob("right/*.run")).unlink()
    assert "no transcript is kept" in "\n".join(story_lines(explain(course.assignment(NAME), "right")))


def write_pages(course: Course, *students: str) -> dict[str, str]:
    return {path.parent.parent.name: path.read_text() for path in write_feedback(course.assignment(NAME), students)}


DEEP = """
def helper(x):
    import json
    return json.loads("{" + str(x))

def square(x):
    half = x / 2
    return helper(half)"""
CALLING = "def double(x):\n    return square(x) + x\n\ndouble(4)"


def test_an_error_has_its_lines_on_the_page_and_in_explain(course: Course) -> None:
    """Those of the student's code: none of a test's, a library's or ours."""
    assignment = course.assignment(NAME)
    desk = Desk(assignment)
    desk.hand_in("deep", desk.answered(square_solution=DEEP, double_solution=CALLING))
    grading.grade(assignment, 2, ("deep",))
    text = html.unescape(re.sub("<[^>]+>", "", write_pages(course, "deep")["deep"]))
    assert 'Line 8 in square: return helper(half)Line 4 in helper: return json.loads("{" + str(x))' in text
    assert "Line 4: double(4)Line 2 in double: return square(x) + xLine 8 of another cell in square" in text
    assert "double calls your square, which does not pass its checks." in text
    assert "child.py" not in text and "do_call" not in text and "raw_decode" not in text.split("Traceback")[0]
    story = explain(assignment, "deep")
    lines = list(story_lines(story))
    at = lines.index("    raised at: line 8, in square: return helper(half)")
    assert lines[at + 1] == '    raised at: line 4, in helper: return json.loads("{" + str(x))'
    assert "  `double` calls your `square`, which does not pass its checks" in lines
    assert "     7 |     half = x / 2" in lines and "     2 |     return square(x) + x" in lines
    (cell, double, _) = story.as_json()["cells"]
    assert cell["checks"][0]["raised"][0] == {
        "line": 8, "code": "return helper(half)", "function": "square", "cell": "square-solution"
    }  # fmt: skip
    assert cell["code"] == DEEP
    assert double["calls"] == [{"caller": "double", "callee": "square", "cell": "square-solution"}]


def test_a_traceback_shows_no_text_that_the_students_process_wrote(course: Course) -> None:
    """It could quote a hidden test's inputs at any length: of a frame only the number counts, the code is the notebook's."""
    assignment = course.assignment(NAME)
    desk = Desk(assignment)
    forged = """def square(x):
    source = "def f():\\n    raise ValueError\\nf()".replace("f()", f"leaked_{x}()")
    exec(compile(source, "/tmp/ipykernel_1/12345.py", "exec"))"""
    desk.hand_in("forger", desk.answered(square_solution=forged))
    grading.grade(assignment, 2, ("forger",))
    page = write_pages(course, "forger")["forger"]
    frames = re.findall(r'<span class="frames">.*?</span></span>', page)
    assert frames and not [frame for frame in frames if re.search(r"leaked_-?\d", frame)]


def test_a_forged_traceback_of_any_length_costs_no_time(course: Course) -> None:
    answer = answer_cell("def f(x):\n    return x\n" * 500, "f-solution")
    place = '  File "/tmp/ipykernel_1/1.py", line 2, in f\n    return x\n'
    notebook = {"cells": [answer] * 100, "metadata": {}}
    reply = wire.pack(["error", "E", "no", place * 100_000])
    asked = Asked((Exchange(b"", reply, 1),), (Span("c", 0, 1),))
    start = time.perf_counter()
    (frame,) = raised_in_check(Check("c", 1, False, "E: no"), 0, asked, notebook)
    answer |= {
        "execution_count": 1,
        "outputs": [{"output_type": "error", "traceback": ["Cell In[1], line 2\n"] * 100_000}],
    }
    assert raised_in_cell(answer, notebook) == (frame,)
    assert (frame.line, frame.code, frame.function) == (2, "return x", "f")
    assert time.perf_counter() - start < 5  # 0.3 s


@pytest.mark.parametrize(
    "reply", [b"", b"\xff", ["error"], ["error", 1, 2, 3], ["error", "E", "no", "x"], ["ok", 1], ["ended"]]
)
def test_a_damaged_reply_has_no_lines(reply: Any) -> None:
    packed = reply if isinstance(reply, bytes) else wire.pack(reply)
    asked = Asked((Exchange(b"", packed, 1),), (Span("c", 0, 1),))
    assert raised_in_check(Check("c", 1, False, "E: no"), 0, asked, {"cells": [], "metadata": {}}) == ()


def test_a_page_has_the_hint_before_the_checks_and_one_hint_a_task(course: Course) -> None:
    pages = write_pages(course, "doubles-otherwise", "unknown", "right")
    text = pages["doubles-otherwise"]
    checks = text.index("passed</b> <span>two"), text.index("not yet</b> <span>the square of")
    assert text.index('class="hint"') < checks[0] < checks[1]
    assert text.count('class="hint"') == 1
    assert "squaring is doubling" in text
    assert "Try 3." not in pages["unknown"]
    assert 'class="hint"' not in pages["right"]


def test_a_page_says_where_to_start_where_several_checks_broke(course: Course) -> None:
    desk = Desk(course.assignment(NAME))
    desk.hand_in("shifted", desk.answered(square_solution="def square(x):\n    return x * x + x * (x != 2)"))
    grading.grade(course.assignment(NAME), 2, ["shifted"])
    text = write_pages(course, "shifted")["shifted"]
    (line,) = (part for part in text.split("<li") if "Start with this one." in part)
    assert "a number and its opposite have one square" in line
    assert "The square of 1 is 2" in line


def test_a_page_says_which_broken_checks_can_be_run_in_the_students_notebook(course: Course) -> None:
    desk = Desk(course.assignment(NAME))
    desk.hand_in("zero", desk.answered(square_solution="def square(x):\n    return 0"))
    grading.grade(course.assignment(NAME), 2, ["zero"])
    broken = [part for part in write_pages(course, "zero")["zero"].split("<li") if "not yet</b>" in part]
    assert ["in your notebook, too" in part for part in broken] == [True, False]
    assert "<span>two" in broken[0]


def test_hints_never_move_a_mark(built: Course) -> None:
    with_hints = {name: record_path(built.assignment(NAME), name).read_text() for name in SUBMISSIONS}
    assert not [name for name, text in with_hints.items() if "Try 3." in text or "squaring is doubling" in text]


# Matrices


MATRIX = """check = Checks(points=1)
### BEGIN HIDDEN TESTS
from autograder.checks import assert_close
with check("the table", 1):
    assert_close(table(2), [[1.25, 2.5], [3.75, 5.125]], "your table")
### END HIDDEN TESTS
check.finish()"""


@pytest.fixture
def matrix_course(quick: None, tmp_path: Path) -> Iterator[Course]:
    source = small.source()
    source["cells"] = [cell for cell in source["cells"] if nb.grade_id(cell) in (None, "setup")]
    source["cells"] += [
        answer_cell("### BEGIN SOLUTION\ntable = lambda n: [[1.25, 2.5], [3.75, 5.125]]\n### END SOLUTION", "table-solution"),
        checking_cell(MATRIX, 1, "table"),
    ]  # fmt: skip
    source["cells"] = [{**cell, "id": f"c{n}"} for n, cell in enumerate(source["cells"])]
    course = small.write_course(tmp_path / "course", source)
    (course.root / "assignments/tiny/variants/square.py").unlink()
    small.release(course, tmp_path / "scratch")
    assignment = course.assignment(NAME)
    list(prove(assignment, nb.read(assignment.source_path), nb.read(assignment.release_path), 2))
    desk = Desk(assignment)
    answers = {"table-solution": "table = lambda n: [[1.25, 9.5], [3.75, float('nan')]]"}
    desk.hand_in("wrong", nb.with_answers(desk.release, answers))
    grading.grade(assignment, 1)
    yield course


def test_matrices_stand_side_by_side_only_where_the_assignment_allows(matrix_course: Course) -> None:
    text = write_pages(matrix_course)["wrong"]
    assert "What your function returned" not in text
    assert "5.12" not in text
    settings = matrix_course.root / "assignments" / NAME / "assignment.toml"
    settings.write_text('show_expected = ["table"]\n' + settings.read_text())
    text = write_pages(open_course(matrix_course.root))["wrong"]
    assert text.index("What your function returned") < text.index(">9.5<") < text.index("What it should return")
    assert text.index("What it should return") < text.index("5.12")
    assert text.count("(not right)") == 2


def test_a_cell_that_is_not_there_cannot_be_shown(matrix_course: Course) -> None:
    settings = matrix_course.root / "assignments" / NAME / "assignment.toml"
    settings.write_text('show_expected = ["tabel"]\n' + settings.read_text())
    with pytest.raises(CourseError, match="show_expected: no test cell is called tabel"):
        write_pages(open_course(matrix_course.root))


def test_advice_is_text_on_a_page() -> None:
    from autograder.records.grade import CellGrade, Check

    cell = CellGrade(1.0, 0.0, (Check("a", 1.0, False, "no"),))
    diagnosis = Diagnosis("t-solution", "t", "a", "no", ("chaff-t-x",), "<b>idea</b>", "<script>alert(1)</script>")
    html = render_page(
        Grade("s", "a", "completed", {"t": cell}), {"cells": []}, "a", Marks(), advice={"t": Advice(diagnosis)}
    )
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_one_submission_that_cannot_be_read_costs_its_own_page_alone(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is wrong with it: here its diagnosis fails."""

    def fail(known: Any, grade: Any, asked: Any) -> dict[str, Any]:
        if grade.student == "unknown":
            raise OverflowError("cannot convert float infinity to integer")
        return diagnose(known, grade, asked)

    monkeypatch.setattr(archive, "diagnose", fail)
    others = {path.parent.name for path in course.transcripts.glob("*/*.run")} - {"unknown"}
    for command, reason in (("feedback", "no page for unknown"), ("report", "not read in full: unknown")):
        done = CliRunner().invoke(main, [command, NAME, "--course", str(course.root)])
        assert (done.exit_code, done.exception.__class__) == (1, SystemExit), done.output
        assert f"autograder: {reason}: " in done.output.replace("no misconceptions: ", "")
        assert "OverflowError: cannot convert float infinity to integer" in done.output
    assert others <= write_pages(course).keys()
    assert "unknown" in {row.student for row in read_report(course.assignment(NAME)).rows}
