"""One submission's feedback: a single HTML page that shows what was checked, and runs nothing.

All that a student or a test wrote is text here: jinja2 escapes it, and the page's policy forbids scripts and the net.
Only `_markdown` and `_highlighted` make markup from it, by escaping first. Of test cells only the name is read: their
source and their outputs hold hidden tests.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from html import unescape
from typing import Any
from urllib.parse import unquote

import mistune
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from mistune.util import striptags
from pygments import token
from pygments.lexers.python import PythonLexer

from autograder.course import notebook as nb
from autograder.pages.heatmap import Pair
from autograder.records.diagnose import Diagnosis
from autograder.records.grade import CellGrade, Check, Grade, Mark, Marks, after_penalty, points_of

# An answer of the course is at most 3,000 characters long, and its one figure 35,000 in base64. A page that reaches
# every cap has 3 MB, a third of it images.
ANSWER_CHARACTERS = OUTPUT_CHARACTERS = 20_000
PAGE_OUTPUT_CHARACTERS = 100_000  # all outputs and the student's own cells together
OUTPUT_COST = 200  # what an output adds to the page beside its text
PAGE_IMAGES, PAGE_IMAGE_CHARACTERS = 20, 2**20
HIGHLIGHTED_CHARACTERS = 4_000  # the lexer takes 0.1 s for as many blanks, and four times that for twice as many
MESSAGE_CHARACTERS, NAME_CHARACTERS, NOTES = 1_000, 200, 30

_IMAGES = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff", "image/svg+xml": b"<"}
_STYLED = {token.Keyword: "k", token.String: "s", token.Comment: "c", token.Number: "m"}
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])")
_CONTROL = re.compile(r"[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")  # the last two ranges reorder text
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(\S.*)$", re.MULTILINE)
_POINTS = re.compile(r" \([^()]*\bpoints?\b[^()]*\)$")


@dataclass(frozen=True)
class Advice:
    """What else there is to say of a test cell: what went wrong, and two matrices to compare."""

    diagnosis: Diagnosis | None = None
    matrices: Pair | None = None


@dataclass(frozen=True)
class _Task:
    """One graded cell, with what a person gave for it."""

    name: str
    grade: CellGrade
    manual: Mark | None
    written: bool
    anchor: str
    advice: Advice
    released: str = ""

    def in_notebook(self, check: Check) -> bool:
        """Whether the student's copy of the test cell makes this check; not all of them have names that stand there so."""
        return any(f"{quote}{check.name}{quote}" in self.released for quote in "\"'")

    @property
    def by_person(self) -> bool:
        return self.manual is not None and self.manual.score is not None

    @property
    def stale(self) -> bool:
        return self.manual is not None and self.manual.stale

    @property
    def points(self) -> float | None:
        return points_of(self.grade.score, self.manual)


@dataclass
class _Section:
    """What the student wrote for a task, the cells that grade it, and other cells nearby."""

    heading: str
    tasks: list[_Task] = field(default_factory=list)
    answers: list[nb.Cell] = field(default_factory=list)
    extras: list[nb.Cell] = field(default_factory=list)

    @property
    def stopped(self) -> str:
        """What the first of the answers that raised ended in, where that cost points."""
        errors = nb.raised({"cells": self.answers}) if not all(task.grade.whole for task in self.tasks) else {}
        return next(iter(errors.values()), "")

    @property
    def names(self) -> list[str]:
        """Every grade_id under which a person's comment may be kept; formgrader keeps it with the answer."""
        return list(dict.fromkeys([*(str(nb.grade_id(cell)) for cell in self.answers), *(t.name for t in self.tasks)]))


@dataclass
class _Outputs:
    """Turns outputs into text and images while there is room for them on the page."""

    text: int = PAGE_OUTPUT_CHARACTERS
    images: int = PAGE_IMAGES
    image_text: int = PAGE_IMAGE_CHARACTERS

    def of(self, cell: nb.Cell) -> Iterator[dict[str, str]]:
        for output in cell.get("outputs", []):
            if self.text <= 0:
                yield {"note": "More outputs are not shown: this page has no room left for them."}
                return
            self.text -= OUTPUT_COST
            if output.get("output_type") == "stream":
                yield {"text": self.clip(_text(output.get("text")))}
            elif output.get("output_type") == "error":
                name = f"{_text(output.get('ename'))}: {_text(output.get('evalue'))}".strip(": ")
                yield {"error": self.clip(_message(name)), "text": self.clip(_text(output.get("traceback"), "\n"))}
            else:
                yield self._data(output.get("data"))

    def clip(self, text: str) -> str:
        room = max(0, min(OUTPUT_CHARACTERS, self.text))
        self.text -= min(len(text), room)
        return _clip(text, room)

    def _data(self, data: Any) -> dict[str, str]:
        data = data if isinstance(data, dict) else {}
        plain = _text(data.get("text/plain"))
        for kind in _IMAGES:
            if kind in data:
                return self.image(kind, data[kind], _clip(plain, NAME_CHARACTERS))
        form = _clip(" and ".join(sorted(data)) or "empty", NAME_CHARACTERS)
        return {"text": self.clip(plain)} if plain else {"note": f"An output ({form}) is not shown."}

    def image(self, kind: str, content: Any, what: str) -> dict[str, str]:
        """A picture as a data URI; SVG too, since a browser runs no script in an <img>."""
        raw = _bytes(kind, content)
        if not raw.startswith(_IMAGES[kind]):
            return {"note": f"An image is not shown: it is no {kind}. {what}".strip()}
        uri = f"data:{kind};base64,{base64.b64encode(raw).decode()}"
        if self.images < 1 or len(uri) > self.image_text:
            return {"note": f"An image is not shown: this page has too many, or too large ones. {what}".strip()}
        self.images, self.image_text = self.images - 1, self.image_text - len(uri)
        return {"image": uri, "text": what}


class _SafeHTML(mistune.HTMLRenderer):
    """No raw HTML, no picture from elsewhere, no link that is not plainly one."""

    def __init__(self, outputs: _Outputs, attachments: Any) -> None:
        super().__init__(escape=True)
        self._outputs, self._attachments = outputs, attachments if isinstance(attachments, dict) else {}

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        return f"<p><strong>{text}</strong></p>\n"  # the page's own headings stay in order

    def link(self, text: str, url: str, title: str | None = None) -> str:
        if not url.lower().startswith(("http://", "https://", "mailto:")):
            return f"{text} ({escape(url)})"
        return f'<a href="{escape(url)}" rel="noopener noreferrer nofollow">{text}</a>'

    def image(self, text: str, url: str, title: str | None = None) -> str:
        alt = escape(unescape(striptags(text)))
        found = self._attachments.get(unquote(url.removeprefix("attachment:")))
        for kind in _IMAGES:
            if isinstance(found, dict) and kind in found:
                uri = self._outputs.image(kind, found[kind], "").get("image")
                return f'<img src="{uri}" alt="{alt}">' if uri else f"[image not shown: {alt}]"
        return f"[image: {alt}] ({escape(url)})"


def page(  # noqa: PLR0913, PLR0917  (a page shows what several parts of the package know)
    grade: Grade,
    notebook: nb.Notebook,
    title: str,
    marks: Marks,
    advice: Mapping[str, Advice] | None = None,
    released: Mapping[str, str] | None = None,
) -> str:
    """The feedback on `grade` as one HTML page.

    `notebook` is the autograded one, {} if there is none. `marks` are what people gave, by grade_id: points by that of
    the graded cell, a comment by that or by the answer's. `advice` is by test cell,
    and so is `released`, the text of those that students have.
    """
    sections = _sections(notebook, _tasks(notebook, grade, marks.cells, advice or {}, released or {}))
    tasks = [task for section in sections for task in section.tasks]
    outputs = _Outputs()
    html = _template().render(
        title=title,
        grade=grade,
        sections=sections,
        manual=marks.cells,
        earned=after_penalty(math.fsum(task.points or 0 for task in tasks), marks.late_penalty),
        worth=math.fsum(task.grade.max_score for task in tasks),
        waiting=math.fsum(task.grade.max_score for task in tasks if task.points is None),
        late_penalty=marks.late_penalty,
        outputs=outputs,
        markdown=lambda cell: _markdown(cell, outputs),
        most_notes=NOTES,
    )
    # JSON can hold half a character, which no file can, and characters that reorder what stands around them.
    return _CONTROL.sub("\ufffd", html).encode("utf-8", "replace").decode()


def _sections(notebook: nb.Notebook, left: dict[str, _Task]) -> list[_Section]:
    """The tasks in the notebook's order. An answer after a graded cell begins a new one, and so does a test under
    another heading. Graded cells that the notebook lacks, as when it could not be read, come last."""
    sections: list[_Section] = []
    early: list[nb.Cell] = []  # cells under a heading whose task is still to come
    heading = ""
    for cell in notebook.get("cells", []):
        name = str(nb.grade_id(cell))
        last = sections[-1] if sections else _Section("")
        if nb.is_answer(cell) or name in left:
            if not sections or (last.tasks and (nb.is_answer(cell) or last.heading != heading)):
                last, early = _Section(heading, extras=early), []
                sections.append(last)
            last.answers += [cell] if nb.is_answer(cell) else []
            last.tasks += [left.pop(name)] if name in left else []
        elif cell["cell_type"] == "markdown":
            heading = _heading(nb.source(cell)) or heading
        elif cell.get("outputs") and not nb.is_test(cell):
            (last.extras if sections and last.heading == heading else early).append(cell)
    rest = _Section("Other cells" if sections else "", list(left.values()), extras=early)
    return [*sections, rest] if left or early else sections


def _tasks(
    notebook: nb.Notebook,
    grade: Grade,
    manual: Mapping[str, Mark],
    advice: Mapping[str, Advice],
    released: Mapping[str, str],
) -> dict[str, _Task]:
    by_hand = {name: CellGrade(0.0, None) for name, given in manual.items() if given.score is not None}
    written = {nb.grade_id(cell) for cell in notebook.get("cells", []) if nb.is_manual(cell)}
    cells = enumerate((by_hand | grade.cells).items(), 1)
    return {
        name: _Task(
            name,
            cell,
            manual.get(name),
            name in written,
            f"task-{n}",
            advice.get(name, Advice()),
            released.get(name, ""),
        )
        for n, (name, cell) in cells
    }


def _heading(text: str) -> str:
    found = _HEADING.findall(text)
    line = _clip(found[-1].strip(" \t#"), NAME_CHARACTERS) if found else ""
    return _POINTS.sub("", line.replace("`", "").replace("*", ""))


def _text(value: Any, between: str = "") -> str:
    """An output's text without terminal colours, and of each line what a terminal would show at the end."""
    text = between.join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
    lines = _ANSI.sub("", text).replace("\r\n", "\n").split("\n")
    return "\n".join(line.rstrip("\r").rsplit("\r", 1)[-1] for line in lines)


def _clip(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}\n[{len(text) - most:,} more characters are not shown]"


def _message(text: str) -> str:
    return _clip(_text(text).strip(), MESSAGE_CHARACTERS)


def _bytes(kind: str, content: Any) -> bytes:
    text = "".join(map(str, content)) if isinstance(content, list) else str(content)
    try:
        return text.strip().encode() if kind == "image/svg+xml" else base64.b64decode(text)
    except ValueError:
        return b""


def _code(cell: nb.Cell) -> str:
    """A cell's text, its line ends as Python reads them: a lone carriage return must not hide what stands before it."""
    return _clip(nb.source(cell).replace("\r\n", "\n").replace("\r", "\n").strip("\n"), ANSWER_CHARACTERS)


def _locked(cell: nb.Cell) -> bool:
    """Whether a cell that is no answer is the instructor's; its outputs may be the student's work, its text is not."""
    return nb.grade_id(cell) is not None


def _highlighted(code: str) -> Markup:
    if len(code) > HIGHLIGHTED_CHARACTERS:
        return escape(code)
    spans = Markup()
    for kind, text in PythonLexer(stripnl=False, ensurenl=False).get_tokens(code):
        style = next((style for family, style in _STYLED.items() if kind in family), "")
        spans += Markup('<span class="{}">{}</span>').format(style, text) if style else text
    return spans


def _markdown(cell: nb.Cell, outputs: _Outputs) -> Markup:
    renderer = _SafeHTML(outputs, cell.get("attachments"))
    html = mistune.create_markdown(renderer=renderer, plugins=["table", "strikethrough"])(_code(cell))
    return Markup(html)  # noqa: S704  (the renderer has escaped what is not its own)


@cache
def _template() -> Any:
    environment = Environment(loader=PackageLoader("autograder.pages"), autoescape=True, undefined=StrictUndefined)
    environment.trim_blocks = environment.lstrip_blocks = True
    for filter_ in (_message, _code, _highlighted, _clip, _locked):
        environment.filters[filter_.__name__.strip("_")] = filter_
    return environment.get_template("feedback.html.j2")
