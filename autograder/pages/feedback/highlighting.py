"""Python code in color, by pygments; code above a size limit stays plain."""

from __future__ import annotations

import pygments
from markupsafe import Markup, escape
from pygments import token
from pygments.formatters.html import HtmlFormatter
from pygments.lexers.python import PythonLexer

HIGHLIGHTED_CHARACTERS = 4_000  # the lexer takes 0.1 s for as many blanks, and four times that for twice as many
# The stylesheet colors these families, by pygments' short class names: k, s, c, m.
COLORED = (token.Keyword, token.String, token.Comment, token.Number)


def highlight(code: str) -> Markup:
    """The code as escaped HTML, with a <span> around each colored token."""
    if len(code) > HIGHLIGHTED_CHARACTERS:
        return escape(code)
    lexer = PythonLexer(stripnl=False, ensurenl=False)
    # A <span> for every name and operator would double the page and change nothing that is seen.
    tokens = (
        (next((family for family in COLORED if kind in family), token.Text), text)
        for kind, text in lexer.get_tokens(code)
    )
    html = pygments.format(tokens, HtmlFormatter(nowrap=True)).removesuffix("\n")
    return Markup(html)  # noqa: S704  (pygments has escaped the code)
