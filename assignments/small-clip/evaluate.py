"""Measure the shipped model as a student would load it, on drawings and digits that training never saw.

    python evaluate.py

Prints JSON: accuracies with 95 % intervals, the phenomena of the course, and how far a cosine moves with the machine.
"""

import json

import open_clip
import torch
from captions import DIGITS
from concepts import CLASSES
from config import HERE
from fetch import CACHE
from loaded import Loaded, accuracy
from phenomena import batch_sizes, five_by_five, independent, pairs, steadiness
from probe import handwritten_digits, held_out_drawings, to_input

TEMPLATES = {
    "bare word": ["{}"],
    "a photo of a {}": ["a photo of a {}"],
    "a drawing of a {}": ["a drawing of a {}"],
    "three templates": ["a photo of a {}", "a drawing of a {}", "a {}"],
    "OpenAI's 80": [template("{}") for template in open_clip.OPENAI_IMAGENET_TEMPLATES],
}
DEFAULT = TEMPLATES["a drawing of a {}"]


def drawings(loaded: Loaded) -> dict:
    """Accuracy on the shown and the hidden drawings, by templates and by source."""
    found = {}
    for name, path in (("shown", HERE / "files" / "drawings"), ("hidden", HERE / "hidden" / "drawings")):
        images, labels, sources = loaded.folder(path)
        for template, prompts in TEMPLATES.items():
            found[f"{name}: {template}"] = accuracy(images, loaded.classes(list(CLASSES), prompts), labels)
        for source in sorted(set(sources)):
            rows = torch.tensor([source == each for each in sources])
            found[f"{name}: {source}"] = accuracy(images[rows], loaded.classes(list(CLASSES), DEFAULT), labels[rows])
    return found


def whole_vendors(loaded: Loaded) -> dict:
    """Accuracy on all of a held-out vendor's drawings of the ten classes."""
    found = {}
    for vendor in ("twemoji", "openmoji"):
        pixels, labels = held_out_drawings(CACHE, vendor)
        found[vendor] = accuracy(loaded.images(to_input(pixels)), loaded.classes(list(CLASSES), DEFAULT), labels)
    return found


def digits(loaded: Loaded) -> dict:
    """Accuracy on scikit-learn's 1,797 handwritten digits, by prompt."""
    pixels, labels = handwritten_digits()
    images = loaded.images(to_input(pixels))
    prompts = ("{}", "a photo of a {}", "a photo of the digit {}")
    return {prompt: accuracy(images, loaded.classes(list(DIGITS), [prompt]), labels) for prompt in prompts}


def main() -> None:
    loaded = Loaded()
    measures = (drawings, whole_vendors, digits, five_by_five, batch_sizes, pairs, independent, steadiness)
    print(json.dumps({measure.__name__: measure(loaded) for measure in measures}, indent=1))


if __name__ == "__main__":
    main()
