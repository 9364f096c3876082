"""Every kind of finding of an audit, each absent from an assignment without its cause."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
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
from autograder.proof.audit.conditions import OLD_PROCESSOR
from autograder.proof.audit.findings import KINDS
from autograder.proof.audit.matrix import CheckName, make_matrix
from autograder.proof.audit.repeats import list_differences
from autograder.proof.audit.run import Audit, audit
from autograder.proof.audit.verdicts import read_verdicts
from autograder.proof.build import build, find_narrow_tolerances
from autograder.records.deciding import Deciding
from autograder.records.grade import CellGrade, Check, Grade
from autograder.sandbox.warm import Warm
from tests.support.tiny import NAME, SQUARE_TEST, VARIANTS, source, write_course
from tests.unit.conftest import Running

pytestmark = pytest.mark.usefixtures("quick")

# The tiny assignment's second task without checks that could be weak, so that an audit finds only what a test adds.
DOUBLE_TEST = "assert double(2) == 4 and double(-3) == -6"
CHAFF = "# %% chaff: {name}\n# misconception: m\n# hint: h\ndef square(x): return {value}\n"
TRIPLES = CHAFF.format(name="triples", value="3 * x")

Audited = Callable[..., Audit]


@pytest.fixture
def course_of(tiny: Course, tmp_path: Path) -> Callable[..., Assignment]:
    """An assignment with these variants and texts of cells, and its release."""

    def make(variants: str = VARIANTS + TRIPLES, **texts: str) -> Assignment:
        shutil.rmtree(tmp_path / "course", ignore_errors=True)
        notebook = nb.with_answers(
            source(), {"double": DOUBLE_TEST, **{n.replace("_", "-"): t for n, t in texts.items()}}
        )
        course = write_course(tmp_path / "course", notebook, variants)
        shutil.copytree(tiny.release / NAME, course.release / NAME)
        return course.assignment(NAME)

    return make


@pytest.fixture
def audited(course_of: Callable[..., Assignment]) -> Audited:
    def make(*parts: str, repeats: int = 0, **texts: str) -> Audit:
        return audit(course_of(*parts, **texts), 2, repeats, lambda _, rows: rows)

    return make


def texts(report: Audit, kind: str) -> list[str]:
    return [finding.text for finding in report.findings if finding.kind == kind]


def test_an_assignment_without_faults_has_nothing_to_mend(audited: Audited) -> None:
    report = audited()
    assert [finding for finding in report.findings if finding.must_be_mended] == []
    assert (report.mutants, report.killed) == (2, 2)
    assert report.graded == 5 + 2 * 2 + report.mutants  # twice the solution and the wheat, under two conditions


def test_the_matrix_shows_which_check_catches_which_mistake(audited: Audited) -> None:
    square = audited().tasks[0].matrix
    two, hundred = CheckName("square", "two"), CheckName("square", "three hundred")
    assert square.checks == (two, hundred)
    assert {row.name: row.caught_by for row in square.chaffs} == {
        "chaff-square-doubles": {hundred},
        "chaff-square-triples": {two, hundred},
    }


def test_a_check_that_catches_nothing_alone_and_a_chaff_that_one_check_catches(audited: Audited) -> None:
    report = audited()
    assert [text.partition(": ")[0] for text in texts(report, "redundant")] == ['square, "two"']
    assert texts(report, "fragile") == ['chaff-square-doubles: only square, "three hundred" catches it']
    only_two = VARIANTS + TRIPLES + CHAFF.format(name="large", value="x * x if x > 99 else 0")
    report = audited(only_two)
    assert texts(report, "redundant") == []
    assert 'chaff-square-large: only square, "two" catches it' in texts(report, "fragile")


def test_chaffs_that_no_check_tells_apart(audited: Audited) -> None:
    collision = VARIANTS + TRIPLES + CHAFF.format(name="sums", value="x + x + x")
    assert texts(audited(collision), "collision") == [
        "chaff-square-triples and chaff-square-sums: no check tells them apart"
    ]
    telling = SQUARE_TEST.replace('"The square of 2 is 4."', 'f"You return {square(2)}."')
    assert texts(audited(VARIANTS + TRIPLES, square=telling), "collision") == []


WEAK = "assert double(0) == 0"


def test_a_surviving_mutant_needs_a_verdict(course_of: Callable[..., Assignment]) -> None:
    """`x - x` doubles 0 too. It is a finding until mutants.toml has its verdict; a verdict on a caught mutant is stale."""
    assignment = course_of(VARIANTS + TRIPLES, double=WEAK)

    def audit_with(verdict: str = "") -> Audit:
        if verdict:
            (assignment.folder / "mutants.toml").write_text(verdict)
        return audit(assignment, 2, 0, lambda _, rows: rows)

    report = audit_with()
    (survivor,) = report.tasks[1].survivors
    assert "+    return x - x" in survivor.diff
    assert texts(report, "survivor") == [
        f"{survivor.id} ({survivor.kind}): no check catches it; add a check, or its verdict to mutants.toml"
    ]
    report = audit_with(f'[{survivor.id}]\nverdict = "equivalent"\nreason = "zero is zero"\n')
    assert [texts(report, kind) for kind in ("survivor", "gap", "stale verdict")] == [[], [], []]
    report = audit_with(
        f'[{survivor.id}]\nverdict = "gap"\nreason = "only 0 is tried"\n[double-0]\nverdict = "gap"\nreason = "r"\n'
    )
    assert texts(report, "survivor") == []
    assert texts(report, "gap") == [f"{survivor.id} ({survivor.kind}): only 0 is tried"]
    assert texts(report, "stale verdict") == [
        "double-0: no surviving mutant has this name; delete its verdict from mutants.toml"
    ]
    assert [finding for finding in report.findings if finding.must_be_mended] == []


@pytest.mark.parametrize(
    "text", ['[a]\nverdict = "fine"\nreason = "r"', '[a]\nverdict = "gap"\nreason = ""', "[a", "a = 1"]
)
def test_an_invalid_file_of_verdicts_is_an_error(course_of: Callable[..., Assignment], text: str) -> None:
    assignment = course_of()
    (assignment.folder / "mutants.toml").write_text(text)
    with pytest.raises(CourseError, match=r"mutants\.toml: "):
        read_verdicts(assignment)


def test_a_verdict_changes_no_grade(course_of: Callable[..., Assignment]) -> None:
    """Everything else below assignments/ that a test could open changes grades, so everybody is graded again."""
    assignment = course_of()

    def key() -> str:
        return Deciding(assignment.course.assignment(NAME)).hash_grade("the files of a student")

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
check.finish()"""


def wheat(name: str, value: str) -> str:
    return f"# %% wheat: {name}\ndef square(x):\n    return {value}\n"


def test_a_tolerance_that_right_answers_nearly_fill_is_a_finding(
    course_of: Callable[..., Assignment], monkeypatch: pytest.MonkeyPatch
) -> None:
    near = VARIANTS + wheat("near", "x * x + 0.3")
    report = audit(course_of(near, square=CLOSE_TEST), 2, 0, lambda _, rows: rows)
    (margin,) = report.margins
    assert margin.right == pytest.approx(0.3)
    assert margin.wrong_by == "chaff-square-doubles"
    (fault,) = texts(report, "tolerance")
    assert fault == margin.fault
    assert fault.startswith("square, three hundred: `assert_close(square(300)")
    assert texts(audit(course_of(VARIANTS, square=CLOSE_TEST), 2, 0, lambda _, rows: rows), "tolerance") == []


def test_build_refuses_a_tolerance_that_right_answers_nearly_fill(tmp_path: Path) -> None:
    near = VARIANTS + wheat("near", "x * x + 0.3")
    checks, finish = CLOSE_TEST.rsplit("\n", 1)
    hidden = f"check = Checks(points=2)\n### BEGIN HIDDEN TESTS\n{checks}\n### END HIDDEN TESTS\n{finish}"
    notebook = nb.with_answers(source(), {"square": hidden})
    assignment = write_course(tmp_path / "course", notebook, near).assignment(NAME)
    (problem,) = build(assignment, 2, lambda _, rows: rows)
    assert "right answers (wheat-square-near) need 0.3 of the tolerance (atol 1)" in problem
    assert not assignment.release_folder.exists()


def test_a_right_answer_that_loses_marks_under_another_condition(audited: Audited) -> None:
    with_threads = "x * x + __import__('torch').get_num_threads() - 1"
    report = audited(VARIANTS + TRIPLES + wheat("threads", with_threads))
    (lost,) = texts(report, "lost mark")
    assert lost.startswith("wheat-square-threads with 2 threads: square gets 0 of 2")
    without_onednn = "x * x + (not __import__('torch')._C._get_mkldnn_enabled())"
    (lost,) = texts(audited(VARIANTS + TRIPLES + wheat("onednn", without_onednn)), "lost mark")
    assert lost.startswith("wheat-square-onednn without oneDNN: square gets 0 of 2")


def test_a_chaff_that_no_check_catches(audited: Audited) -> None:
    report = audited(VARIANTS + TRIPLES + CHAFF.format(name="right", value="x * x"))
    assert texts(report, "not caught") == ["chaff-square-right: square gets full marks: no check catches it"]


def test_a_grade_that_depends_on_chance_changes_in_another_round(audited: Audited) -> None:
    """With the assignment's own seed it gets the same grade every time."""
    chance = "4 if x == 2 and __import__('random').random() < 0.5 else 0"
    report = audited(VARIANTS + TRIPLES + CHAFF.format(name="chance", value=chance), repeats=4)
    changes = texts(report, "changes")
    assert changes
    assert all(text.startswith("chaff-square-chance: square gets ") for text in changes)
    assert "(seed +1, 1 worker, another order)" in str(changes) or "(seed +2, 2 workers, another order)" in str(changes)
    assert texts(audited(repeats=2), "changes") == []


OLDER = "__import__('os').environ.get('ATEN_CPU_CAPABILITY')"


def test_a_grade_and_a_hint_that_depend_on_the_processors_rounding_are_findings(
    course_of: Callable[..., Assignment], monkeypatch: pytest.MonkeyPatch, warm: Warm
) -> None:
    """The last round has a torch that uses no AVX. There a message may change."""
    monkeypatch.setattr(
        batch,
        "Warm",
        lambda outfit: Warm(outfit) if OLD_PROCESSOR.items() <= outfit.environment.items() else Running(warm),
    )
    values = {
        "edge": f"4 if x == 2 and {OLDER} else 0",
        "far": f"(3.5 if {OLDER} else 3) * x",
        "rewords": f"int('no number ' + str({OLDER}))",
    }
    chaffs = "".join(CHAFF.format(name=name, value=value) for name, value in values.items())
    assignment = course_of(VARIANTS + chaffs)
    assert build(assignment, 2, lambda _, rows: rows) == []
    report = audit(assignment, 2, 1, lambda _, rows: rows)
    score, hint, other = texts(report, "changes")
    assert score == "chaff-square-edge: square gets 0.0, then 1.0 (with the rounding of an older processor)"
    assert hint.startswith("chaff-square-edge: the hint for square-solution is 'h', then none (")
    assert (
        other
        == "chaff-square-far: the hint for square-solution is 'h', then none (with the rounding of an older processor)"
    )
    assert report.graded == 3 * 7 + 2 * 2 + report.mutants  # the variants thrice, the right ones under two conditions


def test_without_wording_grades_differ_by_what_passes() -> None:
    def grade(*checks: Check, error: str = "") -> Grade:
        return Grade("s", NAME, "completed", {"square": CellGrade(2.0, 1.0, checks, error)})

    no, yes, passed = (Check("two", 0, False, "no"), Check("two", 0, False, "yes"), Check("two", 0, True))
    assert list_differences(grade(no, error="E: e"), grade(yes, error="F: f"), wording=False) == []
    assert list_differences(grade(no), grade(passed), wording=False) == ["square, two: 'fails', then ''"]
    assert list_differences(grade(no), grade(no, error="E: e"), wording=False) == [
        "square, its error: '', then 'raises'"
    ]


def test_every_difference_of_two_grades_is_listed_except_their_times() -> None:
    cell = CellGrade(2.0, 1.0, (Check("two", 1.0, True), Check("three", 1.0, False, "no")))
    one = Grade("s", NAME, "completed", {"square": cell}, seconds=1.0)
    assert list_differences(one, Grade("s", NAME, "completed", {"square": cell}, seconds=2.0)) == []
    other = CellGrade(2.0, 1.0, (Check("two", 1.0, True), Check("three", 1.0, False, "yes")))
    assert list_differences(one, Grade("s", NAME, "completed", {"square": other})) == [
        "square, three: 'no', then 'yes'"
    ]
    (line,) = list_differences(one, Grade("s", NAME, "completed", {"square": CellGrade(2.0, 0.0, cell.checks)}))
    assert line == "square gets 1.0, then 0.0"
    assert "completed, then died" in list_differences(one, Grade("s", NAME, "died", {"square": cell}, ("it died",)))
    (line,) = list_differences(one, Grade("s", NAME, "completed", {"square": CellGrade(2.0, 1.0, cell.checks, "E: e")}))
    assert line == "square, its error: '', then 'E: e'"


def test_a_check_that_an_error_prevents_catches_the_mistake() -> None:
    right = Grade(
        "solution", NAME, "completed", {"t": CellGrade(2.0, 2.0, (Check("a", 1.0, True), Check("a", 1.0, True)))}
    )
    stopped = Grade("chaff", NAME, "completed", {"t": CellGrade(2.0, 1.0, (Check("a", 1.0, True),), "E: e")})
    (row,) = make_matrix("t", ["t"], right, {"chaff": stopped}, {}).chaffs
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
def run(course_of: Callable[..., Assignment]) -> Callable[..., Any]:
    def invoke(assignment: Assignment, *arguments: str) -> Any:
        return CliRunner().invoke(main, ["audit", NAME, "--course", str(assignment.course.root), *arguments])

    return invoke


def test_audit_exits_with_1_while_something_must_be_mended(
    course_of: Callable[..., Assignment], run: Callable[..., Any]
) -> None:
    done = run(course_of())
    assert done.exit_code == 0, done.output
    assert "2 of 2 mutants caught; 0 to fix" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100 or "page: " in max(done.stdout.splitlines(), key=len)
    done = run(course_of(double=WEAK), "--json")
    assert done.exit_code == 1
    assert done.stderr == ""
    printed = json.loads(done.stdout)
    (to_mend,) = [finding for finding in printed["findings"] if finding["must_be_mended"]]
    assert to_mend["kind"] == "survivor"
    assert {finding["kind"] for finding in printed["findings"]} <= set(KINDS)
    (survivor,) = printed["tasks"]["double"]["survivors"].values()
    assert survivor["verdict"] is None


def test_the_page_escapes_its_findings_and_fetches_nothing(course_of: Callable[..., Assignment]) -> None:
    named = SQUARE_TEST.replace('"three hundred"', '"three <b>hundred</b>"')
    assignment = course_of(VARIANTS + TRIPLES, square=named, double=WEAK)
    report = audit(assignment, 2, 0, lambda _, rows: rows)
    path = write_page(assignment, report)
    page = path.read_text()
    assert path == assignment.course.root / "gradebook/reports/audit-tiny.html"
    assert path.parent.stat().st_mode & 0o077 == 0
    assert "three &lt;b&gt;hundred&lt;/b&gt;" in page
    assert "<b>hundred" not in page
    assert report.tasks[1].survivors[0].id in page
    assert "http" not in page.replace("http-equiv", "")
    assert json.loads(json.dumps(as_json(report), allow_nan=False))["graded"] == report.graded


def test_a_build_measures_what_it_grades_anyway(course_of: Callable[..., Assignment]) -> None:
    assert find_narrow_tolerances(course_of(), source(), []) == []
