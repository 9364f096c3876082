"""What each submission needs is decided from its record and today's hashes alone; no process is started here."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.grading.plan import Step, Today, needs_consent, plan
from autograder.records.grade import GRADED, STATUSES, Grade
from autograder.records.store import Record

RECORD = Record(Grade("ada", "tiny", "completed"), key="key", handed_in="files", answers_key="answers", run="run")
UNREADABLE = Record(Grade("ada", "tiny", "unreadable"), key="key", handed_in="files")
TODAY = Today("files", "key", "answers")
NOT_READ_YET = Today("files", "other tests")


@pytest.mark.parametrize(
    ("record", "today", "is_saved", "again", "step"),
    [
        (RECORD, TODAY, True, False, Step.KEEP),
        (RECORD, replace(TODAY, answers_key=None), True, False, Step.KEEP),
        (UNREADABLE, TODAY, True, False, Step.KEEP),
        (RECORD, TODAY, False, False, Step.SCORE),
        (RECORD, replace(TODAY, key="other tests"), True, False, Step.SCORE),
        (RECORD, NOT_READ_YET, True, False, Step.SCORE),
        (None, TODAY, True, False, Step.RUN),
        (RECORD, TODAY, True, True, Step.RUN),
        (RECORD, replace(TODAY, handed_in="other files"), True, False, Step.RUN),
        (RECORD, replace(TODAY, key="other tests", answers_key="other torch"), True, False, Step.RUN),
        (replace(RECORD, run=""), NOT_READ_YET, True, False, Step.RUN),
        (UNREADABLE, TODAY, False, False, Step.RUN),
    ],
)
def test_the_step(record: Record | None, today: Today, is_saved: bool, again: bool, step: Step) -> None:
    assert plan(record, today, is_saved=is_saved, again=again) is step


records = st.none() | st.builds(
    Record,
    st.builds(Grade, st.just("ada"), st.just("tiny"), st.sampled_from(STATUSES)),
    *(st.sampled_from(["a", "b"]) for _ in range(3)),
    st.sampled_from(["", "run"]),
)
days = st.builds(
    Today, st.sampled_from(["a", "b"]), st.sampled_from(["a", "b"]), st.none() | st.sampled_from(["a", "b"])
)


@given(records, days, st.booleans(), st.booleans())
def test_what_is_kept_or_scored_is_of_the_same_files(
    record: Record | None, today: Today, is_saved: bool, again: bool
) -> None:
    step = plan(record, today, is_saved=is_saved, again=again)
    if step is not Step.RUN:
        assert not again and record and record.handed_in == today.handed_in
    if step is Step.KEEP:
        assert record and record.key == today.key and is_saved
    if step is Step.SCORE:
        assert record and record.run and today.answers_key in (None, record.answers_key)


@given(records, days, st.booleans())
def test_reading_the_notebook_can_only_turn_score_into_run(record: Record | None, today: Today, is_saved: bool) -> None:
    before = plan(record, replace(today, answers_key=None), is_saved=is_saved, again=False)
    after = plan(record, today, is_saved=is_saved, again=False)
    assert after is before or (before, after) == (Step.SCORE, Step.RUN)


@given(records, days)
def test_consent_is_needed_where_other_tests_graded_the_same_files(record: Record | None, today: Today) -> None:
    wanted = record is not None and record.grade.status in GRADED and record.handed_in == today.handed_in
    assert needs_consent(record, today) == (wanted and record is not None and record.key != today.key)
