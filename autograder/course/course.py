"""A course and its assignments: where their parts are, from nbgrader_config.py and the folders beside it."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from autograder.course.settings import FILE as SETTINGS
from autograder.course.settings import Settings, read_settings
from autograder.course.variants import Variant, read_variants
from autograder.errors import CourseError

CONFIG = "nbgrader_config.py"
VERDICTS = "mutants.toml"
# What nbgrader lets a student or assignment be called, and what is safe as a folder's name.
# No control characters, no separators of lines, and no halves of characters, which a name that is no UTF-8 comes with.
_ODD = r"/\\\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"
NAME = re.compile(rf"[^.{_ODD}][^{_ODD}]{{0,99}}")


@dataclass(frozen=True)
class Assignment:
    """One assignment of a course: where its parts are, and its settings. `task`, the grade_id of an answer cell, narrows its
    wheats and chaffs to those of one task, for a first try."""

    course: Course
    name: str
    task: str = ""

    @property
    def source_folder(self) -> Path:
        return self.course.source / self.name

    @property
    def release_folder(self) -> Path:
        return self.course.release / self.name

    @property
    def folder(self) -> Path:
        """What the grader knows and no student sees: settings, wheats and chaffs."""
        return self.course.root / "assignments" / self.name

    @cached_property
    def notebook(self) -> str:
        """The name of the one notebook, without its suffix."""
        found = sorted(self.source_folder.glob("*.ipynb"))
        if len(found) != 1:
            raise CourseError(f"{self.source_folder} must hold one notebook; it holds {len(found)}")
        return found[0].stem

    def autograded_path(self, student: str) -> Path:
        """A submission's notebook as it was run, with the outputs of the run."""
        return self.course.autograded / student / self.name / f"{self.notebook}.ipynb"

    @property
    def source_path(self) -> Path:
        return self.source_folder / f"{self.notebook}.ipynb"

    @property
    def release_path(self) -> Path:
        path = self.release_folder / f"{self.notebook}.ipynb"
        if not path.is_file():
            raise CourseError(f"{path} is missing; `autograder build {self.name}` makes it")
        return path

    @cached_property
    def settings(self) -> Settings:
        return read_settings(self.folder / SETTINGS)

    @cached_property
    def files(self) -> dict[str, bytes]:
        """The instructor's files beside the notebook (data, pictures), by their path relative to it. As nbgrader does, no link
        to a folder is followed."""
        paths = _files_below(self.source_folder)
        return {name: path.read_bytes() for name, path in paths.items() if path.suffix != ".ipynb"}

    @cached_property
    def hidden_files(self) -> dict[str, bytes]:
        """What tests may open and no student sees, by its path relative to assignments/: all that lies there, since several
        assignments may share hidden images, but settings, wheats and chaffs, verdicts, reference outputs, scripts and pages."""
        return {
            name: path.read_bytes()
            for name, path in _files_below(self.folder.parent).items()
            if path.suffix not in (".py", ".pyc", ".md")
            and path.name not in (SETTINGS, VERDICTS)
            and "reference" not in Path(name).parts
        }

    @cached_property
    def variants(self) -> tuple[Variant, ...]:
        """Every wheat and chaff, or those of the one task, in the order of the files and in them."""
        paths = sorted((self.folder / "variants").glob("*.py"))
        found = (variant for path in paths for variant in read_variants(path))
        return tuple(v for v in found if not self.task or self.task in (v.problem, f"{v.problem}-solution"))


def _files_below(root: Path) -> dict[str, Path]:
    """Every file below `root` by its path relative to it, but what a dot hides: Jupyter and hypothesis leave such folders
    beside a notebook that was run."""
    paths = {path.relative_to(root): path for path in sorted(root.rglob("*")) if path.is_file()}
    return {str(name): path for name, path in paths.items() if not any(part.startswith(".") for part in name.parts)}


@dataclass(frozen=True)
class Course:
    """A course folder: nbgrader's, with the paths that its configuration gives."""

    root: Path
    source: Path = field(repr=False)
    release: Path = field(repr=False)
    submitted: Path = field(repr=False)
    autograded: Path = field(repr=False)
    feedback: Path = field(repr=False)
    transcripts: Path = field(repr=False)
    reports: Path = field(repr=False)
    db_url: str = field(repr=False)
    course_id: str = field(repr=False)

    def config(self) -> Any:
        """nbgrader_config.py as nbgrader reads it: a traitlets Config, fresh at every call."""
        return _load_config(self.root)

    def keep_private(self, folder: Path) -> None:
        """Make a folder that its owner alone can open, unless nbgrader's configuration says that a group grades here."""
        folder.mkdir(parents=True, exist_ok=True)
        if not self.config().get("CourseDirectory", {}).get("groupshared"):
            with contextlib.suppress(OSError):  # another's folder, on a file system that knows no owners
                folder.chmod(0o700)

    def assignment(self, name: str) -> Assignment:
        """The assignment called `name`; CourseError, with the names that there are, if there is none."""
        if not NAME.fullmatch(name) or name in (".", "..") or not (self.source / name).is_dir():
            known = ", ".join(sorted(p.name for p in self.source.glob("*") if p.is_dir())) or "none yet"
            raise CourseError(f"no assignment {name!r} in {self.source}; there are: {known}")
        return Assignment(self, name)


def open_course(folder: Path | None = None) -> Course:
    """The course in `folder`, or in the nearest folder above the current one that holds nbgrader_config.py."""
    start = (folder or Path.cwd()).resolve()
    candidates = [start] if folder else [start, *start.parents]
    root = next((path for path in candidates if (path / CONFIG).is_file()), None)
    if root is None:
        where = f"{start} or above it" if folder is None else str(start)
        raise CourseError(f"no course: {CONFIG} is not in {where}; go to the course's folder or give --course DIR")
    return _read_config(root)


def _load_config(root: Path) -> Any:
    from traitlets.config import PyFileConfigLoader

    try:
        return PyFileConfigLoader(CONFIG, path=str(root)).load_config()
    except Exception as error:
        raise CourseError(f"{root / CONFIG} cannot be read: {type(error).__name__}: {error}") from None


def _read_config(root: Path) -> Course:
    section = _load_config(root).get("CourseDirectory", {})

    def folder(name: str, default: str) -> Path:
        return root / str(section.get(f"{name}_directory", default))

    submitted = folder("submitted", "submitted")
    return Course(
        root=root,
        source=folder("source", "source"),
        release=folder("release", "release"),
        submitted=submitted,
        autograded=folder("autograded", "autograded"),
        feedback=folder("feedback", "feedback"),
        transcripts=submitted.parent / "transcripts",
        reports=submitted.parent / "reports",
        db_url=str(section.get("db_url", f"sqlite:///{root}/gradebook.db")),
        course_id=str(section.get("course_id", "")) or "default_course",
    )
