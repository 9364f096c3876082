"""Scores an earlier run by today's tests, which run here on the answers in its transcript.

The answers are valid only for the very same questions, in the same order and to the last one, since a function may remember its
calls. So the grade equals, to the point, that of a new run. If a test asks another question or leaves one out, `NotRecorded`
says that the submission has to run again.
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
from autograder.sandbox.endings import ChildEnded, answer

# By a hash of everything that a score depends on, in this process. A score has 0.7 KB in the median and 1.6 KB at most in a class
# of the course; `test_cell` limits it to 20 KB of print and 2 KB per check.
_verdicts: dict[bytes, Scored] = {}
MAX_VERDICTS = 10_000


class NotRecorded(BaseException):
    """The transcript does not hold this question. Not an Exception, so that no check of a test cell takes it for a failure."""


def score(job: Job, run: Run, settled: Mapping[str, CellGrade] = MappingProxyType({})) -> Judged:
    """Score an earlier run of `job`; NotRecorded if its transcript does not answer today's tests. Test cells in `settled`, by
    grade_id, keep their grade and do not run: nothing that decides it has changed."""
    return asyncio.run(walk(job, from_dict(job.notebook), EarlierRun(job, run, settled)))


class EarlierRun:
    """A subject (see `walk`) whose cells ran in an earlier run."""

    def __init__(self, job: Job, run: Run, settled: Mapping[str, CellGrade]) -> None:
        transcript = run.transcript
        if transcript is None:
            raise NotRecorded
        self.asked, self.settled = transcript.cells, settled
        self.ended, self.isolation, self.seconds = run.ended, run.isolation, run.seconds
        self.notes = list(run.notes)
        self.limit = job.limits.submission_seconds + scoring.TEST_SECONDS
        self.cells = _executed_cells(job.notebook["cells"], json.loads(run.notebook)["cells"])

    async def run(self, index: int, cell: Any) -> None:
        """Put the cell's outputs from the earlier run into `cell`."""
        earlier = next(self.cells)
        cell.outputs, cell.execution_count = from_dict(earlier["outputs"]), earlier.get("execution_count")

    def test(self, scorer: Scorer, cell: Any) -> Scored:
        """Score a test cell on the recorded answers."""
        name = str(nb.grade_id(cell))
        asked = self.asked.get(name, Asked())
        if name in self.settled:
            return Scored(self.settled[name], asked)
        return _score_once(scorer, cell, asked.exchanges, self.limit)


def _executed_cells(today: Sequence[nb.Cell], earlier: Sequence[nb.Cell]) -> Iterator[nb.Cell]:
    """Return the cells that ran in the earlier run, with their outputs; NotRecorded if today other code would run."""
    if _code(today) != _code(earlier):
        raise NotRecorded
    return filter(is_run, earlier)


def _code(cells: Sequence[nb.Cell]) -> list[str]:
    """Return what ran of each code cell; a test cell's own text may change."""
    return [
        nb.visible_test(cell) if nb.is_test(cell) else nb.source(cell) for cell in cells if cell["cell_type"] == "code"
    ]


class Replay:
    """A respondent (see `remote`) that gives the recorded answers of one test cell."""

    def __init__(self, exchanges: Sequence[Exchange]) -> None:
        self.exchanges = exchanges
        self.asked: list[Exchange] = []
        self.generation = 0

    def request(self, verb: str, *arguments: Any, about: str = "") -> list[Any]:
        """Return the recorded reply; NotRecorded if another question is next."""
        request = wire.pack([verb, *arguments])
        if self.is_finished or not self.exchanges[len(self.asked)].answers(request):
            raise NotRecorded
        exchange = self.exchanges[len(self.asked)]
        self.asked.append(exchange)
        self.generation = exchange.generation
        if exchange.ended:
            raise ChildEnded(*exchange.ended)
        return answer(wire.unpack(exchange.reply))

    @property
    def is_finished(self) -> bool:
        """Whether every recorded question has been asked."""
        return len(self.asked) == len(self.exchanges)


def _score_once(scorer: Scorer, cell: Any, exchanges: tuple[Exchange, ...], seconds: float) -> Scored:
    """Score a test cell on these answers, or return the score of a submission with the same answers, to the bit: that halves
    the CPU time of a class with mostly right answers."""
    key = hashlib.sha256(encode([scorer.read_only, cell.source, nb.points(cell), exchanges])).digest()
    if key not in _verdicts:
        replay = Replay(exchanges)
        scored = scorer.score(cell, replay, seconds)
        if not replay.is_finished:
            raise NotRecorded
        # A test cell that ran for too long may be faster next time.
        if scored.grade.trouble or len(_verdicts) >= MAX_VERDICTS:
            return scored
        _verdicts[key] = replace(scored, asked=replace(scored.asked, exchanges=()))
    known = _verdicts[key]
    return replace(known, asked=replace(known.asked, exchanges=exchanges))
