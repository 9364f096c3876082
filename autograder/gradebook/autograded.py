"""Writes the folder that Formgrader opens for a submission: its notebook with scores and mark schemes.

The engine never reads it back.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from typing import Any

from autograder.course import Assignment
from autograder.course import notebook as nb
from autograder.files import write_whole
from autograder.gradebook.showable import show_notebook
from autograder.records.grade import CellGrade, Grade
from autograder.records.run import Run


def write_autograded(
    assignment: Assignment, grade: Grade, run: Run | None, schemes: Mapping[str, str], timestamp: str | None
) -> None:
    """Write the folder of a graded submission, or remove it if there is no run. `schemes` are mark schemes by grade_id.

    Formgrader counts a submission as autograded if the folder has the same `timestamp` as the database.
    """
    folder = assignment.autograded_path(grade.student).parent
    if run is None:
        shutil.rmtree(folder, ignore_errors=True)
        return
    folder.mkdir(parents=True, exist_ok=True)
    for path in assignment.source_folder.iterdir():  # links to the pictures that text cells show
        link = folder / path.name
        if path.suffix != ".ipynb" and not path.name.startswith(".") and not os.path.lexists(link):
            link.symlink_to(os.path.relpath(path, folder))
    if timestamp:
        write_whole(folder / "timestamp.txt", timestamp.encode())
    write_whole(folder / f"{assignment.notebook}.ipynb", make_autograded_notebook(run, grade, schemes))


def make_autograded_notebook(run: Run, grade: Grade, schemes: Mapping[str, str]) -> bytes:
    """Make the executed notebook with each test cell's score among its outputs, and each written answer's mark scheme after it.

    A mark scheme is a quotation, so that it does not look like the student's text. What is returned is harmless in Formgrader
    whatever the run put into its notebook: `showable` builds it anew.
    """
    notebook: nb.Notebook = json.loads(run.notebook)
    cells = []
    for cell in notebook["cells"]:
        name = str(nb.grade_id(cell))
        cells.append(cell)
        if nb.is_test(cell) and name in grade.cells:
            cell["outputs"] = make_outputs(grade.cells[name])
        if name in schemes:
            lines = ["**Mark scheme**", "", *schemes[name].split("\n")]
            text = "\n".join(f"> {line}".rstrip() for line in lines)
            cells.append({"cell_type": "markdown", "id": "mark-scheme", "metadata": {}, "source": text})
    return json.dumps(show_notebook(notebook, cells), ensure_ascii=False).encode(errors="replace")


def make_outputs(cell: CellGrade) -> list[dict[str, Any]]:
    """Make outputs of a test cell from which stock nbgrader would read the same score."""
    outputs: list[dict[str, Any]] = []
    if cell.printed:
        outputs.append({"output_type": "stream", "name": "stdout", "text": cell.printed})
    if cell.error and not cell.score:
        name, _, value = cell.error.partition(": ")
        outputs.append({"output_type": "error", "ename": name, "evalue": value, "traceback": [f"{name}: {value}"]})
    elif cell.score is not None:
        data = {"text/plain": repr(float(cell.score))}
        outputs.append({"output_type": "execute_result", "data": data, "metadata": {}, "execution_count": None})
    return outputs
