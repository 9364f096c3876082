"""The judge's end of the line when a child sends arbitrary data: the child may be lost, but the judge goes on."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from jupyter_client.session import Session

from autograder.course import Limits
from autograder.judge.job import Job
from autograder.judge.live import judge
from autograder.sandbox import wire
from autograder.sandbox.client import ChildKernel
from autograder.sandbox.endings import ChildEnded, RemoteError
from autograder.sandbox.warm import ChildLimits
from tests.fuzz.mutations import altered
from tests.fuzz.profiles import fuzz, fuzz_slowly
from tests.support.sandboxed import answer_cell, checking_cell, executed, notebook


def trees(integers: st.SearchStrategy[int]) -> st.SearchStrategy[Any]:
    """Draw nested lists and dictionaries of plain values."""
    return st.recursive(
        st.none() | st.booleans() | integers | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=6,
    )


JSON = trees(st.integers())
MSGPACK = trees(st.integers(-(2**63), 2**64 - 1))  # it has no larger ones
HONEST = {  # the messages that a kernel sends when a cell runs: kind, content
    "status": {"execution_state": "busy"},
    "execute_input": {"code": "1", "execution_count": 1},
    "stream": {"name": "stdout", "text": "words"},
    "display_data": {"data": {"text/plain": "1"}, "metadata": {}, "transient": {"display_id": "a"}},
    "update_display_data": {"data": {"text/plain": "2"}, "metadata": {}, "transient": {"display_id": "a"}},
    "clear_output": {"wait": False},
    "execute_result": {"data": {"text/plain": "1"}, "metadata": {}, "execution_count": 1},
    "error": {"ename": "E", "evalue": "v", "traceback": ["t"]},
    "comm_open": {"comm_id": "c", "target_name": "t", "data": {"state": {}, "method": "update"}},
    "execute_reply": {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}},
}
KINDS = st.sampled_from(sorted(HONEST))
CONTENTS = KINDS.flatmap(
    lambda kind: st.tuples(st.just(kind), altered(st.just(HONEST[kind]), JSON) | st.just(HONEST[kind]))
)
REPLIES = altered(st.just(["ok", ["function", 1, "f"], None, None]), MSGPACK) | st.just(["ok", 2, None, None])


@st.composite
def frames(draw: Any) -> list[tuple[str, Any]]:
    """Draw what a child sends after one request: messages, replies, noise."""
    step = (
        st.tuples(st.just("message"), CONTENTS)
        | st.tuples(st.just("reply"), REPLIES)
        | st.tuples(st.just("noise"), st.binary(max_size=20))
        | st.tuples(st.just("corrupt"), st.tuples(CONTENTS, st.integers(0, 2**32)))
    )
    steps: list[tuple[str, Any]] = draw(st.lists(step, min_size=1, max_size=5))
    return steps


class Hostile:
    """A child's end of the line and leash that answers each request by a script and then hangs up."""

    def __init__(self, script: list[list[tuple[str, Any]]]) -> None:
        self.script = script

    @contextlib.contextmanager
    def child(self) -> Iterator[ChildKernel]:
        control, warm_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        kernel = ChildKernel(control, ChildLimits(), 2**16)
        _, (line, leash), _, _ = socket.recv_fds(warm_end, 4096, 2)
        thread = threading.Thread(target=self.play, args=(socket.socket(fileno=line), socket.socket(fileno=leash)))
        thread.start()
        try:
            yield kernel
        finally:
            kernel.close()
            thread.join()
            control.close()
            warm_end.close()

    def play(self, line: socket.socket, leash: socket.socket) -> None:
        frames, session = wire.Frames(), Session(key=b"")
        with contextlib.suppress(OSError), line, leash:
            leash.send(b'{"up": true}')
            wire.send(line, wire.JUDGE, wire.pack(["ready"]))
            for steps in self.script:
                header = self.receive(line, frames)
                for kind, content in steps:
                    line.sendall(self.frame(kind, content, session, header))
            leash.send(b'{"out_of_memory": false, "status": 1, "cpu_seconds": 0}')

    def receive(self, line: socket.socket, frames: wire.Frames) -> dict[str, Any]:
        """Return the header of the next request if it is for the kernel, {} if it is the judge's."""
        while data := line.recv(2**16):
            for channel, payload in frames.feed(data):
                if channel == wire.KERNEL:
                    parts = msgspec.msgpack.decode(payload)
                    return dict(json.loads(parts[parts.index(b"<IDS|MSG>") + 2]))
                return {}
        raise OSError

    def frame(self, kind: str, what: Any, session: Session, header: dict[str, Any]) -> bytes:
        if kind == "noise":
            return bytes(what)
        if kind == "reply":
            payload = msgspec.msgpack.encode(what)
            return wire.HEADER.pack(len(payload), wire.JUDGE) + payload
        (name, content), place = what if kind == "corrupt" else (what, None)
        own = {**session.msg_header(name), "date": "2026-01-09T12:00:00Z"}
        parts = [json.dumps(part).encode(errors="replace") for part in (own, header, {}, content)]
        channel = b"shell" if name == "execute_reply" else b"iopub"
        frame = bytearray(msgspec.msgpack.encode([channel, b"<IDS|MSG>", b"", *parts]))
        if place is not None:
            frame[place % len(frame)] ^= 1 + place % 255
        return wire.HEADER.pack(len(frame), wire.KERNEL) + frame


SCRIPTS = st.lists(frames(), min_size=1, max_size=3)


@fuzz
@given(SCRIPTS)
def test_a_request_is_answered_or_the_child_has_ended(script: list[list[tuple[str, Any]]]) -> None:
    with Hostile(script).child() as kernel:
        kernel.ready()
        for _ in script:
            with contextlib.suppress(ChildEnded, RemoteError):
                assert kernel.request("get", "x", timeout=0.05)[0] in ("ok", "missing")


CELLS = (
    answer_cell("def f(x): return x"),
    checking_cell("assert f(1) == 3", 2),
    checking_cell("f(4) * 0 + 1", 1, "last"),
)


@fuzz_slowly
@given(SCRIPTS)
def test_a_submission_whose_children_send_arbitrary_data_gets_a_valid_grade(
    script: list[list[tuple[str, Any]]],
) -> None:
    """The whole judge runs: cells by nbclient, names and calls by the wire. The grade has a status and a score for each test."""
    job = Job(
        "ada", "tiny", notebook(*CELLS), frozenset(), (), Limits(cell_seconds=1, call_seconds=1, submission_seconds=3)
    )
    with contextlib.ExitStack() as stack:

        def take(limits: ChildLimits, output_bytes: int) -> ChildKernel:
            child = stack.enter_context(Hostile(script).child())
            child.ready()
            return child

        judged = judge(job, take)
    grade = judged.grade
    assert grade.status in ("completed", "died", "timed out", "output limit")
    assert grade.cells["test"].score in (0, 2)
    assert grade.cells["last"].score in (0, 1, None)
    assert json.dumps(executed(judged))
