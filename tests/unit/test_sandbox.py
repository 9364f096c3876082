"""What a student's cell cannot reach. Each test is one attack in a real child."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyseccomp
import pytest

from autograder.sandbox import confine
from autograder.sandbox.endings import ChildEnded
from autograder.sandbox.jail import Outfit
from autograder.sandbox.warm import Warm
from tests.support.classroom import ROOT
from tests.support.sandboxed import MARK, Sandbox, descendants, seen

Look = Callable[[str], Any]
REFUSED = """
def refused(act):
    try:
        act()
    except OSError as error:
        return error.errno
"""


@pytest.fixture(scope="module")
def inside(sandbox: Sandbox) -> Iterator[Look]:
    """A function that runs a cell in a child shared by these tests, and returns the value of its variable `seen`."""
    with sandbox.child() as child:
        yield lambda source: seen(child, REFUSED + source)


@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET", "AF_VSOCK"])
def test_no_network_socket_can_be_made(inside: Look, family: str) -> None:
    source = f"import socket\nseen = refused(lambda: socket.socket(socket.{family}, socket.SOCK_DGRAM))"
    assert inside(source) == errno.EPERM


def test_there_is_no_network_behind_the_filter_either(inside: Look) -> None:
    """The second layer is an empty network namespace with only the loopback device."""
    interfaces = inside("seen = [line.split(':')[0].strip() for line in open('/proc/net/dev') if ':' in line]")
    assert interfaces == ["lo"]


def test_a_listening_socket_of_the_host_is_out_of_reach(inside: Look) -> None:
    """An abstract Unix socket has no file, so no mount hides it."""
    with socket.socket(socket.AF_UNIX) as listener:
        name = f"\0listener-{os.getpid()}"
        listener.bind(name)
        listener.listen()
        source = f"import socket\nseen = refused(lambda: socket.socket(socket.AF_UNIX).connect({name!r}))"
        assert inside(source) == errno.ECONNREFUSED


def test_a_listening_socket_of_another_child_is_out_of_reach(sandbox: Sandbox) -> None:
    """All children are in one jail, but each has its own network namespace."""
    listen = "import socket\nlistener = socket.socket(socket.AF_UNIX)\nlistener.bind('\\0agreed')\nlistener.listen()\nseen = 1"
    call = "import socket\nseen = refused(lambda: socket.socket(socket.AF_UNIX).connect('\\0agreed'))"
    with sandbox.child() as first, sandbox.child() as second:
        assert seen(first, listen)
        assert seen(first, REFUSED + call) is None
        assert seen(second, REFUSED + call) == errno.ECONNREFUSED


def test_a_child_sees_only_its_own_processes(inside: Look) -> None:
    source = "import os\nseen = (os.getpid(), os.getppid(), [n for n in os.listdir('/proc') if n.isdigit()])"
    assert inside(source) == (1, 0, ["1"])


def test_no_process_outside_can_be_signalled(sandbox: Sandbox) -> None:
    others = [*range(2, 400), os.getpid(), sandbox.pid]
    source = f"import os\nothers = set({others}) - set(map(int, os.listdir('/proc/self/task')))\n"
    source += "seen = {refused(lambda: os.kill(pid, 0)) for pid in others}"
    assert sandbox.look(REFUSED + source) == {errno.ESRCH}


def test_a_signal_to_everyone_stays_inside(sandbox: Sandbox) -> None:
    with sandbox.child() as neighbour, sandbox.child() as attacker:
        seen(attacker, "import os, signal\nseen = 0\ntry: os.kill(-1, signal.SIGKILL)\nexcept OSError: pass")
        assert seen(neighbour, "seen = 'alive'") == "alive"
        assert seen(attacker, "seen = 'still ends by the leash alone'")


@pytest.mark.parametrize(
    "folder", ["/", "/usr", "/usr/local/bin", "/etc", "/dev", "/new", "/var/tmp", "/sys", "/run", sys.prefix]
)
def test_nothing_can_be_written_outside_tmp(inside: Look, folder: str) -> None:
    source = f"seen = refused(lambda: open({folder!r} + '/note', 'w'))"
    assert inside(source) in (errno.EROFS, errno.EACCES, errno.ENOENT, errno.EPERM)


def test_every_mount_but_the_childs_own_is_read_only(inside: Look) -> None:
    mounts = inside("seen = [line.split()[4:6] for line in open('/proc/self/mountinfo')]")
    writable = {where for where, options in mounts if "rw" in options.split(",")}
    devices = {f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom", "tty", "pts", "console")}
    assert writable <= {"/tmp", "/dev/shm", "/proc", *devices, *confine.MASKED}  # the last are /dev/null


def test_a_child_finds_no_files_of_another(sandbox: Sandbox) -> None:
    leave = "import os\nfor d in ('/tmp', '/tmp/notebook', '/dev/shm'): open(d + '/note', 'w').write('the answer')\nseen = 1"
    find = "import os\nseen = [os.path.join(d, f) for top in ('/tmp', '/dev/shm') for d, _, fs in os.walk(top) for f in fs]"
    with sandbox.child() as first, sandbox.child() as second:
        before = seen(second, find)
        seen(first, leave)
        assert seen(second, find) == before
        assert not any(path.endswith("note") for path in before)
    assert sandbox.look(find) == before


@pytest.mark.parametrize(
    "path",
    [
        ROOT / "source",
        ROOT / "autograder",
        ROOT / "assignments",
        "/etc/shadow",
        "/etc/passwd",
        *(
            home
            for home in ("/home", "/root")
            if not sys.prefix.startswith(home) and not sys.base_prefix.startswith(home)
        ),
        "/var",
        "/root/.ssh",
        "/proc/{grader}/root",
    ],
)
def test_a_folder_of_the_host_is_not_visible(inside: Look, path: Path | str) -> None:
    target = str(path).format(grader=os.getpid())
    assert inside(f"import os\nseen = refused(lambda: os.stat({target!r}))") == errno.ENOENT


def test_a_file_of_the_grader_is_not_visible(inside: Look, tmp_path: Path) -> None:
    (tmp_path / "hidden_test").write_text("assert answer == 42")
    assert inside(f"seen = refused(lambda: open({str(tmp_path / 'hidden_test')!r}))") == errno.ENOENT


def test_only_our_code_that_runs_in_the_jail_is_visible_there(inside: Look) -> None:
    source = "import autograder, os\nroot = os.path.dirname(autograder.__file__)\n"
    source += "seen = sorted(f for _, _, fs in os.walk(root) for f in fs if f.endswith('.py'))"
    ours = (
        "arrays calls child confine ipython item_count launch library rehearsal service surroundings watch wire zygote"
    )
    assert inside(source) == sorted(["__init__.py"] * 2 + [f"{name}.py" for name in ours.split()])


def test_each_child_has_its_own_descriptors_of_the_warm_process_files() -> None:
    """matplotlib keeps its fonts open. The number of a closed one would soon be another file's, such as the line's, and a shared
    one has one position for all children, so that one child could spoil the others' figures."""
    fonts = """
import os
def fonts():
    for name in os.listdir("/proc/self/fd"):
        try:
            if os.readlink(f"/proc/self/fd/{name}").endswith(".ttf"): yield int(name)
        except OSError: pass
"""
    with Warm(Outfit(["matplotlib.pyplot"])) as warm:
        warm.wait()
        sandbox = Sandbox(warm.control, warm.process.pid)
        with sandbox.child() as one, sandbox.child() as other:
            assert seen(one, fonts + "seen = [os.lseek(fd, 7, os.SEEK_SET) for fd in fonts()]")
            assert 7 not in seen(other, fonts + "seen = [os.lseek(fd, 0, os.SEEK_CUR) for fd in fonts()]")
            draw = "import io, matplotlib.pyplot as plt\nplt.title('\u20ac $x^2$')\nplt.savefig(io.BytesIO())\nseen = 'drawn'"
            assert seen(other, draw) == "drawn"


def test_the_sandbox_starts_if_the_interpreter_was_called_by_a_relative_path(tmp_path: Path) -> None:
    interpreter = os.path.relpath(Path(sys.executable), tmp_path)
    text = "from autograder.sandbox.warm import Warm\nwith Warm() as warm: warm.wait(); print('up')"
    done = subprocess.run([interpreter, "-c", text], check=False, capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout == "up\n", done.stderr


def test_only_the_folders_that_the_assignment_names_can_be_read(tmp_path: Path) -> None:
    """For weights that are too large to be beside each notebook; also below a private folder and with a strict umask."""
    for name in ("weights", "answers"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    before = os.umask(0o077)
    try:
        with Warm(Outfit(files={"beside.txt": b"beside"}, folders=[str(tmp_path / "weights")])) as warm:
            warm.wait()
            with Sandbox(warm.control, warm.process.pid).child() as child:
                source = REFUSED + (
                    f"seen = [open('beside.txt').read(), open('{tmp_path}/weights/file').read(), "
                    f"refused(lambda: open('{tmp_path}/answers/file')), refused(lambda: open('{tmp_path}/weights/new', 'w'))]"
                )
                assert seen(child, source) == ["beside", "weights", errno.ENOENT, errno.EROFS]
    finally:
        os.umask(before)


def test_the_graders_environment_is_not_visible(inside: Look) -> None:
    source = "import os\nseen = repr(dict(os.environ)) + open('/proc/self/environ').read() + open('/proc/self/cmdline').read()"
    assert MARK not in inside(source)


def test_only_descriptors_of_the_childs_own_making_are_open(inside: Look) -> None:
    """0 is /dev/null, 1 and 2 lead to the kernel, one socket is the line, and event loops and the lock have their own. The leash,
    on which a child could fake how it ended, is not open."""
    source = """
import asyncio, gc, os
from autograder.sandbox.ipython import KernelApp
line = KernelApp.instance().line
loops = [o for o in gc.get_objects() if isinstance(o, asyncio.BaseEventLoop) and not o.is_closed()]
open_ = {}
for name in os.listdir('/proc/self/fd'):
    try: open_[int(name)] = os.readlink(f'/proc/self/fd/{name}')
    except OSError: pass
pairs = [socket.fileno() for loop in loops for socket in (loop._ssock, loop._csock)]
seen = open_, [line.socket.fileno(), *pairs]
"""
    leads, sockets = inside(source)
    assert leads[0] == "/dev/null"
    assert {number for number, where in leads.items() if where.startswith("socket:")} == set(sockets)
    assert {where for where in leads.values() if where.startswith("pipe:")} == {leads[1], leads[2]}
    harmless = ("pipe:", "socket:", "anon_inode:", "/tmp/#", "/dev/null", "/proc/")
    assert all(where.startswith(harmless) for where in leads.values())


def test_nothing_is_pending_while_student_code_runs(inside: Look) -> None:
    """A pending state "busy" would be lost if the child died, and sent twice if it forked."""
    assert inside("from autograder.sandbox.ipython import KernelApp\nseen = KernelApp.instance().line.pending") == b""


@pytest.mark.parametrize(
    ("field", "value"),
    [("CapEff", 0), ("CapPrm", 0), ("CapInh", 0), ("CapBnd", 0), ("CapAmb", 0), ("NoNewPrivs", 1), ("Seccomp", 2)],
)
def test_no_capability_and_no_way_to_new_privileges(inside: Look, field: str, value: int) -> None:
    source = "seen = dict(line.split(':', 1) for line in open('/proc/self/status'))"
    assert int(inside(source)[field], 16) == value


def test_it_is_an_ordinary_user_inside_and_outside(sandbox: Sandbox) -> None:
    with sandbox.child() as child:
        inside = seen(child, "import os\nseen = os.getresuid() + os.getresgid()")
        outside = {Path(f"/proc/{pid}").stat().st_uid for pid in descendants(sandbox.pid)}
    assert 0 not in inside
    assert 0 not in outside


def test_a_new_user_namespace_is_refused(inside: Look) -> None:
    """By clone, and by clone3, whose flags no filter can read. With CLONE_FS too, the kernel itself would answer EINVAL."""
    clone, clone3 = (pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name) for name in ("clone", "clone3"))
    source = f"""
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
seen = []
for number, flags in (({clone}, {confine.CLONE_NEWUSER | 0x200 | 17}), ({clone3 if clone3 > 0 else 435}, 0)):
    if libc.syscall(number, flags, 0, 0, 0, 0) == 0: __import__('os')._exit(0)
    seen.append(ctypes.get_errno())
"""
    assert inside(source) == [errno.EPERM, errno.ENOSYS]


def test_core_dumps_locked_memory_and_message_queues_are_limited_to_nothing(inside: Look) -> None:
    source = (
        "from resource import *\nseen = [getrlimit(what) for what in (RLIMIT_CORE, RLIMIT_MEMLOCK, RLIMIT_MSGQUEUE)]"
    )
    assert inside(source) == [(0, 0)] * 3


def test_shared_memory_that_can_outlive_its_mapping_is_refused(inside: Look) -> None:
    """Its pages remain after they left every process's map, where the watch cannot see them. In a file they are limited."""
    source = """import ctypes, mmap
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
libc.mmap(None, 4096, 3, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS, -1, 0)  # mmap.mmap itself maps a file instead
zero = open('/dev/zero', 'r+b', buffering=0)
seen = [ctypes.get_errno(), refused(lambda: mmap.mmap(zero.fileno(), 4096)), zero.read(2)]"""
    assert inside(source) == [errno.EPERM, errno.ENODEV, b"\0\0"]


def test_shared_memory_with_a_file_and_private_memory_work(inside: Look) -> None:
    source = """import mmap, torch
from multiprocessing import shared_memory
block = shared_memory.SharedMemory(create=True, size=10)
block.buf[0] = 7
seen = [block.buf[0], torch.ones(2).share_memory_().tolist(), mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE)[0]]
block.close(); block.unlink()"""
    assert inside(source) == [7, [1, 1], b"\0"[0]]


def test_a_socket_keeps_its_default_buffer_size(inside: Look) -> None:
    """The watch counts every socket as full. A request for a larger buffer reports success and does nothing."""
    source = """import socket
end = socket.socketpair()[0]
before = end.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**22)
seen = end.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == before"""
    assert inside(source)


def test_each_child_has_its_own_terminals(sandbox: Sandbox) -> None:
    """A child that opens as many as it may leaves its neighbours theirs."""
    take = "import os\nheld = []\ntry:\n    while True: held.append(os.openpty())\nexcept OSError: seen = len(held)"
    with sandbox.child() as first, sandbox.child() as second:
        assert seen(first, take) <= confine.TERMINALS
        assert seen(second, "import os\nseen = [n for n in os.listdir('/dev/pts') if n.isdigit()]") == []
        assert seen(second, "import os\nos.openpty()\nseen = 1")


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="other machines have no second set of call numbers")
def test_a_system_call_by_another_architectures_number_ends_the_child(sandbox: Sandbox) -> None:
    with sandbox.child() as child, pytest.raises(ChildEnded) as ended:
        child.run_silently("import ctypes\nctypes.CDLL(None).syscall(0x40000000 + 39)", 10)
    assert ended.value.why == "died"


def test_the_machines_own_files_in_proc_are_empty(inside: Look) -> None:
    source = """
import os
seen = {}
for path in %r:
    try: seen[path] = len(os.listdir(path) if os.path.isdir(path) else open(path, "rb").read(10))
    except FileNotFoundError: pass"""
    answers = inside(source % (confine.MASKED,))
    assert "/proc/interrupts" in answers
    assert set(answers.values()) == {0}
