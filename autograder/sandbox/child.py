"""The child's main loop: runs cells as a kernel and, between cells, answers the judge's requests.

This module, the kernel and the wire are our only code in the process that holds a student's objects.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import select
import shutil
import socket
import sys
import traceback
from pathlib import Path
from typing import Any

import msgspec
from zmq.sugar.frame import Frame

from autograder.sandbox import wire
from autograder.sandbox.ipython import KernelApp

# The jail's folder of the instructor's files beside the notebook.
BESIDE = Path(__file__).parents[2] / "beside"
# A test cell sends its next request within 1 ms of a reply. Waiting for it in the event loop took half of a request's time here,
# so this process polls the socket first, for so many seconds. A student's own tasks in the loop wait at most as long.
POLL_SECONDS = 0.005
MAX_MESSAGE, MAX_TRACEBACK = 2000, 4000  # characters of an exception that the judge gets


def serve(app: KernelApp, descriptor: int, seed: int) -> None:
    """Serve as the kernel until the judge closes the line, or kills this process by the leash."""
    seed_everything(seed)
    try:
        asyncio.run(converse(app, descriptor))
    except BaseException:
        app.line.send(wire.JUDGE, wire.pack(["crashed", traceback.format_exc()[-MAX_TRACEBACK:]]))


def make_home(home: str) -> None:
    """Create the notebook's folder, with a copy of the instructor's files, and change to it.

    The files are copied since a student may write to this folder; 100 small pictures and a model of 2 MB take 10 ms.
    """
    shutil.copytree(BESIDE, home, copy_function=shutil.copyfile)
    os.chdir(home)


def seed_everything(seed: int) -> None:
    """Seed all random generators: a fork inherits the warm process's, in whatever state they are."""
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed)
    if "torch" in sys.modules:  # torch.manual_seed takes 2 ms to look for accelerators, and a child has none
        sys.modules["torch"].default_generator.manual_seed(seed)


async def converse(app: KernelApp, descriptor: int) -> None:
    """Handle one frame after the other: a cell for the kernel, or a request of the judge."""
    app.connect(descriptor)
    line = app.line
    service = Service(app.kernel.shell.user_ns)
    arrived = asyncio.Event()
    asyncio.get_running_loop().add_reader(line.socket, arrived.set)
    frames = wire.Frames()
    line.send(wire.JUDGE, wire.pack(["ready"]))
    was_request = False
    while True:
        if not was_request or not select.select([line.socket], [], [], POLL_SECONDS)[0]:
            await arrived.wait()
        arrived.clear()
        try:
            data = line.socket.recv(wire.READ_BYTES, socket.MSG_DONTWAIT)
        except BlockingIOError:
            continue
        if not data:
            return
        for channel, payload in frames.feed(data):
            was_request = channel == wire.JUDGE
            if channel == wire.KERNEL:
                await app.shell_socket.receive([Frame(part) for part in msgspec.msgpack.decode(payload)])
            else:
                line.send(wire.JUDGE, service.answer(payload))


class Service:
    """Answers the judge's requests between cells. A student's code can replace any of this, so the judge trusts no answer."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names
        self.objects: dict[int, Any] = {}  # those that the judge has a reference to, and graphs for a later backward
        self.numbers = itertools.count(1)

    def answer(self, payload: bytes) -> bytes:
        """Return the reply to one request: "ok" with values, "missing", or "error" with type, message and traceback."""
        try:
            verb, *arguments = wire.unpack(payload)
            return wire.pack(getattr(self, f"do_{verb}")(*arguments))
        except BaseException as error:  # even a student's sys.exit() is answered and does not end the kernel
            lines = traceback.format_exception(error)
            texts = [type(error).__name__, str(error)[:MAX_MESSAGE], "".join(lines)[-MAX_TRACEBACK:]]
            # A lone surrogate would not cross.
            return wire.pack(["error", *(text.encode(errors="replace").decode() for text in texts)])

    def keep(self, value: Any) -> int:
        """Store an object; return its number."""
        number = next(self.numbers)
        self.objects[number] = value
        return number

    def refer(self, value: Any) -> wire.Reference:
        """Store an object that cannot cross as data; return a reference to it."""
        kind = "function" if callable(value) else "object"
        description = f"{type(value).__name__} {getattr(value, '__name__', '')}".strip()
        return wire.Reference(self.keep(value), kind, description)

    def encode(self, value: Any) -> Any:
        """Encode a value for the wire, with references to what cannot cross."""
        return wire.encode(value, self.refer)

    def decode(self, tree: Any) -> Any:
        """Decode a value from the wire, with the objects that its references name."""
        return wire.decode(tree, lambda reference: self.objects[reference.number])

    def do_get(self, name: str) -> list[Any]:
        """Fetch the value of a name that the notebook defines."""
        return ["ok", self.encode(self.names[name])] if name in self.names else ["missing"]

    def do_call(self, number: int, arguments_tree: Any, keywords_tree: Any, return_arguments: bool) -> list[Any]:
        """Call an object; reply with its result, the arguments afterwards if asked, and the number of its graph, if any."""
        arguments, keywords = self.decode(arguments_tree), self.decode(keywords_tree)
        inputs = wire.graph_tensors([arguments, keywords])
        result = self.objects[number](*arguments, **keywords)
        after = self.encode(arguments) if return_arguments else None
        graph = self.keep((wire.graph_tensors(result), inputs)) if inputs else None
        return ["ok", self.encode(result), after, graph]

    def do_backward(self, graph: int, gradients_tree: Any) -> list[Any]:
        """Return the gradients of a call's inputs, from those of its outputs."""
        import torch

        outputs, inputs = self.objects[graph]
        # The gradient of the weighted sum of the outputs. Passing the weights to `grad` gives the same, but makes torch
        # import sympy, which takes 0.7 s in each child.
        weighted = zip(outputs, self.decode(gradients_tree), strict=True)
        total = sum((output * weight.conj()).real.sum() for output, weight in weighted)
        gradients = torch.autograd.grad(total, inputs, allow_unused=True, retain_graph=True)
        return ["ok", self.encode(list(gradients))]

    def do_forget(self) -> list[Any]:
        """Forget all objects and number from 1 again, so that a test cell's requests do not depend on earlier test cells."""
        self.objects.clear()
        self.numbers = itertools.count(1)
        return ["ok", None]
