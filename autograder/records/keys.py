"""What a grade depends on, as hashes: a grade stands while its hash fits, and a transcript may be scored while its own does."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

from msgspec import structs

from autograder.course import Assignment
from autograder.course import notebook as nb
from autograder.course.submitted import MAX_NOTEBOOK_BYTES
from autograder.files import digest
from autograder.records import known, reference

ENGINE = Path(__file__).parents[1]
# What decides a grade beside the notebooks: these versions, and this package's own text.
DECIDING = ("torch", "numpy", "hypothesis", "ipykernel", "ipython", "nbclient")
# What of that text decides how a student's code answers.
ANSWERING = ("judge/session.py", "judge/submission.py", "sandbox/*.py")


@dataclass(frozen=True)
class Keys:
    """The hashes of one assignment, as it is on disk when each is first asked for."""

    assignment: Assignment

    def grade(self, handed_in: str) -> str:
        """All that a grade depends on: the files handed in, the assignment, this engine."""
        return hashlib.sha256(f"{self._assignment} {handed_in}".encode()).hexdigest()

    def answers(self, laid: nb.Notebook) -> str:
        """All that the student's answers depend on: the code that is run, and with what. Test cells are not in it, for each
        question of theirs stands in the transcript."""
        code = [
            nb.grade_id(cell) if nb.is_test(cell) else nb.source(cell)
            for cell in laid["cells"]
            if cell["cell_type"] == "code"
        ]
        return hashlib.sha256(f"{self._running} {code!r}".encode(errors="surrogatepass")).hexdigest()

    def verdicts(self, source: nb.Notebook) -> dict[str, str]:
        """For each test cell, all that its verdict depends on beside the answers: its text and points, the other locked cells,
        what no student sees, this engine."""
        code = [cell for cell in nb.known_cells(source) if cell["cell_type"] == "code" and not nb.is_answer(cell)]
        locked = [nb.source(cell) for cell in code if not nb.is_test(cell)]
        rest = hashlib.sha256(f"{self._judging} {locked!r}".encode(errors="surrogatepass")).hexdigest()
        texts = {str(nb.grade_id(c)): f"{rest} {nb.points(c)} {nb.source(c)}" for c in code if nb.is_test(c)}
        return {name: hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest() for name, text in texts.items()}

    def handed_in(self, student: str) -> str:
        """The files handed in."""
        folder = self.assignment.course.submitted / student / self.assignment.name
        return digest(folder, MAX_NOTEBOOK_BYTES)

    @cached_property
    def _assignment(self) -> str:
        paths = (self.assignment.source_path, self.assignment.release_path)
        return self._judging + "".join(hashlib.sha256(path.read_bytes()).hexdigest() for path in paths)

    @cached_property
    def _judging(self) -> str:
        made = [p for p in sorted(reference.folder(self.assignment).glob("*")) if p.name != known.FILE]
        return self._hash([*sorted(ENGINE.rglob("*.py")), *made], sorted(self.assignment.hidden_files.items()))

    @cached_property
    def _running(self) -> str:
        return self._hash(sorted(path for pattern in ANSWERING for path in ENGINE.glob(pattern)))

    def _hash(self, paths: list[Path], hidden: Sequence[tuple[str, bytes]] = ()) -> str:
        """Versions, files, settings, what lies beside the notebook, and what no student sees."""
        found = hashlib.sha256(repr([(name, version(name)) for name in DECIDING]).encode())
        for path in paths:
            found.update(path.read_bytes())
        settings = structs.replace(self.assignment.settings, show_expected=())  # a page's own business
        found.update(repr((settings, sorted(self.assignment.files.items()), hidden)).encode())
        return found.hexdigest()
