"""Refuses to grade with reference outputs that are missing or stale.

Reference outputs are in assignments/NAME/reference/SETTING/, one folder for each model and data set: `outputs.safetensors` holds
plain arrays, and `manifest.json` what they depend on (`Deciding.reference`).
"""

from __future__ import annotations

import json

from autograder.course import Assignment
from autograder.errors import CourseError
from autograder.records.deciding import Deciding, reference_folder

CALL = "assert_reference("


def require_fresh(assignment: Assignment, deciding: Deciding | None = None) -> None:
    """Raise CourseError if the assignment's tests compare with reference outputs that are missing or stale."""
    if CALL not in assignment.source_path.read_text():
        return
    path = reference_folder(assignment) / "manifest.json"
    remedy = f"`autograder build {assignment.name}` makes them"
    if not path.is_file():
        raise CourseError(f"{assignment.name} has no reference outputs in {path.parent}; {remedy}")
    if changed := _list_changed_parts(assignment, deciding or Deciding(assignment)):
        raise CourseError(f"the reference outputs in {path.parent} are stale (changed: {', '.join(changed)}); {remedy}")


def _list_changed_parts(assignment: Assignment, deciding: Deciding) -> list[str]:
    folder = reference_folder(assignment)
    try:
        manifest = json.loads((folder / "manifest.json").read_bytes())
        changed = [part for part, value in deciding.reference.items() if manifest.get(part) != value]
    except (ValueError, AttributeError):
        return ["manifest.json"]
    return changed if changed or (folder / "outputs.safetensors").is_file() else ["outputs.safetensors"]
