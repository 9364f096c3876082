"""What the course shows with the model: the diagonal, the batch size, order, counting, written words, a shared space."""

import json

import numpy as np
import torch
from captions import fill
from concepts import CLASSES
from config import HERE, OTHER_TEXT_TOWER
from loaded import Loaded, accuracy
from PIL import Image
from torch import Tensor
from torchvision.datasets import ImageFolder

CLEAR = {  # class: the picture
    "airplane": "twemoji-airplane", "bird": "twemoji-owl", "frog": "twemoji-frog", "ship": "twemoji-passenger-ship",
    "truck": "twemoji-delivery-truck",
}  # fmt: skip
MIXED = {
    "dog": "twemoji-dog", "cat": "twemoji-cat", "horse": "twemoji-horse", "automobile": "twemoji-sport-utility-vehicle",
    "truck": "twemoji-delivery-truck",
}  # fmt: skip


def five_by_five(loaded: Loaded) -> dict:
    """Cosines of five drawings and five captions, a clear set and one with near neighbours."""
    found = {}
    for title, names in (("clear", CLEAR), ("mixed", MIXED)):
        files = [HERE / "files" / "drawings" / name / f"{picture}.png" for name, picture in names.items()]
        images = loaded.images(torch.stack([loaded.preprocess(Image.open(path)) for path in files]))
        cosines = images @ loaded.texts([fill("a drawing of a {}", name) for name in names]).T
        found[title] = {
            name: [round(value, 2) for value in row] for name, row in zip(names, cosines.tolist(), strict=True)
        }
    return found


def batch_sizes(_: Loaded) -> dict[int, float]:
    """Share of images that pick their own caption among n, over 200 shufflings of the 256 pairs of `features.npz`."""
    with np.load(HERE / "files" / "features.npz") as stored:
        images, texts = (torch.from_numpy(stored[name]).float() for name in ("image_features", "text_features"))
    cosines = torch.nn.functional.normalize(images, dim=-1) @ torch.nn.functional.normalize(texts, dim=-1).T
    generator, found = torch.Generator().manual_seed(0), {}
    for size in (2, 8, 32, 128, 256):
        right = 0.0
        for _ in range(200):
            order = torch.randperm(256, generator=generator).view(-1, size)
            blocks = torch.stack([cosines[rows][:, rows] for rows in order])
            right += (blocks.argmax(2) == torch.arange(size)).float().mean().item() / 200
        found[size] = round(right, 3)
    return found


def pairs(loaded: Loaded) -> dict:
    """Of each kind of pair, how many pictures are nearer to their right caption; the cosines' mean difference."""
    folder = HERE / "files" / "pairs"
    rows, found = json.loads((folder / "pairs.json").read_text(encoding="utf-8")), {}
    for kind in dict.fromkeys(row["kind"] for row in rows):
        some = [row for row in rows if row["kind"] == kind]
        images = loaded.images(torch.stack([loaded.preprocess(Image.open(folder / row["image"])) for row in some]))
        right, wrong = (loaded.texts([row[side] for row in some]) for side in ("right", "wrong"))
        margins = (images * right).sum(1) - (images * wrong).sum(1)
        found[kind] = {
            "right": int((margins > 0).sum()),
            "n": len(some),
            "mean margin": round(margins.mean().item(), 3),
        }
        if kind in {"written", "nonsense", "plain"}:
            classes = loaded.texts([fill("a drawing of a {}", name) for name in CLASSES])
            chosen = (images @ classes.T).argmax(1).tolist()
            truth = [row["right"].split()[-1] for row in some]
            other = [row["wrong"].split()[-1] for row in some]
            names = [list(CLASSES)[index] for index in chosen]
            found[kind] |= {
                "of ten: right": sum(map(str.__eq__, names, truth)),
                "of ten: the word": sum(map(str.__eq__, names, other)),
            }
    return found


def independent(loaded: Loaded) -> dict:
    """The image tower with the text tower of another run: accuracy of the shown drawings, and the mean gap."""
    found = {}
    for title, each in (("together", loaded), ("independent", Loaded(pretrained_text_path=str(OTHER_TEXT_TOWER)))):
        images, labels, _ = each.folder(HERE / "files" / "drawings")
        classes = each.classes(list(CLASSES), ["a drawing of a {}"])
        cosines, own = images @ classes.T, torch.nn.functional.one_hot(labels, len(CLASSES)).bool()
        gap = cosines[own].mean() - cosines[~own].mean()
        found[title] = accuracy(images, classes, labels) | {"gap": round(gap.item(), 3)}
    return found


def steadiness(loaded: Loaded) -> dict[str, float]:
    """Largest change of a cosine with threads, batch size, memory layout, float64 and without oneDNN."""
    batch = torch.stack(
        [image for image, _ in ImageFolder(str(HERE / "files" / "drawings"), transform=loaded.preprocess)]
    )
    texts, model = loaded.texts([fill("a drawing of a {}", name) for name in CLASSES]), loaded.model
    reference, found = loaded.images(batch) @ texts.T, {}

    def note(name: str, images: Tensor) -> None:
        found[name] = (images.double() @ texts.double().T - reference.double()).abs().max().item()

    torch.set_num_threads(2)
    note("two threads", loaded.images(batch))
    torch.set_num_threads(1)
    note("one image at a time", torch.cat([loaded.images(image[None]) for image in batch]))
    note("channels last", loaded.images(batch.to(memory_format=torch.channels_last)))
    with torch.backends.mkldnn.flags(enabled=False):
        note("without oneDNN", loaded.images(batch))
    note("float64", loaded_double(model, batch))
    return found


@torch.no_grad()
def loaded_double(model: torch.nn.Module, batch: Tensor) -> Tensor:
    """The image features in float64; the model is float32 again afterwards."""
    features = model.double().encode_image(batch.double(), normalize=True)
    model.float()
    return features
