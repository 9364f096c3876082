"""The first assignment, whole and through the real engine: its release, its tests, and stock nbgrader beside us."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograder import notebook as nb
from autograder import proof, release
from autograder.course import Assignment, open_course
from autograder.grade import Grade
from autograder.grading import Class
from tests.classroom import NAME, ROOT, Classroom, hand_in, make_course

BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def assignment() -> Assignment:
    return open_course(ROOT).assignment(NAME)


@pytest.fixture(scope="module")
def source(assignment: Assignment) -> nb.Notebook:
    return nb.read(assignment.source_path)


@pytest.fixture(scope="module")
def committed(assignment: Assignment) -> nb.Notebook:
    return nb.read(assignment.release_path)


def test_the_committed_release_is_what_nbgrader_makes_of_the_source(assignment: Assignment, tmp_path: Path) -> None:
    release.generate(assignment, tmp_path / "release", f"sqlite:///{tmp_path}/gradebook.db")
    fresh = {
        p.relative_to(tmp_path / "release" / NAME): p.read_bytes() for p in (tmp_path / "release" / NAME).rglob("*")
    }
    ours = {p.relative_to(assignment.release_folder): p.read_bytes() for p in assignment.release_folder.rglob("*")}
    assert ours == fresh


def test_the_release_holds_nothing_of_a_solution_or_hidden_test(
    assignment: Assignment, source: nb.Notebook, committed: nb.Notebook
) -> None:
    assert release.leaks(source, committed) == []
    assert release.leaked_files(assignment, assignment.release_folder) == []
    text = assignment.release_path.read_text()
    for sign in (
        "BEGIN SOLUTION",
        "HIDDEN TESTS",
        "MARK SCHEME",
        "for_all",
        "assert_close",
        "open_clip",
        "Common mistake",
    ):
        assert sign not in text


def test_what_is_leaked_on_purpose_is_found(source: nb.Notebook, committed: nb.Notebook) -> None:
    """In a cell's text, in its metadata, in its outputs: the proof of no leak can fail."""
    secret = next(line for cell in source["cells"] for line in release._secret_lines(nb.source(cell)))
    for place in ("source", "metadata", "outputs"):
        spoiled = nb.with_answers(committed, {})
        cell = next(cell for cell in spoiled["cells"] if cell["cell_type"] == "code")
        leak = {"source": secret, "metadata": {"note": secret}, "outputs": [{"text": [secret]}]}[place]
        cell[place] = leak
        assert release.leaks(source, spoiled), place


def test_points_are_those_of_the_syllabus(source: nb.Notebook) -> None:
    graded = [cell for cell in source["cells"] if nb.is_graded(cell)]
    assert sum(nb.points(cell) for cell in graded) == 43
    assert sum(nb.points(cell) for cell in graded if nb.is_manual(cell)) == 3


@pytest.fixture(scope="module")
def proven(assignment: Assignment, source: nb.Notebook, committed: nb.Notebook) -> dict[str, tuple[str, Grade]]:
    rows = proof.prove(assignment, source, committed, workers=2)
    return {name: (broken, grade) for name, broken, grade in rows}


def test_solution_and_wheats_get_full_marks_blank_none_and_every_chaff_loses_in_its_own_task_alone(
    assignment: Assignment, proven: dict[str, tuple[str, Grade]]
) -> None:
    assert len(proven) == 2 + len(assignment.variants) > 100
    assert {name: broken for name, (broken, _) in proven.items() if broken} == {}
    assert proven["solution"][1].score == 40
    assert proven["blank"][1].score == 0


def test_no_chaff_costs_another_task_a_mark_and_each_says_why(
    source: nb.Notebook, proven: dict[str, tuple[str, Grade]]
) -> None:
    for name, (_, grade) in proven.items():
        if name.startswith("chaff"):
            short = [cell for cell in grade.cells.values() if cell.score is not None and cell.score < cell.max_score]
            assert short, name
            assert all(any(check.message for check in cell.checks) or cell.error for cell in short), name


def test_one_worker_gives_the_same_grades_as_two(
    assignment: Assignment, source: nb.Notebook, committed: nb.Notebook, proven: dict[str, tuple[str, Grade]]
) -> None:
    again = {name: grade for name, _, grade in proof.prove(assignment, source, committed, workers=1)}
    assert {name: grade.cells for name, grade in again.items()} == {name: g.cells for name, (_, g) in proven.items()}


def test_stock_nbgrader_gives_every_wheat_and_chaff_the_same_scores(tmp_path: Path) -> None:
    """Each pupil holds one variant of every problem, since no test looks at two of them: 142 variants in 29 notebooks.
    Stock is the real command, on two halves of the class at once."""
    ours = make_course(tmp_path / "ours")
    halves = [make_course(tmp_path / f"stock-{half}") for half in (0, 1)]
    classroom = Classroom(ours.assignment(NAME))
    by_problem: dict[str, list[dict[str, str]]] = {}
    for variant in ours.assignment(NAME).variants:
        cell = proof.answer_cell(classroom.own, variant)
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
            hand_in(course.assignment(NAME), pupil)
    assert count == len(ours.assignment(NAME).variants)

    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    running = []
    for course in halves:
        made = ("nbgrader", "generate_assignment", NAME, "--force")
        subprocess.run(made, cwd=course.root, env=environment, check=True, capture_output=True)
        command = ("nbgrader", "autograde", NAME)
        running.append(subprocess.Popen(command, cwd=course.root, env=environment, stderr=subprocess.PIPE, text=True))
    failed = [process.communicate()[1] for process in running]
    assert [process.returncode for process in running] == [0, 0], failed
    for _ in Class(ours.assignment(NAME), workers=2).grades():
        pass
    stock = saved_scores(halves[0].db_url) | saved_scores(halves[1].db_url)
    assert saved_scores(ours.db_url) == stock
    assert len(stock) > 25


def saved_scores(url: str) -> dict[str, dict[str, float | None]]:
    """Every automatic score in a gradebook, by student and cell, as nbgrader's own API reads it."""
    from nbgrader.api import Gradebook

    with Gradebook(url) as book:
        submissions = book.assignment_submissions(NAME)
        return {
            submission.student_id: {row.name: row.auto_score for part in submission.notebooks for row in part.grades}
            for submission in submissions
        }
