"""Scores an earlier run by today's tests: the test cells run here, and what the student's code answered is read, not run.

The answers hold only where the very same questions are asked, in the same order, to the last one: a function may remember its
calls. So the grade is, to the point, the one that a new run would give. Where another question comes up, or one is left out,
`NotRecorded` says that the submission has to run again.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from msgspec.msgpack import encode
from nbformat import from_dict

from autograder.course import notebook as nb
from autograder.judge import scoring
from autograder.judge.job import Job, Judged
from autograder.judge.scoring import Scored, Scorer
from autograder.judge.walk import is_run, walk
from autograder.records.grade import CellGrade
from autograder.records.run import Run
from autograder.records.transcript import Asked, Exchange
from autograder.sandbox import wire
from autograder.sandbox.ends import ChildEnded, answer

# By a hash of all that a verdict depends on, in this process. A verdict has 0.7 KB in the median, in a class of the course 1.6 at
# most, and is bounded by what `test_cell` cuts: 20 KB of print, 2 KB a check.
_verdicts: dict[bytes, Scored] = {}
MOST_VERDICTS = 10_000


class NotRecorded(BaseException):
    """A question that the run's transcript does not hold. Not an Exception: no check of a test cell may take it for an
    answer."""


def score(job: Job, run: Run, settled: Mapping[str, CellGrade] = MappingProxyType({})) -> Judged:
    """Score an earlier run of `job`; NotRecorded if today's tests ask for what it does not hold. Test cells that are
    `settled` keep their grade: nothing of them has changed."""
    return asyncio.run(walk(job, from_dict(job.notebook), Past(job, run, settled)))


class Past:
    """A subject (see `walk`) whose cells ran in an earlier run."""

    def __init__(self, job: Job, run: Run, settled: Mapping[str, CellGrade]) -> None:
        transcript = run.transcript
        if transcript is None:
            raise NotRecorded
        self.asked, self.settled = transcript.cells, settled
        self.ended, self.isolation, self.seconds = run.ended, run.isolation, run.seconds
        self.notes = list(run.notes)
        self.limit = job.limits.submission_seconds + scoring.TEST_SECONDS
        self.executed = _executed(job.notebook["cells"], json.loads(run.notebook)["cells"])

    async def run(self, index: int, cell: Any) -> None:
        """Put the outputs of the earlier run in their place."""
        earlier = next(self.executed)
        cell.outputs, cell.execution_count = from_dict(earlier["outputs"]), earlier.get("execution_count")

    def test(self, scorer: Scorer, cell: Any) -> Scored:
        """What a test cell makes of the recorded answers."""
        name = str(nb.grade_id(cell))
        asked = self.asked.get(name, Asked())
        if name in self.settled:
            return Scored(self.settled[name], asked)
        return _scored(scorer, cell, asked.exchanges, self.limit)


def _executed(today: Sequence[nb.Cell], earlier: Sequence[nb.Cell]) -> Iterator[nb.Cell]:
    """The cells that ran, as they ran; NotRecorded where today's are not the same, cell by cell."""
    ours, theirs = ([cell for cell in cells if cell["cell_type"] == "code"] for cells in (today, earlier))
    if list(map(_code_of, ours)) != list(map(_code_of, theirs)):
        raise NotRecorded
    return filter(is_run, theirs)


def _code_of(cell: nb.Cell) -> str | None:
    """What must be the same for the answers to be the same: the code of a cell, and of a test cell only that it is one."""
    return None if nb.is_test(cell) else nb.source(cell)


class Replay:
    """Answers a test cell's questions as they were answered before."""

    def __init__(self, recorded: Sequence[Exchange]) -> None:
        self.recorded = recorded
        self.asked: list[Exchange] = []
        self.generation = 0

    def request(self, verb: str, *arguments: Any, about: str = "") -> list[Any]:
        """The recorded reply to this question, if it comes in its turn."""
        request = wire.pack([verb, *arguments])
        if self.exhausted or not self.recorded[len(self.asked)].answers(request):
            raise NotRecorded
        exchange = self.recorded[len(self.asked)]
        self.asked.append(exchange)
        self.generation = exchange.generation
        if exchange.ended:
            raise ChildEnded(*exchange.ended)
        return answer(wire.unpack(exchange.reply))

    @property
    def exhausted(self) -> bool:
        """Whether every recorded question has been asked."""
        return len(self.asked) == len(self.recorded)


def _scored(scorer: Scorer, cell: Any, exchanges: tuple[Exchange, ...], seconds: float) -> Scored:
    """What a test cell makes of these answers. Two submissions that answer alike, to the bit, are scored once: that halves the
    CPU time of a class whose answers are mostly right."""
    key = hashlib.sha256(encode([scorer.locked, cell.source, nb.points(cell), exchanges])).digest()
    if key not in _verdicts:
        replay = Replay(exchanges)
        scored = scorer.score(cell, replay, seconds)
        if not replay.exhausted:
            raise NotRecorded
        # A test that ran for too long may be luckier next time.
        if scored.grade.trouble or len(_verdicts) >= MOST_VERDICTS:
            return scored
        _verdicts[key] = replace(scored, asked=replace(scored.asked, exchanges=()))
    known = _verdicts[key]
    return replace(known, asked=replace(known.asked, exchanges=exchanges))
