"""Puts what notebooks 2 to 4 need of files/ beside them, in source/: `python assignments/small-clip/place.py`.

Copies, no links: nbgrader does not follow a link to a folder when it makes a release. git keeps each content once.
"""

from __future__ import annotations

import shutil
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parents[1] / "source"
NEEDED = {
    "2-shared-space": ("small-clip", "drawings", "other-text-tower.safetensors", "features.npz", "SOURCES.md"),
    "3-zero-shot": ("small-clip", "drawings", "SOURCES.md"),
    "4-limits": ("small-clip", "drawings", "pairs", "SOURCES.md"),
}


def main() -> None:
    """Replace what lies there by what is in files/ now."""
    for name, needed in NEEDED.items():
        for part in needed:
            target = SOURCE / name / part
            if target.is_dir() and not target.is_symlink():
                shutil.rmtree(target)
            else:
                target.unlink(missing_ok=True)
            if (HERE / "files" / part).is_dir():
                shutil.copytree(HERE / "files" / part, target)
            else:
                shutil.copyfile(HERE / "files" / part, target)


if __name__ == "__main__":
    main()
