"""Saves what the solution returned as the reference outputs that submissions are compared with."""

from __future__ import annotations

import hashlib
import json
import platform
from importlib.metadata import version
from typing import Any

from safetensors.numpy import save

from autograder.checks.recorded import Outputs, read_outputs
from autograder.course import Assignment
from autograder.files import write_whole
from autograder.records.deciding import Deciding, reference_folder


def write(assignment: Assignment, recorded: Outputs) -> None:
    """Replace an assignment's reference outputs, and the manifest that says what they were made from.

    Nothing is written if no test asks for any. OSError if the folder cannot be written.
    """
    read_outputs.cache_clear()
    if not recorded:
        return
    arrays = dict(sorted(recorded.items()))
    manifest = {**Deciding(assignment).reference, "made with": _describe_machine(), "outputs": _describe(arrays)}
    target = reference_folder(assignment)
    write_whole(target / "outputs.safetensors", save(arrays))
    write_whole(target / "manifest.json", json.dumps(manifest, indent=1).encode() + b"\n")


def _describe(arrays: Outputs) -> dict[str, dict[str, Any]]:
    """Shape, dtype and SHA-256 of each array."""
    return {
        name: {
            "shape": list(array.shape),
            "dtype": str(array.dtype),
            "sha256": hashlib.sha256(array.tobytes()).hexdigest(),
        }
        for name, array in arrays.items()
    }


def _describe_machine() -> dict[str, str]:
    """What may change a last digit, but does not make the outputs stale."""
    return {"python": platform.python_version(), "numpy": version("numpy"), "machine": platform.machine()}
