"""Draw the figure of the notebook that needs no model, and store it there as an attachment.

    python assignments/2-shared-space/figures.py [NOTEBOOK]

The text of the notebook refers to it as `attachment:rotation.png`; this script finds the cell that does, and replaces what
is attached there. The same versions of matplotlib and its fonts give the same bytes, so a second run leaves the file as it
is. White background and the colors of Okabe and Ito, as in the first notebook; shape and label say everything that color says.
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
from matplotlib.patches import Circle, FancyArrowPatch

NOTEBOOK = pathlib.Path(__file__).parents[2] / "source" / "2-shared-space" / "shared-space.ipynb"
COLORS = {"cat": "#0072B2", "car": "#D55E00", "mountain": "#009E73", "ramen": "#CC79A7"}
INK, FAINT = "#222222", "#8A8A8A"

# Angles in degrees, image and text of each pair.
ANGLES = {"cat": (75, 66), "car": (160, 171), "mountain": (250, 241), "ramen": (318, 329)}
TURN = 60


def at(angle: float, radius: float = 1.0) -> tuple[float, float]:
    return radius * math.cos(math.radians(angle)), radius * math.sin(math.radians(angle))


def draw_circle(axes: Axes, turn: float, title: str) -> None:
    """Images as dots on the circle, labels outside; texts as triangles, labels inside, all moved on by `turn` degrees."""
    axes.add_patch(Circle((0, 0), 1, fill=False, edgecolor=FAINT, lw=1))
    axes.plot(0, 0, "+", color=FAINT, markersize=9)
    outline = [at(text + turn) for _, text in ANGLES.values()]
    axes.plot(*zip(*outline, outline[0], strict=True), ":", color=INK, lw=1.2, zorder=1)
    for name, (image, text) in ANGLES.items():
        axes.plot(*at(image), "o", color=COLORS[name], markersize=11, zorder=3)
        axes.plot(*at(text + turn), "^", color=COLORS[name], markersize=11, zorder=3)
        axes.text(*at(image, 1.26), f"{name}\nimage", ha="center", va="center", fontsize=8, color=INK)
        label = axes.text(*at(text + turn, 0.74), f"{name}\ntext", ha="center", va="center", fontsize=8, color=INK)
        label.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1})
    if turn:
        ends = {"posA": at(20, 0.34), "posB": at(20 + turn, 0.34)}
        axes.add_patch(
            FancyArrowPatch(**ends, connectionstyle="arc3,rad=0.3", arrowstyle="-|>", mutation_scale=14, color=INK)
        )
        axes.text(0, -0.14, f"turned by {turn}°", ha="center", va="center", fontsize=8, color=INK)
    axes.set(title=title, xlim=(-1.45, 1.45), ylim=(-1.4, 1.4), aspect="equal")
    axes.set_axis_off()
    axes.title.set_size(11)


def rotation() -> Figure:
    figure, (before, after) = plt.subplots(1, 2, figsize=(8.4, 4.6))
    draw_circle(before, 0, "As trained: each text beside its image")
    draw_circle(after, TURN, "All texts turned: same constellation, wrong place")
    legend = [
        Line2D([], [], marker="o", color=INK, ls="", markersize=9, label="image"),
        Line2D([], [], marker="^", color=INK, ls=":", lw=1.2, markersize=9, label="text"),
    ]
    figure.legend(handles=legend, loc="lower center", ncols=2, frameon=False, fontsize=9)
    figure.subplots_adjust(left=0.01, right=0.99, top=0.93, bottom=0.06, wspace=0.02)
    return figure


def png(figure: Figure) -> str:
    """The figure as base64 text, without the name and version of matplotlib among its metadata."""
    stream = io.BytesIO()
    figure.savefig(
        stream, format="png", dpi=100, facecolor="white", metadata={"Software": None}, pil_kwargs={"optimize": True}
    )
    plt.close(figure)
    return base64.b64encode(stream.getvalue()).decode("ascii")


def main(path: pathlib.Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    (cell,) = (cell for cell in notebook.cells if "(attachment:rotation.png)" in cell.source)
    cell["attachments"] = {"rotation.png": {"image/png": png(rotation())}}
    nbformat.write(notebook, path)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else NOTEBOOK)
