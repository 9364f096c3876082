"""Faults of a notebook, its wheats and its chaffs that show before anything runs."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator

from autograder.checks import Checks
from autograder.course import Assignment
from autograder.course import notebook as nb
from autograder.judge.imports import bound_names, imported_modules, used_names
from autograder.proof.regions import split_lines
from autograder.proof.tasks import find_syntax_errors


def find_faults(source: nb.Notebook) -> list[str]:
    """List what is wrong with a source notebook, one line each; [] if nothing is."""
    return [
        *_find_repeated_ids(source),
        *_find_misplaced_tests(source),
        *_find_unfinished_tests(source),
        *_find_old_checks(source),
    ]


def _find_repeated_ids(source: nb.Notebook) -> Iterator[str]:
    names = [str(nb.grade_id(cell)) for cell in nb.known_cells(source)]
    for name in sorted(set(names)):
        if names.count(name) > 1:
            yield f"grade_id {name} is used by {names.count(name)} cells: give each an ID of its own"


def _find_misplaced_tests(source: nb.Notebook) -> Iterator[str]:
    """The test cells that are not valid Python, or that do not test exactly one answer."""
    cells = list(nb.known_cells(source))
    answers = {str(nb.grade_id(cell)): bound_names(nb.source(cell)) for cell in cells if nb.is_answer(cell)}
    errors = find_syntax_errors(source)
    unread = [error for name, error in errors.items() if name in answers]
    advice = "; ".join(unread) or "call the student's function in it"
    for cell in filter(nb.is_test, cells):
        name = str(nb.grade_id(cell))
        tested = [answer for answer, names in answers.items() if used_names([nb.source(cell)]) & names]
        if name in errors:
            yield errors[name]
        elif not tested:
            yield f"{name} uses nothing that an answer cell defines: {advice}"
        elif len(tested) > 1:
            yield f"{name} uses {' and '.join(tested)}, so one mistake would cost points twice: write a test cell for each"


def _find_unfinished_tests(source: nb.Notebook) -> Iterator[str]:
    """The test cells with checks that would not tell a student's Validate, or stock nbgrader, how the checks ended."""
    for cell in filter(nb.is_test, nb.known_cells(source)):
        if "Checks" in used_names([nb.source(cell)]) and not _ends_in_finish(nb.source(cell)):
            advice = "make that its last line, below the hidden part"
            yield f"{nb.grade_id(cell)} does not end in check.finish() where students see it: {advice}"


def _ends_in_finish(text: str) -> bool:
    """Whether the cell's one call of finish is its last line, and visible: the last line of the student's version too."""
    lines = [(line, is_hidden) for line, is_hidden in split_lines(text) if line.strip() and line.strip()[0] != "#"]
    finishes = [is_hidden for line, is_hidden in lines if re.match(r"[A-Za-z_]\w*\.finish\(\)\s*(#|$)", line)]
    return finishes == [False] and ".finish()" in lines[-1][0]


def _find_old_checks(source: nb.Notebook) -> Iterator[str]:
    """The read-only cells that hold another class Checks than today's."""
    today = inspect.getsource(Checks).strip()
    for cell in nb.known_cells(source):
        is_read_only = cell["cell_type"] == "code" and not nb.is_answer(cell) and not nb.is_test(cell)
        if is_read_only and "class Checks" in nb.source(cell) and today not in nb.source(cell):
            yield f"{nb.grade_id(cell)}: class Checks differs from autograder/checks/checks.py: copy it from there"


def find_invalid_variants(assignment: Assignment) -> list[str]:
    """List the wheats and chaffs that are not valid Python, one line each.

    One that holds a magic is left to the kernel, which alone can read it.
    """
    faults = []
    for variant in assignment.variants:
        try:
            ast.parse(variant.source)
        except SyntaxError as error:
            if not re.search(r"^\s*[%!]", variant.source, re.MULTILINE):
                faults.append(f"{variant.label} is not valid Python: {error.msg}: `{(error.text or '').strip()}`")
    return faults


def find_engine_imports(release: nb.Notebook) -> list[str]:
    """List the cells of a release that import this engine, which students do not have; one line each."""
    cells = [cell for cell in release["cells"] if cell["cell_type"] == "code"]
    advice = "imports autograder, which students do not have: import it in the hidden part of a test cell"
    return [f"{nb.grade_id(cell) or 'a cell'} {advice}" for cell in cells if _imports_engine(nb.source(cell))]


def _imports_engine(text: str) -> bool:
    return any(name.split(".")[0] == "autograder" for name in imported_modules([text]))
