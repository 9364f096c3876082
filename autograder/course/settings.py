"""assignment.toml: what an assignment sets, with its defaults and bounds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from autograder.errors import CourseError

FILE = "assignment.toml"
# A million seconds are twelve days; a million MB is more than a machine has.
Positive = Annotated[int, msgspec.Meta(ge=1, le=2**20)]
# A kernel that imports torch and draws a figure takes 100 MB of its own; less than twice that ends it before any student code.
Memory = Annotated[int, msgspec.Meta(ge=256, le=2**20)]
# No environment and no path holds the character 0.
Text = Annotated[str, msgspec.Meta(pattern=r"^[^\x00]*$")]
VariableName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z_]\w*$")]


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one submission may use. The solution of the first assignment takes 0.5 s, 90 MB and 0.3 MB of outputs."""

    cell_seconds: Positive = 60
    call_seconds: Positive = 10
    submission_seconds: Positive = 300
    memory_mb: Memory = 2048
    disk_mb: Positive = 512
    processes: Annotated[int, msgspec.Meta(ge=16, le=2**20)] = 128
    output_mb: Positive = 2


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings of an assignment.

    `seed` is what every submission's random generators start from. `environment` holds variables that cells and tests see
    (which model, which data), and `folders` the folders of this machine that cells may read. `reference` names the reference
    outputs made with that model and data. `show_expected` lists the test cells for which a feedback page may show what the
    solution returned.
    """

    limits: Limits = Limits()
    seed: Annotated[int, msgspec.Meta(ge=0, lt=2**32)] = 0  # what numpy takes
    environment: dict[VariableName, Text] = {}
    folders: tuple[Text, ...] = ()
    reference: Annotated[str, msgspec.Meta(pattern=r"^[\w-][\w.-]*$")] = "default"
    show_expected: tuple[str, ...] = ()


def read_settings(path: Path) -> Settings:
    """The settings in the file at `path`, or the defaults where there is none; CourseError says what is wrong in it."""
    if not path.is_file():
        return Settings()
    try:
        settings = msgspec.toml.decode(path.read_bytes(), type=Settings)
    except (
        ValueError,
        RecursionError,
    ) as error:  # msgspec's errors are ValueErrors, and so are those of bytes and long numbers
        raise CourseError(f"{path}: {' '.join(str(error).split())}") from None
    for folder in settings.folders:
        if not Path(folder).is_absolute() or not Path(folder).is_dir():
            raise CourseError(f"{path}: folders: {folder} is not there; give the whole path of a folder")
    return settings
