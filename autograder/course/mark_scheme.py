"""Shows the mark scheme of a written answer to the person who grades it.

nbgrader keeps mark schemes in the instructor's notebook, and its Formgrader shows those of its own task cells only. Here a text
cell follows each answer with its mark scheme, in the autograded notebook only: neither the sandbox nor a student's page has it.
"""

from __future__ import annotations

import re

from autograder.course import notebook as nb

# The delimiters of nbgrader's ClearMarkScheme. In a code cell the text between them is a comment.
REGION = re.compile(r"^### BEGIN MARK SCHEME *\n(.*?)^### END MARK SCHEME", re.DOTALL | re.MULTILINE)


def of(cell: nb.Cell) -> str:
    """The text of a source cell's mark scheme; "" if it has none."""
    text = "\n".join(line.lstrip() if line.lstrip().startswith("#") else line for line in nb.source(cell).split("\n"))
    match = REGION.search(text)
    scheme = match.group(1).strip() if match else ""
    return re.sub(r"^# ?", "", scheme, flags=re.MULTILINE) if cell["cell_type"] == "code" else scheme


def schemes(source: nb.Notebook) -> dict[str, str]:
    """The mark schemes of a source notebook, by grade_id."""
    return {str(nb.grade_id(cell)): scheme for cell in nb.known_cells(source) if (scheme := of(cell))}
