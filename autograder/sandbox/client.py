"""The judge's end of one child: a kernel client for nbclient, and requests about student objects.

Both share one socket. nbclient awaits messages in the event loop; a test cell, which is synchronous Python, blocks in
`request`. One reader sorts what arrives into queues.
"""

from __future__ import annotations

import asyncio
import select
import socket
import time
from collections import deque
from queue import Empty
from typing import Any

import msgspec
from jupyter_client.session import Session

from autograder.errors import InfrastructureError
from autograder.sandbox import wire
from autograder.sandbox.endings import ChildEnded, answer, read_end
from autograder.sandbox.warm import ChildLimits, await_child, fork

# A kernel starts in 0.1 s, or in 1 s while the machine is busy with forks.
READY_SECONDS = 30
# A request has one reply. A cell has one reply and some hundred state messages of 500 bytes. A child with more than this unread
# floods the judge.
MAX_REPLIES = 8
MAX_MESSAGES = 10_000
STATE_BYTES = 2000
# A reply holds what `object?` shows, some 50 KB, and the start of an exception. JSON of 4 MB can become 80 MB of lists.
REPLY_BYTES = 4 * 2**20
MAX_DETAIL = 300  # characters


class ChildKernel:
    """One child. The constructor starts it in the background; `ready` waits for it."""

    def __init__(self, control: socket.socket, limits: ChildLimits, output_bytes: int) -> None:
        """Ask the warm process behind `control` for a child. A cell may print up to `output_bytes`."""
        self.line, self.leash = fork(control, limits)
        self.cpu_seconds = limits.cpu_seconds
        self.output_bytes = output_bytes
        self.session = Session(key=b"")
        self.allow_stdin = False  # nbclient sets it
        self.frames = wire.Frames()
        self.shell_channel, self.iopub_channel = Inbox(self), Inbox(self)
        self.replies: deque[tuple[bytes, list[Any]]] = deque()
        self.ended: ChildEnded | InfrastructureError | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self.output_left, self.output_dropped = output_bytes, 0

    def ready(self) -> None:
        """Block until the kernel takes requests.

        Raises IsolationError if a layer was refused, InfrastructureError or ChildEnded if the kernel does not start.
        """
        try:
            await_child(self.leash)
            self.line.settimeout(READY_SECONDS)
            _, (verb, *rest) = self._reply(READY_SECONDS)
            if verb != "ready":
                raise ChildEnded("died", f"the kernel did not start: {rest}")
        except Exception:
            self.close()
            raise

    # What nbclient calls

    def attach(self) -> None:
        """Let the running event loop read what arrives."""
        self.loop = asyncio.get_running_loop()
        self.loop.add_reader(self.line, self._read)

    def execute(self, code: str, store_history: bool = True, stop_on_error: bool = True) -> str:
        """Send one cell; return its message id. Raises ChildEnded or InfrastructureError if the child is gone."""
        self.output_left, self.output_dropped = self.output_bytes, 0
        content = {
            "code": code,
            "silent": False,
            "store_history": store_history,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": stop_on_error,
        }
        message = self.session.msg("execute_request", content)
        self._send(wire.KERNEL, msgspec.msgpack.encode([bytes(part) for part in self.session.serialize(message)]))
        return str(message["header"]["msg_id"])

    def is_alive(self) -> bool:
        """Whether the child has not ended, as far as is known."""
        return self.ended is None

    # What the judge calls

    def run_silently(self, code: str, timeout: float) -> None:
        """Run a cell for its effects and block until it is done; ChildEnded if that takes over `timeout` seconds."""
        message_id = self.execute(code, stop_on_error=False)
        self.output_left = 0
        deadline = time.monotonic() + timeout
        while not any(m["parent_header"].get("msg_id") == message_id for m in self.shell_channel.messages):
            self._wait(deadline, timeout)
        self.shell_channel.messages.clear()
        self.iopub_channel.messages.clear()

    def request(self, verb: str, *arguments: Any, timeout: float) -> list[Any]:
        """Send a request to the child and return its answer.

        Raises RemoteError if the child raised an exception, ChildEnded if it ended or took over `timeout` seconds.
        """
        return answer(self.exchange(wire.pack([verb, *arguments]), timeout)[1])

    def exchange(self, request: bytes, timeout: float) -> tuple[bytes, list[Any]]:
        """Send a packed request and return the reply, packed and unpacked. Raises ChildEnded like `request`."""
        self.replies.clear()
        self._send(wire.JUDGE, request)
        reply, message = self._reply(timeout)
        if message[0] not in ("ok", "missing", "error"):
            raise self._end("died", f"the child answered {message[0][:40]!r}")
        return reply, message

    def close(self) -> None:
        """End the child and everything that it started. A second call does nothing."""
        if self.loop is not None and self.line.fileno() >= 0:
            self.loop.remove_reader(self.line)
        self.leash.close()
        self.line.close()
        if self.ended is None:
            self.ended = ChildEnded("died", "closed")

    def _send(self, channel: int, payload: bytes) -> None:
        if self.ended:
            raise self.ended
        try:
            wire.send(self.line, channel, payload)
        except OSError as error:
            raise self._end("died", f"it takes no more requests ({error})") from None

    def _reply(self, timeout: float) -> tuple[bytes, list[Any]]:
        deadline = time.monotonic() + timeout
        while not self.replies:
            self._wait(deadline, timeout)
        return self.replies.popleft()

    def _wait(self, deadline: float, timeout: float) -> None:
        """Read what arrives before `deadline`; ChildEnded if nothing does."""
        if self.ended:
            raise self.ended
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise self._end("timed out", f"no answer within {timeout:g} s")
        if select.select([self.line], [], [], remaining)[0]:
            self._read()

    def _read(self) -> None:
        try:
            data = self.line.recv(wire.READ_BYTES, socket.MSG_DONTWAIT)
            if not data:
                raise EOFError
            for channel, payload in self.frames.feed(data):
                if channel == wire.JUDGE:
                    self._sort_reply(payload)
                else:
                    self._sort_message(payload)
        except BlockingIOError:
            return
        except (OSError, EOFError):
            self._end_with(read_end(self.leash, self.cpu_seconds))
        except Exception as error:  # hostile bytes can break JSON and msgpack in many ways; they end this child only
            self._end("died", f"it sent what is no message: {type(error).__name__}: {error}"[:MAX_DETAIL])

    def _sort_reply(self, payload: bytes) -> None:
        message = wire.unpack(payload)
        if message[0] == "dropped":
            self.output_dropped += 1
        elif len(self.replies) < MAX_REPLIES:
            self.replies.append((payload, message))
        else:
            raise wire.WireError("answers to nothing")

    def _sort_message(self, payload: bytes) -> None:
        if len(payload) > max(self.output_left, REPLY_BYTES):
            self.output_dropped += 1
            return
        name, *parts = msgspec.msgpack.decode(payload, type=list[bytes])
        if name == b"iopub" and len(payload) > max(self.output_left, STATE_BYTES):
            self.output_dropped += 1
            return
        message = self.session.deserialize(self.session.feed_identities(parts)[1])
        if name == b"iopub" and message["msg_type"] != "status":  # without the last state nbclient would keep waiting
            if len(payload) > self.output_left:
                self.output_dropped += 1
                return
            self.output_left -= len(payload)
        inbox, limit = (self.iopub_channel, MAX_MESSAGES) if name == b"iopub" else (self.shell_channel, MAX_REPLIES)
        if len(inbox.messages) >= limit:
            raise wire.WireError("messages that nobody asked for")
        inbox.put(message)

    def _end(self, why: str, detail: str) -> ChildEnded | InfrastructureError:
        return self._end_with(ChildEnded(why, detail))

    def _end_with(self, error: ChildEnded | InfrastructureError) -> ChildEnded | InfrastructureError:
        if self.ended is None:
            self.ended = error
            if self.loop is not None:
                self.loop.remove_reader(self.line)
            self.leash.close()
            self.shell_channel.wake()
        return self.ended


class Inbox:
    """The receiving half of a Jupyter channel, with the methods that nbclient calls."""

    def __init__(self, kernel: ChildKernel) -> None:
        self.kernel = kernel
        self.messages: deque[dict[str, Any]] = deque()
        self.arrived = asyncio.Event()

    def put(self, message: dict[str, Any]) -> None:
        """Add a message and wake `get_msg`."""
        self.messages.append(message)
        self.arrived.set()

    def wake(self) -> None:
        """Wake `get_msg` without a message, when the child has ended."""
        self.arrived.set()

    async def get_msg(self, timeout: float | None = None) -> dict[str, Any]:
        """Return the next message. Raises queue.Empty after `timeout` seconds, ChildEnded if no message can come any more."""
        while not self.messages:
            if self.kernel.ended and self is self.kernel.shell_channel:
                raise self.kernel.ended
            self.arrived.clear()
            try:
                await asyncio.wait_for(self.arrived.wait(), timeout)
            except TimeoutError:
                raise Empty from None
        return self.messages.popleft()
