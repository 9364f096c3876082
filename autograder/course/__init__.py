"""The course on disk: its folders, an assignment's settings and variants, and its notebooks.

The other rooms learn nbgrader's metadata and folders from here only.
"""

from autograder.course.course import CONFIG, NAME, VERDICTS, Assignment, Course, open_course
from autograder.course.settings import FILE as SETTINGS
from autograder.course.settings import Limits, Settings
from autograder.course.variants import Variant, read_variants

__all__ = [
    "CONFIG", "NAME", "SETTINGS", "VERDICTS", "Assignment", "Course", "Limits", "Settings", "Variant", "open_course",
    "read_variants",
]  # fmt: skip
