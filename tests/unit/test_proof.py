"""An assignment is released only after its tests are proven: each fault is refused with its own line."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autograder import proof
from autograder.course import Assignment, Course, Variant, open_course
from autograder.course import notebook as nb
from autograder.errors import CourseError
from autograder.gradebook.generate import generate
from autograder.judge.imports import bound_names
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
def refusals_of(tiny: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Build a course with this notebook and these variants; the refusals."""

    def generate_at_once(assignment: Assignment, target: Path, db_url: str) -> nb.Notebook:
        """Into a copy of a database: nbgrader takes 2 s to make a new one."""
        shutil.copy(tiny.db_url.removeprefix("sqlite:///"), db_url.removeprefix("sqlite:///"))
        return generate(assignment, target, db_url)

    def build_one(notebook: nb.Notebook | None = None, variants: str = VARIANTS) -> list[str]:
        course = write_course(tmp_path / "course", notebook, variants)
        return build(course.assignment(NAME), 2, lambda _, rows: rows)

    monkeypatch.setattr("autograder.proof.build.generate", generate_at_once)
    return build_one


@pytest.fixture
def faults_of(tiny: Course, tmp_path: Path) -> Callable[..., list[str]]:
    """Prove a source notebook and its variants; the faults, one line each."""

    def prove_one(notebook: nb.Notebook | None = None, variants: str = CATCHES_ALL) -> list[str]:
        shutil.rmtree(tmp_path / "course", ignore_errors=True)
        assignment = write_course(tmp_path / "course", notebook, variants).assignment(NAME)
        edited_source = nb.read(assignment.source_path)
        release = nb.read(tiny.assignment(NAME).release_path)
        for stripped, full in zip(release["cells"], edited_source["cells"], strict=False):
            if not nb.is_answer(full):  # what nbgrader would take over as it is
                stripped.update(metadata=full["metadata"], source=full["source"])
        rows = prove(assignment, edited_source, release, 2)
        return [f"{name}: {fault}" for name, fault, _ in rows if fault]

    return prove_one


def test_what_is_proven_is_published(refusals_of: Callable[..., list[str]], tmp_path: Path) -> None:
    assert refusals_of() == []
    released = nb.read(tmp_path / "course/release/tiny/tiny.ipynb")
    assert "squared_value" not in str(released)
    assert "square(300)" not in str(released)
    assert not list((tmp_path / "course/release").glob(".*"))


def test_a_fault_is_refused_and_the_old_release_stays(refusals_of: Callable[..., list[str]], tmp_path: Path) -> None:
    """Such a test earns points for the blank release: it uses nothing that the student wrote."""
    old = tmp_path / "course/release/tiny/tiny.ipynb"
    old.parent.mkdir(parents=True)
    old.write_bytes(b"old")
    assert refusals_of(edited(double="double\nNone")) == ["blank: double gets 1 but should get 0"]
    assert old.read_bytes() == b"old"


def test_a_leak_is_refused(refusals_of: Callable[..., list[str]], tmp_path: Path) -> None:
    notebook = source()
    notebook["cells"][2]["metadata"]["note"] = "squared_value = x * x"
    line = "left in the release: cell 3 (square-solution): hidden line 'squared_value = x * x'"
    assert refusals_of(notebook) == [line]
    assert not (tmp_path / "course/release").exists()


def test_a_solution_that_fails_its_own_test_is_refused(faults_of: Callable[..., list[str]]) -> None:
    wrong = edited(double_solution="def double(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION")
    assert faults_of(wrong, CATCHES_ALL.replace("None", "x * x")) == ["solution: double gets 0 of 1 (AssertionError: )"]


def test_points_that_do_not_add_up_are_a_fault_of_the_solution_alone(faults_of: Callable[..., list[str]]) -> None:
    """Every wheat and chaff would only repeat it."""
    notebook = edited(square=SQUARE_TEST.replace("points=2", "points=1").replace(", 1):", ", 0.5):"))
    assert faults_of(notebook) == ["solution: square gets 1 of 2 (its checks add up to 1)"]


def test_a_wrong_solution_gives_no_fault_of_a_tolerance(refusals_of: Callable[..., list[str]]) -> None:
    test = SQUARE_TEST.replace(
        "HIDDEN TESTS\nwith", "HIDDEN TESTS\nfrom autograder.checks import assert_close\nwith", 1
    )
    test = test.replace(
        'assert square(300) == 90_000, "Try a larger number."', 'assert_close(square(300), 90_000, "it")'
    )
    wrong = "def square(x):\n    ### BEGIN SOLUTION\n    return x * x * 1.5\n    ### END SOLUTION"
    (problem,) = refusals_of(edited(square=test, square_solution=wrong))
    assert problem.startswith("solution: square gets 0 of 2")


@pytest.mark.parametrize(
    ("cell", "text", "message"),
    [
        ("square", SQUARE_TEST.replace("### END HIDDEN TESTS", ""), "line 4 opens a region that no line closes"),
        ("square", SQUARE_TEST.replace("### BEGIN HIDDEN TESTS", ""), "line 7 closes a region that no line opens"),
        (
            "square",
            f"{SQUARE_TEST}\n{SQUARE_TEST}".replace("### END HIDDEN TESTS", "", 1),
            "line 12 opens a region inside the one from line 4",
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
            "no line ### BEGIN SOLUTION: without it students do not even",
        ),
    ],
)
def test_a_marker_without_its_partner_is_named_with_its_cell_and_line(
    refusals_of: Callable[..., list[str]], cell: str, text: str, message: str
) -> None:
    """nbgrader stops at the first and does not say where it is."""
    problems = refusals_of(edited(**{cell: text}))
    assert any(problem.startswith(f"cell {cell.replace('_', '-')}: ") and message in problem for problem in problems), (
        problems
    )


FINISH = "### END HIDDEN TESTS\ncheck.finish()"


@pytest.mark.parametrize(
    "text",
    [
        SQUARE_TEST.replace(FINISH, "check.finish()\n### END HIDDEN TESTS"),
        SQUARE_TEST.replace(FINISH, "check.score\n### END HIDDEN TESTS"),
        SQUARE_TEST.replace("### BEGIN", "check.finish()\n### BEGIN"),
        SQUARE_TEST.replace("### BEGIN", "check.finish()\n### BEGIN").replace(FINISH, "### END HIDDEN TESTS"),
        SQUARE_TEST.replace("check.finish()", "score = check.finish()\nscore"),
        SQUARE_TEST.replace("check.finish()", "if check:\n    check.finish()"),
        SQUARE_TEST + "\n2",
    ],
)
def test_checks_that_do_not_finish_where_students_see_it_are_refused(
    refusals_of: Callable[..., list[str]], text: str
) -> None:
    """Otherwise nbgrader's Validate says "Success!" whatever fails, or stock nbgrader gives another score."""
    (problem,) = refusals_of(edited(square=text))
    assert problem.startswith("square does not end in check.finish() where students see it")


def test_a_comment_may_follow_the_finish(refusals_of: Callable[..., list[str]]) -> None:
    assert refusals_of(edited(square=f"{SQUARE_TEST}  # the score\n# Try larger numbers, too.\n")) == []


def test_a_mark_scheme_does_not_end_the_solution_that_it_stands_in() -> None:
    scheme = "    ### BEGIN MARK SCHEME\n    # One point.\n    ### END MARK SCHEME\n"
    notebook = edited(
        double_solution=f"def double(x):\n    ### BEGIN SOLUTION\n{scheme}    twice_the_number = x + x\n    ### END SOLUTION"
    )
    assert find_marker_faults(notebook) == []
    assert any(
        "twice_the_number" in leak
        for leak in find_leaks(notebook, edited(double_solution="    twice_the_number = x + x"))
    )


def test_trials_come_in_the_notebooks_order(tmp_path: Path) -> None:
    """The files are sorted by name."""
    course = write_course(tmp_path / "course", variants=VARIANTS)
    other = course.root / "assignments" / NAME / "variants" / "double.py"
    other.write_text("# %% wheat: sum\ndef double(x): return x + x\n")
    names = list(make_trials(course.assignment(NAME), source()))
    assert names == ["solution", "blank", "wheat-square-power", "chaff-square-doubles", "wheat-double-sum"]


def test_a_fault_that_many_share_is_one_line(refusals_of: Callable[..., list[str]]) -> None:
    wheats = "".join(f"\n# %% wheat: w{n}\ndef square(x): return x**2\n" for n in range(5))
    (line,) = refusals_of(edited(), variants=VARIANTS + wheats.replace("x**2", "0"))[:1]
    assert line.startswith("wheat-square-w0: square gets 0 of 2")
    assert line.endswith("(also wheat-square-w1, wheat-square-w2, wheat-square-w3 and 1 more)")


def test_one_task_is_proven_alone_and_nothing_is_released(
    refusals_of: Callable[..., list[str]], tmp_path: Path
) -> None:
    """The other tasks' variants are not graded, and known answers stay as they are."""
    ill = f"{VARIANTS}\n# %% chaff: caught_by_nothing\n# misconception: m\n# hint: h\ndef square(x): return x**2\n"
    assert refusals_of(variants=ill) == ["chaff-square-caught_by_nothing: square gets full marks: no check catches it"]
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


def test_a_release_that_imports_the_engine_is_refused(refusals_of: Callable[..., list[str]]) -> None:
    notebook = edited(square=f"from autograder.checks import is_close\n{SQUARE_TEST}")
    refusal = "square imports autograder, which students do not have: import it in the hidden part of a test cell"
    assert refusals_of(notebook) == [refusal]


def test_a_chaff_that_no_check_catches_is_refused(faults_of: Callable[..., list[str]]) -> None:
    right = CATCHES_ALL.replace("None", "x * x")
    assert faults_of(variants=right) == ["chaff-square-none: square gets full marks: no check catches it"]


def test_a_chaff_that_is_not_valid_python_is_refused_before_anything_runs(
    refusals_of: Callable[..., list[str]],
) -> None:
    """With the reason: the tests would only say that its function is missing."""
    broken = CATCHES_ALL.replace("return None", "return (None")
    magic = "# %% wheat: timed\n%time\ndef square(x): return x * x\n"
    refusals = ["chaff-square-none is not valid Python: '(' was never closed: `def square(x): return (None`"]
    assert refusals_of(variants=broken + magic) == refusals


@pytest.mark.parametrize("body", ["def sqare(x): return None", "def square(x): return y"])
def test_a_chaff_that_does_not_run_is_refused(faults_of: Callable[..., list[str]], body: str) -> None:
    """Every check catches it, and its hint would reach every student whose code does not run either."""
    (problem,) = faults_of(variants=CATCHES_ALL.replace("def square(x): return None", body))
    name = "y" if body.endswith("y") else "square"
    assert problem == f"chaff-square-none: it does not run (NameError: name '{name}' is not defined)"


def test_a_chaff_that_loses_in_another_task_is_refused(faults_of: Callable[..., list[str]]) -> None:
    dependent = "def double(x):\n    ### BEGIN SOLUTION\n    return square(x + 1) - square(x) - 1\n    ### END SOLUTION"
    (problem,) = faults_of(edited(double_solution=dependent))
    assert problem.startswith("chaff-square-none: double gets 0 of 1")


def test_a_wheat_that_loses_a_mark_is_refused(faults_of: Callable[..., list[str]]) -> None:
    wheat = "# %% wheat: small\ndef square(x): return x * x if x < 100 else 0\n"
    assert faults_of(variants=wheat) == ["wheat-square-small: square gets 1 of 2 (three hundred: Try a larger number.)"]


def test_a_test_that_ends_in_no_score_is_refused(faults_of: Callable[..., list[str]]) -> None:
    assert any("ends in a str" in problem for problem in faults_of(edited(double="assert double(2) == 4\n'ok'")))


def test_data_of_a_locked_cell_in_a_test_is_refused(faults_of: Callable[..., list[str]]) -> None:
    notebook = edited(setup=f"{SETUP}\nfixture = 4", double="assert double(2) == fixture")
    assert any(
        problem.startswith("solution: double gets 0 of 1 (LockedDataError: `fixture` is plain data (int)")
        for problem in faults_of(notebook)
    )


def test_an_import_of_another_test_cell_is_not_borrowed(faults_of: Callable[..., list[str]]) -> None:
    """Students run the tests in any order, and perhaps only the visible part of the other one."""
    notebook = edited(double="assert math.isclose(double(2), 4)", square=f"import math\n{SQUARE_TEST}")
    assert faults_of(notebook)[0] == "solution: double gets 0 of 1 (NameError: name 'math' is not defined)"


def test_a_locked_cell_that_raises_beside_the_right_answers_is_refused(faults_of: Callable[..., list[str]]) -> None:
    """It would raise for every student, and no test would show it."""
    notebook = edited(setup=f"{SETUP}\nraise OSError('no such data')")
    assert faults_of(notebook) == ["solution: cell setup raises OSError: no such data"]


def test_a_locked_cell_may_raise_where_its_tag_says_so(faults_of: Callable[..., list[str]]) -> None:
    notebook = edited(setup=f"{SETUP}\nraise OSError('look at this')")
    notebook["cells"][1]["metadata"]["tags"] = ["raises-exception"]
    assert faults_of(notebook) == []


def test_a_practice_cell_without_points_is_proven_by_its_checks(faults_of: Callable[..., list[str]]) -> None:
    notebook = edited(square=SQUARE_TEST.replace("points=2", "points=0").replace(", 1):", ", 0):"))
    notebook["cells"][3]["metadata"]["nbgrader"]["points"] = 0
    assert faults_of(notebook) == []
    wheat = "# %% wheat: small\ndef square(x): return x * x if x < 100 else 0\n"
    assert faults_of(notebook, wheat) == [
        "wheat-square-small: square gets 0 of 0 (three hundred: Try a larger number.)"
    ]
    chaff = "# %% chaff: small\n# misconception: m\n# hint: h\ndef square(x): return x ** 2\n"
    assert faults_of(notebook, chaff) == ["chaff-square-small: square gets full marks: no check catches it"]


@pytest.mark.parametrize(
    ("notebook", "fault"),
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
def test_a_fault_of_the_notebook_is_found_before_anything_runs(notebook: nb.Notebook, fault: str) -> None:
    assert [text for text in find_faults(notebook) if fault in text]
    assert len(find_faults(notebook)) == 1


def test_a_repeated_grade_id_is_a_fault() -> None:
    notebook = source()
    notebook["cells"].append(copy.deepcopy(notebook["cells"][5]))
    assert find_faults(notebook) == ["grade_id double is used by 2 cells: give each an ID of its own"]


def test_the_tiny_assignment_has_no_fault() -> None:
    assert find_faults(source()) == []


def test_a_variant_of_no_task_is_an_error(tiny: Course) -> None:
    variant = Variant("wheat", "cube", "other", "")
    with pytest.raises(CourseError, match="the notebook has no answer cell cube-solution"):
        find_answer_cell(group_tests(nb.read(tiny.assignment(NAME).source_path)), variant)


def test_one_task_alone_is_not_proven_without_its_variants(tiny: Course, tmp_path: Path) -> None:
    """They may lie in a file with a misspelled name."""
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


def test_one_task_alone_says_that_its_test_is_not_valid_python(tmp_path: Path) -> None:
    assignment = write_course(tmp_path / "course", edited(double="assert (")).assignment(NAME)
    with pytest.raises(
        CourseError, match=r"no test cell uses what it defines; double is not valid Python: '\(' was never"
    ):
        narrow_to_task(assignment, "double")
    assert narrow_to_task(assignment, "square").task == "square-solution"


def test_build_and_audit_do_not_import_each_other() -> None:
    """What both need lies below them."""
    room = Path(proof.__file__).parent
    for path in [*room.glob("*.py"), *room.glob("audit/*.py")]:
        text = path.read_text()
        assert path.parent.name == "audit" or "autograder.proof.audit" not in text
        assert "autograder.proof.build" not in text


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
    assert names <= bound_names(text)


@pytest.mark.parametrize("place", ["source", "metadata", "outputs", "id"])
def test_a_hidden_line_is_a_leak_wherever_it_is(place: str) -> None:
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
    ("expected", "scored", "fault"),
    [
        (Expectation(frozenset("ab")), grade(a=2, b=2), ""),
        (Expectation(frozenset("ab")), grade(a=2, b=1), "b gets 1 of 2 (c: no)"),
        (Expectation(frozenset("a"), less=frozenset("b")), grade(a=2, b=1), ""),
        (Expectation(frozenset("a"), less=frozenset("b")), grade(a=2, b=2), "b gets full marks: no check catches it"),
        (Expectation(frozenset(), none=frozenset("a")), grade(a=0.5), "a gets 0.5 but should get 0"),
        (Expectation(frozenset()), grade("unreadable", a=None), "unreadable: a note"),
    ],
)
def test_a_grade_that_is_not_as_expected_is_a_fault(expected: Expectation, scored: Grade, fault: str) -> None:
    assert expected.find_fault(scored) == fault


def test_full_marks_with_an_error_after_them_are_refused() -> None:
    """The checks earn them here, but stock nbgrader would give the cell nothing."""
    cells = {"square": CellGrade(3, 3, (Check("shape", 3, True),), "ValueError: the checks are worth 3, the task 4")}
    grade = Grade("solution", NAME, "completed", cells)
    assert Expectation(frozenset(cells)).find_fault(grade).startswith("square gets full marks, then raises ValueError")


@pytest.mark.parametrize(("less", "fault"), [(frozenset(), "timed out: the plot"), (frozenset({"double"}), "")])
def test_a_right_answer_that_runs_out_of_time_where_no_points_are_is_refused(less: frozenset[str], fault: str) -> None:
    """A student would lose the plot in that cell. A chaff may hang: that may be its mistake."""
    cells = {"square": CellGrade(2, 2), "double": CellGrade(1, 0 if less else 1)}
    grade = Grade("wheat", NAME, "timed out", cells, ("the plot",))
    assert Trial("wheat", {}, Expectation(frozenset(cells) - less, less)).find_fault(grade) == fault


def test_files_that_running_the_notebook_leaves_are_not_released(tmp_path: Path) -> None:
    """Hidden tests that use hypothesis leave a folder when the instructor runs them in Jupyter."""
    course = write_course(tmp_path / "course")
    assignment = course.assignment(NAME)
    for name in (".hypothesis/constants/1", ".ipynb_checkpoints/tiny-checkpoint.ipynb", "words.txt"):
        path = assignment.source_folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1")
    generate(assignment, tmp_path / "release", f"sqlite:///{tmp_path}/gradebook.db")
    folder = tmp_path / "release" / NAME
    assert {path.name for path in folder.rglob("*") if path.is_file()} == {"tiny.ipynb", "words.txt"}
    assert find_leaked_files(assignment, folder) == []
