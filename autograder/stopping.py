"""Stopping a command in order, whoever asks for it."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Stopping takes two seconds at most, the time that the warm process is given to end by itself.
IMPATIENT_SECONDS = 10


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Ctrl-C, a terminal that closes and a machine that shuts down all stop a command in order. A second one, while things are
    put away, would leave them half put away: it is passed over."""
    first = -float("inf")

    def stop(*_: object) -> None:
        nonlocal first
        if time.monotonic() - first > IMPATIENT_SECONDS:
            first = time.monotonic()
            raise KeyboardInterrupt

    heard = [number for number in STOPPING if signal.getsignal(number) != signal.SIG_IGN]  # nohup has one ignored
    before = {number: signal.signal(number, stop) for number in heard}
    yield
    for number, handler in before.items():  # not where it was stopped: this process is about to end
        signal.signal(number, handler)


def let_end() -> None:
    """From here on nobody stops this process: it is about to end, and Python gives its handlers back before it has."""
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)
