"""How a command ends: in one line for an error of ours, cleanly on Ctrl-C, a closed terminal or a shutdown."""

from __future__ import annotations

import contextlib
import errno
import signal
import sys
import time
from collections.abc import Iterator
from typing import Any, NoReturn

import click

from autograder.errors import AutograderError, IsolationError

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


class Group(click.Group):
    """The commands. Each of our errors becomes one line and an exit code."""

    def invoke(self, context: click.Context) -> Any:
        try:
            with stoppable():
                return super().invoke(context)
        except AutograderError as error:
            _fail(str(error), 3 if isinstance(error, IsolationError) else 2)
        except OSError as error:  # a full disk, a folder without write permission, too many open files
            if error.errno == errno.EPIPE:
                raise  # the reader of the output has closed it; click ends quietly
            where = f"{error.filename}: " if error.filename else ""
            _fail(f"{where}{error.strerror or error}; fix this and rerun; saved results are kept", 2)
        except KeyboardInterrupt:
            let_end()
            graded = context.invoked_subcommand == "grade"
            rerun = "rerun to grade the rest; saved results are kept" if graded else "rerun to start over"
            click.echo(f"\nstopped; {rerun}", err=True)
            sys.exit(130)


def _fail(message: str, code: int) -> NoReturn:
    click.echo(f"autograder: {message}", err=True)
    sys.exit(code)
