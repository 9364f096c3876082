"""Which system calls a child may make: those on a list, with harmless arguments. Each test runs in a real child."""

from __future__ import annotations

import errno
import os

import pyseccomp
import pytest

from autograder.sandbox import calls
from tests.support.sandboxed import Sandbox

ANSWERS = """
import ctypes, errno
libc, seen = ctypes.CDLL(None, use_errno=True), {}
for number in %r:
    ctypes.set_errno(0)
    seen[number] = libc.syscall(number, -1, 0, 0, 0, 0, 0) and ctypes.get_errno()
"""
CALL = "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
x86_only = pytest.mark.skipif(os.uname().machine != "x86_64", reason="the numbers are those of x86_64")
# Past the last call of Linux 6.18; a later kernel's calls are refused by the same rule.
# (335 and 336 on x86_64 are the kernel's own, for probes: it lets them past every filter, and ends a program that makes them.)
NUMBERS = [number for number in range(600) if number not in (335, 336)]
# Calls that Docker refuses by default, some of them younger than the C library's list of names.
YOUNG = {"quotactl_fd": 443, "memfd_secret": 447, "process_mrelease": 448, "set_mempolicy_home_node": 450,
         "statmount": 457, "listmount": 458, "lsm_get_self_attr": 459, "lsm_set_self_attr": 460,
         "lsm_list_modules": 461, "setxattrat": 463, "open_tree_attr": 467, "file_getattr": 468}  # fmt: skip


def number(name: str) -> int:
    return int(pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name))


def test_every_call_that_is_not_on_the_list_is_refused(sandbox: Sandbox) -> None:
    """By its number, so also a call that is younger than this list and than libseccomp."""
    allowed = {number(name) for name in calls.ALLOWED}
    answers = sandbox.look(ANSWERS % [n for n in NUMBERS if n not in allowed])
    assert {n: answer for n, answer in answers.items() if answer not in (errno.EPERM, errno.ENOSYS)} == {}


@x86_only
def test_young_calls_are_refused_as_if_the_kernel_did_not_have_them(sandbox: Sandbox) -> None:
    """The C library then takes an older one."""
    answers = sandbox.look(ANSWERS % list(YOUNG.values()))
    assert set(answers.values()) <= {errno.EPERM, errno.ENOSYS}


def test_every_refused_call_says_that_it_is_not_permitted(sandbox: Sandbox) -> None:
    numbers = {name: number(name) for name in calls.REFUSED}
    answers = sandbox.look(ANSWERS % [n for n in numbers.values() if n >= 0])
    assert {"ptrace", "mount", "unshare", "setns", "bpf", "keyctl", "get_mempolicy", "quotactl_fd"} <= set(numbers)
    assert set(answers.values()) == {errno.EPERM}


@pytest.mark.parametrize("high", [0, 1 << 32])
@pytest.mark.parametrize(
    ("what", "name", "arguments"),
    [
        ("a cleared parent-death signal", "prctl", "1 | high, 0, 0, 0, 0"),
        ("a file lease", "fcntl", "os.open(path, os.O_RDONLY), 1024 | high, 0"),
        ("a network socket", "socket", "2 | high, 1, 0"),
        ("a new namespace", "clone", "0x10000211 | high, 0, 0, 0, 0"),
        ("the machine's huge pages", "mmap", "0, 2**21, 3, 0x40022 | high, -1, 0"),
    ],
)
def test_a_refused_argument_cannot_be_disguised(
    sandbox: Sandbox, what: str, name: str, arguments: str, high: int
) -> None:
    """The kernel reads 32 of an argument's 64 bits, and so must the filter."""
    source = f"""{CALL}import os
high, path = {high}, "/tmp/leased"
open(path, "w").close()
result = libc.syscall(*map(ctypes.c_long, ({number(name)}, {arguments})))
seen = result, ctypes.get_errno()"""
    assert sandbox.look(source) == (-1, errno.EPERM), what


@pytest.mark.parametrize("high", [0, 1 << 32])
def test_a_larger_send_buffer_cannot_be_had_by_a_disguised_number(sandbox: Sandbox, high: int) -> None:
    source = f"""{CALL}import socket
end, size = socket.socketpair()[0], ctypes.c_int(2**22)
before = end.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
long = ctypes.c_long
libc.syscall({number("setsockopt")}, end.fileno(), long(1 | {high}), long(7 | {high}), ctypes.byref(size), 4)
seen = end.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) - before"""
    assert sandbox.look(source) == 0


def test_honest_programs_work(sandbox: Sandbox) -> None:
    """What notebooks do beyond numbers: processes, threads, pools, files of every kind, signals, sockets, timers."""
    source = """
import asyncio, concurrent.futures, mmap, os, selectors, shutil, signal, socket, sqlite3, subprocess, sys, tempfile, threading
import numpy, torch
from multiprocessing import get_context
with tempfile.TemporaryDirectory() as folder:
    path = folder + "/file"
    open(path, "wb").write(bytes(99)); shutil.copy2(path, path + "2"); os.replace(path + "2", path + "3")
    os.link(path, path + "4"); os.symlink(path, path + "5"); os.chmod(path, 0o600); os.utime(path); os.truncate(path, 5)
    os.mkfifo(path + "6"); list(os.scandir(folder)); os.statvfs(folder); shutil.disk_usage(folder)
    with sqlite3.connect(path + "7") as base: base.execute("create table t (x)")
    numpy.save(path + "8.npy", numpy.ones(9)); numpy.load(path + "8.npy", mmap_mode="r")
    torch.save(torch.ones(9), path + "9"); torch.load(path + "9", mmap=True)
assert subprocess.run("echo $(( 2 + 3 )) | cat", shell=True, capture_output=True).stdout == b"5\\n"
with concurrent.futures.ThreadPoolExecutor(2) as pool: assert list(pool.map(abs, [-1, -2])) == [1, 2]
with get_context("fork").Pool(2) as pool: assert pool.map(abs, [-1, -2]) == [1, 2]
loader = torch.utils.data.DataLoader(torch.arange(8.0), batch_size=4, num_workers=2)
assert sum(batch.sum().item() for batch in loader) == 28
signal.signal(signal.SIGALRM, lambda *_: None); signal.setitimer(signal.ITIMER_REAL, .01); signal.pause()
threading.Thread(target=lambda: None).start()
os.sched_getaffinity(0); os.nice(0); os.getloadavg(); os.urandom(4); os.cpu_count()
selectors.DefaultSelector().close()
a, b = socket.socketpair(); a.sendall(b"x"); b.recv(1)
seen = subprocess.run([sys.executable, "-c", "print(6 * 7)"], capture_output=True, text=True).stdout
"""
    assert sandbox.look(source) == "42\n"
