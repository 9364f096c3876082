"""Every assignment, whole and through the real engine: its release, its tests, and stock nbgrader beside us."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.checks import assert_close
from autograder.checks.recorded import read_outputs as outputs
from autograder.course import Assignment, Variant, open_course
from autograder.course import notebook as nb
from autograder.gradebook.generate import generate
from autograder.grading.grading import Class
from autograder.proof import release
from autograder.proof.audit.mutants import make_mutants
from autograder.proof.audit.verdicts import read_verdicts
from autograder.proof.build import find_narrow_tolerances
from autograder.proof.prove import Outcome, prove
from autograder.proof.tasks import find_answer_cell, group_tests
from autograder.proof.trial import make_trials
from autograder.records import reference
from autograder.records.grade import Grade
from tests.support.classroom import ROOT, Classroom, hand_in, make_course

BIN = Path(sys.executable).parent


# The syllabus: points in all, and those of them that a person gives.
POINTS = {
    "0-hello": (0, 0),
    "1-similarity-and-loss": (43, 3),
    "2-shared-space": (23, 8),
    "3-zero-shot": (22, 3),
    "4-limits": (12, 8),
}


# Every wheat and chaff of these is graded by stock nbgrader and once more by one worker. Of the others it is the first wheat
# and the first chaff of every problem: for each of their notebooks stock imports torch and open_clip and loads a model.
THROUGHOUT = ("0-hello", "1-similarity-and-loss")


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


def test_the_release_holds_nothing_of_a_solution_or_hidden_test(
    assignment: Assignment, source: nb.Notebook, committed: nb.Notebook
) -> None:
    assert release.find_leaks(source, committed) == []
    assert release.find_leaked_files(assignment, assignment.release_folder) == []
    text = assignment.release_path.read_text()
    for sign in (
        "BEGIN SOLUTION",
        "HIDDEN TESTS",
        "MARK SCHEME",
        "for_all",
        "assert_close",
        "assert_reference",
        "grader_folder",
        "Common mistake",
    ):
        assert sign not in text


def test_what_is_leaked_on_purpose_is_found(source: nb.Notebook, committed: nb.Notebook) -> None:
    """In a cell's text, in its metadata, in its outputs: the proof of no leak can fail."""
    secret = next(line for cell in source["cells"] for line in release.hidden_lines(nb.source(cell)))
    for place in ("source", "metadata", "outputs"):
        spoiled = nb.with_answers(committed, {})
        cell = next(cell for cell in spoiled["cells"] if cell["cell_type"] == "code")
        leak = {"source": secret, "metadata": {"note": secret}, "outputs": [{"text": [secret]}]}[place]
        cell[place] = leak
        assert release.find_leaks(source, spoiled), place


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
def copy(assignment: Assignment, tmp_path_factory: pytest.TempPathFactory) -> Assignment:
    """The assignment in a course of its own: a proof records its reference outputs anew."""
    return make_course(tmp_path_factory.mktemp("copy") / "course").assignment(assignment.name)


@pytest.fixture(scope="module")
def proof_rows(copy: Assignment, source: nb.Notebook, committed: nb.Notebook) -> list[Outcome]:
    return list(prove(copy, source, committed, workers=2))


@pytest.fixture(scope="module")
def proven(proof_rows: list[Outcome]) -> dict[str, tuple[str, Grade]]:
    return {name: (broken, result.grade) for name, broken, result in proof_rows}


def test_every_tolerance_leaves_right_answers_room(
    copy: Assignment, source: nb.Notebook, proof_rows: list[Outcome]
) -> None:
    assert find_narrow_tolerances(copy, source, [result for _, _, result in proof_rows]) == []
    if "assert_close(" in str(source):
        assert any(shares for _, _, result in proof_rows for shares in result.compared.values())


def test_every_verdict_is_on_a_mutant_of_todays_solution(assignment: Assignment, source: nb.Notebook) -> None:
    """Whether it survives takes an audit, which is too long for here; that it is there does not."""
    answers = make_trials(assignment, source)["solution"].answers
    there = {mutant.id for cell in group_tests(source) for mutant in make_mutants(cell, answers[cell])}
    judged = read_verdicts(assignment)
    assert judged
    assert set(judged) <= there


def test_the_committed_reference_outputs_are_fresh_and_those_of_the_solution(
    assignment: Assignment, copy: Assignment, proven: object
) -> None:
    reference.require_fresh(assignment)
    kept, recorded = (outputs(one.folder) for one in (assignment, copy))
    assert set(kept) == set(recorded)
    for name, array in kept.items():
        assert_close(recorded[name], array, name, rtol=0, atol=1e-5)


def test_solution_and_wheats_get_full_marks_blank_none_and_every_chaff_loses_in_its_own_task_alone(
    assignment: Assignment, proven: dict[str, tuple[str, Grade]]
) -> None:
    assert len(proven) == 2 + len(assignment.variants)
    assert {name: broken for name, (broken, _) in proven.items() if broken} == {}
    everything, by_hand = POINTS[assignment.name]
    assert proven["solution"][1].score == everything - by_hand
    assert proven["blank"][1].score == 0


def test_no_chaff_costs_another_task_a_mark_and_each_says_why(
    source: nb.Notebook, proven: dict[str, tuple[str, Grade]]
) -> None:
    for name, (_, grade) in proven.items():
        if name.startswith("chaff"):
            short = [cell for cell in grade.cells.values() if cell.score is not None and not cell.whole]
            assert short, name
            assert all(any(check.message for check in cell.checks) or cell.error for cell in short), name


@pytest.mark.parametrize("assignment", THROUGHOUT, indirect=True)
def test_one_worker_gives_the_same_grades_as_two(
    copy: Assignment, source: nb.Notebook, committed: nb.Notebook, proven: dict[str, tuple[str, Grade]]
) -> None:
    again = {name: result.grade for name, _, result in prove(copy, source, committed, workers=1)}
    assert {name: grade.cells for name, grade in again.items()} == {name: g.cells for name, (_, g) in proven.items()}


def in_class(assignment: Assignment) -> list[Variant]:
    """The wheats and chaffs that stock nbgrader grades, too."""
    if assignment.name in THROUGHOUT:
        return list(assignment.variants)
    first: dict[tuple[str, str], Variant] = {}
    for variant in assignment.variants:
        first.setdefault((variant.problem, variant.kind), variant)
    return list(first.values())


def test_stock_nbgrader_and_one_worker_give_wheats_and_chaffs_the_same_scores(
    assignment: Assignment, tmp_path: Path
) -> None:
    """Each pupil holds one variant of every problem, since no test looks at two of them: 142 variants of the first assignment
    in 29 notebooks. Stock is the real command, on two halves of the class at once."""
    name = assignment.name
    ours = make_course(tmp_path / "ours")
    halves = [make_course(tmp_path / f"stock-{half}") for half in (0, 1)]
    classroom = Classroom(ours.assignment(name))
    by_problem: dict[str, list[dict[str, str]]] = {}
    chosen = in_class(ours.assignment(name))
    for variant in chosen:
        cell = find_answer_cell(classroom.own, variant)
        by_problem.setdefault(variant.problem, []).append({cell: variant.source})
    rows = itertools.zip_longest(*by_problem.values(), fillvalue={})
    count = 0
    for index, row in enumerate(rows):
        answers = dict(classroom.solution)
        for part in row:
            answers |= part
            count += bool(part)
        pupil = classroom.answered(f"pupil-{index:02}", answers, classroom.all_full)
        for course in (ours, halves[index % 2]):
            hand_in(course.assignment(name), pupil)
    assert count == len(chosen)

    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    running = []
    for course in halves:
        made = ("nbgrader", "generate_assignment", name, "--force")
        subprocess.run(made, cwd=course.root, env=environment, check=True, capture_output=True)
        command = ("nbgrader", "autograde", name)
        running.append(subprocess.Popen(command, cwd=course.root, env=environment, stderr=subprocess.PIPE, text=True))
    failed = [process.communicate()[1] for process in running]
    assert [process.returncode for process in running] == [0, 0], failed
    two, one = (
        {grade.student: grade.cells for grade in group.grades()}
        for group in (Class(ours.assignment(name), workers=2), Class(ours.assignment(name), workers=1, again=True))
    )
    assert one == two
    stock = saved_scores(halves[0].db_url, name) | saved_scores(halves[1].db_url, name)
    assert saved_scores(ours.db_url, name) == stock
    assert len(stock) == max(map(len, by_problem.values()))


def saved_scores(url: str, name: str) -> dict[str, dict[str, float | None]]:
    """Every automatic score in a gradebook, by student and cell, as nbgrader's own API reads it."""
    from nbgrader.api import Gradebook

    with Gradebook(url) as book:
        submissions = book.assignment_submissions(name)
        return {
            submission.student_id: {row.name: row.auto_score for part in submission.notebooks for row in part.grades}
            for submission in submissions
        }
