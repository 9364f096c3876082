"""Shares a submission's time among its tasks, so that a slow answer costs its own task and no other.

Half of the time is divided equally: this share is kept for each task, whatever the tasks before it use. The other half goes to
whoever needs it first. Equal shares of the whole would be too strict: with 120 s for eight tasks, a right answer whose 46 calls
take 1 s each would lose its task, though the other seven need 2 s together.
"""

from __future__ import annotations

import time

KEPT = 0.5  # the part of the time that is kept for all tasks


class Budget:
    """The time of one submission with `tasks` tasks, counted from now. A task is a test cell with the cells ahead of it."""

    def __init__(self, seconds: float, tasks: int) -> None:
        self.seconds, self.tasks = seconds, tasks  # `tasks` counts the current one and those to come
        self.share = KEPT * seconds / max(1, tasks)
        self.end = time.monotonic() + seconds
        self._start_task()

    def next_task(self, grace: float = 0) -> None:
        """End a task. After the last one, what is left is for the cells that follow.

        If the task took longer than it had, since its test itself was slow, the others get up to `grace` seconds back.
        """
        over = time.monotonic() - min(self.end, self.task_end)
        self.end += min(grace, max(0.0, over))
        self.tasks -= 1
        self._start_task()

    def _start_task(self) -> None:
        left, others = self.left, max(0, self.tasks - 1)
        # The equal part of what is left counts where replays of cells have used up what was kept.
        self.task_end = time.monotonic() + max(left - others * self.share, left / (others + 1))

    @property
    def left(self) -> float:
        """The rest of the submission's time, in seconds; 0 when it is over."""
        return max(0.0, self.end - time.monotonic())

    @property
    def task_left(self) -> float:
        """The rest of the task's time, in seconds; 0 when it is over."""
        return max(0.0, min(self.end, self.task_end) - time.monotonic())

    @property
    def cell_left(self) -> float:
        """How many seconds one cell may run: half of the task's time, since its other cells and its test need some too."""
        return self.task_left / 2 if self.tasks > 0 else self.left
