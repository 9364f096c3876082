"""Render the emoji sets' SVG drawings to pixels.

    python drawings.py [CACHE]

Writes `CACHE/drawings.npz`: pixels (n, 80, 80, 4) uint8, RGBA; drawing (n,) and vendor (n,), names.
A one-colour icon has its class's name for a drawing's.
"""

import io
import json
import sys
from pathlib import Path

import numpy as np
import resvg_py
from concepts import drawn_by
from fetch import CACHE, VENDORS
from PIL import Image

SIDE = 80  # px: a little more than the model's 64, so that a turned and scaled drawing stays sharp


def svg(icons: dict, name: str) -> str | None:
    """The SVG text of an Iconify icon, or None where the set has no such icon."""
    alias = icons.get("aliases", {}).get(name)
    icon = icons["icons"].get(alias["parent"] if alias else name)
    if icon is None or (alias and len(alias) > 1):  # an alias with a flip or a rotation is another drawing
        return None
    side = [
        icon.get(key, icons.get(key, default))
        for key, default in (("left", 0), ("top", 0), ("width", 16), ("height", 16))
    ]
    box = " ".join(str(number) for number in side)
    body = icon["body"].replace("currentColor", "#000")
    return f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="{box}">{body}</svg>'


def rgba(text: str, side: int) -> Image.Image:
    """An SVG as a side x side RGBA image, its longer side filled and the rest transparent."""
    png = resvg_py.svg_to_bytes(svg_string=text, width=side, height=side, skip_system_fonts=True)
    drawn = Image.open(io.BytesIO(png)).convert("RGBA")
    square = Image.new("RGBA", (side, side))
    square.paste(drawn, ((side - drawn.width) // 2, (side - drawn.height) // 2))
    return square


def on_white(drawn: Image.Image, side: int = 64) -> Image.Image:
    """RGBA flattened on white and scaled to side x side. `convert("RGB")` alone would only drop the alpha."""
    white = Image.new("RGBA", drawn.size, "white")
    return Image.alpha_composite(white, drawn).convert("RGB").resize((side, side), Image.Resampling.LANCZOS)


def load_icons(vendor: str, cache: Path) -> dict:
    """One vendor's `icons.json` as Iconify ships it."""
    return json.loads((cache / vendor / "icons.json").read_text(encoding="utf-8"))


def render(cache: Path) -> None:
    """Render every drawing of every vendor into one archive."""
    pixels, drawing, vendor = [], [], []
    for source in VENDORS:
        icons = load_icons(source.name, cache)
        for name, icon in drawn_by(source.name):
            text = svg(icons, icon)
            if text is not None:
                pixels.append(np.asarray(rgba(text, SIDE)))
                drawing.append(name)
                vendor.append(source.name)
    np.savez_compressed(cache / "drawings.npz", pixels=np.stack(pixels), drawing=drawing, vendor=vendor)
    for source in VENDORS:
        print(source.name, vendor.count(source.name))


if __name__ == "__main__":
    render(Path(sys.argv[1]) if len(sys.argv) > 1 else CACHE)
