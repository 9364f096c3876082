"""An assignment is handed out only when its tests are proven: each way to fail is refused with its line."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autograder.course import Assignment, Course, Variant, open_course
from autograder.course import notebook as nb
from autograder.errors import CourseError
from autograder.gradebook.generate import generate
from autograder.judge.imports import bound
from autograder.proof.build import build
from autograder.proof.expectation import Expectation
from autograder.proof.faults import find_faults
from autograder.proof.prove import prove
from autograder.proof.regions import find_marker_faults
from autograder.proof.release import find_leaked_files, find_leaks
from autograder.proof.tasks import find_answer_cell, group_tests, narrow_to_task
from autograder.proof.trial import Trial, make_trials
from autograder.records.grade import CellGrade, Check, Grade
from tests.support.sandboxed import answer_cell, checking_cell, code
from tests.support.tiny import NAME, SETUP, SQUARE_TEST, VARIANTS, source, write_course

pytestmark = pytest.mark.usefixtures("quick")

CATCHES_ALL = "# %% chaff: none\n# misconception: m\n# hint: h\ndef square(x): return None\n"


def edited(**texts: str) -> nb.Notebook:
    """The tiny assignment's source with some cells' text replaced, by grade_id with an underscore for its hyphen."""
    return nb.with_answers(source(), {name.replace("_", "-"): text for name, text in texts.items()})


@pytest.fixture
def built(tiny: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """What `build` says of a course with this notebook and these variants."""

    def generate_at_once(assignment: Assignment, target: Path, db_url: str) -> nb.Notebook:
        """Into a database that is there already: to make a new one takes nbgrader 2 s."""
        shutil.copy(tiny.db_url.removeprefix("sqlite:///"), db_url.removeprefix("sqlite:///"))
        return generate(assignment, target, db_url)

    def build_one(made: nb.Notebook | None = None, variants: str = VARIANTS) -> list[str]:
        course = write_course(tmp_path / "course", made, variants)
        return build(course.assignment(NAME), 2, lambda _, rows: rows)

    monkeypatch.setattr("autograder.proof.build.generate", generate_at_once)
    return build_one


@pytest.fixture
def disproven(tiny: Course, tmp_path: Path) -> Callable[..., list[str]]:
    """What is left unproven of a source notebook and its variants, one line each."""

    def prove_one(made: nb.Notebook | None = None, variants: str = CATCHES_ALL) -> list[str]:
        shutil.rmtree(tmp_path / "course", ignore_errors=True)
        assignment = write_course(tmp_path / "course", made, variants).assignment(NAME)
        edited_source = nb.read(assignment.source_path)
        release = nb.read(tiny.assignment(NAME).release_path)
        for stripped, full in zip(release["cells"], edited_source["cells"], strict=False):
            if not nb.is_answer(full):  # what nbgrader would take over as it is
                stripped.update(metadata=full["metadata"], source=full["source"])
        rows = prove(assignment, edited_source, release, 2)
        return [f"{name}: {broken}" for name, broken, _ in rows if broken]

    return prove_one


def test_what_is_proven_is_published(built: Callable[..., list[str]], tmp_path: Path) -> None:
    assert built() == []
    released = nb.read(tmp_path / "course/release/tiny/tiny.ipynb")
    assert "squared_value" not in str(released)
    assert "square(300)" not in str(released)
    assert not list((tmp_path / "course/release").glob(".*"))


def test_what_is_disproven_is_refused_and_the_old_release_stays(
    built: Callable[..., list[str]], tmp_path: Path
) -> None:
    """A blank that earns: such a test looks at nothing that the student wrote."""
    old = tmp_path / "course/release/tiny/tiny.ipynb"
    old.parent.mkdir(parents=True)
    old.write_bytes(b"old")
    assert built(edited(double="double\nNone")) == ["blank: double gets 1 but should get 0"]
    assert old.read_bytes() == b"old"


def test_a_leak_is_refused(built: Callable[..., list[str]], tmp_path: Path) -> None:
    made = source()
    made["cells"][2]["metadata"]["note"] = "squared_value = x * x"
    line = "left in the release: cell 3 (square-solution): hidden line 'squared_value = x * x'"
    assert built(made) == [line]
    assert not (tmp_path / "course/release").exists()


def test_a_solution_that_fails_its_own_test_is_disproven(disproven: Callable[..., list[str]]) -> None:
    wrong = edited(double_solution="def double(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION")
    assert disproven(wrong, CATCHES_ALL.replace("None", "x * x")) == ["solution: double gets 0 of 1 (AssertionError: )"]


def test_points_that_do_not_agree_are_told_as_the_solutions_alone(disproven: Callable[..., list[str]]) -> None:
    """Else every wheat and chaff would say something that follows from it."""
    made = edited(square=SQUARE_TEST.replace("points=2", "points=1").replace(", 1):", ", 0.5):"))
    assert disproven(made) == ["solution: square gets 1 of 2 (its checks add up to 1)"]


def test_a_wrong_solution_says_nothing_of_tolerances(built: Callable[..., list[str]]) -> None:
    test = SQUARE_TEST.replace(
        "HIDDEN TESTS\nwith", "HIDDEN TESTS\nfrom autograder.checks import assert_close\nwith", 1
    )
    test = test.replace(
        'assert square(300) == 90_000, "Try a larger number."', 'assert_close(square(300), 90_000, "it")'
    )
    wrong = "def square(x):\n    ### BEGIN SOLUTION\n    return x * x * 1.5\n    ### END SOLUTION"
    (problem,) = built(edited(square=test, square_solution=wrong))
    assert problem.startswith("solution: square gets 0 of 2")


@pytest.mark.parametrize(
    ("cell", "text", "said"),
    [
        ("square", SQUARE_TEST.replace("### END HIDDEN TESTS", ""), "line 5 opens a region that no line closes"),
        ("square", SQUARE_TEST.replace("### BEGIN HIDDEN TESTS", ""), "line 9 closes a region that no line opens"),
        (
            "square",
            f"{SQUARE_TEST}\n{SQUARE_TEST}".replace("### END HIDDEN TESTS", "", 1),
            "line 14 opens a region inside the one from line 5",
        ),
        (
            "double_solution",
            "def double(x):\n    ### BEGIN SOLUTION\n    return x + x",
            "line 2 opens a region that no",
        ),
        ("double_solution", f"def double(x): return x + x\n{SQUARE_TEST}", "belongs in a test cell"),
        ("essay", "### BEGIN MARK SCHEME\nOne.\n", "line 1 opens a region that no line closes"),
        (
            "double_solution",
            "def double(x):\n    return x + x",
            "no line ### BEGIN SOLUTION: students would not get even",
        ),
    ],
)
def test_a_region_that_is_not_closed_is_named_with_its_cell_and_line(
    built: Callable[..., list[str]], cell: str, text: str, said: str
) -> None:
    """nbgrader stops at the first, and says of none where it is."""
    problems = built(edited(**{cell: text}))
    assert any(problem.startswith(f"cell {cell.replace('_', '-')}: ") and said in problem for problem in problems), (
        problems
    )


def test_a_mark_scheme_does_not_end_the_solution_that_it_stands_in() -> None:
    scheme = "    ### BEGIN MARK SCHEME\n    # One point.\n    ### END MARK SCHEME\n"
    made = edited(
        double_solution=f"def double(x):\n    ### BEGIN SOLUTION\n{scheme}    twice_the_number = x + x\n    ### END SOLUTION"
    )
    assert find_marker_faults(made) == []
    assert any(
        "twice_the_number" in leak for leak in find_leaks(made, edited(double_solution="    twice_the_number = x + x"))
    )


def test_what_is_tried_comes_in_the_notebooks_order(tmp_path: Path) -> None:
    """And not in that of the files, which are sorted by name."""
    course = write_course(tmp_path / "course", variants=VARIANTS)
    other = course.root / "assignments" / NAME / "variants" / "double.py"
    other.write_text("# %% wheat: sum\ndef double(x): return x + x\n")
    names = list(make_trials(course.assignment(NAME), source()))
    assert names == ["solution", "blank", "wheat-square-power", "chaff-square-doubles", "wheat-double-sum"]


def test_what_breaks_many_is_said_once(built: Callable[..., list[str]]) -> None:
    wheats = "".join(f"\n# %% wheat: w{n}\ndef square(x): return x**2\n" for n in range(5))
    (line,) = built(edited(), variants=VARIANTS + wheats.replace("x**2", "0"))[:1]
    assert line.startswith("wheat-square-w0: square gets 0 of 2")
    assert line.endswith("(also wheat-square-w1, wheat-square-w2, wheat-square-w3 and 1 more)")


def test_one_task_is_tried_alone_and_nothing_is_released(built: Callable[..., list[str]], tmp_path: Path) -> None:
    """The other tasks' variants are not graded, so what is wrong with them is not seen, and known answers stay as they are."""
    ill = f"{VARIANTS}\n# %% chaff: caught_by_nothing\n# misconception: m\n# hint: h\ndef square(x): return x**2\n"
    assert built(variants=ill) == ["chaff-square-caught_by_nothing: square gets full marks: no check catches it"]
    assignment = open_course(tmp_path / "course").assignment(NAME)
    for path in (tmp_path / "course").rglob("*.known"):
        path.unlink()
    graded: list[str] = []

    def watch(total: int, rows: Any) -> Any:
        for row in rows:
            graded.append(row[0])
            yield row
        assert total == len(graded)
        graded.sort()

    assert build(narrow_to_task(assignment, "double"), 2, watch) == []
    assert graded == ["blank", "solution"]
    graded.clear()
    assert not list((tmp_path / "course").glob("release/*"))
    assert not list((tmp_path / "course").rglob("*.known"))
    assert len(build(narrow_to_task(assignment, "square"), 2, watch)) == 1
    with pytest.raises(CourseError, match="tiny has no task 'cube'; its tasks are: square, double"):
        narrow_to_task(assignment, "cube")


def test_a_release_that_imports_the_engine_is_refused(built: Callable[..., list[str]]) -> None:
    made = edited(square=f"from autograder.checks import is_close\n{SQUARE_TEST}")
    told = "square imports autograder, which students do not have: import it in the hidden part of a test cell"
    assert built(made) == [told]


def test_a_chaff_that_no_check_catches_is_disproven(disproven: Callable[..., list[str]]) -> None:
    right = CATCHES_ALL.replace("None", "x * x")
    assert disproven(variants=right) == ["chaff-square-none: square gets full marks: no check catches it"]


def test_a_chaff_that_is_not_valid_python_is_told_before_anything_runs(built: Callable[..., list[str]]) -> None:
    """With the reason: what the tests say of it is that they did not find its function."""
    broken = CATCHES_ALL.replace("return None", "return (None")
    magic = "# %% wheat: timed\n%time\ndef square(x): return x * x\n"
    told = ["chaff-square-none is not valid Python: '(' was never closed: `def square(x): return (None`"]
    assert built(variants=broken + magic) == told


@pytest.mark.parametrize("body", ["def sqare(x): return None", "def square(x): return y"])
def test_a_chaff_that_does_not_run_is_disproven(disproven: Callable[..., list[str]], body: str) -> None:
    """It is caught by every check, and its hint would reach each student whose code does not run either."""
    (problem,) = disproven(variants=CATCHES_ALL.replace("def square(x): return None", body))
    name = "y" if body.endswith("y") else "square"
    assert problem == f"chaff-square-none: it does not run (NameError: name '{name}' is not defined)"


def test_a_chaff_that_loses_in_another_task_is_disproven(disproven: Callable[..., list[str]]) -> None:
    dependent = "def double(x):\n    ### BEGIN SOLUTION\n    return square(x + 1) - square(x) - 1\n    ### END SOLUTION"
    (problem,) = disproven(edited(double_solution=dependent))
    assert problem.startswith("chaff-square-none: double gets 0 of 1")


def test_a_wheat_that_loses_a_mark_is_disproven(disproven: Callable[..., list[str]]) -> None:
    wheat = "# %% wheat: small\ndef square(x): return x * x if x < 100 else 0\n"
    assert disproven(variants=wheat) == ["wheat-square-small: square gets 1 of 2 (three hundred: Try a larger number.)"]


def test_a_test_that_ends_in_no_score_is_disproven(disproven: Callable[..., list[str]]) -> None:
    assert any("ends in a str" in problem for problem in disproven(edited(double="assert double(2) == 4\n'ok'")))


def test_data_of_a_locked_cell_in_a_test_is_disproven(disproven: Callable[..., list[str]]) -> None:
    made = edited(setup=f"{SETUP}\nfixture = 4", double="assert double(2) == fixture")
    assert any(
        problem.startswith("solution: double gets 0 of 1 (StudentError: `fixture` is plain data (int)")
        for problem in disproven(made)
    )


def test_an_import_of_another_test_cell_is_not_borrowed(disproven: Callable[..., list[str]]) -> None:
    """A student runs the tests in any order, and of that other one perhaps the visible part alone."""
    made = edited(double="assert math.isclose(double(2), 4)", square=f"import math\n{SQUARE_TEST}")
    assert disproven(made)[0] == "solution: double gets 0 of 1 (NameError: name 'math' is not defined)"


def test_a_locked_cell_that_raises_beside_the_right_answers_is_disproven(disproven: Callable[..., list[str]]) -> None:
    """Every student would meet it, and its tests would not show it."""
    made = edited(setup=f"{SETUP}\nraise OSError('no such data')")
    assert disproven(made) == ["solution: cell setup raises OSError: no such data"]


def test_a_locked_cell_may_raise_where_its_tag_says_so(disproven: Callable[..., list[str]]) -> None:
    made = edited(setup=f"{SETUP}\nraise OSError('look at this')")
    made["cells"][1]["metadata"]["tags"] = ["raises-exception"]
    assert disproven(made) == []


def test_a_practice_cell_without_points_is_proven_by_its_checks(disproven: Callable[..., list[str]]) -> None:
    made = edited(square=SQUARE_TEST.replace("points=2", "points=0").replace(", 1):", ", 0):"))
    made["cells"][3]["metadata"]["nbgrader"]["points"] = 0
    assert disproven(made) == []
    wheat = "# %% wheat: small\ndef square(x): return x * x if x < 100 else 0\n"
    assert disproven(made, wheat) == ["wheat-square-small: square gets 0 of 0 (three hundred: Try a larger number.)"]
    chaff = "# %% chaff: small\n# misconception: m\n# hint: h\ndef square(x): return x ** 2\n"
    assert disproven(made, chaff) == ["chaff-square-small: square gets full marks: no check catches it"]


@pytest.mark.parametrize(
    ("made", "fault"),
    [
        (
            edited(setup=SETUP.replace("Not written yet.", "Not yet.")),
            "setup: class Checks differs from autograder/checks/checks.py",
        ),
        (edited(double="assert ("), "double is not valid Python"),
        (edited(double="assert 1"), "double uses nothing that an answer cell defines"),
        (
            edited(double_solution="def double(x: return x"),
            ": double-solution is not valid Python: invalid syntax (line 1)",
        ),
        (
            edited(double="assert double(2) == square(2)"),
            "double uses square-solution and double-solution, so one mistake",
        ),
    ],
)
def test_what_is_wrong_before_anything_runs_is_said(made: nb.Notebook, fault: str) -> None:
    assert [text for text in find_faults(made) if fault in text]
    assert len(find_faults(made)) == 1


def test_a_name_that_stands_twice_is_said() -> None:
    made = source()
    made["cells"].append(copy.deepcopy(made["cells"][5]))
    assert find_faults(made) == ["grade_id double is used by 2 cells: give each an ID of its own"]


def test_the_tiny_assignment_has_no_fault() -> None:
    assert find_faults(source()) == []


def test_a_variant_of_no_task_is_an_error(tiny: Course) -> None:
    variant = Variant("wheat", "cube", "other", "")
    with pytest.raises(CourseError, match="the notebook has no answer cell cube-solution"):
        find_answer_cell(group_tests(nb.read(tiny.assignment(NAME).source_path)), variant)


def test_one_task_alone_is_not_proven_without_its_variants(tiny: Course, tmp_path: Path) -> None:
    """They may lie in a file that is named otherwise."""
    assignment = write_course(tmp_path / "course").assignment(NAME)
    (variants,) = (assignment.folder / "variants").glob("*.py")
    variants.rename(variants.with_name("sqare.py"))
    with pytest.raises(CourseError, match="the notebook has no answer cell sqare-solution"):
        narrow_to_task(assignment, "square")


def test_one_task_alone_says_why_nothing_tests_it(tiny: Course, tmp_path: Path) -> None:
    assignment = write_course(tmp_path / "course", edited(double_solution="def double(x: return x")).assignment(NAME)
    with pytest.raises(
        CourseError, match="no test cell uses what it defines; double-solution is not valid Python: invalid syntax"
    ):
        narrow_to_task(assignment, "double")


def test_a_test_belongs_to_the_cell_whose_names_it_uses() -> None:
    assert group_tests(source()) == {"square-solution": {"square"}, "double-solution": {"double"}}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("def f(x):\n    y = 1", {"f", "y"}),
        ("class A: pass\na, (b, *c) = 1, (2, 3)\nfor d in []: pass\nwith e as g: pass", {"A", "a", "b", "c", "d", "g"}),
        ("(h := 1)\ni: int = 2\nj += 1", {"h", "i", "j"}),
        ("%matplotlib inline", set()),
    ],
)
def test_the_names_that_a_cell_binds(text: str, names: set[str]) -> None:
    assert names <= bound(text)


@pytest.mark.parametrize("place", ["source", "metadata", "outputs", "id"])
def test_a_secret_line_is_found_wherever_it_stands(place: str) -> None:
    clean = copy.deepcopy(source())
    for cell in clean["cells"]:
        cell["source"] = ""
    assert find_leaks(source(), clean) == []
    hidden = 'assert square(300) == 90_000, "Try a larger number."'
    places: dict[str, Any] = {"source": f"x\n    {hidden}", "metadata": {"a": [{hidden: 1}]}, "id": hidden}
    clean["cells"][1][place] = places.get(place, [{"text": [hidden]}])
    assert any("Try a larger number" in leak for leak in find_leaks(source(), clean))


def test_markers_and_outputs_in_a_release_are_find_leaks() -> None:
    release = {"cells": [code("### END SOLUTION"), {**code("1"), "execution_count": 3}, code("x")]}
    assert find_leaks({"cells": []}, release) == [
        "cell 1 (code): marker '### END SOLUTION'",
        "cell 2 (code): outputs",
    ]


def test_a_line_that_is_public_elsewhere_is_no_leak() -> None:
    public = "return images @ texts.T"
    secret = {"cells": [answer_cell(f"### BEGIN SOLUTION\n{public}\n### END SOLUTION"), checking_cell(public)]}
    assert find_leaks(secret, {"cells": [code(public)]}) == []


def test_a_file_that_the_source_does_not_have_is_a_leak(tiny: Course, tmp_path: Path) -> None:
    for name in ("tiny.ipynb", "answers.csv"):
        (tmp_path / name).write_text("")
    assert find_leaked_files(tiny.assignment(NAME), tmp_path) == [
        "unexpected file answers.csv: delete it from source/tiny/"
    ]


def grade(status: str = "completed", **scores: float | None) -> Grade:
    cells = {name: CellGrade(2, score, (Check("c", 2, score == 2, "no"),)) for name, score in scores.items()}
    return Grade("s", NAME, status, cells, ("a note",))


@pytest.mark.parametrize(
    ("expected", "made", "broken"),
    [
        (Expectation(frozenset("ab")), grade(a=2, b=2), ""),
        (Expectation(frozenset("ab")), grade(a=2, b=1), "b gets 1 of 2 (c: no)"),
        (Expectation(frozenset("a"), less=frozenset("b")), grade(a=2, b=1), ""),
        (Expectation(frozenset("a"), less=frozenset("b")), grade(a=2, b=2), "b gets full marks: no check catches it"),
        (Expectation(frozenset(), none=frozenset("a")), grade(a=0.5), "a gets 0.5 but should get 0"),
        (Expectation(frozenset()), grade("unreadable", a=None), "unreadable: a note"),
    ],
)
def test_what_a_grade_does_not_keep_of_an_expectation(expected: Expectation, made: Grade, broken: str) -> None:
    assert expected.find_fault(made) == broken


def test_full_marks_with_an_error_after_them_are_disproven() -> None:
    """Its checks earn them here; stock nbgrader would give the cell nothing."""
    cells = {"square": CellGrade(3, 3, (Check("shape", 3, True),), "ValueError: the checks are worth 3, the task 4")}
    grade = Grade("solution", NAME, "completed", cells)
    assert Expectation(frozenset(cells)).find_fault(grade).startswith("square gets full marks, then raises ValueError")


@pytest.mark.parametrize(("less", "broken"), [(frozenset(), "timed out: the plot"), (frozenset({"double"}), "")])
def test_a_right_answer_that_runs_out_of_time_where_no_points_are_is_disproven(
    less: frozenset[str], broken: str
) -> None:
    """It would cost a student the plot. A chaff may hang: that is its mistake."""
    cells = {"square": CellGrade(2, 2), "double": CellGrade(1, 0 if less else 1)}
    grade = Grade("wheat", NAME, "timed out", cells, ("the plot",))
    assert Trial("wheat", {}, Expectation(frozenset(cells) - less, less)).find_fault(grade) == broken


def test_what_running_the_notebook_left_beside_it_is_not_handed_out(tmp_path: Path) -> None:
    """Hidden tests that use hypothesis leave a folder when the instructor runs them in Jupyter."""
    course = write_course(tmp_path / "course")
    assignment = course.assignment(NAME)
    for name in (".hypothesis/constants/1", ".ipynb_checkpoints/tiny-checkpoint.ipynb", "words.txt"):
        path = assignment.source_folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1")
    generate(assignment, tmp_path / "release", f"sqlite:///{tmp_path}/gradebook.db")
    made = tmp_path / "release" / NAME
    assert {path.name for path in made.rglob("*") if path.is_file()} == {"tiny.ipynb", "words.txt"}
    assert find_leaked_files(assignment, made) == []
