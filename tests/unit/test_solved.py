"""The solved version of a notebook: every answer, and nothing that stays secret."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from autograder import cli
from autograder.course import notebook as nb
from autograder.course import open_course
from autograder.errors import CourseError
from autograder.proof.solved import solve
from tests.support import tiny
from tests.support.classroom import ROOT
from tests.support.sandboxed import answer_cell, checking_cell, notebook

ASSIGNMENTS = sorted(path.name for path in (ROOT / "source").iterdir())


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_of_a_notebook_it_keeps_the_answers_and_no_secret(name: str) -> None:
    source = nb.read(open_course(ROOT).assignment(name).source_path)
    solved = solve(source)
    nbformat.validate(nbformat.from_dict(solved))
    text = "\n".join(nb.source(cell) for cell in solved["cells"])
    assert not [
        word for word in ("HIDDEN TESTS", "MARK SCHEME", "for_all", "assert_close", "BEGIN", "Sample A") if word in text
    ]
    assert not any(nb.grade_id(cell) for cell in solved["cells"])
    lines = {
        line
        for cell in source["cells"]
        if nb.is_answer(cell) and not nb.is_manual(cell)
        for line in nb.source(cell).splitlines()
    }
    assert not [line for line in lines if not line.strip().startswith("###") and line not in text]


def test_the_solved_notebook_runs() -> None:
    """Its visible tests pass, with the class that they use."""
    space: dict[str, object] = {}
    for cell in solve(tiny.source())["cells"]:
        if cell["cell_type"] == "code":
            exec(nb.source(cell), space)  # noqa: S102  (the notebook is ours)


@given(st.lists(st.sampled_from(["open", "secret"]), max_size=6))
def test_whatever_the_order_of_regions_nothing_of_a_secret_one_is_left(kinds: list[str]) -> None:
    parts = {
        "open": "### BEGIN SOLUTION\nshown = 1\n### END SOLUTION",
        "secret": "### BEGIN SOLUTION\nshown = 1\n### BEGIN MARK SCHEME\nhidden\n### END MARK SCHEME\n### END SOLUTION",
    }
    text = "\n".join(parts[kind] for kind in ("open", *kinds))
    lines = nb.source(solve(notebook(answer_cell(text)))["cells"][1]).splitlines()
    assert lines == ["shown = 1"] * (1 + len(kinds))


@pytest.mark.parametrize("sign", ["### ", "# ", "    ### ", ""])
def test_a_marker_hides_whatever_stands_before_its_name(sign: str) -> None:
    """As for nbgrader, which looks for the name alone."""
    test = f"assert f(1) == 1\n{sign}BEGIN HIDDEN TESTS\nassert f(2) == 4\n{sign}END HIDDEN TESTS"
    solved = solve(notebook(checking_cell(test), answer_cell(f"{sign}BEGIN SOLUTION\nx = 1\n{sign}END SOLUTION")))
    assert [nb.source(cell) for cell in solved["cells"][1:]] == ["assert f(1) == 1", "x = 1"]


def test_a_marker_without_its_partner_is_refused() -> None:
    with pytest.raises(CourseError, match="opens a region that no line closes"):
        solve(notebook(answer_cell("### BEGIN SOLUTION\nx = 1\n### BEGIN MARK SCHEME\nhidden\n### END SOLUTION")))


def test_the_command_writes_it_beside_the_class(tmp_path: Path) -> None:
    course = tiny.write_course(tmp_path / "course")
    done = CliRunner().invoke(cli.main, ["solution", tiny.NAME, "--course", str(course.root)])
    assert done.exit_code == 0, done.output
    written = course.root / "gradebook" / "solutions" / tiny.NAME / "tiny-solved.ipynb"
    assert str(written) in done.output
    assert "squared_value" in json.dumps(nb.read(written))
