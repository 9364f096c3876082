"""nbgrader's own `generate_assignment`: an instructor's notebook becomes the student version, its cells go into a database."""

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
    """Write the student version to `target`/NAME with nbgrader's `generate_assignment`, its cells to `db_url`; read it.

    The same as `nbgrader generate_assignment` with the course's configuration: solutions, hidden tests, mark schemes and
    outputs are removed, cells locked and their checksums taken.
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
    find_alembic()
    before = Path.cwd()
    heard = _Heard()
    log = logging.Logger("nbgrader")
    log.addHandler(heard)
    try:
        coursedir = CourseDirectory(config=config, log=log)
        coursedir.ignore = [*coursedir.ignore, ".*"]  # what Jupyter and hypothesis left beside the notebook
        converter = GenerateAssignment(coursedir=coursedir, config=config, log=log)
        converter.force = True
        converter.start()
    except (NbGraderException, RuntimeError, ValueError) as error:
        why = " ".join(str(heard.cause or error).split())[:300]
        raise CourseError(f"nbgrader cannot make a release of {assignment.source_path}: {why}") from None
    finally:
        os.chdir(before)  # the converter changes it
    return nb.read(target / assignment.name / f"{assignment.notebook}.ipynb")


class _Heard(logging.Handler):
    """nbgrader logs the traceback that stopped it, and raises an exception that only points to the log."""

    cause = ""

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if text.startswith("Traceback"):
            # Not its last line: SQLAlchemy's errors end in the statement and a link to a page that explains nothing.
            said = [line for line in text.splitlines() if re.match(r"[A-Za-z_][\w.]*(: |$)", line)]
            self.cause = said[-1] if said else text.strip().splitlines()[-1]


def find_alembic() -> None:
    """A new gradebook asks `alembic`, a program beside this Python, for its version; let it be found by name."""
    beside = str(Path(sys.executable).parent)
    path = os.environ.get("PATH", os.defpath)
    if beside not in path.split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([beside, path])
