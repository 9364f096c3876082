"""One submission's feedback as a single HTML page, which shows what was checked and runs nothing.

Whatever a student or a test wrote is text here: jinja2 escapes it, and the page's policy forbids scripts and the net. Only
`markdown` and `highlighting` make markup from it, and they escape first. Of a test cell the page reads only the name: its source
and outputs hold hidden tests.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping

from markupsafe import Markup

from autograder.course import notebook as nb
from autograder.pages.feedback.advice import Advice
from autograder.pages.feedback.next_step import next_step
from autograder.pages.feedback.outputs import Outputs
from autograder.pages.feedback.sections import make_sections, make_tasks
from autograder.pages.feedback.text import ANSWER_CHARACTERS, clip, code_of, storable
from autograder.pages.markdown import render_markdown
from autograder.pages.rendering import render
from autograder.records.grade import Grade, Marks, subtract_penalty

NOTES = 30


def render_page(  # noqa: PLR0913  (a page is made of so many things)
    grade: Grade,
    notebook: nb.Notebook,
    title: str,
    marks: Marks,
    *,
    advice: Mapping[str, Advice] | None = None,
    release: nb.Notebook | None = None,
) -> str:
    """Render the feedback on `grade` as one HTML page.

    `notebook` is the executed one, or {} if there is none. `marks` are by the grade_id of the graded cell, their comments by
    that or by the answer cell's. `advice` is by test cell, and `release` is the notebook that students have.
    """
    released = nb.test_sources(release) if release else {}
    tasks_by_name = make_tasks(notebook, grade, marks.cells, advice or {}, released)
    sections = make_sections(notebook, tasks_by_name, release or notebook)
    tasks = [task for section in sections for task in section.tasks]
    outputs = Outputs()
    html = render(
        "feedback.html.j2",
        title=title,
        grade=grade,
        sections=sections,
        marks=marks.cells,
        earned=subtract_penalty(math.fsum(task.points or 0 for task in tasks), marks.late_penalty),
        worth=math.fsum(task.grade.max_score for task in tasks),
        waiting=math.fsum(task.grade.max_score for task in tasks if task.points is None),
        late_penalty=marks.late_penalty,
        outputs=outputs,
        next_step=next_step(grade, sections),
        written=_answer_renderer(outputs),
        comment=lambda text: render_markdown(clip(text, ANSWER_CHARACTERS), keeps_lines=True),
        label=_labeler(),
        most_notes=NOTES,
    )
    return storable(html)


def _answer_renderer(outputs: Outputs) -> Callable[[nb.Cell], Markup]:
    """Return what renders a written answer, with images within the page's limits."""

    def show_image(kind: str, content: object) -> str:
        return outputs.convert_image(kind, content, "").get("image", "")

    return lambda cell: render_markdown(code_of(cell), cell.get("attachments"), show_image=show_image)


def _labeler() -> Callable[[str], str]:
    """Return what makes each label of a region another: who reads by ear hears only these."""
    counts: Counter[str] = Counter()

    def label(text: str) -> str:
        counts[text] += 1
        return text if counts[text] == 1 else f"{text} ({counts[text]})"

    return label
