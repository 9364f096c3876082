"""Measure rescoring: grade a class, change its tests, and time how long `autograder grade` takes from the transcripts.

python benchmarks/rescoring.py [SUBMISSIONS]    default 200: three minutes
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from autograder.course import notebook as nb
from autograder.course import open_course
from benchmarks.against_nbgrader import BIN, FOLDER, environment, make_class
from benchmarks.process_tree import measure
from tests.support.classroom import NAME


def main(count: int = 200) -> None:
    make_class(count)
    ran = report("graded", [], count)
    change(lambda source: f"{source.rstrip()}  # changed", "cosine_similarity_matrix")
    report("one test cell of ten changed", [], count, ran)
    change(lambda source: f"{source.rstrip()}  # changed")
    report("all test cells changed", [], count, ran)
    change(lambda source: source.replace('", 1.25)', '", 1)'))
    report("points changed: what would change", [], count, ran)
    report("points changed, --apply", ["--apply"], count, ran)


def change(edit: Callable[[str], str], only: str = "") -> None:
    """Apply `edit` to the test cells of the source notebook, or to the one with the grade_id `only`."""
    path = open_course(FOLDER).assignment(NAME).source_path
    notebook = json.loads(path.read_text())
    for cell in notebook["cells"]:
        if nb.is_test(cell) and (not only or nb.grade_id(cell) == only):
            cell["source"] = edit(nb.source(cell))
    path.write_text(json.dumps(notebook))


def report(what: str, options: list[str], count: int, ran: float = 0) -> float:
    """Grade, print the seconds, and return the wall seconds; every submission must get a grade. `ran`: seconds to run them."""
    lines: list[str] = []
    cost = measure([str(BIN / "autograder"), "grade", NAME, "--json", *options], FOLDER, lines.append)
    assert len(lines) == count, f"{len(lines)} results of {count}"
    changed = sum(json.loads(line)["change"] is not None for line in lines)
    share = f", {ran / cost.wall:.1f} times faster than running it" if ran else ""
    print(f"{what}: {cost.wall:.1f} s wall, {cost.cpu:.1f} s CPU, {changed} grades differ{share}", flush=True)
    return cost.wall


if __name__ == "__main__":
    os.environ.update(environment())
    main(*map(int, sys.argv[1:]))
