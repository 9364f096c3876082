"""Grades nbgrader notebooks: student cells in a sandbox, test cells outside it."""

import sys

# jsonschema, which nbformat imports, builds a parser for internationalised addresses wherever it finds this package: 0.8 s at
# the start of every process, for a format that no notebook uses. Without it the check is left out, as jsonschema provides.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
