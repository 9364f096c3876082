"""What shuts a child in: namespaces, private file systems, limits, capabilities, system calls. Linux, ctypes, no imports
of ours. Each function does one layer, raises OSError where the host refuses it, and is called once a process.

The order matters: namespaces first (they give the right to mount), then mounts, then limits, then no_new_privs and the
system-call filter, after which nothing can be undone.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import resource
import signal
import stat
from typing import Any

CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x2000000, 0x4000000, 0x8000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_MOVE, MS_REC, MS_PRIVATE = 2, 4, 8, 0x1000, 0x2000, 0x4000, 0x40000
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 4, 24, 38
LINUX_CAPABILITY_VERSION_3 = 0x20080522

# Calls that no notebook needs and that have carried past escapes: other processes' memory, the mount table, new
# namespaces, kernel modules and keys, io_uring (which goes round every filter), and the like.
DENIED_CALLS = (
    "ptrace process_vm_readv process_vm_writev kcmp pidfd_getfd process_madvise perf_event_open bpf userfaultfd "
    "mount umount2 pivot_root chroot move_mount open_tree fsopen fsconfig fsmount fspick mount_setattr swapon swapoff "
    "unshare setns init_module finit_module delete_module kexec_load kexec_file_load reboot acct quotactl syslog "
    "add_key request_key keyctl io_uring_setup io_uring_enter io_uring_register open_by_handle_at name_to_handle_at "
    "settimeofday clock_settime clock_adjtime adjtimex sethostname setdomainname iopl ioperm vhangup lookup_dcookie "
    "nfsservctl fanotify_init personality mbind set_mempolicy migrate_pages move_pages modify_ldt uselib sysfs ustat "
    # Memory that belongs to no process's map, so that no watch sees it: 1.5 GB was taken so under a limit of 0.3.
    "memfd_create memfd_secret shmget semget msgget mq_open vmsplice "
    # Counted for each user of the host, whatever the namespace: one child could leave none to its neighbours.
    "inotify_init inotify_init1 io_setup"
).split()
MAP_SHARED_ANONYMOUS = 0x21
SO_SNDBUF, SO_SNDBUFFORCE = 7, 32
# Terminals that one child may open; a notebook opens one for each `!command` that runs.
TERMINALS = 32

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def die_with_parent() -> None:
    """Let the kernel kill this process when the thread that started it ends."""
    _check(_libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "PR_SET_PDEATHSIG")


def unshare_mounts() -> None:
    """A mount table of this process's own; needs root's rights."""
    _check(_libc.unshare(CLONE_NEWNS), "new mount namespace")
    mount("none", "/", None, MS_REC | MS_PRIVATE, "")


def new_namespaces() -> None:
    """Leave every namespace shared with others for a fresh one; the next fork is process 1 of a new process tree."""
    uid, gid = os.getuid(), os.getgid()
    flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP
    _check(_libc.unshare(flags), "new namespaces")
    # Not dumpable after a new user namespace: /proc/self would belong to root and the maps could not be written.
    _check(_libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), "PR_SET_DUMPABLE")
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    mount("none", "/", None, MS_REC | MS_PRIVATE, "")


def mount(source: str, target: str, kind: str | None, flags: int, options: str) -> None:
    """mount(2)."""
    fs = kind.encode() if kind else None
    _check(_libc.mount(source.encode(), target.encode(), fs, flags, options.encode()), f"mount {kind} on {target}")


def private_files(tmp_bytes: int, shm_bytes: int, keep: list[str]) -> None:
    """Fresh, empty, sized file systems on /tmp and /dev/shm, a /proc that shows this process tree only, and
    terminals of its own.

    `keep` are read-only folders that stay where they are below /tmp: a virtual environment may stand there. So the new
    /tmp is made ready on /new and then moved over the old.
    """
    safe = MS_NOSUID | MS_NODEV
    mount("tmpfs", "/new", "tmpfs", safe, f"size={tmp_bytes},mode=1777,nr_inodes=20000")
    for path in keep:
        target = "/new" + path.removeprefix("/tmp")
        os.makedirs(target)
        mount(path, target, None, MS_BIND | MS_REC, "")
    mount("/new", "/tmp", None, MS_MOVE, "")
    mount("tmpfs", "/dev/shm", "tmpfs", safe | MS_NOEXEC, f"size={shm_bytes},mode=1777,nr_inodes=2000")
    mount("proc", "/proc", "proc", safe | MS_NOEXEC, "")
    # A shared mapping of /dev/zero is memory that stays when its pages leave the map; /dev/full reads alike and maps not.
    mount("/dev/full", "/dev/zero", None, MS_BIND, "")
    # Terminals too: in the jail's own, children would see and exhaust each other's.
    mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, f"newinstance,ptmxmode=0666,mode=600,max={TERMINALS}")


def limits(data_bytes: int, processes: int, file_bytes: int, cpu_seconds: int) -> None:
    """Ceilings of the kernel's own, per process (processes: per user namespace); the memory watch bounds the sum. Data is
    address space: at twice the watch's limit, a greedy loop is ended by the watch, and one absurd array by a MemoryError."""
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
    """Let this process take `more` bytes of data than it has now. RLIMIT_AS would count what it only maps, libraries and
    weights, as well."""
    with open("/proc/self/status") as status:
        has = next(line for line in status if line.startswith("VmData:"))
    value, hard = int(has.split()[1]) * 1024 + more, resource.getrlimit(resource.RLIMIT_DATA)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (value, value))


def drop_capabilities() -> None:
    """Give up every capability, for good: bounding set, then effective, permitted and inheritable."""
    for capability in range(64):
        if _libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break
    header = (ctypes.c_uint32 * 2)(LINUX_CAPABILITY_VERSION_3, 0)
    _check(_libc.capset(header, (ctypes.c_uint32 * 6)()), "capset")


def no_new_privileges() -> None:
    """No program started from here can gain rights by set-user-id bits or file capabilities."""
    _check(_libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS")


def make_filter() -> Any:
    """A seccomp filter (libseccomp's, by pyseccomp) that answers EPERM to DENIED_CALLS and to network sockets."""
    import pyseccomp

    rules = pyseccomp.SyscallFilter(defaction=pyseccomp.ALLOW)
    deny = pyseccomp.ERRNO(1)
    # The same calls by their 32-bit or x32 numbers; libseccomp's own answer ends one thread, and the rest would hang.
    rules.set_attr(pyseccomp.Attr.ACT_BADARCH, pyseccomp.KILL_PROCESS)
    for name in DENIED_CALLS:
        try:
            rules.add_rule(deny, name)
        except (OSError, ValueError):
            continue  # libseccomp does not know this one on this architecture: then neither does the kernel's table
    af_unix = 1
    for call in ("socket", "socketpair"):
        rules.add_rule(deny, call, pyseccomp.Arg(0, pyseccomp.NE, af_unix))
    # Shared memory without a file, too, outlives its pages' place in the map. What torch and multiprocessing share has files.
    shared = pyseccomp.Arg(3, pyseccomp.MASKED_EQ, MAP_SHARED_ANONYMOUS, MAP_SHARED_ANONYMOUS)
    rules.add_rule(deny, "mmap", shared)
    # A larger send buffer is a wish that is not granted, with success: what sockets hold is in no process's memory, and the
    # watch counts every socket as full at the default size.
    for option in (SO_SNDBUF, SO_SNDBUFFORCE):
        rules.add_rule(
            pyseccomp.ERRNO(0), "setsockopt", pyseccomp.Arg(2, pyseccomp.EQ, option), pyseccomp.Arg(1, pyseccomp.EQ, 1)
        )
    # clone with CLONE_NEWUSER would open the way to every other namespace; clone3 hides its flags in memory, where no
    # filter can look, so it is answered ENOSYS and the C library falls back to clone.
    rules.add_rule(deny, "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, CLONE_NEWUSER, CLONE_NEWUSER))
    rules.add_rule(pyseccomp.ERRNO(38), "clone3")
    return rules


def own_files() -> set[int]:
    """Open anew, under their old numbers, the regular files that this process was forked with; returns the numbers.

    matplotlib keeps its fonts open and reads glyphs late. A descriptor from before the fork shares its position with every
    other child's, and one that was closed behind matplotlib's back is soon another file's number.
    """
    renewed = set()
    for name in os.listdir("/proc/self/fd"):
        old = int(name)
        try:
            if old > 2 and stat.S_ISREG(os.fstat(old).st_mode):  # 0 to 2 are the standard ones
                position = os.lseek(old, 0, os.SEEK_CUR)
                new = os.open(os.readlink(f"/proc/self/fd/{old}"), os.O_RDONLY | os.O_CLOEXEC)
                os.lseek(new, position, os.SEEK_SET)
                os.dup2(new, old, inheritable=False)
                os.close(new)
                renewed.add(old)
        except OSError:
            continue  # gone, or not to be seen from here: it is closed with the rest
    return renewed


def close_descriptors(keep: set[int]) -> None:
    """Close every descriptor but `keep`."""
    bounds = [-1, *sorted(keep), 2**20]
    for below, above in itertools.pairwise(bounds):
        if above > below + 1:  # closerange(0, 0) closes all: the kernel takes its end of -1 for the largest number
            os.closerange(below + 1, above)
