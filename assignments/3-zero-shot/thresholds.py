"""How often the statistical thresholds of the course fail right work, and pass wrong work: exact binomials, as Markdown.

    python assignments/3-zero-shot/thresholds.py

Reads the hidden images and the small model for their number and for the reference's accuracy; nothing is simulated.
The images are fixed, so a given submission gets the same marks every time. The probabilities are over sets of images
that could have been drawn instead.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import open_clip
import torch
from torch.nn.functional import normalize
from torchvision.datasets import ImageFolder

SMALL = Path(__file__).parents[1] / "small-clip"
TEMPLATES = ("a photo of a {}", "a drawing of a {}", "a picture of a {}")  # as in the test of zero_shot_classify
PER_CLASS, DISTANCE, LEVEL = 10, 0.05, 0.01
NEAR_TIE = 1e-5  # thirty times what threads, batch size and float64 change in a cosine


def between(low: int, high: int, n: int, p: float) -> float:
    """P(low <= X <= high) for X binomial with n tries of probability p."""
    return sum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(max(low, 0), min(high, n) + 1))


def needed(n: int, chance: float) -> int:
    """The least number of right answers whose p-value is below LEVEL."""
    return next(k for k in range(n + 1) if between(k, n, n, chance) < LEVEL)


def unseen() -> tuple[torch.Tensor, np.ndarray, list[str]]:
    """The images of the hidden test, their labels and the names of the classes."""
    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{SMALL / 'files' / 'small-clip'}")
    model.eval()
    folder = ImageFolder(str(SMALL / "hidden" / "drawings"), transform=preprocess)
    ranks = {path: i for c in range(10) for i, path in enumerate(sorted(p for p, k in folder.samples if k == c))}
    chosen = [i for i, (path, _) in enumerate(folder.samples) if ranks[path] < PER_CLASS]
    words = open_clip.SimpleTokenizer(bpe_path=str(SMALL / "files" / "small-clip" / "merges.txt.gz"), context_length=24)
    with torch.no_grad():
        texts = [model.encode_text(words([t.format(c) for t in TEMPLATES]), normalize=True) for c in folder.classes]
        vectors = normalize(torch.stack(texts).mean(dim=1), dim=-1)
        cosines = model.encode_image(torch.stack([folder[i][0] for i in chosen]), normalize=True) @ vectors.T
    return cosines, np.array([folder.targets[i] for i in chosen]), folder.classes


def percent(p: float) -> str:
    return f"{100 * p:.2g} %" if p >= 1e-6 else "under 0.0001 %"


def row(*cells: object) -> None:
    print("|", " | ".join(map(str, cells)), "|")


def better_than_chance(n: int, share: float, accuracy: float) -> None:
    print("### Better than guessing, p < .01\n")
    row("where", "right answers needed", "a blind guesser passes", "a classifier of true accuracy … fails")
    row("---", "---", "---", "---")
    for where, n_, chance, truths in (
        ("10 images, 10 classes (too few: not used)", 10, 0.1, (0.3, 0.5, 0.7)),
        ("100 images, 10 classes (the notebook's rule)", 100, 0.1, (0.2, 0.3, 0.5)),
        (
            f"{n} unseen images, against the most frequent class ({share:.3f})",
            n,
            share,
            (0.3, 0.5, round(accuracy, 2)),
        ),
        ("20 pairs of captions (notebook 4)", 20, 0.5, (0.7, 0.8, 0.9)),
    ):
        k = needed(n_, chance)
        fails = ", ".join(f"{true:g}: {percent(between(0, k - 1, n_, true))}" for true in truths)
        row(where, f"{k} of {n_}", percent(between(k, n_, n_, chance)), fails)
    k = needed(n, share)
    print(f"\nA guesser who uses all ten classes alike passes the unseen images with {percent(between(k, n, n, 0.1))}.")


def near_the_reference(n: int, right: int, share: float, ties: int) -> None:
    allowed = math.floor(DISTANCE * n + 1e-9)
    print(f"\n### Within {DISTANCE} of the reference: {right} ± {allowed} of {n} right\n")
    print(
        f"Images on which the reference's two best cosines are closer than {NEAR_TIE:g}: {ties}. A right pipeline that"
    )
    print(f"rounds in another way can differ there only{', so it cannot fail' if ties <= allowed else ''}.\n")
    row("who", "passes (the first three: at least)")
    row("---", "---")
    for q in (0.01, 0.02, 0.05):
        row(
            f"right, but another class on each image with probability {q:g}",
            percent(between(0, allowed, n, q)),
        )
    for what, p in (
        ("blind guesser, all classes alike", 0.1),
        ("blind guesser, expected hits those of the most frequent class", share),
        ("true accuracy 10 points below the reference", right / n - 0.1),
        ("true accuracy 20 points below", right / n - 0.2),
        ("true accuracy 30 points below", right / n - 0.3),
    ):
        row(what, percent(between(right - allowed, right + allowed, n, p)))
    print(
        "\nThis check alone does not tell a slightly worse pipeline from a right one, and is not meant to: the checks on the"
    )
    print("order of classes and templates, and on an image alone, catch those mistakes without chance.")
    print("\n### The same class again\n")
    print(
        "Two calls of one function are compared, with other classes, templates or neighbors; only a near tie can differ.\n"
    )
    row("check", "a right pipeline in which each image differs with probability .01 fails")
    row("---", "---")
    half = (n + 1) // 2
    row(
        f"all but 1 of at most {half} images keep their class, three lists", percent(1 - between(0, 1, half, 0.01) ** 3)
    )
    row(f"at most 1 of {half} changes when templates are exchanged", percent(1 - between(0, 1, half, 0.01)))


def main() -> None:
    cosines, truth, _ = unseen()
    best = cosines.topk(2, dim=1).values
    n, right = len(truth), int((cosines.argmax(dim=1).numpy() == truth).sum())
    share = np.bincount(truth).max() / n
    print(f"Reference on the {n} unseen images: {right} right, accuracy {right / n:.3f}.\n")
    better_than_chance(n, share, right / n)
    near_the_reference(n, right, share, int((best[:, 0] - best[:, 1] < NEAR_TIE).sum()))


if __name__ == "__main__":
    main()
