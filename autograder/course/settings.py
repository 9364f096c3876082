"""The settings of an assignment in assignment.toml, with their defaults and bounds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from autograder.errors import CourseError

FILE = "assignment.toml"
# A million seconds are twelve days, and a million MB is more than a machine has.
Positive = Annotated[int, msgspec.Meta(ge=1, le=2**20)]
# A kernel that imports torch and draws a figure takes 100 MB. With less than twice that it may end before any student code.
Memory = Annotated[int, msgspec.Meta(ge=256, le=2**20)]
# Environment variables and paths cannot contain the null character.
Text = Annotated[str, msgspec.Meta(pattern=r"^[^\x00]*$")]
VariableName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z_]\w*$")]


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one submission may use, in seconds and megabytes.

    The solution of the first assignment takes 0.5 s, 90 MB of memory and 0.3 MB of outputs.
    """

    cell_seconds: Positive = 60
    call_seconds: Positive = 10
    submission_seconds: Positive = 300
    memory_mb: Memory = 2048
    disk_mb: Positive = 512
    processes: Annotated[int, msgspec.Meta(ge=16, le=2**20)] = 128
    output_mb: Positive = 2


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings of an assignment.

    `seed` seeds every submission's random generators. `environment` holds variables for student cells and tests (which model,
    which data), and `folders` the folders of this machine that student cells may read. `reference` names the reference outputs
    made with that model and data. `show_expected` lists the test cells whose feedback may show what the solution returned.
    """

    limits: Limits = Limits()
    seed: Annotated[int, msgspec.Meta(ge=0, lt=2**32)] = 0  # the seeds that numpy accepts
    environment: dict[VariableName, Text] = {}
    folders: tuple[Text, ...] = ()
    reference: Annotated[str, msgspec.Meta(pattern=r"^[\w-][\w.-]*$")] = "default"
    show_expected: tuple[str, ...] = ()


def read_settings(path: Path) -> Settings:
    """Read the settings at `path`, or return the defaults if there is no file; CourseError if the file is wrong."""
    if not path.is_file():
        return Settings()
    try:
        settings = msgspec.toml.decode(path.read_bytes(), type=Settings)
    # msgspec's errors are ValueErrors, and so are those for bad UTF-8 and very long numbers.
    except (ValueError, RecursionError) as error:
        raise CourseError(f"{path}: {' '.join(str(error).split())}") from None
    for folder in settings.folders:
        if not Path(folder).is_absolute() or not Path(folder).is_dir():
            raise CourseError(f"{path}: folders: {folder} is not the absolute path of an existing folder")
    return settings
