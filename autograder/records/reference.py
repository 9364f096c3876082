"""Reference outputs: what the solution returned, recorded when `autograder build` grades it as submission zero.

They lie in assignments/NAME/reference/SETTING/, one folder for each model and data: `outputs.safetensors` holds plain arrays,
`manifest.json` says what they were made of. Outputs of another source, model, data, seed or torch are stale, and nothing is
graded with them.
"""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from autograder.course import Assignment
from autograder.errors import CourseError

# Another version of these may return other numbers; one of Python or numpy is only noted.
DECIDING = ("torch", "torchvision", "open_clip_torch")
CALL = "assert_reference("


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


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
