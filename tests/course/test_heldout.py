"""Wrong answers that the hints were not written for: each gets a broken property and no hint of another mistake, and a chaff that
is written another way gets its own. No page of theirs shows what only the grader may know. And whatever was graded gets the
same grade from its transcript."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from autograder.course import Assignment, open_course
from autograder.course import notebook as nb
from autograder.course.lay import lay
from autograder.judge.batch import Batch
from autograder.judge.job import Job
from autograder.judge.replay import rescore
from autograder.judge.result import Result
from autograder.pages.feedback.advice import Advice
from autograder.pages.feedback.page import render_page
from autograder.proof import proof
from autograder.records import known
from autograder.records.answers import numbers, plain
from autograder.records.diagnose import Diagnosis, diagnose
from autograder.records.known import Known, answers, by_question
from autograder.records.transcript import Transcript, loads
from autograder.sandbox.wire import WireError, unpack
from tests.support.classroom import ROOT

FOLDER = ROOT / "tests" / "heldout"
HEADING = re.compile(r"^# %% (\w+) (\w+)\n# (breaks|twin): (.+)\n", re.MULTILINE)
THROUGHOUT = "1-similarity-and-loss"
TELLING = 12  # characters: a shorter line of a hidden test says nothing


@dataclass(frozen=True)
class Answer:
    """A wrong answer: parts of the names of checks that are right to name, or the chaff that it is a twin of."""

    problem: str
    name: str
    breaks: tuple[str, ...]
    twin: str
    source: str

    @property
    def cell(self) -> str:
        return f"{self.problem}-solution"


@dataclass(frozen=True)
class Graded:
    """A wrong answer, what came of it and what was said of it."""

    answer: Answer
    result: Result
    transcript: Transcript
    said: Diagnosis | None


@dataclass(frozen=True)
class Exam:
    """One assignment's wrong answers, graded; and all that was graded, as it was handed in and as it came back."""

    assignment: Assignment
    source: nb.Notebook
    release: nb.Notebook
    known: Known
    graded: tuple[Graded, ...]
    runs: tuple[tuple[Job, Result], ...]


def wrong_answers(path: Path) -> Iterator[Answer]:
    _, *parts = HEADING.split(path.read_text())
    for problem, name, kind, said, source in zip(*(parts[n::5] for n in range(5)), strict=True):
        breaks = tuple(part.strip() for part in said.split(" / ")) if kind == "breaks" else ()
        yield Answer(problem, name, breaks, f"chaff-{problem}-{said}" if kind == "twin" else "", source)


def sit(assignment: Assignment) -> Exam:
    """Grade every wrong answer beside right ones; of `THROUGHOUT` every wheat and chaff too."""
    source, release = nb.read(assignment.source_path), nb.read(assignment.release_path)
    expected = proof.expectations(assignment, source)
    right, _ = expected["solution"]
    made = {f"{answer.problem} {answer.name}": answer for answer in wrong_answers(FOLDER / f"{assignment.name}.py")}
    typed = {name: {**right, answer.cell: answer.source} for name, answer in made.items()}
    typed |= {name: cells for name, (cells, _) in expected.items() if assignment.name == THROUGHOUT}

    def job(name: str) -> Job:
        laid = lay(source, release, nb.with_answers(release, typed[name]))
        settings = assignment.settings
        return Job(name, assignment.name, laid.notebook, laid.unanswered, (), settings.limits, settings.seed)

    answers_of_old = known.read(assignment, source)
    assert answers_of_old.mistakes, f"the known answers of {assignment.name} are stale: build it"
    jobs = {name: job(name) for name in typed}
    with Batch.of(assignment, source, 2) as batch:
        results = {result.grade.student: result for result in batch.run(jobs.values())}
    graded = []
    for name, answer in made.items():
        transcript = loads(results[name].transcript)
        said = diagnose(answers_of_old, results[name].grade, transcript).get(answer.cell)
        graded.append(Graded(answer, results[name], transcript, said))
    runs = tuple((jobs[name], results[name]) for name in jobs)
    return Exam(assignment, source, release, answers_of_old, tuple(graded), runs)


@pytest.fixture(scope="module", params=sorted(path.stem for path in FOLDER.glob("*.py")))
def exam(request: pytest.FixtureRequest) -> Exam:
    return sit(open_course(ROOT).assignment(request.param))


def test_there_are_enough_mistakes_that_no_chaff_makes() -> None:
    assert sum(not answer.twin for path in FOLDER.glob("*.py") for answer in wrong_answers(path)) >= 25


def test_a_mistake_that_is_in_no_list_is_told_the_property_that_broke(exam: Exam) -> None:
    for graded in exam.graded:
        if graded.answer.breaks:
            assert graded.said, graded.answer.name
            assert any(part in graded.said.check for part in graded.answer.breaks), (graded.answer, graded.said)
            assert len(graded.said.message) > 20, graded.said


def test_no_mistake_gets_the_hint_of_another_and_a_twin_gets_its_own(exam: Exam) -> None:
    hints = {mistake.label: mistake.hint for mistake in exam.known.mistakes}
    for graded in exam.graded:
        said = graded.said.hint if graded.said else ""
        assert said == (hints[graded.answer.twin] if graded.answer.twin else ""), (graded.answer, graded.said)


def test_no_page_shows_a_line_of_a_hidden_test_or_what_the_solution_returned(exam: Exam) -> None:
    secret = hidden_lines(exam)
    assert len(secret) > 20
    for graded in exam.graded:
        notebook = nb.parse(graded.result.notebook, graded.answer.name)
        advice = {graded.said.cell: Advice(graded.said)} if graded.said else {}
        text = html.unescape(render_page(graded.result.grade, notebook, "a", {}, advice=advice))
        assert not [line for line in secret if line in text], graded.answer
        assert not [value for value in expected_values(exam, graded) if value in text], graded.answer
        assert "Traceback" not in text.replace('aria-label="Traceback"', "")
        assert "autograder/" not in text


def test_from_its_transcript_every_submission_gets_the_same_grade(exam: Exam, monkeypatch: pytest.MonkeyPatch) -> None:
    """Right ones, wrong ones and the blank release: the verdict, what the notebook shows of it, and the transcript itself."""
    import nbformat.v4
    import torch

    torch.set_num_threads(1)  # as in a worker: a sum has an order
    monkeypatch.chdir(exam.assignment.source_folder)
    for name, value in exam.assignment.settings.environment.items():
        monkeypatch.setenv(name, value)
    for job, result in exam.runs:
        transcript = loads(result.transcript)
        anew = rescore(job, transcript, nb.parse(result.notebook, job.student))
        assert anew.grade.cells == result.grade.cells, job.student
        assert (anew.grade.status, anew.grade.notes) == (result.grade.status, result.grade.notes)
        assert anew.transcript == transcript
        assert json.loads(nbformat.v4.writes_json(anew.notebook, split_lines=False)) == json.loads(result.notebook)


def hidden_lines(exam: Exam) -> set[str]:
    """The lines of test cells that the release does not have."""
    released = "\n".join(nb.source(cell) for cell in exam.release["cells"])
    lines = {line.strip() for cell in exam.source["cells"] if nb.is_test(cell) for line in nb.source(cell).splitlines()}
    return {line for line in lines if len(line) >= TELLING and line not in released and "HIDDEN TESTS" not in line}


def expected_values(exam: Exam, graded: Graded) -> set[str]:
    """The numbers that the solution answered to the questions of hidden checks, where the student's answers do not hold them."""
    released = "\n".join(nb.source(cell) for cell in exam.release["cells"])
    found: set[str] = set()
    mine: set[str] = set()
    for name, asked in graded.transcript.cells.items():
        right = by_question(exam.known.solution.get(name, []))
        mine |= {text for _, reply in answers(asked) for text in written(reply)}
        for span in asked.spans:
            if span.check not in released:
                replies = [right[e.name][0] for e in asked.exchanges[span.first : span.last] if e.name in right]
                found |= {text for reply in replies for text in written(reply)}
    return found - mine


def written(reply: bytes) -> Iterator[str]:
    """The fractions in a reply, as a message would write them."""
    try:
        status, *values = unpack(reply)
        array = numbers(plain(values[0])) if status == "ok" and values else None
    except WireError:
        return
    for value in [] if array is None or array.dtype.kind != "f" else array.ravel().tolist():
        if len(f"{abs(value):.6g}") > 6:
            yield f"{value:.6g}"
            yield f"{value:.4f}"
