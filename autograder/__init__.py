"""Grades nbgrader notebooks: student cells in a sandbox, test cells outside it."""
