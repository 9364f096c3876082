"""Which of a student's answers calls another one whose checks fail: that is where the mistake is."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from autograder.course import notebook as nb
from autograder.pages.feedback.text import code_of


@dataclass(frozen=True)
class Call:
    """`caller`, a function of one answer, uses `callee`, which the answer cell `cell` defines."""

    caller: str
    callee: str
    cell: str

    def __str__(self) -> str:
        return f"`{self.caller}` calls your `{self.callee}`, which does not pass its checks"


def tested_answers(notebook: nb.Notebook) -> dict[str, str]:
    """The answer cell that stands before each test cell, by the test cell's grade_id."""
    pairs, answer = {}, ""
    for cell in notebook.get("cells", []):
        if nb.is_answer(cell):
            answer = str(nb.grade_id(cell))
        elif nb.is_test(cell) and answer:
            pairs[str(nb.grade_id(cell))] = answer
    return pairs


def calls_to_failing(notebook: nb.Notebook, failing: Sequence[str]) -> dict[str, list[Call]]:
    """The calls of each failing test cell's answer to answers of other failing test cells, by grade_id of the test cell."""
    answers = tested_answers(notebook)
    code = {str(nb.grade_id(c)): code_of(c) for c in notebook.get("cells", []) if nb.is_answer(c)}
    used = {name: _uses(code[name]) for name in {answers[test] for test in failing if test in answers}}
    broken = {callee: cell for cell in used for callee in used[cell]}
    return {test: list(_calls(answers[test], used, broken)) for test in failing if test in answers}


def _calls(answer: str, used: Mapping[str, Mapping[str, set[str]]], broken: Mapping[str, str]) -> Iterator[Call]:
    for caller, names in used[answer].items():
        for name in sorted(names & broken.keys()):
            if broken[name] != answer:
                yield Call(caller, name, broken[name])


def _uses(source: str) -> dict[str, set[str]]:
    """The names that each top-level function of a cell reads; {} if the cell is not plain Python."""
    try:
        functions = [
            node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ]
        return {
            function.name: {node.id for node in ast.walk(function) if isinstance(node, ast.Name)} - {function.name}
            for function in functions
        }
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
