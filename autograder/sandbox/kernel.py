"""The judge's end of one child: a kernel client for nbclient, and requests to fetch and call what the student defined.

Both share one socket. nbclient awaits messages in the event loop; a test cell, which is synchronous Python, blocks in
`request` meanwhile. Whatever arrives is sorted into queues by one reader.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import select
import signal
import socket
import time
from collections import deque
from queue import Empty
from typing import Any

import msgspec
from jupyter_client.session import Session

from autograder.errors import InfrastructureError
from autograder.sandbox import wire
from autograder.sandbox.ends import ChildEnded, answer
from autograder.sandbox.warm import ChildLimits, await_child, fork

# A kernel starts in 0.1 s, 1 s under a full load of forks.
READY_SECONDS = 30
# One request has one answer, and one cell one reply and some hundred state messages of 500 bytes. More than this, waiting
# unread, is a child that floods the judge.
MAX_REPLIES = 8
MAX_MESSAGES = 10_000
STATE_BYTES = 2000
# A reply holds what `object?` shows, some 50 KB, and of an exception the first words. JSON of 4 MB can become 80 MB of lists.
REPLY_BYTES = 4 * 2**20


class ChildKernel:
    """One child. It is up from construction on, in the background; `ready` waits for it."""

    def __init__(self, control: socket.socket, limits: ChildLimits, output_bytes: int) -> None:
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
        """Block until the kernel takes requests; IsolationError or InfrastructureError if it never will."""
        await_child(self.leash)
        self.line.settimeout(READY_SECONDS)
        _, (verb, *rest) = self._reply(READY_SECONDS)
        if verb != "ready":
            raise ChildEnded("died", f"the kernel did not start: {rest}")

    # nbclient's side

    def attach(self) -> None:
        """Read in the running event loop from here on."""
        self.loop = asyncio.get_running_loop()
        self.loop.add_reader(self.line, self._read)

    def execute(self, code: str, store_history: bool = True, stop_on_error: bool = True) -> str:
        """Send one cell; its message id."""
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
        return self.ended is None

    # the judge's side

    def run_silently(self, code: str, timeout: float) -> None:
        """Run a cell again for its effects, blocking; ChildEnded if it does not come to an end."""
        message_id = self.execute(code, stop_on_error=False)
        self.output_left = 0
        deadline = time.monotonic() + timeout
        while not any(m["parent_header"].get("msg_id") == message_id for m in self.shell_channel.messages):
            self._wait(deadline, timeout)
        self.shell_channel.messages.clear()
        self.iopub_channel.messages.clear()

    def request(self, verb: str, *arguments: Any, timeout: float) -> list[Any]:
        """Ask the child; the answer. RemoteError if it raised there, ChildEnded if the child is lost by it."""
        return answer(self.exchange(wire.pack([verb, *arguments]), timeout)[1])

    def exchange(self, request: bytes, timeout: float) -> tuple[bytes, list[Any]]:
        """Send a request; the reply's bytes, and what they say. ChildEnded if the child is lost by it."""
        self.replies.clear()
        self._send(wire.JUDGE, request)
        reply, message = self._reply(timeout)
        if message[0] not in ("ok", "missing", "error"):
            raise self._end("died", f"the child answered {message[0][:40]!r}")
        return reply, message

    def close(self) -> None:
        """End the child and everything that it started; once more does nothing."""
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
        """Read what arrives before `deadline`; ChildEnded where nothing will."""
        if self.ended:
            raise self.ended
        left = deadline - time.monotonic()
        if left <= 0:
            raise self._end("timed out", f"no answer within {timeout:g} s")
        if select.select([self.line], [], [], left)[0]:
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
            self._end_with(self._verdict())
        except Exception as error:  # hostile bytes find odd corners of JSON and msgpack; they end this child alone
            self._end("died", f"it sent what is no message: {type(error).__name__}: {error}"[:300])

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
        if name == b"iopub" and message["msg_type"] != "status":  # without the last state nbclient would go on waiting
            if len(payload) > self.output_left:
                self.output_dropped += 1
                return
            self.output_left -= len(payload)
        inbox, limit = (self.iopub_channel, MAX_MESSAGES) if name == b"iopub" else (self.shell_channel, MAX_REPLIES)
        if len(inbox.messages) >= limit:
            raise wire.WireError("messages that nobody asked for")
        inbox.put(message)

    def _verdict(self) -> ChildEnded | InfrastructureError:
        """How the child ended, as its supervisor says; the line closes a moment before the supervisor knows.

        From inside its namespace nobody can end the child by SIGKILL, nor reach the supervisor: then it was the machine, which
        is short of memory or shuts down.
        """
        report: dict[str, Any] = {}
        with contextlib.suppress(OSError, ValueError):
            self.leash.settimeout(2)
            heard = self.leash.recv(8192)
            if not heard:
                return InfrastructureError("the child and who watches over it were killed; see this machine's log")
            report = json.loads(heard)
        if report.get("out_of_memory"):
            return ChildEnded("out of memory", "it took more memory than the assignment allows")
        status = report.get("status")
        if status == -signal.SIGKILL:
            # The limit counts the ticks at which the child was at work, the report its time: beside neighbours that sleep at each
            # tick it was 0.92 of the limit, and once under 0.9. Half of the limit is all of a submission's time.
            if report["cpu_seconds"] > 0.5 * self.cpu_seconds:
                return ChildEnded("timed out", f"it took over {self.cpu_seconds} s of CPU time")
            return InfrastructureError("the child was killed from outside; is this machine short of memory?")
        how = f"signal {-status}" if isinstance(status, int) and status < 0 else f"exit {status}"
        return ChildEnded("died", f"the process ended ({how})")

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
    """The receiving half of a Jupyter channel, as nbclient calls it."""

    def __init__(self, kernel: ChildKernel) -> None:
        self.kernel = kernel
        self.messages: deque[dict[str, Any]] = deque()
        self.arrived = asyncio.Event()

    def put(self, message: dict[str, Any]) -> None:
        self.messages.append(message)
        self.arrived.set()

    def wake(self) -> None:
        self.arrived.set()

    async def get_msg(self, timeout: float | None = None) -> dict[str, Any]:
        """The next message; queue.Empty after `timeout` seconds; ChildEnded where none will ever come."""
        while not self.messages:
            if self.kernel.ended and self is self.kernel.shell_channel:
                raise self.kernel.ended
            self.arrived.clear()
            try:
                await asyncio.wait_for(self.arrived.wait(), timeout)
            except TimeoutError:
                raise Empty from None
        return self.messages.popleft()
