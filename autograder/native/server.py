"""A Jupyter server extension: the buttons Autograde, Generate Feedback and Validate run this engine, and nobody waits for it.

Jupyter loads extensions in the order of their names, and the first handler of an address answers: these, and not nbgrader's.
Should they not be loaded, nbgrader's own handlers come to the same grades by way of nbgrader_config.py, but hold up the whole
server meanwhile. In a course whose nbgrader_config.py does not name this engine they leave every click to nbgrader.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from jupyter_server.utils import url_path_join
from nbgrader.server_extensions.formgrader import apihandlers
from nbgrader.server_extensions.formgrader.base import check_notebook_dir, check_xsrf
from nbgrader.server_extensions.validate_assignment import handlers as validation
from tornado import web

from autograder.course import Course, open_course
from autograder.errors import AutograderError
from autograder.native.command import explain, make_command, make_environment
from autograder.native.converters import Autograde, require_same_course

EXPORTER = f"{Autograde.__module__}.{Autograde.__qualname__}"
KERNEL = "autograder"
TURNS = "autograder_turns"  # in the server's settings: a lock for each course, since one process at a time writes a gradebook


def find_course(handler: Any) -> Course | None:
    """Return the course that Formgrader shows, None if its configuration does not name this engine; CourseError if that cannot be
    read, or if nbgrader uses other folders."""
    _ = handler.api  # nbgrader reads the configuration again whenever it makes one
    course = None
    if (Path(handler.coursedir.root) / "nbgrader_config.py").is_file():
        course = require_same_course(handler.coursedir)
    named = [handler.coursedir.parent.config, course.config() if course else {}]
    is_ours = any(str(config.get("Autograde", {}).get("exporter_class")) == EXPORTER for config in named)
    return course if is_ours else None


async def answer(handler: Any, course: Course, verb: str, name: str, students: list[str], *options: str) -> None:
    """Run a command of the course when no other of this server's does; answer as nbgrader does, with the command's output."""
    arguments = make_command(verb, name, course.root, students, *options)
    turns: dict[Path, asyncio.Lock] = handler.settings.setdefault(TURNS, {})
    async with turns.setdefault(course.root, asyncio.Lock()):
        process = await asyncio.create_subprocess_exec(
            *arguments,
            env=make_environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
    log = output.decode(errors="replace")
    if book := handler.settings.get("nbgrader_gradebook"):  # Formgrader's pages shall not show what they read before
        book.db.expire_all()
    finish(handler, log, explain(process.returncode or 0, log.splitlines(), name))


def finish(handler: Any, log: str, failure: str) -> None:
    """Answer with nbgrader's own JSON, which is what its pages parse."""
    result = {"success": not failure, "log": log} | ({"error": failure} if failure else {})
    handler.write(json.dumps(result).replace("<", "\\u003c"))  # nbgrader sends it as HTML


class _Button:
    """What the buttons' handlers have in common; each is mixed into nbgrader's own handler of the same address."""

    async def press(self, verb: str, name: str, students: list[str], *options: str) -> bool:
        """Answer the request, unless the course is not one of this engine's; return whether it is."""
        try:
            course = find_course(self)
        except AutograderError as error:
            finish(self, "", str(error))
            return True
        if course is None:
            return False
        await answer(self, course, verb, name, students, *options)
        return True


class AutogradeHandler(_Button, apihandlers.AutogradeHandler):
    """Grades one submission, and runs it again if it is unchanged."""

    @web.authenticated
    @check_xsrf
    @check_notebook_dir
    async def post(self, assignment_id: str, student_id: str) -> None:
        """Run `autograder grade`."""
        if not await self.press("grade", assignment_id, [student_id], "--again"):
            super().post(assignment_id, student_id)


class GenerateFeedbackHandler(_Button, apihandlers.GenerateFeedbackHandler):
    """Writes one student's page."""

    @web.authenticated
    @check_xsrf
    @check_notebook_dir
    async def post(self, assignment_id: str, student_id: str) -> None:
        """Run `autograder feedback`."""
        if not await self.press("feedback", assignment_id, [student_id]):
            super().post(assignment_id, student_id)


class GenerateAllFeedbackHandler(_Button, apihandlers.GenerateAllFeedbackHandler):
    """Writes every student's page."""

    @web.authenticated
    @check_xsrf
    @check_notebook_dir
    async def post(self, assignment_id: str) -> None:
        """Run `autograder feedback`."""
        if not await self.press("feedback", assignment_id, []):
            super().post(assignment_id)


class ValidateHandler(validation.ValidateAssignmentHandler):
    """Runs a notebook for JupyterLab's Validate button, in the sandbox if it lies in a course of this engine."""

    @web.authenticated
    async def post(self) -> None:
        """Answer as nbgrader does, with the errors that its Validator found."""
        root = Path(self.root_dir).resolve()
        path = (root / str(self.get_argument("path", "") or (self.get_json_body() or {})["path"])).resolve()
        if not path.is_relative_to(root):
            raise web.HTTPError(403, "the notebook is outside the server's folder")
        course = find_sandboxed_course(path)
        if course is None:
            super().post()
            return
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "autograder.native.validation", str(path)),
            cwd=course,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate()
        lines = output.decode().splitlines()
        failed = json.dumps({"success": False, "value": f"the validation ended with code {process.returncode}"})
        self.finish(lines[-1] if lines and process.returncode == 0 else failed)


def find_sandboxed_course(path: Path) -> Path | None:
    """Find the folder of the course that holds a file, None if there is none whose configuration names our kernel; CourseError if
    that cannot be read."""
    folder = next((one for one in path.parents if (one / "nbgrader_config.py").is_file()), None)
    if folder is None or open_course(folder).config().get("Execute", {}).get("kernel_name") != KERNEL:
        return None
    return folder


HANDLERS = [
    (r"/assignments/validate", ValidateHandler),
    (r"/formgrader/api/submission/([^/]+)/([^/]+)/autograde", AutogradeHandler),
    (r"/formgrader/api/assignment/([^/]+)/generate_feedback", GenerateAllFeedbackHandler),
    (r"/formgrader/api/assignment/([^/]+)/([^/]+)/generate_feedback", GenerateFeedbackHandler),
]


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(server: Any) -> None:
    base = server.web_app.settings["base_url"]
    server.web_app.add_handlers(".*$", [(url_path_join(base, path), handler) for path, handler in HANDLERS])
