"""The course on disk: its folders, an assignment's settings and variants, and its notebooks.

Everything that the other rooms know of nbgrader's metadata and folders they know from here.
"""

from autograder.course.course import CONFIG, NAME, VERDICTS, Assignment, Course, open_course
from autograder.course.settings import FILE as SETTINGS
from autograder.course.settings import Limits, Settings
from autograder.course.variants import Variant, read_variants

__all__ = [
    "CONFIG", "NAME", "SETTINGS", "VERDICTS", "Assignment", "Course", "Limits", "Settings", "Variant", "open_course",
    "read_variants",
]  # fmt: skip
