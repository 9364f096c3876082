"""What a test cell imports: named checks, comparisons, laws and reference outputs."""

from autograder.checks.checks import (
    Checks,
    arguments_after,
    as_array,
    assert_close,
    assert_reference,
    features,
    is_close,
)
from autograder.checks.laws import for_all
from autograder.checks.recorded import grader_folder

__all__ = [
    "Checks", "arguments_after", "as_array", "assert_close", "assert_reference", "features", "for_all", "grader_folder",
    "is_close",
]  # fmt: skip
