"""The gradebook's database: where it is, what can be wrong with it in one line, and SQLite's transactions made real."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from sqlalchemy import event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from autograder.errors import CourseError

# A formgrader's write takes milliseconds; a database that stays locked for longer is held by something else.
LOCK_SECONDS = 20
EXAMPLE = "write for example sqlite:////path/to/gradebook.db"
# What SQLite says, and what to do about it.
REMEDIES = {
    "locked": "close the program that holds it (formgrader, a database browser, a backup), and run the same command again",
    "full": "make room on its disk, and run the same command again",
    "disk I/O": "check its disk, and run the same command again",
    "readonly": "let this user write to it and to its folder, and run the same command again",
    "unable to open": "let this user write to it and to its folder, and run the same command again",
    "malformed": "put back a copy of it (only what people gave is in no other place), and grade again",
    "not a database": "put back a copy of it (only what people gave is in no other place), and grade again",
    "No module named": "install the driver of this kind of database",
}


def database_file(db_url: str, root: Path) -> Path | None:
    """The file that `db_url` names, absolute; None for a database that is not SQLite's.

    A relative path is relative to `root`, the course's folder: nbgrader's converters change to it, and its commands are
    typed there. CourseError for a URL that SQLAlchemy cannot read, and for a database in memory, which would be lost when
    this process ends.
    """
    return _located(db_url, root)[1]


def database_url(db_url: str, root: Path) -> str:
    """`db_url` as it is opened: a SQLite file by its absolute path, with a wait for locks of LOCK_SECONDS unless the URL says
    how long. Another database's URL is returned unchanged. CourseError as from `database_file`."""
    url, file, is_uri = _located(db_url, root)
    if file is None:
        return db_url
    query = {"timeout": str(LOCK_SECONDS), **url.query}
    url = url.set(database=f"file:{quote(str(file))}" if is_uri else str(file), query=query)
    return url.render_as_string(hide_password=False)


def shown(db_url: str) -> str:
    """`db_url` as a message may show it: without the password."""
    return make_url(db_url).render_as_string()


def _located(db_url: str, root: Path) -> tuple[URL, Path | None, bool]:
    """The parsed URL, the file that it names, and whether it names it by a URI of SQLite's own (`file:...?uri=true`)."""
    setting = f"db_url {db_url!r} in nbgrader_config.py"
    try:
        url = make_url(db_url)
        if url.get_backend_name() != "sqlite":
            return url, None, False
        (name,), options = url.get_dialect()().create_connect_args(url)
    except (ArgumentError, TypeError, ValueError) as error:  # the last two for an option or a port that is no number
        reason = str(error).partition("\n")[0]
        raise CourseError(f"{setting} is not a database URL: {reason}; {EXAMPLE}") from None
    is_uri = bool(options.get("uri")) and name.startswith("file:")
    path, in_memory = url.database or "", False
    if is_uri:
        parts = urlsplit(name)  # SQLite decodes it once more, after SQLAlchemy
        path, in_memory = unquote(parts.path), "memory" in parse_qs(parts.query).get("mode", [])
    if in_memory or path in ("", ":memory:"):
        raise CourseError(f"{setting} names no file; {EXAMPLE}")
    return url, Path(os.path.normpath(root / path)), is_uri


def must_be_whole(engine: Any) -> None:
    """ValueError for a damaged SQLite database, before anything is written: by itself, SQLite finds damage where it reads.
    (A gradebook of 1 MB takes 5 ms.)"""
    with engine.connect() as connection:
        found = connection.execute(text("pragma quick_check(1)")).scalar()
    if found != "ok":
        raise ValueError(f"it is malformed ({found})")


@contextlib.contextmanager
def told() -> Iterator[None]:
    """A database that is locked, full or damaged, as one line."""
    try:
        yield
    except Exception as error:
        if found := _first_fault(error):
            raise CourseError(f"the gradebook cannot be used: {why(found)}") from None
        raise


def _first_fault(error: BaseException | None) -> DBAPIError | None:
    """The first fault of the database's on the way to `error`. What failed because of it tells less: a savepoint that is gone,
    nbgrader's own InvalidEntry."""
    found = None
    while error is not None:
        found = error if isinstance(error, DBAPIError) else found
        error = error.__cause__ or error.__context__
    return found


def why(error: Exception) -> str:
    said = " ".join(str(error.orig if isinstance(error, DBAPIError) else error).split())
    return next((f"{said}; {remedy}" for words, remedy in REMEDIES.items() if words in said), said)


def real_transactions(engine: Any) -> None:
    """Python's sqlite3 begins a transaction late, by itself, and not before a SAVEPOINT; then an outer transaction would
    commit piece by piece. So it is told to keep out, and SQLAlchemy begins (its documentation's recipe)."""

    @event.listens_for(engine, "connect")
    def connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN")

    engine.dispose()  # the connections made so far lack the first hook
