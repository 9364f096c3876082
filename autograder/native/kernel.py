"""A Jupyter kernel whose cells run in the sandbox: `python -m autograder.native.kernel CONNECTION_FILE`.

`nbgrader validate` and the Validate button run a notebook in the kernel that `c.Execute.kernel_name` names: this one. Where it is
not installed, they stop with an error. It answers as much of Jupyter's protocol as a client needs that runs a notebook from top
to bottom: requests for its name, cells, an interrupt, the end. The kernel in the sandbox has no sockets; its messages come
through the sandbox's own line and are passed on.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any

import zmq.asyncio
from jupyter_client.session import Session
from zmq.constants import SocketType

from autograder.course import Assignment, Limits, open_course
from autograder.errors import AutograderError, CourseError
from autograder.files import scratch
from autograder.sandbox.client import ChildKernel
from autograder.sandbox.endings import ChildEnded
from autograder.sandbox.jail import Outfit
from autograder.sandbox.warm import ChildLimits, Warm

CHANNELS = {
    "shell": SocketType.ROUTER,
    "control": SocketType.ROUTER,
    "stdin": SocketType.ROUTER,
    "iopub": SocketType.PUB,
    "hb": SocketType.REP,
}
PARENT_SECONDS = 1  # between two looks whether the program that started this kernel is still there


def find_assignment(folder: Path) -> Assignment | None:
    """Find the assignment of the notebook in `folder`, which is named as the assignment or holds a notebook of that name; None
    outside a course, or if several would do."""
    with suppress(CourseError):
        course = open_course()
        found = [course.assignment(path.name) for path in course.source.iterdir() if path.is_dir()]
        named = [each for each in found if each.name == folder.name]
        holding = [each for each in found if (folder / f"{each.notebook}.ipynb").exists()]
        chosen = named or holding
        return chosen[0] if len(chosen) == 1 else None
    return None


class SandboxedKernel:
    """One kernel: sockets for a client of Jupyter's, and a child of a warm process.

    A child that ends is not replaced: the cells after it say why they were not run.
    """

    def __init__(self, connection: dict[str, Any], child: ChildKernel) -> None:
        self.child = child
        self.session = Session(key=connection["key"].encode(), signature_scheme=connection["signature_scheme"])
        context = zmq.asyncio.Context()
        self.sockets = {name: context.socket(kind) for name, kind in CHANNELS.items()}
        for name, opened in self.sockets.items():
            opened.linger = 1000  # ms
            opened.bind(f"{connection['transport']}://{connection['ip']}:{connection[f'{name}_port']}")
        self.cell: asyncio.Task[None] | None = None
        self.over = asyncio.Event()

    async def serve(self) -> None:
        """Answer until a client asks for the end, or until the program that started this kernel has ended."""
        self.child.attach()
        tasks = [asyncio.create_task(each) for each in (self._shell(), self._control(), self._beat(), self._watch())]
        await self.over.wait()
        for task in tasks:
            task.cancel()

    async def _receive(self, channel: str) -> tuple[list[bytes], dict[str, Any]]:
        """Receive a request that is signed with the connection's key; others are passed over."""
        while True:
            parts = await self.sockets[channel].recv_multipart()
            with suppress(ValueError, KeyError):
                identity, rest = self.session.feed_identities(parts)
                return identity, self.session.deserialize(rest)

    def _send(self, channel: str, kind: str, content: Any, parent: Any, identity: Any = None, **more: Any) -> None:
        self.session.send(self.sockets[channel], kind, content, parent, identity, **more)

    async def _shell(self) -> None:
        while True:
            identity, request = await self._receive("shell")
            if request["msg_type"] == "execute_request":
                self.cell = asyncio.create_task(self._run(identity, request))
                await asyncio.wait([self.cell])
            elif request["msg_type"] == "kernel_info_request":
                info = {"status": "ok", "protocol_version": "5.3", "implementation": "autograder", "banner": ""}
                language = {"name": "python", "version": sys.version.split()[0], "file_extension": ".py"}
                self._send("iopub", "status", {"execution_state": "busy"}, request)
                self._send("shell", "kernel_info_reply", {**info, "language_info": language}, request, identity)
                self._send("iopub", "status", {"execution_state": "idle"}, request)

    async def _run(self, identity: list[bytes], request: dict[str, Any]) -> None:
        """Run one cell, and pass on all that the child sends about it. Whatever ends the child becomes the cell's error."""
        try:
            code = str(request["content"]["code"])
            message_id = self.child.execute(code, stop_on_error=False)
            publishing = asyncio.create_task(self._publish(message_id, request))
            reply = await self.child.shell_channel.get_msg()
            with suppress(TimeoutError):  # the child's last state always follows its reply
                await asyncio.wait_for(publishing, 10)
            self._send("shell", "execute_reply", reply["content"], request, identity)
        except (ChildEnded, AutograderError, Empty, asyncio.CancelledError) as error:
            detail = (
                "the cell ran too long; its process was ended" if isinstance(error, asyncio.CancelledError) else error
            )
            failure = {"ename": "NotRun", "evalue": str(detail), "traceback": [f"NotRun: {detail}"]}
            self._send("iopub", "error", failure, request)
            reply = {"status": "error", "execution_count": None, **failure}
            self._send("shell", "execute_reply", reply, request, identity)
            self._send("iopub", "status", {"execution_state": "idle"}, request)

    async def _publish(self, message_id: str, request: dict[str, Any]) -> None:
        """Pass on what the child publishes until it is idle again."""
        while True:
            message = await self.child.iopub_channel.get_msg()
            if message["parent_header"].get("msg_id") == message_id:
                kind, content = message["msg_type"], message["content"]
                self._send("iopub", kind, content, request, metadata=message["metadata"], buffers=message["buffers"])
                if kind == "status" and content.get("execution_state") == "idle":
                    return

    async def _control(self) -> None:
        while True:
            identity, request = await self._receive("control")
            kind = request["msg_type"]
            if kind in ("interrupt_request", "shutdown_request"):
                self.child.close()
                if self.cell:
                    self.cell.cancel()
                self._send("control", kind.replace("request", "reply"), {"status": "ok"}, request, identity)
            if kind == "shutdown_request":
                self.over.set()

    async def _beat(self) -> None:
        while True:
            await self.sockets["hb"].send(await self.sockets["hb"].recv())

    async def _watch(self) -> None:
        parent = os.getppid()
        while os.getppid() == parent:
            await asyncio.sleep(PARENT_SECONDS)
        self.over.set()


def main(path: Path) -> None:
    """Serve the connection that is described in the file at `path`, in the folder of a notebook."""
    scratch()
    assignment = find_assignment(Path.cwd())
    settings = assignment.settings if assignment else None
    limits = settings.limits if settings else Limits()
    outfit = (
        Outfit((), assignment.files, settings.folders, settings.environment) if assignment and settings else Outfit()
    )
    child_limits = ChildLimits(
        limits.memory_mb * 2**20,
        limits.disk_mb * 2**20,
        processes=limits.processes,
        seed=settings.seed if settings else 0,
    )
    with Warm(outfit) as warm:
        warm.wait()
        child = ChildKernel(warm.control, child_limits, limits.output_mb * 2**20)
        child.ready()
        try:
            asyncio.run(_serve(json.loads(path.read_bytes()), child))
        finally:
            child.close()


async def _serve(connection: dict[str, Any], child: ChildKernel) -> None:
    await SandboxedKernel(connection, child).serve()


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except AutograderError as error:
        sys.exit(f"autograder: {error}")
