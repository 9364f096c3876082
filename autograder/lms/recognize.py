"""Recognises which LMS wrote an export, by the names in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from autograder.errors import CourseError
from autograder.lms.brightspace import PLATFORM as BRIGHTSPACE
from autograder.lms.canvas import PLATFORM as CANVAS
from autograder.lms.gradescope import PLATFORM as GRADESCOPE
from autograder.lms.moodle import PLATFORM as MOODLE
from autograder.lms.platform import Handed, Platform
from autograder.words import MAX_NAME, one_line

# In this order: Canvas's names are the least particular.
PLATFORMS = {platform.name: platform for platform in (MOODLE, GRADESCOPE, BRIGHTSPACE, CANVAS)}


@dataclass(frozen=True)
class Listing:
    """What an export holds: the LMS that wrote it, the files that people handed in, and the paths that are nobody's."""

    platform: Platform
    handed: Sequence[Handed]
    others: Sequence[str]


def recognize(paths: Iterable[str], wanted: str = "", people: frozenset[str] = frozenset()) -> Listing:
    """Read the names of an export as those of `wanted`, else of the LMS that explains most of them. A folder around all of them
    does not matter. CourseError if no name is that of a submission."""
    paths = list(paths)
    platforms = [PLATFORMS[wanted]] if wanted else list(PLATFORMS.values())
    listings = [_read(paths, depth, platform, people) for depth in _depths(paths) for platform in platforms]
    best = max(listings, key=lambda listing: len(listing.handed))
    if not best.handed:
        whose = platforms[0].title if wanted else "Canvas, Moodle, Brightspace or Gradescope"
        example = f", such as {one_line(paths[0], MAX_NAME)}" if paths else ""
        raise CourseError(f"none of its {len(paths)} files is named as {whose} names submissions{example}")
    return best


def _depths(paths: Sequence[str]) -> list[int]:
    """How many characters to leave out: none, or the only folder at the top."""
    folders = {path.partition("/")[0] if "/" in path else "" for path in paths}
    return [0, len(folders.pop()) + 1] if len(folders) == 1 and "" not in folders else [0]


def _read(paths: Sequence[str], depth: int, platform: Platform, people: frozenset[str]) -> Listing:
    handed, others = [], []
    for path in paths:
        if file := platform.read_name(path[depth:], people):
            handed.append(replace(file, path=path))
        else:
            others.append(path)
    return Listing(platform, handed, others)
