"""The layers that confine a child: namespaces, private files, limits, capabilities, system calls.

Linux only, by ctypes; imports none of our modules. Each function applies one layer, raises OSError where the host refuses it,
and is called once in a process. The order matters: namespaces first (they give the right to mount), then mounts, then limits,
then no_new_privs and the system-call filter, after which nothing can be undone.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import resource
import signal
import stat
from pathlib import Path

CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x2000000, 0x4000000, 0x8000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_MOVE, MS_REC, MS_PRIVATE = (
    1,
    2,
    4,
    8,
    0x1000,
    0x2000,
    0x4000,
    0x40000,
)
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 4, 24, 38
LINUX_CAPABILITY_VERSION_3 = 0x20080522

LAST_STANDARD_DESCRIPTOR = 2  # stderr
# What /proc tells of the machine and of other processes on it, whatever the namespace; Docker hides the same.
MASKED = tuple(
    f"/proc/{name}"
    for name in (
        "acpi", "asound", "interrupts", "kallsyms", "kcore", "keys", "key-users", "latency_stats", "modules", "sched_debug",
        "scsi", "slabinfo", "sysrq-trigger", "timer_list", "timer_stats", "vmallocinfo", "kmsg", "pagetypeinfo", "softirqs",
    )
)  # fmt: skip
# Terminals that one child may open; a notebook opens one for each running `!command`.
TERMINALS = 32

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    """Raise OSError with the C library's error number unless `result` is 0."""
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def die_with_parent() -> None:
    """Have the kernel kill this process when the thread that started it ends."""
    _check(_libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "PR_SET_PDEATHSIG")


def unshare_mounts() -> None:
    """Give this process its own mount table. Needs root's rights."""
    _check(_libc.unshare(CLONE_NEWNS), "new mount namespace")
    mount("none", "/", None, MS_REC | MS_PRIVATE, "")


def enter_namespaces() -> None:
    """Enter a fresh namespace of every kind. The next fork is process 1 of a new process tree."""
    uid, gid = os.getuid(), os.getgid()
    flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP
    _check(_libc.unshare(flags), "new namespaces")
    # A new user namespace makes the process undumpable: /proc/self belongs to root, and the maps cannot be written.
    _check(_libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), "PR_SET_DUMPABLE")
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        Path(f"/proc/self/{name}").write_text(text)
    mount("none", "/", None, MS_REC | MS_PRIVATE, "")


def mount(source: str, target: str, kind: str | None, flags: int, options: str) -> None:
    """Call mount(2) with `kind` as the file system's type and `options` as its data."""
    fs = kind.encode() if kind else None
    _check(_libc.mount(source.encode(), target.encode(), fs, flags, options.encode()), f"mount {kind} on {target}")


def mount_private_files(tmp_bytes: int, shm_bytes: int, keep: list[str]) -> None:
    """Mount empty file systems of limited size on /tmp and /dev/shm, a /proc of this process tree only, and own terminals.

    The read-only folders in `keep` stay where they are below /tmp, since a virtual environment may be there. So the new /tmp is
    prepared on /new and then moved over the old one.
    """
    safe = MS_NOSUID | MS_NODEV
    mount("tmpfs", "/new", "tmpfs", safe, f"size={tmp_bytes},mode=1777,nr_inodes=20000")
    for path in keep:
        target = "/new" + path.removeprefix("/tmp")
        Path(target).mkdir(parents=True)
        mount(path, target, None, MS_BIND | MS_REC, "")
    mount("/new", "/tmp", None, MS_MOVE, "")
    mount("tmpfs", "/dev/shm", "tmpfs", safe | MS_NOEXEC, f"size={shm_bytes},mode=1777,nr_inodes=2000")
    mount("proc", "/proc", "proc", safe | MS_NOEXEC, "")
    # A shared mapping of /dev/zero is memory that remains when its pages leave the map. /dev/full reads as zeros too, and
    # cannot be mapped.
    mount("/dev/full", "/dev/zero", None, MS_BIND, "")
    for path in filter(os.path.exists, MASKED):
        if Path(path).is_dir():
            mount("tmpfs", path, "tmpfs", safe | MS_NOEXEC | MS_RDONLY, "size=0")
        else:
            mount("/dev/null", path, None, MS_BIND, "")
    # With the jail's terminals, children would see and exhaust each other's.
    mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, f"newinstance,ptmxmode=0666,mode=600,max={TERMINALS}")


def set_limits(data_bytes: int, processes: int, file_bytes: int, cpu_seconds: int) -> None:
    """Set the kernel's resource limits for each process (`processes`: for the user namespace); the memory watch limits the sum.

    `data_bytes` limits address space. At twice the watch's limit, the watch ends a loop that fills memory, and a single absurdly
    large array raises a MemoryError.
    """
    for what, value in (
        (resource.RLIMIT_DATA, data_bytes),
        (resource.RLIMIT_NPROC, processes),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 1024),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
    ):
        resource.setrlimit(what, (value, value))


def limit_data(more: int) -> None:
    """Limit this process's data to `more` bytes beyond what it has now.

    RLIMIT_AS would also count what is only mapped, such as libraries and weights.
    """
    with Path("/proc/self/status").open() as status:
        line = next(line for line in status if line.startswith("VmData:"))
    value, hard = int(line.split()[1]) * 1024 + more, resource.getrlimit(resource.RLIMIT_DATA)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (value, value))


def drop_capabilities() -> None:
    """Give up every capability for good: the bounding set, then the effective, permitted and inheritable sets."""
    for capability in range(64):
        if _libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break
    header = (ctypes.c_uint32 * 2)(LINUX_CAPABILITY_VERSION_3, 0)
    _check(_libc.capset(header, (ctypes.c_uint32 * 6)()), "capset")


def forbid_new_privileges() -> None:
    """Keep every program started from here from gaining rights by set-user-id bits or file capabilities."""
    _check(_libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS")


def reopen_files() -> set[int]:
    """Reopen the regular files that this process inherited, under their old descriptor numbers; return the numbers.

    matplotlib keeps its fonts open and reads glyphs later. An inherited descriptor shares its position with those of all other
    children, and if it were closed without matplotlib's knowledge, its number would soon be another file's.
    """
    reopened = set()
    for link in Path("/proc/self/fd").iterdir():
        old = int(link.name)
        try:
            if old > LAST_STANDARD_DESCRIPTOR and stat.S_ISREG(os.fstat(old).st_mode):
                position = os.lseek(old, 0, os.SEEK_CUR)
                new = os.open(link.readlink(), os.O_RDONLY | os.O_CLOEXEC)
                os.lseek(new, position, os.SEEK_SET)
                os.dup2(new, old, inheritable=False)
                os.close(new)
                reopened.add(old)
        except OSError:
            continue  # already closed, or not visible here: `close_descriptors` closes it
    return reopened


def close_descriptors(keep: set[int]) -> None:
    """Close every descriptor except those in `keep`."""
    bounds = [-1, *sorted(keep), 2**20]
    for below, above in itertools.pairwise(bounds):
        if above > below + 1:  # closerange(0, 0) would close all: the kernel takes its end of -1 for the largest number
            os.closerange(below + 1, above)
