"""A class's report: its numbers are those of the gradebook, and statistics without a basis are left out."""

from __future__ import annotations

import json
import shutil
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from autograder.cli import main
from autograder.course import Course, open_course
from autograder.course import notebook as nb
from autograder.pages.export import write_tasks
from autograder.pages.plots import count_bins, letter, log_position
from autograder.pages.report.files import write_report_files
from autograder.pages.report.items import FEWEST, confidence_interval, item_statistics
from autograder.pages.report.reading import read_report
from autograder.pages.report.results import MisconceptionCount, Report
from autograder.proof.prove import prove
from tests.support import grading
from tests.support.classroom import read_csv
from tests.support.tiny import NAME, Desk

WORTH = {"a": 2.0, "b": 1.0}


@pytest.fixture(scope="module")
def course(tiny: Course, tmp_path_factory: pytest.TempPathFactory, quick: None) -> Course:
    """A class with one of each mishap, graded; the assignment's known answers are those of its proof."""
    course = open_course(shutil.copytree(tiny.root, tmp_path_factory.mktemp("report") / "course"))
    desk = Desk(course.assignment(NAME))
    for _ in prove(desk.assignment, nb.read(desk.assignment.source_path), desk.release, 2):
        pass
    desk.hand_in_a_class()
    desk.hand_in("<script>alert(1)<", desk.answered(square_solution="def square(x): return 4"))
    desk.hand_in("=cmd()")
    for name in ("one", "another"):
        desk.hand_in(f"{name}-doubles", desk.answered(square_solution="def square(x): return 2 * x"))
    grading.grade(course.assignment(NAME), 2)
    return course


@pytest.fixture(scope="module")
def report(course: Course) -> Report:
    return read_report(course.assignment(NAME))


def test_the_points_are_those_of_the_gradebook(course: Course, report: Report, tmp_path: Path) -> None:
    write_tasks(course.assignment(NAME), tmp_path / "tasks.csv")
    rows = {row["student_id"].removeprefix("'"): row for row in read_csv(tmp_path / "tasks.csv")}
    graded = {row.student: row for row in report.graded}
    assert len(graded) > 5
    for name, row in graded.items():
        assert row.score == float(rows[name]["score"]), name
        for task, value in row.points.items():
            assert rows[name][task] == ("" if value is None else str(value)), (name, task)
    mean = {item.name: item.mean for item in report.items}
    assert mean["square"] == pytest.approx(statistics.fmean(float(rows[name]["square"]) for name in graded) / 2)


def test_a_submission_that_needs_manual_grading_is_listed_with_the_reason(report: Report) -> None:
    reasons = {row.student: row.reason for row in report.for_a_person}
    assert reasons["right"] == "to be marked: essay"
    assert reasons["broken"].startswith("unreadable: tiny.ipynb is not a notebook")
    assert "blank" not in reasons


def test_points_still_to_be_marked_are_shown_beside_the_mean(course: Course, report: Report) -> None:
    """An essay of 2 points; the mean counts none of them yet."""
    waiting = sum(row.grade.needs_manual for row in report.graded)
    assert report.unmarked == [2.0] * waiting
    assert waiting < len(report.graded)
    page = write_report_files(course.assignment(NAME), report)[0].read_text()
    assert f"marks are still missing for {waiting} of {len(report.graded)}, up to 2 points each" in page
    assert report.as_json()["unmarked"] == waiting


def test_a_submission_with_a_chaffs_answers_counts_under_its_misconception(report: Report) -> None:
    assert report.misconceptions == [MisconceptionCount("square", "squaring is doubling", 2)]
    assert report.as_json()["misconceptions"][0]["count"] == 2


def test_a_submission_that_could_not_be_read_counts_in_no_statistic(report: Report) -> None:
    assert report.statuses["unreadable"] >= 4
    assert all(item.count + item.waiting == len(report.graded) for item in report.items)
    assert len(report.rows) == len(report.graded) + report.statuses["unreadable"]


def test_a_mark_replaces_the_automatic_score(tiny: Course, tmp_path: Path, quick: None) -> None:
    from nbgrader.api import Gradebook

    course = open_course(shutil.copytree(tiny.root, tmp_path / "course"))
    Desk(course.assignment(NAME)).hand_in("ada")
    grading.grade(course.assignment(NAME), 1)
    with Gradebook(course.db_url) as book:
        grade = book.find_grade("essay", "tiny", NAME, "ada")
        grade.manual_score, grade.needs_manual_grade = 1.5, False
        book.db.commit()
    (row,) = read_report(course.assignment(NAME)).rows
    assert (row.points["essay"], row.score, row.reason) == (1.5, 4.5, "")


def test_page_and_tables_agree_and_run_nothing_of_a_students(course: Course, report: Report) -> None:
    page, submissions, tasks, _, checks = write_report_files(course.assignment(NAME), report)
    text = page.read_text()
    assert page.parent.stat().st_mode & 0o077 == 0
    assert "<script>alert" not in text
    assert text.count("<script>") == 1
    assert "http" not in text.replace("http-equiv", "")
    rows = read_csv(submissions)
    assert {row["student"] for row in rows} >= {"'=cmd()", "right", "broken"}
    assert [row["score"] for row in rows if row["student"] == "right"] == ["3.0"]
    assert [row["name"] for row in read_csv(tasks)] == ["square", "double", "essay"]
    passed = {row["check"]: (int(row["passed"]), int(row["count"])) for row in read_csv(checks)}
    # <script> and partly return 4 for everything, and two double
    assert passed["two"][0] - passed["three hundred"][0] == 4
    assert passed["two"][1] == len(report.graded)


@pytest.fixture
def run(course: Course) -> Iterator[Callable[..., Any]]:
    yield lambda *arguments: CliRunner().invoke(main, ["report", *arguments, "--course", str(course.root)])


def test_the_command_writes_five_files_and_prints_the_tasks(run: Callable[..., Any]) -> None:
    done = run(NAME)
    assert done.exit_code == 0, done.output
    assert "difficulty" in done.stdout
    assert [Path(line).name for line in done.stdout.splitlines()[-5:]] == [
        f"report-{NAME}.html", f"report-{NAME}-submissions.csv", f"report-{NAME}-tasks.csv",
        f"report-{NAME}-misconceptions.csv", f"report-{NAME}-checks.csv",
    ]  # fmt: skip
    printed = json.loads(run(NAME, "--json").stdout)
    assert printed["tasks"]["double"]["max_score"] == 1
    assert printed["for_a_person"]["right"] == "to be marked: essay"


def test_nothing_graded_is_an_error(tiny: Course) -> None:
    done = CliRunner().invoke(main, ["report", NAME, "--course", str(tiny.root)])
    assert done.exit_code == 2
    assert "nothing is graded yet; `autograder grade tiny` first" in done.stderr


def of_tasks(*pairs: tuple[float | None, float | None]) -> dict[str, Any]:
    return {item.name: item for item in item_statistics(WORTH, [{"a": a, "b": b} for a, b in pairs])}


def test_difficulty_is_the_mean_share_and_discrimination_the_correlation_with_the_rest() -> None:
    tasks = of_tasks(*[(2.0, 1.0)] * 10, *[(0.0, 0.0)] * 10)
    assert (tasks["a"].mean, tasks["a"].full, tasks["a"].none) == (0.5, 10, 10)
    assert tasks["a"].discrimination == pytest.approx(1)
    against = of_tasks(*[(2.0, 0.0)] * 10, *[(0.0, 1.0)] * 10)
    assert against["a"].discrimination == pytest.approx(-1)


def test_a_discrimination_without_a_basis_is_left_out() -> None:
    few = [(2.0, 1.0), (0.0, 0.0)] * (FEWEST // 2)
    assert of_tasks(*few)["a"].discrimination is not None
    assert of_tasks(*few[1:])["a"].discrimination is None
    assert of_tasks(*[(2.0, 1.0)] * 30)["a"].discrimination is None
    assert item_statistics({"a": 2.0}, [{"a": 1.0}, {"a": 2.0}] * 10)[0].discrimination is None


def test_tasks_with_missing_marks_do_not_count_in_the_rest() -> None:
    """Otherwise a task would correlate with being marked early."""
    tasks = of_tasks(*[(2.0, None), (0.0, 1.0)] * 10)
    assert tasks["a"].discrimination is None
    assert (tasks["b"].count, tasks["b"].waiting) == (10, 10)


def test_a_task_with_missing_marks_has_no_difficulty() -> None:
    """A blank essay gets 0 at once and a written one waits, so the mean of those with points would be 0."""
    assert of_tasks((2.0, None), (1.0, 0.0))["b"].mean is None
    assert of_tasks((2.0, 1.0), (1.0, 0.0))["b"].mean == 0.5


@given(st.floats(-0.99, 0.99), st.integers(FEWEST, 500))
def test_an_interval_holds_its_correlation_and_narrows_with_more_submissions(r: float, count: int) -> None:
    low, high = confidence_interval(r, count)
    assert -1 <= low <= r <= high <= 1
    wider = confidence_interval(r, max(FEWEST, count // 2))
    assert wider[0] <= low + 1e-12
    assert high <= wider[1] + 1e-12


@given(st.lists(st.floats(0, 43)), st.integers(1, 30))
def test_every_score_is_in_one_bar(values: list[float], count: int) -> None:
    counts = count_bins(values, 43, count)
    assert (len(counts), sum(counts)) == (count, len(values))


def test_the_ends_of_scales_and_letters() -> None:
    assert count_bins([0, 43, 43], 43, 10) == [1, 0, 0, 0, 0, 0, 0, 0, 0, 2]
    assert count_bins([0.0], 0, 4) == [1, 0, 0, 0]
    assert [log_position(value, -9, 9) for value in (0, 1e-12, 1, 1e12, float("inf"))] == [0, 0, 0.5, 1, 1]
    assert [letter(index) for index in (0, 25, 26, 51, 52)] == ["A", "Z", "AA", "AZ", "BA"]
