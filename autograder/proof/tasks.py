"""Tasks: which test cells belong to which answer cell, and an assignment narrowed to one task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from autograder.course import Assignment, Variant
from autograder.course import notebook as nb
from autograder.errors import CourseError
from autograder.judge.imports import bound_names, free_names, used_names

Tests = dict[str, frozenset[str]]  # the test cells of each answer cell, all by grade_id


def group_tests(source: nb.Notebook) -> Tests:
    """Group the test cells by code answer cell: a test cell belongs to each answer cell that defines a name it uses.

    A test cell that is not valid Python uses no names.
    """
    cells = list(nb.known_cells(source))
    uses = {str(nb.grade_id(cell)): used_names([nb.source(cell)]) for cell in cells if nb.is_test(cell)}
    answers = [cell for cell in cells if nb.is_answer(cell) and cell["cell_type"] == "code"]
    return {
        str(nb.grade_id(cell)): frozenset(name for name, names in uses.items() if names & bound_names(nb.source(cell)))
        for cell in answers
    }


def find_answer_cell(tests: Mapping[str, frozenset[str]], variant: Variant) -> str:
    """Return the grade_id of the answer cell that a variant replaces; CourseError if there is none."""
    for name in (variant.problem, f"{variant.problem}-solution"):
        if name in tests:
            return name
    raise CourseError(
        f"{variant.label}: the notebook has no answer cell {variant.problem}-solution; name the variants file after a task"
    )


def narrow_to_task(assignment: Assignment, task: str) -> Assignment:
    """Return the assignment with the wheats and chaffs of one task only.

    `task` may leave out `-solution`. CourseError if no task has that name, if no test cell uses what it defines, or if
    some variant belongs to no task: its file may be this task's, misspelled.
    """
    source = nb.read(assignment.source_path)
    tests = group_tests(source)
    for variant in assignment.variants:
        find_answer_cell(tests, variant)
    tested = [name for name in tests if tests[name]]
    for name in (task, f"{task}-solution"):
        if name in tested:
            return replace(assignment, task=name)
        if name in tests:
            raise CourseError(
                "; ".join([f"{name}: no test cell uses what it defines", *find_syntax_errors(source).values()])
            )
    names = ", ".join(name.removesuffix("-solution") for name in tested)
    raise CourseError(f"{assignment.name} has no task {task!r}; its tasks are: {names}")


def find_syntax_errors(source: nb.Notebook) -> dict[str, str]:
    """Describe each answer or test cell that is not valid Python in one line, by grade_id.

    No names can be read from such a cell, so it seems to define and to use nothing.
    """
    errors = {}
    for cell in nb.known_cells(source):
        if nb.is_test(cell) or (nb.is_answer(cell) and cell["cell_type"] == "code"):
            name = str(nb.grade_id(cell))
            try:
                free_names(nb.source(cell))
            except SyntaxError as error:
                errors[name] = f"{name} is not valid Python: {error.msg} (line {error.lineno})"
    return errors
