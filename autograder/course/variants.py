"""Wheats and chaffs: the answers that an instructor writes to test the tests, one file of them for each task."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import CourseError

HEADING = re.compile(r"^# %% (wheat|chaff): (\w+)\s*$", re.MULTILINE)
ANY_HEADING = re.compile(r"^#\s*%%.*$", re.MULTILINE)


@dataclass(frozen=True)
class Variant:
    """A wheat (another correct answer) or a chaff (a known mistake): source for the solution cell of one problem."""

    kind: str  # "wheat" or "chaff"
    problem: str
    name: str
    source: str
    misconception: str = ""
    hint: str = ""

    @property
    def label(self) -> str:
        return f"{self.kind}-{self.problem}-{self.name}"


def read_variants(path: Path) -> list[Variant]:
    """The wheats and chaffs in one file: sections that begin `# %% wheat: name` or `# %% chaff: name`; a chaff names its
    misconception and its hint in comments on the next lines."""
    try:
        text = path.read_text()
    except UnicodeDecodeError as error:
        raise CourseError(f"{path} is no text in UTF-8: {error.reason} at byte {error.start}") from None
    for line in ANY_HEADING.findall(text):
        if not HEADING.fullmatch(line):  # else what follows would be taken for more of the section above
            raise CourseError(
                f"{path}: {line.strip()!r} should be `# %% wheat: NAME` or `# %% chaff: NAME`, a NAME of letters, digits and _"
            )
    _, *parts = HEADING.split(text)
    variants: list[Variant] = []
    for kind, name, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        notes = {key: re.search(rf"^# {key}: (.+)$", body, re.MULTILINE) for key in ("misconception", "hint")}
        missing = [key for key, found in notes.items() if kind == "chaff" and not found]
        if missing:
            raise CourseError(f"{path}: chaff {name} has no `# {missing[0]}:` line")
        said = {key: found.group(1).strip() if found else "" for key, found in notes.items()}
        if (kind, name) in {(variant.kind, variant.name) for variant in variants}:
            raise CourseError(f"{path}: two sections are called {kind}: {name}; give one another name")
        variants.append(Variant(kind, path.stem, name, body.strip() + "\n", **said))
    if not variants:
        raise CourseError(f"{path}: no `# %% wheat: name` or `# %% chaff: name` section")
    return variants
