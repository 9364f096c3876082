"""Draw the two figures of the notebook and store them in it as attachments.

    python assignments/1-similarity-and-loss/figures.py [NOTEBOOK]

The text of the notebook refers to a figure as `attachment:NAME.png`; this script finds the cell that does, and replaces
what is attached there. The same versions of matplotlib and its fonts give the same bytes, so a second run leaves the
file as it is. The background is white, so that the figures read on a dark page too; the colors are those of Okabe and
Ito, which stay apart for color-blind readers, and shape or letter says everything that color says.
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
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

NOTEBOOK = pathlib.Path(__file__).parents[2] / "source" / "1-similarity-and-loss" / "similarity-and-loss.ipynb"
NAMES = ("cat", "car", "mountain", "ramen")
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
CAPTIONS = ("a tabby\ncat", "a red\nsports car", "a mountain\nlandscape", "a bowl of\nramen")
INK, FAINT = "#222222", "#8A8A8A"

# Positions (image, text) of each pair, chosen so that no label covers another.
BEFORE = (
    ((0.15, 0.80), (0.78, 0.30)),
    ((0.72, 0.86), (0.20, 0.45)),
    ((0.50, 0.64), (0.42, 0.12)),
    ((0.86, 0.58), (0.14, 0.14)),
)
AFTER = (
    ((0.13, 0.82), (0.29, 0.80)),
    ((0.71, 0.80), (0.87, 0.82)),
    ((0.13, 0.19), (0.29, 0.21)),
    ((0.71, 0.21), (0.87, 0.19)),
)

# Row = image, column = text. The first row and the first column are worked through in the text; column 2 is a hub, which
# makes the rows harder than the columns.
COSINES = ((0.75, 0.12, 0.60, 0.11), (0.12, 0.78, 0.55, 0.07), (0.08, 0.14, 0.92, 0.06), (0.10, 0.05, 0.65, 0.70))


def draw_pairs(axes: Axes, positions: tuple[tuple[tuple[float, float], tuple[float, float]], ...], title: str) -> None:
    """The four pairs: a dot for the image, a triangle for the text, an arrow from each towards the other."""
    for name, color, (image, text) in zip(NAMES, COLORS, positions, strict=True):
        axes.plot(*image, "o", color=color, markersize=11, zorder=3)
        axes.plot(*text, "^", color=color, markersize=11, zorder=3)
        axes.text(image[0], image[1] + 0.05, f"{name} image", ha="center", va="bottom", fontsize=8, color=INK)
        axes.text(text[0], text[1] - 0.05, f"{name} text", ha="center", va="top", fontsize=8, color=INK)
        length = math.dist(image, text)
        for start, end in ((image, text), (text, image)):
            along = [(end[k] - start[k]) / length for k in (0, 1)]
            first, last = min(0.035, 0.3 * length), min(0.17, 0.48 * length)  # leave the marker, stop before the middle
            tail, head = ([start[k] + step * along[k] for k in (0, 1)] for step in (first, last))
            axes.annotate(
                "",
                xy=head,
                xytext=tail,
                arrowprops={"arrowstyle": "-|>", "color": color, "lw": 1.6, "shrinkA": 0, "shrinkB": 0},
            )
    axes.set(title=title, xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xticks=[], yticks=[], aspect="equal")
    axes.title.set_size(11)


def shared_space() -> Figure:
    figure, (before, after) = plt.subplots(1, 2, figsize=(8.4, 4.7))
    draw_pairs(before, BEFORE, "Before training: partners are strangers")
    draw_pairs(after, AFTER, "After training: partners are neighbors")
    centers = [((image[0] + text[0]) / 2, (image[1] + text[1]) / 2) for image, text in AFTER]
    for one in range(4):
        for other in range(one):
            ends = (
                [centers[one][k] + 0.24 * (centers[other][k] - centers[one][k]) for k in (0, 1)],
                [centers[other][k] + 0.24 * (centers[one][k] - centers[other][k]) for k in (0, 1)],
            )
            after.plot(*zip(*ends, strict=True), "--", color=FAINT, lw=1.2, zorder=1)
    legend = [
        Line2D([], [], marker="o", color=INK, ls="", markersize=9, label="image"),
        Line2D([], [], marker="^", color=INK, ls="", markersize=9, label="text"),
        Line2D([], [], marker=">", color=INK, lw=1.6, markersize=5, label="pulled together"),
        Line2D([], [], color=FAINT, ls="--", lw=1.2, label="pushed apart"),
    ]
    figure.legend(handles=legend, loc="lower center", ncols=4, frameon=False, fontsize=9)
    figure.subplots_adjust(left=0.02, right=0.98, top=0.93, bottom=0.09, wspace=0.06)
    return figure


def similarity_4x4() -> Figure:
    figure, axes = plt.subplots(figsize=(5.6, 4.4), layout="constrained")
    shown = axes.imshow(COSINES, cmap="cividis", vmin=0, vmax=1)
    for row, cosines in enumerate(COSINES):
        for column, cosine in enumerate(cosines):
            axes.text(
                column,
                row,
                f"{cosine:.2f}",
                ha="center",
                va="center",
                fontsize=11,
                color="white" if cosine < 0.5 else "black",
            )
        axes.add_patch(Rectangle((row - 0.48, row - 0.48), 0.96, 0.96, fill=False, edgecolor="#D55E00", lw=2.5))
    axes.set_xticks(range(4), CAPTIONS, fontsize=9)
    axes.set_yticks(range(4), NAMES, fontsize=9)
    axes.set(xlabel="text (column)", ylabel="image (row)", title="Cosine of every image with every text")
    figure.colorbar(shown, ax=axes, label="cosine", shrink=0.9)
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
    attach(notebook, "shared-space.png", png(shared_space()))
    attach(notebook, "similarity-4x4.png", png(similarity_4x4()))
    nbformat.write(notebook, path)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else NOTEBOOK)
