"""How a child ends, and that everything it started ends with it. Grading goes on, and the status says what happened."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import threading
from pathlib import Path

import pytest

from autograder.errors import InfrastructureError
from autograder.sandbox.ends import ChildEnded
from autograder.sandbox.kernel import ChildKernel
from autograder.sandbox.warm import ChildLimits, Warm
from tests.support.sandboxed import Sandbox, answer_cell, checking_cell, code, descendants, executed, gone, seen

AFTER = (answer_cell("def f(x): return x + 1"), checking_cell("assert f(1) == 2", 3))


def ends(sandbox: Sandbox, source: str, seconds: float = 10, **limits: int) -> str:
    """Why a child that runs this cell ends; whatever it started must end with it."""
    before = descendants(sandbox.pid)
    with sandbox.child(**limits) as child:
        with pytest.raises(ChildEnded) as ended:
            child.run_silently(source, seconds)
        started = descendants(sandbox.pid) - before
    assert gone(started)
    return ended.value.why


def test_a_fork_bomb_ends_with_its_child(sandbox: Sandbox) -> None:
    bomb = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"
    assert ends(sandbox, bomb, seconds=0.5, processes=25) == "timed out"
    assert sandbox.look("seen = 'the next one is well'")


def test_processes_are_counted_for_each_child_alone(sandbox: Sandbox) -> None:
    """A neighbour's processes are nobody's loss, although both run as one user."""
    source = "import subprocess\nseen = [subprocess.Popen(['sleep', '9']).pid for _ in range(10)]"
    with sandbox.child(processes=30) as first, sandbox.child(processes=30) as second:
        assert len(seen(first, source)) == len(seen(second, source)) == 10


def test_a_background_process_dies_with_its_child(sandbox: Sandbox) -> None:
    before = descendants(sandbox.pid)
    with sandbox.child() as child:
        start = "import os, subprocess, time\nsubprocess.Popen('setsid sleep 1000 & setsid sleep 1000', shell=True)\n"
        wait = "while sum(map(str.isdigit, os.listdir('/proc'))) < 4: time.sleep(.01)\nseen = 'child, shell and two sleeps'"
        seen(child, start + wait)
        started = descendants(sandbox.pid) - before
        assert len(started) >= 5  # the supervisor too
    assert gone(started)


def test_a_memory_hog_ends_as_out_of_memory(sandbox: Sandbox) -> None:
    assert (
        ends(sandbox, "hoard = []\nwhile True: hoard.append(bytearray(b'1' * 2**20))", memory=150 * 2**20)
        == "out of memory"
    )


def test_page_tables_and_what_sockets_hold_are_memory_too(sandbox: Sandbox) -> None:
    """No process's own size shows them: a terabyte of zeros read here and there, and messages that nobody reads."""
    tables = """import ctypes
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
while True:
    where = libc.mmap(None, 2**40, 1, 0x4022, -1, 0)
    libc.madvise(where, 2**40, 15)
    for address in range(where, where + 2**40, 2**21): ctypes.string_at(address, 1)"""
    sockets = "import socket, time\nheld = [socket.socketpair() for _ in range(450)]\ntime.sleep(9)"
    assert ends(sandbox, tables, seconds=30, memory=150 * 2**20) == "out of memory"
    assert ends(sandbox, sockets, memory=150 * 2**20) == "out of memory"


def test_a_child_of_many_tasks_gives_way_to_its_neighbours(sandbox: Sandbox) -> None:
    """All but its first task: or a bomb of 64 processes takes an honest neighbour's time, and with it a mark."""
    start = "import os, subprocess, time\nmany = [subprocess.Popen(['sleep', '9']) for _ in range({})]\ntime.sleep(1)\n"
    ask = "seen = {os.getpriority(os.PRIO_PROCESS, p.pid) for p in many}, os.getpriority(os.PRIO_PROCESS, 1)"
    own = os.getpriority(os.PRIO_PROCESS, 0)  # a test run may itself be asked to give way
    with sandbox.child() as few, sandbox.child() as crowd:
        assert seen(crowd, start.format(20) + ask) == ({19}, own)
        assert seen(few, start.format(2) + ask) == ({own}, own)


def test_memory_is_counted_over_all_processes_of_a_child(sandbox: Sandbox) -> None:
    """Ten programs of 60 MB each; each for itself is within the limit."""
    program = "hoard = b'1' * (60 * 2**20); import time; time.sleep(9)"
    start = "import subprocess, sys, time\n"
    start += f"for _ in range(10): subprocess.Popen([sys.executable, '-c', {program!r}])\ntime.sleep(9)"
    assert ends(sandbox, start, memory=250 * 2**20) == "out of memory"


def test_memory_that_a_fork_shares_is_counted_once(sandbox: Sandbox) -> None:
    """Or a DataLoader's workers, who all have the warm process's 160 MB, would end a child that took nothing."""
    source = "import os, time\nfor _ in range(6):\n    if os.fork() == 0:\n        time.sleep(9)\n"
    source += "        os._exit(0)\ntime.sleep(.4)\nseen = 1"
    assert sandbox.look(source, memory=250 * 2**20) == 1


def test_an_absurd_array_is_a_memory_error_and_the_child_lives(sandbox: Sandbox) -> None:
    assert sandbox.look("try: bytearray(2**45)\nexcept MemoryError: seen = 'refused'") == "refused"


@pytest.mark.parametrize("folder", ["/tmp", "/dev/shm"])
def test_a_full_disk_is_the_childs_alone(sandbox: Sandbox, folder: str) -> None:
    source = f"try: open('{folder}/big', 'wb').write(bytes(30 * 2**20))\nexcept OSError as error: seen = error.errno"
    assert sandbox.look(source, tmp=2**24, shm=2**24) in (27, 28)  # file too large, no space left
    assert sandbox.look("import os\nseen = os.statvfs('/tmp').f_bavail > 0", tmp=2**24)


def test_a_frozen_child_ends_although_it_hears_no_signal(sandbox: Sandbox) -> None:
    source = "import signal\nfor n in set(signal.Signals) - {9, 19}: signal.signal(n, signal.SIG_IGN)\nwhile True: pass"
    assert ends(sandbox, source, seconds=1) == "timed out"


@pytest.mark.parametrize(
    ("cell", "status"),
    [
        ("import os; os._exit(0)", "died"),
        ("import ctypes; ctypes.string_at(0)", "died"),
        ("while True: pass", "timed out"),
        ("hoard = []\nwhile True: hoard.append(bytearray(b'1' * 2**20))", "out of memory"),
        ("print('x' * 50_000_000)", "output limit"),
        ("for i in range(2500): display(i)", "output limit"),
        ("raise ValueError", "completed"),
        ("import sys; sys.exit(1)", "completed"),
        ("import threading, time\nthreading.Thread(target=lambda: time.sleep(99)).start()", "completed"),
    ],
)
def test_after_a_cell_that_ends_badly_the_walk_goes_on(sandbox: Sandbox, cell: str, status: str) -> None:
    """What does not depend on the cell keeps its points, what it defined before is there, and the status says it all."""
    limits = {"cell_seconds": 1 if status == "timed out" else 20, "memory_mb": 400, "output_mb": 1}
    before = (code("start = 1"), code(cell))
    judged = sandbox.judge(*before, *AFTER, checking_cell("assert start == 1", grade_id="before"), **limits)
    assert judged.grade.status == status
    assert {name: cell.score for name, cell in judged.grade.cells.items()} == {"test": 3, "before": 1}
    assert len(judged.grade.notes) == (status != "completed")
    assert len(json.dumps(executed(judged))) < 1.2 * 2**20


def test_a_flood_of_small_outputs_does_not_keep_the_judge_waiting(sandbox: Sandbox) -> None:
    """The state "idle" passes when the output's budget is spent; nbclient would wait 4 s for it."""
    judged = sandbox.judge(code("for i in range(2500): display(i)"), *AFTER, output_mb=1)
    assert judged.grade.status == "output limit"
    assert judged.grade.seconds < 3.5


def test_exit_in_a_cell_ends_nothing(sandbox: Sandbox) -> None:
    """A script's last line, by habit; in Jupyter it asks the kernel to leave, and all cells after it would be lost."""
    judged = sandbox.judge(code("exit()"), code("quit(0)"), *AFTER)
    assert (judged.grade.status, judged.grade.score) == ("completed", 3)


def test_what_replays_is_not_what_was_fatal(sandbox: Sandbox) -> None:
    """The cell that ended the child is left out when the cells before it run again in the next."""
    judged = sandbox.judge(
        code("runs = 1"),
        code("runs += 1\nimport os\nos._exit(0)"),
        code("runs += 10"),
        checking_cell("assert runs == 11"),
    )
    assert judged.grade.cells["test"].score == 1
    assert [bool(cell.outputs) for cell in executed(judged).cells] == [False, True, False, False]


def test_a_child_that_dies_in_every_cell_is_given_up(sandbox: Sandbox) -> None:
    judged = sandbox.judge(*[code("import os; os._exit(0)")] * 13, *AFTER)
    assert (judged.grade.status, judged.grade.score) == ("died", 0)
    assert "not run" in json.dumps(executed(judged).cells[12].outputs)


@pytest.mark.parametrize("deed", ["os._exit(0)", "exit()", "[][1]", "time.sleep(99)"])
def test_a_child_that_spoils_the_judges_housekeeping_harms_itself_alone(sandbox: Sandbox, deed: str) -> None:
    """After each test cell the judge tells the child to forget what was kept; a student may have replaced what hears it."""
    spoil = f"import os, time\nfrom autograder.sandbox.child import Service\nService.do_forget = lambda self: {deed}"
    judged = sandbox.judge(code(spoil), *AFTER, call_seconds=1)
    assert judged.grade.cells["test"].score == 3


LINE = """
from autograder.sandbox import wire
from autograder.sandbox.ipython import KernelApp
line = KernelApp.instance().line
"""


@pytest.mark.parametrize(
    "sent",
    [
        "wire.JUDGE, wire.pack(['ok', bytes(1000)])",
        "wire.KERNEL, kernel.session.serialize(kernel.session.msg('execute_reply', {}), b'shell')",
        "wire.KERNEL, kernel.session.serialize(kernel.session.msg('status', {}), b'iopub')",
    ],
)
def test_a_flood_of_messages_that_nobody_asked_for_ends_the_child(sandbox: Sandbox, sent: str) -> None:
    """The judge never keeps more of them than it could need."""
    flood = LINE + "import msgspec\nkernel = get_ipython().kernel\nchannel, payload = " + sent
    flood += "\nif channel == wire.KERNEL: payload = msgspec.msgpack.encode([payload[0], *payload])"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert ends(sandbox, flood + "\nfor _ in range(200_000): line.send(channel, payload)") == "died"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kilobytes


@pytest.mark.parametrize("noise", ["b'\\xff' * 99", "bytes(5)", "b'\\0\\0\\0\\5\\1hello'", "b'\\0\\0\\0\\5\\0hello'"])
def test_noise_on_the_line_ends_the_child(sandbox: Sandbox, noise: str) -> None:
    assert ends(sandbox, LINE + f"line.socket.sendall({noise})\nwhile True: pass", seconds=5) == "died"


def test_a_warm_process_that_is_gone_is_an_infrastructure_fault() -> None:
    """Never a student's: it is tried again."""
    with Warm() as warm:
        warm.wait()
        warm.process.kill()
        warm.process.wait()
        with pytest.raises(InfrastructureError, match="the warm process"):
            ChildKernel(warm.control, ChildLimits(), 1000).ready()


def kill_soon(sandbox: Sandbox, before: set[int], whom: str) -> None:
    """kill -9, in half a second, the child (process 1 of its namespace) or the supervisor above it."""

    def kill() -> None:
        depth = {pid: len(ids(pid)) for pid in descendants(sandbox.pid) - before}
        wanted = max(depth.values()) if whom == "child" else min(depth.values())
        for pid in (pid for pid, found in depth.items() if found == wanted):
            os.kill(pid, signal.SIGKILL)

    threading.Timer(0.5, kill).start()


def ids(pid: int) -> list[str]:
    """A process's numbers, in every namespace that it is in."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(line for line in status.splitlines() if line.startswith("NSpid")).split()


@pytest.mark.parametrize("whom", ["child", "supervisor"])
def test_a_child_that_the_machine_kills_is_an_infrastructure_fault(sandbox: Sandbox, whom: str) -> None:
    """As where it is short of memory. The student could not have done it, and loses nothing: the submission is tried again."""
    sleeps = "import time\ndef f(x): time.sleep(9)"
    before = descendants(sandbox.pid)
    with sandbox.child() as child, pytest.raises(InfrastructureError, match="killed"):
        kill_soon(sandbox, before, whom)
        child.run_silently(f"{sleeps}\nf(1)", 10)
    for cells in [
        (answer_cell(f"{sleeps}\nf(1)"), checking_cell("1", 1)),
        (answer_cell(sleeps), checking_cell("with Checks(points=1)('f', 1): f(1)")),  # it swallows every exception
    ]:
        before = descendants(sandbox.pid)
        kill_soon(sandbox, before, whom)
        with pytest.raises(InfrastructureError, match="killed"):
            sandbox.judge(*cells, call_seconds=20)


def test_more_cpu_time_than_allowed_is_the_childs_own_doing(sandbox: Sandbox) -> None:
    assert ends(sandbox, "while True: pass", cpu_seconds=1) == "timed out"


@pytest.mark.parametrize(("used", "is_its_own"), [(600.1, True), (400, True), (299, False), (1, False)])
def test_of_a_killed_childs_limit_the_kernel_may_count_more_than_it_reports(
    sandbox: Sandbox, used: float, is_its_own: bool
) -> None:
    with sandbox.child(cpu_seconds=600) as child, child.leash:
        child.leash, supervisor = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with supervisor:
            supervisor.send(json.dumps({"out_of_memory": False, "status": -9, "cpu_seconds": used}).encode())
            with pytest.raises(ChildEnded if is_its_own else InfrastructureError):
                child.run_silently("import os; os._exit(0)", 10)


def test_a_child_cannot_kill_itself_so_that_the_machine_is_blamed(sandbox: Sandbox) -> None:
    deeds = "import contextlib, os, signal\nfor whom in (1, -1, 0):\n    with contextlib.suppress(OSError):"
    deeds += " os.kill(whom, signal.SIGKILL)\nseen = 'alive'"
    assert sandbox.look(deeds) == "alive"


def test_a_fork_beside_a_printing_thread_can_print_too(sandbox: Sandbox) -> None:
    """A thread may hold the line's lock at the fork; in the new process nobody would ever let it go."""
    source = """
import os, threading
printing = True
def chatter():
    while printing: print("x" * 100, flush=True)
thread = threading.Thread(target=chatter)
thread.start()
for _ in range(40):
    if (child := os.fork()) == 0:
        print("from a forked child", flush=True)
        os._exit(0)
    os.waitpid(child, 0)
printing = False
thread.join()
seen = "done"
"""
    assert sandbox.look(source) == "done"


def test_every_child_starts_from_the_same_seed(sandbox: Sandbox) -> None:
    draw = "import random, numpy, torch\nseen = [random.random(), float(numpy.random.rand()), float(torch.rand(1))]"
    assert sandbox.look(draw, seed=1) == sandbox.look(draw, seed=1) != sandbox.look(draw, seed=2)


def test_an_exception_with_a_very_long_text_is_an_exception_like_others(sandbox: Sandbox) -> None:
    """Its reply repeats the text; one that is larger than a frame must not make the cell seem to hang."""
    long = answer_cell("raise ValueError('x' * 40_000_000)", "long")
    after = answer_cell("def f(): return 1", "after")
    grade = sandbox.judge(long, after, checking_cell("assert f() == 1"), cell_seconds=20).grade
    assert (grade.status, grade.score) == ("output limit", 1)


def test_what_is_not_run_any_more_is_told(sandbox: Sandbox) -> None:
    """Each cell and call is within its limit, and together they are not: whether it is a cell or a call that comes too late."""
    slow = answer_cell("import time\ndef f(): time.sleep(2.1)", "slow")
    call = sandbox.judge(slow, checking_cell("f(); f(); 1.0"), submission_seconds=2).grade
    cell = sandbox.judge(
        slow, checking_cell("f()"), code("late = 1"), checking_cell("f()", 3), submission_seconds=2
    ).grade
    for grade in (call, cell):
        assert (grade.status, grade.cells["test"].score) == ("timed out", 0)
        (note,) = grade.notes
        assert "the submission ran for over 2 s" in note


EARLY = """
import time
kernel = get_ipython().kernel
parent = kernel.get_parent()
kernel.session.send(kernel.shell_stream, "execute_reply", {"status": "ok"}, parent=parent, ident=parent.get("idents"))
kernel.session.send(kernel.iopub_socket, "status", {"execution_state": "idle"}, parent=parent)
while True: time.sleep(1)
"""


def test_a_cell_that_says_it_is_done_and_is_not_costs_one_time_limit(sandbox: Sandbox) -> None:
    """Run again for what comes after it, it would hold up each of the others until its own limit."""
    answers = [answer_cell(f"a{n} = {n}", f"answer-{n}") for n in range(6)]
    test = checking_cell("(a2 + a3 + a4 + a5) / 14")
    grade = sandbox.judge(code(EARLY), *answers, test, cell_seconds=2, call_seconds=1).grade
    assert (grade.status, grade.score) == ("timed out", 1), grade.notes
    assert grade.seconds < 8
