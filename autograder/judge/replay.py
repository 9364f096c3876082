"""Scores a submission anew from its transcript: the test cells run here, and what the student's code answered is read, not run.

The answers hold only where the very same questions are asked, in the same order, to the last one: a function may remember its
calls. So a new grade is, to the point, the one that a new run would give. Where another question comes up, or one is left
out, `NotRecorded` says that the submission has to run again.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from msgspec.msgpack import encode
from nbformat import from_dict

from autograder.course import notebook as nb
from autograder.judge.job import Job
from autograder.judge.scoring import Scored, Scorer
from autograder.judge.submission import TEST_SECONDS, Judged, ended_as, troubles
from autograder.records.grade import CellGrade, Grade
from autograder.records.transcript import Asked, Exchange, Transcript
from autograder.sandbox import wire
from autograder.sandbox.ends import ChildEnded, answer

# By a hash of all that a verdict depends on, in this process. One has 0.7 KB in the median, in a class of the course 1.6 at most,
# and is bounded by what `test_cell` cuts: 20 KB of print, 2 KB a check.
_verdicts: dict[bytes, Scored] = {}
MOST_VERDICTS = 10_000


class NotRecorded(BaseException):
    """A question that the transcript does not hold. Not an Exception: no check of a test cell may take it for an answer."""


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


def rescore(
    job: Job, transcript: Transcript, run: nb.Notebook, settled: Mapping[str, CellGrade] = MappingProxyType({})
) -> Judged:
    """Score `job` from the transcript of an earlier run, whose notebook with its outputs is `run`; NotRecorded if its tests ask
    for what the transcript does not hold. Test cells that are `settled` keep their grade: nothing of them has changed."""
    notebook = from_dict(job.notebook)
    scorer = Scorer(notebook)
    cells: dict[str, CellGrade] = {}
    asked: dict[str, Asked] = {}
    before = iter(_code(notebook.cells, run["cells"]))
    for cell in notebook.cells:
        name = str(nb.grade_id(cell))
        ran = next(before) if cell.cell_type == "code" else {}
        if name in settled:
            cells[name], asked[name] = settled[name], transcript.cells.get(name, Asked())
        elif nb.is_test(cell):
            exchanges = transcript.cells[name].exchanges if name in transcript.cells else ()
            scored = _scored(scorer, cell, exchanges, job.limits.submission_seconds + TEST_SECONDS)
            cells[name], asked[name], cell.outputs = scored.grade, scored.asked, scored.outputs
        elif nb.is_manual(cell):
            cells[name] = CellGrade(nb.points(cell), 0.0 if name in job.unanswered else None)
        if ran and (name in settled or not nb.is_test(cell)):
            cell.outputs, cell.execution_count = from_dict(ran["outputs"]), ran.get("execution_count")
    notes = (*job.notes, *transcript.notes, *troubles(cells))
    grade = Grade(job.student, job.assignment, ended_as(transcript.ended, job), cells, notes, job.isolation)
    return Judged(grade, notebook, Transcript(asked, transcript.ended, transcript.notes))


def _scored(scorer: Scorer, cell: Any, exchanges: tuple[Exchange, ...], seconds: float) -> Scored:
    """What a test cell makes of these answers. Two submissions that answer alike, to the bit, are scored once: 60 right ones
    of 44 methods, all test cells changed, took 14.5 s of CPU in place of 29.7, start-up included."""
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
    return replace(known, outputs=copy.deepcopy(known.outputs), asked=replace(known.asked, exchanges=exchanges))


def _code(now: Sequence[nb.Cell], then: Sequence[nb.Cell]) -> list[nb.Cell]:
    """The code cells as they were run; NotRecorded where today's are not the same, cell by cell. Between them may stand other
    text, such as a mark scheme."""
    today, ran = ([cell for cell in cells if cell["cell_type"] == "code"] for cells in (now, then))
    same = [nb.is_test(a) or nb.source(a) == nb.source(b) for a, b in zip(today, ran, strict=False)]
    if len(today) != len(ran) or not all(same):
        raise NotRecorded
    return ran
