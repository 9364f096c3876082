"""Reading a submission gives a notebook, or the reason why it cannot be read."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from autograder.course import notebook as nb
from autograder.course.submitted import MAX_NOTEBOOK_BYTES, read_folder, read_notebook
from autograder.errors import CourseError, SubmissionError
from tests.support.sandboxed import answer_cell, checking_cell, code, notebook

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)
VALUES = JSON | st.sampled_from(["answer", "test", "setup", "code", "markdown", "raw", 3, 4])
CELLS = st.dictionaries(
    st.sampled_from(["cell_type", "source", "metadata", "outputs", "input", "id"]), VALUES, max_size=5
)
SHEETS = st.fixed_dictionaries({"cells": st.lists(CELLS)})
NEARLY_NOTEBOOKS = st.fixed_dictionaries(
    {"nbformat": st.sampled_from([4, 3, 2, 1, 0, -1, 5, True, "4"])},
    optional={"cells": st.lists(CELLS, max_size=3) | JSON, "worksheets": st.lists(SHEETS, max_size=2)},
)


RELEASE = notebook(answer_cell("raise NotImplementedError()"), checking_cell("f(1)"))
HANDED_IN = nb.with_answers(RELEASE, {"answer": "def f(x): return x**2"})
BETTER = nb.with_answers(RELEASE, {"answer": "def f(x):\n    return x * x"})


def read(folder: Path) -> tuple[nb.Notebook, list[str]]:
    return read_notebook(read_folder(folder, "square"), "square", RELEASE)


@given(st.binary(max_size=100))
@example(b"[" * 200_000)
@example(b'{"nbformat": 4, "cells": ' + b"[" * 100_000)
@example(b"\xff\xfe{")
@example(b"9" * 5000)
def test_bytes_that_are_not_a_notebook_are_a_submission_error(data: bytes) -> None:
    with pytest.raises(SubmissionError, match=r"a\.ipynb is not a notebook"):
        nb.parse(data, "a.ipynb")


@given(NEARLY_NOTEBOOKS | JSON)
def test_any_json_is_a_notebook_or_a_submission_error(data: Any) -> None:
    try:
        parsed = nb.parse(json.dumps(data).encode(), "a.ipynb")
    except SubmissionError as error:
        assert "\n" not in str(error)
        return
    assert parsed["nbformat"] == 4
    assert all(isinstance(cell["source"], str) for cell in parsed["cells"])


def test_a_source_of_lines_is_read_as_text() -> None:
    data = {"nbformat": 4, "cells": [{"cell_type": "code", "source": ["a = 1\n", "a"]}]}
    assert nb.parse(json.dumps(data).encode(), "")["cells"][0]["source"] == "a = 1\na"


def test_format_3_is_converted() -> None:
    cells = [{"cell_type": "code", "input": ["x = 1"], "language": "python", "metadata": {}, "outputs": []}]
    old = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": ""},
        "worksheets": [{"cells": cells, "metadata": {}}],
    }
    assert nb.parse(json.dumps(old).encode(), "")["cells"][0]["source"] == "x = 1"


def test_a_later_format_is_refused() -> None:
    with pytest.raises(SubmissionError, match="format 5"):
        nb.parse(b'{"nbformat": 5, "cells": []}', "")


def test_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    """It could lead to another student's work, or out of the course."""
    (tmp_path / "other").write_text(json.dumps(HANDED_IN))
    (tmp_path / "square.ipynb").symlink_to(tmp_path / "other")
    with pytest.raises(SubmissionError, match="symbolic link"):
        read(tmp_path)


def test_a_link_under_another_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other").write_text(json.dumps(HANDED_IN))
    (tmp_path / "mine.ipynb").symlink_to(tmp_path / "other")
    with pytest.raises(SubmissionError, match="symbolic link"):
        read(tmp_path)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_anything_but_a_regular_file_is_refused_without_waiting(tmp_path: Path, make: Any) -> None:
    make(tmp_path / "square.ipynb")
    with pytest.raises(SubmissionError, match=r"regular file|cannot be read"):
        read(tmp_path)


def test_a_huge_file_is_refused_without_reading_it(tmp_path: Path) -> None:
    with (tmp_path / "square.ipynb").open("wb") as file:
        file.truncate(MAX_NOTEBOOK_BYTES + 1)
    with pytest.raises(SubmissionError, match="clear the outputs"):
        read(tmp_path)


def test_a_missing_notebook_is_reported(tmp_path: Path) -> None:
    with pytest.raises(SubmissionError, match=r"square\.ipynb is expected"):
        read(tmp_path)


def test_the_only_renamed_notebook_is_taken_and_noted(tmp_path: Path) -> None:
    (tmp_path / "square (1).ipynb").write_text(json.dumps(HANDED_IN))
    (tmp_path / "other.ipynb").write_text(json.dumps(notebook(code("1"))))
    submitted, notes = read(tmp_path)
    assert submitted["cells"][0]["source"] == "def f(x): return x**2"
    assert notes == ["square (1).ipynb was taken as square.ipynb"]


def put(folder: Path, **files: nb.Notebook) -> None:
    """Write notebooks; in a name, `__` stands for a slash."""
    for name, content in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))


MINE, BLANK = HANDED_IN, RELEASE


@pytest.mark.parametrize(
    ("files", "taken"),
    [
        ({"square.ipynb": BLANK, "square-Copy1.ipynb": MINE}, "square-Copy1.ipynb"),
        ({"square.ipynb": MINE, "square-Copy1.ipynb": BLANK}, "square.ipynb"),
        ({"square.ipynb": MINE, "Untitled.ipynb": notebook()}, "square.ipynb"),
        ({"square.ipynb": BETTER, "square-1.ipynb": MINE}, "square-1.ipynb"),
        ({"square (1).ipynb": BETTER, "square (2).ipynb": MINE}, "square (2).ipynb"),
        ({"square.ipynb": MINE, "square-Copy1.ipynb": BETTER}, "square.ipynb"),
        ({"a.ipynb": MINE, "b.ipynb": BLANK}, "a.ipynb"),
        ({"deep__er__square.ipynb": MINE}, "deep/er/square.ipynb"),
        ({"SQUARE.IPYNB": MINE}, "SQUARE.IPYNB"),
        ({"square.ipynb.txt": MINE}, "square.ipynb.txt"),
        ({"square.ipynb.json": MINE}, "square.ipynb.json"),
        ({"square.json": MINE}, "square.json"),
        ({"square.ipynb": MINE, "._square.ipynb": BLANK, "__MACOSX__._square.ipynb": BLANK}, "square.ipynb"),
        ({"mine.ipynb": MINE, ".ipynb_checkpoints__mine-checkpoint.ipynb": BETTER}, "mine.ipynb"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_the_answered_and_then_the_latest_notebook_is_taken(
    tmp_path: Path, files: dict[str, nb.Notebook], taken: str
) -> None:
    put(tmp_path, **files)
    submitted, notes = read(tmp_path)
    assert submitted["cells"][0]["source"] == MINE["cells"][0]["source"]
    assert all(taken in note for note in notes)
    assert bool(notes) == (
        taken != "square.ipynb" or ("square-Copy1.ipynb" in files and files["square-Copy1.ipynb"] is BETTER)
    )


def test_a_mac_s_twin_that_is_no_notebook_hides_nothing(tmp_path: Path) -> None:
    put(tmp_path, **{"My square.ipynb": MINE})
    (tmp_path / "._My square.ipynb").write_bytes(b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        ")
    assert read(tmp_path)[1] == ["My square.ipynb was taken as square.ipynb"]


def test_of_two_notebooks_with_other_answers_the_note_says_that_one_was_chosen(tmp_path: Path) -> None:
    put(tmp_path, **{"a.ipynb": MINE, "b.ipynb": BETTER})
    assert "nothing says which is meant" in read(tmp_path)[1][0]


PAGE = b"<!DOCTYPE html>\n<html><body>Sign in</body></html>"
CONFLICT = (
    json.dumps(MINE, indent=1)
    .encode()
    .replace(b'"nbformat": 4,', b'"nbformat": 4,\n<<<<<<< HEAD\n"a": 1,\n=======\n"a": 2,\n>>>>>>> 4e2b407')
)


@pytest.mark.parametrize(
    ("name", "data", "cause"),
    [
        ("square.ipynb", CONFLICT, "conflict markers of git"),
        ("square.ipynb", PAGE, "a web page"),
        ("square.ipynb", b"", "it is empty"),
        ("square.ipynb", b"\0" * 500, "it is empty"),
        ("square.ipynb", json.dumps(MINE).encode()[:-40], "it ends in the middle"),
        ("square.ipynb", b"%PDF-1.7", "a PDF"),
        ("square.ipynb", b"PK\x03\x04", "a zip file"),
        ("square.ipynb", b"import torch\n", "a Python script"),
        ("square.pdf", b"%PDF-1.7", "a PDF"),
        ("square.zip", b"PK\x03\x04", "a zip file"),
        ("answer.docx", b"PK\x03\x04", "a Word document"),
        ("square.html", PAGE, "a web page"),
        ("square.py", b"import torch\n", "a Python script"),
    ],
)
def test_what_is_no_notebook_is_told_by_its_cause(tmp_path: Path, name: str, data: bytes, cause: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SubmissionError) as caught:
        read(tmp_path)
    assert cause in str(caught.value)
    assert name in str(caught.value)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_any_encoding_and_line_end_is_read(tmp_path: Path, encoding: str, end: str) -> None:
    written = nb.with_answers(RELEASE, {"answer": "name = 'Zoë'"})
    text = json.dumps(written, ensure_ascii=False, indent=1).replace("\n", end)
    (tmp_path / "square.ipynb").write_bytes(text.encode(encoding))
    submitted, notes = read(tmp_path)
    assert submitted["cells"][0]["source"] == "name = 'Zoë'"
    assert bool(notes) == (encoding == "cp1252")


def test_a_broken_notebook_of_the_course_is_a_course_error(tmp_path: Path) -> None:
    (tmp_path / "square.ipynb").write_text("{")
    for path in (tmp_path / "square.ipynb", tmp_path / "missing.ipynb"):
        with pytest.raises(CourseError):
            nb.read(path)


def test_a_file_name_that_is_not_text_is_shown_as_text(tmp_path: Path) -> None:
    """The student chose it, and notes, tables, pages and JSON repeat it."""
    for name in (b"\xff\xfe.ipynb", b"a\nb\x1b[31m.ipynb"):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_text(json.dumps(notebook(answer_cell("1"))))
    with pytest.raises(SubmissionError) as caught:
        read_notebook(read_folder(tmp_path, "tiny"), "tiny", notebook(code("x", grade_id="other")))
    assert str(caught.value).encode().isascii() is False
    assert str(caught.value).isprintable()


def test_a_lone_surrogate_in_a_cell_is_replaced() -> None:
    """JSON allows a lone surrogate and UTF-8 does not: sending the cell would fail."""
    assert nb.source({"source": "x = '\ud800'"}) == "x = '?'"


def test_errors_of_test_cells_and_of_cells_that_may_raise_are_left_out() -> None:
    error = {"output_type": "error", "ename": "KeyError", "evalue": "no\nsuch key", "traceback": []}
    cells = [
        code("one"),
        answer_cell("two"),
        checking_cell("three"),
        code("four"),
        {"cell_type": "markdown"},
        code("six"),
    ]
    executed = notebook(*cells)
    for number, cell in enumerate(executed["cells"]):
        cell["outputs"] = [{"output_type": "stream", "name": "stderr", "text": "!"}] + [error] * (number < 4)
    executed["cells"][3]["metadata"] = {"tags": ["raises-exception"]}
    executed["cells"][4]["metadata"] = {}
    assert nb.raised(executed) == {"cell 1": "KeyError: no such key", "answer": "KeyError: no such key"}
