"""How Formgrader shows written answers: named in nbgrader_config.py as the filter that makes HTML of Markdown.

Formgrader's page holds its reader's session in Jupyter, and what runs there can do all that the reader can. nbconvert's
`sanitize_html` cleans outputs, but nbgrader's template shows Markdown as it is, with every script in it.
"""

from __future__ import annotations

import re
from typing import Any

from jinja2 import pass_context
from markupsafe import escape
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from autograder.course import notebook as nb

LINK = re.compile(r"https?://|mailto:|#", re.IGNORECASE)
# One that came with the answer, or a file of the assignment's; what lies elsewhere would tell its owner who reads, and when.
PICTURE = re.compile(r"data:image/(png|jpeg|svg\+xml);base64,[A-Za-z0-9+/=\s]*|[\w-][\w ./-]*")


class _Written(IPythonRenderer):
    """A student's text: HTML in it is text, links lead where they say, and pictures are here already."""

    def link(self, text: str, url: str, title: str | None = None) -> str:
        return str(super().link(text, url, title)) if LINK.match(url) else f"{text} ({escape(url)})"

    def _embed_image_or_attachment(self, src: str) -> str:
        found = str(super()._embed_image_or_attachment(src))
        return found if PICTURE.fullmatch(found) else "#not-shown"


@pass_context
def markdown(context: Any, source: str) -> str:
    """HTML of a Markdown cell. What the instructor locked may hold HTML; in a student's text it is shown as text."""
    cell = context.get("cell") or {}
    own = nb.grade_id(cell) is not None and not nb.is_answer(cell)
    made = IPythonRenderer if own else _Written
    renderer = made(escape=not own, attachments=cell.get("attachments", {}))
    try:
        html: str = MarkdownWithMath(renderer=renderer).render(source)
    except (
        Exception
    ):  # a picture that is not there, and whatever else hostile text finds: the answer is still to be read
        return f"<pre>{escape(source)}</pre>"
    return html
