"""Which file a `db_url` names, and what becomes of a course whose URL is not the usual one."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from urllib.parse import quote

import pytest
from click.testing import CliRunner, Result
from sqlalchemy.engine import make_url

from autograder.cli import main
from autograder.course import Course, open_course
from autograder.errors import CourseError
from autograder.gradebook.book import Book, read_marks
from autograder.gradebook.database import LOCK_SECONDS, database_file, database_url
from autograder.records.grade import Marks
from tests.support import tiny
from tests.support.tiny import NAME, Desk

ROOT = Path("/a/course")


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A course in which one submission was graded; nobody writes to it."""
    course = tiny.write_course(tmp_path_factory.mktemp("graded") / "course")
    tiny.release(course, course.root / "scratch")
    Desk(course.assignment(NAME)).hand_in("right")
    done = run("grade", course)
    assert done.exit_code == 0, done.output
    return course


@pytest.fixture
def copy(graded: Course, tmp_path: Path) -> Course:
    return open_course(shutil.copytree(graded.root, tmp_path / "course"))


def run(command: str, course: Course, *arguments: str) -> Result:
    return CliRunner().invoke(main, [command, *arguments, NAME, "--course", str(course.root)])


def configure(course: Course, url: str) -> Course:
    """The same course with another `db_url`."""
    with (course.root / "nbgrader_config.py").open("a") as config:
        config.write(f"\nc.CourseDirectory.db_url = {url!r}\n")
    return open_course(course.root)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///gradebook.db", "/a/course/gradebook.db"),
        ("sqlite:///sub/../gradebook.db?timeout=5", "/a/course/gradebook.db"),
        ("sqlite:////abs/gradebook.db", "/abs/gradebook.db"),
        ("sqlite:////abs/gradebook.db?timeout=5", "/abs/gradebook.db"),
        ("sqlite:////abs/gradebook.db?timeout=5&cached_statements=9", "/abs/gradebook.db"),
        ("sqlite+pysqlite:////abs/gradebook.db", "/abs/gradebook.db"),
        ("sqlite+pysqlite:///gradebook.db?timeout=5", "/a/course/gradebook.db"),
        ("sqlite:////abs/my course/gradebook.db", "/abs/my course/gradebook.db"),
        ("sqlite:////abs/my%20course/gradebook.db", "/abs/my course/gradebook.db"),
        ("sqlite:////abs/what%3F/gradebook.db", "/abs/what?/gradebook.db"),
        ("sqlite:////abs/über/100%.db", "/abs/über/100%.db"),
        ("sqlite:///file:gradebook.db?uri=true", "/a/course/gradebook.db"),
        ("sqlite:///file:/abs/gradebook.db?uri=true&mode=rw", "/abs/gradebook.db"),
        ("sqlite:///file:///abs/gradebook.db?uri=1", "/abs/gradebook.db"),
        ("sqlite:///file:/abs/my%2520course.db?uri=true&timeout=3", "/abs/my course.db"),
        ("sqlite:///file:gradebook.db", "/a/course/file:gradebook.db"),
        ("postgresql://ta:secret@server/gradebook", None),
        ("postgresql+psycopg2:///gradebook.db", None),
        ("mysql://server/gradebook?timeout=5", None),
    ],
)
def test_the_file_is_the_one_that_sqlalchemy_opens(url: str, path: str | None) -> None:
    """A relative path is relative to the course's folder."""
    assert database_file(url, ROOT) == (path and Path(path))
    opened = make_url(database_url(url, ROOT))
    if path and "file:" not in url:
        (name,), options = opened.get_dialect()().create_connect_args(opened)
        assert name == path
        timeout = make_url(url).query.get("timeout", str(LOCK_SECONDS))
        assert isinstance(timeout, str)
        assert options["timeout"] == float(timeout)


def test_the_wait_for_a_lock_joins_what_the_url_has() -> None:
    assert make_url(database_url("sqlite:////b.db", ROOT)).query == {"timeout": str(LOCK_SECONDS)}
    assert make_url(database_url("sqlite:////b.db?timeout=5", ROOT)).query == {"timeout": "5"}
    query = make_url(database_url("sqlite:////b.db?cached_statements=9", ROOT)).query
    assert query == {"cached_statements": "9", "timeout": str(LOCK_SECONDS)}
    for other in ("postgresql://ta:s%40@server/g", "postgresql://server/g?application_name=us"):
        assert database_url(other, ROOT) == other


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("gradebook.db", "db_url 'gradebook.db' in nbgrader_config.py is not a database URL: Could not parse"),
        ("", "db_url '' in nbgrader_config.py is not a database URL"),
        ("sqlite://gradebook.db", "Invalid SQLite URL: sqlite://gradebook.db"),
        ("sqlite:////b.db?timeout=soon", "could not convert string to float: 'soon'"),
        ("sqlite:////b.db?timeout=5&timeout=6", "is not a database URL: "),
        ("sqlite://", "names no file"),
        ("sqlite:///", "names no file"),
        ("sqlite:///:memory:?timeout=5", "names no file"),
        ("sqlite:///file::memory:?uri=true&cache=shared", "names no file"),
        ("sqlite:///file:x?uri=true&mode=memory", "names no file"),
    ],
)
def test_a_url_that_cannot_serve_is_refused_in_one_line(url: str, line: str, copy: Course) -> None:
    with pytest.raises(CourseError) as refusal:
        database_file(url, ROOT)
    assert line in str(refusal.value)
    course = configure(copy, url)
    with pytest.raises(CourseError) as again, Book(course):
        pass
    done = run("explain", course, "right")
    assert (done.exit_code, done.stderr) == (2, f"autograder: {again.value}\n")
    assert not list(copy.root.glob("*.db"))


def list_urls(file: Path) -> dict[str, str]:
    return {
        "usual": f"sqlite:///{file}",
        "timeout": f"sqlite:///{file}?timeout=5",
        "driver": f"sqlite+pysqlite:///{file}?timeout=5",
        "escaped": f"sqlite:///{quote(str(file))}",
        "uri": f"sqlite:///file:{quote(quote(str(file)))}?uri=true&mode=rw",
        "relative": f"sqlite:///grade book/{quote(file.name)}?timeout=5",
        "relative uri": f"sqlite:///file:{quote(quote('grade book/' + file.name))}?uri=true",
    }


@pytest.mark.parametrize("kind", list_urls(Path("/")))
@pytest.mark.parametrize("name", ["book.db", "a b.db"])
def test_marks_are_kept_and_the_file_is_private_whatever_the_url(
    kind: str, name: str, copy: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From another working directory too."""
    monkeypatch.chdir(tmp_path)
    file = copy.root / "grade book" / name
    file.parent.mkdir()
    (copy.submitted.parent / "gradebook.db").rename(file)
    file.chmod(0o644)
    with sqlite3.connect(file) as book:
        book.execute("update grade set manual_score = 2.5, needs_manual_grade = 0 where auto_score = 2")
    course = configure(copy, list_urls(file)[kind])
    marks = read_marks(course.assignment(NAME), "right").cells
    assert marks["square"].score == 2.5
    done = run("explain", course, "right")
    assert "square: 2.5 of 2, marked by a person" in done.output
    with Book(course):
        pass
    assert file.stat().st_mode & 0o077 == 0
    assert not list(tmp_path.glob("*.db"))
    assert not [path for path in copy.root.rglob("*.db*") if path != file]


def test_a_gradebook_that_is_not_there_yet_is_not_made_to_be_read(copy: Course) -> None:
    course = configure(copy, f"sqlite:///{copy.root}/none.db?timeout=5")
    assert read_marks(course.assignment(NAME), "right") == Marks()
    assert not (copy.root / "none.db").exists()


def test_a_database_of_another_kind_is_no_file(copy: Course) -> None:
    """Its driver is not installed here; the password is for nobody's screen."""
    course = configure(copy, "postgresql://ta:secret@localhost:1/gradebook")
    for command, *arguments in (["grade"], ["explain", "right"]):
        done = run(command, course, *arguments)
        line = done.stderr.splitlines()[-1]
        assert done.exit_code == 2
        assert "the gradebook postgresql://ta:***@localhost:1/gradebook cannot be opened: " in line
        assert "secret" not in done.output


def test_a_book_waits_for_a_lock_for_as_long_as_the_url_says(copy: Course) -> None:
    for query, seconds in {"": LOCK_SECONDS, "?timeout=7": 7, "?cached_statements=9": LOCK_SECONDS}.items():
        with Book(configure(copy, f"sqlite:///{copy.root}/gradebook/gradebook.db{query}")) as book:
            wait = book.book.engine.raw_connection().execute("pragma busy_timeout").fetchone()
        assert wait == (seconds * 1000,), query


def test_a_new_gradebook_is_made_where_the_url_says(
    copy: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By `grade`, which has nbgrader write the assignment's cells too; from another working directory."""
    monkeypatch.chdir(tmp_path)
    course = configure(copy, "sqlite:///new.db?timeout=5")
    assert run("grade", course, "--again").exit_code == 0
    assert (copy.root / "new.db").stat().st_mode & 0o077 == 0
    assert not list(tmp_path.glob("*.db"))
