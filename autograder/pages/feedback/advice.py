"""What went wrong in a test cell: a diagnosis with its hint, two matrices to compare, and where the student's code raised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from autograder.course import Assignment
from autograder.course import notebook as nb
from autograder.errors import CourseError
from autograder.pages.calls import Call, calls_to_failing
from autograder.pages.feedback.heatmap import Heatmaps, compare_matrices
from autograder.pages.frames import Frame, raised_in_check, raised_in_test
from autograder.records.archive import Archive, Graded
from autograder.records.diagnose import Diagnosis
from autograder.records.transcript import Asked


@dataclass(frozen=True)
class Advice:
    """A test cell's diagnosis and heatmaps, either of them None if there is none.

    `raised` has the frames of the student's code that failed a check, by the check's number; `stopped` those that stopped the
    test cell. `calls` are the uses of other answers that do not pass their checks.
    """

    diagnosis: Diagnosis | None = None
    matrices: Heatmaps | None = None
    raised: Mapping[int, tuple[Frame, ...]] = field(default_factory=dict)
    stopped: tuple[Frame, ...] = ()
    calls: tuple[Call, ...] = ()


class Adviser:
    """Advises on submissions of one assignment; reads its known answers once.

    Raises CourseError if `show_expected` names a test cell that does not exist.
    """

    def __init__(self, assignment: Assignment) -> None:
        self.archive = Archive(assignment)
        source = self.archive.source
        self.shown = assignment.settings.show_expected
        tests = {nb.grade_id(cell) for cell in nb.known_cells(source) if nb.is_test(cell)}
        if unknown := sorted(set(self.shown) - tests):
            raise CourseError(
                f"{assignment.folder / 'assignment.toml'}: show_expected: no test cell is called {unknown[0]}"
            )

    def advise(self, graded: Graded) -> dict[str, Advice]:
        """Advice on each test cell that lost points, by grade_id."""
        diagnoses, asked = graded.diagnosed_cells, graded.asked or {}
        matrices = {
            name: compare_matrices(graded.grade.cells[name], asked[name], graded.known.solution, name)
            for name in self.shown
            if name in graded.grade.cells and name in asked
        }
        failing = failing_tests(graded)
        calls = calls_to_failing(graded.notebook, failing)
        return {
            name: Advice(
                diagnoses.get(name),
                matrices.get(name),
                *_raised(graded, name, asked.get(name, Asked())),
                tuple(calls.get(name, ())),
            )
            for name in [*failing, *(diagnoses.keys() | matrices.keys()) - set(failing)]
        }


def failing_tests(graded: Graded) -> list[str]:
    """The test cells that lost points, by grade_id."""
    cells = graded.grade.cells
    return [name for name in nb.test_sources(graded.notebook) if name in cells and not cells[name].whole]


def _raised(graded: Graded, name: str, asked: Asked) -> tuple[dict[int, tuple[Frame, ...]], tuple[Frame, ...]]:
    cell = graded.grade.cells[name]
    every = {n: raised_in_check(check, n, asked, graded.notebook) for n, check in enumerate(cell.checks)}
    raised = {n: frames for n, frames in every.items() if frames}
    return raised, raised_in_test(cell, asked, graded.notebook)
