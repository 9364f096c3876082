"""The warm process: imports once, then forks a supervisor and a single-use child for every request.

Every child can read the whole heap of this process, so it must never hold anything that a student may not see: no answer, no
key, no other submission. A request is a small JSON object of limits with two descriptors: the child's connection to the judge,
and one end of the leash. The supervisor keeps that end. On it the supervisor reports how the child ended; when the judge closes
the other end, the child and everything that it started are killed, whatever state they are in.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import socket
import sys
from pathlib import Path
from typing import Any, NoReturn

from autograder.sandbox import calls, child, confine, ipython, rehearsal
from autograder.sandbox.watch import Turns, watch

HUGE_PAGE, MADV_COLLAPSE = 2 * 2**20, 25


def main() -> None:
    """Import the modules named on the command line, then fork a child for every request until the control socket closes.

    Reports {"ready": ...} or {"error": ...} on the control socket first.
    """
    control = socket.socket(fileno=int(sys.argv[1]))
    gc.disable()  # until a child is forked: a collection takes 0.3 s, finds nothing here, and leaves holes in the heap
    for name in json.loads(sys.argv[2]):
        with contextlib.suppress(ImportError):  # a course may name a module that only some machines have
            importlib.import_module(name)
    app = ipython.prepare()
    for name in rehearsal.rehearse(app):
        with contextlib.suppress(Exception):  # a module that cannot be imported ahead is imported late in each child
            importlib.import_module(name)
    rehearsal.draw_once()
    filters = calls.make_filters()
    threads = len(list(Path("/proc/self/task").iterdir()))
    if threads != 1:
        error = f"the warm process has {threads} threads, and only a process with one can be forked safely"
        control.send(json.dumps({"error": error}).encode())
        return
    gc.freeze()  # the collector would write into every page that the children share, and so copy it
    collapse_pages()
    control.send(json.dumps({"ready": True, "modules": len(sys.modules)}).encode())
    serve(app, control, filters)


def serve(app: ipython.KernelApp, control: socket.socket, filters: list[Any]) -> None:
    """Fork a supervisor for every request on `control`; return when nobody holds its other end."""
    while True:
        request, descriptors, _, _ = socket.recv_fds(control, 4096, 2)
        reap()
        if not request:
            return
        if os.fork() == 0:
            control.close()
            connection, leash = descriptors
            supervise(app, connection, leash, json.loads(request), filters)
        for descriptor in descriptors:
            os.close(descriptor)


def collapse_pages() -> None:
    """Move this process's heap into huge pages, as far as the kernel can (MADV_COLLAPSE, since Linux 6.1).

    A fork copies an entry for each page. With 100 MB of Python's arenas in small pages, a fork and the child's end take 12 ms; in
    huge pages they take 6. Moving them takes 0.2 s, once.
    """
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    for start, end in heap_ranges():
        first, last = -(-start // HUGE_PAGE) * HUGE_PAGE, end // HUGE_PAGE * HUGE_PAGE
        for address in range(first, last, HUGE_PAGE):
            madvise(address, HUGE_PAGE, MADV_COLLAPSE)


def heap_ranges() -> list[tuple[int, int]]:
    """Return the address ranges of this process's private, writable memory that belongs to no file."""
    with Path("/proc/self/maps").open() as file:
        lines = [line.split() for line in file]
    private = [fields[0].split("-") for fields in lines if fields[1] == "rw-p" and fields[5:] in ([], ["[heap]"])]
    return [(int(start, 16), int(end, 16)) for start, end in private]


def reap() -> None:
    """Wait for the supervisors that have ended. (Ignoring SIGCHLD would also do, but lose the account of their CPU time.)"""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def supervise(
    app: ipython.KernelApp, connection: int, leash_descriptor: int, limits: dict[str, Any], filters: list[Any]
) -> NoReturn:
    """Fork the confined child and watch it. Reports on the leash once when it is up or failed, and once when it has ended."""
    leash = socket.socket(fileno=leash_descriptor)
    processes = os.open(
        "/proc", os.O_RDONLY | os.O_DIRECTORY
    )  # this and the next before the child's own /proc covers them
    shared = Path("/proc/self/smaps_rollup").open("rb")  # noqa: SIM115, open for as long as this process
    try:
        confine.die_with_parent()
        confine.enter_namespaces()
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            become_child(app, connection, writer, limits, filters)
        os.close(writer)
        os.close(connection)
        turns = Turns(processes, pid)
        outcome = os.read(reader, 4096).decode()
        report = {"up": True} if outcome == "up" else {"error": outcome}
        leash.send(json.dumps(report).encode())
        if outcome == "up":
            leash.send(json.dumps(watch(pid, leash, limits["memory"], shared, turns)).encode())
    except OSError as error:
        with contextlib.suppress(OSError):
            leash.send(json.dumps({"error": str(error)}).encode())
    finally:
        os._exit(0)


def become_child(
    app: ipython.KernelApp, connection: int, outcome: int, limits: dict[str, Any], filters: list[Any]
) -> NoReturn:
    """Confine this process, layer by layer, and become the kernel.

    Writes "up" to the pipe `outcome`, or the error of a layer that failed, which also ends this process.
    """
    try:
        confine.die_with_parent()
        os.setsid()  # or kill(0, ...) would reach the warm process: a process group spans namespaces
        confine.mount_private_files(limits["tmp"], limits["shm"], sys.argv[3:])
        child.make_home(ipython.HOME)
        inherited = int(Path("/proc/self/statm").read_text().split()[5]) * os.sysconf("SC_PAGE_SIZE")
        confine.set_limits(inherited + 2 * limits["memory"], limits["processes"], limits["tmp"], limits["cpu_seconds"])
        confine.drop_capabilities()
        confine.forbid_new_privileges()
        for system_call_filter in filters:
            system_call_filter.load()
        null = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):  # the warm process's own lead to a file on the host
            os.dup2(null, standard)
        os.write(outcome, b"up")
    except BaseException as error:
        os.write(outcome, f"{type(error).__name__}: {error}".encode())
        os._exit(1)
    try:
        confine.close_descriptors({0, 1, 2, connection} | confine.reopen_files())
        gc.enable()
        child.serve(app, connection, limits["seed"])
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
    os._exit(0)  # a normal exit would take torch apart piece by piece: 0.3 s for nothing
