"""Formgrader's Markdown filter, named in nbgrader_config.py: written answers as safe HTML.

Whatever runs in Formgrader's page can do all that its reader can do in Jupyter. nbconvert's `sanitize_html` cleans only outputs,
and nbgrader's template shows Markdown as it is, scripts included.
"""

from __future__ import annotations

import re
from typing import Any

from jinja2 import pass_context
from markupsafe import escape
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from autograder.course import notebook as nb

LINK = re.compile(r"https?://|mailto:|#", re.IGNORECASE)
# A picture pasted into the answer, or a file of the assignment. One from elsewhere would tell its owner who reads, and when.
PICTURE = re.compile(r"data:image/(png|jpeg|svg\+xml);base64,[A-Za-z0-9+/=\s]*|[\w-][\w ./-]*")


class _StudentRenderer(IPythonRenderer):
    """A student's Markdown: HTML in it stays text, links show where they lead, and pictures come from no other server."""

    def link(self, text: str, url: str, title: str | None = None) -> str:
        return str(super().link(text, url, title)) if LINK.match(url) else f"{text} ({escape(url)})"

    def _embed_image_or_attachment(self, src: str) -> str:
        url = str(super()._embed_image_or_attachment(src))
        return url if PICTURE.fullmatch(url) else "#not-shown"


@pass_context
def markdown(context: Any, source: str) -> str:
    """The HTML of a Markdown cell. HTML within it works in the instructor's locked cells, and is text in a student's."""
    cell = context.get("cell") or {}
    is_instructors = nb.grade_id(cell) is not None and not nb.is_answer(cell)
    renderer_class = IPythonRenderer if is_instructors else _StudentRenderer
    renderer = renderer_class(escape=not is_instructors, attachments=cell.get("attachments", {}))
    try:
        html: str = MarkdownWithMath(renderer=renderer).render(source)
    except Exception:  # a missing picture, or whatever else hostile text triggers: the answer must stay readable
        return f"<pre>{escape(source)}</pre>"
    return html
