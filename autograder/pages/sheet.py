"""Pages for the instructor: one offline HTML file each, in light and dark, with plots that are drawings in the page itself.

All text is escaped by jinja2. The page's policy lets one script run, the one that makes tables sortable, by its hash, and
nothing be fetched; without scripts the tables stand as they are.
"""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from autograder.course import Course
from autograder.files import write_whole


def render(template: str, **context: Any) -> bytes:
    """The page that a template makes of `context`."""
    script = _script()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    html: str = _environment().get_template(template).render(script=Markup(script), script_hash=digest, **context)  # noqa: S704
    return html.encode("utf-8", "replace")


def write_report(course: Course, name: str, content: bytes) -> Path:
    """Write a file into gradebook/reports/, which is for its owner's eyes: solutions and names stand there."""
    course.keep_private(course.reports)
    write_whole(course.reports / name, content)
    return course.reports / name


def log_position(share: float, low: float, high: float) -> float:
    """Where a number stands on a logarithmic axis from 10**low to 10**high: 0 to 1, held at the ends."""
    if share <= 0:
        return 0.0
    return min(1.0, max(0.0, (math.log10(share) - low) / (high - low)))


def letter(index: int) -> str:
    """The name of a matrix's column: A to Z, then AA and on, as a list in the page counts them."""
    return letter(index // 26 - 1) + letter(index % 26) if index > 25 else chr(ord("A") + index)


def bins(values: Sequence[float], top: float, count: int) -> list[int]:
    """How many values fall into each of `count` equal parts of [0, top]; the top itself belongs to the last."""
    made = [0] * count
    for value in values:
        made[min(count - 1, max(0, int(value / top * count))) if top else 0] += 1
    return made


def _script() -> str:
    return _environment().loader.get_source(_environment(), "sort.js")[0].strip()  # type: ignore[union-attr]


@cache
def _environment() -> Environment:
    environment = Environment(loader=PackageLoader("autograder.pages"), autoescape=True, undefined=StrictUndefined)
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.filters["log_position"] = log_position
    environment.filters["bins"] = bins
    environment.filters["letter"] = letter
    return environment
