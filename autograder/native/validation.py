"""Validates a notebook in a process of its own: `python -m autograder.native.validation NOTEBOOK`, in the folder of its course.

Prints what nbgrader's Validate button expects, as one line of JSON. nbgrader validates in the server's own process, which answers
nobody else meanwhile, and by the configuration of the folder in which the server was started.
"""

from __future__ import annotations

import json
import sys
import traceback
from pathlib import Path
from typing import Any


def validate(path: Path) -> dict[str, Any]:
    """Return `success` and, as `value`, nbgrader's results or the reason why there are none."""
    from nbgrader.apps import NbGrader
    from nbgrader.validator import Validator

    try:
        app = NbGrader()
        app.load_config_file(suppress_errors=False)
        return {"success": True, "value": Validator(config=app.config).validate(str(path))}
    except Exception:
        return {"success": False, "value": traceback.format_exc()}


if __name__ == "__main__":
    print(json.dumps(validate(Path(sys.argv[1]))))
