"""The model's shape in open_clip's terms, and the paths of what is shipped."""

import json
from pathlib import Path

from open_clip.constants import OPENAI_DATASET_MEAN, OPENAI_DATASET_STD

HERE = Path(__file__).parent
MODEL = HERE / "files" / "small-clip"
MERGES = MODEL / "merges.txt.gz"
WEIGHTS = MODEL / "open_clip_model.safetensors"
OTHER_TEXT_TOWER = HERE / "files" / "other-text-tower.safetensors"


def model_config(vocab_size: int) -> dict:
    """`open_clip_config.json`: a ModifiedResNet and a small text transformer.

    The preprocessing is open_clip's default, so that a loader that reads no `preprocess_cfg` gives the same pixels.
    """
    return {
        "model_cfg": {
            "embed_dim": 96,
            "vision_cfg": {"image_size": 64, "layers": [2, 2, 2, 1], "width": 12, "head_width": 64, "patch_size": None},
            "text_cfg": {"context_length": 24, "vocab_size": vocab_size, "width": 96, "heads": 3, "layers": 2},
        },
        "preprocess_cfg": {
            "mean": list(OPENAI_DATASET_MEAN),
            "std": list(OPENAI_DATASET_STD),
            "interpolation": "bicubic",
            "resize_mode": "shortest",
        },
    }


def write_config(folder: Path, vocab_size: int) -> None:
    """Write the configuration where open_clip's `local-dir:` looks for it."""
    text = json.dumps(model_config(vocab_size), indent=2)
    (folder / "open_clip_config.json").write_text(text + "\n", encoding="utf-8")
