"""Limits how long a test cell runs in the judge.

A wrong answer can make an honest test run for hours. An alarm's handler raises OverTime in the main thread, the only one where
handlers run. OverTime is not an Exception, so that no check takes it for a failure. If something swallows it, as happens in a
destructor, it is raised again, and the test's result does not count. Code in C during which no handler runs is ended by a
second timer, together with the worker.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
# Lifting the limit takes microseconds; within 5 s it happens even on a machine under full load.
REPEAT_SECONDS = 5.0
# One call of torch that is running when time is up may end. On the largest answer, 64 MB, sorting takes 1 s of CPU time, and a
# product with itself, until all memory is used, 9 s.
GRACE_SECONDS = 10.0


class OverTime(BaseException):
    """The code ran for too long."""


def run_within(seconds: float, work: Callable[[], T]) -> T | None:
    """Return what `work` returns, or None if it took over `seconds`.

    There is no limit outside the main thread; no worker runs tests there.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    is_over = False

    def stop(*_: object) -> None:
        nonlocal is_over
        is_over = True
        signal.setitimer(signal.ITIMER_REAL, REPEAT_SECONDS)
        raise OverTime

    handler = signal.signal(signal.SIGALRM, stop)

    def lift() -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGALRM, handler)

    try:
        try:
            signal.setitimer(signal.ITIMER_REAL, seconds)
            # In CPU time, which endless code uses up; SIGPROF keeps its default action, which ends the process.
            signal.setitimer(signal.ITIMER_PROF, seconds + GRACE_SECONDS)
            result = work()
        finally:
            lift()
    except OverTime:
        lift()  # the alarm may have come while the limit was being lifted
        return None
    return None if is_over else result
