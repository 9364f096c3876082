"""Text for a feedback page: clipped, without terminal codes, and without characters that reorder it."""

from __future__ import annotations

import re
from typing import Any

from autograder.course import notebook as nb

# An answer of the course has up to 3,000 characters.
ANSWER_CHARACTERS = 20_000
MESSAGE_CHARACTERS, NAME_CHARACTERS = 1_000, 200

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])")
_CONTROL = re.compile(r"[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")  # the last two ranges reorder text


def clip(text: str, limit: int) -> str:
    """The first `limit` characters, with a note on how many are missing."""
    return text if len(text) <= limit else f"{text[:limit]}\n[{len(text) - limit:,} more characters are not shown]"


def terminal_text(value: Any, between: str = "") -> str:
    """The text of an output (a string or a list of strings) as a terminal would show it: without colors, and of each
    line only what follows the last carriage return."""
    text = between.join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
    lines = _ANSI.sub("", text).replace("\r\n", "\n").split("\n")
    return "\n".join(line.rstrip("\r").rsplit("\r", 1)[-1] for line in lines)


def clean_message(text: str) -> str:
    """A name, note or message, clipped and without terminal codes."""
    return clip(terminal_text(text).strip(), MESSAGE_CHARACTERS)


def code_of(cell: nb.Cell) -> str:
    """A cell's source, clipped, with the line ends that Python reads: a lone carriage return must not hide the text before it."""
    return clip(nb.source(cell).replace("\r\n", "\n").replace("\r", "\n").strip("\n"), ANSWER_CHARACTERS)


def is_locked(cell: nb.Cell) -> bool:
    """Whether a cell that is no answer cell is the instructor's: its outputs may show the student's work, its source does not."""
    return nb.grade_id(cell) is not None


def storable(html: str) -> str:
    """The page without control characters, characters that reorder text, and halves of characters (lone surrogates), which
    JSON can hold and a file cannot."""
    return _CONTROL.sub("\ufffd", html).encode("utf-8", "replace").decode()
