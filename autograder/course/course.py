"""A course and its assignments: where their files are, as nbgrader_config.py and the folders say."""

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
# A name of a student or assignment that nbgrader accepts and that is safe as a folder's name: no slash, no control characters,
# no line separators, and no lone surrogates, which stand for bytes that are not UTF-8.
_FORBIDDEN = r"/\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"
NAME = re.compile(rf"[^.{_FORBIDDEN}][^{_FORBIDDEN}]{{0,99}}")


@dataclass(frozen=True)
class Assignment:
    """One assignment of a course: where its files are, and its settings.

    `task`, the grade_id of an answer cell, narrows the wheats and chaffs to those of one task, for a first try.
    """

    course: Course
    name: str
    task: str = ""

    @property
    def source_folder(self) -> Path:
        """The folder of the instructor's notebook and the files beside it."""
        return self.course.source / self.name

    @property
    def release_folder(self) -> Path:
        """The folder of the students' version."""
        return self.course.release / self.name

    @property
    def folder(self) -> Path:
        """The folder that no student sees: settings, reference outputs, wheats and chaffs."""
        return self.course.root / "assignments" / self.name

    @cached_property
    def notebook(self) -> str:
        """The name of the only notebook, without its suffix; CourseError if there is not exactly one."""
        notebooks = sorted(self.source_folder.glob("*.ipynb"))
        if len(notebooks) != 1:
            raise CourseError(f"{self.source_folder} must hold one notebook; it holds {len(notebooks)}")
        return notebooks[0].stem

    def autograded_path(self, student: str) -> Path:
        """The path of a submission's executed notebook, with its outputs."""
        return self.course.autograded / student / self.name / f"{self.notebook}.ipynb"

    @property
    def source_path(self) -> Path:
        """The path of the instructor's notebook."""
        return self.source_folder / f"{self.notebook}.ipynb"

    @property
    def release_path(self) -> Path:
        """The path of the students' notebook; CourseError if it has not been built."""
        path = self.release_folder / f"{self.notebook}.ipynb"
        if not path.is_file():
            raise CourseError(f"{path} is missing; `autograder build {self.name}` creates it")
        return path

    @cached_property
    def settings(self) -> Settings:
        """The settings in assignment.toml; CourseError if they are wrong."""
        return read_settings(self.folder / SETTINGS)

    @cached_property
    def files(self) -> dict[str, bytes]:
        """The instructor's files beside the notebook (data, pictures), by their path relative to it.

        As in nbgrader, links to folders are not followed.
        """
        paths = _files_below(self.source_folder)
        return {name: path.read_bytes() for name, path in paths.items() if path.suffix != ".ipynb"}

    @cached_property
    def hidden_files(self) -> dict[str, bytes]:
        """The files that tests may open and no student sees, by their path relative to assignments/.

        All files there count, since several assignments may share hidden images, except settings, wheats and chaffs,
        verdicts, reference outputs, scripts and Markdown pages.
        """
        return {
            name: path.read_bytes()
            for name, path in _files_below(self.folder.parent).items()
            if path.suffix not in (".py", ".pyc", ".md")
            and path.name not in (SETTINGS, VERDICTS)
            and "reference" not in Path(name).parts
        }

    @cached_property
    def variants(self) -> tuple[Variant, ...]:
        """Every wheat and chaff, or those of `task`, by file and in the order of the file."""
        paths = sorted((self.folder / "variants").glob("*.py"))
        variants = (variant for path in paths for variant in read_variants(path))
        return tuple(v for v in variants if not self.task or self.task in (v.problem, f"{v.problem}-solution"))


def _files_below(root: Path) -> dict[str, Path]:
    """Every file below `root` by its path relative to it, except hidden ones, such as those that Jupyter and hypothesis
    leave beside a notebook that was run."""
    paths = {path.relative_to(root): path for path in sorted(root.rglob("*")) if path.is_file()}
    return {str(name): path for name, path in paths.items() if not any(part.startswith(".") for part in name.parts)}


@dataclass(frozen=True)
class Course:
    """An nbgrader course: its folder, and the paths in its configuration."""

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
        """Read nbgrader_config.py as nbgrader does, into a traitlets Config; CourseError if that fails."""
        return _load_config(self.root)

    def keep_private(self, folder: Path) -> None:
        """Create a folder that only its owner can open, unless nbgrader's configuration shares the course with a group."""
        folder.mkdir(parents=True, exist_ok=True)
        if not self.config().get("CourseDirectory", {}).get("groupshared"):
            with contextlib.suppress(OSError):  # somebody else's folder, or a file system without owners
                folder.chmod(0o700)

    def assignment(self, name: str) -> Assignment:
        """Return the assignment named `name`; CourseError, with the names of all assignments, if there is none."""
        if not NAME.fullmatch(name) or name in (".", "..") or not (self.source / name).is_dir():
            known = ", ".join(sorted(p.name for p in self.source.glob("*") if p.is_dir())) or "none yet"
            raise CourseError(f"no assignment {name!r} in {self.source}; there are: {known}")
        return Assignment(self, name)


def open_course(folder: Path | None = None) -> Course:
    """Open the course in `folder`, or else in the nearest folder, from the current one up, that holds nbgrader_config.py.

    Raises CourseError if there is none or its configuration cannot be read.
    """
    start = (folder or Path.cwd()).resolve()
    candidates = [start] if folder else [start, *start.parents]
    root = next((path for path in candidates if (path / CONFIG).is_file()), None)
    if root is None:
        where = f"{start} or above it" if folder is None else str(start)
        raise CourseError(f"no course: no {CONFIG} in {where}; change to the course's folder or pass --course DIR")
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
