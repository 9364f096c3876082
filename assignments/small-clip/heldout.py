"""Write the held-out drawings and the pairs as PNG files: what students get, and what only the grader sees.

    python heldout.py [CACHE]

`files/drawings/<class>/` (100 images), `files/pairs/` and `hidden/drawings/<class>/`, all 64 x 64 RGB on white.
Nothing here was drawn by a vendor whose drawings are trained on.
"""

import json
import random
import shutil
import sys
from pathlib import Path

import matplotlib
from canvas import scattered, shape_mask
from captions import COLOURS, DIGITS, RELATIONS, article, plural
from clipart import CLIP_ART
from concepts import CLASSES
from config import HERE
from drawings import load_icons, on_white, rgba, svg
from fetch import CACHE
from PIL import Image, ImageDraw, ImageFont

SEED = 5
# How many of a class's held-out drawings students get; rare classes leave some for the hidden set.
SHOWN = {
    "airplane": 10,
    "automobile": 14,
    "bird": 15,
    "cat": 14,
    "deer": 3,
    "dog": 13,
    "frog": 4,
    "horse": 10,
    "ship": 10,
    "truck": 7,
}
HIDDEN_BIRDS = 28  # of 48 left: the hidden set would be mostly birds otherwise
FONT = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans-Bold.ttf"
NONSENSE = ("blint", "grosk", "vump", "fraw", "zelp", "tosh", "quib", "plorn", "snuv", "drimp")


def emoji(vendor: str, cache: Path) -> dict[str, list[tuple[str, Image.Image]]]:
    """One vendor's drawings of each class, as (file name, RGBA at 256 px)."""
    icons = load_icons(vendor, cache)
    found: dict[str, list[tuple[str, Image.Image]]] = {}
    for label, names in CLASSES.items():
        texts = [(name, svg(icons, name)) for name in names]
        found[label] = [(f"{vendor}-{name}", rgba(text, 256)) for name, text in texts if text]
    return found


def clip_art(cache: Path) -> dict[str, list[tuple[str, Image.Image]]]:
    """The clip art of each class, cut to what is drawn, with a twentieth of margin."""
    folder = cache / "openclipart" / "usr" / "share" / "openclipart" / "png"
    return {
        label: [(f"openclipart-{Path(name).stem.strip('_')}", cut(folder / name)) for name in names]
        for label, names in CLIP_ART.items()
    }


def cut(path: Path) -> Image.Image:
    """The drawn part of a picture, in the middle of a square."""
    drawing = Image.open(path).convert("RGBA")
    drawing = drawing.crop(drawing.getchannel("A").point(lambda alpha: 255 * (alpha > 8)).getbbox())
    side = round(max(drawing.size) * 1.05)
    square = Image.new("RGBA", (side, side))
    square.paste(drawing, ((side - drawing.width) // 2, (side - drawing.height) // 2))
    return square


def write_drawings(cache: Path) -> None:
    """Divide Twemoji and clip art by lot between students and grader; OpenMoji is the grader's alone."""
    rng = random.Random(SEED)  # noqa: S311 - chance that can be repeated, not secrets
    twemoji, art, openmoji = emoji("twemoji", cache), clip_art(cache), emoji("openmoji", cache)
    for label in CLASSES:
        both = twemoji[label] + art[label]
        rng.shuffle(both)
        rest = both[SHOWN[label] :] + openmoji[label]
        if label == "bird":
            rest = rng.sample(rest, HIDDEN_BIRDS)
        for folder, chosen in ((HERE / "files", both[: SHOWN[label]]), (HERE / "hidden", rest)):
            target = folder / "drawings" / label
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir(parents=True)
            for name, drawing in chosen:
                on_white(drawing).save(target / f"{name}.png", optimize=True)


class Pairs:
    """Pictures with a right and a wrong caption, from Twemoji drawings and plain shapes."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self.folder, self.rng, self.rows = folder, random.Random(SEED), []  # noqa: S311 - chance that can be repeated, not secrets
        self.drawings = {
            label: [drawing for _, drawing in drawings] for label, drawings in emoji("twemoji", cache).items()
        }
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)

    def add(self, kind: str, name: str, image: Image.Image, right: str, wrong: str) -> None:
        """Save one picture and note its captions."""
        image.convert("RGB").save(self.folder / f"{name}.png", optimize=True)
        self.rows.append({"image": f"{name}.png", "kind": kind, "right": right, "wrong": wrong})

    def spatial(self) -> None:
        """Two things beside or above each other; the wrong caption has the same words with the things exchanged."""
        for number in range(20):
            first, second = self.rng.sample(tuple(CLASSES), 2)
            relation = tuple(RELATIONS)[number % 4]
            dx, dy = RELATIONS[relation]
            image = Image.new("RGBA", (64, 64), "white")
            for label, side in ((first, 1), (second, -1)):
                put(image, self.rng.choice(self.drawings[label]), (32 + 16 * dx * side, 32 + 16 * dy * side), 28)
            words = f"to the {relation} of" if dx else relation
            a, b = article(first), article(second)
            self.add("spatial", f"spatial-{number:02d}", image, f"{a} {words} {b}", f"{b} {words} {a}")

    def counting(self) -> None:
        """One to five things; the wrong caption is one too many or one too few."""
        for number in range(20):
            count = number % 5 + 1
            other = count + (1 if count == 1 else -1 if count == 5 else self.rng.choice((-1, 1)))
            if number % 2:
                name = self.rng.choice([label for label in CLASSES if label != "deer"])
                drawing = self.rng.choice(self.drawings[name])
            else:
                colour, shape = (
                    self.rng.choice(tuple(COLOURS)),
                    self.rng.choice(("circle", "square", "star", "triangle")),
                )
                name, mask = f"{colour} {shape}", shape_mask(shape)
                drawing = Image.new("RGBA", mask.size, COLOURS[colour])
                drawing.putalpha(mask)
            image = Image.new("RGBA", (64, 64), "white")
            for centre in scattered(count, 18, self.rng):
                put(image, drawing, centre, 17)
            captions = [f"a picture of {DIGITS[n]} {plural(name, n)}" for n in (count, other)]
            self.add("counting", f"counting-{number:02d}", image, *captions)

    def written(self) -> None:
        """A drawing with another class's name on it, with letters that mean nothing, and as it is."""
        for number in range(20):
            label, other = (
                tuple(CLASSES)[number % 10],
                self.rng.choice([name for name in CLASSES if name != tuple(CLASSES)[number % 10]]),
            )
            drawing = self.rng.choice(self.drawings[label])
            captions = [f"a drawing of {article(name)}" for name in (label, other)]
            for kind, word in (("written", other), ("nonsense", NONSENSE[number % 10]), ("plain", "")):
                image = Image.new("RGBA", (64, 64), "white")
                put(image, drawing, (32, 26), 50)
                write(image, word)
                self.add(kind, f"{kind}-{number:02d}", image, *captions)


def put(image: Image.Image, drawing: Image.Image, centre: tuple[float, float], side: int) -> None:
    """Put the drawing on the image, side x side px."""
    image.alpha_composite(
        drawing.resize((side, side), Image.Resampling.LANCZOS),
        (round(centre[0] - side / 2), round(centre[1] - side / 2)),
    )


def write(image: Image.Image, word: str) -> None:
    """Write the word at the bottom in 16 px bold, smaller where it would not fit."""
    size = 16
    while ImageFont.truetype(str(FONT), size).getlength(word) > 62:
        size -= 1
    pen, font = ImageDraw.Draw(image), ImageFont.truetype(str(FONT), size)
    if word:
        box = pen.textbbox((32, 54), word, font=font, anchor="mm")
        pen.rectangle((box[0] - 1, box[1] - 1, box[2] + 1, box[3] + 1), fill="white")
    pen.text((32, 54), word, fill="black", font=font, anchor="mm")


def main() -> None:
    cache = Path(sys.argv[1]) if len(sys.argv) > 1 else CACHE
    write_drawings(cache)
    pairs = Pairs(HERE / "files" / "pairs", cache)
    pairs.spatial()
    pairs.counting()
    pairs.written()
    (pairs.folder / "pairs.json").write_text(json.dumps(pairs.rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
