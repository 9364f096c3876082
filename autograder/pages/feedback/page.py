"""One submission's feedback as a single HTML page, which shows what was checked and runs nothing.

Whatever a student or a test wrote is text here: jinja2 escapes it, and the page's policy forbids scripts and the net. Only
`markdown` and `highlighting` make markup from it, and they escape first. Of a test cell the page reads only the name: its source
and outputs hold hidden tests.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from autograder.course import notebook as nb
from autograder.pages.feedback.advice import Advice
from autograder.pages.feedback.markdown import render_markdown
from autograder.pages.feedback.outputs import Outputs
from autograder.pages.feedback.sections import make_sections, make_tasks
from autograder.pages.feedback.text import storable
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
    released: Mapping[str, str] | None = None,
) -> str:
    """Render the feedback on `grade` as one HTML page.

    `notebook` is the executed one, or {} if there is none. `marks` are by the grade_id of the graded cell, their comments by
    that or by the answer cell's. `advice` and `released`, the source that students have, are by test cell.
    """
    sections = make_sections(notebook, make_tasks(notebook, grade, marks.cells, advice or {}, released or {}))
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
        markdown=lambda cell: render_markdown(cell, outputs),
        most_notes=NOTES,
    )
    return storable(html)
