"""What decides a grade: the parts of an assignment, of this machine and of this engine, and who depends on which.

This is the one list. Reference outputs, known answers, transcripts and grades each depend on some of these parts, and each
counts as stale once one of its parts has changed:

    reference outputs   the notebook, the files beside it, hidden files, environment, seed, numerical packages
    known answers       the same with the notebook's code in place of the notebook, and the variants
    a student's answers the code that ran, the files beside it, settings, environment, all packages, the engine that runs
    a test's verdict    its text and points, the other read-only cells, hidden files, reference outputs, settings,
                        environment, all packages, the engine that runs and judges
    a grade             all of the above for every test, and the files that were handed in
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

# Another version of these may compute other numbers.
NUMERICAL_PACKAGES = ("torch", "torchvision", "open_clip_torch")
# Another version of these may run a notebook, or draw a test's inputs, in another way.
RUNNING_PACKAGES = ("numpy", "hypothesis", "ipykernel", "ipython", "nbclient")
# What of this engine decides how a student's code answers: modules, or packages with all of their modules.
ANSWERING = ("autograder.sandbox", "autograder.judge.live", "autograder.judge.session", "autograder.judge.walk")
# What else of it decides what a test makes of the answers.
JUDGING = (
    "autograder.checks", "autograder.judge", "autograder.course.lay", "autograder.course.notebook",
    "autograder.course.submitted", "autograder.records.grade",
)  # fmt: skip


@dataclass(frozen=True)
class Deciding:
    """The parts that decide an assignment's grades, each read and hashed once, when it is first asked for."""

    assignment: Assignment

    # who depends on what

    @cached_property
    def reference(self) -> dict[str, Any]:
        """What the reference outputs depend on, by part: it stands in their manifest, which names the part that changed."""
        return {
            "source": self.source,
            "files": self.files,
            "hidden files": self.hidden_files,
            "environment": dict(sorted(self.assignment.settings.environment.items())),
            "environment files": self.environment_files,
            "seed": self.assignment.settings.seed,
            "versions": _versions(NUMERICAL_PACKAGES),
        }

    def known(self, source: nb.Notebook, form: str) -> str:
        """What known answers depend on: of the notebook only its code, since prose may change. `form` is that of their file."""
        code = [(nb.grade_id(cell), nb.source(cell)) for cell in source["cells"] if cell["cell_type"] == "code"]
        rest = {part: value for part, value in self.reference.items() if part != "source"}
        return _hash((form, code, self.assignment.variants, rest))

    def answers(self, laid: nb.Notebook) -> str:
        """What a student's answers depend on. The text of test cells is not in it: each question they ask is in the
        transcript."""
        code = [
            nb.grade_id(cell) if nb.is_test(cell) else nb.source(cell)
            for cell in laid["cells"]
            if cell["cell_type"] == "code"
        ]
        return _hash((self._running, code))

    def verdicts(self, source: nb.Notebook) -> dict[str, str]:
        """What the verdict of each test cell depends on beside the answers, by grade_id."""
        code = [cell for cell in nb.known_cells(source) if cell["cell_type"] == "code" and not nb.is_answer(cell)]
        read_only = [nb.source(cell) for cell in code if not nb.is_test(cell)]
        rest = _hash((self._judging, read_only))
        return {str(nb.grade_id(c)): _hash((rest, nb.points(c), nb.source(c))) for c in code if nb.is_test(c)}

    def grade(self, handed_in: str) -> str:
        """What the grade of a submission depends on; `handed_in` is the hash of its files."""
        return _hash((self._judging, self.source, self.release, handed_in))

    # the parts

    @cached_property
    def source(self) -> str:
        return _hash_bytes(self.assignment.source_path.read_bytes())

    @cached_property
    def release(self) -> str:
        return _hash_bytes(self.assignment.release_path.read_bytes())

    @cached_property
    def files(self) -> dict[str, str]:
        """The files beside the notebook."""
        return {name: _hash_bytes(content) for name, content in sorted(self.assignment.files.items())}

    @cached_property
    def hidden_files(self) -> str:
        """What tests may open and no student sees: one hash, for they are hundreds."""
        return _hash_bytes(repr(sorted(self.assignment.hidden_files.items())).encode())

    @cached_property
    def environment_files(self) -> dict[str, str]:
        """The files and folders that the environment names: weights, data. A file counts by its content, a folder by the
        names and sizes of what lies in it, so that a data set of gigabytes need not be read."""
        paths = {Path(value) for value in self.assignment.settings.environment.values() if Path(value).is_absolute()}
        hashes = {str(path): _hash_bytes(path.read_bytes()) for path in paths if path.is_file()}
        return dict(sorted((hashes | {str(path): _hash(_listing(path)) for path in paths if path.is_dir()}).items()))

    @cached_property
    def folders(self) -> str:
        """The folders of this machine that cells may read, and those that the environment names, with the times at which their
        files last changed. For what is kept on this machine: on another, the same data set has other times."""
        named = [Path(value) for value in self.assignment.settings.environment.values() if Path(value).is_absolute()]
        paths = {path for path in (*map(Path, self.assignment.settings.folders), *named) if path.is_dir()}
        return _hash([(str(path), _listing(path, times=True)) for path in sorted(paths)])

    @cached_property
    def reference_outputs(self) -> str:
        """The outputs that tests compare with."""
        with contextlib.suppress(FileNotFoundError):
            return _hash_bytes((reference_folder(self.assignment) / "outputs.safetensors").read_bytes())
        return ""

    @cached_property
    def _settings(self) -> str:
        return repr(structs.replace(self.assignment.settings, show_expected=()))  # which is a page's own business

    @cached_property
    def _running(self) -> str:
        packages = _versions((*NUMERICAL_PACKAGES, *RUNNING_PACKAGES))
        return _hash((engine(ANSWERING), packages, self._settings, self.files, self.environment_files, self.folders))

    @cached_property
    def _judging(self) -> str:
        return _hash((engine(JUDGING), self._running, self.hidden_files, self.reference_outputs))


def reference_folder(assignment: Assignment) -> Path:
    """Where reference outputs and known answers for an assignment's model and data are kept."""
    return assignment.folder / "reference" / assignment.settings.reference


@cache
def engine(modules: tuple[str, ...]) -> str:
    """The text of these modules, and of all modules of those that are packages, as one hash; RuntimeError where one is not
    there: a list that matches nothing would call everything fresh."""
    digest = hashlib.sha256()
    for path in sorted({path for name in modules for path in module_files(name)}):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def module_files(name: str) -> list[Path]:
    """The file of a module, or the files of a package's modules; RuntimeError where there is no such module."""
    try:
        spec = find_spec(name)
    except ModuleNotFoundError:
        spec = None
    if spec is None or not spec.origin:
        raise RuntimeError(f"{name} is listed as deciding grades, but there is no such module")
    folders = spec.submodule_search_locations
    return sorted(path for folder in folders for path in Path(folder).rglob("*.py")) if folders else [Path(spec.origin)]


def _versions(names: Iterable[str]) -> dict[str, str]:
    return {name: _version(name) for name in names}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _listing(folder: Path, times: bool = False) -> list[tuple[object, ...]]:
    """The files below a folder: name, size, and the time of the last change in ns, where `times` are wanted."""
    rows: list[tuple[object, ...]] = []
    for top, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            with contextlib.suppress(OSError):  # gone meanwhile, or a link to nowhere
                status = Path(top, name).stat()
                rows.append((os.path.relpath(Path(top, name), folder), status.st_size, status.st_mtime_ns * times))
    return rows


def _hash(value: Sequence[Any]) -> str:
    return hashlib.sha256(repr(value).encode(errors="surrogatepass")).hexdigest()


def _hash_bytes(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
