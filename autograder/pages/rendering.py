"""The one jinja2 environment of all pages, with the filters that their templates use."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from autograder.pages.feedback.highlighting import highlight
from autograder.pages.feedback.text import clean_message, clip, code_of, is_locked
from autograder.pages.plots import count_bins, letter, log_position

LOADER = PackageLoader("autograder.pages")
FILTERS = {
    "bins": count_bins,
    "clip": clip,
    "code": code_of,
    "highlighted": highlight,
    "letter": letter,
    "locked": is_locked,
    "log_position": log_position,
    "message": clean_message,
}


def render(template: str, **context: Any) -> str:
    """Render a template of the folder `templates`. Text in `context` is escaped; a name missing there is an error."""
    html: str = _environment().get_template(template).render(**context)
    return html


def template_source(name: str) -> str:
    """The text of a file in the folder `templates`, unrendered."""
    return LOADER.get_source(_environment(), name)[0]


@cache
def _environment() -> Environment:
    environment = Environment(loader=LOADER, autoescape=True, undefined=StrictUndefined)
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.filters.update(FILTERS)
    return environment
