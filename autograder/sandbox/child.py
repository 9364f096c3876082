"""The child's main loop: runs cells as a kernel and, between cells, answers the judge's requests.

This module, the kernel, the service and the wire are our only code in the process that holds a student's objects.
"""

from __future__ import annotations

import asyncio
import os
import random
import select
import shutil
import socket
import sys
import traceback
from pathlib import Path

import msgspec
from zmq.sugar.frame import Frame

from autograder.sandbox import wire
from autograder.sandbox.ipython import KernelApp
from autograder.sandbox.service import MAX_TRACEBACK, Service

# The jail's folder of the instructor's files beside the notebook.
BESIDE = Path(__file__).parents[2] / "beside"
# A test cell sends its next request within 1 ms of a reply. Waiting for it in the event loop took half of a request's time here,
# so this process polls the socket first, for so many seconds. A student's own tasks in the loop wait at most as long.
POLL_SECONDS = 0.005


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
