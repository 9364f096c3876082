"""Train the small CLIP with open_clip's own ClipLoss, on one thread, from one seed.

    python train.py SCENES OUT --steps 8000 --seed 0

SCENES.npy and SCENES.json come from `scenes.py`. Writes OUT.safetensors (float16) and OUT.json, the curve.
"""

import argparse
import json
import math
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import open_clip
import torch
from captions import write_merges
from config import MERGES, MODEL, model_config, write_config
from fetch import CACHE
from probe import Probe, to_input
from safetensors.torch import save_file
from torch import Tensor

BATCH = 96
SAME = 3  # at most so many pictures of the same thing in a batch: each is a false negative of the others


def batches(keys: list[str], rng: random.Random) -> Iterator[list[int]]:
    """Rows of one full batch after another, without end.

    What a batch has no room for waits for the next; what cannot fill a batch at a round's end is dropped.
    """
    while True:
        order = list(range(len(keys)))
        rng.shuffle(order)
        while order:
            taken, passed, seen = [], [], Counter()
            while len(taken) < BATCH and order:
                row = order.pop()
                fits = seen[keys[row]] < SAME
                seen[keys[row]] += fits
                (taken if fits else passed).append(row)
            if len(taken) < BATCH:
                break
            order += passed[::-1]
            yield taken


def shaken(images: Tensor, generator: torch.Generator) -> Tensor:
    """Each image moved by up to 4 px, its contrast and brightness changed by up to a fifth, a patch of some covered."""
    padded = torch.nn.functional.pad(images, (4,) * 4, mode="replicate")
    moves = torch.randint(0, 9, (len(images), 2), generator=generator).tolist()
    moved = torch.stack([image[:, y : y + 64, x : x + 64] for image, (y, x) in zip(padded, moves, strict=True)])
    gain, shift = torch.rand(2, len(images), 1, 1, 1, generator=generator) * 0.4 - 0.2
    shaken_images = moved * (1 + gain) + shift
    covered = torch.rand(len(images), generator=generator) < 0.25
    corners = torch.randint(0, 56, (len(images), 2), generator=generator).tolist()
    sides = torch.randint(8, 26, (len(images), 2), generator=generator).tolist()
    tones = torch.randn(len(images), 3, 1, 1, generator=generator)
    for row in covered.nonzero()[:, 0].tolist():
        (y, x), (height, width) = corners[row], sides[row]
        shaken_images[row, :, y : y + height, x : x + width] = tones[row]
    return shaken_images


def parameter_groups(model: torch.nn.Module) -> list[dict]:
    """Weight decay on matrices and kernels only."""
    named = list(model.named_parameters())
    decayed = [value for name, value in named if value.ndim > 1 and "positional" not in name]
    kept = [value for name, value in named if value.ndim <= 1 or "positional" in name]
    return [{"params": decayed, "weight_decay": 0.1}, {"params": kept, "weight_decay": 0.0}]


def rate(step: int, steps: int, peak: float) -> float:
    """Learning rate: 200 steps of warming up, then a cosine down to zero."""
    return peak * min(1.0, (step + 1) / 200) * 0.5 * (1 + math.cos(math.pi * step / steps))


def save(model: torch.nn.Module, path: Path) -> None:
    """Write the weights in float16. safetensors refuses the channels-last layout, so each tensor is laid out anew."""
    state = {name: value.half() if value.is_floating_point() else value for name, value in model.state_dict().items()}
    save_file({name: value.contiguous() for name, value in state.items()}, path)


def train(scenes: Path, out: Path, steps: int, seed: int, peak: float) -> None:
    """One run; the curve's points are (step, mean loss since the last, seconds, accuracies)."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    generator, started = torch.Generator().manual_seed(seed), time.process_time()
    MODEL.mkdir(parents=True, exist_ok=True)
    vocab_size = write_merges(MERGES)
    write_config(MODEL, vocab_size)
    tokenizer = open_clip.SimpleTokenizer(bpe_path=str(MERGES), context_length=24)
    model = open_clip.CLIP(**model_config(vocab_size)["model_cfg"]).to(
        memory_format=torch.channels_last
    )  # a quarter faster
    pixels = np.load(scenes.with_suffix(".npy"), mmap_mode="r")
    captions, keys = zip(*json.loads(scenes.with_suffix(".json").read_text()), strict=True)
    tokens = tokenizer(list(captions))
    probe, loss_of = Probe(tokenizer, CACHE), open_clip.ClipLoss()
    optimizer = torch.optim.AdamW(parameter_groups(model), lr=peak, betas=(0.9, 0.98), eps=1e-6)
    curve, losses = [], []
    for step, rows in zip(range(steps), batches(list(keys), random.Random(seed)), strict=False):  # noqa: S311 - chance that can be repeated, not secrets
        for group in optimizer.param_groups:
            group["lr"] = rate(step, steps, peak)
        images = shaken(to_input(pixels[sorted(rows)]), generator).to(memory_format=torch.channels_last)
        loss = loss_of(*model(images, tokens[sorted(rows)]))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, math.log(100))
        losses.append(loss.item())
        if (step + 1) % 250 == 0 or step + 1 == steps:
            point = {"step": step + 1, "loss": sum(losses) / len(losses), "cpu_seconds": time.process_time() - started}
            curve.append(point | {"scale": model.logit_scale.exp().item()} | probe.measure(model))
            print(json.dumps(curve[-1]), flush=True)
            out.with_suffix(".json").write_text(json.dumps(curve, indent=1) + "\n", encoding="utf-8")
            save(model, out.with_suffix(".safetensors"))
            losses = []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenes", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=8000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--peak", type=float, default=2e-3, help="highest learning rate")
    given = parser.parse_args()
    train(given.scenes, given.out, given.steps, given.seed, given.peak)


if __name__ == "__main__":
    main()
