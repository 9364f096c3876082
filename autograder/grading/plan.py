"""Decides for each submission whether its grade is kept, or it is rescored or run.

The decision needs only the record and today's hashes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from autograder.records.grade import GRADED
from autograder.records.store import Record


class Step(Enum):
    """What is done with a submission."""

    KEEP = "keep"  # nothing that its grade depends on has changed
    SCORE = "score"  # nothing that its answers depend on has changed: today's tests score its last run
    RUN = "run"


@dataclass(frozen=True)
class Today:
    """Today's hashes for one submission: `handed_in` of its files, `key` of all that its grade depends on, and `answers_key` of
    what the student's answers depend on, None until the notebook has been read."""

    handed_in: str
    key: str
    answers_key: str | None = None


def plan(record: Record | None, today: Today, *, is_saved: bool, again: bool) -> Step:
    """Choose the step for one submission.

    `is_saved` says whether the gradebook and Formgrader's folder have the recorded grade. `again` always means a run. While
    `today.answers_key` is None, SCORE is provisional: plan again once it is known.
    """
    if again or record is None or record.handed_in != today.handed_in:
        return Step.RUN
    if record.key == today.key and is_saved:
        return Step.KEEP
    if record.run and today.answers_key in (None, record.answers_key):
        return Step.SCORE
    return Step.RUN


def needs_consent(record: Record | None, today: Today) -> bool:
    """Return whether a new grade would replace one that other tests gave to the same files, which needs --apply."""
    if record is None or record.grade.status not in GRADED or record.handed_in != today.handed_in:
        return False
    return record.key != today.key
