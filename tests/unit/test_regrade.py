"""Grades that stand, and tests that change: what would change is shown, and written only where that is asked for."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from nbgrader.api import Gradebook

from autograder.cli import main
from autograder.course import Course, open_course
from autograder.course import notebook as nb
from autograder.course.submitted import hash_folder
from autograder.grading.intake import Intake
from autograder.judge import replay, test_cell
from autograder.judge.job import Judged
from autograder.pages.feedback.files import write_feedback
from autograder.records import known
from autograder.records.deciding import Deciding
from autograder.records.grade import Grade
from autograder.records.store import read_record, read_run, record_path, run_path
from tests.support import grading
from tests.support.tiny import NAME, Desk

SCORES = {"right": 3, "partly": 2, "float32": 2, "dies": 2, "blank": 0}


@pytest.fixture(scope="module")
def first_run(tiny: Course, quick: None, tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A course in which five students were graded once; nobody writes to it."""
    course = open_course(shutil.copytree(tiny.root, tmp_path_factory.mktemp("regrade") / "course"))
    desk = Desk(course.assignment(NAME))
    desk.hand_in("right")
    desk.hand_in("blank", desk.release)
    desk.hand_in("partly", desk.answered(square_solution="def square(x): return 4"))
    desk.hand_in("float32", desk.answered(square_solution="def square(x): return x * x + (x > 9) * 0.001"))
    desk.hand_in("dies", desk.answered(double_solution="def double(x):\n    import os\n    os._exit(1)"))
    assert list_scores(grading.grade(course.assignment(NAME), 2).grades) == SCORES
    return course


@pytest.fixture
def course(first_run: Course, tmp_path: Path) -> Course:
    """A copy of it, to be spoiled."""
    return open_course(shutil.copytree(first_run.root, tmp_path / "course", symlinks=True))


@pytest.fixture
def nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """No student's code can be run: there is no batch."""

    def refuse(*_: Any) -> None:
        raise AssertionError("a batch was started")

    monkeypatch.setattr("autograder.grading.grading.Batch.of", refuse)


def edit(course: Course, old: str, new: str) -> None:
    """Change the source notebook's text, and the release's where it shows it."""
    assignment = course.assignment(NAME)
    for path in (assignment.source_path, assignment.release_path):
        text = path.read_text()
        assert old in text or path == assignment.release_path
        path.write_text(text.replace(old, new))


def write_proof(course: Course) -> None:
    """Leave what a build of today's tests leaves, without the runs that it takes."""
    assignment = open_course(course.root).assignment(NAME)
    known.write(assignment, nb.read(assignment.source_path), {}, {})


def grade(course: Course, *students: str, **how: bool) -> tuple[grading.Results, dict[str, Grade]]:
    results = grading.grade(course.assignment(NAME), 2, students, **how)
    return results, results.grades


def list_scores(grades: dict[str, Grade]) -> dict[str, float | None]:
    return {name: grade.score for name, grade in grades.items()}


def read_saved_scores(course: Course) -> dict[str, float]:
    with Gradebook(course.db_url, course.course_id) as book:
        return {submission.student_id: submission.score for submission in book.assignment_submissions(NAME)}


OLD_RECORD = """{
  "key": "0f3c", "answers_key": "77aa", "handed_in": "%s", "asked": "5d1e", "verdicts": {"square": "a1", "double": "b2"},
  "student": "float32", "assignment": "tiny", "status": "completed", "score": 2, "max_score": 5, "needs_manual": true,
  "notes": [], "isolation": ["user", "network"], "seconds": 0.412,
  "cells": {
    "square": {
      "score": 1, "max_score": 2, "error": "", "trouble": "",
      "checks": [
        {"name": "two", "points": 1, "passed": true, "message": ""},
        {"name": "three hundred", "points": 1, "passed": false, "message": "Try a larger number."}
      ]
    },
    "double": {"score": 1, "max_score": 1, "checks": [], "error": "", "trouble": ""},
    "essay": {"score": null, "max_score": 2, "checks": [], "error": "", "trouble": ""}
  }
}"""


def test_a_record_of_the_version_before_keeps_its_marks_and_its_grade_until_apply(course: Course, quick: None) -> None:
    """It has no run, so the submission runs again, but the same files were handed in."""
    assignment = course.assignment(NAME)
    folder = course.submitted / "float32" / NAME
    run_path(assignment, "float32").unlink()
    record_path(assignment, "float32").write_text(OLD_RECORD % hash_folder(folder, assignment.notebook))
    with Gradebook(course.db_url, course.course_id) as book:
        rows = {row.name: row for row in book.find_submission_notebook("tiny", NAME, "float32").grades}
        rows["essay"].manual_score, rows["essay"].needs_manual_grade = 1.5, False
        book.db.commit()
    edit(course, "square(300) == 90_000", "abs(square(300) - 90_000) < 0.01")
    group, grades = grade(course, "float32")
    assert (grades["float32"].total, grades["float32"].waiting) == (3.5, [])
    assert group.changes["float32"].reasons == ('square: "three hundred" passes now',)
    assert read_saved_scores(course)["float32"] == 3.5
    _, grades = grade(course, "float32", apply=True)
    assert (grades["float32"].total, grades["float32"].waiting) == (4.5, [])


def test_a_record_of_another_student_counts_as_none(course: Course, quick: None) -> None:
    """As when somebody copies a folder of transcripts."""
    assignment = course.assignment(NAME)
    shutil.copy(record_path(assignment, "partly"), record_path(assignment, "right"))
    assert read_record(assignment, "right") is None
    _, grades = grade(course, "right")
    assert list_scores(grades) == {"right": 3}


def test_a_looser_tolerance_is_shown_first_and_applied_when_told_and_nothing_runs(
    course: Course, nothing_runs: None
) -> None:
    edit(course, "square(300) == 90_000", "abs(square(300) - 90_000) < 0.01")
    group, grades = grade(course)
    assert (list_scores(grades), read_saved_scores(course), group.scored) == (SCORES, SCORES, 5)
    assert {name: change.reasons for name, change in group.changes.items()} == {
        "float32": ('square: "three hundred" passes now',)
    }
    group, grades = grade(course, apply=True)
    assert list_scores(grades) == read_saved_scores(course) == {**SCORES, "float32": 3}
    assert group.changes["float32"].applied
    group, grades = grade(course)
    assert (group.kept, group.changes, list_scores(grades)) == (5, {}, {**SCORES, "float32": 3})


def test_other_points_are_shown_and_applied_and_nothing_runs(course: Course, nothing_runs: None) -> None:
    edit(course, 'with check(\\"two\\", 1)', 'with check(\\"two\\", 3)')
    edit(course, "Checks(points=2)", "Checks(points=4)")
    for path in (course.assignment(NAME).source_path, course.assignment(NAME).release_path):
        notebook = json.loads(path.read_text())
        next(c for c in notebook["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == "square")["metadata"][
            "nbgrader"
        ]["points"] = 4
        path.write_text(json.dumps(notebook))
    group, grades = grade(course)
    assert (list_scores(grades), read_saved_scores(course)) == (SCORES, SCORES)
    assert group.changes["blank"].reasons == ("square: worth 4, was 2", 'square: "two" is worth 3, was 1')
    with Gradebook(course.db_url, course.course_id) as book:
        assert book.find_assignment(NAME).max_score == 5  # a mere look changes nothing
    _, grades = grade(course, apply=True)
    assert (
        list_scores(grades)
        == read_saved_scores(course)
        == {"right": 5, "partly": 4, "float32": 4, "dies": 4, "blank": 0}
    )
    with Gradebook(course.db_url, course.course_id) as book:
        assert book.find_assignment(NAME).max_score == 7


def test_another_message_is_written_at_once_and_nothing_runs(course: Course, nothing_runs: None) -> None:
    edit(course, "Try a larger number.", "Try three hundred.")
    group, grades = grade(course)
    assert (list_scores(grades), group.changes, group.scored) == (SCORES, {}, 5)
    assert grades["partly"].cells["square"].checks[1].message == "Try three hundred."
    record = read_record(course.assignment(NAME), "partly")
    assert record and record.grade.cells["square"].checks[1].message == "Try three hundred."


def test_a_grade_from_a_transcript_is_that_of_a_run_in_all_but_its_seconds(course: Course, quick: None) -> None:
    """Status, notes, checks, outputs as formgrader shows them, and the transcript itself."""
    assignment = course.assignment(NAME)
    edit(course, "Try a larger number.", "Try three hundred.")
    _, anew = grade(course)
    notebooks = {name: (course.autograded / name / NAME / "tiny.ipynb").read_bytes() for name in SCORES}
    runs = {name: read_run(assignment, record) for name in SCORES if (record := read_record(assignment, name))}
    _, run = grade(course, again=True)
    for name in SCORES:
        assert anew[name].as_json() | {"seconds": 0} == run[name].as_json() | {"seconds": 0}
        assert notebooks[name] == (course.autograded / name / NAME / "tiny.ipynb").read_bytes()
        record = read_record(assignment, name)
        assert record
        ran, before = read_run(assignment, record), runs[name]
        assert ran and before
        assert replace(ran, seconds=0) == replace(before, seconds=0)
    assert anew["dies"].status == "died"


def test_a_test_that_asks_something_else_runs_the_submissions_again(course: Course, quick: None) -> None:
    edit(course, "square(300) == 90_000", "square(301) == 90_601")
    group, grades = grade(course)
    assert (group.scored, list_scores(grades), group.changes) == (0, SCORES, {})


def test_a_test_that_asks_less_runs_the_submissions_again(course: Course, quick: None) -> None:
    """A function may remember its calls: what it answers to the next question may depend on the one that is left out."""
    edit(course, "square(300) == 90_000", "True")
    group, _ = grade(course)
    assert (group.scored, set(group.changes)) == (0, {"partly", "float32", "blank"})


@pytest.mark.parametrize("spoil", ["run", "damaged run", "settings"])
def test_where_the_answers_are_lost_or_may_be_others_the_submission_runs_again(
    course: Course, quick: None, spoil: str
) -> None:
    assignment = course.assignment(NAME)
    edit(course, "Try a larger number.", "Try three hundred.")
    if spoil == "run":
        run_path(assignment, "right").unlink()
    elif spoil == "damaged run":
        run_path(assignment, "right").write_bytes(run_path(assignment, "partly").read_bytes())
    else:
        path = assignment.folder / "assignment.toml"
        path.write_text("seed = 1\n" + path.read_text())
    group, grades = grade(open_course(course.root), "right")
    assert (group.scored, grades["right"].score) == (0, 3)


def test_new_and_changed_submissions_are_written_while_changes_wait(course: Course, quick: None) -> None:
    edit(course, "square(300) == 90_000", "abs(square(300) - 90_000) < 0.01")
    desk = Desk(course.assignment(NAME))
    desk.hand_in("late-comer")
    desk.hand_in("partly")
    group, grades = grade(course)
    assert set(group.changes) == {"float32"}
    assert read_saved_scores(course) == list_scores(grades) == {**SCORES, "partly": 3, "late-comer": 3}


def test_the_command_shows_the_diff_and_says_by_its_code_that_it_waits(course: Course, nothing_runs: None) -> None:
    edit(course, "square(300) == 90_000", "abs(square(300) - 90_000) < 0.01")
    call = ["grade", NAME, "--course", str(course.root)]
    shown = CliRunner().invoke(main, call)
    assert shown.exit_code == 4
    assert 'float32  2/5  3/5  square: "three hundred" passes now' in shown.output
    assert "1 grade would change" in shown.output
    assert "--apply" in shown.output
    lines = [json.loads(line) for line in CliRunner().invoke(main, [*call, "--json"]).stdout.splitlines()]
    assert {line["student"]: line["change"] for line in lines if line["change"]} == {
        "float32": {
            "old_score": 2, "old_max_score": 5, "new_score": 3, "new_max_score": 5, "old_total": 2, "new_total": 3,
            "reasons": ['square: "three hundred" passes now'], "applied": False,
        }
    }  # fmt: skip
    write_proof(course)
    applied = CliRunner().invoke(main, [*call, "--apply"])
    assert applied.exit_code == 0
    assert "1 grade replaced" in applied.output
    assert "passes now" not in CliRunner().invoke(main, call).output


def test_points_that_a_person_gave_stand_and_the_diff_says_so(course: Course, nothing_runs: None) -> None:
    with Gradebook(course.db_url, course.course_id) as book:
        rows = {row.name: row for row in book.find_submission_notebook("tiny", NAME, "float32").grades}
        rows["square"].manual_score, rows["square"].needs_manual_grade = 1.75, False
        book.db.commit()
    edit(course, "square(300) == 90_000", "abs(square(300) - 90_000) < 0.01")
    call = ["grade", NAME, "--course", str(course.root)]
    shown = CliRunner().invoke(main, call).output
    assert 'float32  2.75/5  2.75/5  square: "three hundred" passes now; no effect, a person gave 1.75' in shown
    assert "0 grades would change" in shown
    assert "1 submission keeps its score" in shown
    assert "float32  completed   2.75   5" in shown
    write_proof(course)
    assert "0 grades replaced" in CliRunner().invoke(main, [*call, "--apply"]).output
    after = CliRunner().invoke(main, call).output
    assert "float32  completed   2.75   5" in after
    assert "no effect" not in after


@pytest.mark.parametrize("change", ["this test", "a locked cell", "a hidden file"])
def test_only_test_cells_that_may_say_something_else_are_scored_anew(course: Course, change: str) -> None:
    """Of a thousand submissions, that is a matter of seconds."""
    assignment = course.assignment(NAME)
    before = Deciding(assignment).hash_verdicts(nb.read(assignment.source_path))
    if change == "this test":
        edit(course, "Try a larger number.", "Try three hundred.")
    elif change == "a locked cell":
        edit(course, "import contextlib", "import copy, contextlib")
    else:
        (assignment.folder / "labels.csv").write_text("1")
    assignment = open_course(course.root).assignment(NAME)
    after = Deciding(assignment).hash_verdicts(nb.read(assignment.source_path))
    record = read_record(assignment, "right")
    assert record
    assert set(record.select_unchanged_cells(before)) == {"square", "double"}
    assert set(record.select_unchanged_cells(after)) == ({"double"} if change == "this test" else set())


def rescore(course: Course, student: str) -> Judged:
    """A submission scored from its last run, in this process."""
    intake = Intake(course.assignment(NAME))
    submission = intake.inspect(student)
    result = intake.read(submission)
    run = read_run(intake.assignment, submission.record) if submission.record else None
    assert result.job and run
    return replay.score(result.job, run)


def test_test_cells_that_got_the_same_answers_are_scored_once(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the bit: so most of a class's right answers cost one run of the test cell. Each submission keeps its own run."""
    ran: list[str] = []
    run = test_cell.run

    def counted(source: str, *rest: Any) -> Any:
        ran.append("square" if "square" in source else "double")
        return run(source, *rest)

    monkeypatch.setattr(test_cell, "run", counted)
    monkeypatch.setattr(replay, "_verdicts", {})
    first, same, other = (rescore(course, name) for name in ("right", "right", "partly"))
    assert ran == ["square", "double", "square"]
    assert first == same
    assert (first.grade.score, other.grade.score) == (SCORES["right"], SCORES["partly"])
    record = read_record(course.assignment(NAME), "right")
    assert record and first.run == read_run(course.assignment(NAME), record)


def test_a_test_cell_that_ran_for_too_long_is_tried_again(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "_verdicts", {})
    with monkeypatch.context() as slow:
        slow.setattr(test_cell, "run_within", lambda seconds, run: run() and None)
        assert rescore(course, "right").grade.score == 0
    assert rescore(course, "right").grade.score == SCORES["right"]


def test_formgraders_folder_is_written_again_without_running_anything(course: Course, nothing_runs: None) -> None:
    before = (course.autograded / "right" / NAME / "tiny.ipynb").read_bytes()
    shutil.rmtree(course.autograded / "right")
    group, _ = grade(course)
    assert (group.scored, group.kept) == (1, len(SCORES) - 1)
    assert (course.autograded / "right" / NAME / "tiny.ipynb").read_bytes() == before


def test_nothing_reads_formgraders_folder_back(course: Course, nothing_runs: None) -> None:
    """Whatever somebody does to it, grades and pages are made from what we keep."""
    path = course.autograded / "partly" / NAME / "tiny.ipynb"
    path.write_text("no notebook")
    edit(course, "Try a larger number.", "Try three hundred.")
    group, grades = grade(course)
    assert (group.scored, list_scores(grades)) == (5, SCORES)
    path.write_text("no notebook")
    list(write_feedback(course.assignment(NAME)))
    assert "Try three hundred." in (course.feedback / "partly" / NAME / "tiny.html").read_text()
