"""Text for messages: plurals, and student text that is safe to print."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """Return the count with its noun: `1 page`, `2 pages`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def printable(text: str) -> str:
    """Replace the characters of a student's text that a terminal could take for commands; line breaks stay."""
    lines = text.expandtabs(4).split("\n")
    return "\n".join("".join(c if c.isprintable() else "\ufffd" for c in line) for line in lines)
