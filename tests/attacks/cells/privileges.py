import ctypes, errno, os, resource, subprocess
libc = ctypes.CDLL(None, use_errno=True)
def must_fail(what, act):
    try: got = act()
    except BaseException: return
    print("BREACH:", what, repr(got)[:200])
def must_be_refused(what, number, *arguments):
    if libc.syscall(number, *arguments) >= 0: print("BREACH:", what)

# %% becomes-root
# tries: to become root by set-user-id programs and calls
# base: solution
must_fail("setuid", lambda: os.setuid(0))
must_fail("setgid", lambda: os.setgid(0))
must_fail("setgroups", lambda: os.setgroups([0]))
for command in ("su -c id", "sudo -n id", "pkexec id", "newgrp root", "mount -t tmpfs none /tmp"):
    done = subprocess.run(command, shell=True, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if "uid=0" in done.stdout or done.returncode == 0 and "mount" in command: print("BREACH:", command)
print("tried")

# %% mounts
# tries: to mount file systems over and under its own
# base: solution
must_be_refused("mount", 165, b"none", b"/tmp", b"tmpfs", 0, 0)
must_be_refused("umount", 166, b"/tmp", 2)
must_be_refused("pivot_root", 155, b"/tmp", b"/tmp")
must_be_refused("chroot", 161, b"/tmp")
must_be_refused("open_tree", 428, -100, b"/", 1)
must_be_refused("fsopen", 430, b"tmpfs", 0)
must_be_refused("mount_setattr", 442, -100, b"/", 0, 0, 0)
print("tried")

# %% new-namespaces
# tries: to make user and mount namespaces, in which it would be root
# base: solution
for name, flag in (("user", 0x10000000), ("mount", 0x20000), ("net", 0x40000000), ("pid", 0x20000000)):
    must_be_refused("unshare " + name, 272, flag)
pid = libc.syscall(56, 0x10000000 | 17, 0, 0, 0, 0)
if pid == 0: os._exit(0)
if pid > 0: print("BREACH: clone")
arguments = (ctypes.c_uint64 * 11)(0x10000000, 0, 0, 0, 17)
pid = libc.syscall(435, arguments, 88)
if pid == 0: os._exit(0)
if pid > 0: print("BREACH: clone3")
for kind in ("user", "mnt", "net", "pid"):
    must_fail("setns " + kind, lambda: must_be_refused("setns", 308, os.open(f"/proc/1/ns/{kind}", os.O_RDONLY), 0) or 1 / 0)
print("tried")

# %% io-uring
# tries: the ring of calls that goes round every filter
# base: solution
parameters = ctypes.create_string_buffer(120)
must_be_refused("io_uring_setup", 425, 8, parameters)
must_be_refused("io_uring_enter", 426, 3, 1, 1, 0, 0, 0) 
print("tried")

# %% kernel-doors
# tries: calls that have carried past escapes: bpf, perf, userfaultfd, keys, modules, handles
# base: solution
# stock: it would change the machine that measures it
attributes = ctypes.create_string_buffer(128)
for name, number, *arguments in (
    ("bpf", 321, 0, attributes, 128), ("perf_event_open", 298, attributes, 0, -1, -1, 0), ("userfaultfd", 323, 1),
    ("add_key", 248, b"user", b"THE_MARK", b"x", 1, -3), ("request_key", 249, b"user", b"THE_MARK", 0, 0),
    ("keyctl", 250, 0, -3, 1), ("init_module", 175, attributes, 1, b""), ("kexec_load", 246, 0, 0, 0, 0),
    ("open_by_handle_at", 304, -100, attributes, 0), ("name_to_handle_at", 303, -100, b"/", attributes, attributes, 0),
    ("personality", 135, 0x0040000), ("pidfd_getfd", 438, 3, 0, 0), ("modify_ldt", 154, 0, attributes, 16), ("acct", 163, 0),
    ("swapon", 167, b"/tmp/x", 0), ("quotactl", 179, 0, 0, 0, 0), ("syslog", 103, 3, attributes, 10), ("iopl", 172, 3),
    ("fanotify_init", 300, 0, 0), ("inotify_init", 253), ("memfd_create", 319, b"x", 0), ("memfd_secret", 447, 0),
):
    must_be_refused(name, number, *arguments)
print("tried")

# %% system-calls-in-32-bit
# tries: to pass the filter by the numbers of another architecture (int 0x80)
# base: solution
# status: died
import mmap
code = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=7)
code.write(b"\x53\xb8\x14\x00\x00\x00\xcd\x80\x5b\xc3")
print("pid", ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(code)))())
raise SystemError("int 0x80 was answered")

# %% system-calls-in-x32
# tries: to pass the filter by x32's numbers
# base: solution
# status: died
if libc.syscall(0x40000000 + 101, 16, 1, 0, 0) >= 0: raise SystemError("x32 was answered")

# %% raises-its-limits
# tries: to raise its limits, and its priority
# base: solution
for name in ("RLIMIT_NPROC", "RLIMIT_DATA", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_CPU", "RLIMIT_MEMLOCK", "RLIMIT_CORE"):
    what = getattr(resource, name)
    soft, hard = resource.getrlimit(what)
    if hard == resource.RLIM_INFINITY: print("BREACH: no limit", name)
    must_fail(name, lambda: resource.setrlimit(what, (hard + 1, hard + 1)))
must_fail("nice", lambda: os.nice(-5))
must_fail("scheduler", lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)))
must_fail("oom", lambda: os.write(os.open("/proc/self/oom_score_adj", os.O_WRONLY), b"-1000"))
print("tried")

# %% capabilities
# tries: to take up capabilities again, and to lift the ban on new privileges
# base: solution
header, data = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)(*[2**32 - 1] * 6)
if libc.capset(header, data) == 0: print("BREACH: capset")
if libc.prctl(38, 0, 0, 0, 0) == 0: print("BREACH: new privileges")
if libc.prctl(47, 2, 21, 0, 0) == 0: print("BREACH: ambient capability")
if libc.prctl(22, 0, 0, 0, 0) == 0: print("BREACH: seccomp")
fields = dict(line.split(":", 1) for line in open("/proc/self/status"))
if int(fields["CapBnd"], 16): print("BREACH: a bounding set")
print("tried")

# %% clock-and-name
# tries: to set the clock and the machine's name
# base: solution
# stock: it would change the machine that measures it
import time
must_fail("the clock", lambda: time.clock_settime(time.CLOCK_REALTIME, 0))
must_be_refused("hostname", 170, b"THE_MARK", 8)
must_be_refused("reboot", 169, 0xFEE1DEAD, 672274793, 0, 0)
print("tried")

# %% types-into-the-terminal
# tries: to put characters into the input of the grader's terminal (TIOCSTI)
# base: solution
import fcntl
for path in ("/dev/tty", "/dev/console", "/dev/pts/0", "/dev/pts/1"):
    must_fail(path, lambda: fcntl.ioctl(os.open(path, os.O_RDWR | os.O_NOCTTY), 0x5412, b"x"))
for number in (0, 1, 2): must_fail(f"descriptor {number}", lambda: fcntl.ioctl(number, 0x5412, b"x"))
print("tried")

# %% takes-every-terminal
# tries: to leave no terminal for those who come after, who need one for each `!command`
# base: solution
# stock: it would take the terminals of the machine that measures it
held = []
try:
    while len(held) < 4_000: held.append(os.openpty())
    print("BREACH: 4,000 terminals")
except OSError: pass
print("tried")
import time
time.sleep(2)

# %% uses-a-terminal
# tries: nothing; but it needs a terminal while its neighbour has taken all that there are
# base: solution
!echo "tried"

# %% young-system-calls
# tries: calls that are younger than most filters: file systems' attributes and quotas, lists of mounts, rules of memory
# base: solution
# shows: yes
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
for number in (239, 443, 447, 448, 450, *range(453, 600)):  # get_mempolicy, quotactl_fd and later ones
    ctypes.set_errno(0)
    answer = libc.syscall(number, -1, 0, 0, 0, 0, 0)
    if number in (454, 455, 456, 462): continue  # futex calls, and mseal: harmless
    if answer != -1 or ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS): print("BREACH:", number, ctypes.get_errno())
print("tried")

# %% files-of-the-machine-in-proc
# tries: to read what /proc tells of the machine: keys, timers, interrupts, kernel addresses
# base: solution
# shows: yes
for name in ("keys", "key-users", "timer_list", "interrupts", "kallsyms", "kcore", "modules", "sched_debug", "softirqs", "slabinfo"):
    try: text = open("/proc/" + name, "rb").read(100)
    except OSError: continue
    if text: print("BREACH:", name, text)
print("tried")
