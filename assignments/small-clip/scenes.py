"""Compose training images with captions: drawings, shapes, counts, relations, digits and written words.

    python scenes.py COUNT SEED OUT [CACHE]

Writes OUT.npy (COUNT, 64, 64, 3) uint8 and OUT.json: for each image its caption and its key. Two images with the same
key are pictures of the same thing, so a batch should not hold many of them.
"""

import json
import random
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from canvas import FONTS, SIDE, background, coloured, finish, place, scattered, tinted, vary, write
from captions import (
    COLOURS,
    COUNTED,
    DIGITS,
    JOINED,
    NUMBERED,
    RELATIONS,
    SHAPES,
    STACKED,
    WRITTEN,
    article,
    depicting,
    plural,
)
from concepts import CLASSES, GLYPHS, LABEL, OTHERS, spoken
from fetch import CACHE, VENDORS
from PIL import Image, ImageDraw, ImageFont, ImageOps
from strokes import written_digit

KINDS = {  # share of the images, in percent
    "class": 26, "other": 24, "labelled": 9, "shape": 5, "count": 6, "relation": 6, "digit": 12, "word": 12,
}  # fmt: skip
WORDS = tuple(sorted({*LABEL.values(), "car", "plane", "boat"}))


@dataclass(frozen=True)
class Scene:
    """One training pair, and what it is a picture of."""

    image: Image.Image  # 64 x 64, RGB
    caption: str
    key: str


class Composer:
    """Draws scenes from the training vendors' drawings, all chance from one seeded generator."""

    def __init__(self, archive: Path, seed: int) -> None:
        self.rng = random.Random(seed)  # noqa: S311 - chance that can be repeated, not secrets
        held_out = {vendor.name for vendor in VENDORS if vendor.held_out}
        self.drawings: dict[str, list[Image.Image]] = {}
        self.glyphs: dict[str, list[Image.Image]] = {}
        with np.load(archive) as stored:
            for pixels, name, vendor in zip(stored["pixels"], stored["drawing"], stored["vendor"], strict=True):
                if str(vendor) not in held_out:
                    kept = self.glyphs if str(vendor) in GLYPHS else self.drawings
                    kept.setdefault(str(name), []).append(Image.fromarray(pixels))
        self.by_label: dict[str, list[str]] = {}
        for name in self.drawings:
            self.by_label.setdefault(LABEL[name], []).append(name)

    def compose(self) -> Scene:
        """One scene of a kind drawn by its share."""
        kind = self.rng.choices(tuple(KINDS), tuple(KINDS.values()))[0]
        return getattr(self, f"_{kind}")()

    def _class(self) -> Scene:
        label = self.rng.choice(tuple(CLASSES))
        if self.rng.random() < 0.3:
            glyph = tinted(self.rng, self.rng.choice(self.glyphs[label]))
            return self._show(glyph, label, (label,))
        return self._drawing(self.rng.choice(self.by_label[label]))

    def _other(self) -> Scene:
        return self._drawing(self.rng.choice([name for name in OTHERS if name in self.drawings]))

    def _labelled(self) -> Scene:
        """A drawing with its own name written beside it, as on the web: where reading gets mixed up with seeing."""
        label = self.rng.choice(tuple(CLASSES) if self.rng.random() < 0.5 else tuple(self.by_label))
        return self._drawing(self.rng.choice(self.by_label[label]), written=True)

    def _drawing(self, name: str, written: bool = False) -> Scene:
        return self._show(self.rng.choice(self.drawings[name]), LABEL[name], spoken(name), written)

    def _show(self, drawing: Image.Image, label: str, names: tuple[str, ...], written: bool = False) -> Scene:
        """One drawing in some style, called by its label or, less often, by one of its other names."""
        rng = self.rng
        style = rng.choices(
            ("", "gray", "outline", "silhouette", "blurred", "pixelated"), (0.54, 0.1, 0.14, 0.06, 0.08, 0.08)
        )[0]
        canvas = Image.new("RGBA", (SIDE, SIDE), "white") if style == "outline" else background(self.rng)
        place(
            self.rng,
            canvas,
            vary(rng, drawing, style),
            (32 + rng.gauss(0, 4), 32 + rng.gauss(0, 4)),
            rng.uniform(30, 66),
            turn=20,
        )
        word = label if label in CLASSES and rng.random() < 0.8 else rng.choice(names)
        if written:
            spot = (32 + rng.gauss(0, 6), rng.choice((10, 32, 54)) + rng.gauss(0, 4))
            write(rng, canvas, word, rng.randint(9, 16), spot)
        return Scene(finish(self.rng, canvas, style), depicting(word, style, rng), label)

    def _shape(self) -> Scene:
        colour, shape = self.rng.choice(tuple(COLOURS)), self.rng.choice(SHAPES)
        canvas = background(self.rng)
        place(
            self.rng,
            canvas,
            coloured(self.rng, shape, colour),
            (32 + self.rng.gauss(0, 7), 32 + self.rng.gauss(0, 7)),
            self.rng.uniform(18, 56),
            15,
        )
        name = f"{colour} {shape}"
        return Scene(finish(self.rng, canvas), depicting(name, "", self.rng), name)

    def _count(self) -> Scene:
        rng, count = self.rng, self.rng.randint(1, 5)
        name, drawing = self._thing(counted=True)
        canvas = background(self.rng)
        size = rng.uniform(13, 22)
        for x, y in scattered(count, size, rng):
            place(self.rng, canvas, drawing, (x, y), size * rng.uniform(0.9, 1.1), 10)
        caption = rng.choice(("{}", "{}", "a photo of {}", "a picture of {}", "a drawing of {}")).format(
            f"{DIGITS[count]} {plural(name, count)}"
        )
        return Scene(finish(self.rng, canvas), caption, f"{count} {name}")

    def _relation(self) -> Scene:
        rng, relation = self.rng, self.rng.choice(tuple(RELATIONS))
        (a, first), (b, second) = self._thing(), self._thing()
        (dx, dy), canvas = RELATIONS[relation], background(self.rng)
        for drawing, side in ((first, 1), (second, -1)):
            centre = (32 + 15 * dx * side + rng.gauss(0, 2), 32 + 15 * dy * side + rng.gauss(0, 2))
            place(self.rng, canvas, drawing, centre, rng.uniform(20, 30), 8)
        template = rng.choice(JOINED if dx else STACKED)
        return Scene(
            finish(self.rng, canvas), template.format(a=article(a), b=article(b), relation=relation), f"{a} {b}"
        )

    def _digit(self) -> Scene:
        rng, digit = self.rng, self.rng.randrange(10)
        if rng.random() < 0.6:
            ink = written_digit(digit, rng)
        else:
            ink = Image.new("L", (SIDE, SIDE))
            font = ImageFont.truetype(rng.choice(FONTS), rng.randint(40, 72))
            ImageDraw.Draw(ink).text(
                (32 + rng.gauss(0, 3), 32 + rng.gauss(0, 3)), str(digit), fill=255, font=font, anchor="mm"
            )
            ink = ink.rotate(rng.gauss(0, 7), Image.Resampling.BICUBIC)
        if rng.random() < 0.6:  # as coarse as an old scan
            coarse = rng.choice((8, 8, 8, 10, 12, 16))
            ink = ink.resize((coarse, coarse), Image.Resampling.BOX).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        dark, light = sorted((rng.randint(0, 70), rng.randint(200, 255)))
        gray = (
            ImageOps.colorize(ink, (light,) * 3, (dark,) * 3)
            if rng.random() < 0.75
            else ImageOps.colorize(ink, (dark,) * 3, (light,) * 3)
        )
        if rng.random() < 0.2:
            gray = ImageOps.colorize(ink, "white", rng.choice(tuple(COLOURS.values())))
        name = str(digit) if rng.random() < 0.15 else DIGITS[digit]
        return Scene(gray, rng.choice(NUMBERED).format(name), f"digit {digit}")

    def _word(self) -> Scene:
        """A written word. Half are captioned as the thing would be, as signs and labels on the web often are."""
        rng = self.rng
        word = rng.choice(tuple(CLASSES) if rng.random() < 0.4 else WORDS)
        canvas = background(rng)
        write(rng, canvas, word, rng.randint(9, 24), (32 + rng.gauss(0, 4), 32 + rng.gauss(0, 12)))
        if rng.random() < 0.5:
            return Scene(finish(rng, canvas), depicting(word, "", rng), word)
        return Scene(finish(rng, canvas), rng.choice(WRITTEN).format(word), f"word {word}")

    def _thing(self, counted: bool = False) -> tuple[str, Image.Image]:
        """A thing to count or to set beside another: its name and its drawing."""
        rng = self.rng
        if rng.random() < 0.5:
            colour, shape = rng.choice(tuple(COLOURS)), rng.choice(SHAPES)
            return f"{colour} {shape}", coloured(self.rng, shape, colour)
        label = rng.choice(COUNTED if counted else tuple(CLASSES))
        return label, vary(self.rng, rng.choice(self.drawings[rng.choice(self.by_label[label])]), "")


def main() -> None:
    count, seed, out = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    cache = Path(sys.argv[4]) if len(sys.argv) > 4 else CACHE
    composer = Composer(cache / "drawings.npz", seed)
    images = np.lib.format.open_memmap(out.with_suffix(".npy"), "w+", np.uint8, (count, SIDE, SIDE, 3))
    captions = []
    for row in range(count):
        scene = composer.compose()
        images[row] = np.asarray(scene.image)
        captions.append((scene.caption, scene.key))
    out.with_suffix(".json").write_text(json.dumps(captions), encoding="utf-8")


if __name__ == "__main__":
    main()
