"""Put trained towers where students' notebooks find them.

    python export.py RUN OTHER_RUN

RUN.safetensors becomes the model; the text tower of OTHER_RUN, trained from another seed on other scenes, becomes the
one that never saw RUN's image tower. Draws RUN.json, the training curve, as `training-curve.svg`.
"""

import hashlib
import json
import sys
from pathlib import Path

import matplotlib
from config import HERE, OTHER_TEXT_TOWER, WEIGHTS
from safetensors.torch import load_file, save_file

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "small-clip"  # the same curve gives the same file


def export(run: Path, other: Path) -> None:
    """Write the two files of weights; anyone may read them (safetensors writes 0600)."""
    whole = load_file(run.with_suffix(".safetensors"))
    text = load_file(other.with_suffix(".safetensors"))
    text = {name: value for name, value in text.items() if not name.startswith("visual.") and name != "logit_scale"}
    for path, weights in ((WEIGHTS, whole), (OTHER_TEXT_TOWER, text)):
        save_file(weights, path)
        path.chmod(0o644)
        print(hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size, path.relative_to(HERE))


def draw(curve: list[dict], path: Path) -> None:
    """Loss and accuracies over the steps, on a white ground so that it reads on a dark page too."""
    from matplotlib import pyplot

    steps = [point["step"] for point in curve]
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.4), layout="constrained", facecolor="white")
    left.plot(steps, [point["loss"] for point in curve], color="#0b5fa5")
    left.set(xlabel="step", ylabel="ClipLoss, mean of 250 steps", ylim=(0, None))
    for name, style in (("twemoji", "-"), ("digits", "--")):
        right.plot(steps, [point[name] for point in curve], style, label=f"{name}, held out")
    right.axhline(0.1, color="gray", linewidth=0.8)
    right.annotate("chance", (steps[-1], 0.03), ha="right", color="gray")
    right.set(xlabel="step", ylabel="zero-shot accuracy", ylim=(0, 1))
    right.legend(loc="lower right", bbox_to_anchor=(1, 0.15))
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    run, other = Path(sys.argv[1]), Path(sys.argv[2])
    export(run, other)
    draw(json.loads(run.with_suffix(".json").read_text(encoding="utf-8")), HERE / "training-curve.svg")


if __name__ == "__main__":
    main()
