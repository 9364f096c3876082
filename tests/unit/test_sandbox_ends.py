"""However a child ends, everything it started ends with it, grading goes on, and the status says what happened."""

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
from autograder.sandbox.client import ChildKernel
from autograder.sandbox.endings import ChildEnded, read_end
from autograder.sandbox.warm import ChildLimits, Warm
from tests.support.sandboxed import Sandbox, answer_cell, checking_cell, code, descendants, executed, gone, seen

AFTER = (answer_cell("def f(x): return x + 1"), checking_cell("assert f(1) == 2", 3))


def run_to_end(sandbox: Sandbox, source: str, seconds: float = 10, **limits: int) -> str:
    """Run a cell that must end its child, check that whatever it started ends too, and return why it ended."""
    before = descendants(sandbox.pid)
    with sandbox.child(**limits) as child:
        with pytest.raises(ChildEnded) as ended:
            child.run_silently(source, seconds)
        started = descendants(sandbox.pid) - before
    assert gone(started)
    return ended.value.why


def test_a_fork_bomb_ends_with_its_child(sandbox: Sandbox) -> None:
    bomb = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"
    assert run_to_end(sandbox, bomb, seconds=0.5, processes=25) == "timed out"
    assert sandbox.look("seen = 'the next child works'")


def test_processes_are_counted_for_each_child_separately(sandbox: Sandbox) -> None:
    """A neighbour's processes do not count, although both run as one user."""
    source = "import subprocess\nseen = [subprocess.Popen(['sleep', '9']).pid for _ in range(10)]"
    with sandbox.child(processes=30) as first, sandbox.child(processes=30) as second:
        assert len(seen(first, source)) == len(seen(second, source)) == 10


FILL = "held = []\n    while True: held.append(bytearray(b'x' * 2**20))"


def test_memory_is_watched_whatever_the_process_is_called(sandbox: Sandbox) -> None:
    """Its name stands in the file that the watch reads, and need not be text."""
    name = "import ctypes\nctypes.CDLL(None).prctl(15, b'\\xff\\xfe\\n\\xc3', 0, 0, 0)\nif True:\n    "
    assert run_to_end(sandbox, name + FILL, memory=200 * 2**20) == "out of memory"
    assert sandbox.look("seen = 'the next child works'")


def test_memory_is_watched_when_the_first_thread_has_ended(sandbox: Sandbox) -> None:
    """The process's own files in /proc then show none, while the other threads still hold it."""
    source = f"import ctypes, os, threading, time\ndef fill():\n    time.sleep(.2)\n    {FILL}\nif os.fork() == 0:\n"
    source += "    threading.Thread(target=fill).start()\n    ctypes.CDLL(None).pthread_exit(None)\ntime.sleep(60)"
    assert run_to_end(sandbox, source, memory=200 * 2**20) == "out of memory"


def test_a_child_that_cannot_be_watched_is_ended_and_that_is_its_own_end() -> None:
    """Not this machine's fault, for which a submission would be tried again."""
    report = {"out_of_memory": False, "status": -9, "cpu_seconds": 0.1, "doubt": "ValueError: x"}
    leash, judge = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with leash, judge:
        leash.send(json.dumps(report).encode())
        end = read_end(judge, 10)
    assert isinstance(end, ChildEnded)
    assert (end.why, str(end)) == ("died", "it could not be watched (ValueError: x)")


@pytest.mark.parametrize("call", ["setrlimit(resource.RLIMIT_CPU, (1, 1))", "prlimit(0, resource.RLIMIT_CPU, (1, 1))"])
def test_a_child_cannot_have_itself_killed_by_a_limit_of_its_own(sandbox: Sandbox, call: str) -> None:
    """The kernel's SIGKILL would be taken for this machine's."""
    source = f"import resource\ntry: resource.{call}\nexcept (OSError, ValueError) as error: seen = str(error)"
    assert sandbox.look(source) in ("not allowed to raise maximum limit", "[Errno 1] Operation not permitted")


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
        run_to_end(sandbox, "hoard = []\nwhile True: hoard.append(bytearray(b'1' * 2**20))", memory=150 * 2**20)
        == "out of memory"
    )


def test_page_tables_and_data_in_sockets_count_as_memory(sandbox: Sandbox) -> None:
    """No process's own size shows them: a terabyte of zeros that is read at many places, and messages that nobody reads."""
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
    assert run_to_end(sandbox, tables, seconds=30, memory=150 * 2**20) == "out of memory"
    assert run_to_end(sandbox, sockets, memory=150 * 2**20) == "out of memory"


def test_a_child_with_many_tasks_gets_a_low_priority(sandbox: Sandbox) -> None:
    """All its tasks but the first do; otherwise a bomb of 64 processes makes its neighbours exceed their time limit."""
    start = "import os, subprocess, time\nmany = [subprocess.Popen(['sleep', '9']) for _ in range({})]\ntime.sleep(1)\n"
    ask = "seen = {os.getpriority(os.PRIO_PROCESS, p.pid) for p in many}, os.getpriority(os.PRIO_PROCESS, 1)"
    own = os.getpriority(os.PRIO_PROCESS, 0)  # a test run may itself have a low priority
    with sandbox.child() as few, sandbox.child() as crowd:
        assert seen(crowd, start.format(20) + ask) == ({19}, own)
        assert seen(few, start.format(2) + ask) == ({own}, own)


def test_the_memory_of_all_processes_of_a_child_is_added_up(sandbox: Sandbox) -> None:
    """Each of ten programs of 60 MB is within the limit, and all together are not."""
    program = "hoard = b'1' * (60 * 2**20); import time; time.sleep(9)"
    start = "import subprocess, sys, time\n"
    start += f"for _ in range(10): subprocess.Popen([sys.executable, '-c', {program!r}])\ntime.sleep(9)"
    assert run_to_end(sandbox, start, memory=250 * 2**20) == "out of memory"


def test_memory_that_a_fork_shares_is_counted_once(sandbox: Sandbox) -> None:
    """Otherwise a DataLoader's workers, which all share the warm process's 160 MB, would end a child that took nothing."""
    source = "import os, time\nfor _ in range(6):\n    if os.fork() == 0:\n        time.sleep(9)\n"
    source += "        os._exit(0)\ntime.sleep(.4)\nseen = 1"
    assert sandbox.look(source, memory=250 * 2**20) == 1


def test_an_absurd_array_is_a_memory_error_and_the_child_lives(sandbox: Sandbox) -> None:
    assert sandbox.look("try: bytearray(2**45)\nexcept MemoryError: seen = 'refused'") == "refused"


@pytest.mark.parametrize("folder", ["/tmp", "/dev/shm"])
def test_a_full_disk_affects_that_child_only(sandbox: Sandbox, folder: str) -> None:
    source = f"try: open('{folder}/big', 'wb').write(bytes(30 * 2**20))\nexcept OSError as error: seen = error.errno"
    assert sandbox.look(source, tmp=2**24, shm=2**24) in (27, 28)  # file too large, no space left
    assert sandbox.look("import os\nseen = os.statvfs('/tmp').f_bavail > 0", tmp=2**24)


def test_a_child_that_ignores_signals_is_ended(sandbox: Sandbox) -> None:
    source = "import signal\nfor n in set(signal.Signals) - {9, 19}: signal.signal(n, signal.SIG_IGN)\nwhile True: pass"
    assert run_to_end(sandbox, source, seconds=1) == "timed out"


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
def test_grading_goes_on_after_a_cell_that_ends_badly(sandbox: Sandbox, cell: str, status: str) -> None:
    """Tests that do not depend on the cell keep their points, earlier definitions remain, and the status says what happened."""
    limits = {"cell_seconds": 1 if status == "timed out" else 20, "memory_mb": 400, "output_mb": 1}
    before = (code("start = 1"), code(cell))
    judged = sandbox.judge(*before, *AFTER, checking_cell("assert start == 1", grade_id="before"), **limits)
    assert judged.grade.status == status
    assert {name: cell.score for name, cell in judged.grade.cells.items()} == {"test": 3, "before": 1}
    assert len(judged.grade.notes) == (status != "completed")
    assert len(json.dumps(executed(judged))) < 1.2 * 2**20


def test_a_flood_of_small_outputs_does_not_keep_the_judge_waiting(sandbox: Sandbox) -> None:
    """The state "idle" is let through when the output limit is reached; otherwise nbclient would wait 4 s for it."""
    judged = sandbox.judge(code("for i in range(2500): display(i)"), *AFTER, output_mb=1)
    assert judged.grade.status == "output limit"
    assert judged.grade.seconds < 3.5


def test_exit_in_a_cell_ends_nothing(sandbox: Sandbox) -> None:
    """Students write it out of habit; in Jupyter it ends the kernel, and all later cells would be lost."""
    judged = sandbox.judge(code("exit()"), code("quit(0)"), *AFTER)
    assert (judged.grade.status, judged.grade.score) == ("completed", 3)


def test_the_fatal_cell_is_not_replayed(sandbox: Sandbox) -> None:
    """When earlier cells run again in the next child, the cell that ended the last one is left out."""
    judged = sandbox.judge(
        code("runs = 1"),
        code("runs += 1\nimport os\nos._exit(0)"),
        code("runs += 10"),
        checking_cell("assert runs == 11"),
    )
    assert judged.grade.cells["test"].score == 1
    assert [bool(cell.outputs) for cell in executed(judged).cells] == [False, True, False, False]


def test_a_submission_that_ends_every_child_is_abandoned(sandbox: Sandbox) -> None:
    judged = sandbox.judge(*[code("import os; os._exit(0)")] * 13, *AFTER)
    assert (judged.grade.status, judged.grade.score) == ("died", 0)
    assert "not run" in json.dumps(executed(judged).cells[12].outputs)


@pytest.mark.parametrize("body", ["os._exit(0)", "exit()", "[][1]", "time.sleep(99)"])
def test_a_child_that_breaks_forget_harms_itself_only(sandbox: Sandbox, body: str) -> None:
    """After each test cell the judge tells the child to forget its objects; a student may have replaced that method."""
    sabotage = f"import os, time\nfrom autograder.sandbox.child import Service\nService.do_forget = lambda self: {body}"
    judged = sandbox.judge(code(sabotage), *AFTER, call_seconds=1)
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
def test_a_flood_of_unrequested_messages_ends_the_child(sandbox: Sandbox, sent: str) -> None:
    """The judge never stores more messages than it could need."""
    flood = LINE + "import msgspec\nkernel = get_ipython().kernel\nchannel, payload = " + sent
    flood += "\nif channel == wire.KERNEL: payload = msgspec.msgpack.encode([payload[0], *payload])"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert run_to_end(sandbox, flood + "\nfor _ in range(200_000): line.send(channel, payload)") == "died"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kilobytes


@pytest.mark.parametrize("noise", ["b'\\xff' * 99", "bytes(5)", "b'\\0\\0\\0\\5\\1hello'", "b'\\0\\0\\0\\5\\0hello'"])
def test_noise_on_the_line_ends_the_child(sandbox: Sandbox, noise: str) -> None:
    assert run_to_end(sandbox, LINE + f"line.socket.sendall({noise})\nwhile True: pass", seconds=5) == "died"


def test_a_dead_warm_process_is_an_infrastructure_error() -> None:
    """It is never the student's fault, and the submission runs again."""
    with Warm() as warm:
        warm.wait()
        warm.process.kill()
        warm.process.wait()
        with pytest.raises(InfrastructureError, match="the warm process"):
            ChildKernel(warm.control, ChildLimits(), 1000).ready()


def kill_soon(sandbox: Sandbox, before: set[int], whom: str) -> None:
    """In half a second, kill -9 the child (process 1 of its namespace) or its supervisor."""

    def kill() -> None:
        depth = {pid: len(ids(pid)) for pid in descendants(sandbox.pid) - before}
        wanted = max(depth.values()) if whom == "child" else min(depth.values())
        for pid in (pid for pid, level in depth.items() if level == wanted):
            os.kill(pid, signal.SIGKILL)

    threading.Timer(0.5, kill).start()


def ids(pid: int) -> list[str]:
    """Return a process's ids, one for each of its namespaces."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(line for line in status.splitlines() if line.startswith("NSpid")).split()


@pytest.mark.parametrize("whom", ["child", "supervisor"])
def test_a_child_that_the_machine_kills_is_an_infrastructure_error(sandbox: Sandbox, whom: str) -> None:
    """For instance when it is short of memory. The student cannot cause this and loses nothing: the submission runs again."""
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


def test_too_much_cpu_time_is_a_timeout(sandbox: Sandbox) -> None:
    assert run_to_end(sandbox, "while True: pass", cpu_seconds=1) == "timed out"


@pytest.mark.parametrize(("used", "is_its_own"), [(600.1, True), (400, True), (299, False), (1, False)])
def test_a_killed_child_timed_out_if_it_used_over_half_of_its_cpu_limit(
    sandbox: Sandbox, used: float, is_its_own: bool
) -> None:
    with sandbox.child(cpu_seconds=600) as child, child.leash:
        child.leash, supervisor = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with supervisor:
            supervisor.send(json.dumps({"out_of_memory": False, "status": -9, "cpu_seconds": used}).encode())
            with pytest.raises(ChildEnded if is_its_own else InfrastructureError):
                child.run_silently("import os; os._exit(0)", 10)


def test_a_child_cannot_kill_itself_with_sigkill(sandbox: Sandbox) -> None:
    kills = "import contextlib, os, signal\nfor whom in (1, -1, 0):\n    with contextlib.suppress(OSError):"
    kills += " os.kill(whom, signal.SIGKILL)\nseen = 'alive'"
    assert sandbox.look(kills) == "alive"


def test_a_fork_beside_a_printing_thread_can_print_too(sandbox: Sandbox) -> None:
    """A thread may hold the line's lock at the fork; in the new process nothing would ever release it."""
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


def test_an_exception_with_a_very_long_text_does_not_hang(sandbox: Sandbox) -> None:
    """Its reply repeats the text. If that exceeded a frame, the cell would seem to hang."""
    long = answer_cell("raise ValueError('x' * 40_000_000)", "long")
    after = answer_cell("def f(): return 1", "after")
    grade = sandbox.judge(long, after, checking_cell("assert f() == 1"), cell_seconds=20).grade
    assert (grade.status, grade.score) == ("output limit", 1)


def test_a_note_says_that_the_submission_ran_out_of_time(sandbox: Sandbox) -> None:
    """Each cell and call is within its limit, and together they are not."""
    slow = answer_cell("import time\ndef f(): time.sleep(2.1)", "slow")
    call = sandbox.judge(slow, checking_cell("f(); f(); 1.0"), submission_seconds=2).grade
    two = sandbox.judge(
        slow, checking_cell("f()"), checking_cell("f()", 3), code("late = 1"), submission_seconds=2
    ).grade
    for grade in (call, two):
        assert (grade.status, grade.cells["test"].score) == ("timed out", 0)
        assert "the submission ran for over 2 s" in grade.notes[-1]
    assert (len(call.notes), len(two.notes)) == (1, 2)
    assert "its task used up its part of the submission's 2 s" in two.notes[0]


EARLY = """
import time
kernel = get_ipython().kernel
parent = kernel.get_parent()
kernel.session.send(kernel.shell_stream, "execute_reply", {"status": "ok"}, parent=parent, ident=parent.get("idents"))
kernel.session.send(kernel.iopub_socket, "status", {"execution_state": "idle"}, parent=parent)
while True: time.sleep(1)
"""


def test_a_cell_that_falsely_reports_its_end_costs_one_time_limit(sandbox: Sandbox) -> None:
    """If it were replayed, it would delay each later cell until its time limit."""
    answers = [answer_cell(f"a{n} = {n}", f"answer-{n}") for n in range(6)]
    test = checking_cell("(a2 + a3 + a4 + a5) / 14")
    grade = sandbox.judge(code(EARLY), *answers, test, cell_seconds=2, call_seconds=1).grade
    assert (grade.status, grade.score) == ("timed out", 1), grade.notes
    assert grade.seconds < 8
