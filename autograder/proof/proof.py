"""Proof that an assignment's tests work: the solution and every wheat get full automatic marks, the blank release none, and
every chaff loses marks in its own task and in no other. All of them are graded exactly as a student is.
"""

from __future__ import annotations

import ast
import inspect
import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from autograder.checks import Checks
from autograder.course import Assignment, Variant
from autograder.course import notebook as nb
from autograder.course.lay import lay
from autograder.errors import CourseError
from autograder.judge.batch import Batch
from autograder.judge.imports import bound, free_names, imported_modules
from autograder.judge.job import Job, Judged
from autograder.proof import reference
from autograder.records import known
from autograder.records.grade import GRADED, CellGrade, Grade
from autograder.records.transcript import Transcript

# Shows progress over so many rows, and passes them on.
Watch = Callable[[int, Iterator[Any]], Iterable[Any]]


@dataclass(frozen=True)
class Expectation:
    """What a submission must come to: the test cells that get full marks, and those that lose some or all of theirs."""

    full: frozenset[str]
    less: frozenset[str] = frozenset()
    none: frozenset[str] = frozenset()

    @property
    def is_right(self) -> bool:
        """Whether it is the solution's or a wheat's."""
        return not self.less and not self.none

    def broken_by(self, grade: Grade) -> str:
        """What of this a grade does not keep, as one line; "" if it keeps all."""
        if grade.status not in GRADED:
            return f"{grade.status}: {'; '.join(grade.notes)}"
        cells = grade.cells
        trouble = [f"{name}: {cells[name].trouble}" for name in cells if cells[name].trouble]
        scores = {name: cell.score or 0.0 for name, cell in cells.items()}
        short = [name for name in sorted(self.full) if not cells[name].whole]
        # Full marks by its checks and an error after them: stock nbgrader would give it nothing.
        trouble += [f"{n} raises {cells[n].error}" for n in sorted(self.full) if n not in short and cells[n].error]
        above = [name for name in sorted(self.none) if scores[name] > 0]
        kept = self.less and all(cells[name].whole for name in self.less)
        parts = trouble + [
            f"{name} gets {scores[name]:g} of {cells[name].max_score:g}{_why(grade, name)}" for name in short
        ]
        parts += [f"{name} gets {scores[name]:g}, and should get nothing" for name in above]
        parts += [f"{' and '.join(sorted(self.less))} gets full marks: no check catches it"] if kept else []
        parts += [f"it does not run ({said})" for name in sorted(self.less) for said in _unnamed(cells[name])[:1]]
        return "; ".join(parts)

    def text(self, worth: dict[str, float]) -> str:
        """The expected total in words."""
        full = sum(worth[name] for name in self.full)
        at_stake = sum(worth[name] for name in self.less)
        return f"{full:g} to under {full + at_stake:g}" if self.less else f"{full:g}"


def _unnamed(cell: CellGrade) -> list[str]:
    """What a cell says of names that are not there. A chaff that defines or finds one nowhere holds no misconception, and its
    hint would reach every student whose code does not run either."""
    said = [cell.error, *(check.message for check in cell.checks)]
    return [text for text in said if text.startswith(("NameError: ", "UnboundLocalError: "))]


def _why(grade: Grade, name: str) -> str:
    cell = grade.cells[name]
    said = [f"{check.name}: {check.message}" for check in cell.checks if not check.passed] or [cell.error]
    if not said[0] and cell.checks:
        said = [f"its checks are worth {math.fsum(check.points for check in cell.checks):g} together"]
    return f" ({said[0]})" if said[0] else ""


def expectations(assignment: Assignment, source: nb.Notebook) -> dict[str, tuple[dict[str, str], Expectation]]:
    """For the solution, the blank release, each wheat and each chaff: the answers to lay into the release, by grade_id, and
    what is expected of them; in the order of the notebook's tasks."""
    solution = {str(nb.grade_id(cell)): nb.source(cell) for cell in nb.known_cells(source) if nb.is_answer(cell)}
    own = tests_of(source)
    tests = frozenset(name for names in own.values() for name in names)
    made = {
        "solution": (solution, Expectation(tests)),
        "blank": ({}, Expectation(frozenset(), none=tests)),
    }
    order = list(own)
    cells = {variant.label: answer_cell(own, variant) for variant in assignment.variants}
    for variant in sorted(assignment.variants, key=lambda variant: order.index(cells[variant.label])):
        cell = cells[variant.label]
        expected = Expectation(tests) if variant.kind == "wheat" else Expectation(tests - own[cell], less=own[cell])
        made[variant.label] = ({**solution, cell: variant.source}, expected)
    return made


def narrowed(assignment: Assignment, task: str) -> Assignment:
    """The assignment with the wheats and chaffs of one task alone; CourseError where it has no such task."""
    source = nb.read(assignment.source_path)
    own = tests_of(source)
    for variant in assignment.variants:  # a file under another name than its task's would not be seen
        answer_cell(own, variant)
    known = [name for name in own if own[name]]
    for name in (task, f"{task}-solution"):
        if name in known:
            return replace(assignment, task=name)
        if name in own:
            raise CourseError(f"{name}: no test uses what it defines{_invalid(source)}")
    raise CourseError(
        f"{assignment.name} has no task {task!r}; there are: {', '.join(name.removesuffix('-solution') for name in known)}"
    )


def answer_cell(own: dict[str, frozenset[str]], variant: Variant) -> str:
    """The grade_id of the cell that a variant answers; CourseError if there is none."""
    for name in (variant.problem, f"{variant.problem}-solution"):
        if name in own:
            return name
    raise CourseError(f"{variant.label}: the notebook has no answer cell {variant.problem}-solution")


def tests_of(source: nb.Notebook) -> dict[str, frozenset[str]]:
    """For each code cell that a student fills in: the test cells that use what it defines."""
    cells = list(nb.known_cells(source))
    uses = {str(nb.grade_id(cell)): set(free_names(nb.source(cell))) for cell in cells if nb.is_test(cell)}
    answers = [cell for cell in cells if nb.is_answer(cell) and cell["cell_type"] == "code"]
    return {
        str(nb.grade_id(cell)): frozenset(name for name, used in uses.items() if used & bound(nb.source(cell)))
        for cell in answers
    }


def faults(source: nb.Notebook) -> list[str]:
    """What is wrong with a source notebook before anything is run; one line each."""
    cells = list(nb.known_cells(source))
    names = [str(nb.grade_id(cell)) for cell in cells]
    found = [
        f"grade_id {name} stands {names.count(name)} times" for name in sorted(set(names)) if names.count(name) > 1
    ]
    answers = {name: bound(nb.source(cell)) for name, cell in zip(names, cells, strict=True) if nb.is_answer(cell)}
    locked = [cell for cell in cells if not nb.is_answer(cell) and not nb.is_test(cell) and cell["cell_type"] == "code"]
    for cell in filter(nb.is_test, cells):
        name = nb.grade_id(cell)
        try:
            used = set(free_names(nb.source(cell)))
        except SyntaxError as error:
            found.append(f"{name} is not valid Python: {error}")
            continue
        sources = [answer for answer, binds in answers.items() if used & binds]
        if not sources:
            found.append(f"{name} uses nothing that a student writes{_invalid(source)}")
        if len(sources) > 1:
            found.append(f"{name} uses {' and '.join(sources)}: one mistake would be paid for twice")
    copies = [nb.source(cell) for cell in locked if "class Checks" in nb.source(cell)]
    if any(inspect.getsource(Checks).strip() not in text for text in copies):
        found.append("the copy of class Checks is not that of autograder/checks.py: copy it anew")
    return found


def _invalid(source: nb.Notebook) -> str:
    """The answer cells that define nothing because they cannot be read, each with the reason."""
    said = []
    for cell in nb.known_cells(source):
        if nb.is_answer(cell) and cell["cell_type"] == "code":
            try:
                ast.parse(nb.source(cell))
            except SyntaxError as error:
                said.append(f"; {nb.grade_id(cell)} is not valid Python: {error.msg} (line {error.lineno})")
    return "".join(said)


def unreadable(assignment: Assignment) -> list[str]:
    """The wheats and chaffs that are not valid Python, one line each; one with magics is for the kernel to read."""
    found = []
    for variant in assignment.variants:
        try:
            ast.parse(variant.source)
        except SyntaxError as error:
            if not re.search(r"^\s*[%!]", variant.source, re.MULTILINE):
                found.append(f"{variant.label} is not valid Python: {error.msg}: `{(error.text or '').strip()}`")
    return found


def unavailable(release: nb.Notebook) -> list[str]:
    """What a release imports and no student has, one line each: this engine."""
    cells = [cell for cell in release["cells"] if cell["cell_type"] == "code"]
    ours = [
        cell
        for cell in cells
        if any(name.split(".")[0] == "autograder" for name in imported_modules([nb.source(cell)]))
    ]
    told = "imports autograder, which students do not have: import it in the hidden part"
    return [f"{nb.grade_id(cell) or 'a cell'} {told}" for cell in ours]


def submission(
    assignment: Assignment, source: nb.Notebook, release: nb.Notebook, name: str, answers: dict[str, str]
) -> Job:
    """The job of a student called `name` who typed these answers into the release; what its tests compare is measured."""
    laid = lay(source, release, nb.with_answers(release, answers))
    settings = assignment.settings
    return Job(name, assignment.name, laid.notebook, laid.unanswered, (), settings.limits, settings.seed, measure=True)


def prove(
    assignment: Assignment, source: nb.Notebook, release: nb.Notebook, workers: int
) -> Iterator[tuple[str, str, Judged]]:
    """Grade the solution, the blank release, every wheat and chaff: (name, what is broken or "", result), as they are done.

    The solution is first, and what it returns is kept as the reference outputs that the others are compared with; where it is
    broken, nothing that the others do says anything. What it and the chaffs answered is kept too, as known answers.
    """
    expected = expectations(assignment, source)
    own = tests_of(source)
    cells = {variant.label: answer_cell(own, variant) for variant in assignment.variants if variant.kind == "chaff"}
    graded: dict[str, tuple[str, Grade, Transcript]] = {}

    def job(name: str) -> Job:
        made = submission(assignment, source, release, name, expected[name][0])
        return replace(made, record=name == "solution")

    with Batch.of(assignment, source, min(workers, len(expected))) as batch:
        first = next(batch.run([job("solution")]))
        problem = broken(first, expected["solution"][1]) or _raising(first)
        yield "solution", problem, first
        if problem:
            return
        reference.write(assignment, first.recorded)
        graded["solution"] = ("", first.grade, _transcript(first))
        for result in batch.run(job(name) for name in expected if name != "solution"):
            name = result.grade.student
            if name in cells:
                graded[name] = (cells[name], result.grade, _transcript(result))
            yield name, broken(result, expected[name][1]), result
    if not assignment.task:
        known.write(assignment, source, own, graded)


def _transcript(result: Judged) -> Transcript:
    transcript = result.run.transcript if result.run else None
    return transcript or Transcript()


def broken(result: Judged, expected: Expectation) -> str:
    """What a variant breaks. A right answer must also come to its end: one that runs out of time in a cell without points
    keeps its marks, and would still cost a student their plot and the batch its time."""
    grade = result.grade
    lost = expected.broken_by(grade)
    if not lost and not expected.less and grade.status != "completed":
        return f"{grade.status}: {'; '.join(grade.notes)}"
    return lost


def _raising(solution: Judged) -> str:
    """The first cell that raises beside the right answers: every student would meet it."""
    raised = nb.raised(nb.parse(solution.run.notebook, "the solution")) if solution.run else {}
    return next((f"cell {name.removeprefix('cell ')} raises {error}" for name, error in raised.items()), "")
