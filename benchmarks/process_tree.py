"""Measure wall seconds, CPU seconds and peak memory of a command and everything that it starts, whoever reaps it."""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
# Reading the memory of about twenty processes takes 20 ms: at this interval 2 % of one core, for both sides alike.
SAMPLE_SECONDS = 1.0


@dataclass(frozen=True)
class Cost:
    """What a command took: seconds of wall and CPU time, and the peak of its proportional memory in bytes."""

    wall: float
    cpu: float
    peak_bytes: int


def measure(command: list[str], cwd: Path, on_line: Callable[[str], None] = lambda _: None) -> Cost:
    """Run `command` to its end, each line of its output to `on_line`. Orphans are reaped here, so their CPU time counts."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    before, started, peak = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic(), [0]
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    over = threading.Event()
    watcher = threading.Thread(target=_watch, args=(over, peak))
    watcher.start()
    assert process.stdout is not None
    for line in process.stdout:
        on_line(line)
    process.wait()
    wall = time.monotonic() - started
    over.set()
    watcher.join()
    while True:
        try:
            os.wait()
        except ChildProcessError:
            break
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, cpu, peak[0])


def _watch(over: threading.Event, peak: list[int]) -> None:
    while not over.wait(SAMPLE_SECONDS):
        peak[0] = max(peak[0], sum(proportional(pid) for pid in descendants(os.getpid())))


def descendants(root: int) -> list[int]:
    """The ids of all processes below `root`."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(folder.name))
    pids, queue = [], [root]
    while queue:
        below = children.get(queue.pop(), [])
        pids += below
        queue += below
    return pids


def proportional(pid: int) -> int:
    """A process's proportional set size in bytes: a page shared by n counts 1/n. 0 if it cannot be read."""
    return rollup(pid).get("Pss", 0)


def rollup(pid: int) -> dict[str, int]:
    """The sums in /proc/PID/smaps_rollup, in bytes; {} if it cannot be read."""
    try:
        lines = Path("/proc", str(pid), "smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return {}
    return {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines if line.endswith("kB")}
