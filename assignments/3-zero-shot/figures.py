"""Draw the three figures of the notebook and store them in it as attachments.

    python assignments/3-zero-shot/figures.py [NOTEBOOK]

The text of the notebook refers to a figure as `attachment:NAME.png`; this script finds the cell that does, and replaces
what is attached there. The background is white, so that the figures read on a dark page too; the colors are those of
Okabe and Ito, which stay apart for color-blind readers, and a word or a shape says everything that color says.
"""

from __future__ import annotations

import base64
import io
import math
import pathlib
import sys

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import nbformat
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle

COURSE = pathlib.Path(__file__).parents[2]
NOTEBOOK = COURSE / "source" / "3-zero-shot" / "zero-shot.ipynb"
CAT = COURSE / "assignments" / "small-clip" / "files" / "drawings" / "cat" / "twemoji-cat.png"
BLUE, ORANGE, GREEN, INK, FAINT = "#0072B2", "#D55E00", "#009E73", "#222222", "#8A8A8A"
STYLE = {"arrowstyle": "-|>", "shrinkA": 0, "shrinkB": 0}
CELLS = 7  # numbers drawn in a vector; a real one has 96 or 512


def box(axes: Axes, x: float, y: float, text: str, color: str) -> None:
    """A rounded box of one size around a name."""
    patch = FancyBboxPatch((x, y), 1.5, 0.8, boxstyle="round,pad=0.04", facecolor="white", edgecolor=color, lw=2)
    axes.add_patch(patch)
    axes.text(x + 0.75, y + 0.4, text, ha="center", va="center", fontsize=10, color=INK)


def arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.annotate("", xy=end, xytext=start, arrowprops={"arrowstyle": "-|>", "color": INK, "lw": 1.4})


def vector(axes: Axes, x: float, y: float, seed: int, colors: str) -> None:
    """A row of shaded cells: one feature vector."""
    shades = plt.get_cmap(colors)(0.25 + 0.6 * np.random.default_rng(seed).random(CELLS))
    for cell, shade in enumerate(shades):
        axes.add_patch(Rectangle((x + 0.2 * cell, y), 0.2, 0.3, facecolor=shade, edgecolor="white", lw=0.8))


def pipeline() -> Figure:
    figure, axes = plt.subplots(figsize=(9.4, 3.6))
    axes.imshow(plt.imread(CAT), extent=(0.75, 1.75, 2.35, 3.35), interpolation="nearest")
    axes.text(1.25, 3.42, "one image", ha="center", va="bottom", fontsize=9, color=FAINT)
    box(axes, 2.9, 2.45, "image encoder", BLUE)
    vector(axes, 5.2, 2.7, 3, "Blues")
    arrow(axes, (1.85, 2.85), (2.85, 2.85))
    arrow(axes, (4.5, 2.85), (5.15, 2.85))
    for row, name in enumerate(("cat", "dog", "truck")):
        y = 1.35 - 0.45 * row
        axes.text(0.0, y + 0.15, f'"a photo of a {name}"', va="center", fontsize=10, color=INK)
        vector(axes, 5.2, y, 10 + row, "Oranges")
        axes.text(6.68, y + 0.15, name, va="center", fontsize=9, color=INK)
    axes.text(1.05, 1.85, "one caption for each class", ha="center", fontsize=9, color=FAINT)
    box(axes, 2.9, 0.65, "text encoder", ORANGE)
    arrow(axes, (2.25, 1.05), (2.85, 1.05))
    arrow(axes, (4.5, 1.05), (5.15, 1.05))
    axes.text(5.9, 0.0, "class vectors: the head", ha="center", fontsize=9, color=FAINT)
    axes.annotate("", xy=(5.9, 1.75), xytext=(5.9, 2.6), arrowprops={"arrowstyle": "<|-|>", "color": INK, "lw": 1.4})
    axes.text(6.0, 2.17, "cosines", va="center", fontsize=10, color=INK)
    arrow(axes, (7.2, 2.17), (7.75, 2.17))
    for row, (name, length) in enumerate((("cat", 1.25), ("dog", 0.75), ("truck", 0.3))):
        y = 2.55 - 0.45 * row
        axes.add_patch(Rectangle((8.4, y), length, 0.28, color=ORANGE if row == 0 else FAINT))
        axes.text(8.33, y + 0.14, name, ha="right", va="center", fontsize=10, color=INK)
    axes.text(9.72, 2.69, "largest:\nprediction", va="center", fontsize=9, color=ORANGE)
    axes.set(xlim=(-0.1, 10.6), ylim=(-0.1, 3.75), aspect="equal", title="Zero-shot classification")
    axes.axis("off")
    figure.subplots_adjust(left=0.01, right=0.99, top=0.92, bottom=0.01)
    return figure


def prompt_average() -> Figure:
    """Three prompts of one class, averaged as they come and normalized first."""
    angles, lengths = np.radians([12, 96, 122]), np.array([2.0, 0.5, 0.55])
    unit = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    figure, panels = plt.subplots(1, 2, figsize=(8.8, 3.3), sharey=True)
    titles = ("Averaged as they come: the long prompt decides", "Normalized first: each prompt counts the same")
    for axes, title, arrows in zip(panels, titles, (unit * lengths[:, None], unit), strict=True):
        circle = np.linspace(0, 2 * math.pi, 200)
        axes.plot(np.cos(circle), np.sin(circle), color=FAINT, lw=1, ls=":")
        axes.text(-0.93, -0.2, "length 1", color=FAINT, fontsize=9, ha="left")
        for number, (x, y) in enumerate(arrows):
            axes.annotate("", xy=(x, y), xytext=(0, 0), arrowprops=STYLE | {"color": BLUE, "lw": 2})
            side, rise = (("left", 0.08), ("center", 0.14), ("right", 0.08))[number]
            axes.text(x - 0.02 * number, y + rise, f"prompt {number}", color=BLUE, fontsize=9, ha=side, va="center")
        x, y = mean = arrows.mean(axis=0)
        axes.annotate("", xy=mean, xytext=(0, 0), arrowprops=STYLE | {"color": ORANGE, "lw": 3})
        end = mean / np.linalg.norm(mean)
        axes.plot([x, end[0]], [y, end[1]], "--", color=ORANGE, lw=1.6)
        axes.plot(*end, "o", color=ORANGE)
        axes.text(end[0] + 0.06, end[1] + 0.02, "average", color=ORANGE, fontsize=10, va="center")
        axes.set(title=title, xlim=(-1.2, 2.5), ylim=(-0.35, 1.25), aspect="equal", xticks=[], yticks=[])
        axes.title.set_size(10.5)
    figure.subplots_adjust(left=0.01, right=0.99, top=0.9, bottom=0.02, wspace=0.04)
    return figure


def blind_guessing() -> Figure:
    """What a blind guesser with ten classes gets, on 10 and on 100 images."""
    figure, panels = plt.subplots(1, 2, figsize=(8.6, 3.3), layout="constrained")
    for axes, n, k, last in ((panels[0], 10, 4, 10), (panels[1], 100, 19, 27)):
        hits = range(last + 1)
        chance = [math.comb(n, j) * 0.1**j * 0.9 ** (n - j) for j in hits]
        tail = sum(math.comb(n, j) * 0.1**j * 0.9 ** (n - j) for j in range(k, n + 1))
        axes.bar(hits, chance, color=[ORANGE if j >= k else BLUE for j in hits])
        axes.axvline(k - 0.5, ls="--", color=INK, lw=1)
        axes.text(k - 0.2, 0.6 * max(chance), f"{k} or more:\np = {tail:.4f}", fontsize=10, color=ORANGE)
        axes.set(title=f"A blind guesser on {n} images", xlabel=f"right answers of {n}", ylabel="probability")
    return figure


def png(figure: Figure) -> str:
    """The figure as base64 text, without the name and version of matplotlib among its metadata."""
    stream = io.BytesIO()
    figure.savefig(
        stream, format="png", dpi=100, facecolor="white", metadata={"Software": None}, pil_kwargs={"optimize": True}
    )
    plt.close(figure)
    return base64.b64encode(stream.getvalue()).decode("ascii")


def attach(notebook: nbformat.NotebookNode, name: str, data: str) -> None:
    (cell,) = (cell for cell in notebook.cells if f"(attachment:{name})" in cell.source)
    cell["attachments"] = {name: {"image/png": data}}


def main(path: pathlib.Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    attach(notebook, "zero-shot-pipeline.png", png(pipeline()))
    attach(notebook, "prompt-average.png", png(prompt_average()))
    attach(notebook, "blind-guessing.png", png(blind_guessing()))
    nbformat.write(notebook, path)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else NOTEBOOK)
