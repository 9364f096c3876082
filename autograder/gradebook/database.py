"""Where the gradebook's database is, its errors in one line each, and real transactions in SQLite."""

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

# Seconds. A write of Formgrader's takes milliseconds; a database that stays locked for longer is held by another program.
LOCK_SECONDS = 20
EXAMPLE = "write for example sqlite:////path/to/gradebook.db"
# What to do about an error of SQLite's, by words of its message.
REMEDIES = {
    "locked": "close the program that holds it (Formgrader, a database browser, a backup), then rerun",
    "full": "free some space on its disk, then rerun",
    "disk I/O": "check its disk, then rerun",
    "readonly": "give this user write access to it and to its folder, then rerun",
    "unable to open": "give this user write access to it and to its folder, then rerun",
    "malformed": "restore a backup (manual grades exist nowhere else), then grade again",
    "not a database": "restore a backup (manual grades exist nowhere else), then grade again",
    "No module named": "install the driver for this kind of database",
}


def database_file(db_url: str, root: Path) -> Path | None:
    """Return the absolute path of the file that `db_url` names; None for a database other than SQLite.

    A relative path is relative to `root`, the course's folder: nbgrader's converters change to it, and its commands are
    typed there. CourseError for a URL that SQLAlchemy cannot read, and for a database in memory, which would be lost when
    this process ends.
    """
    return _parse(db_url, root)[1]


def database_url(db_url: str, root: Path) -> str:
    """Return the URL to open: a SQLite file by its absolute path, with LOCK_SECONDS as the timeout of locks unless `db_url` has
    its own. Another database's URL is returned unchanged. CourseError as from `database_file`."""
    url, file, is_uri = _parse(db_url, root)
    if file is None:
        return db_url
    query = {"timeout": str(LOCK_SECONDS), **url.query}
    url = url.set(database=f"file:{quote(str(file))}" if is_uri else str(file), query=query)
    return url.render_as_string(hide_password=False)


def hide_password(db_url: str) -> str:
    """Return `db_url` with its password replaced by asterisks, for messages."""
    return make_url(db_url).render_as_string()


def _parse(db_url: str, root: Path) -> tuple[URL, Path | None, bool]:
    """Return the parsed URL, the file that it names, and whether it is one of SQLite's own URIs (`file:...?uri=true`)."""
    setting = f"db_url {db_url!r} in nbgrader_config.py"
    try:
        url = make_url(db_url)
        if url.get_backend_name() != "sqlite":
            return url, None, False
        (name,), options = url.get_dialect()().create_connect_args(url)
    except (ArgumentError, TypeError, ValueError) as error:  # the last two if an option or a port is not a number
        reason = str(error).partition("\n")[0]
        raise CourseError(f"{setting} is not a database URL: {reason}; {EXAMPLE}") from None
    is_uri = bool(options.get("uri")) and name.startswith("file:")
    path, in_memory = url.database or "", False
    if is_uri:
        parts = urlsplit(name)  # SQLite decodes it again after SQLAlchemy
        path, in_memory = unquote(parts.path), "memory" in parse_qs(parts.query).get("mode", [])
    if in_memory or path in ("", ":memory:"):
        raise CourseError(f"{setting} names no file; {EXAMPLE}")
    return url, Path(os.path.normpath(root / path)), is_uri


def check_integrity(engine: Any) -> None:
    """Raise ValueError for a damaged SQLite database. Otherwise SQLite would notice the damage only when it reads there, perhaps
    after other rows were written. (A gradebook of 1 MB takes 5 ms.)"""
    with engine.connect() as connection:
        result = connection.execute(text("pragma quick_check(1)")).scalar()
    if result != "ok":
        raise ValueError(f"it is malformed ({result})")


@contextlib.contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn errors of the database (locked, full, damaged) into a CourseError of one line. Other exceptions pass through."""
    try:
        yield
    except Exception as error:
        if fault := _find_first_fault(error):
            raise CourseError(f"the gradebook cannot be used: {describe_error(fault)}") from None
        raise


def _find_first_fault(error: BaseException | None) -> DBAPIError | None:
    """Find the first error of the database in the chain that led to `error`. Later ones are its consequences and explain less:
    a savepoint that is gone, nbgrader's own InvalidEntry."""
    fault = None
    while error is not None:
        fault = error if isinstance(error, DBAPIError) else fault
        error = error.__cause__ or error.__context__
    return fault


def describe_error(error: Exception) -> str:
    """Describe an error of the database in one line, with what to do about it if that is known."""
    message = " ".join(str(error.orig if isinstance(error, DBAPIError) else error).split())
    return next((f"{message}; {remedy}" for words, remedy in REMEDIES.items() if words in message), message)


def enable_transactions(engine: Any) -> None:
    """Let SQLAlchemy begin SQLite's transactions, as its documentation recommends.

    Python's sqlite3 begins them by itself, late, and not before a SAVEPOINT. Then each savepoint that is released would be
    committed at once, and an outer transaction would be saved in pieces.
    """

    @event.listens_for(engine, "connect")
    def connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN")

    engine.dispose()  # connections that exist already lack the first listener
