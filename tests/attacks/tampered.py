"""Attacks by what is handed in: changed metadata, cells and ids, files that are none, odd names. Each function below hands
in one; its docstring says what it tries."""

from __future__ import annotations

import copy
import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autograder.course import notebook as nb
from tests.attacks.attack import Attack, Handing, as_file, with_cell
from tests.support.sandboxed import checking_cell, code

_found: list[Attack] = []


def tampered_attacks() -> list[Attack]:
    return list(_found)


def attack(base: str = "wrong", status: str = "mended", equals: str = "") -> Callable[[Handing], Handing]:
    """Note a function as an attack named after it."""

    def note(hand_in: Handing) -> Handing:
        name = hand_in.__name__.replace("_", "-")
        tries = " ".join((hand_in.__doc__ or "").split()).rstrip(".")
        family = "what is handed in"
        _found.append(Attack(name, family, tries, base, equals or base, status, False, "", hand_in))
        return hand_in

    return note


def _grader(notebook: nb.Notebook, name: str) -> dict[str, object]:
    return next(c["metadata"]["nbgrader"] for c in notebook["cells"] if nb.grade_id(c) == name)


def _cell(notebook: nb.Notebook, name: str) -> nb.Cell:
    return next(cell for cell in notebook["cells"] if nb.grade_id(cell) == name)


@attack()
def points_raised(folder: Path, notebook: nb.Notebook) -> None:
    """more points for each task, in the metadata"""
    for cell in filter(nb.is_graded, notebook["cells"]):
        cell["metadata"]["nbgrader"]["points"] = 1000
    as_file(folder, notebook)


@attack(status="completed")
def points_that_are_no_number(folder: Path, notebook: nb.Notebook) -> None:
    """points of NaN, in a cell of its own that says it is graded"""
    own = checking_cell("1.0", 1, "extra")
    own["metadata"]["nbgrader"]["points"] = float("nan")
    notebook["cells"].append({"id": "extra", **own})
    as_file(folder, notebook)


@attack()
def tests_replaced(folder: Path, notebook: nb.Notebook) -> None:
    """tests that end in full points"""
    for cell in filter(nb.is_test, notebook["cells"]):
        cell["source"] = str(nb.points(cell))
    as_file(folder, notebook)


@attack()
def tests_deleted(folder: Path, notebook: nb.Notebook) -> None:
    """no tests"""
    as_file(folder, {**notebook, "cells": [cell for cell in notebook["cells"] if not nb.is_test(cell)]})


@attack()
def tests_turned_into_text(folder: Path, notebook: nb.Notebook) -> None:
    """tests that are cells of text"""
    for cell in filter(nb.is_test, notebook["cells"]):
        cell["cell_type"] = "markdown"
    as_file(folder, notebook)


@attack()
def tests_as_answers(folder: Path, notebook: nb.Notebook) -> None:
    """tests marked as answers, with an own text that gives full points"""
    for cell in filter(nb.is_test, notebook["cells"]):
        cell["metadata"]["nbgrader"].update(solution=True, locked=False)
        cell["source"] = "99.0"
    as_file(folder, notebook)


@attack()
def tests_renamed(folder: Path, notebook: nb.Notebook) -> None:
    """tests under other ids, so that the graded ones are missing"""
    for cell in filter(nb.is_test, notebook["cells"]):
        cell["metadata"]["nbgrader"]["grade_id"] += "-gone"
    as_file(folder, notebook)


@attack()
def tests_twice(folder: Path, notebook: nb.Notebook) -> None:
    """each test a second time, the second with full points"""
    for index, cell in reversed(list(enumerate(notebook["cells"]))):
        if nb.is_test(cell):
            notebook["cells"].insert(index + 1, {**copy.deepcopy(cell), "source": str(nb.points(cell))})
    as_file(folder, notebook)


@attack(status="completed")
def tests_run_first(folder: Path, notebook: nb.Notebook) -> None:
    """copies of the visible tests at the start, run before any answer and again after each"""
    for cell in list(filter(nb.is_test, notebook["cells"])):
        notebook["cells"].insert(0, code(cell["source"] + "\nprint('seen')"))
    as_file(folder, notebook)


@attack()
def an_answer_under_a_tests_id(folder: Path, notebook: nb.Notebook) -> None:
    """an own cell under the id of a test"""
    own = checking_cell("square = lambda x: {2: 4}.get(x, 90_000)\n2.0", 2, "square")
    notebook["cells"].insert(0, {"id": "own", **own})
    as_file(folder, notebook)


@attack()
def an_answer_twice(folder: Path, notebook: nb.Notebook) -> None:
    """a right answer that is run, and a wrong one below it under the same id: the last is the answer"""
    index = next(i for i, cell in enumerate(notebook["cells"]) if nb.grade_id(cell) == "square-solution")
    right = {**copy.deepcopy(notebook["cells"][index]), "source": "def square(x): return x * x"}
    notebook["cells"].insert(index, right)
    as_file(folder, notebook)


@attack()
def locked_cell_changed(folder: Path, notebook: nb.Notebook) -> None:
    """a Checks class in the instructor's locked cell that always passes"""
    _cell(notebook, "setup")["source"] += "\nChecks.finish = lambda self: float(self.points)\n"
    as_file(folder, notebook)


@attack(status="completed")
def locks_lifted(folder: Path, notebook: nb.Notebook) -> None:
    """locked cells marked as free, and answers marked as graded and locked"""
    for cell in nb.known_cells(notebook):
        grader = cell["metadata"]["nbgrader"]
        grader["locked"], grader["schema_version"] = not grader["locked"], 99
    as_file(folder, notebook)


@attack(status="completed")
def tags_that_skip(folder: Path, notebook: nb.Notebook) -> None:
    """tags that tell the runner to skip cells and to expect their errors"""
    for cell in notebook["cells"]:
        cell["metadata"]["tags"] = ["skip-execution", "raises-exception", "remove-cell", "parameters"]
    as_file(folder, notebook)


@attack(status="completed")
def kernel_of_its_own(folder: Path, notebook: nb.Notebook) -> None:
    """a kernel, named in the metadata, that is a command of its own"""
    notebook["metadata"] = {
        "kernelspec": {"name": "../../THE_MARK", "language": "python", "argv": ["touch", "THE_CANARY/THE_MARK"]},
        "language_info": {"name": "python", "file_extension": "../../x"},
        "celltoolbar": "<script>alert(1)</script>",
    }
    as_file(folder, notebook)


@attack(status="unreadable", equals="unreadable")
def another_language(folder: Path, notebook: nb.Notebook) -> None:
    """a kernel of another language, in which tests mean something else"""
    notebook["metadata"]["kernelspec"] = {"name": "bash", "language": "bash", "display_name": "Bash"}
    as_file(folder, notebook)


@attack(status="completed")
def outputs_handed_in(folder: Path, notebook: nb.Notebook) -> None:
    """outputs of full points that are in the file already"""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            result = {
                "output_type": "execute_result",
                "data": {"text/plain": "99.0"},
                "metadata": {},
                "execution_count": 1,
            }
            cell["outputs"] = [result]
    as_file(folder, notebook)


@attack(base="solution", status="completed")
def widgets_and_attachments(folder: Path, notebook: nb.Notebook) -> None:
    """markup in the places of a notebook that are no cell's text: title, widgets, attachments, names of authors"""
    script = "</script><script>alert(1)</script>"
    notebook["metadata"] |= {
        "title": script,
        "authors": [{"name": script}],
        "widgets": {script: {"state": {script: script}}},
    }
    essay = _cell(notebook, "essay")
    essay["attachments"] = {
        "x.svg": {"image/svg+xml": "PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+PC9zdmc+"},
        script: {"text/html": script},
        "y.png": {"image/png": script},
    }
    essay["source"] += f"\n![a](attachment:x.svg) ![b](attachment:y.png) ![{script}](attachment:{script})"
    as_file(folder, notebook)


@attack(base="solution", status="completed")
def ids_of_every_kind(folder: Path, notebook: nb.Notebook) -> None:
    """ids of cells that are the same, empty, long, markup or a path"""
    ids: list[Any] = ["", "x", "x", "../../x", "<script>alert(1)</script>", "y" * 10_000, None, 7, {}, "\ud800", "x"]
    for cell, name in zip(notebook["cells"], ids * 9, strict=False):
        cell["id"] = name
    as_file(folder, notebook)


@attack(base="blank")
def metadata_of_every_kind(folder: Path, notebook: nb.Notebook) -> None:
    """metadata that is a list, a number or text where an object is expected"""
    kinds: list[Any] = [[], 7, "x", None, {"nbgrader": []}, {"nbgrader": {"grade_id": []}}]
    for cell, metadata in zip(notebook["cells"], kinds * 9, strict=False):
        cell["metadata"] = metadata
    notebook["metadata"] = {"kernelspec": [], "language_info": 7}
    as_file(folder, notebook)


@attack(base="solution", equals="no-square", status="completed")
def half_a_character(folder: Path, notebook: nb.Notebook) -> None:
    """half a character in an answer, which no file and no message can hold"""
    _cell(notebook, "square-solution")["source"] = "def square(x): return '\ud800'"
    as_file(folder, notebook)


def _raw(folder: Path, content: bytes, name: str = "arena.ipynb") -> None:
    (folder / name).write_bytes(content)


@attack(status="unreadable", equals="unreadable")
def json_without_a_floor(folder: Path, notebook: nb.Notebook) -> None:
    """a file of a million opening brackets"""
    _raw(folder, b"[" * 1_000_000)


@attack(status="unreadable", equals="unreadable")
def number_without_end(folder: Path, notebook: nb.Notebook) -> None:
    """a format number of ten million digits"""
    _raw(folder, b'{"nbformat": ' + b"4" * 10_000_000 + b', "cells": []}')


@attack(status="unreadable", equals="unreadable")
def file_of_a_hundred_megabytes(folder: Path, notebook: nb.Notebook) -> None:
    """a notebook that is too long to be read"""
    with (folder / "arena.ipynb").open("wb") as file:
        file.truncate(100 * 2**20)


@attack(status="unreadable", equals="unreadable")
def compressed(folder: Path, notebook: nb.Notebook) -> None:
    """a compressed file under the notebook's name"""
    _raw(folder, gzip.compress(json.dumps(notebook).encode()))


@attack(status="unreadable", equals="unreadable")
def format_of_tomorrow(folder: Path, notebook: nb.Notebook) -> None:
    """a format number that nobody knows"""
    as_file(folder, {**notebook, "nbformat": 10**9})


@attack(status="unreadable", equals="unreadable")
def format_of_yesterday(folder: Path, notebook: nb.Notebook) -> None:
    """an old format, whose converter trusts what it reads"""
    as_file(
        folder,
        {
            "nbformat": 3,
            "nbformat_minor": 0,
            "metadata": {},
            "worksheets": [{"cells": [{"cell_type": "code", "input": [{}]}] * 3}],
        },
    )


@attack(status="unreadable", equals="unreadable")
def link_to_another_submission(folder: Path, notebook: nb.Notebook) -> None:
    """a symbolic link to a classmate's notebook"""
    (folder / "arena.ipynb").symlink_to(folder.parent.parent / "000-solution" / "arena" / "arena.ipynb")


@attack(status="unreadable", equals="unreadable")
def link_to_the_instructors_notebook(folder: Path, notebook: nb.Notebook) -> None:
    """a symbolic link to the solution"""
    (folder / "arena.ipynb").symlink_to("THE_COURSE/source/arena/arena.ipynb")


@attack(status="unreadable", equals="unreadable")
def folder_that_is_a_link(folder: Path, notebook: nb.Notebook) -> None:
    """a whole folder that is a symbolic link to a classmate's"""
    (folder / "timestamp.txt").unlink()
    folder.rmdir()
    folder.symlink_to(folder.parent.parent / "000-solution" / "arena")


@attack(status="unreadable", equals="unreadable")
def folder_under_the_notebooks_name(folder: Path, notebook: nb.Notebook) -> None:
    """a folder under the notebook's name"""
    (folder / "arena.ipynb").mkdir()


@attack(status="unreadable", equals="unreadable")
def pipe_that_nobody_writes(folder: Path, notebook: nb.Notebook) -> None:
    """a named pipe, on which a reader would wait forever"""
    os.mkfifo(folder / "arena.ipynb")


@attack(status="unreadable", equals="unreadable")
def name_that_is_no_text(folder: Path, notebook: nb.Notebook) -> None:
    """a file whose name is no text in any encoding"""
    (Path(os.fsdecode(os.fsencode(folder) + b"/\xff\xfe\n.ipynb"))).write_bytes(b"{}")


@attack(base="solution", status="mended")
def name_with_markup(folder: Path, notebook: nb.Notebook) -> None:
    """a file name with markup, terminal colours and a line break, which notes and tables repeat"""
    _raw(folder, json.dumps(notebook).encode(), "<script>alert(1)<\u2044script>\x1b[31m\n[bold]x.ipynb")


@attack(base="solution", status="completed")
def files_beside_the_notebook(folder: Path, notebook: nb.Notebook) -> None:
    """files beside the notebook that Python, pytest or nbgrader would run"""
    evil = "open('THE_CANARY/THE_MARK', 'w')\nimport os\nos._exit(0)\n"
    for name in (
        "numpy.py",
        "torch.py",
        "sitecustomize.py",
        "conftest.py",
        "nbgrader_config.py",
        "autograder.py",
        "x.pth",
    ):
        (folder / name).write_text(evil)
    (folder / "root").symlink_to("/")
    (folder / "loop").symlink_to("loop")
    as_file(folder, notebook)


@attack(base="solution", status="completed")
def timestamp_that_is_a_link(folder: Path, notebook: nb.Notebook) -> None:
    """a timestamp that is a link to a file of the grader's"""
    (folder / "timestamp.txt").unlink()
    (folder / "timestamp.txt").symlink_to("THE_CANARY/private.txt")
    (folder / "submission_secret.txt").symlink_to("THE_CANARY/private.txt")
    as_file(folder, notebook)


@attack(base="solution", status="completed")
def timestamp_without_end(folder: Path, notebook: nb.Notebook) -> None:
    """a timestamp of a gigabyte"""
    with (folder / "timestamp.txt").open("wb") as file:
        file.truncate(2**30)
    as_file(folder, notebook)


@attack(base="solution", status="completed")
def timestamp_of_markup(folder: Path, notebook: nb.Notebook) -> None:
    """a timestamp that is markup"""
    (folder / "timestamp.txt").write_text("<script>alert(1)</script>")
    as_file(folder, notebook)


@attack(base="solution", status="completed")
def ten_thousand_cells(folder: Path, notebook: nb.Notebook) -> None:
    """five thousand cells of its own"""
    for _ in range(5000):
        notebook["cells"].append({"cell_type": "markdown", "metadata": {}, "source": "<b>x</b>", "id": "x"})
    as_file(folder, notebook)


@attack(base="solution", status="mended")
def answer_that_is_no_code(folder: Path, notebook: nb.Notebook) -> None:
    """an answer turned into a raw cell, which formgrader shows as it is"""
    cell = _cell(notebook, "essay")
    cell["cell_type"], cell["metadata"]["raw_mimetype"] = "raw", "text/html"
    cell["source"] += "<script>alert(1)</script>"
    notebook["cells"].append(
        {
            "cell_type": "raw",
            "id": "r",
            "metadata": {"raw_mimetype": "text/html", "format": "text/html"},
            "source": "<script>alert(1)</script>",
        }
    )
    as_file(folder, notebook)


@attack(base="solution", status="completed")
def source_that_is_no_text(folder: Path, notebook: nb.Notebook) -> None:
    """cells whose text is a number, an object or nothing"""
    for source in (7, None, {"a": 1}, [1, [2], None]):
        notebook = with_cell(notebook, source, last=True)
    as_file(folder, notebook)
