"""Reference outputs: what the solution returned, recorded when `autograder build` grades it as submission zero.

They lie in assignments/NAME/reference/SETTING/, one folder for each model and data: `outputs.safetensors` holds plain arrays,
`manifest.json` says what they were made of. Outputs of another source, model, data, seed or torch are stale, and nothing is
graded with them.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import platform
import tomllib
from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from autograder.course import CONFIG, SETTINGS, Assignment
from autograder.errors import CourseError
from autograder.files import write_whole

Outputs = dict[str, npt.NDArray[Any]]
# Another version of these may return other numbers; one of Python or numpy is only noted.
DECIDING = ("torch", "torchvision", "open_clip_torch")
CALL = "assert_reference("

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


def write(assignment: Assignment, recorded: Outputs) -> None:
    """Keep what the solution returned, in place of what was kept before; nothing is kept where no test asks for it."""
    from safetensors.numpy import save

    outputs.cache_clear()
    if not recorded:
        return
    kept = folder(assignment)
    described = {
        name: {"shape": list(array.shape), "dtype": str(array.dtype), "sha256": _hash(array.tobytes())}
        for name, array in sorted(recorded.items())
    }
    manifest = {**basis(assignment), "made with": _noted(), "outputs": described}
    write_whole(kept / "outputs.safetensors", save(dict(sorted(recorded.items()))))
    write_whole(kept / "manifest.json", json.dumps(manifest, indent=1).encode() + b"\n")


def require_fresh(assignment: Assignment) -> None:
    """CourseError if this assignment's tests compare with reference outputs, and those that are there are not its own."""
    if CALL not in assignment.source_path.read_text():
        return
    path = folder(assignment) / "manifest.json"
    renew = f"`autograder build {assignment.name}` makes them"
    if not path.is_file():
        raise CourseError(f"{assignment.name} has no reference outputs in {path.parent}; {renew}")
    try:
        manifest = json.loads(path.read_bytes())
        changed = [key for key, value in basis(assignment).items() if manifest.get(key) != value]
        arrays = path.with_name("outputs.safetensors")
        if not changed and not arrays.is_file():
            changed = ["outputs.safetensors"]
    except (ValueError, AttributeError):
        changed = [path.name]
    if changed:
        raise CourseError(f"the reference outputs in {path.parent} are stale (changed: {', '.join(changed)}); {renew}")


def folder(assignment: Assignment) -> Path:
    """Where the outputs for its model and data are kept, with their manifest."""
    return assignment.folder / "reference" / assignment.settings.reference


def basis(assignment: Assignment) -> dict[str, Any]:
    """What decides the outputs: the source, the files beside it, the grader's own (one hash for all: they are hundreds), files
    that its environment names, the settings, versions."""
    settings = assignment.settings
    named = {value for value in settings.environment.values() if Path(value).is_absolute() and Path(value).is_file()}
    return {
        "source": _hash(assignment.source_path.read_bytes()),
        "files": {name: _hash(content) for name, content in sorted(assignment.files.items())},
        "hidden files": _hash(repr(sorted(assignment.hidden_files.items())).encode()),
        "environment": dict(sorted(settings.environment.items())),
        "environment files": {name: _hash(Path(name).read_bytes()) for name in sorted(named)},
        "seed": settings.seed,
        "versions": {name: version(name) for name in DECIDING},
    }


def _noted() -> dict[str, str]:
    return {"python": platform.python_version(), "numpy": version("numpy"), "machine": platform.machine()}


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
