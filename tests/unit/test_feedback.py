"""The feedback page: what it shows, and what can never be in it."""

from __future__ import annotations

import base64
import copy
import html
import itertools
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from autograder.course import notebook as nb
from autograder.course.lay import lay
from autograder.pages.calls import Call
from autograder.pages.feedback.advice import Advice
from autograder.pages.feedback.highlighting import HIGHLIGHTED_CHARACTERS, highlight
from autograder.pages.feedback.outputs import OUTPUT_CHARACTERS, PAGE_IMAGE_CHARACTERS, PAGE_IMAGES
from autograder.pages.feedback.page import render_page
from autograder.records.diagnose import Diagnosis
from autograder.records.grade import CellGrade, Check, Grade, Mark, Marks

SOURCE = Path(__file__).parents[2] / "source/1-similarity-and-loss/similarity-and-loss.ipynb"
HOSTILE = (
    "\"'></pre></td></title></details><script>alert(1)</script><img src=https://a.example onerror=alert(1)>{{7*7}}&lt;"
)
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(300)).decode()


class Page(HTMLParser):
    """The elements of a page, its text, and the values of its attributes, as a browser reads them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def shape(self) -> list[tuple[str, list[str]]]:
        return [(tag, sorted(attributes)) for tag, attributes in self.elements]

    @property
    def text(self) -> str:
        return "".join(self.words)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def source() -> nb.Notebook:
    return nb.read(SOURCE)


@pytest.fixture(scope="module")
def submitted(source: nb.Notebook) -> nb.Notebook:
    """The course's first assignment as released, and handed in with a line of code for every answer."""
    release = copy.deepcopy(source)
    for cell in release["cells"]:
        text = nb.source(cell).split("### BEGIN")[0]
        cell["source"] = f"# answer of {nb.grade_id(cell)}" if nb.is_answer(cell) else text
    return release


@pytest.fixture
def laid(source: nb.Notebook, submitted: nb.Notebook) -> nb.Notebook:
    release = copy.deepcopy(submitted)
    for cell in release["cells"]:
        if nb.is_answer(cell):
            cell["source"] = "YOUR ANSWER HERE"
    return copy.deepcopy(lay(source, release, submitted).notebook)


def cell_of(notebook: nb.Notebook, name: str) -> nb.Cell:
    return next(cell for cell in notebook["cells"] if nb.grade_id(cell) == name)


def own_cell(text: str, *outputs: dict[str, Any]) -> nb.Cell:
    return {"cell_type": "code", "id": "own", "metadata": {}, "source": text, "outputs": list(outputs)}


def stream(text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": text}


def data(**forms: Any) -> dict[str, Any]:
    kinds = {"png": "image/png", "svg": "image/svg+xml", "html": "text/html", "plain": "text/plain"}
    return {
        "output_type": "display_data",
        "data": {kinds[form]: value for form, value in forms.items()},
        "metadata": {},
    }


def grade_of(notebook: nb.Notebook, *, notes: tuple[str, ...] = (), **cells: CellGrade) -> Grade:
    """Full marks for all that a test grades, but for `cells`."""
    grades = {}
    for cell in filter(nb.is_graded, notebook["cells"]):
        worth, name = nb.points(cell), str(nb.grade_id(cell))
        score = None if nb.is_manual(cell) else worth
        checks = () if score is None else (Check("it holds", worth, True),)
        grades[name] = cells.get(name, CellGrade(worth, score, checks))
    return Grade("ada", "1-similarity-and-loss", "completed", grades, notes)


def render(
    notebook: nb.Notebook,
    grade: Grade | None = None,
    marks: dict[str, Mark] | None = None,
    late_penalty: float = 0.0,
    **more: Any,
) -> str:
    all_marks = Marks(marks or {}, late_penalty)
    return render_page(grade or grade_of(notebook), notebook, "Similarity and loss", all_marks, **more)


def section(text: str, heading: str) -> str:
    """The part of the page from this heading to the next section."""
    return text.split(f">{heading}</h2>")[1].partition("</section>")[0]


def outputs_with(text: str) -> dict[str, dict[str, Any]]:
    return {
        "stream": stream(text),
        "error name": {"output_type": "error", "ename": text, "evalue": "v", "traceback": ["t"]},
        "error value": {"output_type": "error", "ename": "E", "evalue": text, "traceback": ["t"]},
        "traceback": {"output_type": "error", "ename": "E", "evalue": "v", "traceback": [text]},
        "plain output": data(plain=text),
        "image's text": data(png=PNG, plain=text),
        "output's form": {"output_type": "display_data", "data": {text: "x"}},
    }


def cells_with(text: str) -> dict[str, nb.Cell]:
    long_code = f"{text}\n{'#' * HIGHLIGHTED_CHARACTERS}"
    return {
        "code": {"cell_type": "code", "source": f"x = {text}"},
        "long code": {"cell_type": "code", "source": long_code},
        "written answer": {"cell_type": "markdown", "source": f"`{text}`"},
        "picture's name": {"cell_type": "markdown", "source": f"![*{text}*](https://a.example)"},
        "pasted picture's name": {
            "cell_type": "markdown",
            "source": f"![`{text}`](attachment:a.png)",
            "attachments": {"a.png": {"image/png": PNG}},
        },
    }


def grades_with(text: str) -> dict[str, CellGrade]:
    return {
        "check name": CellGrade(2, 1, (Check(text, 1, True), Check(text, 1, False, "m"))),
        "check message": CellGrade(2, 0, (Check("n", 2, False, text),)),
        "error": CellGrade(2, 0, (), text),
    }


WORDS = {"student": "ada", "assignment": "a", "title": "t", "note": "n", "comment": "c", "grade_id": "g"}
FIELDS = [*WORDS, *outputs_with(""), *cells_with(""), *grades_with(""), "own cell", "heading"]


def with_text_in(field: str, text: str, notebook: nb.Notebook) -> str:
    """A page that holds `text` in one field."""
    words = WORDS | {field: text}
    code = cell_of(notebook, "predict-solution")
    code |= cells_with(text).get(field, {})
    code["outputs"] = [outputs_with(text)[field]] if field in outputs_with("") else []
    if field == "own cell":
        notebook["cells"].append(own_cell(text, stream("x")))
    if field == "heading":
        heading = {"cell_type": "markdown", "metadata": {}, "source": f"## {text}"}
        notebook["cells"].insert(notebook["cells"].index(code), heading)
    cells = grade_of(notebook).cells | {words["grade_id"]: CellGrade(1, 0)}
    cells["predict"] = grades_with(text).get(field, cells["predict"])
    grade = Grade(words["student"], words["assignment"], "completed", cells, (words["note"],))
    return render_page(grade, notebook, words["title"], Marks({"explain_batch": Mark(1, words["comment"])}))


@pytest.mark.parametrize("field", FIELDS)
def test_hostile_text_makes_no_markup(field: str, laid: nb.Notebook) -> None:
    """A page with markup in a field has the elements and attributes of a page with plain words there, and shows it."""
    hostile = Page(with_text_in(field, HOSTILE, copy.deepcopy(laid)))
    plain = Page(with_text_in(field, "words", laid))
    drop_spans = [shape for shape in hostile.shape if shape != ("span", ["class"])]  # of highlighting
    assert drop_spans == [shape for shape in plain.shape if shape != ("span", ["class"])]
    shown = hostile.text + "".join(value for _, attributes in hostile.elements for value in attributes.values())
    assert "alert(1)" in shown


def test_raw_html_in_a_written_answer_stays_text(laid: nb.Notebook) -> None:
    cell_of(laid, "explain_batch")["source"] = f"so <u onclick=x>it</u> is\n\n<div>\n{HOSTILE}\n</div>\n\n# {HOSTILE}"
    shown = Page(render(laid))
    assert not shown.all("script") and not shown.all("u") and not shown.all("img")
    assert not [name for _, attributes in shown.elements for name in attributes if name.startswith("on")]
    assert "<u onclick=x>it</u>" in shown.text


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JAVASCRIPT:alert(1)",
        "&#106;avascript:alert(1)",
        "data:text/html,x",
        "//a.example",
        "x.html",
    ],
)
def test_link_that_is_no_web_address_is_no_link(url: str, laid: nb.Notebook) -> None:
    cell_of(laid, "explain_batch")["source"] = f"[see]({url}) and [there][1]\n\n[1]: {url}\n"
    shown = Page(render(laid))
    assert all(a["href"].startswith("#task-") for a in shown.all("a"))
    assert "see" in shown.text


def test_link_to_the_web_sends_no_referrer(laid: nb.Notebook) -> None:
    cell_of(laid, "explain_batch")["source"] = '[paper](HTTPS://arxiv.org/?a=1&b="2")'
    link = Page(render(laid)).all("a")[-1]
    assert link == {"href": "HTTPS://arxiv.org/?a=1&b=%222%22", "rel": "noopener noreferrer nofollow"}


def test_written_answer_is_rendered(laid: nb.Notebook) -> None:
    cell_of(laid, "explain_batch")["source"] = "# Why\nIt is **harder**.\n\n|n|m|\n|-|-|\n|2|1|\n"
    shown = section(render(laid), "Task 9: explain")
    assert "<strong>harder</strong>" in shown and "<td>2</td>" in shown and "<h1" not in shown
    assert "waits for a person" in shown


def test_picture_of_the_net_is_not_loaded(laid: nb.Notebook) -> None:
    cell_of(laid, "explain_batch")["source"] = "![my plot](https://a.example/x.png)"
    shown = Page(render(laid))
    assert not shown.all("img") and "[image: my plot]" in shown.text


def test_pasted_picture_is_shown(laid: nb.Notebook) -> None:
    cell = cell_of(laid, "explain_batch")
    cell["source"], cell["attachments"] = "![my plot](attachment:a%20b.png)", {"a b.png": {"image/png": PNG}}
    assert Page(render(laid)).all("img") == [{"src": f"data:image/png;base64,{PNG}", "alt": "my plot"}]


def test_alternative_text_is_words_only(laid: nb.Notebook) -> None:
    """Markup in it would close the attribute."""
    cell = cell_of(laid, "explain_batch")
    cell["source"] = "![see *my* [x > 1](https://a.example)](attachment:a.png) ![[y](https://a.example)](none)"
    cell["attachments"] = {"a.png": {"image/png": PNG}}
    shown = Page(render(laid))
    assert shown.all("img") == [{"src": f"data:image/png;base64,{PNG}", "alt": "see my x > 1"}]
    assert "[image: y]" in shown.text


def test_html_output_is_not_shown(laid: nb.Notebook) -> None:
    code = cell_of(laid, "predict-solution")
    code["outputs"] = [data(html="<b>bold</b>", plain="plain table"), data(html="<b>only bold</b>")]
    text = Page(render(laid)).text
    assert "plain table" in text and "bold" not in text
    assert "[An output (text/html) is not shown.]" in text


def test_svg_is_nothing_but_an_image(laid: nb.Notebook) -> None:
    svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    cell_of(laid, "predict-solution")["outputs"] = [data(svg=f"\n{svg}")]
    shown = Page(render(laid))
    assert base64.b64decode(shown.all("img")[0]["src"].removeprefix("data:image/svg+xml;base64,")).decode() == svg
    assert not shown.all("svg") and "alert(1)" not in render(laid)


@pytest.mark.parametrize("content", ["no base64!", base64.b64encode(b"<html>").decode(), 7, None, ""])
def test_data_that_is_no_image_gets_a_note(content: Any, laid: nb.Notebook) -> None:
    cell_of(laid, "predict-solution")["outputs"] = [data(png=content, plain="<Figure>")]
    shown = Page(render(laid))
    assert not shown.all("img") and "[An image is not shown: it is no image/png. <Figure>]" in shown.text


def test_figure_has_alternative_text(laid: nb.Notebook) -> None:
    cell_of(laid, "predict-solution")["outputs"] = [data(png=[PNG[:10], PNG[10:]], plain="<Figure size 6x4>")]
    image = Page(render(laid)).all("img")[0]
    assert image["alt"] == "Image made by this code. <Figure size 6x4>" and image["src"].endswith(PNG)


def test_policy_forbids_scripts_and_the_net(laid: nb.Notebook) -> None:
    shown = Page(render(laid))
    policy = [meta["content"] for meta in shown.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert policy and policy[0].startswith("default-src 'none'; img-src data:; style-src 'unsafe-inline'")
    assert not shown.all("script") and not shown.all("link")


def hidden_lines(source: nb.Notebook) -> Iterator[str]:
    for cell in filter(nb.is_test, source["cells"]):
        for line in nb.source(cell).split("### BEGIN HIDDEN TESTS")[-1].splitlines():
            if len(line.strip()) > 15:
                yield line.strip()


def test_hidden_tests_are_nowhere_in_the_page(source: nb.Notebook, laid: nb.Notebook) -> None:
    """Neither a line of them, nor what they printed, raised or returned into the notebook's outputs."""
    lines = list(hidden_lines(source))
    inside = "\n".join(nb.source(cell) for cell in laid["cells"])
    assert len(lines) > 100 and all(line in inside for line in lines)
    for cell in filter(nb.is_test, laid["cells"]):
        error = {"output_type": "error", "ename": "E", "evalue": "expected 0.8826", "traceback": ["expected 0.8826"]}
        cell["outputs"] = [stream("expected 0.8826"), data(plain="expected 0.8826"), error]
    for grade in (grade_of(laid), Grade("ada", "a", "failed")):
        text = html.unescape(render(laid, grade))
        assert "HIDDEN TESTS" not in text and "0.8826" not in text
        assert not [line for line in lines if line in text]


def test_error_of_a_test_shows_its_first_line_only(laid: nb.Notebook) -> None:
    error = "AssertionError: \nItems are not equal:\n ACTUAL: 1\n DESIRED: 42"
    text = render(laid, grade_of(laid, predict=CellGrade(2, 0, (), error)))
    assert "The checks stopped here: AssertionError:" in text and "DESIRED" not in text


def test_test_in_trouble_waits_for_a_person(laid: nb.Notebook) -> None:
    grade = grade_of(laid, predict=CellGrade(2, None, trouble="the test cell ends in a dict"))
    shown = section(render(laid, grade), "Task 1: predict")
    assert "waits for a person" in shown and "through no fault of your answer" in shown and "a dict" not in shown


def test_passed_checks_come_first(laid: nb.Notebook) -> None:
    checks = (Check("b1", 1, False, "not so"), Check("a1", 1, True), Check("b2", 1, False), Check("a2", 1, True))
    shown = section(render(laid, grade_of(laid, predict=CellGrade(2, 1, checks))), "Task 1: predict")
    assert re.findall(r"passed</b>|not yet</b>|>([ab]\d)", shown) == ["", "a1", "", "a2", "", "b1", "", "b2"]
    assert "2 of 4 checks passed" in shown and "not so" in shown and "wrong" not in shown


def test_every_failed_check_has_its_reason_and_every_check_its_points(laid: nb.Notebook) -> None:
    checks = tuple(Check(f"c{k}", k, k == 3, ("Too small.", "Too small.", "", "")[k]) for k in range(4))
    shown = section(render(laid, grade_of(laid, predict=CellGrade(6, 3, checks))), "Task 1: predict")
    parts = re.findall(r"c\d|Too small\.|This does not hold yet\.|\(\d&nbsp;points?\)", shown)
    assert parts[:2] == ["c3", "(3&nbsp;points)"] and parts[2:4] == ["c0", "Too small."]
    assert parts[4:] == ["c1", "(1&nbsp;point)", "Too small.", "c2", "(2&nbsp;points)", "This does not hold yet."]


def top(text: str) -> str:
    """What the page says to do next, in one line of words."""
    return " ".join(Page(text.split('<section class="next"')[1].partition("</section>")[0]).text.split())


def test_the_top_says_what_to_do_next(laid: nb.Notebook) -> None:
    unwritten = CellGrade(2, 0, (Check("it holds", 2, False, "Not written yet."),))
    broken = CellGrade(2, 0, (Check("rows", 1, True), Check("columns", 1, False, "No.")))
    assert top(render(laid)).endswith("A person still reads what the checks cannot grade.")
    marks = {"explain_batch": Mark(3, "")}
    assert top(render(laid, marks=marks)).endswith("every task has full points.")
    assert "Go on with Task 1: predict. It is not written yet." in top(render(laid, grade_of(laid, predict=unwritten)))
    grade = grade_of(laid, predict=unwritten, diagonal_labels=broken)
    assert "Start with Task 3: the labels. It fails the check “columns”." in top(render(laid, grade))
    hint = Diagnosis("diagonal_labels-solution", "diagonal_labels", hint="Count the rows.")
    advice = {"diagonal_labels": Advice(hint)}
    assert "Start with Task 3: the labels. Hint: Count the rows." in top(render(laid, grade, advice=advice))
    answer = cell_of(laid, "predict-solution")
    answer["execution_count"] = 3
    answer["outputs"] = [
        {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["Cell In[3], line 1\n----> 1 # answer"]}
    ]
    grade = grade_of(laid, predict=CellGrade(2, 0, error="NameError: x"), diagonal_labels=broken)
    assert "Start with Task 1: predict. Your own cell stops with an error in line 1." in top(render(laid, grade))


def test_a_broken_answer_is_blamed_before_one_that_calls_it(laid: nb.Notebook) -> None:
    broken = CellGrade(2, 0, (Check("rows", 2, False, "No."),))
    call = Call("predict", "diagonal_labels", "diagonal_labels-solution")
    grade = grade_of(laid, predict=broken, diagonal_labels=broken)
    text = render(laid, grade, advice={"predict": Advice(calls=(call,))})
    shown = Page(section(text, "Task 1: predict")).text
    assert "predict calls your diagonal_labels, which does not pass its checks." in shown
    assert "Start with Task 3: the labels" in top(text)


def test_regions_have_different_labels(laid: nb.Notebook) -> None:
    for name in ("predict-solution", "clip_loss-solution"):
        cell_of(laid, name)["outputs"] = [stream("a"), stream("b")]
    laid["cells"].append(own_cell("x", stream("c")))
    labels = [attributes["aria-label"] for _, attributes in Page(render(laid)).elements if "aria-label" in attributes]
    assert len(labels) > 8 and len(labels) == len(set(labels))


def test_comment_shows_markdown_and_formulas_and_keeps_its_lines(laid: nb.Notebook) -> None:
    text = render(laid, marks={"explain_batch": Mark(2, "**Good**, but $e^{x}$\nis <b>larger</b>.")})
    comment = text.split('<div class="comment">')[1].partition("</div>")[0]
    assert "<strong>Good</strong>" in comment and "<msup>" in comment and "<br" in comment and "&lt;b&gt;" in comment


def test_text_of_the_students_below_a_written_answer_is_shown_with_it(laid: nb.Notebook) -> None:
    """An answer is often split over cells; text of the release is not shown as the student's."""
    release = copy.deepcopy(laid)
    at = laid["cells"].index(cell_of(laid, "explain_batch"))
    own = {"cell_type": "markdown", "id": "own", "metadata": {}, "source": "# Second part\nof my **answer**"}
    kept = {"cell_type": "markdown", "id": "kept", "metadata": {}, "source": "Well done so far."}
    laid["cells"][at + 1 : at + 1] = [own, kept]
    release["cells"].append(kept)
    shown = section(render(laid, release=release), "Task 9: explain")
    assert "of my <strong>answer</strong>" in shown and "Well done" not in shown


def test_cells_that_share_an_answer_share_a_section(laid: nb.Notebook) -> None:
    text = render(laid)
    shown = section(text, "Task 6: the CLIP loss")
    names = ["clip_loss", "clip_loss_symmetry", "clip_loss_gradients"]
    assert re.findall(r"<h3 .*?<code>(\w+)</code></h3>", shown) == names
    assert shown.count("# answer of clip_loss-solution") == 1 and text.count("# answer of clip_loss-solution") == 1


def test_every_task_is_in_the_table_and_linked(laid: nb.Notebook) -> None:
    shown = Page(render(laid))
    anchors = [a["href"][1:] for a in shown.all("a")]
    ids = [attributes["id"] for _, attributes in shown.elements if "id" in attributes]
    assert len(anchors) == len(set(anchors)) == 11 and set(anchors) <= set(ids)
    assert len(ids) == len(set(ids))


def test_headings_are_in_order(laid: nb.Notebook) -> None:
    levels = [int(tag[1]) for tag, _ in Page(render(laid)).elements if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1 and all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_points_of_a_person_count_and_replace_those_of_the_test(laid: nb.Notebook) -> None:
    text = render(laid, marks={"explain_batch": Mark(2.5, "Good numbers."), "predict": Mark(0.5, "")})
    assert "41&nbsp;of&nbsp;43" in text and "Good numbers." in text  # 43 - .5 - 1.5
    assert "0.5&nbsp;of&nbsp;2" in section(text, "Task 1: predict")


def test_comment_on_an_answer_is_shown_with_its_task(laid: nb.Notebook) -> None:
    text = render(laid, marks={"explain_batch": Mark(2.5, "Good numbers.", stale=True)})
    assert "graded by a person, for what was handed in before; to be looked at again" in " ".join(text.split())
    assert "Comment on what was handed in before" in text
    text = render(laid, marks={"clip_loss-solution": Mark(None, "Multiply."), "clip_loss": Mark(None, "")})
    assert (
        section(text, "Task 6: the CLIP loss").count('<div class="comment">')
        == text.count('<div class="comment">')
        == 1
    )
    assert "Multiply." in section(text, "Task 6: the CLIP loss")


def test_late_penalty_is_subtracted_and_shown(laid: nb.Notebook) -> None:
    text = render(laid, late_penalty=1.5)
    assert "38.5&nbsp;of&nbsp;43" in text and "(1.5 taken off for handing in late)" in text
    assert "<strong>0&nbsp;of&nbsp;43" in render(laid, late_penalty=99)


def test_written_answer_left_blank_is_not_answered_yet(laid: nb.Notebook) -> None:
    shown = section(render(laid, grade_of(laid, explain_batch=CellGrade(3, 0.0))), "Task 9: explain")
    assert "not answered yet" in shown and "waits" not in shown


def test_unreadable_submission_has_a_page_with_the_reason() -> None:
    text = render_page(Grade("ada", "a", "unreadable", notes=("x.ipynb is not a notebook",)), {}, "T", Marks())
    assert "could not be read" in text and "none yet" in text and "<table" not in text
    assert (
        "Hand in again. Nothing could be graded. Why: x.ipynb is not a notebook. Open your notebook in Jupyter"
        in top(text)
    )


def test_unreadable_submission_waits_for_no_points() -> None:
    grade = Grade("ada", "a", "unreadable", {"predict": CellGrade(43, None)}, ("it is empty",))
    text = render_page(grade, {}, "T", Marks())
    assert "none yet" in text and "43" not in text and "waits for a person" not in text


def test_points_given_to_an_unreadable_submission_are_shown() -> None:
    text = render_page(Grade("ada", "a", "unreadable"), {}, "T", Marks({"predict": Mark(2, "From your e-mail.")}))
    assert "<strong>2</strong>" in text and "From your e-mail." in text and "predict" in text


def test_failed_grading_claims_no_points() -> None:
    text = render_page(Grade("ada", "a", "failed", {"predict": CellGrade(2, None)}), {}, "T", Marks())
    assert "none yet" in text and "through no fault of this notebook" in text
    assert "<strong>0" not in text and "graded again" in top(text)


def test_own_cells_are_folded_and_stay_in_their_section(laid: nb.Notebook) -> None:
    at = laid["cells"].index(cell_of(laid, "diagonal_labels-solution"))
    laid["cells"].insert(at + 1, own_cell("diagonal_labels(3)", stream("tensor here")))
    laid["cells"].insert(at + 2, own_cell("silent = 1"))
    text = render(laid)
    shown = section(text, "Task 3: the labels").split("<details>")[1]
    assert "tensor here" in shown and "diagonal_labels" in shown and "silent" not in text


def test_locked_code_is_not_repeated_but_its_outputs_are_shown(laid: nb.Notebook) -> None:
    cell_of(laid, "setup")["outputs"] = [stream("the seed is 7")]
    text = Page(render(laid)).text
    assert "the seed is 7" in text and "import matplotlib" not in text


def test_long_output_is_cut_with_a_note(laid: nb.Notebook) -> None:
    cell_of(laid, "predict-solution")["outputs"] = [stream("y" * (OUTPUT_CHARACTERS + 1234))]
    text = render(laid)
    assert text.count("y" * OUTPUT_CHARACTERS) == 1 and "[1,234 more characters are not shown]" in text


BIG_IMAGE = data(png=base64.b64encode(base64.b64decode(PNG) + bytes(PAGE_IMAGE_CHARACTERS)).decode())


@pytest.mark.parametrize(
    ("outputs", "note"),
    [
        ([stream("y" * 10**5)] * 100, "no room left for them"),
        ([stream("x")] * 20_000, "no room left for them"),
        ([{"output_type": "display_data", "data": {"z" * 10**5: "x"}}] * 20_000, "no room left for them"),
        ([{"output_type": "error", "ename": "E" * 10**5, "evalue": "", "traceback": []}] * 100, "more characters"),
        ([BIG_IMAGE], "too many, or too large ones"),
        ([data(png=PNG, plain="p" * 10**5)] * 20_000, "no room left for them"),
    ],
)
def test_page_stays_small_whatever_the_outputs(outputs: list[dict[str, Any]], note: str, laid: nb.Notebook) -> None:
    """A few hundred KB: outputs are cut, and the page says so."""
    cell_of(laid, "predict-solution")["outputs"] = outputs
    text = render(laid)
    assert note in text and len(text) < 600_000


def test_page_stays_small_with_endless_answers_cells_and_messages(laid: nb.Notebook) -> None:
    for cell in filter(nb.is_answer, laid["cells"]):
        cell["source"] = "1+" * 10**5
    laid["cells"] += [own_cell("z" * 10**5, stream("x")) for _ in range(1000)]
    checks = (Check("n" * 10**5, 2, False, "m" * 10**5),)
    text = render(laid, grade_of(laid, notes=("n" * 10**5,) * 1000, predict=CellGrade(2, 0, checks)))
    assert "and 30 more" in text and "no room left for them" in text and len(text) < 600_000


def test_images_are_counted(laid: nb.Notebook) -> None:
    cell_of(laid, "predict-solution")["outputs"] = [data(png=PNG)] * (PAGE_IMAGES + 3)
    shown = Page(render(laid))
    assert len(shown.all("img")) == PAGE_IMAGES and shown.text.count("An image is not shown") == 3


def test_terminal_colours_and_progress_bars_become_plain_text(laid: nb.Notebook) -> None:
    cell_of(laid, "predict-solution")["outputs"] = [stream("\x1b[31mred\x1b[0m\r\n 10%\r 50%\r100%\r\nend")]
    assert ">red\n100%\nend</pre>" in render(laid)


def test_highlighted_code_has_four_colors_and_no_markup_of_its_own() -> None:
    code = "def f(x):\n    return f'<{x}>' + 1.5  # & 'so'"
    assert highlight(code) == (
        '<span class="k">def</span> f(x):\n    <span class="k">return</span> '
        """<span class="s">f'&lt;{</span>x<span class="s">}&gt;'</span> + <span class="m">1.5</span>"""
        """  <span class="c"># &amp; 'so'</span>"""
    )


@pytest.mark.parametrize("code", ["", "x", " x\n\n y", "'''two\nlines'''", "def f(:\n\t&lt;", "# \u2028\x0b\x85\x1c."])
def test_highlighting_changes_no_character(code: str) -> None:
    assert Page(highlight(code)).text == code


def test_carriage_return_hides_no_code(laid: nb.Notebook) -> None:
    for rest in ("", "#" * HIGHLIGHTED_CHARACTERS):
        cell_of(laid, "predict-solution")["source"] = f"cheat()\rhonest()\n{rest}"
        assert "cheat()\nhonest()" in Page(render(laid)).text


def test_characters_that_no_file_holds_or_that_reorder_text_are_replaced(laid: nb.Notebook) -> None:
    grade = Grade("a\ud800b\u202ec\x00d", "a", "completed")
    text = render_page(grade, laid, "T", Marks())
    assert text.encode() and "a?b\ufffdc\ufffdd" in text


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_colours_have_contrast_enough(mode: str, laid: nb.Notebook) -> None:
    """WCAG 2 AA: 4.5 to 1 for text, on the page and on the raised ground of code."""
    light, dark = re.findall(r":root \{([^}]*--page[^}]*)\}", render(laid))
    colours = dict(re.findall(r"--(\w+): (#\w{6})", light if mode == "light" else dark))
    text = set(colours) - {"page", "raised", "line"}
    assert len(text) == 9
    for name, ground in itertools.product(text, ("page", "raised")):
        pair = sorted((luminance(colours[name]), luminance(colours[ground])))
        assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5, (name, ground)


def luminance(colour: str) -> float:
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(("passed", "mark"), [((1, 1), "\u2713"), ((1, 0), "\u25d0"), ((0, 0), "\u25cb")])
def test_a_practice_task_without_points_is_marked_by_its_checks(
    passed: tuple[int, ...], mark: str, laid: nb.Notebook
) -> None:
    checks = tuple(Check(f"check {number}", 0.0, bool(one)) for number, one in enumerate(passed))
    grade = Grade("ada", "0-hello", "completed", {"cosine_similarity_matrix": CellGrade(0.0, 0.0, checks)})
    summary = render(laid, grade).split("</table>")[0]
    assert f'aria-hidden="true">{mark}</span>' in summary
