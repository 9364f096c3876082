"""Reference outputs as a test cell meets them: recorded while `autograder build` grades the solution, recalled after that.

They lie in assignments/NAME/reference/SETTING/outputs.safetensors, one folder for each model and data.
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
# As in the room `course`, which no test cell should need.
CONFIG, SETTINGS = "nbgrader_config.py", "assignment.toml"

_recording: Outputs | None = None


@contextlib.contextmanager
def recording() -> Iterator[Outputs]:
    """Inside, `remember` keeps what it is given, in the mapping that this yields."""
    global _recording
    _recording = {}
    try:
        yield _recording
    finally:
        _recording = None


def remember(name: str, output: npt.NDArray[Any]) -> bool:
    """Whether outputs are being recorded; if so, `output` is kept under `name`."""
    if _recording is None:
        return False
    _recording[name] = np.array(output, order="C")
    return True


def grader_folder() -> Path:
    """For a test cell: the folder assignments/NAME/ of the assignment that it belongs to, with what no student sees.

    Test cells run where the assignment's files lie, in source/NAME/; in stock nbgrader's autograded/STUDENT/NAME/."""
    here = Path.cwd()
    for root in here.parents:
        if (root / CONFIG).is_file():
            return root / "assignments" / here.name
    raise FileNotFoundError(f"{here} is not inside a course: no {CONFIG} above it")


def recall(name: str) -> npt.NDArray[Any]:
    """The recorded output called `name`, for the test cell that is running."""
    kept = outputs(grader_folder())
    if name not in kept:
        raise CourseError(f"no reference output {name!r} in {grader_folder()}: build the assignment")
    return kept[name]


@lru_cache(maxsize=2)
def outputs(folder: Path) -> Outputs:
    """The outputs that are kept in assignments/NAME/ for its model and data; {} where there are none."""
    from safetensors.numpy import load_file

    settings = folder / SETTINGS
    setting = tomllib.loads(settings.read_text()).get("reference", "default") if settings.is_file() else "default"
    path = folder / "reference" / setting / "outputs.safetensors"
    return dict(load_file(path)) if path.is_file() else {}
