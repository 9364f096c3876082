"""JupyterLab's Validate button: a notebook of a course of this engine runs in the sandbox, in a process of its own."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from nbgrader.server_extensions.validate_assignment import handlers as validation
from tornado import web

from autograder.course import open_course

KERNEL = "autograder"


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


HANDLERS = [(r"/assignments/validate", ValidateHandler)]
