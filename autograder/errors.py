"""The exceptions of the package, by who can fix the cause.

    AutograderError
    ├── CourseError          the course folder, its configuration or an assignment: the instructor fixes it
    ├── SubmissionError      one submission cannot be graded: its grade states the reason, and the batch goes on
    ├── IsolationError       a layer of the sandbox is unavailable here: nothing is graded, and the message says what is missing
    └── InfrastructureError  one of our own processes failed: the submission is run again and never scored by the failure

Every message says in one line what is wrong, where, and what to do.
"""


class AutograderError(Exception):
    """Any failure that the user sees as one line, without a traceback."""


class CourseError(AutograderError):
    """The course folder, its configuration or one of its assignments is invalid."""


class SubmissionError(AutograderError):
    """A submission cannot be graded as it was handed in."""


class IsolationError(AutograderError):
    """The sandbox, or one of its layers, is unavailable on this host."""


class InfrastructureError(AutograderError):
    """One of our own processes ended or gave an invalid answer, through no fault of the submission."""


MAX_FAILURE = 300  # characters


def explain_failure(error: Exception) -> str:
    """Return why something could not be done, as one line: the message of one of our own errors, else the type as well."""
    text = str(error) if isinstance(error, AutograderError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())[:MAX_FAILURE]
