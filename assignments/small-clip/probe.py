"""What is measured again and again while a model trains."""

from pathlib import Path

import numpy as np
import torch
from captions import DIGITS, fill
from concepts import CLASSES, LABEL
from drawings import on_white
from open_clip import SimpleTokenizer
from open_clip.constants import OPENAI_DATASET_MEAN, OPENAI_DATASET_STD
from PIL import Image
from torch import Tensor

MEAN, STD = (torch.tensor(values).view(1, 3, 1, 1) for values in (OPENAI_DATASET_MEAN, OPENAI_DATASET_STD))


def to_input(pixels: np.ndarray) -> Tensor:
    """(N, 64, 64, 3) uint8 to (N, 3, 64, 64) float32: what open_clip's preprocessing makes of a 64 x 64 picture."""
    return (torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255 - MEAN) / STD


def handwritten_digits() -> tuple[np.ndarray, Tensor]:
    """scikit-learn's digits, dark on white, (1797, 64, 64, 3) uint8, and their labels."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    ink = (255 - np.minimum(bunch.images * 16, 255)).astype(np.uint8)
    scaled = [Image.fromarray(image).resize((64, 64), Image.Resampling.BICUBIC).convert("RGB") for image in ink]
    return np.stack([np.asarray(image) for image in scaled]), torch.from_numpy(bunch.target)


def held_out_drawings(cache: Path, vendor: str) -> tuple[np.ndarray, Tensor]:
    """A held-out vendor's drawings of the ten classes on white, (N, 64, 64, 3) uint8, and their labels."""
    names = list(CLASSES)
    with np.load(cache / "drawings.npz") as stored:
        rows = zip(stored["pixels"], stored["drawing"], stored["vendor"], strict=True)
        chosen = [
            (image, LABEL[str(name)])
            for image, name, source in rows
            if source == vendor and LABEL[str(name)] in CLASSES
        ]
    pixels = np.stack([np.asarray(on_white(Image.fromarray(image))) for image, _ in chosen])
    return pixels, torch.tensor([names.index(label) for _, label in chosen])


class Probe:
    """Zero-shot accuracy on Twemoji's drawings of the ten classes and on handwritten digits."""

    def __init__(self, tokenizer: SimpleTokenizer, cache: Path) -> None:
        self.sets = {
            "twemoji": (
                held_out_drawings(cache, "twemoji"),
                tokenizer([fill("a drawing of a {}", name) for name in CLASSES]),
            ),
            "digits": (handwritten_digits(), tokenizer([f"a photo of the digit {name}" for name in DIGITS])),
        }

    @torch.no_grad()
    def measure(self, model: torch.nn.Module) -> dict[str, float]:
        """Accuracy on each set, one prompt a class; the model is left in training mode."""
        model.eval()
        found = {}
        for name, ((pixels, labels), tokens) in self.sets.items():
            texts = model.encode_text(tokens, normalize=True)
            cosines = torch.cat(
                [model.encode_image(part, normalize=True) @ texts.T for part in to_input(pixels).split(200)]
            )
            found[name] = (cosines.argmax(1) == labels).float().mean().item()
        model.train()
        return found
