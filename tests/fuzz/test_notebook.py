"""Submissions of any bytes, any JSON, and nearly valid notebooks. The only exception is a SubmissionError of one line, and laying
always gives a valid notebook with the instructor's own cells."""

from __future__ import annotations

import contextlib
import json
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from hypothesis import example, given
from hypothesis import strategies as st

from autograder.course import notebook as nb
from autograder.course.lay import lay
from autograder.course.submitted import read_folder, read_notebook
from autograder.errors import SubmissionError
from tests.fuzz.mutations import altered, damaged
from tests.fuzz.profiles import fuzz
from tests.support import tiny
from tests.support.sandboxed import notebook
from tests.unit.test_notebook import JSON, NEARLY_NOTEBOOKS

SOURCE = tiny.source()
# The students' version that nbgrader would make, without its checksums.
RELEASE = nb.with_answers(
    SOURCE,
    dict.fromkeys(tiny.RIGHT, "YOUR ANSWER HERE")
    | {"square": tiny.SQUARE_TEST.split("###")[0], "double": "assert True"},
)
HANDED_IN = nb.with_answers(RELEASE, tiny.RIGHT)
HANDED_IN["cells"].insert(2, {"cell_type": "code", "id": "own", "metadata": {}, "source": "1", "outputs": []})
OLD = json.loads(json.dumps(nbformat.convert(nbformat.from_dict(HANDED_IN), 3)))
HANDED_IN["cells"].insert(  # without an id: nbformat's converter would warn about one
    3, {"cell_type": "markdown", "metadata": {}, "source": "![a](attachment:a.png)", "attachments": {"a.png": {}}}
)
OTHER = (
    JSON
    | st.sampled_from(
        [
            "square",
            "square-solution",
            "essay",
            "setup",
            "code",
            "markdown",
            "raw",
            "python",
            "R",
            True,
            3,
            4,
            10**400,
            "\ud800",
        ]
    )
    | st.just(["a = 1\n", "b"])
)
NEARLY = altered(st.sampled_from([HANDED_IN, RELEASE, OLD]), OTHER)


def read(data: bytes) -> nb.Notebook | None:
    try:
        return nb.parse(data, "a.ipynb")
    except SubmissionError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 400
        return None


def as_bytes(notebook: Any) -> bytes:
    return json.dumps(notebook).encode()


@fuzz
@given(st.binary(max_size=200) | damaged(st.sampled_from([as_bytes(HANDED_IN), as_bytes(OLD)])))
def test_any_bytes_are_a_notebook_or_a_submission_error(data: bytes) -> None:
    if notebook := read(data):
        check_laying(notebook)


@fuzz
@given(NEARLY_NOTEBOOKS | NEARLY)
@example({"nbformat": 4, "cells": [{"cell_type": "code", "metadata": {"nbgrader": {"grade_id": "essay"}}}]})
def test_a_laid_notebook_is_valid_and_has_the_instructors_cells(data: Any) -> None:
    if notebook := read(as_bytes(data)):
        check_laying(notebook)


def check_laying(submitted: nb.Notebook) -> None:
    with contextlib.suppress(SubmissionError):
        laid = lay(SOURCE, RELEASE, submitted)
        as_saved = json.loads(json.dumps(laid.notebook).encode())
        nbformat.validate(as_saved)
        originals = {nb.grade_id(cell): cell for cell in nb.known_cells(SOURCE)}
        known = [nb.grade_id(cell) for cell in nb.known_cells(laid.notebook)]
        assert known == list(originals)
        for cell in nb.known_cells(laid.notebook):
            original = originals[nb.grade_id(cell)]
            assert nb.grader(cell) == nb.grader(original)
            assert cell["cell_type"] == original["cell_type"]
            if not nb.is_answer(cell):
                assert nb.source(cell) == nb.source(original)
        assert set(laid.unanswered) <= set(originals)
        assert all("\n" not in note and len(note) < 400 for note in laid.notes)


CONTENTS = st.sampled_from([as_bytes(HANDED_IN), as_bytes(notebook()), b"", b"{", b'{"nbformat": 4, "cells": [1]}'])


@fuzz
@given(st.lists(st.tuples(st.text(st.characters(exclude_characters="/"), max_size=6), CONTENTS), max_size=3))
def test_any_folder_is_read_as_one_notebook_or_a_submission_error(files: list[tuple[str, bytes]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files:
            with contextlib.suppress(OSError, ValueError):  # not a valid file name
                (Path(folder) / f"{name}.ipynb").write_bytes(content)
        try:
            notebook, notes = read_notebook(read_folder(Path(folder), "tiny"), "tiny", RELEASE)
        except SubmissionError as error:
            assert "\n" not in str(error)
            return
        assert isinstance(notebook["cells"], list)
        assert all("\n" not in note for note in notes)
