"""nbgrader's own Validate, on the student's version of an assignment: it succeeds if and only if every visible check passes."""

from __future__ import annotations

import ast
import itertools
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.course import Assignment, Variant, open_course
from autograder.course import notebook as nb
from autograder.proof.tasks import find_answer_cell
from tests.support.classroom import ROOT, Classroom
from tests.support.proofs import Proof

SAMPLED = ("0-hello", "1-similarity-and-loss")  # the others load a model for each row of answers


NAMES = sorted(path.name for path in (ROOT / "source").iterdir())


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=() if name in SAMPLED else pytest.mark.prove) for name in NAMES],
)
def assignment(request: pytest.FixtureRequest) -> Assignment:
    return open_course(ROOT).assignment(request.param)


@pytest.fixture(scope="module")
def classroom(assignment: Assignment) -> Classroom:
    return Classroom(assignment)


def validate(folder: Path, assignment: Assignment, notebook: nb.Notebook) -> dict[str, str]:
    """The error that Validate shows for each test cell that it reports, by grade_id, with `notebook` beside its files."""
    from nbgrader.validator import Validator

    for name in assignment.files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(assignment.release_folder / name)
    path = folder / "notebook.ipynb"
    path.write_text(json.dumps(notebook))
    results = Validator().validate(str(path))
    assert not results.keys() - {"failed"}, results.keys()
    cells = {text.strip(): name for name, text in nb.test_sources(notebook).items()}
    failures = {failed["source"]: failed["raw_error"] for failed in results.get("failed", [])}
    return {name: failures[text] for text, name in cells.items() if text in failures}  # without empty written answers


def visible_checks(text: str) -> list[str]:
    """The names of the checks in a test cell's text, as they come; the course's visible checks have constant ones."""
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.With)]
    contexts = [item.context_expr for node in calls for item in node.items]
    names = {ast.literal_eval(call.args[0]) for call in contexts if isinstance(call, ast.Call)}
    return sorted(names, key=text.index)


def chosen(assignment: Assignment, proving: bool) -> list[tuple[Variant, ...]]:
    """Rows of wheats and chaffs, one of each task: all, or the first wheat and chaff of each task."""
    kinds: dict[str, list[Variant]] = {}
    for variant in assignment.variants:
        row = kinds.setdefault(variant.problem, [])
        if proving or variant.kind not in {other.kind for other in row}:
            row.append(variant)
    return [tuple(filter(None, row)) for row in itertools.zip_longest(*kinds.values())]


def test_it_succeeds_for_the_solution(assignment: Assignment, classroom: Classroom, tmp_path: Path) -> None:
    assert validate(tmp_path, assignment, classroom.notebook(classroom.solution)) == {}


def test_it_fails_for_every_task_that_is_not_written(
    assignment: Assignment, classroom: Classroom, tmp_path: Path
) -> None:
    """In a few lines for each check, without a traceback. A task whose checks are all hidden cannot fail here."""
    errors = validate(tmp_path, assignment, classroom.release)
    texts = nb.test_sources(classroom.release)
    assert errors.keys() == {name for name, text in texts.items() if visible_checks(text)}
    for name, error in errors.items():
        first, *reasons = error.splitlines()
        assert first.startswith(("The visible check failed", "0 of ")), name
        assert reasons == [f"- {check}: Not written yet." for check in visible_checks(texts[name])], name


def test_it_fails_exactly_where_a_visible_check_does(
    assignment: Assignment,
    classroom: Classroom,
    proof_of: Callable[[str], Proof],
    proving: bool,
    tmp_path: Path,
) -> None:
    """Of wheats and chaffs, one of each task in a notebook, since no test looks at two."""
    grades = proof_of(assignment.name).grades
    texts = nb.test_sources(classroom.release)
    for row in chosen(assignment, proving):
        held = {find_answer_cell(classroom.own, variant): variant for variant in row}
        answers = {cell: variant.source for cell, variant in held.items()}
        errors = validate(tmp_path, assignment, classroom.notebook({**classroom.solution, **answers}))
        expected = {
            test
            for cell, variant in held.items()
            for test in classroom.own[cell]
            for check in grades[variant.label].cells[test].checks
            if check.name in visible_checks(texts[test]) and not check.passed
        }
        assert errors.keys() == expected, [variant.label for variant in row]


@pytest.mark.parametrize("kind", ["source", "release"])
def test_cells_that_are_only_machinery_are_collapsed(assignment: Assignment, kind: str) -> None:
    """In JupyterLab by the first mark, in Colab by the second, which shows the title alone."""
    notebook = nb.read(getattr(assignment, f"{kind}_path"))
    names = {"setup", "checks", "tools", "helpers"}
    cells = {nb.grade_id(cell): cell for cell in nb.known_cells(notebook) if nb.grade_id(cell) in names}
    assert cells.keys() >= {"setup", "checks"}
    for cell in cells.values():
        assert cell["metadata"]["jupyter"] == {"source_hidden": True}
        assert cell["metadata"]["cellView"] == "form"
        assert nb.source(cell).startswith("# @title ")
