"""Wheats and chaffs: answers that an instructor writes to test the tests, one file for each task."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import CourseError

HEADING = re.compile(r"^# %% (wheat|chaff): (\w+)\s*$", re.MULTILINE)
ANY_HEADING = re.compile(r"^#\s*%%.*$", re.MULTILINE)


@dataclass(frozen=True)
class Variant:
    """A wheat (another correct answer) or a chaff (a known mistake): the text of the answer cell of one task."""

    kind: str  # "wheat" or "chaff"
    problem: str
    name: str
    source: str
    misconception: str = ""
    hint: str = ""

    @property
    def label(self) -> str:
        """A name that no other variant of the assignment has."""
        return f"{self.kind}-{self.problem}-{self.name}"


def read_variants(path: Path) -> list[Variant]:
    """Read the wheats and chaffs in one file.

    Each section begins with `# %% wheat: NAME` or `# %% chaff: NAME`. Comments in a chaff's section name its misconception
    and its hint. Raises CourseError, with the offending line, for anything else.
    """
    try:
        text = path.read_text()
    except UnicodeDecodeError as error:
        raise CourseError(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}") from None
    for line in ANY_HEADING.findall(text):
        if not HEADING.fullmatch(line):  # otherwise its lines would belong to the section above
            raise CourseError(
                f"{path}: {line.strip()!r} should be `# %% wheat: NAME` or `# %% chaff: NAME`, NAME being letters, digits and _"
            )
    _, *parts = HEADING.split(text)
    variants: list[Variant] = []
    for kind, name, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        notes = {key: re.search(rf"^# {key}: (.+)$", body, re.MULTILINE) for key in ("misconception", "hint")}
        missing = [key for key, match in notes.items() if kind == "chaff" and not match]
        if missing:
            raise CourseError(f"{path}: chaff {name} has no `# {missing[0]}:` line")
        texts = {key: match.group(1).strip() if match else "" for key, match in notes.items()}
        if (kind, name) in {(variant.kind, variant.name) for variant in variants}:
            raise CourseError(f"{path}: two sections are named {kind}: {name}; rename one")
        variants.append(Variant(kind, path.stem, name, body.strip() + "\n", **texts))
    if not variants:
        raise CourseError(f"{path}: no `# %% wheat: name` or `# %% chaff: name` section")
    return variants
