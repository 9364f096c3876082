"""The supervisor's watch over one child: its end, its memory, and its share of the processor.

This process has the child's /proc, which shows the child's process tree only.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

# How often the memory of a child is read. At 20 Hz a reading costs 0.1 ms, and a child that fills memory at 2 GB a second is
# stopped 100 MB over its limit.
WATCH_SECONDS = 0.05
# A kernel has four tasks, and each of a DataLoader's workers has two.
MANY_TASKS = 12
LOWEST_PRIORITY = 19  # as a nice value; it has a 70th of the normal weight
PROPORTIONAL = ("Pss_Anon", "Pss_Shmem")
MAX_DOUBT = 200  # characters


def watch(pid: int, leash: socket.socket, memory: int, shared: BinaryIO, turns: Turns) -> dict[str, Any]:
    """Wait until the child ends, the judge closes the leash, or the child exceeds `memory` bytes; report which it was.

    `shared` is this supervisor's own account of the memory that it shares with the warm process (see `exceeds`).
    """
    handle = os.pidfd_open(pid)
    poller = select.poll()
    poller.register(handle, select.POLLIN)
    poller.register(leash, select.POLLIN | select.POLLHUP)
    buffer = leash.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)  # the default size, which the child cannot enlarge
    while True:
        ready = {descriptor for descriptor, _ in poller.poll(WATCH_SECONDS * 1000)}
        over, doubt = False, ""
        try:
            over = not ready and exceeds(memory - buffered(buffer), shared)
            turns.share()
        except Exception as error:  # a child that cannot be watched is ended, whatever it did to be so
            doubt = f"{type(error).__name__}: {error}"[:MAX_DOUBT]
        if leash.fileno() in ready or over or doubt:
            os.kill(pid, signal.SIGKILL)  # process 1 of its namespace: the kernel ends the rest with it
        if ready or over or doubt:
            _, status, usage = os.wait4(pid, 0)
            seconds = usage.ru_utime + usage.ru_stime
            end = {"out_of_memory": over, "status": os.waitstatus_to_exitcode(status), "cpu_seconds": seconds}
            return {**end, "doubt": doubt}


class Turns:
    """Lowers the priority of a child with many tasks, so that its neighbours get their turns.

    Beside a fork bomb of 64 processes, a neighbour's function of 50 ms took over 8 s and exceeded its time limit.
    """

    def __init__(self, processes: int, pid: int) -> None:
        """`processes` is a descriptor of the jail's /proc, and `pid` the child's number in it."""
        self.processes, self.pid = processes, pid

    def share(self) -> None:
        """If the child has many tasks, lower the priority of all but the first."""
        if sum(map(_count_tasks, _process_names("/proc"))) <= MANY_TASKS:
            return
        with contextlib.suppress(OSError):
            namespace = os.readlink(f"{self.pid}/ns/pid", dir_fd=self.processes)
            for name in _process_names(self.processes):
                with contextlib.suppress(
                    OSError
                ):  # it has ended, or belongs to another child, whose namespaces are hidden
                    if os.readlink(f"{name}/ns/pid", dir_fd=self.processes) == namespace:
                        self._lower_priority(name)

    def _lower_priority(self, name: str) -> None:
        tasks = os.open(f"{name}/task", os.O_RDONLY, dir_fd=self.processes)
        try:
            for task in map(int, os.listdir(tasks)):
                if task != self.pid:
                    with contextlib.suppress(OSError):
                        os.setpriority(os.PRIO_PROCESS, task, LOWEST_PRIORITY)
        finally:
            os.close(tasks)


def exceeds(memory: int, shared: BinaryIO) -> bool:
    """Whether the child's process tree took more than `memory` bytes beyond what it had from the fork.

    The sum of RssAnon counts a shared page once for each process that has it, so it is never too small. It is read first, since
    the proportional sum walks page tables and takes 7 ms a process instead of 0.2. The proportional sum divides the warm
    process's pages among all processes that have them. One share is the child's from the fork; it equals that of this supervisor,
    which has written to nothing, and which `shared` reads. A child that forks holds more shares, so the sum can be too large by
    the warm process's own size, 0.3 GB, but never too small by more than a third of that.
    """
    processes = [int(name) for name in _process_names("/proc")]
    if sum(map(anonymous, processes)) <= memory:
        return False
    shared.seek(0)
    return sum(map(proportional, processes)) - _sum_fields(shared, *PROPORTIONAL) > memory


def anonymous(pid: int) -> int:
    """Return the bytes of a process's anonymous and shared memory and its page tables; 0 if it has ended.

    Page tables count because 1 TB of untouched zeros fills 2 GB of them.
    """
    return _read_fields(_living_task(pid), "status", "RssAnon", "RssShmem", "VmPTE")


def proportional(pid: int) -> int:
    """Return the same with a page that n processes share counted as 1/n, or `anonymous` where the kernel does not report it."""
    task = _living_task(pid)
    pages = _read_fields(task, "smaps_rollup", *PROPORTIONAL)
    return pages + _read_fields(task, "status", "VmPTE") if pages else anonymous(pid)


def _living_task(pid: int) -> str:
    """The folder in /proc of a process, or of a thread of it that still runs: once its first thread has ended, the process's own
    files say nothing of the memory that the others hold."""
    folder = f"/proc/{pid}"
    if _read_fields(folder, "status", "VmPTE"):
        return folder
    try:
        tasks = [f"{folder}/task/{name}" for name in os.listdir(f"{folder}/task")]
    except OSError:
        return folder  # it has ended
    return next((task for task in tasks if _read_fields(task, "status", "VmPTE")), folder)


def buffered(size: int) -> int:
    """Return the bytes that the child's sockets could hold, at `size` each.

    Unread data is the kernel's memory and not any process's: 480 socket pairs with enlarged buffers held 6 GB. A notebook has
    about five sockets.
    """
    try:
        with Path("/proc/1/net/unix").open("rb") as file:  # of the child's network namespace
            return (sum(1 for _ in file) - 1) * size
    except OSError:
        return 0


def _process_names(proc: str | int) -> list[str]:
    return [name for name in os.listdir(proc) if name.isdigit()]


def _count_tasks(name: str) -> int:
    """Return the number of a process's threads; 0 if it has ended."""
    try:
        return Path(f"/proc/{name}/task").stat().st_nlink - 2  # each thread is a folder, whose `..` is a link
    except OSError:
        return 0


def _read_fields(folder: str, name: str, *fields: str) -> int:
    """Add up these fields of a file in /proc, in bytes; 0 if the process has ended."""
    try:
        with Path(folder, name).open("rb") as file:
            return _sum_fields(file, *fields)
    except OSError:
        return 0


def _sum_fields(lines: Iterable[bytes], *names: str) -> int:
    """Add up lines such as `VmPTE:   12 kB`, in bytes. They are bytes, since a process chooses its name in one of them."""
    wanted = tuple(f"{name}:".encode() for name in names)
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(wanted))
