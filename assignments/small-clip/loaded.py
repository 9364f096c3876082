"""The shipped model as a student loads it: model, preprocessing and tokenizer from open_clip alone."""

import math
from pathlib import Path

import open_clip
import torch
from captions import fill
from config import MERGES, MODEL
from torch import Tensor
from torchvision.datasets import ImageFolder


class Loaded:
    """One loaded model; `weights` are further arguments of `create_model_and_transforms`."""

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

    def folder(self, path: Path) -> tuple[Tensor, Tensor, list[str]]:
        """Features and labels of a torchvision ImageFolder, and the source in each file's name."""
        found = ImageFolder(str(path), transform=self.preprocess)
        batch, labels = zip(*found, strict=True)
        return (
            self.images(torch.stack(batch)),
            torch.tensor(labels),
            [Path(name).stem.split("-")[0] for name, _ in found.samples],
        )


def interval(right: int, count: int) -> dict:
    """Accuracy, count and Wilson's 95 % interval."""
    z, share = 1.96, right / count
    middle = (share + z * z / 2 / count) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / 4 / count**2)
    return {"accuracy": round(share, 3), "n": count, "low": round(middle - half, 3), "high": round(middle + half, 3)}


def accuracy(images: Tensor, classes: Tensor, labels: Tensor) -> dict:
    """Zero-shot accuracy with its interval and the mean over classes."""
    right = (images @ classes.T).argmax(1) == labels
    macro = torch.stack([right[labels == label].float().mean() for label in labels.unique()]).mean().item()
    return interval(int(right.sum()), len(labels)) | {"macro": round(macro, 3)}
