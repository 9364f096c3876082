"""Measure the shipped model as a student would load it, on drawings and digits that training never saw.

    python evaluate.py

Prints JSON: accuracies with 95 % intervals, the phenomena of the course, and how far a cosine moves with the machine.
"""

import json
import math
from pathlib import Path

import open_clip
import torch
from captions import DIGITS, fill
from config import HERE, MERGES, MODEL
from fetch import CACHE
from probe import handwritten_digits, held_out_drawings, to_input
from torch import Tensor
from torchvision.datasets import ImageFolder

TEMPLATES = {
    "bare word": ["{}"],
    "a photo of a {}": ["a photo of a {}"],
    "a drawing of a {}": ["a drawing of a {}"],
    "three templates": ["a photo of a {}", "a drawing of a {}", "a {}"],
    "OpenAI's 80": [template("{}") for template in open_clip.OPENAI_IMAGENET_TEMPLATES],
}
DIGIT_TEMPLATES = {
    "bare word": "{}",
    "a photo of a {}": "a photo of a {}",
    "a photo of the digit {}": "a photo of the digit {}",
}


class Loaded:
    """The model, its preprocessing and its tokenizer, each from open_clip alone."""

    def __init__(self, **weights: str) -> None:
        torch.set_num_threads(1)
        self.model, _, self.preprocess = open_clip.create_model_and_transforms(f"local-dir:{MODEL}", **weights)
        self.tokenizer = open_clip.get_tokenizer(f"local-dir:{MODEL}", bpe_path=str(MERGES))
        self.model.eval()

    @torch.no_grad()
    def texts(self, captions: list[str]) -> Tensor:
        """Unit features (N, 96)."""
        return self.model.encode_text(self.tokenizer(captions), normalize=True)

    @torch.no_grad()
    def images(self, batch: Tensor) -> Tensor:
        """Unit features (N, 96) of (N, 3, 64, 64) input."""
        return torch.cat([self.model.encode_image(part, normalize=True) for part in batch.split(100)])

    def classes(self, names: list[str], templates: list[str]) -> Tensor:
        """One unit feature a class, averaged over the templates: (C, 96)."""
        each = torch.stack([self.texts([fill(template, name) for template in templates]).mean(0) for name in names])
        return torch.nn.functional.normalize(each, dim=-1)

    def folder(self, path: Path) -> tuple[Tensor, Tensor, list[str], list[str]]:
        """Features, labels, class names and sources of a torchvision ImageFolder."""
        found = ImageFolder(str(path), transform=self.preprocess)
        batch, labels = zip(*found, strict=True)
        sources = [Path(name).stem.split("-")[0] for name, _ in found.samples]
        return self.images(torch.stack(batch)), torch.tensor(labels), found.classes, sources


def interval(right: int, count: int) -> dict:
    """Accuracy, count and Wilson's 95 % interval."""
    z, share = 1.96, right / count
    middle = (share + z * z / 2 / count) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / 4 / count**2)
    return {
        "accuracy": round(share, 3),
        "right": right,
        "n": count,
        "low": round(middle - half, 3),
        "high": round(middle + half, 3),
    }


def accuracy(images: Tensor, classes: Tensor, labels: Tensor) -> dict:
    """Zero-shot accuracy with its interval and the mean over classes."""
    right = (images @ classes.T).argmax(1) == labels
    macro = torch.stack([right[labels == label].float().mean() for label in labels.unique()]).mean().item()
    return interval(int(right.sum()), len(labels)) | {"macro": round(macro, 3)}


def drawings(loaded: Loaded) -> dict:
    """Accuracy on the shown and the hidden drawings, by templates and by source."""
    found = {}
    for name, path in (("shown", HERE / "files" / "drawings"), ("hidden", HERE / "hidden" / "drawings")):
        images, labels, names, sources = loaded.folder(path)
        for template, prompts in TEMPLATES.items():
            found[f"{name}: {template}"] = accuracy(images, loaded.classes(names, prompts), labels)
        for source in sorted(set(sources)):
            rows = torch.tensor([source == each for each in sources])
            found[f"{name}: {source}"] = accuracy(
                images[rows], loaded.classes(names, TEMPLATES["a drawing of a {}"]), labels[rows]
            )
    return found


def whole_vendors(loaded: Loaded) -> dict:
    """Accuracy on all of a held-out vendor's drawings, and on the digits."""
    names = list(json.loads(json.dumps(sorted(path.name for path in (HERE / "files" / "drawings").iterdir()))))
    found = {}
    for vendor in ("twemoji", "openmoji"):
        pixels, labels = held_out_drawings(CACHE, vendor)
        found[vendor] = accuracy(
            loaded.images(to_input(pixels)), loaded.classes(names, TEMPLATES["a drawing of a {}"]), labels
        )
    pixels, labels = handwritten_digits()
    images = loaded.images(to_input(pixels))
    for name, template in DIGIT_TEMPLATES.items():
        found[f"digits: {name}"] = accuracy(images, loaded.classes(list(DIGITS), [template]), labels)
    return found


def main() -> None:
    from phenomena import batch_sizes, five_by_five, independent, pairs, steadiness

    loaded = Loaded()
    report = {"drawings": drawings(loaded), "vendors": whole_vendors(loaded), "five_by_five": five_by_five(loaded)}
    report |= {"batch_sizes": batch_sizes(loaded), "pairs": pairs(loaded), "independent": independent(loaded)}
    report["steadiness"] = steadiness(loaded)
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
