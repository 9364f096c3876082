"""What a child does: be a kernel, and between cells serve the judge, which fetches names and calls functions. The only code
of ours beside a student's objects; of the rest it imports the kernel and the wire alone.
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

# Where the jail shows what lies beside the notebook.
BESIDE = Path(__file__).parents[2] / "beside"
# A test cell asks its next question within 1 ms of an answer; a turn of the event loop for each took half of a question's
# time here. A student's own tasks in that loop wait this long at most.
SOON = 0.005


def serve(app: KernelApp, descriptor: int, seed: int) -> None:
    """Be the kernel until the judge closes the line, or kills this process by the leash."""
    seed_everything(seed)
    try:
        asyncio.run(converse(app, descriptor))
    except BaseException:
        app.line.send(wire.JUDGE, wire.pack(["crashed", traceback.format_exc()[-4000:]]))


def lay_out(home: str) -> None:
    """The notebook's folder, with a copy of the instructor's files: a student may write where the notebook lies. (100 small
    pictures and a model of 2 MB take 10 ms.)"""
    shutil.copytree(BESIDE, home, copy_function=shutil.copyfile)
    os.chdir(home)


def seed_everything(seed: int) -> None:
    """The same start for every submission: a fork hands on the warm process's generators as they stand."""
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed)
    if "torch" in sys.modules:  # torch.manual_seed asks after every accelerator too: 2 ms, and a child has none
        sys.modules["torch"].default_generator.manual_seed(seed)


async def converse(app: KernelApp, descriptor: int) -> None:
    """One frame after the other: a cell for the kernel, or a request of the judge."""
    app.connect(descriptor)
    line = app.line
    service = Service(app.kernel.shell.user_ns)
    arrived = asyncio.Event()
    asyncio.get_running_loop().add_reader(line.socket, arrived.set)
    frames = wire.Frames()
    line.send(wire.JUDGE, wire.pack(["ready"]))
    asked = False
    while True:
        if not asked or not select.select([line.socket], [], [], SOON)[0]:
            await arrived.wait()
        arrived.clear()
        try:
            data = line.socket.recv(wire.READ_BYTES, socket.MSG_DONTWAIT)
        except BlockingIOError:
            continue
        if not data:
            return
        for channel, payload in frames.feed(data):
            asked = channel == wire.JUDGE
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
        # The derivative of this sum is that of the outputs, weighted. To hand the weights to `grad` would be the same, but torch
        # then imports sympy: 0.7 s, in each child, or in each child's memory.
        weighted = zip(outputs, self.decode(gradients_tree), strict=True)
        total = sum((output * weight.conj()).real.sum() for output, weight in weighted)
        gradients = torch.autograd.grad(total, inputs, allow_unused=True, retain_graph=True)
        return ["ok", self.encode(list(gradients))]

    def do_forget(self) -> list[Any]:
        """Numbers begin anew, so that what one test asks does not depend on what those before it did."""
        self.kept.clear()
        self.numbers = itertools.count(1)
        return ["ok", None]
