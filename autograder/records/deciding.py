"""What decides a grade: parts of the assignment, machine and engine, and what depends on which.

This is the only such list. Each result below is stale once one of the parts that it depends on changes:

    reference outputs    the notebook, the files beside it, hidden files, environment, seed, numerical packages
    known answers        the same, with the notebook's code instead of the notebook; the variants
    a student's answers  the code that ran, the files beside it, settings, environment, folders, all packages, the modules of
                         the engine that run it (ANSWERING)
    a test's verdict     its text and points, the other read-only cells, hidden files, reference outputs, the modules that judge
                         (JUDGING), and all that a student's answers depend on but the code
    a grade              the notebook, the release, the files handed in, and all that a test's verdict depends on
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from msgspec import structs

from autograder.course import Assignment
from autograder.course import notebook as nb

# Other versions of these may compute other numbers.
NUMERICAL_PACKAGES = ("torch", "torchvision", "open_clip_torch")
# Other versions of these may run a notebook or draw a test's inputs differently.
RUNNING_PACKAGES = ("numpy", "hypothesis", "ipykernel", "ipython", "nbclient")
# The modules, or packages with all their modules, that decide what a student's code answers.
ANSWERING = (
    "autograder.sandbox", "autograder.judge.budget", "autograder.judge.live", "autograder.judge.session",
    "autograder.judge.walk",
)  # fmt: skip
# Those that decide what a test concludes from the answers.
JUDGING = (
    "autograder.checks", "autograder.judge", "autograder.course.bindings", "autograder.course.candidates",
    "autograder.course.carried", "autograder.course.foreign", "autograder.course.lay", "autograder.course.notebook",
    "autograder.course.student_cells", "autograder.course.submitted", "autograder.records.grade",
)  # fmt: skip


@dataclass(frozen=True)
class Deciding:
    """The parts that decide an assignment's grades. Each is read and hashed once, when it is first needed."""

    assignment: Assignment

    # What each result depends on

    @cached_property
    def reference(self) -> dict[str, Any]:
        """What the reference outputs depend on, by part. It is saved in their manifest, so that a message can name the part that
        changed."""
        return {
            "source": self.source,
            "files": self.files,
            "hidden files": self.hidden_files,
            "environment": dict(sorted(self.assignment.settings.environment.items())),
            "environment files": self.environment_files,
            "seed": self.assignment.settings.seed,
            "versions": _read_versions(NUMERICAL_PACKAGES),
        }

    def hash_known(self, source: nb.Notebook, form: str) -> str:
        """Hash what known answers depend on. Prose may change, so only the code of the notebook counts. `form` is the format of
        their file."""
        code = [(nb.grade_id(cell), nb.source(cell)) for cell in source["cells"] if cell["cell_type"] == "code"]
        rest = {part: value for part, value in self.reference.items() if part != "source"}
        return _hash((form, code, self.assignment.variants, rest))

    def hash_answers(self, laid: nb.Notebook) -> str:
        """Hash what a student's answers depend on. The text of test cells does not count: the questions that they ask are in the
        transcript. What the sandbox runs of them does."""
        code = [
            (nb.grade_id(cell), nb.visible_test(cell)) if nb.is_test(cell) else nb.source(cell)
            for cell in laid["cells"]
            if cell["cell_type"] == "code"
        ]
        return _hash((self._running, code))

    def hash_verdicts(self, source: nb.Notebook) -> dict[str, str]:
        """Hash what the verdict of each test cell depends on, except for the answers; by grade_id."""
        code = [cell for cell in nb.known_cells(source) if cell["cell_type"] == "code" and not nb.is_answer(cell)]
        read_only = [nb.source(cell) for cell in code if not nb.is_test(cell)]
        rest = _hash((self._judging, read_only))
        return {str(nb.grade_id(c)): _hash((rest, nb.points(c), nb.source(c))) for c in code if nb.is_test(c)}

    def hash_grade(self, handed_in: str) -> str:
        """Hash what the grade of a submission depends on; `handed_in` is the hash of its files."""
        return _hash((self._judging, self.source, self.release, handed_in))

    # The parts

    @cached_property
    def source(self) -> str:
        """The instructor's notebook."""
        return _hash_bytes(self.assignment.source_path.read_bytes())

    @cached_property
    def release(self) -> str:
        """The student version; CourseError if there is none."""
        return _hash_bytes(self.assignment.release_path.read_bytes())

    @cached_property
    def files(self) -> dict[str, str]:
        """The files beside the notebook."""
        return {name: _hash_bytes(content) for name, content in sorted(self.assignment.files.items())}

    @cached_property
    def hidden_files(self) -> str:
        """The files that tests may open and no student sees; one hash, because there are hundreds."""
        return _hash_bytes(repr(sorted(self.assignment.hidden_files.items())).encode())

    @cached_property
    def environment_files(self) -> dict[str, str]:
        """The files and folders that the environment names: weights, data. A file counts by its content; a folder by the names
        and sizes of its files, so that gigabytes of data need not be read."""
        paths = {Path(value) for value in self.assignment.settings.environment.values() if Path(value).is_absolute()}
        hashes = {str(path): _hash_bytes(path.read_bytes()) for path in paths if path.is_file()}
        return dict(sorted((hashes | {str(path): _hash(_list_files(path)) for path in paths if path.is_dir()}).items()))

    @cached_property
    def folders(self) -> str:
        """The folders that cells may read and those that the environment names, with the times of their files' last changes.

        These decide only what is kept on this machine: on another one, the same data set has other times.
        """
        named = [Path(value) for value in self.assignment.settings.environment.values() if Path(value).is_absolute()]
        paths = {path for path in (*map(Path, self.assignment.settings.folders), *named) if path.is_dir()}
        return _hash([(str(path), _list_files(path, times=True)) for path in sorted(paths)])

    @cached_property
    def reference_outputs(self) -> str:
        """The outputs that tests compare with; "" if there are none."""
        with contextlib.suppress(FileNotFoundError):
            return _hash_bytes((reference_folder(self.assignment) / "outputs.safetensors").read_bytes())
        return ""

    @cached_property
    def _settings(self) -> str:
        return repr(structs.replace(self.assignment.settings, show_expected=()))  # which only changes pages

    @cached_property
    def _running(self) -> str:
        packages = _read_versions((*NUMERICAL_PACKAGES, *RUNNING_PACKAGES))
        return _hash(
            (hash_engine(ANSWERING), packages, self._settings, self.files, self.environment_files, self.folders)
        )

    @cached_property
    def _judging(self) -> str:
        return _hash((hash_engine(JUDGING), self._running, self.hidden_files, self.reference_outputs))


def reference_folder(assignment: Assignment) -> Path:
    """The folder of the reference outputs and known answers for an assignment's model and data set."""
    return assignment.folder / "reference" / assignment.settings.reference


@cache
def hash_engine(modules: tuple[str, ...]) -> str:
    """Hash the text of these modules and packages. RuntimeError if one does not exist: with a list that matches nothing, no
    grade would ever be stale."""
    digest = hashlib.sha256()
    for path in sorted({path for name in modules for path in list_module_files(name)}):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def list_module_files(name: str) -> list[Path]:
    """List the file of a module, or the files of all modules in a package; RuntimeError if there is no such module."""
    try:
        spec = find_spec(name)
    except ModuleNotFoundError:
        spec = None
    if spec is None or not spec.origin:
        raise RuntimeError(f"{name} is listed as deciding grades, but there is no such module")
    folders = spec.submodule_search_locations
    return sorted(path for folder in folders for path in Path(folder).rglob("*.py")) if folders else [Path(spec.origin)]


def _read_versions(names: Iterable[str]) -> dict[str, str]:
    return {name: _read_version(name) for name in names}


def _read_version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _list_files(folder: Path, times: bool = False) -> list[tuple[object, ...]]:
    """List the files below a folder: path, size in bytes, and the time of the last change in ns, or 0 without `times`."""
    rows: list[tuple[object, ...]] = []
    for top, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            with contextlib.suppress(OSError):  # removed meanwhile, or a broken link
                status = Path(top, name).stat()
                rows.append((os.path.relpath(Path(top, name), folder), status.st_size, status.st_mtime_ns * times))
    return rows


def _hash(value: Sequence[Any]) -> str:
    return hashlib.sha256(repr(value).encode(errors="surrogatepass")).hexdigest()


def _hash_bytes(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
