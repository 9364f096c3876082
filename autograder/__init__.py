"""Grades nbgrader notebooks: student cells in a sandbox, test cells outside it."""

import sys

# jsonschema, which nbformat imports, builds a parser for internationalised addresses if this package is installed. That takes
# 0.8 s in every process, for a format that no notebook uses. Without the package jsonschema skips that check.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
