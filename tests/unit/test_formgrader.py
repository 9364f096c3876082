"""Nothing that a student hands in runs or loads in Formgrader, read as a browser reads it and, under --prove, in a browser."""

from __future__ import annotations

import copy
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbconvert.exporters import HTMLExporter
from nbgrader.server_extensions.formgrader import handlers

from autograder.course import notebook as nb
from autograder.course import open_course
from autograder.gradebook.autograded import make_autograded_notebook
from autograder.gradebook.showable import show_notebook
from autograder.pages.feedback.page import render_page
from autograder.pages.formulas import MAX_FORMULA, render_formula
from autograder.pages.markdown import FORMULA_CHARACTERS, render_markdown
from autograder.records.grade import CellGrade, Grade, Mark, Marks
from autograder.records.run import Run
from tests.attacks.inert import acts, troubles
from tests.support.classroom import ROOT
from tests.support.sandboxed import answer_cell

# The browser's test serves this host. `RAN` is what a script would call, and `EVIL` what a page would load.
HOST = "http://localhost:18765"
EVIL = f"{HOST}/evil"
RAN = f"fetch('{HOST}/ran')"
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SCRIPT, IMG, LOADING = f"<script>{RAN}</script>", f"<img src={EVIL} onerror={RAN}>", f"<img src={EVIL}>"
SVG = f"<svg xmlns='http://www.w3.org/2000/svg' onload=\"{RAN}\">{SCRIPT}<image href='{EVIL}'/></svg>"


def display(data: Any, metadata: Any = None, **more: Any) -> dict[str, Any]:
    return {"output_type": "display_data", "data": data, "metadata": metadata or {}, **more}


def png(**metadata: Any) -> dict[str, Any]:
    return display({"image/png": PNG, "text/plain": "x"}, {"image/png": metadata})


# Each is a list of outputs of a student's code cell.
OUTPUTS: dict[str, Any] = {
    "a picture's width": [png(width=f'1 onload="{RAN}"')],
    "a picture's height": [png(height=f"1 onload={RAN} "), png(width=[f"1 onload={RAN}"])],
    "a picture's text": [png(alt=f'" onload="{RAN}'), png(unconfined=f'" onload="{RAN}')],
    "metadata beside a picture": [display({"image/jpeg": "/9j/4A=="}, {"width": f"1 onload={RAN}"})],
    "a picture's file": [
        display({"image/png": PNG}, {"filenames": {"image/png": f'{EVIL}" onload="{RAN}'}}),
        display({"image/png": PNG}, {"filenames": {"image/png": "../../../api/formgrades"}}),
        display({"image/svg+xml": SVG}, {"filenames": {"image/svg+xml": EVIL}}, svg_filename=EVIL),
    ],
    "a picture that is none": [display({"image/png": f'" onload="{RAN}'}), display({"image/jpeg": [f'"><script>{RAN}']})],
    "an SVG": [display({"image/svg+xml": SVG}), display({"image/svg+xml": [SVG, f"{SCRIPT}"]})],
    "HTML": [
        display({"text/html": f"{SCRIPT}{IMG}"}),
        display({"text/html": f"{SCRIPT}"}, {"text/html": {"isolated": True}}),
        display({"text/html": f"<style>*{{background:url({EVIL})}}</style><base href={EVIL}><form action={EVIL}>"}),
        display({"text/html": f"<meta http-equiv=refresh content='0;url={EVIL}'><a href='javascript:{RAN}'>x</a>"}),
        display({"text/html": f"<p style='background:url({EVIL})'>x</p><svg onload={RAN}><iframe srcdoc='x'>"}),
    ],
    "Markdown": [display({"text/markdown": f"```mermaid\n{IMG}\n```\n{SCRIPT}"})],
    "LaTeX": [display({"text/latex": rf"$\href{{javascript:{RAN}}}{{x}}\require{{{EVIL}}}${SCRIPT}"})],
    "scripts": [display({"application/javascript": RAN}), display({"application/ecmascript": RAN})],
    "widgets": [
        display({"application/vnd.jupyter.widget-view+json": {"model_id": f"</script>{SCRIPT}"}}),
        display({"application/vnd.vegalite.v5+json": {"data": {"url": EVIL}}, "text/vnd.mermaid": f"{LOADING}"}),
        display({"application/pdf": "x", f'x">{SCRIPT}': "x"}),
    ],
    "a terminal's text": [
        {"output_type": "stream", "name": f"stdout' onload={RAN}", "text": f"\x1b[31m<svg onload={RAN}>"},
        {"output_type": "stream", "name": "stderr", "text": f"\x1b]8;;javascript:{RAN}\x07x\x1b]8;;\x07\x1b[38;2;1;2;3m<b>"},
        {"output_type": "error", "ename": f"{SCRIPT}", "evalue": f"{LOADING}", "traceback": [f"{LOADING}"]},
    ],
    "numbers": [
        {"output_type": "execute_result", "data": {"text/plain": "1"}, "metadata": {}, "execution_count": f"{SCRIPT}"},
    ],
    "kinds": [
        {"output_type": f"{SCRIPT}", "data": {"text/html": f"{SCRIPT}"}},
        {"output_type": "update_display_data", "data": None}, None, "x", {"output_type": "error", "traceback": None},
    ],
}  # fmt: skip
# Each is a written answer.
TEXTS = {
    "a mermaid fence": f"```mermaid\n<img src=x onerror={RAN}>\n```",
    "a fence's language": f'```">{SCRIPT}\nx\n```\n\n~~~python onload={RAN}\n{SCRIPT}\n~~~',
    "HTML": f"{SCRIPT} {IMG}\n\n<div onclick={RAN}>\n<svg/onload={RAN}>\n</div>",
    "style sheets": f"<style>@import '{EVIL}';</style> <link rel=stylesheet href={EVIL}> <base href={EVIL}>",
    "frames": f"<iframe srcdoc='{SCRIPT}'></iframe><object data={EVIL}></object><form action={EVIL}><input>",
    "a refresh": f"<meta http-equiv=refresh content='0;url={EVIL}'>",
    "links": f"[a](javascript:{RAN}) [b](JaVaScRiPt&colon;x) [c](data:text/html,x) [d](vbscript:x)"
    " <javascript:x> [e](//x) [f](x.html)",
    "a link's title": f"[a](https://ok.example '\"onmouseover=\"{RAN}') [b](https://ok.example\"onclick=\"{RAN})",
    "pictures": f"![a]({EVIL}) ![b](../../../api/x.png) ![c](a/../../x.png) ![d](%2e%2e/x.png) ![e](//evil/x.png) ![f](/x.png)",
    "odd pictures": f"![a](x\"onerror=\"{RAN}.png) ![b](javascript:{RAN}.png)"
    " ![c](data:text/html;base64,x) ![d](files/../../x.png)",
    "a picture's words": f'![" onload="{RAN}](attachment:a.png) ![{SCRIPT}](attachment:a.png "\\" onload=\\"x")',
    "attachments": "![b](attachment:b.png) ![c](attachment:c.png) ![d](attachment:d.png) ![none](attachment:none)",
    "formulas": rf"$\href{{javascript:{RAN}}}{{x}}$ $\text{{{IMG}}}$ $$\style{{background:url({EVIL})}}{{x}}$$",
    "formulas' commands": rf"$\require{{x}}\class{{mermaid}}{{x}}\cssId{{x}}{{y}}\color{{red;background:url({EVIL})}}x$"
    rf" \\(\href{{{EVIL}}}{{x}}\\)",
    "formulas in HTML": f"$x{SCRIPT}$ $${LOADING}$$ \\begin{{x}}<svg onload={RAN}>\\end{{x}}"
    f" $&lt;script&gt;{RAN}&lt;/script&gt;$",
    "references": f"[a][1] ![b][2]\n\n[1]: javascript:{RAN}\n[2]: {EVIL}",
    "a table": f"|{SCRIPT}|b|\n|:-|-|\n|{LOADING}|[x](javascript:{RAN})|\n",
    "lists": f"- [ ] {SCRIPT}\n\nterm\n: {LOADING}\n",
}  # fmt: skip
ATTACHMENTS = {
    "a.png": {"image/png": PNG},
    "b.png": {"image/png": f'" onload="{RAN}'},
    "c.png": {"text/html": f"{SCRIPT}", f'x" onload="{RAN}': "x"},
    "d.png": {"image/svg+xml": SVG},
    "e.png": None,
}
FORMAT = {"nbformat": 4, "nbformat_minor": 5}


def with_outputs(outputs: Any) -> nb.Notebook:
    cell = answer_cell("x = 1")
    return FORMAT | {"cells": [cell | {"outputs": outputs, "execution_count": SCRIPT}], "metadata": {}}


def with_text(text: str, **cell: Any) -> nb.Notebook:
    metadata = answer_cell("")["metadata"] | {"tags": [f'" onload="{RAN}'], "magics_language": f'" onload="{RAN}'}
    metadata["nbgrader"] = metadata["nbgrader"] | {"grade": True, "points": 1}
    answer = {"cell_type": "markdown", "metadata": metadata, "source": text, "attachments": ATTACHMENTS, **cell}
    widgets = {"application/vnd.jupyter.widget-state+json": {"x": f"</script>{SCRIPT}"}}
    return FORMAT | {"cells": [answer], "metadata": {"widgets": widgets, "title": f"</title>{SCRIPT}"}}


HOSTILE = {f"outputs: {name}": with_outputs(outputs) for name, outputs in OUTPUTS.items()} | {
    f"text: {name}": with_text(text) for name, text in TEXTS.items()
}
for kind in ("raw", "heading", SCRIPT):
    text = f"{IMG}{SCRIPT}<a href='javascript:{RAN}'>x</a><p style='background:url({EVIL})'>x</p>"
    HOSTILE[f"a {kind} cell"] = with_text(
        text, cell_type=kind, metadata={"format": "text/html", "raw_mimetype": "text/html"}
    )


@pytest.fixture(scope="module")
def formgrader(tmp_path_factory: pytest.TempPathFactory) -> Callable[[nb.Notebook], str]:
    """The page that Formgrader makes of what is stored of an executed notebook, as nbgrader's handler makes it."""
    folder = tmp_path_factory.mktemp("formgrader")
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    config = open_course(folder).config()
    config.HTMLExporter.template_name = "formgrade"
    config.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    exporter = HTMLExporter(config=config)  # type: ignore[no-untyped-call]
    known = {"index": 0, "total": 1, "base_url": "", "submission_id": "s", "notebook_id": "n", "assignment_id": "a"}

    def page(notebook: nb.Notebook) -> str:
        run = Run("ada", "a", json.dumps(notebook).encode())
        (folder / "n.ipynb").write_bytes(make_autograded_notebook(run, Grade("ada", "a", "completed"), {}))
        return str(exporter.from_filename(str(folder / "n.ipynb"), resources={**known, "student": "x"})[0])

    return page


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_runs_or_loads_in_formgrader(name: str, formgrader: Callable[[nb.Notebook], str]) -> None:
    """nbgrader's page has scripts of its own, so what it does is compared with what it does for an honest answer."""
    honest = acts(formgrader(with_text("It is harder."))) | acts(formgrader(with_outputs([])))
    assert acts(formgrader(copy.deepcopy(HOSTILE[name]))) - honest == set()


@pytest.mark.parametrize("name", HOSTILE)
def test_what_formgrader_opens_is_a_valid_notebook(name: str) -> None:
    notebook = copy.deepcopy(HOSTILE[name])
    nbformat.validate(show_notebook(notebook, notebook["cells"]))


@pytest.mark.parametrize(
    "change",
    [
        {"attachments": None},
        {"attachments": {"a": None, "b": {}}},
        {"id": f'">{SCRIPT}'},
        {"source": ["a\n", "b"]},
        {"cell_type": f"{SCRIPT}"},
        {"metadata": {"nbgrader": None}},
    ],
)
def test_an_odd_cell_becomes_a_valid_one(change: dict[str, Any], formgrader: Callable[[nb.Notebook], str]) -> None:
    notebook = with_text("It is harder.", **change)
    nbformat.validate(show_notebook(copy.deepcopy(notebook), copy.deepcopy(notebook["cells"])))
    assert acts(formgrader(notebook)) - acts(formgrader(with_text("It is harder."))) == set()


def test_the_students_work_stays_readable(formgrader: Callable[[nb.Notebook], str]) -> None:
    """A figure, colored text, a table's plain text, Markdown, formulas, and a picture of the assignment."""
    table = display({"text/html": "<table></table>", "text/plain": "a  b\n1  2"})
    page = formgrader(with_outputs([png(), table, {"output_type": "stream", "name": "stdout", "text": "\x1b[31mred"}]))
    assert f"data:image/png;base64,{PNG}" in page and "a  b\n1  2" in page and 'ansi-red-fg">red' in page
    page = formgrader(with_text(r"**So** $\frac{a}{b}$ ![plot](attachment:a.png) ![one](figures/one.png)"))
    assert "<strong>So</strong>" in page and "<mfrac>" in page and 'src="figures/one.png"' in page
    assert f'src="data:image/png;base64,{PNG}"' in page


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_of_anybody_is_inert_on_the_feedback_page(name: str) -> None:
    """A student's answer, and a TA's comment that quotes it."""
    notebook = with_text(TEXTS[name])
    grade = Grade("ada", "a", "completed", {"answer": CellGrade(1, None)})
    assert troubles(render_page(grade, notebook, "T", Marks({"answer": Mark(1, TEXTS[name])}))) == []


@pytest.mark.parametrize(
    "latex", ["x^", "{", r"\left(", "{" * 900, r"\sqrt{" * 300, "a_1_2", "x" * (MAX_FORMULA + 1), r"\begin{matrix}"]
)
def test_a_formula_that_cannot_be_read_is_shown_as_it_was_written(latex: str) -> None:
    assert render_formula(latex) == f"<code>{latex}</code>"


def test_a_formula_is_drawn_without_scripts() -> None:
    loss = r"\mathcal{L} = -\frac{1}{N} \sum_{i=1}^N \log \operatorname{softmax}(s_i / \tau)_i"
    assert re.findall(r"<(mfrac|munderover|msub|msubsup)>", render_formula(loss)) == [
        "mfrac",
        "msubsup",
        "msub",
        "msub",
    ]
    text = render_markdown(f"$${loss}$$ and \\begin{{aligned}}a &= b\\end{{aligned}}")
    assert text.count('<math display="block"') == 2 and "<mtable" in text


def test_formulas_without_end_are_shown_as_they_were_written() -> None:
    text = render_markdown("$aaaa$ " * FORMULA_CHARACTERS)
    assert text.count("<math") == FORMULA_CHARACTERS / 4


def test_deep_text_stays_readable() -> None:
    assert "here" in render_markdown("> " * 5000 + "here")


BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture
def visited() -> Iterator[tuple[dict[str, str], list[str]]]:
    """Pages to serve by their path, and the paths that were asked for."""
    pages: dict[str, str] = {}
    asked: list[str] = []

    class Server(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            static = Path(handlers.static_path) / self.path.partition("/formgrader/static/")[2]
            is_static = self.path.startswith("/formgrader/static/") and static.is_file()
            content = static.read_bytes() if is_static else pages.get(self.path, "").encode()
            self.send_response(200 if content else 404)
            self.send_header(
                "Content-Type", "text/javascript" if static.suffix == ".js" else "text/html; charset=utf-8"
            )
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("localhost", int(HOST.rpartition(":")[2])), Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield pages, asked
        server.shutdown()


def browse(path: str, profile: Path) -> None:
    """Open a page in the system's browser without a window, and wait until it is idle."""
    options = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        f"--user-data-dir={profile}",
    ]
    quiet = ["--virtual-time-budget=4000", "--no-first-run", "--disable-background-networking", "--dump-dom"]
    command = [str(BROWSER), *options, *quiet, f"{HOST}{path}"]
    subprocess.run(command, capture_output=True, timeout=120, check=True)


@pytest.mark.prove
@pytest.mark.skipif(BROWSER is None, reason="no Chromium here, so no page was opened in a browser")
def test_a_browser_runs_and_loads_nothing_of_a_students(
    formgrader: Callable[[nb.Notebook], str], visited: tuple[dict[str, str], list[str]], tmp_path: Path
) -> None:
    """All payloads on two pages, Formgrader's and the feedback's; and a page that does run and load, so that it would be seen."""
    pages, asked = visited
    cells = [copy.deepcopy(cell) for notebook in HOSTILE.values() for cell in notebook["cells"]]
    for number, cell in enumerate(cells):
        if "nbgrader" in cell["metadata"]:
            cell["metadata"]["nbgrader"]["grade_id"] = f"answer-{number}"
    notebook = {**with_text(""), "cells": cells}
    pages["/formgrader"] = formgrader(notebook)
    grade = Grade("ada", "a", "completed", {f"answer-{n}": CellGrade(1, 1) for n in range(len(cells))})
    shown = json.loads(make_autograded_notebook(Run("ada", "a", json.dumps(notebook).encode()), grade, {}))
    pages["/feedback"] = render_page(grade, shown, "T", Marks())
    pages["/control"] = f"{LOADING}{SCRIPT}"
    browse("/control", tmp_path / "profile")
    assert {"/evil", "/ran"} <= set(asked)
    for path in ("/formgrader", "/feedback"):
        asked.clear()
        browse(path, tmp_path / "profile")
        others = [each for each in asked if not each.startswith("/formgrader/static/") and each != "/favicon.ico"]
        assert others[:1] == [path] and not [each for each in others[1:] if "evil" in each or "ran" in each]
