"""What audit finds, one of each kind; every finding is absent from the assignment that lacks its cause."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from autograder.cli import main
from autograder.course import Assignment, Course
from autograder.course import notebook as nb
from autograder.errors import CourseError
from autograder.judge import batch
from autograder.pages.audit import as_json, write_page
from autograder.proof.audit import matrix, trial
from autograder.proof.audit.findings import KINDS
from autograder.proof.audit.matrix import CheckName
from autograder.proof.audit.run import Audit, audit
from autograder.proof.audit.trial import differences
from autograder.proof.audit.verdicts import verdicts
from autograder.proof.build import build, narrow
from autograder.records.grade import CellGrade, Check, Grade
from autograder.records.keys import Keys
from autograder.sandbox.warm import Warm
from tests.support.tiny import NAME, SQUARE_TEST, VARIANTS, source, write_course

pytestmark = pytest.mark.usefixtures("quick")

# The tiny assignment's second task without checks that could be weak, so that only what a test adds is found.
DOUBLE_TEST = "assert double(2) == 4 and double(-3) == -6"
CHAFF = "# %% chaff: {name}\n# misconception: m\n# hint: h\ndef square(x): return {value}\n"
TRIPLES = CHAFF.format(name="triples", value="3 * x")

Audited = Callable[..., Audit]


@pytest.fixture
def course_of(tiny: Course, tmp_path: Path) -> Callable[..., Assignment]:
    """An assignment with these variants and texts of cells, and its release."""

    def make(variants: str = VARIANTS + TRIPLES, **texts: str) -> Assignment:
        shutil.rmtree(tmp_path / "course", ignore_errors=True)
        made = nb.with_answers(source(), {"double": DOUBLE_TEST, **{n.replace("_", "-"): t for n, t in texts.items()}})
        course = write_course(tmp_path / "course", made, variants)
        shutil.copytree(tiny.release / NAME, course.release / NAME)
        return course.assignment(NAME)

    return make


@pytest.fixture
def audited(course_of: Callable[..., Assignment]) -> Audited:
    def make(*parts: str, repeats: int = 0, **texts: str) -> Audit:
        return audit(course_of(*parts, **texts), 2, repeats, lambda _, rows: rows)

    return make


def texts(made: Audit, kind: str) -> list[str]:
    return [finding.text for finding in made.findings if finding.kind == kind]


def test_an_assignment_without_faults_has_nothing_to_mend(audited: Audited) -> None:
    made = audited()
    assert [finding for finding in made.findings if finding.must_be_mended] == []
    assert (made.mutants, made.killed) == (2, 2)
    assert made.graded == 5 + 2 * 2 + made.mutants  # twice the solution and the wheat, under two conditions


def test_the_matrix_shows_which_check_catches_which_mistake(audited: Audited) -> None:
    square = audited().tasks[0].matrix
    two, hundred = CheckName("square", "two"), CheckName("square", "three hundred")
    assert square.checks == (two, hundred)
    assert {row.name: row.caught_by for row in square.chaffs} == {
        "chaff-square-doubles": {hundred},
        "chaff-square-triples": {two, hundred},
    }


def test_a_check_that_catches_nothing_alone_and_a_chaff_that_one_check_catches(audited: Audited) -> None:
    made = audited()
    assert [text.partition(" catches")[0] for text in texts(made, "redundant")] == ["square, two"]
    assert texts(made, "fragile") == ["chaff-square-doubles: only square, three hundred catches it"]
    only_two = VARIANTS + TRIPLES + CHAFF.format(name="large", value="x * x if x > 99 else 0")
    made = audited(only_two)
    assert texts(made, "redundant") == []
    assert "chaff-square-large: only square, two catches it" in texts(made, "fragile")


def test_chaffs_that_no_check_tells_apart(audited: Audited) -> None:
    collision = VARIANTS + TRIPLES + CHAFF.format(name="sums", value="x + x + x")
    assert texts(audited(collision), "collision") == [
        "chaff-square-triples and chaff-square-sums: no check tells them apart"
    ]
    told = SQUARE_TEST.replace('"The square of 2 is 4."', 'f"You return {square(2)}."')
    assert texts(audited(VARIANTS + TRIPLES, square=told), "collision") == []


WEAK = "assert double(0) == 0"


def test_a_mutant_that_survives_must_be_judged(course_of: Callable[..., Assignment]) -> None:
    """`x - x` doubles 0 too. It is a finding until mutants.toml says what it is; a verdict on one that is caught is stale."""
    assignment = course_of(VARIANTS + TRIPLES, double=WEAK)

    def found(verdict: str = "") -> Audit:
        if verdict:
            (assignment.folder / "mutants.toml").write_text(verdict)
        return audit(assignment, 2, 0, lambda _, rows: rows)

    made = found()
    (survivor,) = made.tasks[1].survivors
    assert "+    return x - x" in survivor.diff
    assert texts(made, "survivor") == [
        f"{survivor.id} ({survivor.kind}): no check catches it, and mutants.toml does not judge it"
    ]
    made = found(f'[{survivor.id}]\nverdict = "equivalent"\nreason = "zero is zero"\n')
    assert [texts(made, kind) for kind in ("survivor", "gap", "stale verdict")] == [[], [], []]
    made = found(
        f'[{survivor.id}]\nverdict = "gap"\nreason = "only 0 is tried"\n[double-0]\nverdict = "gap"\nreason = "r"\n'
    )
    assert texts(made, "survivor") == []
    assert texts(made, "gap") == [f"{survivor.id} ({survivor.kind}): only 0 is tried"]
    assert texts(made, "stale verdict") == ["double-0: mutants.toml judges it, and it does not survive; take it out"]
    assert [finding for finding in made.findings if finding.must_be_mended] == []


@pytest.mark.parametrize(
    "text", ['[a]\nverdict = "fine"\nreason = "r"', '[a]\nverdict = "gap"\nreason = ""', "[a", "a = 1"]
)
def test_a_file_of_verdicts_that_is_not_right_is_an_error(course_of: Callable[..., Assignment], text: str) -> None:
    assignment = course_of()
    (assignment.folder / "mutants.toml").write_text(text)
    with pytest.raises(CourseError, match=r"mutants\.toml: "):
        verdicts(assignment)


def test_a_verdict_changes_no_grade(course_of: Callable[..., Assignment]) -> None:
    """Everything else below assignments/ that a test could open does, and has everybody graded anew."""
    assignment = course_of()

    def key() -> str:
        return Keys(assignment.course.assignment(NAME)).grade("the files of a student")

    before = key()
    (assignment.folder / "mutants.toml").write_text("a = 1")
    assert key() == before
    (assignment.folder / "images.toml").write_text("a = 1")
    assert key() != before


CLOSE_TEST = """from autograder.checks import assert_close
check = Checks(points=2)
with check("two", 1):
    assert square(2) == 4 or abs(square(2) - 4) < 1
with check("three hundred", 1):
    assert_close(square(300), 90_000, "your square", rtol=0, atol=1)
check.score"""


def wheat(name: str, value: str) -> str:
    return f"# %% wheat: {name}\ndef square(x):\n    return {value}\n"


def test_a_tolerance_that_right_answers_nearly_fill_is_found_and_refused(
    course_of: Callable[..., Assignment], monkeypatch: pytest.MonkeyPatch
) -> None:
    near = VARIANTS + wheat("near", "x * x + 0.3")
    made = audit(course_of(near, square=CLOSE_TEST), 2, 0, lambda _, rows: rows)
    (margin,) = made.margins
    assert (margin.right, margin.wrong_by) == (pytest.approx(0.3), "chaff-square-doubles")
    (fault,) = texts(made, "tolerance")
    assert fault == margin.fault
    assert fault.startswith("square, three hundred: `assert_close(square(300)")
    assert texts(audit(course_of(VARIANTS, square=CLOSE_TEST), 2, 0, lambda _, rows: rows), "tolerance") == []


def test_build_refuses_a_tolerance_that_right_answers_nearly_fill(tmp_path: Path) -> None:
    near = VARIANTS + wheat("near", "x * x + 0.3")
    hidden = f"check = Checks(points=2)\ncheck.summary()\n### BEGIN HIDDEN TESTS\n{CLOSE_TEST}\n### END HIDDEN TESTS"
    made = nb.with_answers(source(), {"square": hidden})
    assignment = write_course(tmp_path / "course", made, near).assignment(NAME)
    (problem,) = build(assignment, 2, lambda _, rows: rows)
    assert "right answers (wheat-square-near) need 0.3 of the tolerance (atol 1)" in problem
    assert not assignment.release_folder.exists()


def test_a_right_answer_that_loses_marks_under_another_condition(audited: Audited) -> None:
    with_threads = "x * x + __import__('torch').get_num_threads() - 1"
    made = audited(VARIANTS + TRIPLES + wheat("threads", with_threads))
    (lost,) = texts(made, "lost mark")
    assert lost.startswith("wheat-square-threads with 2 threads: square gets 0 of 2")
    without_onednn = "x * x + (not __import__('torch')._C._get_mkldnn_enabled())"
    (lost,) = texts(audited(VARIANTS + TRIPLES + wheat("onednn", without_onednn)), "lost mark")
    assert lost.startswith("wheat-square-onednn with no oneDNN: square gets 0 of 2")


def test_a_chaff_that_no_check_catches(audited: Audited) -> None:
    made = audited(VARIANTS + TRIPLES + CHAFF.format(name="right", value="x * x"))
    assert texts(made, "not caught") == ["chaff-square-right: square gets full marks: no check catches it"]


def test_a_grade_that_chance_decides_is_found_when_all_is_graded_again(audited: Audited) -> None:
    """Its seed is the assignment's, so it gets the same grade however often it is graded, until that seed is another."""
    chance = "4 if x == 2 and __import__('random').random() < 0.5 else 0"
    made = audited(VARIANTS + TRIPLES + CHAFF.format(name="chance", value=chance), repeats=4)
    changes = texts(made, "changes")
    assert changes
    assert all(text.startswith("chaff-square-chance: square gets ") for text in changes)
    assert "(seed +1, 1 worker, another order)" in str(changes) or "(seed +2, 2 workers, another order)" in str(changes)
    assert texts(audited(repeats=2), "changes") == []


OLDER = "__import__('os').environ.get('ATEN_CPU_CAPABILITY')"


def test_a_grade_and_a_hint_that_another_processors_rounding_decides_are_found(
    course_of: Callable[..., Assignment], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Among the repeats, one is graded with a torch that uses no AVX. What a message says may change there."""
    quick = batch.Warm
    monkeypatch.setattr(
        batch, "Warm", lambda outfit: (Warm if trial.OLDER.items() <= outfit.environment.items() else quick)(outfit)
    )
    values = {
        "edge": f"4 if x == 2 and {OLDER} else 0",
        "far": f"(3.5 if {OLDER} else 3) * x",
        "said_otherwise": f"int('no number ' + str({OLDER}))",
    }
    chaffs = "".join(CHAFF.format(name=name, value=value) for name, value in values.items())
    assignment = course_of(VARIANTS + chaffs)
    assert build(assignment, 2, lambda _, rows: rows) == []
    made = audit(assignment, 2, 1, lambda _, rows: rows)
    score, hint, other = texts(made, "changes")
    assert score == "chaff-square-edge: square gets 0.0, then 1.0 (as an older processor rounds)"
    assert hint.startswith("chaff-square-edge: the hint {'square-solution': 'h'}, then {} (")
    assert other == "chaff-square-far: the hint {'square-solution': 'h'}, then {} (as an older processor rounds)"
    assert made.graded == 3 * 7 + 2 * 2 + made.mutants  # the variants thrice, the right ones under two conditions


def test_without_its_wording_a_grade_differs_by_what_passes() -> None:
    def grade(*checks: Check, error: str = "") -> Grade:
        return Grade("s", NAME, "completed", {"square": CellGrade(2.0, 1.0, checks, error)})

    no, yes, passed = (Check("two", 0, False, "no"), Check("two", 0, False, "yes"), Check("two", 0, True))
    assert differences(grade(no, error="E: e"), grade(yes, error="F: f"), wording=False) == []
    assert differences(grade(no), grade(passed), wording=False) == ["square, two: 'fails', then ''"]
    assert differences(grade(no), grade(no, error="E: e"), wording=False) == ["square, its error: '', then 'raises'"]


def test_every_difference_of_two_grades_is_said_but_not_how_long_they_took() -> None:
    cell = CellGrade(2.0, 1.0, (Check("two", 1.0, True), Check("three", 1.0, False, "no")))
    one = Grade("s", NAME, "completed", {"square": cell}, seconds=1.0)
    assert differences(one, Grade("s", NAME, "completed", {"square": cell}, seconds=2.0)) == []
    other = CellGrade(2.0, 1.0, (Check("two", 1.0, True), Check("three", 1.0, False, "yes")))
    assert differences(one, Grade("s", NAME, "completed", {"square": other})) == ["square, three: 'no', then 'yes'"]
    (line,) = differences(one, Grade("s", NAME, "completed", {"square": CellGrade(2.0, 0.0, cell.checks)}))
    assert line == "square gets 1.0, then 0.0"
    assert "completed, then died" in differences(one, Grade("s", NAME, "died", {"square": cell}, ("it died",)))
    (line,) = differences(one, Grade("s", NAME, "completed", {"square": CellGrade(2.0, 1.0, cell.checks, "E: e")}))
    assert line == "square, its error: '', then 'E: e'"


def test_a_check_that_an_error_kept_from_being_reached_catches_the_mistake() -> None:
    right = Grade(
        "solution", NAME, "completed", {"t": CellGrade(2.0, 2.0, (Check("a", 1.0, True), Check("a", 1.0, True)))}
    )
    stopped = Grade("chaff", NAME, "completed", {"t": CellGrade(2.0, 1.0, (Check("a", 1.0, True),), "E: e")})
    (row,) = matrix.matrix("t", ["t"], right, {"chaff": stopped}, {}).chaffs
    assert row.caught_by == {CheckName("t", "a", 1)}


def test_an_assignment_that_was_not_built_is_an_error(course_of: Callable[..., Assignment]) -> None:
    assignment = course_of()
    extra = source()
    extra["cells"].append(
        {
            **extra["cells"][4],
            "metadata": {"nbgrader": {**extra["cells"][4]["metadata"]["nbgrader"], "grade_id": "more"}},
        }
    )
    assignment.source_path.write_text(json.dumps(extra))
    with pytest.raises(CourseError, match="`autograder build tiny` first"):
        audit(assignment, 2, 0, lambda _, rows: rows)


@pytest.fixture
def run(course_of: Callable[..., Assignment]) -> Iterator[Callable[..., Any]]:
    def invoke(assignment: Assignment, *arguments: str) -> Any:
        return CliRunner().invoke(main, ["audit", NAME, "--course", str(assignment.course.root), *arguments])

    return invoke


def test_audit_ends_with_1_while_something_is_to_be_mended(
    course_of: Callable[..., Assignment], run: Callable[..., Any]
) -> None:
    done = run(course_of())
    assert done.exit_code == 0, done.output
    assert "2 of 2 mutants caught; 0 to fix" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100 or "page: " in max(done.stdout.splitlines(), key=len)
    done = run(course_of(double=WEAK), "--json")
    assert done.exit_code == 1
    assert done.stderr == ""
    made = json.loads(done.stdout)
    (found,) = [finding for finding in made["findings"] if finding["must_be_mended"]]
    assert found["kind"] == "survivor"
    assert {finding["kind"] for finding in made["findings"]} <= set(KINDS)
    (survivor,) = made["tasks"]["double"]["survivors"].values()
    assert survivor["verdict"] is None


def test_the_page_has_what_was_found_escaped_and_fetches_nothing(course_of: Callable[..., Assignment]) -> None:
    named = SQUARE_TEST.replace('"three hundred"', '"three <b>hundred</b>"')
    assignment = course_of(VARIANTS + TRIPLES, square=named, double=WEAK)
    made = audit(assignment, 2, 0, lambda _, rows: rows)
    path = write_page(assignment, made)
    page = path.read_text()
    assert path == assignment.course.root / "gradebook/reports/audit-tiny.html"
    assert path.parent.stat().st_mode & 0o077 == 0
    assert "three &lt;b&gt;hundred&lt;/b&gt;" in page
    assert "<b>hundred" not in page
    assert made.tasks[1].survivors[0].id in page
    assert "http" not in page.replace("http-equiv", "")
    assert json.loads(json.dumps(as_json(made), allow_nan=False))["graded"] == made.graded


def test_a_build_measures_what_it_grades_anyway(course_of: Callable[..., Assignment]) -> None:
    assert narrow(course_of(), source(), []) == []
