"""What collecting keeps of each submission for the way back, in gradebook/lms/ASSIGNMENT.json."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from autograder.course import Assignment
from autograder.errors import CourseError
from autograder.files import write_whole


@dataclass(frozen=True)
class Link:
    """Who a student is in the LMS, and the file that they handed in there: its path in the export, the student's name for it, the
    attempt, and hashes of every version that was collected."""

    person: str
    name: str = ""
    email: str = ""
    path: str = ""
    file: str = ""
    attempt: int = 0
    late: bool = False
    time: str = ""
    collected: tuple[str, ...] = ()


@dataclass(frozen=True)
class Saved:
    """The LMS that submissions were collected from, "" if they were not, and each student's link, by student ID."""

    platform: str
    links: dict[str, Link]


def links_path(assignment: Assignment) -> Path:
    """Return the path of the file."""
    return assignment.course.submitted.parent / "lms" / f"{assignment.name}.json"


def read_links(assignment: Assignment) -> Saved:
    """Read what was kept; CourseError if the file is damaged."""
    path = links_path(assignment)
    if not path.is_file():
        return Saved("", {})
    try:
        content = json.loads(path.read_bytes())
        links = {
            student: Link(**{**link, "collected": tuple(link["collected"])})
            for student, link in content["students"].items()
        }
        return Saved(str(content["lms"]), links)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CourseError(f"{path} is damaged ({error}); restore a backup, or remove it and collect again") from None


def write_links(assignment: Assignment, saved: Saved) -> None:
    """Write the file, whole or not at all."""
    path = links_path(assignment)
    assignment.course.keep_private(path.parent)
    students = {student: asdict(link) for student, link in sorted(saved.links.items())}
    content = json.dumps({"lms": saved.platform, "students": students}, indent=1, ensure_ascii=False)
    write_whole(path, f"{content}\n".encode())
