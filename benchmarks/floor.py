"""Measure the floor: run the same cells, student cells and test cells, in one warm process with nothing between.

    python benchmarks/floor.py COURSE ASSIGNMENT STUDENT...

Prints the seconds of each submission, after two that do not count.
"""

from __future__ import annotations

import ast
import contextlib
import io
import sys
import time
import warnings
from pathlib import Path

import matplotlib as mpl

mpl.use("agg")
import hypothesis  # noqa: F401
import matplotlib.pyplot as plt
import open_clip  # noqa: F401
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from autograder.course import notebook as nb
from autograder.course import open_course
from autograder.course.lay import lay


def main(folder: str, name: str, *students: str) -> None:
    torch.set_num_threads(1)
    assignment = open_course(Path(folder)).assignment(name)
    source, release = nb.read(assignment.source_path), nb.read(assignment.release_path)
    for turn, student in enumerate((*students[:2], *students)):
        path = assignment.course.submitted / student / name / f"{assignment.notebook}.ipynb"
        cells = lay(source, release, nb.read(path)).notebook["cells"]
        started = time.perf_counter()
        run([nb.source(cell) for cell in cells if cell["cell_type"] == "code"])
        if turn >= 2:
            print(f"{time.perf_counter() - started:.4f}", flush=True)


def run(sources: list[str]) -> None:
    """Run every cell in one namespace; figures are drawn as a notebook would draw them."""
    namespace: dict[str, object] = {"__name__": "__main__"}
    for text in sources:
        with (
            contextlib.redirect_stdout(io.StringIO()),
            warnings.catch_warnings(),
            contextlib.suppress(NotImplementedError),
        ):
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
            exec(compile(tree, "<cell>", "exec"), namespace)  # noqa: S102  (what it measures is their time)
            for number in plt.get_fignums():
                plt.figure(number).savefig(io.BytesIO(), format="png", bbox_inches="tight")
            plt.close("all")


if __name__ == "__main__":
    main(*sys.argv[1:])
