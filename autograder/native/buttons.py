"""Formgrader's buttons Autograde and Generate Feedback, and a new one that grades all, run the `autograder` command.

In a course whose nbgrader_config.py does not name this engine, each click is left to nbgrader.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from nbgrader.server_extensions.formgrader import apihandlers, handlers
from nbgrader.server_extensions.formgrader.base import BaseApiHandler, check_notebook_dir, check_xsrf
from tornado import web

from autograder.course import Course
from autograder.errors import AutograderError
from autograder.native.command import explain, make_command, make_environment
from autograder.native.converters import GradeExporter, require_same_course

EXPORTER = f"{GradeExporter.__module__}.{GradeExporter.__qualname__}"
TURNS = "autograder_turns"  # in the server's settings: a lock for each course, since one process at a time writes a gradebook
# What is added to nbgrader's list of an assignment's submissions, whose variables and functions the script uses.
PAGE = """{% extends "manage_submissions.tpl" %}
{% block messages %}
<p><button type="button" class="btn btn-default" id="autograde-all">Autograde all</button></p>
{{ super() }}
{% endblock %}
{% block script %}
{{ super() }}
<script>
$("#autograde-all").click(function () {
    var button = $(this).prop("disabled", true).text("Autograding all, please wait...");
    $.post(base_url + "/formgrader/api/assignment/" + encodeURIComponent(assignment_id) + "/autograde")
        .done(function (response) {
            response = JSON.parse(response);
            var title = response["success"] ? "Success" : "Error";
            createLogModal("log-modal", title, "Autograding '" + assignment_id + "':", response["log"], response["error"]);
        })
        .fail(function () { createModal("error-modal", "Error", "The server did not answer."); })
        .always(function () {
            button.prop("disabled", false).text("Autograde all");
            models.each(function (model) { model.fetch(); });
        });
});
</script>
{% endblock %}"""


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


class AutogradeAllHandler(_Button, BaseApiHandler):
    """Grades all submissions that are new or have changed; nbgrader has no such button."""

    @web.authenticated
    @check_xsrf
    @check_notebook_dir
    async def post(self, assignment_id: str) -> None:
        """Run `autograder grade`."""
        if not await self.press("grade", assignment_id, []):
            raise web.HTTPError(404)


class ManageSubmissionsHandler(handlers.ManageSubmissionsHandler):
    """Lists an assignment's submissions, with the button that grades all."""

    @web.authenticated
    @check_xsrf
    @check_notebook_dir
    def get(self, assignment_id: str) -> None:
        """Render nbgrader's page, with the button in a course of this engine."""
        with suppress(AutograderError):
            if course := find_course(self):
                page = self.settings["nbgrader_jinja2_env"].from_string(PAGE)
                self.write(page.render(course_dir=course.root, assignment_id=assignment_id, base_url=self.base_url))
                return
        super().get(assignment_id)


HANDLERS = [
    (r"/formgrader/manage_submissions/([^/]+)/?", ManageSubmissionsHandler),
    (r"/formgrader/api/submission/([^/]+)/([^/]+)/autograde", AutogradeHandler),
    (r"/formgrader/api/assignment/([^/]+)/autograde", AutogradeAllHandler),
    (r"/formgrader/api/assignment/([^/]+)/generate_feedback", GenerateAllFeedbackHandler),
    (r"/formgrader/api/assignment/([^/]+)/([^/]+)/generate_feedback", GenerateFeedbackHandler),
]
