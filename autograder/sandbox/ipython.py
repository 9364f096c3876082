"""The IPython kernel that a child becomes: ipykernel's own, with its messages on one inherited socket.

ipykernel uses five ZeroMQ sockets. Here they are one Unix socket pair made before the fork, so nothing listens, nothing is shared
with other children, and no I/O threads start. Kernel, shell, streams and display are ipykernel's own. The warm process makes the
kernel without its line and threads (`prepare`), and every child connects its copy (`KernelApp.connect`). Making a kernel looks at
every module there is, so this saves each child 20 ms and 17 MB of copied pages. Of our code this module imports only the wire and
the surroundings.
"""

from __future__ import annotations

import fcntl
import os
import socket
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import traitlets
from tornado.ioloop import IOLoop

from autograder.sandbox import surroundings, wire

HOME = "/tmp/notebook"
MAX_ERROR = 2_000  # characters of an exception in a reply
BUSY = b'{"execution_state": "busy"}'
# A debugger in the kernel would add threads and 150 ms, and nobody attaches to a batch run.
sys.modules.setdefault("debugpy", None)  # type: ignore[arg-type]
# As in Jupyter without a debugger. Python's own hook would ask for input and fail the cell.
sys.breakpointhook = lambda *_, **__: None

from ipykernel import iostream  # noqa: E402
from ipykernel.ipkernel import IPythonKernel  # noqa: E402
from ipykernel.kernelapp import IPKernelApp  # noqa: E402
from jupyter_client.session import Session  # noqa: E402


class Line:
    """The socket to the judge. Every frame is sent whole, whichever thread or forked process of this child sends it."""

    socket: socket.socket

    def connect(self, descriptor: int) -> None:
        """Send over this socket from now on. Before this call nothing can be sent."""
        self.socket = socket.socket(fileno=descriptor)
        self.renew()
        self.processes = os.open("/tmp", os.O_TMPFILE | os.O_RDWR)  # a nameless file to lock
        os.register_at_fork(after_in_child=self.renew)

    def renew(self) -> None:
        """Make a new lock, after a fork too: the thread that held the old one is not in this process to release it."""
        self.threads = threading.Lock()
        self.pending = b""  # the other process sends what was pending

    def send(self, channel: int, payload: bytes, more: bool = False) -> None:
        """Send a frame, or with `more` hold it until the next one, since waking the judge takes 0.1 ms on either side."""
        frame = wire.frame(channel, payload)
        with self.threads:
            if more:
                self.pending += frame
                return
            fcntl.lockf(self.processes, fcntl.LOCK_EX)
            try:
                self.socket.sendall(self.pending + frame)
                self.pending = b""
            finally:
                fcntl.lockf(self.processes, fcntl.LOCK_UN)


class Channel:
    """Stands in for a ZeroMQ socket or stream, with the four methods that ipykernel calls here."""

    def __init__(self, line: Line, name: str) -> None:
        self.line, self.name = line, name.encode()
        self.receive: Callable[[list[Any]], Awaitable[None]]

    def send_multipart(self, parts: list[Any], *_: Any, **__: Any) -> None:
        """Send a message, or a note to the judge that it was too large."""
        message = msgspec.msgpack.encode([self.name, *(bytes(part) for part in parts)])
        if len(message) > wire.MAX_FRAME:
            self.line.send(wire.JUDGE, wire.pack(["dropped", len(message)]))
        else:  # a cell's text follows the state "busy" at once, and the state "idle" follows the reply
            self.line.send(wire.KERNEL, message, more=self.name == b"shell" or bytes(parts[-1]) == BUSY)

    def on_recv(self, callback: Callable[[list[Any]], Awaitable[None]], **_: Any) -> None:
        """Register the callback for messages that arrive."""
        self.receive = callback

    def flush(self, *_: Any) -> None:
        """Do nothing: there is no buffer here."""

    def close(self) -> None:
        """Do nothing: the end of the process closes the line."""


class OutputThread(iostream.IOPubThread):
    """ipykernel's output thread, which here only times delayed flushes.

    Any thread may send on the line, so the thread that publishes a message sends it; waking this thread would take 1 ms a cell.
    """

    def _setup_event_pipe(self) -> None:
        pass

    def schedule(self, f: Callable[[], Any]) -> None:
        """Call `f` at once, in the calling thread."""
        f()


class OutStream(iostream.OutStream):
    """ipykernel's stdout or stderr, flushed by the thread that calls `flush`."""

    _flush_pending: bool

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        os.register_at_fork(after_in_child=self.renew)

    def renew(self) -> None:
        """Make a new lock after a fork, like `Line.renew`."""
        self._buffer_lock = threading.RLock()

    def _schedule_flush(self) -> None:
        if not self._flush_pending:
            self._flush_pending = True
            self._io_loop.add_callback(self._io_loop.call_later, self.flush_interval, self._flush)

    def flush(self) -> None:
        """Send what was written."""
        self._flush()

    def _flush(self) -> None:
        with self._buffer_lock:  # the timer's flush and a cell's own must not overtake one another
            super()._flush()


class NoSubshells:
    """Stands in for the thread that serves subshells: there are none, and cells run in the main thread."""

    parent_thread = threading.main_thread()

    def __bool__(self) -> bool:
        return False


class Kernel(IPythonKernel):
    """IPythonKernel; only its sockets differ, and it offers no subshells."""

    shell_stream = traitlets.Any()
    shell_channel_thread = traitlets.Any(NoSubshells())
    _supports_kernel_subshells = False
    # ipykernel waits half a millisecond after each cell for its output thread, which sends nothing here.
    _execute_sleep = traitlets.Float(0.0)

    async def do_execute(self, *arguments: Any, **keywords: Any) -> dict[str, Any]:
        """Run a cell, which may import what an earlier one wrote, and shorten an exception in the reply.

        The reply repeats the exception's text and traceback, which nobody reads here. If they exceeded a frame, the reply
        would be lost, and the cell would seem to hang.
        """
        surroundings.forget_listings(HOME)
        reply: dict[str, Any] = await super().do_execute(*arguments, **keywords)
        if "evalue" in reply:
            reply |= {"evalue": reply["evalue"][:MAX_ERROR], "traceback": []}
        return reply

    def _publish_execute_input(self, code: str, parent: dict[str, Any], execution_count: int) -> None:
        """Publish a cell's number without its text, which the judge has and which would count as its output."""
        super()._publish_execute_input("", parent, execution_count)


class KernelApp(IPKernelApp):
    """IPKernelApp without connection files, ports, heartbeat and exit handlers: the child is killed and never asked to end."""

    outstream_class = traitlets.Unicode(f"{__name__}.OutStream")

    def init_connection_file(self) -> None: ...
    def write_connection_file(self, **_: Any) -> None: ...
    def log_connection_info(self) -> None: ...
    def init_heartbeat(self) -> None: ...
    def init_poller(self) -> None: ...
    def init_crash_handler(self) -> None: ...

    def init_io(self) -> None:
        """Do nothing yet: the streams use threads, which do not survive a fork. `connect` makes the streams."""

    def init_sockets(self) -> None:
        """Make the line and channels, not yet connected."""
        self.configure_tornado_logger()
        self.line = Line()
        self.iopub_thread = OutputThread(Channel(self.line, "iopub"), pipe=False, session=self.session)
        self.iopub_socket = self.iopub_thread.background_socket
        self.shell_socket = Channel(self.line, "shell")

    def init_kernel(self) -> None:
        """Make the kernel on these channels."""
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
        """Start the kernel on this socket, in the child, from within the event loop that it will use."""
        for folder in self.folders:
            Path(folder).mkdir(parents=True, exist_ok=True)
        self.session.pid = os.getpid()
        self.line.connect(descriptor)
        self.iopub_thread.io_loop = IOLoop(make_current=False)  # all children would share one from before the fork
        self.iopub_thread.start()
        super().init_io()
        self.displayhook.get_execution_count = lambda: self.kernel.execution_count
        self.kernel.start()


def prepare() -> KernelApp:
    """Make a kernel as `jupyter` would, in the warm process, for each child to connect. Starts no thread."""
    os.environ["HOME"] = HOME
    Path(HOME).mkdir(parents=True, exist_ok=True)
    os.chdir(HOME)
    config = traitlets.config.Config()
    config.HistoryManager.hist_file = ":memory:"
    app: KernelApp = KernelApp.instance(config=config, session=Session(key=b""))
    app.initialize([])
    # In Jupyter `exit()` ends the kernel after the cell. Students write it out of habit and do not mean to lose the other cells.
    app.kernel.shell.ask_exit = lambda: None
    surroundings.surround(HOME)
    app.folders = [folder for folder, _, _ in os.walk(HOME)]  # IPython's; a child's /tmp is empty
    return app
