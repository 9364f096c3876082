"""Markdown that a student or a TA wrote, as safe HTML: no raw HTML, no images from the net, only web and mail links.

Formulas are drawn. Jupyter's own parser reads it, so that a text has the shape here that its writer saw.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from html import unescape
from typing import Any
from urllib.parse import unquote

import mistune
from markupsafe import Markup, escape
from mistune.util import striptags
from nbconvert.filters.markdown_mistune import MarkdownWithMath, MathInlineParser

from autograder.gradebook.showable import IMAGES, decode_image
from autograder.pages.formulas import render_formula

LINKS = ("http://", "https://", "mailto:")
# A file of the assignment: its folders and its name each begin with a letter, so no path leads upwards or elsewhere.
FILE = re.compile(r"(?:\w[\w -]*/)*\w[\w .-]*\.(?:png|jpe?g|gif|webp|svg)", re.ASCII | re.IGNORECASE)
# All formulas of a text together, in characters: they take 0.3 s, and the course's longest text on formulas has 600.
FORMULA_CHARACTERS = 10_000
# An image's type and content as a data URI; "" if it cannot be shown.
ImageShower = Callable[[str, Any], str]


def render_markdown(
    text: str,
    attachments: Any = None,
    *,
    show_image: ImageShower | None = None,
    shows_files: bool = False,
    keeps_lines: bool = False,
) -> Markup:
    """Render a Markdown text as HTML, with the images that were pasted into it.

    `show_image` may refuse an image. `shows_files` shows pictures of the assignment's folder, `keeps_lines` every line break.
    """
    renderer = SafeHTML(attachments, show_image or embed_image, shows_files)
    try:
        html = MarkdownWithMath(renderer=renderer, inline=MathInlineParser(hard_wrap=keeps_lines)).render(text)
    except Exception:  # whatever hostile text triggers, such as a deep quotation: it must stay readable
        html = f"<pre>{escape(text)}</pre>"
    return Markup(html)  # noqa: S704  (the renderer has escaped the text)


def embed_image(kind: str, content: Any) -> str:
    """Return an image of a MIME type as a data URI, in which an SVG runs and loads nothing; "" if it is no such image."""
    data = decode_image(kind, content)
    return f"data:{kind};base64,{base64.b64encode(data).decode()}" if data else ""


class SafeHTML(mistune.HTMLRenderer):
    """mistune calls a method for each kind of element; raw HTML it escapes by itself."""

    def __init__(self, attachments: Any, show_image: ImageShower, shows_files: bool) -> None:
        super().__init__(escape=True)
        self._attachments = attachments if isinstance(attachments, dict) else {}
        self._show_image, self._shows_files, self._left = show_image, shows_files, FORMULA_CHARACTERS

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        return f"<p><strong>{text}</strong></p>\n"  # a heading here would break the page's own outline

    def block_code(self, code: str, info: str | None = None) -> str:
        return f"<pre><code>{escape(code)}</code></pre>\n"  # a class from `info` would be for a script of the page

    def link(self, text: str, url: str, title: str | None = None) -> str:
        if not url.lower().startswith(LINKS):
            return f"{text} ({escape(url)})"
        return f'<a href="{escape(url)}" rel="noopener noreferrer nofollow">{text}</a>'

    def image(self, text: str, url: str, title: str | None = None) -> str:
        alt = escape(unescape(striptags(text)))
        attachment = self._attachments.get(unquote(url.removeprefix("attachment:")))
        for kind in IMAGES:
            if isinstance(attachment, dict) and kind in attachment:
                uri = self._show_image(kind, attachment[kind])
                return f'<img src="{escape(uri)}" alt="{alt}">' if uri else f"[image not shown: {alt}]"
        path = unquote(url)
        if self._shows_files and FILE.fullmatch(path):
            return f'<img src="{escape(path)}" alt="{alt}">'
        return f"[image: {alt}] ({escape(url)})"

    def table_cell(self, text: str, align: str | None = None, head: bool = False) -> str:
        return f"<{'th' if head else 'td'}>{text}</{'th' if head else 'td'}>\n"  # an alignment would be a style

    def inline_math(self, body: str) -> str:
        return self._formula(body, display=False)

    def block_math(self, body: str) -> str:
        return self._formula(body, display=True)

    def latex_environment(self, name: str, body: str) -> str:
        return self._formula(f"\\begin{{{name}}}{body}\\end{{{name}}}", display=True)

    def _formula(self, latex: str, display: bool) -> str:
        self._left -= len(latex)
        return render_formula(latex, display=display) if self._left >= 0 else f"<code>{escape(latex)}</code>"
