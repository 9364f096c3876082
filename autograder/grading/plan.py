"""What each submission needs: to be kept as it is, scored from its last run, or run. Decided from records and hashes alone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from autograder.records.grade import GRADED
from autograder.records.store import Record


class Step(Enum):
    """What is done with one submission."""

    KEEP = "keep"  # nothing that its grade depends on has changed
    SCORE = "score"  # nothing that its answers depend on has changed: its last run is scored by today's tests
    RUN = "run"


@dataclass(frozen=True)
class Today:
    """What decides a submission's grade today, as hashes: `handed_in` of its files, `key` of all that the grade depends on, and
    `answers_key` of what the student's answers depend on. The last is None until the notebook has been read."""

    handed_in: str
    key: str
    answers_key: str | None = None


def plan(record: Record | None, today: Today, *, is_saved: bool, again: bool) -> Step:
    """The step for one submission. `is_saved` says whether the gradebook, and Formgrader's folder, hold the recorded grade;
    `again` asks for a run in any case. Where `today.answers_key` is not known yet, SCORE holds if it proves to be the
    recorded one."""
    if again or record is None or record.handed_in != today.handed_in:
        return Step.RUN
    if record.key == today.key and is_saved:
        return Step.KEEP
    if record.run and today.answers_key in (None, record.answers_key):
        return Step.SCORE
    return Step.RUN


def needs_consent(record: Record | None, today: Today) -> bool:
    """Whether a new grade would replace one that other tests gave to the same files: that is done only with --apply."""
    if record is None or record.grade.status not in GRADED or record.handed_in != today.handed_in:
        return False
    return record.key != today.key
