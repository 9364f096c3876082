"""A module beside the instructor's notebook can be imported by students' cells and by test cells, each from its own copy."""

from __future__ import annotations

from pathlib import Path

from autograder.course import Limits
from autograder.judge.batch import Batch
from autograder.judge.job import Job
from autograder.sandbox.jail import Outfit
from tests.support.sandboxed import answer_cell, checking_cell, code, executed, notebook

HELPERS = "import json\nOFFSET = 40\ndef add(x):\n    return x + OFFSET\n"


def test_an_instructors_module_serves_cells_and_tests_and_a_students_of_that_name_only_their_own(
    tmp_path: Path,
) -> None:
    (tmp_path / "helpers.py").write_text(HELPERS)
    (tmp_path / "json.py").write_text("1 / 0")  # behind the standard library
    setup = code("import helpers\nfrom helpers import OFFSET", grade_id="setup", locked=True)
    uses = answer_cell("from helpers import add\ndef answer(x): return add(x)")
    test = checking_cell("import helpers as own\nassert own.add(2) == answer(2) == 2 + OFFSET == helpers.add(2)")
    forging = code("%%writefile helpers.py\nOFFSET = 0\ndef add(x): return 0")
    again = code("import importlib\nhelpers = importlib.reload(helpers)\nprint(helpers.add(2))")
    jobs = [
        Job("uses", "tiny", notebook(setup, uses, test), frozenset(), (), Limits()),
        Job("forges", "tiny", notebook(setup, forging, again, uses, test), frozenset(), (), Limits()),
    ]
    with Batch(1, ["helpers"], Outfit(["helpers"], {"helpers.py": HELPERS.encode()}), tmp_path) as batch:
        judged = {one.grade.student: one for one in batch.run(jobs)}
    assert judged["uses"].grade.score == 1, judged["uses"].grade
    assert judged["forges"].grade.score == 0
    assert executed(judged["forges"]).cells[2].outputs[0].text == "0\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["helpers.py", "json.py"], (
        "no bytecode among the handouts"
    )
