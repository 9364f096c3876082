"""An audit as files: its page in gradebook/reports/, and as one JSON object."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from autograder.course import Assignment
from autograder.pages.sheet import render, write_report
from autograder.proof.audit.matrix import CheckName
from autograder.proof.audit.run import Audit, TaskAudit


def write_page(assignment: Assignment, audit: Audit) -> Path:
    """Write gradebook/reports/audit-NAME.html, or audit-NAME-TASK.html for a narrowed one; its path."""
    name = "-".join(filter(None, ("audit", assignment.name, assignment.task)))
    return write_report(assignment.course, f"{name}.html", render("audit.html.j2", audit=audit))


def as_json(audit: Audit) -> dict[str, Any]:
    """What `autograder audit --json` prints, documented on the instructor's page."""
    return {
        "assignment": audit.assignment,
        "graded": audit.graded,
        "repeats": audit.repeats,
        "findings": [
            {"kind": found.kind, "text": found.text, "must_be_mended": found.must_be_mended} for found in audit.findings
        ],
        "tasks": {task.matrix.task: _task(audit, task) for task in audit.tasks},
        "tolerances": [
            {
                "cell": margin.cell,
                "line": margin.place.line,
                "check": margin.check,
                "rtol": margin.place.rtol,
                "atol": margin.place.atol,
                "right": margin.right if math.isfinite(margin.right) else None,
                "right_by": margin.right_by,
                "wrong": margin.wrong if margin.wrong is None or math.isfinite(margin.wrong) else None,
                "wrong_by": margin.wrong_by,
            }
            for margin in audit.margins
        ],
    }


def _task(audit: Audit, task: TaskAudit) -> dict[str, Any]:
    matrix, judged = task.matrix, audit.verdicts
    return {
        "checks": [_named(check) for check in matrix.checks],
        "redundant": [_named(check) for check in matrix.redundant],
        "chaffs": {
            row.name: [_named(check) for check in matrix.checks if check in row.caught_by] for row in matrix.chaffs
        },
        "mutants": len(matrix.mutants),
        "survivors": {
            mutant.id: {
                "kind": mutant.kind,
                "diff": mutant.diff,
                "verdict": judged[mutant.id].verdict if mutant.id in judged else None,
            }
            for mutant in task.survivors
        },
    }


def _named(check: CheckName) -> list[Any]:
    return [check.cell, check.name, check.occurrence]
