"""The IPython kernel that a child becomes: a real one, whose messages travel over one inherited socket. Of our code it imports
the wire alone.

ipykernel speaks over five ZeroMQ sockets. Here they are one Unix socket pair made before the fork, so nothing listens,
nothing is shared with other children, and no I/O threads start; kernel, shell, streams and display machinery are
ipykernel's own. The warm process makes the kernel whole but for its line and its threads (`prepare`), every child connects
its copy (`KernelApp.connect`): that leaves a child 1 ms of work in place of 20, and 17 MB fewer pages to copy, since a
kernel's birth looks at every module there is.
"""

from __future__ import annotations

import asyncio
import fcntl
import io
import os
import socket
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import traitlets
from tornado.ioloop import IOLoop

from autograder.sandbox import wire

HOME = "/tmp/notebook"
MOST_SAID = 2_000
BUSY = b'{"execution_state": "busy"}'
# A debugger in the kernel would add threads and 150 ms, and nobody attaches to a batch run.
sys.modules.setdefault("debugpy", None)  # type: ignore[arg-type]
# As in Jupyter while no debugger is attached; Python's own would ask for input and fail the cell.
sys.breakpointhook = lambda *_, **__: None

from ipykernel import iostream  # noqa: E402
from ipykernel.ipkernel import IPythonKernel  # noqa: E402
from ipykernel.kernelapp import IPKernelApp  # noqa: E402
from jupyter_client.session import Session  # noqa: E402


class Line:
    """The socket to the judge. Frames stay whole whichever thread or forked process of this child sends them."""

    socket: socket.socket

    def connect(self, descriptor: int) -> None:
        """Send over this socket from now on; before that there is nobody to send to."""
        self.socket = socket.socket(fileno=descriptor)
        self.renew()
        self.processes = os.open("/tmp", os.O_TMPFILE | os.O_RDWR)  # a file without a name, to lock
        os.register_at_fork(after_in_child=self.renew)

    def renew(self) -> None:
        """A lock of this process's own: a thread that held the old one at the fork is not here to let it go."""
        self.threads = threading.Lock()
        self.held = b""  # and what it held is for the other to send

    def send(self, channel: int, payload: bytes, more: bool = False) -> None:
        """Send a frame; where `more` follow at once, together with the next. (To wake the judge takes 0.1 ms on either side.)"""
        frame = wire.frame(channel, payload)
        with self.threads:
            if more:
                self.held += frame
                return
            fcntl.lockf(self.processes, fcntl.LOCK_EX)
            try:
                self.socket.sendall(self.held + frame)
                self.held = b""
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
        else:  # a cell's text follows its first state, and its last state the reply
            self.line.send(wire.KERNEL, message, more=self.name == b"shell" or bytes(parts[-1]) == BUSY)

    def on_recv(self, callback: Callable[[list[Any]], Awaitable[None]], **_: Any) -> None:
        self.receive = callback

    def flush(self, *_: Any) -> None:
        """Nothing is buffered on this side."""

    def close(self) -> None:
        """The line is closed by the end of the process."""


class OutputThread(iostream.IOPubThread):
    """ipykernel's output thread. Here it only keeps the time of delayed flushes: the line takes whole frames from any thread,
    so whoever publishes sends. (Waking this thread for each message took 1 ms of a cell that says nothing.)"""

    def _setup_event_pipe(self) -> None:
        pass

    def schedule(self, f: Callable[[], Any]) -> None:
        f()


class OutStream(iostream.OutStream):
    """ipykernel's stdout or stderr, flushed by whoever asks for it."""

    _flush_pending: bool

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        os.register_at_fork(after_in_child=self.renew)

    def renew(self) -> None:
        """As `Line.renew`."""
        self._buffer_lock = threading.RLock()

    def _schedule_flush(self) -> None:
        if not self._flush_pending:
            self._flush_pending = True
            self._io_loop.add_callback(self._io_loop.call_later, self.flush_interval, self._flush)

    def flush(self) -> None:
        self._flush()

    def _flush(self) -> None:
        with self._buffer_lock:  # the timer's flush and a cell's own must not overtake one another
            super()._flush()


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
    # ipykernel waits half a millisecond after each cell for its output thread; here output is sent by whoever made it.
    _execute_sleep = traitlets.Float(0.0)

    async def do_execute(self, *arguments: Any, **keywords: Any) -> dict[str, Any]:
        """The reply repeats an exception's text and traceback, which nobody reads here, and which may be larger than a frame;
        then the reply would be lost, and the cell would seem to hang."""
        reply: dict[str, Any] = await super().do_execute(*arguments, **keywords)
        if "evalue" in reply:
            reply |= {"evalue": reply["evalue"][:MOST_SAID], "traceback": []}
        return reply


class KernelApp(IPKernelApp):
    """IPKernelApp without connection files, ports, heartbeat and exit handlers: the child is killed, never asked."""

    outstream_class = traitlets.Unicode(f"{__name__}.OutStream")

    def init_connection_file(self) -> None: ...
    def write_connection_file(self, **_: Any) -> None: ...
    def log_connection_info(self) -> None: ...
    def init_heartbeat(self) -> None: ...
    def init_poller(self) -> None: ...
    def init_crash_handler(self) -> None: ...

    def init_io(self) -> None:
        """Nothing yet: the streams watch descriptors from threads, and no thread outlives a fork (`connect`)."""

    def init_sockets(self) -> None:
        self.configure_tornado_logger()
        self.line = Line()
        self.iopub_thread = OutputThread(Channel(self.line, "iopub"), pipe=False, session=self.session)
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

    def connect(self, descriptor: int) -> None:
        """In the child, with the loop running that it will serve: be a kernel on this socket."""
        for folder in self.folders:
            os.makedirs(folder, exist_ok=True)
        self.session.pid = os.getpid()
        self.line.connect(descriptor)
        self.iopub_thread.io_loop = IOLoop(make_current=False)  # one from before the fork would be everybody's
        self.iopub_thread.start()
        super().init_io()
        self.displayhook.get_execution_count = lambda: self.kernel.execution_count
        self.kernel.start()


def prepare() -> KernelApp:
    """In the warm process: a kernel as `jupyter` would start it, to be connected in each child. Starts no thread."""
    os.environ["HOME"] = HOME
    os.makedirs(HOME, exist_ok=True)
    os.chdir(HOME)
    config = traitlets.config.Config()
    config.HistoryManager.hist_file = ":memory:"
    app: KernelApp = KernelApp.instance(config=config, session=Session(key=b""))
    app.initialize([])
    # `exit()` asks the kernel to leave once the cell is done: what a script's last line is used to, and no wish to lose the rest.
    app.kernel.shell.ask_exit = lambda: None
    app.folders = [folder for folder, _, _ in os.walk(HOME)]  # IPython's own; a child's /tmp is a fresh one
    return app


# What nearly every notebook does, and what makes IPython, numpy, matplotlib and torch import things late: a first gradient
# alone imports 480 modules, in 0.2 s, and numpy.random takes 10 ms.
REHEARSAL = """
import sys
if "numpy" in sys.modules:
    import numpy
    numpy.random.seed(0)
if "matplotlib.pyplot" in sys.modules:
    import matplotlib.pyplot as plt
    plt.plot([1, 2])
    plt.title("rehearsal")
    plt.show()
if "torch" in sys.modules:
    import torch
    x = torch.ones(2, requires_grad=True)
    (x * x).sum().backward()
print("rehearsal")
1 / 0
"""
# These hook themselves into the shell that is there when they are imported.
NOT_AHEAD = ("matplotlib_inline", "__main__", "__mp_main__")


def rehearse(app: KernelApp) -> list[str]:
    """Run the kernel once in a throw-away fork, before anything of a student's; the modules that it imported on the way."""
    before = set(sys.modules)
    reading, writing = os.pipe()
    if os.fork() == 0:
        try:
            ours, theirs = socket.socketpair()
            threading.Thread(target=_swallow, args=(theirs,), daemon=True).start()
            asyncio.run(_rehearse(app, ours.detach()))
            late = [name for name in list(sys.modules) if name not in before and not name.startswith(NOT_AHEAD)]
            os.write(writing, "\n".join(late).encode()[:60_000])  # a pipe holds 64 KB; 400 names take 12
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file:
        names = file.read().splitlines()
    os.wait()
    return names


async def _rehearse(app: KernelApp, descriptor: int) -> None:
    app.connect(descriptor)
    app.kernel.shell.run_cell(REHEARSAL)


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
