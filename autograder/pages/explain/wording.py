"""A story as lines for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from autograder.pages.explain.story import CellStory, CheckStory, Story
from autograder.records.grade import combine_points
from autograder.words import counted, printable

CONTINUED = "\n" + 14 * " "  # under the value of `    answered: `, so that a matrix's rows are aligned


def story_lines(story: Story) -> Iterator[str]:
    """The whole story. No text of a student's can begin a line of its own or send a command to the terminal."""
    for line in _lines(story):
        yield printable(line).replace("\n", CONTINUED)


def _lines(story: Story) -> Iterator[str]:
    grade = story.grade
    score = "not graded" if grade.total is None else f"{grade.total:g} of {grade.max_score:g}"
    yield f"{grade.student}, {grade.assignment}: {grade.status}, {score}"
    yield from (f"note: {note}" for note in (*grade.notes, *story.notes))
    yield from (f"{name} raised {error}" for name, error in story.raised.items())
    for cell in story.cells:
        yield ""
        yield from cell_lines(cell)


def cell_lines(story: CellStory) -> Iterator[str]:
    """One cell: its score, its checks with the questions of those that failed, and the diagnosis."""
    yield f"{story.name}: {_score(story)}"
    if story.is_unwritten:
        yield "  not written yet"
        return
    yield from (f"  {call}" for call in story.calls)
    for check in story.checks:
        yield f"  {'passed' if check.check.passed else 'FAILED'}  {check.check.name} ({check.check.points:g})"
        if not check.check.passed:
            yield from _failed_check(check)
    for error in filter(None, (story.cell.error, story.cell.trouble)):
        yield f"  the test cell stopped: {error}"
    yield from (f"    raised at: {frame}" for frame in story.raised)
    if story.diagnosis and story.diagnosis.hint:
        yield f"  same answers as {', '.join(story.diagnosis.chaffs)} ({story.diagnosis.misconception})"
        yield f"  hint: {story.diagnosis.hint}"
    elif story.diagnosis:
        yield "  no known mistake gives the same answers"
    if story.code and not story.cell.whole:
        yield "  the answer:"
        yield from (f"  {number:4} | {line}" for number, line in enumerate(story.code.split("\n"), 1))


def _score(story: CellStory) -> str:
    """The points, with the tests' score beside a mark that replaces it."""
    points, tests, mark = combine_points(story.cell.score, story.mark), story.cell.score, story.mark
    if points is None:
        return "needs manual grading"
    text = f"{points:g} of {story.cell.max_score:g}"
    if mark and (mark.score is not None or mark.extra):
        text += ", marked by a person" + ("" if tests is None else f" (tests: {tests:g})")
    if mark and mark.stale:
        text += ", needs a second look: other files were handed in since"
    return text


def _failed_check(story: CheckStory) -> Iterator[str]:
    yield f"    message:  {story.check.message}"
    yield from (f"    raised at: {frame}" for frame in story.raised)
    if story.example:
        yield f"    drawn:    {story.example}"
    if story.left_out:
        draws = " on other draws" if story.example else ""
        yield f"    (after {counted(story.left_out, 'question')}{draws})"
    for question in story.questions:
        repeated = f"    ({question.times} times)" if question.times > 1 else ""
        yield f"    asked:    {question.asked}{repeated}"
        yield f"    answered: {question.answered}"
        if not question.agrees:
            yield f"    solution: {question.expected}"
    if story.questions:
        yield "    the check failed here"
