"""Starts and ends worker processes: a fork server imports once, and forks the workers."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from multiprocessing.context import ForkServerContext
from typing import IO, Any, TypeVar

from autograder.errors import InfrastructureError
from autograder.judge import worker
from autograder.sandbox.jail import ONE_THREAD

T = TypeVar("T")


def prepare_fork_server(modules: Iterable[str]) -> ForkServerContext:
    """Return the context of a fork server that will import what every worker needs, and `modules`.

    Torch will use one thread: two workers with two threads each would wait for each other, and a sum that is computed again
    must come out the same to the bit. This process's environment says so, since torch reads it when it is imported.
    """
    os.environ.update(ONE_THREAD)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*worker.PRELOAD, *modules])
    return context


def submit(pool: ProcessPoolExecutor, function: Callable[..., T], *arguments: Any) -> Future[T]:
    """Call `function` in a worker. Where the pool takes no call, the future raises InfrastructureError."""
    try:
        return pool.submit(function, *arguments)
    except (BrokenProcessPool, OSError, EOFError) as error:  # the last two if the fork server has ended
        future: Future[T] = Future()
        future.set_exception(InfrastructureError(f"no worker takes it: {error}"))
        return future


def kill_workers(pool: ProcessPoolExecutor) -> None:
    """End the workers now, whatever they are doing: no result is ever partial."""
    processes = list((pool._processes or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.kill()
    for process in processes:
        process.join()


@contextlib.contextmanager
def shield_from_terminal() -> Iterator[None]:
    """Processes that start in this context write to a log instead of the terminal, and only this process ends them.

    Ctrl-C and a terminal that closes signal all processes at once, and each would print a traceback.
    """
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    terminal = os.dup(2)
    os.dup2(_log().fileno(), 2)
    try:
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def read_last_log_line() -> str:
    """Return the last line that the fork server or a worker wrote, at most 200 characters; "" if there is none."""
    _log().seek(0)
    lines = _log().read().decode(errors="replace").split("\n")
    return next((line.strip()[:200] for line in reversed(lines) if line.strip()), "")


@cache
def _log() -> IO[bytes]:
    """The log of the fork server and its workers: one file, as a process has one fork server."""
    return tempfile.TemporaryFile()
