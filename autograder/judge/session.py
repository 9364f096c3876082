"""A submission's sandbox over time: one child, and another in its place if it dies, hangs or eats the memory.

The new child runs the cells before again, without those that were fatal, so that what does not depend on them still
counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from autograder.course import Limits
from autograder.errors import AutograderError
from autograder.records.transcript import Exchange
from autograder.sandbox import wire
from autograder.sandbox.ends import ChildEnded, answer
from autograder.sandbox.kernel import ChildKernel

# Each replacement costs a replay of the cells before. What was fatal twice is not asked again, and a notebook with ten
# fatal calls in five places has had a fair reading; more would only spend the batch's time.
MAX_LOSSES_BY_ONE = 2
MAX_REPLACEMENTS = 10


class Session:
    """One submission's children, one at a time. `new_child` starts one."""

    def __init__(self, new_child: Callable[[], ChildKernel], limits: Limits) -> None:
        self.new_child, self.limits = new_child, limits
        self.deadline = time.monotonic() + limits.submission_seconds
        self.executed: list[str] = []  # the text of each cell that a replacement runs again
        self.losses: list[ChildEnded] = []
        self.blame: dict[str, int] = {}  # children lost, by the function that was called
        self.fault: AutograderError | None = None  # of ours; a test cell's `with check` must not swallow it
        self.is_over = False
        self.generation = 0  # references into a child are good for that child only
        self.asked: list[Exchange] = []  # since the test cell that is running began
        self.kernel = self._start()

    @property
    def seconds_left(self) -> float:
        """What is left of the submission's time; 0 when it is over."""
        return max(0.0, self.deadline - time.monotonic())

    @property
    def exhausted(self) -> ChildEnded | None:
        """The reason why no more of this submission is run, if there is one."""
        if time.monotonic() > self.deadline:
            return ChildEnded("timed out", f"the submission ran for over {self.limits.submission_seconds} s")
        return self.losses[-1] if len(self.losses) > MAX_REPLACEMENTS else None

    def refuse(self, why: ChildEnded) -> bool:
        """Take note that something is not run any more, since this session is `exhausted`; whether it is the first."""
        first = why not in self.losses and not self.is_over
        if first:
            self.is_over = True
            self.losses.append(why)
        return first

    def lost(self, why: ChildEnded) -> None:
        """Take note that the child is gone, and put another in its place."""
        self.losses.append(why)
        self.kernel.close()
        while not self.exhausted:
            try:
                self.kernel = self._start()
                self._replay()
                return
            except ChildEnded as error:
                self.losses.append(error)
                self.kernel.close()
            except AutograderError as error:
                self.fault = error
                raise

    def _replay(self) -> None:
        """Run the earlier cells again. One that says that it is done, and lets nobody else have a word, is not among them any
        more: whatever came after it would be lost, one time limit after the other."""
        for text in tuple(self.executed):
            self.kernel.run_silently(text, min(self.limits.cell_seconds, self.seconds_left))
            try:
                self.kernel.request("forget", timeout=self.limits.call_seconds)
            except ChildEnded:
                self.executed.remove(text)
                raise

    def request(self, verb: str, *arguments: Any, about: str = "") -> list[Any]:
        """Ask the child, as `ChildKernel.request`, about what is called `about`; a child lost by it is replaced before
        ChildEnded is raised. Question and answer are written down as they crossed."""
        asked = [verb, *arguments]
        request = wire.pack(asked)
        try:
            reply, message = self._exchange(request, about)
        except ChildEnded as end:
            self.asked.append(Exchange.of(asked, request, b"", self.generation, (end.why, str(end))))
            raise
        self.asked.append(Exchange.of(asked, request, reply, self.generation))
        return answer(message)

    def _exchange(self, request: bytes, about: str) -> tuple[bytes, list[Any]]:
        if over := self.exhausted:
            self.refuse(over)
            raise over
        if self.blame.get(about, 0) >= MAX_LOSSES_BY_ONE:
            raise ChildEnded(self.losses[-1].why, f"{about} was not called again after {MAX_LOSSES_BY_ONE} such ends")
        try:
            return self.kernel.exchange(request, self.limits.call_seconds)
        except ChildEnded as error:
            self.blame[about] = self.blame.get(about, 0) + 1
            self.lost(error)
            raise
        except AutograderError as error:
            self.fault = error
            raise

    def close(self) -> None:
        self.kernel.close()

    def _start(self) -> ChildKernel:
        kernel = self.new_child()
        self.generation += 1
        kernel.attach()
        return kernel
