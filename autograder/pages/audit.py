"""The page of an audit in gradebook/reports/, and its JSON object."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from autograder.course import Assignment
from autograder.pages.sheet import render_sheet, write_report
from autograder.proof.audit.matrix import CheckName
from autograder.proof.audit.run import Audit, TaskAudit


def write_page(assignment: Assignment, audit: Audit) -> Path:
    """Write gradebook/reports/audit-NAME.html, or audit-NAME-TASK.html for an audit of one task; return its path."""
    name = "-".join(filter(None, ("audit", assignment.name, assignment.task)))
    return write_report(assignment.course, f"{name}.html", render_sheet("audit.html.j2", audit=audit))


def as_json(audit: Audit) -> dict[str, Any]:
    """The object that `autograder audit --json` prints, documented on the instructor's page."""
    return {
        "assignment": audit.assignment,
        "graded": audit.graded,
        "repeats": audit.repeats,
        "findings": [
            {"kind": finding.kind, "text": finding.text, "must_be_mended": finding.must_be_mended}
            for finding in audit.findings
        ],
        "tasks": {task.matrix.task: _task(audit, task) for task in audit.tasks},
        "tolerances": [
            {
                "cell": margin.cell,
                "line": margin.place.line,
                "check": margin.check,
                "rtol": margin.place.rtol,
                "atol": margin.place.atol,
                "right": _finite(margin.right),
                "right_by": margin.right_by,
                "wrong": _finite(margin.wrong),
                "wrong_by": margin.wrong_by,
            }
            for margin in audit.margins
        ],
    }


def _task(audit: Audit, task: TaskAudit) -> dict[str, Any]:
    matrix, verdicts = task.matrix, audit.verdicts
    return {
        "checks": [_check(check) for check in matrix.checks],
        "redundant": [_check(check) for check in matrix.redundant],
        "chaffs": {
            row.name: [_check(check) for check in matrix.checks if check in row.caught_by] for row in matrix.chaffs
        },
        "mutants": len(matrix.mutants),
        "survivors": {
            mutant.id: {
                "kind": mutant.kind,
                "diff": mutant.diff,
                "verdict": verdicts[mutant.id].verdict if mutant.id in verdicts else None,
            }
            for mutant in task.survivors
        },
    }


def _check(check: CheckName) -> list[Any]:
    return [check.cell, check.name, check.occurrence]


def _finite(deviation: float | None) -> float | None:
    """JSON has no infinity: null stands for it, and for a deviation that was not measured."""
    return deviation if deviation is not None and math.isfinite(deviation) else None
