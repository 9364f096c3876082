"""Packs feedback pages into the archive that an LMS takes for bulk upload, under the names that it matches by."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from autograder.course import Assignment
from autograder.errors import CourseError
from autograder.files import write_whole
from autograder.lms.platform import Platform
from autograder.lms.recognize import PLATFORMS
from autograder.lms.saved import Saved, links_path, read_links

_MODE = 0o100644 << 16  # a regular file that all may read


def find_platform(assignment: Assignment) -> Platform:
    """Return the LMS that the assignment was collected from; CourseError if it was not, or if that LMS takes no feedback."""
    platform = PLATFORMS.get(read_links(assignment).platform)
    if platform is None:
        raise CourseError(
            f"no LMS ids of {assignment.name} in {links_path(assignment)}; `autograder collect` writes them from the LMS's export"
        )
    if platform.feedback_name is None:
        raise CourseError(f"{platform.title} takes no archive of feedback; upload the pages one by one")
    return platform


def pack_pages(assignment: Assignment, pages: Mapping[str, Path], target: Path) -> dict[str, str]:
    """Write the pages, by student ID, into an archive, whole or not at all; return why a student's page is not in it."""
    platform, saved = find_platform(assignment), read_links(assignment)
    left_out: dict[str, str] = {}
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for student, page in pages.items():
            if name := _name(platform, saved, student, page.name):
                info = zipfile.ZipInfo(name)  # without a time: the same pages are the same bytes
                info.external_attr, info.compress_type = _MODE, zipfile.ZIP_DEFLATED
                archive.writestr(info, page.read_bytes())
            else:
                left_out[student] = f"{platform.title} has no file of theirs, as far as `autograder collect` knows"
    write_whole(target, data.getvalue())
    return left_out


def _name(platform: Platform, saved: Saved, student: str, file: str) -> str:
    link = saved.links.get(student)
    return platform.feedback_name(link, file) if link and platform.feedback_name else ""
