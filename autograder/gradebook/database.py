"""The gradebook's database: what can be wrong with it, told in one line, and SQLite's transactions made real."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from autograder.errors import CourseError

# What SQLite says, and what to do about it.
REMEDIES = {
    "locked": "close the program that holds it (formgrader, a database browser, a backup), and run the same command again",
    "full": "make room on its disk, and run the same command again",
    "disk I/O": "check its disk, and run the same command again",
    "readonly": "let this user write to it and to its folder, and run the same command again",
    "unable to open": "let this user write to it and to its folder, and run the same command again",
    "malformed": "put back a copy of it (only what people gave is in no other place), and grade again",
    "not a database": "put back a copy of it (only what people gave is in no other place), and grade again",
}


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
