"""Formgrader's Markdown filter, named in nbgrader_config.py: written answers as safe HTML.

Whatever runs in Formgrader's page can do all that its reader can do in Jupyter. nbconvert's `sanitize_html` cleans only outputs,
and nbgrader's template shows Markdown as it is, scripts included.
"""

from __future__ import annotations

from typing import Any

from jinja2 import pass_context
from markupsafe import escape
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from autograder.course import notebook as nb
from autograder.pages.markdown import render_markdown


@pass_context
def markdown(context: Any, source: str) -> str:
    """The HTML of a Markdown cell. HTML within it works in the instructor's locked cells, and is text in a student's."""
    cell = context.get("cell") or {}
    is_instructors = cell.get("cell_type") == "markdown" and nb.grade_id(cell) is not None and not nb.is_answer(cell)
    if not is_instructors:
        html = render_markdown(source, cell.get("attachments"), shows_files=True)
        # The page's MathJax knows commands that load and restyle; the formulas of this text are drawn already.
        return f'<div class="tex2jax_ignore mathjax_ignore">{html}</div>'
    try:
        renderer = IPythonRenderer(escape=False, attachments=cell.get("attachments", {}))
        return MarkdownWithMath(renderer=renderer).render(source)
    except Exception:  # a missing picture
        return f"<pre>{escape(source)}</pre>"
