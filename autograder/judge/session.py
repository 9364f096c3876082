"""Keeps a child for one submission, and replaces it if it dies, hangs or takes too much memory.

The new child runs the earlier cells again, without those that were fatal, so that whatever does not depend on them still
counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograder.course import Limits
from autograder.errors import AutograderError
from autograder.judge.budget import Budget
from autograder.records.transcript import Exchange
from autograder.sandbox import wire
from autograder.sandbox.client import ChildKernel
from autograder.sandbox.endings import ChildEnded, answer

# Each replacement runs the earlier cells again. A function that was fatal twice is not called again, so ten replacements cover
# five such functions; more would only take the batch's time.
MAX_LOSSES_BY_ONE = 2
MAX_REPLACEMENTS = 10
# Of all answers of one submission, which its transcript keeps. The course's have up to 60 KB, and a single one may have 64 MB.
MAX_ANSWERED = 256 * 2**20


class Session:
    """One submission's children, one at a time; `new_child` starts one. `tasks` share its time."""

    def __init__(self, new_child: Callable[[], ChildKernel], limits: Limits, tasks: int = 1) -> None:
        self.new_child, self.limits = new_child, limits
        self.budget = Budget(limits.submission_seconds, tasks)
        self.cells: list[str] = []  # the texts of the cells that a new child runs again
        self.cells_seconds = 0.0  # how long they took, and so about how long a replay takes
        self.losses: list[ChildEnded] = []  # of children, and of time
        self.lost_children = 0
        self.blame: dict[str, int] = {}  # the number of lost children, by the function that was called
        self.fault: AutograderError | None = None  # kept here, since a test cell's `with check` may swallow it
        self.is_over = False  # and that is recorded
        self.is_task_over = False  # the same, of the current task
        self.generation = 0  # counts the children: a reference is valid in its own child only
        self.asked: list[Exchange] = []  # since the test cell that is running began
        self.answered = 0  # bytes of all replies
        self.kernel = self._start()

    @property
    def stop_reason(self) -> ChildEnded | None:
        """The reason why no more of this submission is run, or None."""
        if not self.budget.left:
            return ChildEnded("timed out", f"the submission ran for over {self.limits.submission_seconds} s")
        if self.answered > MAX_ANSWERED:
            return ChildEnded("out of memory", f"its answers have over {MAX_ANSWERED // 2**20} MB together")
        return self.losses[-1] if self.lost_children > MAX_REPLACEMENTS else None

    @property
    def test_seconds(self) -> float:
        """How long the questions of a test cell may take in all, with the replays of the cells for every new child."""
        replays = MAX_REPLACEMENTS * 2 * self.cells_seconds  # twice, since the machine may be busier
        return min(self.budget.left, self.budget.task_left + replays)

    def next_task(self, grace: float) -> None:
        """End a task, and begin the next one with its own share of the time; `grace` is as in `Budget.next_task`."""
        self.budget.next_task(grace)
        self.is_task_over = False

    def refuse(self, reason: ChildEnded) -> bool:
        """Record that something is not run, for this `stop_reason`; return whether it is the first time."""
        is_first = reason not in self.losses and not self.is_over
        if is_first:
            self.is_over = True
            self.losses.append(reason)
        return is_first

    def replace_child(self, loss: ChildEnded) -> None:
        """Record the loss of the child and start another, unless there is a `stop_reason`; AutograderError if that fails by
        our own fault."""
        self._lose(loss)
        while not self.stop_reason:
            try:
                self.kernel = self._start()
                self._replay()
                return
            except ChildEnded as error:
                self._lose(error)
            except AutograderError as error:
                self.fault = error
                raise

    def _lose(self, loss: ChildEnded) -> None:
        self.losses.append(loss)
        self.lost_children += 1
        self.kernel.close()

    def _replay(self) -> None:
        """Run the earlier cells again; ChildEnded if the child is lost.

        A cell that reports its end and then blocks the child is dropped: otherwise each later cell would hit its time limit.
        """
        for text in tuple(self.cells):
            self.kernel.run_silently(text, min(self.limits.cell_seconds, self.budget.left))
            try:
                self.kernel.request("forget", timeout=self.limits.call_seconds)
            except ChildEnded:
                self.cells.remove(text)
                raise

    def request(self, verb: str, *arguments: Any, about: str = "") -> list[Any]:
        """Ask the child, as `ChildKernel.request` does; `about` names the function that is called.

        A child that is lost is replaced before ChildEnded is raised. `asked` keeps question and answer, as they crossed.
        """
        question = [verb, *arguments]
        request = wire.pack(question)
        try:
            reply, message = self._exchange(request, about)
        except ChildEnded as end:
            self.asked.append(Exchange.of(question, request, b"", self.generation, (end.why, str(end))))
            raise
        self.asked.append(Exchange.of(question, request, reply, self.generation))
        self.answered += len(reply)
        return answer(message)

    def _exchange(self, request: bytes, about: str) -> tuple[bytes, list[Any]]:
        if self.is_task_over:
            raise self._task_reason
        if reason := self.stop_reason:
            self.refuse(reason)
            raise reason
        if not self.budget.task_left:
            self.is_task_over = True
            self.losses.append(self._task_reason)
            raise self._task_reason
        if self.blame.get(about, 0) >= MAX_LOSSES_BY_ONE:
            raise ChildEnded(self.losses[-1].why, f"{about} was not called again after {MAX_LOSSES_BY_ONE} such ends")
        try:
            return self.kernel.exchange(request, min(self.limits.call_seconds, self.budget.task_left))
        except ChildEnded as error:
            if error.why == "timed out" and not self.budget.task_left:
                self.is_task_over, self.is_over = True, not self.budget.left
                self.replace_child(self._task_reason)
                raise self._task_reason from None
            self.blame[about] = self.blame.get(about, 0) + 1
            self.replace_child(error)
            raise
        except AutograderError as error:
            self.fault = error
            raise

    @property
    def _task_reason(self) -> ChildEnded:
        """The reason why no more of a task is run, once its time is over."""
        if reason := self.stop_reason:
            return reason
        return ChildEnded(
            "timed out", f"its task used up its part of the submission's {self.limits.submission_seconds} s"
        )

    def close(self) -> None:
        """End the child."""
        self.kernel.close()

    def _start(self) -> ChildKernel:
        kernel = self.new_child()
        self.generation += 1
        kernel.attach()
        return kernel
