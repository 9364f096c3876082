"""The judge's results, and all that the proof reads from one beside its grade."""

from __future__ import annotations

from collections.abc import Mapping

from autograder.checks.comparisons import Shares
from autograder.checks.recorded import Outputs
from autograder.course import notebook as nb
from autograder.judge.result import Result
from autograder.records.transcript import Transcript, loads

__all__ = ["Result", "find_raising_cell", "read_comparisons", "read_outputs", "read_transcript"]


def read_transcript(result: Result) -> Transcript:
    """Return the transcript of a run; an empty one if none was kept."""
    return loads(result.transcript) if result.transcript else Transcript()


def read_comparisons(result: Result) -> Mapping[str, Shares]:
    """Return the deviations that each test cell compared, as shares of their tolerances, by grade_id."""
    return result.compared


def read_outputs(result: Result) -> Outputs:
    """Return the reference outputs that the run of a solution recorded, by name."""
    return result.recorded


def find_raising_cell(result: Result) -> str:
    """Name the first cell of a solution's run that raised, with its error; "" if none did."""
    errors = nb.raised(nb.parse(result.notebook, "the solution"))
    return next((f"cell {name.removeprefix('cell ')} raises {error}" for name, error in errors.items()), "")
