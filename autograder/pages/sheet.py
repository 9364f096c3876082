"""Pages for the instructor: offline HTML files, light and dark, with plots drawn as SVG.

jinja2 escapes all text. The page's policy forbids fetching anything and allows one script by its hash: it makes tables sortable.
Without scripts the tables are complete, only unsorted.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from markupsafe import Markup

from autograder.course import Course
from autograder.files import write_whole
from autograder.pages.rendering import render, template_source


def render_sheet(template: str, **context: Any) -> bytes:
    """Render a template that extends sheet.html.j2, as UTF-8."""
    script = template_source("sort.js").strip()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    html = render(template, script=Markup(script), script_hash=digest, **context)  # noqa: S704  (the script is ours)
    return html.encode("utf-8", "replace")


def write_report(course: Course, name: str, content: bytes) -> Path:
    """Write a file to gradebook/reports/ and return its path. The folder is private: it holds names and solutions."""
    course.keep_private(course.reports)
    write_whole(course.reports / name, content)
    return course.reports / name
