"""Stock nbgrader, the real command, gives the answers of every assignment the scores that this engine gives."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.course import Assignment, Variant, open_course
from autograder.proof.tasks import find_answer_cell
from tests.support.classroom import ROOT, Classroom, Pupil, hand_in, make_course, use_stock
from tests.support.grading import grade
from tests.support.proofs import Proof

BIN = Path(sys.executable).parent


SAMPLED = ("0-hello", "3-zero-shot")  # without a model, and with one


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(path.name, marks=() if path.name in SAMPLED else pytest.mark.prove)
        for path in sorted((ROOT / "source").iterdir())
    ],
)
def assignment(request: pytest.FixtureRequest) -> Assignment:
    return open_course(ROOT).assignment(request.param)


@pytest.fixture(scope="module")
def proven(assignment: Assignment, proof_of: Callable[[str], Proof]) -> Proof:
    return proof_of(assignment.name)


def in_class(assignment: Assignment, proving: bool) -> dict[str, list[Variant]]:
    """The wheats and chaffs of each problem that stock nbgrader grades too: a wheat and a chaff by turns, or all. For each row of
    them stock imports torch and open_clip and loads a model."""
    chosen: dict[str, list[Variant]] = {}
    for variant in assignment.variants:
        chosen.setdefault(variant.problem, []).append(variant)
    if proving:
        return chosen
    turns = zip(chosen.items(), itertools.cycle(("chaff", "wheat")), strict=False)
    return {problem: [next((one for one in every if one.kind == kind), every[0])] for (problem, every), kind in turns}


def test_stock_nbgrader_and_one_worker_give_wheats_and_chaffs_the_scores_of_the_proof(
    assignment: Assignment, proven: Proof, proving: bool, tmp_path: Path
) -> None:
    """Each pupil holds one variant of every problem, since no test looks at two of them, in the whole notebook; it gets for each
    what the variant alone got from two workers. Stock is the real command."""
    name = assignment.name
    ours, theirs = (make_course(tmp_path / folder) for folder in ("ours", "stock"))
    use_stock(theirs.root)
    classroom = Classroom(ours.assignment(name))
    chosen = in_class(ours.assignment(name), proving)
    rows = itertools.zip_longest(*chosen.values())
    pupils = {f"pupil-{index:02}": tuple(filter(None, row)) for index, row in enumerate(rows)}
    for pupil, held in pupils.items():
        for course in (ours, theirs):
            hand_in(course.assignment(name), holding(classroom, pupil, held))
    stock = grade_by_stock(theirs.root, name)
    grades = grade(ours.assignment(name), workers=1).grades
    for pupil, held in pupils.items():
        for variant in held:
            for cell in classroom.own[find_answer_cell(classroom.own, variant)]:
                assert grades[pupil].cells[cell] == proven.grades[variant.label].cells[cell], variant.label
    _, errors = stock.communicate()
    assert stock.returncode == 0, errors
    assert saved_scores(ours.db_url, name) == saved_scores(theirs.db_url, name)
    assert set(saved_scores(ours.db_url, name)) == set(pupils)


def holding(classroom: Classroom, name: str, held: tuple[Variant, ...]) -> Pupil:
    """A pupil who answers with these wheats and chaffs, and else with the solution."""
    answers = {find_answer_cell(classroom.own, variant): variant.source for variant in held}
    return classroom.answered(name, {**classroom.solution, **answers}, classroom.all_full)


def grade_by_stock(course: Path, name: str) -> subprocess.Popen[str]:
    """Start stock nbgrader on the submissions in this course."""
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    command = f"nbgrader generate_assignment {name} --force && nbgrader autograde {name}"
    return subprocess.Popen(["sh", "-c", command], cwd=course, env=environment, stderr=subprocess.PIPE, text=True)


def saved_scores(url: str, name: str) -> dict[str, dict[str, float | None]]:
    """Every automatic score in a gradebook, by student and cell, as nbgrader's own API reads it."""
    from nbgrader.api import Gradebook

    with Gradebook(url) as book:
        submissions = book.assignment_submissions(name)
        return {
            submission.student_id: {row.name: row.auto_score for part in submission.notebooks for row in part.grades}
            for submission in submissions
        }
