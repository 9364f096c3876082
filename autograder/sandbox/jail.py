"""The bubblewrap command line of the jail, and the folder of files that it shows.

The jail has fresh namespaces of every kind. Its root file system holds, read-only, the interpreter, the system's libraries and
the few files of ours that run beside a student, and nothing else of the host.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS", "NUMEXPR", "VECLIB_MAXIMUM")}
# Our modules that run in the jail: the grader's other files are not there to be read.
MODULES = (
    "__init__.py",
    "sandbox/__init__.py",
    "sandbox/arrays.py",
    "sandbox/calls.py",
    "sandbox/child.py",
    "sandbox/confine.py",
    "sandbox/ipython.py",
    "sandbox/item_count.py",
    "sandbox/launch.py",
    "sandbox/library.py",
    "sandbox/rehearsal.py",
    "sandbox/surroundings.py",
    "sandbox/watch.py",
    "sandbox/service.py",
    "sandbox/wire.py",
    "sandbox/zygote.py",
)


@dataclass(frozen=True)
class Outfit:
    """What all children of one warm process have in common.

    `modules` are imported once for all (one that is not installed is skipped), `files` are beside the notebook, by their relative
    paths, `folders` of this machine can be read, and `environment` holds variables.
    """

    modules: Sequence[str] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    folders: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


def build(folder: Path, outfit: Outfit, bwrap: Path, arguments: Sequence[str]) -> list[str]:
    """Fill `folder` with what the jail shows; return the command: launch (which drops root's rights), bwrap, Python, zygote.

    `arguments` are the zygote's: the descriptor of the control socket, and the modules to import as JSON.
    """
    engine = folder / "engine"
    _copy_engine(engine)
    _write_files(engine / "beside", outfit.files)
    _make_readable(engine)
    stage = folder / "stage"
    stage.mkdir()
    shown = {f"{index}": path for index, path in enumerate(_shown_folders(engine, outfit.folders))}
    # The package's program loads libraries from two folders up; the system's finds its own wherever it is started.
    bwrap_folder = str(bwrap.parent if bwrap.parents[-1] == bwrap.parent.parent.parent else bwrap.parent.parent.parent)
    sources = {**shown, "bwrap": bwrap_folder}
    staged = {path: (str(stage / name) if os.getuid() == 0 else path) for name, path in sources.items()}
    jail = [
        str(Path(staged[bwrap_folder], bwrap.relative_to(bwrap_folder))),
        *_mounts({path: staged[path] for path in shown.values()}),
        *_variables(folder, outfit.environment),
    ]
    zygote = [str(_interpreter()), "-s", "-P", "-m", "autograder.sandbox.zygote", *arguments]
    zygote += [path for path in shown.values() if path.startswith("/tmp/")]
    launch = [sys.executable, "-s", "-P", "-m", "autograder.sandbox.launch", str(stage), json.dumps(sources)]
    return [*launch, *jail, *zygote]


def python_path(folder: Path) -> dict[str, str]:
    """The environment variable by which Python finds our modules in the jail's folder."""
    return {"PYTHONPATH": str(folder / "engine")}


def _mounts(folders: Mapping[str, str]) -> list[str]:
    """bwrap's options for namespaces and mounts; `folders` says, for each folder that the jail shows, where to bind it from."""
    options = ["--unshare-all", "--new-session", "--die-with-parent", "--clearenv", "--cap-drop", "ALL"]
    options += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--dir", "/new"]
    for path, source in folders.items():
        options += ["--ro-bind", source, path]
    for name in ("/bin", "/sbin", "/lib", "/lib64", "/lib32"):
        if Path(name).is_symlink():
            options += ["--symlink", str(Path(name).readlink()), name]
        elif Path(name).is_dir():
            options += ["--ro-bind", name, name]
    for name in ("/etc/ld.so.cache", "/etc/fonts", "/etc/localtime", "/sys/kernel/mm/transparent_hugepage"):
        options += ["--ro-bind-try", name, name]
    shared = "/usr/local/share"  # by default nbgrader's exchange is here, with everyone's work
    if Path(shared).is_dir():
        options += ["--tmpfs", shared, "--remount-ro", shared]
    # bwrap's root and /dev are small writable file systems, where one student could leave a note for the next.
    return [*options, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp"]


def _variables(folder: Path, environment: Mapping[str, str]) -> list[str]:
    """bwrap's options for environment variables; ours override those in `environment`."""
    variables = {
        **environment,
        "PATH": f"{_interpreter().parent}:/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": "/tmp",
        "USER": "student",
        "PYTHONHASHSEED": "0",
        "HF_HUB_OFFLINE": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",  # read when matplotlib is imported
        "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",  # with huge pages a fork takes 10 ms instead of 30
        **ONE_THREAD,  # a pool of threads in the warm process would hang every child
        **python_path(folder),
    }
    return [option for name, value in variables.items() for option in ("--setenv", name, value)]


def _copy_engine(target: Path) -> None:
    package = Path(__file__).parent.parent
    (target / "autograder" / "sandbox").mkdir(parents=True)
    for name in MODULES:
        shutil.copy(package / name, target / "autograder" / name)


def _write_files(target: Path, files: Mapping[str, bytes]) -> None:
    target.mkdir()
    for name, content in files.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _make_readable(folder: Path) -> None:
    """Let everyone read a folder, whatever the umask: when root starts the jail, another user reads the files."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _shown_folders(engine: Path, folders: Sequence[str]) -> list[str]:
    """The host's folders that the jail shows: the system's, the interpreter's, its packages', and the assignment's `folders`."""
    packages = (path for path in sys.path if path.endswith(("-packages", "dynload")))
    candidates = ["/usr", sys.base_prefix, sys.prefix, *packages, *folders]
    visible: list[str] = []
    for path in sorted({str(Path(p).resolve()) for p in candidates if Path(p).is_dir()} | {str(engine)}):
        if not any(Path(path).is_relative_to(above) for above in visible):
            visible.append(path)
    return visible


def _interpreter() -> Path:
    """This interpreter, by a path without links and `..` in its folders, since the jail shows folders under their true names.

    The last step may be a link: that is what makes it a virtual environment's interpreter.
    """
    return Path(sys.executable).parent.resolve() / Path(sys.executable).name
