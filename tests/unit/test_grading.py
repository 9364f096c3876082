"""A class, from what was handed in to the gradebook: nbgrader's own API reads what we wrote."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from traitlets.config.loader import PyFileConfigLoader

from autograder.course import Course, open_course
from autograder.course import notebook as nb
from autograder.errors import CourseError
from autograder.gradebook.book import Book
from autograder.grading.intake import Intake, IntakeResult, Submission
from autograder.records.grade import Grade
from autograder.records.store import read_record, record_path
from tests.support import grading
from tests.support.classroom import ROOT
from tests.support.tiny import NAME, Desk

EXPECTED = {  # status, automatic score, and a word of the one line that says what happened
    "right": ("completed", 3, ""),
    "blank": ("completed", 0, ""),
    "partly": ("completed", 2, ""),
    "dies": ("died", 2, "double: the code died"),
    "broken": ("unreadable", None, "tiny.ipynb is not a notebook"),
    "empty": ("unreadable", None, "tiny.ipynb is not a notebook"),
    "linked": ("unreadable", None, "tiny.ipynb is a symbolic link"),
    "mistimed": ("completed", 3, "timestamp.txt says 'yesterday, or so', which is no time"),
    "misnamed": ("mended", 3, "homework.ipynb was taken as tiny.ipynb"),
    "undecided": ("mended", 3, "a.ipynb was taken as tiny.ipynb and not b.ipynb"),
    "julia": ("unreadable", None, "the notebook's kernel is julia"),
    "elsewhere": ("unreadable", None, "none of the assignment's cells"),
    "format-3": ("completed", 3, ""),
    "lacking": ("mended", 2, "cell double-solution was missing; it counts as unanswered"),
    "doubled": ("mended", 3, "cell square-solution came 2 times; the last counts"),
    "priced": ("mended", 3, "the points of square are not the release's; those of the release count"),
}


@pytest.fixture(scope="module")
def first_run(tiny: Course, quick: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[Course, dict[str, Grade]]:
    """A course in which the class was graded once; nobody writes to it."""
    course = open_course(shutil.copytree(tiny.root, tmp_path_factory.mktemp("first") / "course"))
    Desk(course.assignment(NAME)).hand_in_a_class()
    return course, grade_students(course)


@pytest.fixture
def course(first_run: tuple[Course, dict[str, Grade]], tmp_path: Path) -> Course:
    """A copy of it, to be spoiled."""
    return open_course(shutil.copytree(first_run[0].root, tmp_path / "course", symlinks=True))


def grade_students(course: Course, *students: str, again: bool = False) -> dict[str, Grade]:
    return grading.grade(course.assignment(NAME), 2, students, again=again).grades


@contextmanager
def gradebook(course: Course) -> Iterator[Any]:
    with Gradebook(course.db_url, course.course_id) as book:
        yield book


def read_rows(course: Course, student: str) -> dict[str, tuple[float | None, float | None, bool]]:
    """A submission's cells in the database: automatic score, manual score, whether a person must look."""
    with gradebook(course) as book:
        notebook = book.find_submission_notebook("tiny", NAME, student)
        return {row.name: (row.auto_score, row.manual_score, row.needs_manual_grade) for row in notebook.grades}


@pytest.mark.parametrize("student", EXPECTED)
def test_every_submission_has_its_status_score_and_line(
    student: str, first_run: tuple[Course, dict[str, Grade]]
) -> None:
    status, score, line = EXPECTED[student]
    grade = first_run[1][student]
    assert (grade.status, grade.score, grade.max_score) == (status, score, 5)
    assert line in "; ".join(grade.notes)
    assert all("\n" not in note for note in grade.notes)


def test_the_class_is_whole(first_run: tuple[Course, dict[str, Grade]]) -> None:
    assert set(first_run[1]) == set(EXPECTED)


def test_checks_say_what_was_missing(first_run: tuple[Course, dict[str, Grade]]) -> None:
    cell = first_run[1]["partly"].cells["square"]
    assert [(check.name, check.passed, check.message) for check in cell.checks] == [
        ("two", True, ""),
        ("three hundred", False, "Try a larger number."),
    ]


@pytest.mark.parametrize(
    ("student", "expected"),
    [
        ("right", {"square": (2, None, False), "double": (1, None, False), "essay": (None, None, True)}),
        ("partly", {"square": (1, None, False), "double": (1, None, False), "essay": (0, None, False)}),
        ("broken", {"square": (None, None, True), "double": (None, None, True), "essay": (None, None, True)}),
    ],
)
def test_nbgrader_reads_the_scores_that_we_wrote(
    student: str, expected: Any, first_run: tuple[Course, dict[str, Grade]]
) -> None:
    """Automatic score, manual score, whether a person must look; an essay left as released is 0 at once."""
    assert read_rows(first_run[0], student) == expected


def test_nbgrader_reads_the_totals(first_run: tuple[Course, dict[str, Grade]]) -> None:
    course, grades = first_run
    with gradebook(course) as book:
        totals = {submission.student_id: submission.score for submission in book.assignment_submissions(NAME)}
        assert book.find_assignment(NAME).max_score == 5
        assert str(book.find_submission(NAME, "right").timestamp) == "2026-01-09 12:00:00"
    assert totals == {name: grade.score or 0 for name, grade in grades.items()}


def test_the_gradebook_of_a_fresh_checkout_is_for_its_owner_alone(first_run: tuple[Course, dict[str, Grade]]) -> None:
    """It holds the hidden tests."""
    path = Path(first_run[0].db_url.removeprefix("sqlite:///"))
    assert path.stat().st_mode & 0o077 == 0


def test_formgrader_finds_the_autograded_notebook(first_run: tuple[Course, dict[str, Grade]]) -> None:
    folder = first_run[0].autograded / "right" / NAME
    saved = nb.read(folder / "tiny.ipynb")
    outputs = {nb.grade_id(cell): cell["outputs"] for cell in saved["cells"] if cell.get("outputs")}
    assert (folder / "timestamp.txt").read_text() == "2026-01-09 12:00:00 UTC"
    assert list(outputs) == ["square", "double"]
    assert "".join(outputs["square"][0]["text"]) == "All 2 checks passed.\n"
    assert "".join(outputs["square"][1]["data"]["text/plain"]) == "2.0"
    assert not (first_run[0].autograded / "broken" / NAME).exists()


def test_formgraders_lists_work_whatever_a_timestamp_says(first_run: tuple[Course, dict[str, Grade]]) -> None:
    """One that nbgrader cannot read would make each of them fail for the whole class."""
    course, grades = first_run
    config = PyFileConfigLoader("nbgrader_config.py", str(course.root)).load_config()
    api = NbGraderAPI(CourseDirectory(config=config), config=config)
    listed = {row["student"]: row for row in api.get_submissions(NAME)}
    assert set(listed) == set(grades)
    assert listed["mistimed"]["timestamp"] is None
    assert all(listed[name]["autograded"] == (grade.status != "unreadable") for name, grade in grades.items())
    assert {row["id"] for row in api.get_students() if row["id"] in grades} == set(grades)


def test_the_transcript_holds_the_grade(first_run: tuple[Course, dict[str, Grade]]) -> None:
    course, grades = first_run
    for name, grade in grades.items():
        record = read_record(course.assignment(NAME), name)
        assert record and record.grade.as_json() == grade.as_json()


def test_a_second_run_gives_the_same_grades_without_running_anything(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("a batch was started")

    before = {name: read_record(course.assignment(NAME), name) for name in EXPECTED}
    monkeypatch.setattr("autograder.grading.grading.Batch.of", refuse)
    results = grading.grade(course.assignment(NAME), 2)
    assert {name: grade.cells for name, grade in results.grades.items()} == {
        name: record and record.grade.cells for name, record in before.items()
    }
    assert results.kept == len(EXPECTED)


def test_what_was_handed_in_anew_is_graded_anew_and_nothing_else(course: Course) -> None:
    desk = Desk(course.assignment(NAME))
    desk.hand_in("partly")
    results = grading.grade(course.assignment(NAME), 2)
    assert (results.grades["partly"].score, results.kept) == (3, len(EXPECTED) - 1)


def test_again_grades_what_is_unchanged_and_a_persons_score_and_comment_stay(course: Course) -> None:
    with gradebook(course) as book:
        notebook = book.find_submission_notebook("tiny", NAME, "right")
        {row.name: row for row in notebook.grades}["essay"].manual_score = 1.5
        {row.name: row for row in notebook.grades}["square"].manual_score = 0.5
        {row.name: row for row in notebook.comments}["essay"].manual_comment = "Good."
        book.db.commit()
    record = record_path(course.assignment(NAME), "right")
    before = record.stat().st_mtime_ns
    assert grade_students(course, "right", again=True)["right"].score == 3
    assert record.stat().st_mtime_ns > before
    saved = read_rows(course, "right")
    assert (saved["essay"][:2], saved["square"][:2]) == ((None, 1.5), (2, 0.5))
    with gradebook(course) as book:
        comments = {
            row.name: row.manual_comment for row in book.find_submission_notebook("tiny", NAME, "right").comments
        }
        assert comments["essay"] == "Good."


def test_another_hidden_file_grades_everybody_anew(course: Course) -> None:
    """A test may open it: grades that were made with the old one are stale."""
    hidden = course.root / "assignments" / "shared" / "hidden"
    hidden.mkdir(parents=True)
    (hidden / "labels.csv").write_text("1,2")
    results = grading.grade(course.assignment(NAME), 2, ["right"])
    assert (results.grades["right"].score, results.kept) == (3, 0)


def mark(course: Course, student: str, points: float, cell: str = "essay") -> None:
    """As formgrader does it."""
    with gradebook(course) as book:
        row = {row.name: row for row in book.find_submission_notebook("tiny", NAME, student).grades}[cell]
        row.manual_score, row.needs_manual_grade = points, False
        book.db.commit()


@pytest.mark.parametrize("again", [False, True])
def test_what_a_person_has_marked_waits_no_more(course: Course, again: bool) -> None:
    assert grade_students(course, "right")["right"].waiting == ["essay"]
    mark(course, "right", 1.5)
    grade = grade_students(course, "right", again=again)["right"]
    assert (grade.waiting, grade.needs_manual) == ([], False)
    assert read_rows(course, "right")["essay"] == (None, 1.5, False)


@pytest.mark.parametrize("points_by_cell", [{}, {"essay": 1.5}, {"essay": 1.5, "square": 0.5}, {"square": 0}])
@pytest.mark.parametrize("extra", [0, 0.25])
def test_the_total_is_nbgraders(course: Course, points_by_cell: dict[str, float], extra: float) -> None:
    """A person's points in the place of the tests', and extra credit beside either."""
    for cell, points in points_by_cell.items():
        mark(course, "right", points, cell)
    with gradebook(course) as book:
        {row.name: row for row in book.find_submission_notebook("tiny", NAME, "right").grades}[
            "double"
        ].extra_credit = extra
        book.db.commit()
        score = book.find_submission(NAME, "right").score
    for again in (False, True):
        grade = grade_students(course, "right", again=again)["right"]
        assert (grade.total, grade.score) == (score, 3)
    assert score == 3 + extra + points_by_cell.get("essay", 0) + points_by_cell.get("square", 2) - 2


def test_what_was_marked_and_handed_in_anew_waits_again_and_keeps_its_points(course: Course) -> None:
    mark(course, "right", 1.5)
    desk = Desk(course.assignment(NAME))
    desk.hand_in("right", desk.answered(essay="Something else."))
    assert grade_students(course, "right")["right"].waiting == ["essay"]
    assert read_rows(course, "right")["essay"] == (None, 1.5, True)


def test_an_overruled_score_of_a_test_waits_too_when_another_answer_is_handed_in(course: Course) -> None:
    """Otherwise a mistake that a person marked, and the student has mended since, would go on costing points unseen."""
    mark(course, "right", 0.5, "square")
    desk = Desk(course.assignment(NAME))
    desk.hand_in("right", desk.answered(essay="Something else."))
    assert grade_students(course, "right")["right"].waiting == ["square", "essay"]
    assert read_rows(course, "right")["square"][1:] == (0.5, True)
    mark(course, "right", 2, "square")
    assert grade_students(course, "right")["right"].waiting == ["essay"]


def test_a_mark_that_waits_for_a_second_look_goes_on_waiting_when_graded_again(course: Course) -> None:
    mark(course, "right", 1.5)
    desk = Desk(course.assignment(NAME))
    desk.hand_in("right", desk.answered(essay="Something else."))
    grade_students(course, "right")
    grade_students(course, "right", again=True)
    assert read_rows(course, "right")["essay"] == (None, 1.5, True)
    mark(course, "right", 1)
    grade_students(course, "right", again=True)
    assert read_rows(course, "right")["essay"] == (None, 1, False)


def test_a_deadline_that_is_set_later_counts_at_once(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a second run of anything: only the penalty is new."""

    def refuse(*_: Any) -> None:
        raise AssertionError("a batch was started")

    monkeypatch.setattr("autograder.grading.grading.Batch.of", refuse)
    with gradebook(course) as book:
        book.update_or_create_assignment(NAME, duedate="2026-01-09 10:00:00 UTC")
    config = course.root / "nbgrader_config.py"
    config.write_text(config.read_text() + '\nc.LateSubmissionPlugin.penalty_method = "zero"\n')
    course = open_course(course.root)
    assert grade_students(course, "right")["right"].notes == ("handed in 2.0 hours late, penalty 3",)
    with gradebook(course) as book:
        assert book.find_submission(NAME, "right").late_submission_penalty == 3
        book.update_or_create_assignment(NAME, duedate="2026-01-10 10:00:00 UTC")
    assert grade_students(course, "right")["right"].notes == ()
    with gradebook(course) as book:
        assert not book.find_submission(NAME, "right").late_submission_penalty


def test_scores_that_another_program_wrote_over_ours_are_made_again(course: Course) -> None:
    """Stock `nbgrader autograde`, for one."""
    with gradebook(course) as book:
        for row in book.find_submission_notebook("tiny", NAME, "right").grades:
            row.auto_score = 0
        book.db.commit()
    results = grading.grade(course.assignment(NAME), 1, ["right"])
    assert (results.grades["right"].score, results.kept) == (3, 0)
    assert read_rows(course, "right")["square"][0] == 2


def test_a_run_that_was_killed_is_taken_up_where_it_was(tiny: Course, quick: None, tmp_path: Path) -> None:
    """Killed in the middle of the second student's transaction: nothing of theirs is saved, the first's stands. And no
    worker is left: each would hold the pipe that `run` reads to its end."""
    course = open_course(shutil.copytree(tiny.root, tmp_path / "course"))
    desk = Desk(course.assignment(NAME))
    for name in ("ada", "bob", "cyd"):
        desk.hand_in(name)
    program = f"""
import os, signal
from pathlib import Path
from autograder.gradebook import book as gradebook
from autograder.grading import grading
from autograder.course import open_course
penalty, calls = gradebook.Book._compute_late_penalty, []
def kill(self, student, *rest):
    calls.append(student)
    if len(calls) == 2: os.kill(os.getpid(), signal.SIGKILL)
    return penalty(self, student, *rest)
gradebook.Book._compute_late_penalty = kill
list(grading.grade_class(open_course(Path({str(course.root)!r})).assignment("tiny"), 1))
"""
    command = [sys.executable, "-c", program]
    killed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    with gradebook(course) as book:
        assert len(book.assignment_submissions(NAME)) == 1
    results = grading.grade(course.assignment(NAME), 1)
    assert {name: grade.score for name, grade in results.grades.items()} == {"ada": 3, "bob": 3, "cyd": 3}
    assert results.kept == 1
    with gradebook(course) as book:
        assert {row.student_id: row.score for row in book.assignment_submissions(NAME)} == {
            "ada": 3,
            "bob": 3,
            "cyd": 3,
        }


@pytest.mark.parametrize("spoil", ["record", "record is no JSON", "database", "notebook", "time"])
def test_whatever_is_lost_of_a_grade_it_is_made_again(course: Course, spoil: str) -> None:
    record = record_path(course.assignment(NAME), "right")
    if spoil == "record":
        record.unlink()
    elif spoil == "database":
        with gradebook(course) as book:
            book.remove_submission(NAME, "right")
    elif spoil == "notebook":
        (course.autograded / "right" / NAME / "tiny.ipynb").unlink()
    elif spoil == "time":  # as in an older copy of the database
        with gradebook(course) as book:
            book.update_or_create_submission(NAME, "right", timestamp="2026-01-01 12:00:00 UTC")
    else:
        record.write_text("{")
    results = grading.grade(course.assignment(NAME), 2, ["right"])
    assert (results.grades["right"].score, results.kept) == (3, 0)
    assert read_rows(course, "right")["square"][0] == 2


def test_two_at_once_are_refused(course: Course) -> None:
    with Book(course), pytest.raises(CourseError, match="another autograder is writing"):
        grading.grade(course.assignment(NAME), 1)


def test_what_another_process_graded_before_the_gradebook_was_locked_is_not_graded_as_new(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or a mark that a person gave in between would be flagged as stale."""
    desk = Desk(course.assignment(NAME))
    desk.hand_in("right", desk.answered(essay="Something else."))
    enter, calls = Book.__enter__, []

    def enter_late(book: Book) -> Book:
        calls.append(book)
        if len(calls) == 1:
            grade_students(course, "right")
            mark(course, "right", 1.5)
        return enter(book)

    monkeypatch.setattr(Book, "__enter__", enter_late)
    assert grade_students(course, "right")["right"].waiting == []
    assert len(calls) == 2
    assert read_rows(course, "right")["essay"] == (None, 1.5, False)


def test_a_student_who_is_named_twice_is_graded_once(course: Course) -> None:
    assert len(grading.grade(course.assignment(NAME), 1, ["right", "right"], again=True).outcomes) == 1


@pytest.mark.parametrize("again", [False, True])
def test_a_folder_that_disappears_while_others_are_graded_gets_a_reason(
    course: Course, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    """And the batch goes on."""
    read = Intake.read

    def remove_first(intake: Intake, submission: Submission) -> IntakeResult:
        if submission.student == "partly":
            shutil.rmtree(submission.folder)
        return read(intake, submission)

    monkeypatch.setattr(Intake, "read", remove_first)
    if not again:
        record_path(course.assignment(NAME), "partly").unlink()
    grades = grade_students(course, "partly", "right", again=again)
    assert (grades["partly"].status, grades["right"].score) == ("unreadable", 3)
    assert "no notebook in tiny/" in grades["partly"].notes[0]


@pytest.mark.parametrize("link", ["tiny", "student"])
def test_a_folder_that_is_a_link_is_not_followed(course: Course, link: str) -> None:
    """It could lead to another student's work."""
    target = course.submitted / "right" / NAME
    if link == "tiny":
        (course.submitted / "eve").mkdir()
        (course.submitted / "eve" / NAME).symlink_to(target)
    else:
        (course.submitted / "eve").symlink_to(target.parent)
    grade = grade_students(course, "eve")["eve"]
    assert (grade.status, grade.notes) == ("unreadable", ("tiny is a symbolic link; hand in the folder itself",))
    assert grading.grade(course.assignment(NAME), 1, ["eve"]).kept == 1


@pytest.mark.skipif(os.getuid() == 0, reason="root may read every folder")
def test_a_folder_without_permission_gets_a_reason(course: Course) -> None:
    folder = course.submitted / "right" / NAME
    folder.chmod(0)
    try:
        grade = grade_students(course, "right")["right"]
    finally:
        folder.chmod(0o755)
    assert grade.status == "unreadable"
    assert grade_students(course, "right")["right"].score == 3


def test_a_release_that_is_missing_is_an_error(course: Course) -> None:
    course.assignment(NAME).release_path.unlink()
    with pytest.raises(CourseError, match=r"tiny\.ipynb is missing; `autograder build tiny` creates it"):
        grade_students(course)


def test_an_unknown_student_is_an_error(course: Course) -> None:
    with pytest.raises(CourseError, match="nobody has not handed in tiny"):
        grade_students(course, "nobody")


def test_no_submissions_is_said(tiny: Course) -> None:
    with pytest.raises(CourseError, match="no submissions of tiny"):
        grade_students(tiny)
