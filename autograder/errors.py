"""What can go wrong, and whose business it is.

    AutograderError
    ├── CourseError          the course folder, its configuration or an assignment in it: the instructor mends it
    ├── SubmissionError      one submission cannot be graded as it is: a stated reason, and the batch goes on
    ├── IsolationError       a layer of the sandbox cannot be had here: no grading, with what is missing and the remedy
    └── InfrastructureError  a process of ours died or broke: the submission is tried again, never scored by it

Every message says what is wrong, where, and what to do, in one line.
"""


class AutograderError(Exception):
    """Any failure that is told to the user in one line, without a traceback."""


class CourseError(AutograderError):
    """The course folder, its configuration or one of its assignments is not as it must be."""


class SubmissionError(AutograderError):
    """A submission that cannot be graded as it was handed in."""


class IsolationError(AutograderError):
    """The sandbox cannot be had on this host, or a layer of it cannot."""


class InfrastructureError(AutograderError):
    """A process of ours ended or answered nonsense, through no fault of the submission."""
