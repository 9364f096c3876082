"""Text for messages: plurals, and student text that is safe to print."""

from __future__ import annotations

import unicodedata


def counted(count: int, noun: str) -> str:
    """Return the count with its noun: `1 page`, `2 pages`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


MAX_SENTENCE = 400  # characters: three lines of a table
MAX_NAME = 80  # characters of a file's name; the longest in the course has 40
_JOINERS = "\u200c\u200d"  # in Persian words and in emoji; other characters without a shape are not shown


def printable(text: str) -> str:
    """Replace the characters of a student's text that a terminal could take for commands; line breaks stay."""
    return "\n".join(map(_show, text.expandtabs(4).split("\n")))


def flat(text: str) -> str:
    """Return a text on one line for a table's field: a line break becomes a blank, and what is not printable `\ufffd`.

    Other blanks stay, because they may be part of a student's ID.
    """
    return _show("".join(" " if c in "\r\n\t\v\f\x85\u2028\u2029" else c for c in text))


def one_line(text: str, limit: int = MAX_SENTENCE) -> str:
    """Return a text as one short line that is safe to show anywhere: in a table, on a page, on a terminal.

    Of a long text the middle is left out, since its end often says what to do.
    """
    if len(text) > 4 * limit:  # do not work on megabytes to show a line
        text = f"{text[: 2 * limit]} ... {text[-2 * limit :]}"
    text = _show(" ".join(text.split()))
    if len(text) <= limit:
        return text
    tail = (limit - 5) // 3
    return f"{text[: limit - 5 - tail]} ... {text[-tail:]}"


def _show(line: str) -> str:
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() or c in _JOINERS or unicodedata.category(c) == "Zs" else "\ufffd" for c in line)
