"""How long a test cell may run. It runs in the judge, on what a student's code returned, and an honest test of a dishonest answer
may go on for hours.

A signal's handler raises in the main thread, the only one where handlers run. What it raises is no Exception, so that no check
takes it for one that failed. Where something swallows it all the same, as whatever is raised in a destructor is, it comes
again, and the result does not count. Code in C that lets no handler run is ended by a second timer, and the worker with it.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
# Cancelling takes microseconds; in 5 s even a machine under full load has come to it.
AGAIN_SECONDS = 5.0
# What is one call of torch when time is up may end. The largest answer, 64 MB, is sorted in 1 s of CPU time and multiplied by
# itself, into all the memory that there is, in 9.
GRACE_SECONDS = 10.0


class OverTime(BaseException):
    """The code ran for too long."""


def within(seconds: float, work: Callable[[], T]) -> T | None:
    """What `work` returns, or None where it took over `seconds`. In other threads than the main one there is no limit: no
    worker has any that runs tests."""
    if threading.current_thread() is not threading.main_thread():
        return work()
    over = False

    def end(*_: object) -> None:
        nonlocal over
        over = True
        signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS)
        raise OverTime

    before = signal.signal(signal.SIGALRM, end)

    def cancel() -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGALRM, before)

    try:
        try:
            signal.setitimer(signal.ITIMER_REAL, seconds)
            # In CPU time, which is what code without an end takes, and with SIGPROF's default action.
            signal.setitimer(signal.ITIMER_PROF, seconds + GRACE_SECONDS)
            made = work()
        finally:
            cancel()
    except OverTime:
        cancel()  # it may have come while the limit was lifted
        return None
    return None if over else made
