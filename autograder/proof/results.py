"""What the proof reads from a result of the judge, beside its grade."""

from __future__ import annotations

from collections.abc import Mapping

from autograder.checks.comparisons import Shares
from autograder.checks.recorded import Outputs
from autograder.course import notebook as nb
from autograder.judge.job import Judged
from autograder.records.transcript import Transcript


def read_transcript(result: Judged) -> Transcript:
    """Return the transcript of a run; an empty one if none was kept."""
    transcript = result.run.transcript if result.run else None
    return transcript or Transcript()


def read_comparisons(result: Judged) -> Mapping[str, Shares]:
    """Return the deviations that each test cell compared, as shares of their tolerances, by grade_id."""
    return result.compared


def read_outputs(result: Judged) -> Outputs:
    """Return the reference outputs that the run of a solution recorded, by name."""
    return result.recorded


def find_raising_cell(result: Judged) -> str:
    """Name the first cell of a solution's run that raised, with its error; "" if none did."""
    errors = nb.raised(nb.parse(result.run.notebook, "the solution")) if result.run else {}
    return next((f"cell {name.removeprefix('cell ')} raises {error}" for name, error in errors.items()), "")
