"""Stops a command cleanly on Ctrl-C, a closed terminal or a shutdown."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Cleanup takes at most two seconds, the time that the warm process has to end by itself. A second signal after this many
# seconds means that cleanup hangs.
IMPATIENT_SECONDS = 10


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Turn the signals of Ctrl-C, a closed terminal and a shutdown into a KeyboardInterrupt.

    A second signal during cleanup is ignored, since it would leave the cleanup half done.
    """
    first = -float("inf")

    def stop(*_: object) -> None:
        nonlocal first
        if time.monotonic() - first > IMPATIENT_SECONDS:
            first = time.monotonic()
            raise KeyboardInterrupt

    handled = [number for number in STOPPING if signal.getsignal(number) != signal.SIG_IGN]  # nohup ignores SIGHUP
    previous = {number: signal.signal(number, stop) for number in handled}
    yield
    for number, handler in previous.items():  # skipped after an interrupt: then the process is about to end
        signal.signal(number, handler)


def let_end() -> None:
    """Ignore these signals from now on: the process is about to end, and Python restores the default handlers before it has."""
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)
