"""The mark scheme of a written answer, put beside it for the person who grades.

nbgrader keeps it in the instructor's notebook and shows it in formgrader for its own task cells alone. Here it is a text cell
of its own behind the answer, in the autograded notebook only: neither the sandbox nor a student's page gets it.
"""

from __future__ import annotations

import re

from autograder.course import notebook as nb

# nbgrader's own marks (ClearMarkScheme); in a code cell the text between them is a comment.
REGION = re.compile(r"^### BEGIN MARK SCHEME *\n(.*?)^### END MARK SCHEME", re.DOTALL | re.MULTILINE)


def of(cell: nb.Cell) -> str:
    """The text of a source cell's mark scheme; "" where it has none."""
    text = "\n".join(line.lstrip() if line.lstrip().startswith("#") else line for line in nb.source(cell).split("\n"))
    found = REGION.search(text)
    scheme = found.group(1).strip() if found else ""
    return re.sub(r"^# ?", "", scheme, flags=re.MULTILINE) if cell["cell_type"] == "code" else scheme


def schemes(source: nb.Notebook) -> dict[str, str]:
    """The mark schemes of a source notebook, by grade_id."""
    return {str(nb.grade_id(cell)): scheme for cell in nb.known_cells(source) if (scheme := of(cell))}
