"""`autograder explain`: read what is kept of one submission and make its story. Runs nothing.

For TAs only: the story shows what hidden tests asked and what the solution answered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from autograder.course import Assignment
from autograder.course import notebook as nb
from autograder.errors import CourseError
from autograder.gradebook.book import given
from autograder.pages.explain.questions import Phrasebook, different
from autograder.pages.explain.story import CellStory, CheckStory, Story
from autograder.records import known as known_answers
from autograder.records.answers import SHOWN_NUMBERS
from autograder.records.diagnose import Diagnosis, diagnose
from autograder.records.grade import CellGrade, Grade, Manual
from autograder.records.known import Known, by_question
from autograder.records.store import read_autograded, read_record, read_transcript, recorded
from autograder.records.transcript import Asked, Span, Transcript

LAST_QUESTIONS = 8  # of a check: the one where it failed, and those that led there
WHOLE = 10_000  # entries of an array in `--json`; larger ones are pictures or a model's weights


@dataclass(frozen=True)
class _Kept:
    """What is kept of a submission, and its assignment's known answers. Diagnoses are by test cell, marks by grade_id."""

    grade: Grade
    transcript: Transcript | None
    known: Known
    diagnoses: Mapping[str, Diagnosis]
    manual: dict[str, Manual]
    raised: Mapping[str, str]


def explain(assignment: Assignment, student: str, grade_id: str = "", limit: int = SHOWN_NUMBERS) -> Story:
    """The story of a submission, or of one of its graded cells, with arrays of up to `limit` entries shown whole.

    Raises CourseError if there is no grade, no record that can be read, or no such cell.
    """
    kept = _read(assignment, student)
    if grade_id and grade_id not in kept.grade.cells:
        raise CourseError(f"no graded cell {grade_id!r}; there are: {', '.join(kept.grade.cells)}")
    names = [grade_id] if grade_id else list(kept.grade.cells)
    cells = tuple(_cell(name, kept, limit) for name in names)
    return Story(replace(kept.grade, manual=kept.manual), cells, tuple(_notes(assignment, kept)), kept.raised)


def _read(assignment: Assignment, student: str) -> _Kept:
    recorded(assignment, (student,))
    record = read_record(assignment, student)
    if record is None:
        raise CourseError(f"the record of {student} cannot be read; `autograder grade {assignment.name}` first")
    transcript = read_transcript(assignment, record)
    known = known_answers.read(assignment, nb.read(assignment.source_path))
    diagnoses = diagnose(known, record.grade, transcript).values()
    return _Kept(
        record.grade,
        transcript,
        known,
        {diagnosis.cell: diagnosis for diagnosis in diagnoses},
        given(assignment, student),
        nb.raised(read_autograded(assignment, student)),
    )


def _notes(assignment: Assignment, kept: _Kept) -> Iterator[str]:
    if not kept.transcript:
        yield "no transcript is kept of this submission; grade it with --again to make one"
    if not kept.known.basis:
        yield f"no known answers for today's tests; `autograder build {assignment.name}` makes them"


def _cell(name: str, kept: _Kept, limit: int) -> CellStory:
    cell = kept.grade.cells[name]
    asked = (kept.transcript.cells if kept.transcript else {}).get(name, Asked())
    phrasebook = Phrasebook(asked, by_question(kept.known.solution.get(name, [])), limit)
    checks = tuple(_checks(cell, asked, phrasebook))
    return CellStory(name, cell, checks, kept.diagnoses.get(name), kept.manual.get(name))


def _checks(cell: CellGrade, asked: Asked, phrasebook: Phrasebook) -> Iterator[CheckStory]:
    fits = [span.check for span in asked.spans] == [check.name for check in cell.checks]
    for number, check in enumerate(cell.checks):
        span = asked.spans[number] if fits else Span(check.name, 0, 0)
        every = different(asked.exchanges[span.first : span.last])
        last = different(asked.exchanges[span.drawn : span.last]) if span.example else every
        questions = phrasebook.questions(last[-LAST_QUESTIONS:])
        yield CheckStory(check, questions, len(every) - len(questions), span.example)
