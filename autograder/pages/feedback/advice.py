"""What went wrong in a test cell: a diagnosis with its hint, and two matrices to compare."""

from __future__ import annotations

from dataclasses import dataclass

from autograder.course import Assignment
from autograder.course import notebook as nb
from autograder.errors import CourseError
from autograder.pages.feedback.heatmap import Heatmaps, compare_matrices
from autograder.records.archive import Archive, Graded
from autograder.records.diagnose import Diagnosis


@dataclass(frozen=True)
class Advice:
    """A test cell's diagnosis and heatmaps, either of them None if there is none."""

    diagnosis: Diagnosis | None = None
    matrices: Heatmaps | None = None


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
        return {name: Advice(diagnoses.get(name), matrices.get(name)) for name in diagnoses.keys() | matrices.keys()}
