"""Wrong answers that the hints were not written for: each gets a broken property and no hint of another mistake, and a chaff that
is written another way gets its own. No page of theirs shows what only the grader may know. And whatever was graded gets the
same grade from its transcript."""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import pytest

from autograder.course import Assignment, open_course
from autograder.course import notebook as nb
from autograder.judge.job import Job, Judged
from autograder.judge.replay import score
from autograder.pages.feedback.advice import Advice
from autograder.pages.feedback.page import render_page
from autograder.proof.trial import make_trials
from autograder.records import known
from autograder.records.answers import extract_answer, name_question
from autograder.records.diagnose import Diagnosis, diagnose
from autograder.records.grade import Marks
from autograder.records.known import Known, group_by_question
from autograder.records.plain import to_array, to_plain
from autograder.records.run import Run
from autograder.records.transcript import Transcript
from autograder.sandbox.wire import WireError, unpack
from tests.support.classroom import NAME, ROOT
from tests.support.proofs import Proof, as_job, grade_jobs

FOLDER = ROOT / "tests" / "heldout"
HEADING = re.compile(r"^# %% (\w+) (\w+)\n# (breaks|twin): (.+)\n", re.MULTILINE)
TELLING = 12  # characters: a shorter line of a hidden test says nothing
# A number of fewer digits, zeros at its ends not counted, is on a page by chance: every check has points, every answer has
# numbers of its own, and "1.000" is the length of a unit vector.
DIGITS = 4
NUMBER = re.compile(r"(?<![\w.])(\d+)\.(\d+)(e[-+]\d+)?(?![\w.]*\d)")


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
    """A wrong answer, what came of it and how it is diagnosed."""

    answer: Answer
    result: Judged
    transcript: Transcript
    diagnosis: Diagnosis | None

    @property
    def page(self) -> str:
        """Its feedback page, as text."""
        notebook = nb.parse(run_of(self.result).notebook, self.answer.name)
        advice = {self.diagnosis.cell: Advice(self.diagnosis)} if self.diagnosis else {}
        return html.unescape(render_page(self.result.grade, notebook, "a", Marks(), advice=advice))


@dataclass(frozen=True)
class Exam:
    """One assignment's wrong answers, graded; and runs of it, the proof's too, as they were handed in and as they came back."""

    assignment: Assignment
    source: nb.Notebook
    release: nb.Notebook
    known: Known
    graded: tuple[Graded, ...]
    runs: tuple[tuple[Job, Judged], ...]

    @property
    def released(self) -> str:
        return "\n".join(nb.source(cell) for cell in self.release["cells"])


def wrong_answers(assignment: str) -> Iterator[Answer]:
    _, *parts = HEADING.split((FOLDER / f"{assignment}.py").read_text())
    for problem, name, kind, note, source in zip(*(parts[n::5] for n in range(5)), strict=True):
        breaks = tuple(part.strip() for part in note.split(" / ")) if kind == "breaks" else ()
        yield Answer(problem, name, breaks, f"chaff-{problem}-{note}" if kind == "twin" else "", source)


def sit(shared: Proof, whole: bool) -> Exam:
    """Grade every wrong answer beside right ones. The proof's runs of assignment 1 go into the exam, and under --prove of all."""
    assignment = shared.assignment
    source, release = shared.source, shared.release
    right = make_trials(assignment, source)["solution"].answers
    answers = {f"{answer.problem} {answer.name}": answer for answer in wrong_answers(assignment.name)}
    typed = {name: {**right, answer.cell: answer.source} for name, answer in answers.items()}
    jobs = {name: as_job(assignment, source, release, name, cells) for name, cells in typed.items()}
    results = grade_jobs(assignment, source, jobs.values(), workers=2)
    mistakes = known.read(open_course(ROOT).assignment(assignment.name), nb.read(assignment.source_path))
    assert mistakes.mistakes, f"the known answers of {assignment.name} are stale: build it"
    graded = []
    for name, answer in answers.items():
        transcript = run_of(results[name]).transcript or Transcript()
        diagnosis = diagnose(mistakes, results[name].grade, transcript.cells).get(answer.cell)
        graded.append(Graded(answer, results[name], transcript, diagnosis))
    runs = [(jobs[name], results[name]) for name in jobs]
    if whole or assignment.name == NAME:
        runs += shared.runs()
    return Exam(assignment, source, release, mistakes, tuple(graded), tuple(runs))


def run_of(result: Judged) -> Run:
    assert result.run is not None, result.grade
    return result.run


NAMES = sorted(path.stem for path in FOLDER.glob("*.py"))


@pytest.fixture(scope="module", params=NAMES)
def exam(request: pytest.FixtureRequest, proof_of: Callable[[str], Proof], proving: bool) -> Exam:
    return sit(proof_of(request.param), proving)


def test_there_are_enough_mistakes_that_no_chaff_makes() -> None:
    assert sum(not answer.twin for name in NAMES for answer in wrong_answers(name)) >= 25


def test_a_mistake_that_is_in_no_list_is_told_the_property_that_broke(exam: Exam) -> None:
    for graded in exam.graded:
        if graded.answer.breaks:
            assert graded.diagnosis, graded.answer.name
            assert any(part in graded.diagnosis.check for part in graded.answer.breaks), graded
            assert len(graded.diagnosis.message) > 20, graded.diagnosis


def test_no_mistake_gets_the_hint_of_another_and_a_twin_gets_its_own(exam: Exam) -> None:
    hints = {mistake.label: mistake.hint for mistake in exam.known.mistakes}
    for graded in exam.graded:
        hint = graded.diagnosis.hint if graded.diagnosis else ""
        assert hint == (hints[graded.answer.twin] if graded.answer.twin else ""), (graded.answer, graded.diagnosis)


def test_no_page_shows_a_line_of_a_hidden_test_or_what_the_solution_returned(exam: Exam) -> None:
    lines = hidden_lines(exam)
    assert len(lines) > 20
    for graded in exam.graded:
        text = graded.page
        assert not [line for line in lines if line in text], graded.answer
        assert not shown(text, expected_values(exam, graded)), graded.answer
        assert "Traceback" not in text.replace('aria-label="Traceback"', "")
        assert "autograder/" not in text


def test_an_expected_value_on_a_page_would_be_seen(exam: Exam) -> None:
    """However a message rounds it, and in the midst of other text: the test above can fail."""
    with_values = [(graded, values) for graded in exam.graded if (values := expected_values(exam, graded))]
    assert 2 * len(with_values) >= len(exam.graded)
    for graded, values in with_values:
        forms = {format(value, form) for value in values for form in (".4g", ".6g", ".4f", "", ".3e")}
        telling = {text for text in forms if "." in text and len(re.sub(r"e.*|\D", "", text).strip("0")) >= DIGITS}
        assert telling, graded.answer
        note = "".join(f"<p>It should be {text}, not ({text}).</p>" for text in telling)
        spoiled = graded.page.replace("</main>", f"{note}</main>")
        assert set(shown(spoiled, values)) == telling, graded.answer


def test_from_its_transcript_every_submission_gets_the_same_grade(exam: Exam, monkeypatch: pytest.MonkeyPatch) -> None:
    """Right ones, wrong ones and the blank release: the verdict, what the notebook shows of it, and the transcript itself."""
    import torch

    torch.set_num_threads(1)  # as in a worker: a sum has an order
    monkeypatch.chdir(exam.assignment.source_folder)
    for name, value in exam.assignment.settings.environment.items():
        monkeypatch.setenv(name, value)
    for job, result in exam.runs:
        run = run_of(result)
        anew = score(job, run)
        assert anew.grade.cells == result.grade.cells, job.student
        assert (anew.grade.status, anew.grade.notes) == (result.grade.status, result.grade.notes)
        assert run.transcript is not None
        assert run_of(anew).transcript == run.transcript
        assert json.loads(run_of(anew).notebook) == json.loads(run.notebook)


def hidden_lines(exam: Exam) -> set[str]:
    """The lines of test cells that the release does not have."""
    lines = {line.strip() for cell in exam.source["cells"] if nb.is_test(cell) for line in nb.source(cell).splitlines()}
    return {line for line in lines if len(line) >= TELLING and line not in exam.released and "HIDDEN TESTS" not in line}


def expected_values(exam: Exam, graded: Graded) -> set[float]:
    """The fractions that the solution answered to what hidden checks asked this student, without those that the student's code
    answered anywhere: a page may show a student their own numbers."""
    expected: set[float] = set()
    own: set[float] = set()
    for name, asked in graded.transcript.cells.items():
        right = group_by_question(exam.known.solution.get(name, []))
        own |= {number for exchange in asked.exchanges for number in fractions(extract_answer(exchange))}
        for span in asked.spans:
            if span.check not in exam.released:
                replies = [
                    reply for e in asked.exchanges[span.first : span.last] for reply in right.get(name_question(e), [])
                ]
                expected |= {number for reply in replies for number in fractions(reply)}
    return {value for value in expected if not any(math.isclose(value, number, rel_tol=1e-3) for number in own)}


def fractions(reply: bytes) -> Iterator[float]:
    """The numbers in a reply that take `DIGITS` digits to write, without their sign."""
    try:
        status, *values = unpack(reply)
        array = to_array(to_plain(values[0])) if status == "ok" and values else None
    except WireError:
        return
    for value in [] if array is None or array.dtype.kind != "f" else array.ravel().tolist():
        if math.isfinite(value) and float(f"{value:.{DIGITS - 1}g}") != value:
            yield abs(value)


def shown(text: str, values: Iterable[float]) -> list[str]:
    """The numbers in a text that are one of these values, rounded to the digits that are there."""
    values = set(values)
    rounded: dict[str, set[str]] = {}
    seen = []
    for match in NUMBER.finditer(text):
        whole, part, exponent = match.groups()
        if len((whole + part).strip("0")) >= DIGITS:
            form = f".{len(part)}{'e' if exponent else 'f'}"
            if match[0] in rounded.setdefault(form, {format(value, form) for value in values}):
                seen.append(match[0])
    return seen
