"""The kernel in the sandbox: a real IPython kernel whose messages travel over one inherited socket, and between cells the
service that fetches names and calls functions for the judge. Of our code it imports the wire alone.

ipykernel speaks over five ZeroMQ sockets. Here they are one Unix socket pair made before the fork, so nothing listens,
nothing is shared with other children, and no I/O threads start; kernel, shell, streams and display machinery are
ipykernel's own. (Measured against the same kernel on ZeroMQ: benchmarks/README.md.)
"""

from __future__ import annotations

import asyncio
import fcntl
import io
import itertools
import os
import random
import socket
import sys
import threading
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import traitlets
from zmq.sugar.frame import Frame

from autograder import wire

HOME = "/tmp/notebook"
# A debugger in the kernel would add threads and 150 ms, and nobody attaches to a batch run.
sys.modules.setdefault("debugpy", None)  # type: ignore[arg-type]
# As in Jupyter while no debugger is attached; Python's own would ask for input and fail the cell.
sys.breakpointhook = lambda *_, **__: None

from ipykernel.iostream import IOPubThread  # noqa: E402
from ipykernel.ipkernel import IPythonKernel  # noqa: E402
from ipykernel.kernelapp import IPKernelApp  # noqa: E402
from jupyter_client.session import Session  # noqa: E402


class Line:
    """The socket to the judge. Frames stay whole whichever thread or forked process of this child sends them."""

    def __init__(self, descriptor: int) -> None:
        self.socket = socket.socket(fileno=descriptor)
        self.renew()
        self.processes = os.memfd_create("line")
        os.register_at_fork(after_in_child=self.renew)

    def renew(self) -> None:
        """A lock of this process's own: a thread that held the old one at the fork is not here to let it go."""
        self.threads = threading.Lock()

    def send(self, channel: int, payload: bytes) -> None:
        with self.threads:
            fcntl.lockf(self.processes, fcntl.LOCK_EX)
            try:
                wire.send(self.socket, channel, payload)
            finally:
                fcntl.lockf(self.processes, fcntl.LOCK_UN)


class Channel:
    """What ipykernel takes for a ZeroMQ socket or stream; these four methods are all that it asks of one here."""

    def __init__(self, line: Line, name: str) -> None:
        self.line, self.name = line, name.encode()
        self.receive: Callable[[list[Any]], Awaitable[None]]

    def send_multipart(self, parts: list[Any], *_: Any, **__: Any) -> None:
        message = msgspec.msgpack.encode([self.name, *(bytes(part) for part in parts)])
        if len(message) > wire.MAX_FRAME:
            self.line.send(wire.JUDGE, wire.pack(["dropped", len(message)]))
        else:
            self.line.send(wire.KERNEL, message)

    def on_recv(self, callback: Callable[[list[Any]], Awaitable[None]], **_: Any) -> None:
        self.receive = callback

    def flush(self, *_: Any) -> None:
        """Nothing is buffered on this side."""

    def close(self) -> None:
        """The line is closed by the end of the process."""


class OutputThread(IOPubThread):
    """ipykernel's output thread, woken through its own event loop in place of a ZeroMQ pipe."""

    def _setup_event_pipe(self) -> None:
        pass

    def schedule(self, f: Callable[[], Any]) -> None:
        if self.thread.is_alive():
            self.io_loop.add_callback(f)
        else:
            f()


class NoSubshells:
    """In place of the thread that serves subshells: there is none, and cells run in the main thread."""

    parent_thread = threading.main_thread()

    def __bool__(self) -> bool:
        return False


class Kernel(IPythonKernel):
    """IPythonKernel; only its sockets differ, and it offers no subshells."""

    shell_stream = traitlets.Any()
    shell_channel_thread = traitlets.Any(NoSubshells())
    _supports_kernel_subshells = False


class KernelApp(IPKernelApp):
    """IPKernelApp without connection files, ports, heartbeat and exit handlers: the child is killed, never asked."""

    line: Line

    def init_connection_file(self) -> None: ...
    def write_connection_file(self, **_: Any) -> None: ...
    def log_connection_info(self) -> None: ...
    def init_heartbeat(self) -> None: ...
    def init_poller(self) -> None: ...
    def init_crash_handler(self) -> None: ...

    def init_sockets(self) -> None:
        self.configure_tornado_logger()
        self.iopub_thread = OutputThread(Channel(self.line, "iopub"), pipe=False, session=self.session)
        self.iopub_thread.start()
        self.iopub_socket = self.iopub_thread.background_socket
        self.shell_socket = Channel(self.line, "shell")

    def init_kernel(self) -> None:
        self.kernel = Kernel.instance(
            parent=self,
            session=self.session,
            shell_stream=self.shell_socket,
            iopub_thread=self.iopub_thread,
            iopub_socket=self.iopub_socket,
            log=self.log,
            profile_dir=self.profile_dir,
            user_ns=self.user_ns,
        )
        self.displayhook.get_execution_count = lambda: self.kernel.execution_count


def start_kernel(line: Line) -> KernelApp:
    """A kernel as `jupyter` would start it, its messages on `line`."""
    os.environ["HOME"] = HOME
    config = traitlets.config.Config()
    config.HistoryManager.hist_file = ":memory:"
    app: KernelApp = KernelApp.instance(config=config, session=Session(key=b""))
    app.line = line
    app.initialize([])
    app.kernel.start()
    return app


# What nearly every notebook does first, and what makes IPython and matplotlib import things late.
REHEARSAL = """
import matplotlib.pyplot as plt
plt.plot([1, 2])
plt.title("rehearsal")
plt.show()
print("rehearsal")
1 / 0
"""
# These hook themselves into the shell that is there when they are imported.
NOT_AHEAD = ("matplotlib_inline", "__main__", "__mp_main__")


def rehearse() -> list[str]:
    """Run a kernel once in a throw-away fork, before anything of a student's; the modules that it imported on the way."""
    before = set(sys.modules)
    reading, writing = os.pipe()
    if os.fork() == 0:
        try:
            ours, _theirs = socket.socketpair()
            threading.Thread(target=_swallow, args=(_theirs,), daemon=True).start()
            names = asyncio.run(_rehearse(Line(ours.detach())))
            late = [name for name in names if name not in before and not name.startswith(NOT_AHEAD)]
            os.write(writing, "\n".join(late).encode()[:60_000])  # a pipe holds 64 KB; 400 names take 12
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file:
        names = file.read().splitlines()
    os.wait()
    return names


async def _rehearse(line: Line) -> list[str]:
    start_kernel(line).kernel.shell.run_cell(REHEARSAL)
    return list(sys.modules)


def _swallow(end: socket.socket) -> None:
    while end.recv(2**16):
        pass


def draw_once() -> None:
    """Draw a figure that nobody sees, for matplotlib's caches of fonts and text; without pyplot, which would keep it."""
    figure, canvas = sys.modules.get("matplotlib.figure"), sys.modules.get("matplotlib.backends.backend_agg")
    if figure is not None and canvas is not None:
        drawn = figure.Figure()
        axes = drawn.subplots()
        axes.plot([1, 2], label="x")
        # Mathematics has a parser of its own to build.
        axes.set(title="title", xlabel="$x^2$", ylabel="y", xscale="log")
        axes.legend()
        canvas.FigureCanvasAgg(drawn).print_figure(io.BytesIO(), format="png", bbox_inches="tight")


def serve(descriptor: int, seed: int) -> None:
    """Be the kernel until the judge closes the line, or kills this process by the leash."""
    seed_everything(seed)
    line = Line(descriptor)
    try:
        asyncio.run(converse(line))
    except BaseException:
        line.send(wire.JUDGE, wire.pack(["crashed", traceback.format_exc()[-4000:]]))


def seed_everything(seed: int) -> None:
    """The same start for every submission: a fork hands on the warm process's generators as they stand."""
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)


async def converse(line: Line) -> None:
    """One frame after the other: a cell for the kernel, or a request of the judge."""
    app = start_kernel(line)
    service = Service(app.kernel.shell.user_ns)
    arrived = asyncio.Event()
    asyncio.get_running_loop().add_reader(line.socket, arrived.set)
    frames = wire.Frames()
    line.send(wire.JUDGE, wire.pack(["ready"]))
    while True:
        await arrived.wait()
        arrived.clear()
        try:
            data = line.socket.recv(2**20, socket.MSG_DONTWAIT)
        except BlockingIOError:
            continue
        if not data:
            return
        for channel, payload in frames.feed(data):
            if channel == wire.KERNEL:
                await app.shell_socket.receive([Frame(part) for part in msgspec.msgpack.decode(payload)])
            else:
                line.send(wire.JUDGE, service.answer(payload))


class Service:
    """What the judge may ask for between cells. Every answer is data that a student's code may have made up."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names
        self.kept: dict[int, Any] = {}  # objects that the judge holds a reference to, and graphs awaiting a backward
        self.numbers = itertools.count(1)

    def answer(self, payload: bytes) -> bytes:
        """The reply to one request: "ok" with values, "missing", or "error" with type, message and traceback."""
        try:
            verb, *arguments = wire.unpack(payload)
            return wire.pack(getattr(self, f"do_{verb}")(*arguments))
        except BaseException as error:  # a student's sys.exit() too is an answer, not the end of the kernel
            lines = traceback.format_exception(error)
            said = [type(error).__name__, str(error)[:2000], "".join(lines)[-4000:]]
            return wire.pack(["error", *(text.encode(errors="replace").decode() for text in said)])  # half characters

    def keep(self, value: Any) -> int:
        number = next(self.numbers)
        self.kept[number] = value
        return number

    def refer(self, value: Any) -> wire.Reference:
        kind = "function" if callable(value) else "object"
        return wire.Reference(
            self.keep(value), kind, f"{type(value).__name__} {getattr(value, '__name__', '')}".strip()
        )

    def encode(self, value: Any) -> Any:
        return wire.encode(value, self.refer)

    def decode(self, tree: Any) -> Any:
        return wire.decode(tree, lambda reference: self.kept[reference.number])

    def do_get(self, name: str) -> list[Any]:
        return ["ok", self.encode(self.names[name])] if name in self.names else ["missing"]

    def do_call(self, number: int, arguments_tree: Any, keywords_tree: Any, return_arguments: bool) -> list[Any]:
        arguments, keywords = self.decode(arguments_tree), self.decode(keywords_tree)
        inputs = wire.graph_tensors([arguments, keywords])
        result = self.kept[number](*arguments, **keywords)
        after = self.encode(arguments) if return_arguments else None
        graph = self.keep((wire.graph_tensors(result), inputs)) if inputs else None
        return ["ok", self.encode(result), after, graph]

    def do_backward(self, graph: int, gradients_tree: Any) -> list[Any]:
        import torch

        outputs, inputs = self.kept[graph]
        gradients = torch.autograd.grad(
            outputs, inputs, self.decode(gradients_tree), allow_unused=True, retain_graph=True
        )
        return ["ok", self.encode(list(gradients))]

    def do_put(self, path: str, content: bytes) -> list[Any]:
        target = Path(HOME, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        return ["ok", None]

    def do_forget(self) -> list[Any]:
        self.kept.clear()
        return ["ok", None]
