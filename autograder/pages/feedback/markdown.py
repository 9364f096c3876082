"""A student's Markdown as safe HTML: no raw HTML, no images from the net, only web and mail links."""

from __future__ import annotations

from html import unescape
from typing import Any
from urllib.parse import unquote

import mistune
from markupsafe import Markup, escape
from mistune.util import striptags

from autograder.course import notebook as nb
from autograder.pages.feedback.outputs import IMAGES, Outputs
from autograder.pages.feedback.text import code_of

LINKS = ("http://", "https://", "mailto:")


def render_markdown(cell: nb.Cell, outputs: Outputs) -> Markup:
    """The HTML of a Markdown cell. Its pasted images count toward the limits of `outputs`."""
    renderer = _SafeHTML(outputs, cell.get("attachments"))
    html = mistune.create_markdown(renderer=renderer, plugins=["table", "strikethrough"])(code_of(cell))
    return Markup(html)  # noqa: S704  (the renderer has escaped the student's text)


class _SafeHTML(mistune.HTMLRenderer):
    """mistune calls a method for each kind of element; raw HTML it escapes by itself."""

    def __init__(self, outputs: Outputs, attachments: Any) -> None:
        super().__init__(escape=True)
        self._outputs, self._attachments = outputs, attachments if isinstance(attachments, dict) else {}

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        return f"<p><strong>{text}</strong></p>\n"  # a heading here would break the page's own outline

    def link(self, text: str, url: str, title: str | None = None) -> str:
        if not url.lower().startswith(LINKS):
            return f"{text} ({escape(url)})"
        return f'<a href="{escape(url)}" rel="noopener noreferrer nofollow">{text}</a>'

    def image(self, text: str, url: str, title: str | None = None) -> str:
        alt = escape(unescape(striptags(text)))
        attachment = self._attachments.get(unquote(url.removeprefix("attachment:")))
        for kind in IMAGES:
            if isinstance(attachment, dict) and kind in attachment:
                uri = self._outputs.convert_image(kind, attachment[kind], "").get("image")
                return f'<img src="{uri}" alt="{alt}">' if uri else f"[image not shown: {alt}]"
        return f"[image: {alt}] ({escape(url)})"
