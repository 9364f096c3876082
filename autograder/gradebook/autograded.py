"""The folder that Formgrader opens for a submission: its executed notebook with scores and mark schemes. Nobody reads it
back."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from typing import Any

from autograder.course import Assignment
from autograder.course import notebook as nb
from autograder.files import write_whole
from autograder.records.grade import CellGrade, Grade
from autograder.records.run import Run


def write_autograded(
    assignment: Assignment, grade: Grade, run: Run | None, schemes: Mapping[str, str], timestamp: str | None
) -> None:
    """Write the folder of a graded submission, or take away that of one that did not run. `schemes` are mark schemes by
    grade_id.

    Formgrader takes a submission for autograded when the folder's timestamp is the database's.
    """
    folder = assignment.autograded_path(grade.student).parent
    if run is None:
        shutil.rmtree(folder, ignore_errors=True)
        return
    folder.mkdir(parents=True, exist_ok=True)
    for path in assignment.source_folder.iterdir():  # pictures that text cells show; one copy serves all
        link = folder / path.name
        if path.suffix != ".ipynb" and not path.name.startswith(".") and not os.path.lexists(link):
            link.symlink_to(os.path.relpath(path, folder))
    if timestamp:
        write_whole(folder / "timestamp.txt", timestamp.encode())
    write_whole(folder / f"{assignment.notebook}.ipynb", autograded(run, grade, schemes))


def autograded(run: Run, grade: Grade, schemes: Mapping[str, str]) -> bytes:
    """The executed notebook with the score of every test cell among its outputs, and every written answer's mark scheme
    behind it, each line a quotation: it is no student's text."""
    notebook: nb.Notebook = json.loads(run.notebook)
    cells = []
    for cell in notebook["cells"]:
        name = str(nb.grade_id(cell))
        cells.append(cell)
        if nb.is_test(cell) and name in grade.cells:
            cell["outputs"] = outputs_of(grade.cells[name])
        if name in schemes:
            lines = ["**Mark scheme**", "", *schemes[name].split("\n")]
            text = "\n".join(f"> {line}".rstrip() for line in lines)
            cells.append({"cell_type": "markdown", "id": "mark-scheme", "metadata": {}, "source": text})
    nb.unique_ids(cells)
    return json.dumps({**notebook, "cells": cells}, ensure_ascii=False).encode(errors="replace")


def outputs_of(cell: CellGrade) -> list[dict[str, Any]]:
    """The outputs of a test cell from which stock nbgrader would read the same score."""
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
