"""`make pictures`: a notebook, a feedback page and a report as a browser shows them, light and dark, for the README.

Needs Chromium. Runs the real commands on a class in build/pictures and photographs what they write.
"""

from __future__ import annotations

import io
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbconvert.exporters import HTMLExporter
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from autograder.course import Course
from autograder.pages.formulas import render_formula
from autograder.proof.tasks import find_answer_cell
from tests.support.classroom import NAME, ROOT, Classroom, Pupil, hand_in, make_course

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FOLDER, PICTURES = ROOT / "build" / "pictures", ROOT / "docs" / "pictures"
BIN = Path(sys.executable).parent
THEMES = {"light": "1", "dark": "0"}  # as Chromium's settings number them
# The window in CSS pixels, and the picture's width in its own.
SIZES = {"notebook": (960, 848), "feedback": (860, 760), "task": (860, 760), "report": (1080, 954)}
WIDTH, COLOURS = 1290, 64
# Whose page is shown, and the cells of the notebook in which this pupil works.
TASK = "task-2"
SHOWN = "chaff-cosine_similarity_matrix-no_norm"
CELLS = ("cosine-task", "cosine-similarity-matrix-solution", "cosine-similarity-matrix-test")
CLASS = 40
FORMULA = re.compile(r"\$([^$]+)\$")


def main() -> int:
    if BROWSER is None:
        sys.exit("pictures: no Chromium here; install the package chromium")
    course = make_course(FOLDER / "course")
    classroom = Classroom(course.assignment(NAME))
    for pupil in pupils(classroom):
        hand_in(classroom.assignment, pupil)
    for command in ("grade", "feedback", "report"):
        subprocess.run([str(BIN / "autograder"), command, NAME], cwd=course.root, check=True)
    PICTURES.mkdir(exist_ok=True)
    for theme in THEMES:
        for name, page in pages(course, classroom, theme).items():
            picture = PICTURES / f"{name}-{theme}.png"
            picture.write_bytes(photograph(page, SIZES[name], theme))
            print(f"{picture.relative_to(ROOT)}: {picture.stat().st_size / 1000:.0f} kB")
    return 0


def pupils(classroom: Classroom) -> Iterator[Pupil]:
    """A class in which everybody made some of the known mistakes and left some tasks; the first, the one that is shown."""
    draw = random.Random(1)
    cells = {
        cell: [
            v for v in classroom.assignment.variants if v.kind == "chaff" and find_answer_cell(classroom.own, v) == cell
        ]
        for cell in classroom.own
    }
    yield pupil(classroom, 1, classroom.trials[SHOWN].answers)
    for number in range(2, CLASS + 1):
        answers, weakness = dict(classroom.solution), draw.betavariate(1.2, 2.5)
        for cell, chaffs in cells.items():
            if chaffs and draw.random() < weakness:
                answers[cell] = draw.choice(chaffs).source
            elif draw.random() < weakness / 6:
                del answers[cell]
        yield pupil(classroom, number, answers)


def pupil(classroom: Classroom, number: int, answers: dict[str, str]) -> Pupil:
    return classroom.answered(f"student-{number:02}", answers, classroom.all_full)


def pages(course: Course, classroom: Classroom, theme: str) -> dict[str, Path]:
    """The files to photograph, by the names of the pictures."""
    notebook = FOLDER / f"notebook-{theme}.html"
    notebook.write_text(show_notebook(classroom, theme))
    feedback = course.feedback / "student-01" / NAME / f"{classroom.assignment.notebook}.html"
    report = course.root / "gradebook" / "reports" / f"report-{NAME}.html"
    task = FOLDER / "task.html"  # a browser without a window does not scroll: the other sections are left out
    task.write_text(
        feedback.read_text().replace(
            "</head>", f"<style>header, section:not(#{TASK}) {{ display: none }}</style></head>"
        )
    )
    return {"notebook": notebook, "feedback": feedback, "task": task, "report": report}


def show_notebook(classroom: Classroom, theme: str) -> str:
    """The pupil's notebook as JupyterLab shows it, run from the top: the first lines and one task."""
    answers = classroom.trials[SHOWN].answers
    notebook = nbformat.from_dict(classroom.notebook(answers))
    NotebookClient(notebook, allow_errors=True, resources={"metadata": {"path": str(FOLDER)}}).execute()
    notebook["cells"] = [cell for cell in notebook["cells"] if cell["id"] in CELLS]
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":  # MathJax would have to be fetched
            cell["source"] = FORMULA.sub(lambda formula: render_formula(formula[1]), cell["source"])
    exporter = HTMLExporter(template_name="lab", theme=theme)  # type: ignore[no-untyped-call]
    return str(exporter.from_notebook_node(notebook)[0])


def photograph(page: Path, size: tuple[int, int], theme: str) -> bytes:
    """What a window of this size shows of a page, as a PNG of few colours."""
    shot = FOLDER / "shot.png"
    options = [
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run",
        "--disable-background-networking", "--virtual-time-budget=4000", f"--user-data-dir={FOLDER / 'profile'}",
        f"--force-device-scale-factor={WIDTH / size[0]}", f"--window-size={size[0]},{size[1]}",
        f"--blink-settings=preferredColorScheme={THEMES[theme]}", f"--screenshot={shot}",
    ]  # fmt: skip
    subprocess.run([str(BROWSER), *options, page.as_uri()], capture_output=True, timeout=120, check=True)
    with Image.open(shot) as image:
        few = image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    content = io.BytesIO()
    few.save(content, "PNG", optimize=True)
    return content.getvalue()


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
