"""The warm process, inside the jail: imports once, then forks a supervisor and a single-use child for every request.

It must never hold anything that a student may not see, since every child can read the whole of its heap: no answer, no
key, no other submission. A request is a small JSON object of limits with two descriptors: the child's connection to the
judge, and the leash. The supervisor holds the other leash end's peer: when it closes, the child and all that it started
are killed, whatever state they are in; and on it the supervisor says how the child ended.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn, TextIO

from autograder.sandbox import child, confine, ipython

# How often the memory of a child is read. At 20 Hz one reading costs about 0.1 ms, and a child that fills memory at 2 GB a
# second is stopped 100 MB over its limit.
WATCH_SECONDS = 0.05
# A kernel has four tasks, a DataLoader's workers two each.
MANY_TASKS = 12
SHARED_OUT = ("Pss_Anon", "Pss_Shmem")
HUGE_PAGE, MADV_COLLAPSE = 2 * 2**20, 25


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    gc.disable()  # in a child it is on again: here it would find nothing in 0.3 s of the start, and leave holes in the heap
    for name in json.loads(sys.argv[2]):
        with contextlib.suppress(ImportError):  # a course may name what only some machines have
            importlib.import_module(name)
    app = ipython.prepare()
    for name in ipython.rehearse(app):
        with contextlib.suppress(Exception):  # what cannot be imported twice is imported late, as before
            importlib.import_module(name)
    ipython.draw_once()
    system_call_filter = confine.make_filter()
    threads = len(os.listdir("/proc/self/task"))
    if threads != 1:
        control.send(json.dumps({"error": f"{threads} threads before the fork, 1 is safe"}).encode())
        return
    gc.freeze()  # the collector would write into, and so copy, every page that the children share
    join_pages()
    control.send(json.dumps({"ready": True, "modules": len(sys.modules)}).encode())
    while True:
        request, descriptors, _, _ = socket.recv_fds(control, 4096, 2)
        reap()
        if not request:
            return
        if os.fork() == 0:
            control.close()
            connection, leash = descriptors
            supervise(app, connection, leash, json.loads(request), system_call_filter)
        for descriptor in descriptors:
            os.close(descriptor)


def join_pages() -> None:
    """Put this process's heap into huge pages, as far as the kernel can (MADV_COLLAPSE, Linux 6.1; without it nothing changes).

    A fork copies an entry for each page: 100 MB of Python's own arenas in small ones made a fork and the child's end cost
    12 ms, two of them a submission, where it costs 6 in huge ones. To join them takes 0.2 s, once.
    """
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    for start, end in writable_memory():
        first, last = -(-start // HUGE_PAGE) * HUGE_PAGE, end // HUGE_PAGE * HUGE_PAGE
        for address in range(first, last, HUGE_PAGE):
            madvise(address, HUGE_PAGE, MADV_COLLAPSE)


def writable_memory() -> list[tuple[int, int]]:
    """Where this process's private memory of no file lies."""
    with open("/proc/self/maps") as file:
        lines = [line.split() for line in file]
    private = [fields[0].split("-") for fields in lines if fields[1] == "rw-p" and fields[5:] in ([], ["[heap]"])]
    return [(int(start, 16), int(end, 16)) for start, end in private]


def reap() -> None:
    """Let go of the supervisors that have ended. (Ignoring SIGCHLD would do it too, but lose their CPU time's account.)"""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def supervise(
    app: ipython.KernelApp, connection: int, leash_descriptor: int, limits: dict[str, Any], system_call_filter: Any
) -> NoReturn:
    """Fork the confined child, then stand by: one report on the leash when it is up, one when it has ended."""
    leash = socket.socket(fileno=leash_descriptor)
    everyone = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)  # these two before the child's own /proc covers them
    shared = open("/proc/self/smaps_rollup")  # noqa: SIM115, open for as long as this process
    try:
        confine.die_with_parent()
        confine.new_namespaces()
        up, tell = os.pipe()
        pid = os.fork()
        if pid == 0:
            become_child(app, connection, tell, limits, system_call_filter)
        os.close(tell)
        os.close(connection)
        turns = Turns(everyone, pid)
        trouble = os.read(up, 4096).decode()
        report = {"error": trouble} if trouble != "up" else {"up": True}
        leash.send(json.dumps(report).encode())
        if trouble == "up":
            leash.send(json.dumps(watch(pid, leash, limits["memory"], shared, turns)).encode())
    except OSError as error:
        with contextlib.suppress(OSError):
            leash.send(json.dumps({"error": str(error)}).encode())
    finally:
        os._exit(0)


def become_child(
    app: ipython.KernelApp, connection: int, tell: int, limits: dict[str, Any], system_call_filter: Any
) -> NoReturn:
    """Shut this process in, layer by layer, and become the kernel. Any layer that fails is told and ends it."""
    try:
        confine.die_with_parent()
        os.setsid()  # or kill(0, ...) would reach the warm process: a process group is the same in every namespace
        confine.private_files(limits["tmp"], limits["shm"], sys.argv[3:])
        child.lay_out(ipython.HOME)
        with open("/proc/self/statm") as file:
            already = int(file.read().split()[5]) * os.sysconf("SC_PAGE_SIZE")
        confine.limits(already + 2 * limits["memory"], limits["processes"], limits["tmp"], limits["cpu_seconds"])
        confine.drop_capabilities()
        confine.no_new_privileges()
        system_call_filter.load()
        nowhere = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):  # the warm process's own lead to a file on the host
            os.dup2(nowhere, standard)
        os.write(tell, b"up")
    except BaseException as error:
        os.write(tell, f"{type(error).__name__}: {error}".encode())
        os._exit(1)
    try:
        confine.close_descriptors({0, 1, 2, connection} | confine.own_files())
        gc.enable()
        child.serve(app, connection, limits["seed"])
    finally:
        os._exit(0)


def watch(pid: int, leash: socket.socket, memory: int, shared: TextIO, turns: Turns) -> dict[str, Any]:
    """Wait for the child's end, for the judge to let go of the leash, or for too much memory; say which it was."""
    handle = os.pidfd_open(pid)
    poller = select.poll()
    poller.register(handle, select.POLLIN)
    poller.register(leash, select.POLLIN | select.POLLHUP)
    full = leash.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)  # what every socket is born with; none can be enlarged
    while True:
        ready = {descriptor for descriptor, _ in poller.poll(WATCH_SECONDS * 1000)}
        over = not ready and exceeds(memory - in_sockets(full), shared)
        turns.share()
        if leash.fileno() in ready or over:
            os.kill(pid, signal.SIGKILL)  # process 1 of its namespace: the kernel ends the rest with it
        if ready or over:
            _, status, used = os.wait4(pid, 0)
            seconds = used.ru_utime + used.ru_stime
            return {"out_of_memory": over, "status": os.waitstatus_to_exitcode(status), "cpu_seconds": seconds}


class Turns:
    """Sees to it that one child with many tasks at work leaves its neighbours their turns: beside a bomb of 64 processes an
    honest function of 50 ms took over 8 s, and was marked as endless."""

    def __init__(self, processes: int, pid: int) -> None:
        self.processes, self.pid = processes, pid  # /proc of the whole jail, in whose numbers one can be addressed

    def share(self) -> None:
        """Give way (nice 19: a 70th of the weight) with all but the first of the child's tasks, where there are many."""
        inside = [name for name in os.listdir("/proc") if name.isdigit()]
        if sum(map(_tasks, inside)) <= MANY_TASKS:
            return
        with contextlib.suppress(OSError):
            namespace = os.readlink(f"{self.pid}/ns/pid", dir_fd=self.processes)
            for name in filter(str.isdigit, os.listdir(self.processes)):
                with contextlib.suppress(OSError):  # gone, or another child's, whose namespaces may not be seen
                    if os.readlink(f"{name}/ns/pid", dir_fd=self.processes) == namespace:
                        self._give_way(name)

    def _give_way(self, name: str) -> None:
        tasks = os.open(f"{name}/task", os.O_RDONLY, dir_fd=self.processes)
        try:
            for task in map(int, os.listdir(tasks)):
                if task != self.pid:
                    with contextlib.suppress(OSError):
                        os.setpriority(os.PRIO_PROCESS, task, 19)
        finally:
            os.close(tasks)


def _tasks(name: str) -> int:
    """The threads of a process."""
    try:
        return Path(f"/proc/{name}/task").stat().st_nlink - 2
    except OSError:
        return 0


def exceeds(memory: int, shared: TextIO) -> bool:
    """Whether the child's process tree took more than `memory` bytes beyond what it had from the fork.

    This /proc shows that tree only. The sum of RssAnon counts a page as often as it is shared, so it is never too small; it
    is asked first, since the other sum walks page tables: 7 ms a process where this takes 0.2. That one shares the warm
    process's pages out among all that have them. One share is the child's from the fork: as much as this supervisor's own,
    which has written to nothing (`shared` is its account). A child that forks holds more of the shares: so the sum can be too
    large by the warm process's own size, 0.3 GB, and never too small by more than a third of that.
    """
    everyone = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    if sum(map(anonymous, everyone)) <= memory:
        return False
    shared.seek(0)
    return sum(map(shared_out, everyone)) - _sum(shared, *SHARED_OUT) > memory


def anonymous(pid: int) -> int:
    """Bytes of anonymous and shared memory that a process has, and of page tables, which 1 TB of untouched zeros fills
    with 2 GB; 0 if it is gone."""
    return _fields(f"/proc/{pid}/status", "RssAnon", "RssShmem", "VmPTE")


def shared_out(pid: int) -> int:
    """The same, with a page that n processes share counted as 1/n in each; all of it where the kernel does not say."""
    pages = _fields(f"/proc/{pid}/smaps_rollup", *SHARED_OUT)
    return pages + _fields(f"/proc/{pid}/status", "VmPTE") if pages else anonymous(pid)


def in_sockets(full: int) -> int:
    """Bytes that the child's sockets could hold, `full` each. What was sent and not yet read is the kernel's memory, and no
    process's: 480 pairs with enlarged buffers held 6 GB. A notebook has some five sockets."""
    try:
        with open("/proc/1/net/unix", "rb") as file:  # that of the child's network namespace
            return (sum(1 for _ in file) - 1) * full
    except OSError:
        return 0


def _fields(path: str, *names: str) -> int:
    try:
        with open(path) as file:
            return _sum(file, *names)
    except OSError:
        return 0


def _sum(lines: Iterable[str], *names: str) -> int:
    fields = dict(line.split(":", 1) for line in lines if line.startswith(names))
    return sum(int(fields[name].split()[0]) * 1024 for name in names if name in fields)


if __name__ == "__main__":
    main()
    os._exit(0)  # to take torch apart piece by piece takes 0.3 s, and nobody needs it
