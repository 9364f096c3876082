"""The system calls that a child may make: an allow list, and the arguments that are refused in it.

Two filters, because each alone is simple and the kernel obeys the stricter. The first has the list: whatever is not on it, so
also every call that is younger than it, is answered as by a kernel that lacks the call, and the C library takes an older one.
The second refuses calls and arguments with "not permitted", which is the clearer answer.
"""

from __future__ import annotations

import errno
import resource
import socket
from typing import Any

# What numpy, torch, IPython and the programs of a notebook's `!command` need, by what it is for. A name that libseccomp does not
# know is left out: the kernel may lack that call, and no program depends on it.
ALLOWED = (
    # files and their contents
    "open openat openat2 creat close close_range read readv pread64 preadv preadv2 write writev pwrite64 pwritev pwritev2 lseek "
    "_llseek sendfile copy_file_range splice tee fsync fdatasync sync sync_file_range syncfs truncate ftruncate fallocate "
    "fadvise64 readahead dup dup2 dup3 pipe pipe2 fcntl flock ioctl cachestat "
    # names, folders and attributes
    "stat fstat lstat newfstatat statx statfs fstatfs access faccessat faccessat2 getdents getdents64 getcwd chdir fchdir mkdir "
    "mkdirat rmdir link linkat symlink symlinkat readlink readlinkat unlink unlinkat rename renameat renameat2 mknod mknodat "
    "chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes futimesat utimensat umask getxattr lgetxattr "
    "fgetxattr setxattr lsetxattr fsetxattr listxattr llistxattr flistxattr removexattr lremovexattr fremovexattr "
    # memory
    "brk mmap munmap mremap mprotect msync madvise mincore mlock mlock2 munlock mlockall munlockall membarrier pkey_alloc "
    "pkey_free pkey_mprotect map_shadow_stack mseal "
    # processes and threads
    "clone fork vfork execve execveat exit exit_group wait4 waitid getpid getppid gettid getpgid getpgrp setpgid getsid setsid "
    "pidfd_open pidfd_send_signal kill tkill tgkill prctl arch_prctl set_thread_area get_thread_area set_tid_address "
    "set_robust_list get_robust_list rseq futex futex_waitv futex_wait futex_wake futex_requeue "
    # users, rights and limits: a child has no rights to use here, and asking is harmless
    "getuid geteuid getgid getegid getresuid getresgid getgroups setuid setgid setreuid setregid setresuid setresgid setfsuid "
    "setfsgid setgroups capget capset seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self getrlimit "
    "setrlimit prlimit64 getrusage times sysinfo uname getcpu "
    # the scheduler
    "sched_yield sched_getaffinity sched_setaffinity sched_getparam sched_setparam sched_getscheduler sched_setscheduler "
    "sched_get_priority_max sched_get_priority_min sched_rr_get_interval sched_getattr sched_setattr getpriority setpriority "
    "ioprio_get ioprio_set "
    # signals, clocks and timers
    "rt_sigaction rt_sigprocmask rt_sigpending rt_sigsuspend rt_sigtimedwait rt_sigqueueinfo rt_tgsigqueueinfo rt_sigreturn "
    "sigaltstack pause restart_syscall signalfd signalfd4 time gettimeofday clock_gettime clock_getres clock_nanosleep nanosleep "
    "alarm getitimer setitimer timer_create timer_settime timer_gettime timer_getoverrun timer_delete timerfd_create "
    "timerfd_settime timerfd_gettime "
    # waiting, and Unix sockets
    "poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 eventfd eventfd2 socket "
    "socketpair bind listen accept accept4 connect getsockname getpeername getsockopt setsockopt shutdown sendto sendmsg "
    "sendmmsg recvfrom recvmsg recvmmsg "
    "getrandom"
).split()
# Calls that no notebook needs and that past escapes used: other processes' memory, the mount table, new namespaces, kernel
# modules and keys, io_uring (which bypasses every filter), and the like. The list above lacks them too; here they get their
# answer.
REFUSED = (
    "ptrace process_vm_readv process_vm_writev kcmp pidfd_getfd process_madvise perf_event_open bpf userfaultfd "
    "mount umount2 pivot_root chroot move_mount open_tree open_tree_attr fsopen fsconfig fsmount fspick mount_setattr statmount "
    "listmount swapon swapoff unshare setns init_module finit_module delete_module kexec_load kexec_file_load reboot acct "
    "quotactl quotactl_fd syslog add_key request_key keyctl io_uring_setup io_uring_enter io_uring_register open_by_handle_at "
    "name_to_handle_at settimeofday clock_settime clock_adjtime adjtimex sethostname setdomainname iopl ioperm vhangup "
    "lookup_dcookie nfsservctl fanotify_init personality mbind set_mempolicy get_mempolicy set_mempolicy_home_node migrate_pages "
    "move_pages modify_ldt uselib sysfs ustat "
    # Memory in no process's map, which the watch cannot see: a child took 1.5 GB in this way under a limit of 0.3.
    "memfd_create memfd_secret shmget semget msgget mq_open vmsplice "
    # The kernel counts these per user of the host, whatever the namespace: one child could use up its neighbours' share.
    "inotify_init inotify_init1 io_setup"
).split()
MAP_SHARED_ANONYMOUS, MAP_HUGETLB = 0x21, 0x40000
PR_SET_PDEATHSIG, F_SETLEASE, F_NOTIFY = 1, 1024, 1026
SO_SNDBUFFORCE = 32  # the socket module has no name for it
# CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET
NEW_NAMESPACES = (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000)
# The kernel reads an int from the lower half of an argument. A rule for all 64 bits would miss one with a bit set above.
INT = 0xFFFFFFFF


def make_filters() -> list[Any]:
    """Build the two seccomp filters (pyseccomp's), in the order in which their `load()` must be called."""
    return [_make_list(), _make_refusals()]


def _make_filter(action: int) -> Any:
    import pyseccomp

    rules = pyseccomp.SyscallFilter(defaction=action)
    # For the same calls by their 32-bit or x32 numbers. By default libseccomp ends one thread, and the rest would hang.
    rules.set_attr(pyseccomp.Attr.ACT_BADARCH, pyseccomp.KILL_PROCESS)
    return rules


def _make_list() -> Any:
    """Allow the calls on the list. clone3 is not on it: it keeps its flags in memory, where no filter can look."""
    import pyseccomp

    rules = _make_filter(pyseccomp.ERRNO(errno.ENOSYS))
    for name in _known(ALLOWED):
        rules.add_rule(pyseccomp.ALLOW, name)
    return rules


def _make_refusals() -> Any:
    """Refuse calls and arguments. Of two filters that refuse a call, the one that was loaded last gives the answer."""
    import pyseccomp

    rules, deny = _make_filter(pyseccomp.ALLOW), pyseccomp.ERRNO(errno.EPERM)

    def refuse(call: str, argument: int, mask: int, value: int) -> None:
        rules.add_rule(deny, call, pyseccomp.Arg(argument, pyseccomp.MASKED_EQ, mask, value))

    for name in _known(REFUSED):
        rules.add_rule(deny, name)
    for call in ("socket", "socketpair"):
        rules.add_rule(deny, call, pyseccomp.Arg(0, pyseccomp.NE, socket.AF_UNIX))
    # Shared memory without a file also remains when its pages leave the map. torch and multiprocessing share memory in files.
    refuse("mmap", 3, MAP_SHARED_ANONYMOUS, MAP_SHARED_ANONYMOUS)
    refuse("mmap", 3, MAP_HUGETLB, MAP_HUGETLB)  # of the machine's reserve, which counts as no process's memory
    for flag in NEW_NAMESPACES:  # a user namespace would open the way to every other
        refuse("clone", 0, flag, flag)
    # Without its parent-death signal a child would outlive a supervisor that the machine killed.
    refuse("prctl", 0, INT, PR_SET_PDEATHSIG)
    # A child that the kernel kills at a CPU limit of its own choice would look as if this machine had killed it.
    refuse("setrlimit", 0, INT, resource.RLIMIT_CPU)
    rules.add_rule(
        deny,
        "prlimit64",
        pyseccomp.Arg(1, pyseccomp.MASKED_EQ, INT, resource.RLIMIT_CPU),
        pyseccomp.Arg(2, pyseccomp.NE, 0),
    )
    for command in (F_SETLEASE, F_NOTIFY):  # a lease holds up whoever opens the file next, outside too, for 45 s
        refuse("fcntl", 1, INT, command)
    # A request for a larger send buffer does nothing and reports success. Data in sockets is in no process's memory, and the
    # watch counts every socket as full at the default size.
    level = pyseccomp.Arg(1, pyseccomp.MASKED_EQ, INT, socket.SOL_SOCKET)
    for option in (socket.SO_SNDBUF, SO_SNDBUFFORCE):
        rules.add_rule(pyseccomp.ERRNO(0), "setsockopt", pyseccomp.Arg(2, pyseccomp.MASKED_EQ, INT, option), level)
    return rules


def _known(names: list[str]) -> list[str]:
    """The names that libseccomp knows on this architecture."""
    import pyseccomp

    return [name for name in names if pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name) >= 0]
