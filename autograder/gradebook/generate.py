"""Runs nbgrader's `generate_assignment`, which makes the student version and fills the database."""

from __future__ import annotations

import logging
import os
import re
import sys
from pathlib import Path

from autograder.course import Assignment
from autograder.course import notebook as nb
from autograder.errors import CourseError


def generate(assignment: Assignment, target: Path, db_url: str) -> nb.Notebook:
    """Write the student version to `target`/NAME and its cells to the database at `db_url`; return the student version.

    This is `nbgrader generate_assignment` with the course's configuration: it removes solutions, hidden tests, mark schemes and
    outputs, locks cells and computes their checksums. CourseError if nbgrader cannot do it.
    """
    from nbgrader.converters import GenerateAssignment
    from nbgrader.converters.base import NbGraderException
    from nbgrader.coursedir import CourseDirectory

    config = assignment.course.config()
    config.CourseDirectory.update(
        root=str(assignment.course.root),
        source_directory=os.path.relpath(assignment.course.source, assignment.course.root),
        release_directory=str(target),
        db_url=db_url,
        assignment_id=assignment.name,
    )
    put_alembic_on_path()
    cwd = Path.cwd()
    tracebacks = _TracebackReader()
    log = logging.Logger("nbgrader")
    log.addHandler(tracebacks)
    try:
        coursedir = CourseDirectory(config=config, log=log)
        coursedir.ignore = [*coursedir.ignore, ".*"]  # hidden folders of Jupyter and hypothesis beside the notebook
        converter = GenerateAssignment(coursedir=coursedir, config=config, log=log)
        converter.force = True
        converter.start()
    except (NbGraderException, RuntimeError, ValueError) as error:
        reason = " ".join(str(tracebacks.cause or error).split())[:300]
        raise CourseError(f"nbgrader cannot make a release of {assignment.source_path}: {reason}") from None
    finally:
        os.chdir(cwd)  # the converter changes it
    return nb.read(target / assignment.name / f"{assignment.notebook}.ipynb")


class _TracebackReader(logging.Handler):
    """Reads the cause of an error from nbgrader's log: nbgrader logs the traceback, and its exception only points to the log."""

    cause = ""

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if text.startswith("Traceback"):
            # Not its last line: SQLAlchemy's errors end with the statement and a link.
            lines = [line for line in text.splitlines() if re.match(r"[A-Za-z_][\w.]*(: |$)", line)]
            self.cause = lines[-1] if lines else text.strip().splitlines()[-1]


def put_alembic_on_path() -> None:
    """Put the folder of this Python on PATH: nbgrader runs `alembic`, which is there, by name to set up a new gradebook."""
    folder = str(Path(sys.executable).parent)
    path = os.environ.get("PATH", os.defpath)
    if folder not in path.split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([folder, path])
