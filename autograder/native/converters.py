"""What nbgrader's Autograde and Generate Feedback run in a course of this engine, named in nbgrader_config.py.

The names stand there as import paths, under `exporter_class`. nbgrader imports them when it makes its converter, before it opens
a submission: if this engine cannot be imported, nbgrader raises an error and does nothing. (An import at the top of
nbgrader_config.py would do the opposite: nbgrader reports the error, drops the whole configuration and goes on with its own
kernel.) An exporter is made before the first file is copied, so it can put this engine in the place of the conversion; a
preprocessor comes later, when nbgrader has followed the links in a submission.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from nbconvert.exporters import NotebookExporter
from nbgrader.converters import NbGraderException
from nbgrader.preprocessors import NbGraderPreprocessor

from autograder.course import Assignment, Course, open_course
from autograder.errors import AutograderError, CourseError
from autograder.native.command import make_command, run
from autograder.records.store import list_graded_students

FOLDERS = ("source", "release", "submitted", "autograded", "feedback")


# Not named as nbgrader's converters are: traitlets would configure them by the same sections.


class _Takeover(NotebookExporter):
    """Replaces the conversion of the converter that makes it. Abstract: the classes below say by which command."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]
        self.converter = options["parent"]
        self.converter.convert_notebooks = self.convert

    def convert(self) -> None:
        """Run the command; nbgrader's NbGraderException, which its commands and its API expect, with a reason in one line."""
        try:
            course = require_same_course(self.converter.coursedir)
            arguments = self.make_arguments(course.assignment(self.converter.coursedir.assignment_id))
        except AutograderError as error:
            failure = str(error)
        else:
            failure = run(arguments, self.converter.log.info)
        if failure:
            self.converter.log.error(failure)
            raise NbGraderException(failure)

    def make_arguments(self, assignment: Assignment) -> list[str]:
        """Return the command and its arguments; CourseError if nbgrader's options ask for what it cannot do."""
        raise NotImplementedError


class GradeExporter(_Takeover):
    """`nbgrader autograde` by `autograder grade`. With nbgrader's `--force`, unchanged submissions run again."""

    def make_arguments(self, assignment: Assignment) -> list[str]:
        converter = self.converter
        if converter.config.get("Execute", {}).get("enabled") is False:
            raise CourseError("--no-execute would grade what students typed into their outputs; leave it out")
        course, name = assignment.course, assignment.name
        folders = course.submitted.glob(f"*/{name}")
        students = select(converter.coursedir, [folder.parent.name for folder in folders], f"handed in {name}")
        return make_command("grade", name, course.root, students, *(["--again"] if converter.force else []))


class FeedbackExporter(_Takeover):
    """`nbgrader generate_feedback` by `autograder feedback`, which always writes every page anew."""

    def make_arguments(self, assignment: Assignment) -> list[str]:
        graded = list_graded_students(assignment)
        students = select(self.converter.coursedir, graded, f"a grade for {assignment.name}")
        return make_command("feedback", assignment.name, assignment.course.root, students)


class Refuse(NbGraderPreprocessor):
    """Stands in Autograde's lists of preprocessors, so that none of nbgrader's own would ever run on a submission."""

    def preprocess(self, nb: Any, resources: Any) -> Any:
        """Raise CourseError: something has set another `exporter_class` than nbgrader_config.py."""
        raise CourseError("this course is graded by `autograder grade`; restore c.Autograde.exporter_class")


def select(coursedir: Any, names: list[str], what: str) -> list[str]:
    """Select the students for whom nbgrader's options ask, [] for all; CourseError if there are none. `what` says what the
    students with these `names` have in common."""
    pattern, excluded = coursedir.student_id, coursedir.student_id_exclude.split(",")
    if pattern == "*" and excluded == [""]:
        return []
    chosen = [name for name in names if (name == pattern or fnmatchcase(name, pattern)) and name not in excluded]
    if not chosen:
        raise CourseError(f"no student {pattern!r} has {what}")
    return sorted(chosen)


def require_same_course(coursedir: Any) -> Course:
    """Open the course in nbgrader's folder. CourseError if nbgrader's own options name other folders or another gradebook than
    its nbgrader_config.py, which is all that the `autograder` command reads: they would be passed over."""
    root = Path(coursedir.root)
    course = open_course(root)
    given: dict[str, Any] = {name: root / getattr(coursedir, f"{name}_directory") for name in FOLDERS}
    given |= {"db_url": coursedir.db_url, "course_id": coursedir.course_id or "default_course"}
    for name, value in given.items():
        if value != getattr(course, name):
            raise CourseError(
                f"nbgrader uses {value} as {name}, and {root}/nbgrader_config.py says {getattr(course, name)}; "
                f"set it there, where this engine reads it too"
            )
    return course
