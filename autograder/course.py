"""The nouns: Course, Assignment, Limits, Variant. From nbgrader_config.py, assignment.toml and the variants' files."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import msgspec

from autograder.errors import CourseError

CONFIG = "nbgrader_config.py"
SETTINGS = "assignment.toml"
VERDICTS = "mutants.toml"
# What nbgrader lets a student or assignment be called, and what is safe as a folder's name.
# No control characters, no separators of lines, and no halves of characters, which a name that is no UTF-8 comes with.
_ODD = r"/\\\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"
NAME = re.compile(rf"[^.{_ODD}][^{_ODD}]{{0,99}}")


@dataclass(frozen=True)
class Limits:
    """What a submission may use. The solution of the first assignment takes 0.5 s, 90 MB and 0.3 MB of outputs."""

    cell_seconds: int = 60
    call_seconds: int = 10
    submission_seconds: int = 300
    memory_mb: int = 2048
    disk_mb: int = 512
    processes: int = 128
    output_mb: int = 2


@dataclass(frozen=True)
class Settings:
    """assignment.toml: limits; the seed that every submission starts from; the environment variables that its cells and its
    tests find (which model, which data), the folders of this machine that its cells may read, the name of the reference
    outputs that were made with them, and the test cells of which a feedback page may show what the solution returned."""

    limits: Limits = Limits()
    seed: int = 0
    environment: dict[str, str] = field(default_factory=dict)
    folders: tuple[str, ...] = ()
    reference: str = "default"
    show_expected: tuple[str, ...] = ()


@dataclass(frozen=True)
class Variant:
    """A wheat (another correct answer) or a chaff (a known mistake): source for the solution cell of one problem."""

    kind: str  # "wheat" or "chaff"
    problem: str
    name: str
    source: str
    misconception: str = ""
    hint: str = ""

    @property
    def label(self) -> str:
        return f"{self.kind}-{self.problem}-{self.name}"


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
        path = self.folder / SETTINGS
        if not path.is_file():
            return Settings()
        try:
            settings = msgspec.toml.decode(path.read_bytes(), type=_StrictSettings).settings()
        except (
            ValueError,
            RecursionError,
        ) as error:  # msgspec's errors are ValueErrors, those of bytes and of long numbers too
            raise CourseError(f"{path}: {' '.join(str(error).split())}") from None
        for folder in settings.folders:
            if not Path(folder).is_absolute() or not Path(folder).is_dir():
                raise CourseError(f"{path}: folders: {folder} is not there; give the whole path of a folder")
        return settings

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


# A million seconds are twelve days; a million MB is more than a machine has.
Positive = Annotated[int, msgspec.Meta(ge=1, le=2**20)]
# A kernel that imports torch and draws a figure takes 100 MB of its own; less than twice that ends it before any student code.
Memory = Annotated[int, msgspec.Meta(ge=256, le=2**20)]


# No environment and no path holds the character 0.
Text = Annotated[str, msgspec.Meta(pattern=r"^[^\x00]*$")]


class _StrictLimits(msgspec.Struct, forbid_unknown_fields=True):
    cell_seconds: Positive = Limits.cell_seconds
    call_seconds: Positive = Limits.call_seconds
    submission_seconds: Positive = Limits.submission_seconds
    memory_mb: Memory = Limits.memory_mb
    disk_mb: Positive = Limits.disk_mb
    processes: Annotated[int, msgspec.Meta(ge=16, le=2**20)] = Limits.processes
    output_mb: Positive = Limits.output_mb


class _StrictSettings(msgspec.Struct, forbid_unknown_fields=True):
    limits: _StrictLimits = msgspec.field(default_factory=_StrictLimits)
    seed: Annotated[int, msgspec.Meta(ge=0, lt=2**32)] = Settings.seed  # what numpy takes
    environment: dict[Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z_]\w*$")], Text] = msgspec.field(
        default_factory=dict
    )
    folders: tuple[Text, ...] = ()
    reference: Annotated[str, msgspec.Meta(pattern=r"^[\w-][\w.-]*$")] = Settings.reference
    show_expected: tuple[str, ...] = ()

    def settings(self) -> Settings:
        limits = Limits(**msgspec.structs.asdict(self.limits))
        return Settings(limits, self.seed, self.environment, self.folders, self.reference, self.show_expected)


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


HEADING = re.compile(r"^# %% (wheat|chaff): (\w+)\s*$", re.MULTILINE)
ANY_HEADING = re.compile(r"^#\s*%%.*$", re.MULTILINE)


def read_variants(path: Path) -> list[Variant]:
    """The wheats and chaffs in one file: sections that begin `# %% wheat: name` or `# %% chaff: name`; a chaff names its
    misconception and its hint in comments on the next lines."""
    try:
        text = path.read_text()
    except UnicodeDecodeError as error:
        raise CourseError(f"{path} is no text in UTF-8: {error.reason} at byte {error.start}") from None
    for line in ANY_HEADING.findall(text):
        if not HEADING.fullmatch(line):  # else what follows would be taken for more of the section above
            raise CourseError(
                f"{path}: {line.strip()!r} should be `# %% wheat: NAME` or `# %% chaff: NAME`, a NAME of letters, digits and _"
            )
    _, *parts = HEADING.split(text)
    variants: list[Variant] = []
    for kind, name, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        notes = {key: re.search(rf"^# {key}: (.+)$", body, re.MULTILINE) for key in ("misconception", "hint")}
        missing = [key for key, found in notes.items() if kind == "chaff" and not found]
        if missing:
            raise CourseError(f"{path}: chaff {name} has no `# {missing[0]}:` line")
        said = {key: found.group(1).strip() if found else "" for key, found in notes.items()}
        if (kind, name) in {(variant.kind, variant.name) for variant in variants}:
            raise CourseError(f"{path}: two sections are called {kind}: {name}; give one another name")
        variants.append(Variant(kind, path.stem, name, body.strip() + "\n", **said))
    if not variants:
        raise CourseError(f"{path}: no `# %% wheat: name` or `# %% chaff: name` section")
    return variants
