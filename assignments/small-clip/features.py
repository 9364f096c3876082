"""Write the features of 256 pairs of the kinds trained on, none of them trained on, for the question of the batch size.

    python features.py [CACHE]

`files/features.npz`: image_features and text_features (256, 96) float16, not normalised, and their captions. The scenes
are composed as for training, from a seed of their own, each caption once.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from config import HERE
from fetch import CACHE
from loaded import Loaded
from probe import to_input
from scenes import Composer

SEED = 99  # training's scenes come from seeds 1 and 2
COUNT = 256


def main() -> None:
    cache = Path(sys.argv[1]) if len(sys.argv) > 1 else CACHE
    composer, scenes = Composer(cache / "drawings.npz", SEED), {}
    while len(scenes) < COUNT:
        scene = composer.compose()
        scenes.setdefault(scene.caption, np.asarray(scene.image))
    loaded = Loaded()
    with torch.no_grad():
        images = loaded.model.encode_image(to_input(np.stack(list(scenes.values()))))
        texts = loaded.model.encode_text(loaded.tokenizer(list(scenes)))
    found = {"image_features": images.half().numpy(), "text_features": texts.half().numpy()}
    np.savez_compressed(HERE / "files" / "features.npz", captions=np.array(list(scenes)), **found)


if __name__ == "__main__":
    main()
