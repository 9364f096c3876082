"""Every assignment, whole and through the real engine: its release, its tests, and stock nbgrader beside us."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.checks import assert_close
from autograder.checks.recorded import read_outputs
from autograder.course import Assignment, open_course
from autograder.course import notebook as nb
from autograder.gradebook.generate import generate
from autograder.proof import release
from autograder.proof.audit.mutants import make_mutants
from autograder.proof.audit.verdicts import read_verdicts
from autograder.proof.build import find_narrow_tolerances
from autograder.proof.tasks import find_answer_cell, group_tests
from autograder.proof.trial import make_trials
from autograder.records import reference
from tests.support.classroom import ROOT, Classroom, hand_in, make_course
from tests.support.grading import grade
from tests.support.proofs import Proof, grade_jobs

BIN = Path(sys.executable).parent


# The syllabus: points in all, and those of them that a person gives.
POINTS = {
    "0-hello": (0, 0),
    "1-similarity-and-loss": (43, 3),
    "2-shared-space": (23, 8),
    "3-zero-shot": (22, 3),
    "4-limits": (12, 8),
}


@pytest.fixture(scope="module", params=POINTS)
def assignment(request: pytest.FixtureRequest) -> Assignment:
    return open_course(ROOT).assignment(request.param)


def test_the_syllabus_has_every_assignment_and_a_hundred_points() -> None:
    assert set(POINTS) == {path.name for path in (ROOT / "source").iterdir()}
    assert tuple(map(sum, zip(*POINTS.values(), strict=True))) == (100, 22)


@pytest.fixture(scope="module")
def source(assignment: Assignment) -> nb.Notebook:
    return nb.read(assignment.source_path)


@pytest.fixture(scope="module")
def committed(assignment: Assignment) -> nb.Notebook:
    return nb.read(assignment.release_path)


def test_the_committed_release_is_what_nbgrader_makes_of_the_source(assignment: Assignment, tmp_path: Path) -> None:
    generate(assignment, tmp_path / "release", f"sqlite:///{tmp_path}/gradebook.db")
    assert contents(assignment.release_folder) == contents(tmp_path / "release" / assignment.name)


def contents(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# None of these may be in a release; each is in some source, else its absence would say nothing.
SIGNS = (
    "BEGIN SOLUTION",
    "HIDDEN TESTS",
    "MARK SCHEME",
    "for_all",
    "assert_close",
    "assert_reference",
    "grader_folder",
    "Common mistake",
)


def test_the_release_holds_nothing_of_a_solution_or_hidden_test(
    assignment: Assignment, source: nb.Notebook, committed: nb.Notebook
) -> None:
    assert release.find_leaks(source, committed) == []
    assert release.find_leaked_files(assignment, assignment.release_folder) == []
    text = assignment.release_path.read_text()
    assert [sign for sign in SIGNS if sign in text] == []


def test_each_sign_of_a_solution_or_hidden_test_is_in_some_source() -> None:
    text = "".join(path.read_text() for path in ROOT.glob("source/*/*.ipynb"))
    assert [sign for sign in SIGNS if sign not in text] == []


@pytest.mark.parametrize("place", ["source", "metadata", "outputs"])
def test_what_is_leaked_on_purpose_is_found(source: nb.Notebook, committed: nb.Notebook, place: str) -> None:
    """In a cell's text, in its metadata, in its outputs: the line itself is named, not only that there are outputs."""
    public = "".join(nb.source(cell) for cell in committed["cells"])
    lines = (line for cell in source["cells"] for line in release.hidden_lines(nb.source(cell)))
    secret = next(line for line in lines if line not in public)
    spoiled = nb.with_answers(committed, {})
    cell = next(cell for cell in spoiled["cells"] if cell["cell_type"] == "code")
    leak = {"source": secret, "metadata": {"note": secret}, "outputs": [{"text": [secret]}]}[place]
    cell[place] = leak
    assert release.find_leaks(source, committed) == []
    assert any(repr(secret[:60]) in line for line in release.find_leaks(source, spoiled))


def test_a_file_that_is_leaked_on_purpose_is_found(assignment: Assignment, tmp_path: Path) -> None:
    folder = shutil.copytree(assignment.release_folder, tmp_path / "release")
    (folder / "solution.txt").touch()
    assert "solution.txt" in str(release.find_leaked_files(assignment, folder))


def test_what_lies_beside_the_notebook_is_what_the_small_clips_folder_holds(assignment: Assignment) -> None:
    """The copies, which git keeps once, are one in content; nobody has changed one of them alone."""
    files = ROOT / "assignments" / "small-clip" / "files"
    for name, content in assignment.files.items():
        assert content == (files / name).read_bytes(), name


def test_points_are_those_of_the_syllabus(assignment: Assignment, source: nb.Notebook) -> None:
    graded = [cell for cell in source["cells"] if nb.is_graded(cell)]
    by_hand = sum(nb.points(cell) for cell in graded if nb.is_manual(cell))
    assert (sum(map(nb.points, graded)), by_hand) == POINTS[assignment.name]


@pytest.fixture(scope="module")
def proven(assignment: Assignment, proof_of: Callable[[str], Proof]) -> Proof:
    return proof_of(assignment.name)


def test_every_tolerance_leaves_right_answers_room(source: nb.Notebook, proven: Proof) -> None:
    assert find_narrow_tolerances(proven.assignment, source, proven.results.values()) == []
    if "assert_close(" in str(source):
        assert any(shares for result in proven.results.values() for shares in result.compared.values())


def test_every_verdict_is_on_a_mutant_of_todays_solution(assignment: Assignment, source: nb.Notebook) -> None:
    """Whether it survives takes an audit, which is too long for here; that it is there does not."""
    answers = make_trials(assignment, source)["solution"].answers
    there = {mutant.id for cell in group_tests(source) for mutant in make_mutants(cell, answers[cell])}
    judged = read_verdicts(assignment)
    assert judged
    assert set(judged) <= there


def test_the_committed_reference_outputs_are_fresh_and_those_of_the_solution(
    assignment: Assignment, proven: Proof
) -> None:
    reference.require_fresh(assignment)
    kept, recorded = (read_outputs(one.folder) for one in (assignment, proven.assignment))
    assert set(kept) == set(recorded)
    for name, array in kept.items():
        assert_close(recorded[name], array, name, rtol=0, atol=1e-5)


def test_solution_and_wheats_get_full_marks_blank_none_and_every_chaff_loses_in_its_own_task_alone(
    assignment: Assignment, proven: Proof
) -> None:
    assert len(proven.outcomes) == 2 + len(assignment.variants)
    assert {outcome.name: outcome.fault for outcome in proven.outcomes if outcome.fault} == {}
    everything, by_hand = POINTS[assignment.name]
    assert proven.grades["solution"].score == everything - by_hand
    assert proven.grades["blank"].score == 0


def test_no_chaff_costs_another_task_a_mark_and_each_says_why(proven: Proof) -> None:
    for name, each in proven.grades.items():
        if name.startswith("chaff"):
            short = [cell for cell in each.cells.values() if cell.score is not None and not cell.whole]
            assert short, name
            assert all(any(check.message for check in cell.checks) or cell.error for cell in short), name


def test_visible_checks_tell_most_chaffs_before_they_are_handed_in(
    assignment: Assignment, source: nb.Notebook, committed: nb.Notebook, proven: Proof
) -> None:
    """At most 15 % pass them all; of clip_loss's only those whose gradients are wrong, for its values a student can see."""
    released = {str(nb.grade_id(cell)): nb.source(cell) for cell in committed["cells"] if nb.is_test(cell)}
    tests, chaffs, unseen = group_tests(source), 0, []
    for variant in assignment.variants:
        if variant.kind == "chaff":
            chaffs += 1
            names = tests[find_answer_cell(tests, variant)]
            cells = {name: proven.grades[variant.label].cells[name] for name in names}
            if all(
                check.passed
                for name, cell in cells.items()
                for check in cell.checks
                if f'"{check.name}"' in released[name]
            ):
                unseen.append(variant.label)
                if variant.problem == "clip_loss":
                    assert [name for name, cell in cells.items() if not cell.whole] == ["clip_loss_gradients"], (
                        variant.label
                    )
    assert len(unseen) <= 0.15 * chaffs, unseen


@pytest.mark.prove
def test_one_worker_gives_the_same_grades_as_two(proven: Proof) -> None:
    """All of them; a sample is in the class below."""
    again = grade_jobs(proven.assignment, proven.source, [job for job, _ in proven.runs()], workers=1)
    assert {name: result.grade.cells for name, result in again.items()} == {
        name: each.cells for name, each in proven.grades.items()
    }


def test_solution_and_blank_go_through_the_whole_notebook(assignment: Assignment, tmp_path: Path) -> None:
    """Its figures and experiments too, to the end, and beside the solution no cell raises."""
    course = make_course(tmp_path / "course")
    classroom = Classroom(course.assignment(assignment.name))
    for pupil in (*classroom.variants("solution"), *classroom.variants("blank")):
        hand_in(course.assignment(assignment.name), pupil)
    grades = grade(course.assignment(assignment.name), workers=2).grades
    assert {each.status for each in grades.values()} == {"completed"}
    for label in ("solution", "blank"):
        assert classroom.trials[label].find_fault(grades[label]) == ""
    assert nb.raised(nb.read(course.assignment(assignment.name).autograded_path("solution"))) == {}
