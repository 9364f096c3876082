"""A formula in LaTeX as MathML, which browsers draw without scripts or the net.

The library copies text and attributes into its result unescaped, so its tree is written anew here from a list of harmless names.
"""

from __future__ import annotations

import re
from html import escape, unescape
from xml.etree.ElementTree import Element

from latex2mathml.converter import convert_to_element

# The course's longest formula has 120 characters. The library takes 30 ms for a formula of 1,000, and 0.6 s for 20,000.
MAX_FORMULA = 1_000
ELEMENTS = frozenset(
    "math mrow mi mn mo mtext mspace msup msub msubsup mfrac msqrt mroot munder mover munderover mtable mtr mtd mstyle mpadded "
    "mphantom".split()
)
ATTRIBUTES = frozenset(
    "display displaystyle scriptlevel mathvariant stretchy fence separator form largeop movablelimits accent accentunder "
    "columnalign rowspacing columnspacing linethickness lspace rspace width linebreak minsize maxsize".split()
)
# Words, and lengths that move nothing out of its place.
VALUE = re.compile(r"[a-z-]{1,20}( [a-z-]{1,20}){0,20}|(\d|-?0?\.\d{1,4}|\d\.\d{1,4})(em|ex)?")
# Jupyter draws these by MathJax; the library knows them by another name, or needs none.
ENVIRONMENTS = {
    "aligned": "align*",
    "gathered": "align*",
    "equation": "",
    "equation*": "",
    "displaymath": "",
    "math": "",
}
ENVIRONMENT = re.compile(rf"\\(begin|end)\{{({'|'.join(map(re.escape, ENVIRONMENTS))})\}}")


def render_formula(latex: str, *, display: bool = False) -> str:
    """Return a formula as MathML, or its source as code where it is too long or cannot be read."""
    source = ENVIRONMENT.sub(_rename, latex).strip()
    try:
        if len(source) > MAX_FORMULA:
            raise ValueError("too long")
        tree = convert_to_element(source, display="block" if display else "inline")
        return _write(tree, latex.strip())
    except Exception:  # the library has ten exceptions of its own, and a deep formula raises RecursionError
        return f"<code>{escape(latex.strip())}</code>"


def _rename(match: re.Match[str]) -> str:
    name = ENVIRONMENTS[match[2]]
    return f"\\{match[1]}{{{name}}}" if name else ""


def _write(element: Element, latex: str = "") -> str:
    """Return an element as HTML; of one that is not on the list, its content."""
    inside = _text(element.text) + "".join(_write(child) + _text(child.tail) for child in element)
    if element.tag not in ELEMENTS:
        return inside
    attributes = [(key, value) for key, value in element.attrib.items() if key in ATTRIBUTES and VALUE.fullmatch(value)]
    attributes += [("alttext", latex)] if latex else []
    text = "".join(f' {key}="{escape(value)}"' for key, value in attributes)
    return f"<{element.tag}{text}>{inside}</{element.tag}>"


def _text(text: str | None) -> str:
    return escape(unescape(text or ""))
