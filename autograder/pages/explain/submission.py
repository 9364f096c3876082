"""`autograder explain`: read what is kept of one submission and make its story. Runs nothing.

For TAs only: the story shows what hidden tests asked and what the solution answered.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from autograder.course import Assignment
from autograder.course import notebook as nb
from autograder.errors import CourseError
from autograder.gradebook.book import read_marks
from autograder.pages.calls import calls_to_failing, tested_answers
from autograder.pages.explain.questions import Phrasebook, different
from autograder.pages.explain.story import CellStory, CheckStory, Story
from autograder.pages.feedback.advice import failing_tests
from autograder.pages.feedback.text import ANSWER_CHARACTERS, clip
from autograder.pages.frames import raised_in_check, raised_in_test
from autograder.records.answers import SHOWN_NUMBERS
from autograder.records.archive import Archive, Graded
from autograder.records.grade import CellGrade, Mark
from autograder.records.known import group_by_question
from autograder.records.store import list_graded_students
from autograder.records.transcript import Asked, Span

LAST_QUESTIONS = 8  # of a check: the one where it failed, and those that led there
WHOLE = 10_000  # entries of an array in `--json`; larger ones are pictures or a model's weights


def explain(assignment: Assignment, student: str, grade_id: str = "", limit: int = SHOWN_NUMBERS) -> Story:
    """The story of a submission, or of one of its graded cells, with arrays of up to `limit` entries shown whole.

    Raises CourseError if there is no grade, no record that can be read, or no such cell.
    """
    list_graded_students(assignment, (student,))
    graded = Archive(assignment).open(student)
    if grade_id and grade_id not in graded.grade.cells:
        raise CourseError(f"no graded cell {grade_id!r}; there are: {', '.join(graded.grade.cells)}")
    marks = read_marks(assignment, student)
    names = [grade_id] if grade_id else list(graded.grade.cells)
    cells = tuple(_cell(name, graded, marks.cells.get(name), limit) for name in names)
    grade = replace(graded.grade, marks=marks)
    return Story(grade, cells, tuple(_notes(assignment, graded)), nb.raised(graded.notebook))


def _notes(assignment: Assignment, graded: Graded) -> Iterator[str]:
    if graded.asked is None:
        yield "no transcript is kept of this submission; grade it with --again to make one"
    if not graded.known.basis:
        yield f"no known answers for today's tests; `autograder build {assignment.name}` makes them"


def _cell(name: str, graded: Graded, mark: Mark | None, limit: int) -> CellStory:
    cell = graded.grade.cells[name]
    asked = (graded.asked or {}).get(name, Asked())
    phrasebook = Phrasebook(asked, group_by_question(graded.known.solution.get(name, [])), limit)
    checks = tuple(_checks(cell, asked, phrasebook, graded.notebook))
    calls = tuple(calls_to_failing(graded.notebook, failing_tests(graded)).get(name, ()))
    stopped = raised_in_test(cell, asked, graded.notebook)
    return CellStory(name, cell, checks, graded.diagnosed_cells.get(name), mark, _code(graded, name), calls, stopped)


def _code(graded: Graded, name: str) -> str:
    """The text of the answer that a graded cell tests, or of the written answer itself."""
    answer = tested_answers(graded.notebook).get(name, name)
    cells = (cell for cell in nb.known_cells(graded.notebook) if nb.grade_id(cell) == answer and nb.is_answer(cell))
    return next((clip(nb.source(cell), ANSWER_CHARACTERS) for cell in cells), "")  # whole lines: frames count them


def _checks(cell: CellGrade, asked: Asked, phrasebook: Phrasebook, notebook: nb.Notebook) -> Iterator[CheckStory]:
    fits = [span.check for span in asked.spans] == [check.name for check in cell.checks]
    for number, check in enumerate(cell.checks):
        span = asked.spans[number] if fits else Span(check.name, 0, 0)
        every = different(asked.exchanges[span.first : span.last])
        last = different(asked.exchanges[span.drawn : span.last]) if span.example else every
        frames = raised_in_check(check, number, asked, notebook)
        questions = phrasebook.questions(last[-LAST_QUESTIONS:])
        yield CheckStory(check, questions, len(every) - len(questions), span.example, frames)
