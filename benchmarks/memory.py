"""Measure the memory of every part while a large class is graded. It stays level if nothing is kept between submissions.

python benchmarks/memory.py [SUBMISSIONS]    default 500: about four minutes with two workers
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from benchmarks.against_nbgrader import BIN, FOLDER, environment, make_class
from benchmarks.process_tree import descendants, rollup
from tests.support.classroom import NAME

MEGABYTE = 2**20


def main(count: int = 500) -> None:
    make_class(count)
    command = [str(BIN / "autograder"), "grade", NAME, "--json", "--workers", "2"]
    process = subprocess.Popen(
        command, cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment()
    )
    over = threading.Event()
    peaks: dict[int, int] = {}
    watcher = threading.Thread(target=watch_children, args=(over, peaks))
    watcher.start()
    print(
        f"{'graded':>7} {'main':>7} {'workers':>8} {'warm':>7} {'open files':>11} {'processes':>10}   (MB, proportional)"
    )
    assert process.stdout is not None
    for number, line in enumerate(process.stdout, 1):
        assert json.loads(line)["status"] == "completed"
        if number % (count // 10) == 0:
            print_row(number, process.pid)
    process.wait()
    over.set()
    watcher.join()
    sizes = [peak / MEGABYTE for peak in peaks.values()]
    print(
        f"private memory of {len(sizes)} running children, the peak of each: median {statistics.median(sizes):.0f} MB, "
        f"most {max(sizes):.0f} MB (one that imports open_clip, which this notebook does not)"
    )


def parts(root: int) -> dict[str, list[int]]:
    """The process ids of one `autograder grade`: the writer, the fork server with its workers, the jail."""
    pids: dict[str, list[int]] = {"main": [root], "workers": [], "jail": []}
    for pid in descendants(root):
        try:
            command = Path("/proc", str(pid), "cmdline").read_bytes()
        except OSError:
            continue
        pids["jail" if b"sandbox.zygote" in command else "workers"].append(pid)
    return pids


def print_row(number: int, root: int) -> None:
    """Print the memory in MB, open files and processes when `number` submissions are graded."""
    pids = parts(root)
    warm = pids["jail"][:3]  # bwrap, its first process and the warm one; the others come and go
    sums = [sum(rollup(pid).get("Pss", 0) for pid in part) / MEGABYTE for part in (pids["main"], pids["workers"], warm)]
    files = sum(open_files(pid) for pid in pids["main"] + pids["workers"] + warm)
    total = sum(map(len, pids.values()))
    print(f"{number:7} {sums[0]:7.0f} {sums[1]:8.0f} {sums[2]:7.0f} {files:11} {total:10}", flush=True)


def open_files(pid: int) -> int:
    """How many descriptors a process has; 0 if it has ended."""
    try:
        return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return 0


def watch_children(over: threading.Event, peaks: dict[int, int]) -> None:
    """Keep the largest private memory of each child in `peaks`, in bytes by process id, until `over`."""
    while not over.wait(0.1):
        for pid in filter(is_child, parts(os.getpid())["jail"]):
            private = rollup(pid).get("Private_Dirty", 0) + rollup(pid).get("Private_Clean", 0)
            peaks[pid] = max(peaks.get(pid, 0), private)


def is_child(pid: int) -> bool:
    """Whether a process of the jail is a child: its namespace is below that of the warm process, which is one below ours."""
    try:
        status = Path("/proc", str(pid), "status").read_text()
    except OSError:
        return False
    return len(next(line for line in status.splitlines() if line.startswith("NSpid")).split()) > DEPTH + 1


DEPTH = len(
    next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("NSpid")).split()
)

if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
