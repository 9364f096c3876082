"""Reference outputs in test cells: recorded while `build` grades the solution, then recalled.

They are in assignments/NAME/reference/SETTING/outputs.safetensors, one folder for each combination of model and data.
"""

from __future__ import annotations

import contextlib
import tomllib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from autograder.errors import CourseError

Outputs = dict[str, npt.NDArray[Any]]
# The same names as in `course`, which a test cell must not have to import.
CONFIG, SETTINGS = "nbgrader_config.py", "assignment.toml"

_recording: Outputs | None = None


@contextlib.contextmanager
def recording() -> Iterator[Outputs]:
    """While this context is open, `record` stores outputs in the mapping that it yields."""
    global _recording  # noqa: PLW0603  (test cells call `record` without a context to pass)
    _recording = {}
    try:
        yield _recording
    finally:
        _recording = None


def record(name: str, output: npt.NDArray[Any]) -> bool:
    """Store a copy of `output` under `name` if outputs are being recorded; return whether they are."""
    if _recording is None:
        return False
    _recording[name] = np.array(output, order="C")
    return True


def grader_folder() -> Path:
    """Return the folder assignments/NAME/ of the assignment whose test cell is running; students never see its files.

    Test cells run beside the assignment's files: in source/NAME/, or under stock nbgrader in autograded/STUDENT/NAME/.
    Raises FileNotFoundError outside a course.
    """
    here = Path.cwd()
    for root in here.parents:
        if (root / CONFIG).is_file():
            return root / "assignments" / here.name
    raise FileNotFoundError(f"{here} is not inside a course: no {CONFIG} above it")


def recall(name: str) -> npt.NDArray[Any]:
    """Return the output recorded under `name` for the test cell that is running; CourseError if there is none."""
    recorded = read_outputs(grader_folder())
    if name not in recorded:
        raise CourseError(f"no reference output {name!r} in {grader_folder()}: run `autograder build`")
    return recorded[name]


@lru_cache(maxsize=2)
def read_outputs(folder: Path) -> Outputs:
    """Read the outputs in assignments/NAME/ for the model and data that its settings name; {} if there are none."""
    from safetensors.numpy import load_file

    settings = folder / SETTINGS
    setting = tomllib.loads(settings.read_text()).get("reference", "default") if settings.is_file() else "default"
    path = folder / "reference" / setting / "outputs.safetensors"
    return dict(load_file(path)) if path.is_file() else {}
