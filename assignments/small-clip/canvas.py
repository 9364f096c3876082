"""What a scene is painted with: backgrounds, shapes, drawings set down, words written. All chance comes from `rng`."""

import random
from pathlib import Path

import matplotlib
import numpy as np
from captions import COLOURS, SHAPES
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

SIDE = 64  # px
FONTS = sorted(
    str(path)
    for path in (Path(matplotlib.get_data_path()) / "fonts" / "ttf").glob("*.ttf")
    if (path.stem.startswith("DejaVu") and "Display" not in path.stem)  # those two have no letters
    or path.stem in {"STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "cmr10", "cmss10", "cmtt10", "cmb10"}
)
LETTERS = {path: {size: ImageFont.truetype(path, size) for size in range(9, 33)} for path in FONTS}


def background(rng: random.Random) -> Image.Image:
    """White, one colour, a gradient or soft blotches."""
    kind = rng.random()
    if kind < 0.5:
        return Image.new("RGBA", (SIDE, SIDE), "white")
    low = rng.choice((30, 120, 200))
    cells = 1 if kind < 0.7 else rng.choice((2, 2, 4, 7))
    colours = bytes(rng.randint(low, 255) for _ in range(cells * cells * 3))
    return (
        Image.frombytes("RGB", (cells, cells), colours).resize((SIDE, SIDE), Image.Resampling.BICUBIC).convert("RGBA")
    )


def place(  # noqa: PLR0913, PLR0917  (every number of a drawing's place is drawn by the caller)
    rng: random.Random, canvas: Image.Image, drawing: Image.Image, centre: tuple[float, float], size: float, turn: float
) -> None:
    """Put the drawing on the canvas, `size` px high, turned by about `turn` degrees at most, a little stretched."""
    shape = (max(4, round(size * rng.uniform(0.85, 1.15))), max(4, round(size)))
    scaled = drawing.resize(shape, Image.Resampling.LANCZOS, reducing_gap=2)
    scaled = scaled.rotate(rng.uniform(-turn, turn), Image.Resampling.BICUBIC, expand=True)
    layer = Image.new("RGBA", canvas.size)
    layer.paste(scaled, (round(centre[0] - scaled.width / 2), round(centre[1] - scaled.height / 2)))
    canvas.alpha_composite(layer)


def coloured(rng: random.Random, shape: str, colour: str) -> Image.Image:
    """A shape in a colour, each channel up to 15 of 255 off the colour's own."""
    shade = tuple(max(0, min(255, channel + rng.randint(-15, 15))) for channel in COLOURS[colour])
    drawing = Image.new("RGBA", SHAPE[shape].size, shade)
    drawing.putalpha(SHAPE[shape])
    return drawing


def tinted(rng: random.Random, glyph: Image.Image) -> Image.Image:
    """A one-colour icon in black or in some other colour, mostly dark."""
    low, high = rng.choice(((0, 1), (0, 90), (0, 220)))
    drawing = Image.new("RGBA", glyph.size, tuple(rng.randint(low, high) for _ in range(3)))
    drawing.putalpha(glyph.getchannel("A"))
    return drawing


def vary(rng: random.Random, drawing: Image.Image, style: str) -> Image.Image:
    """The same drawing in other colours, mirrored, or in the style named."""
    if rng.random() < 0.5:
        drawing = ImageOps.mirror(drawing)
    alpha = drawing.getchannel("A")
    if style == "silhouette":
        drawing = Image.new("RGBA", drawing.size, (rng.randint(0, 60),) * 3)
    elif style == "gray":
        drawing = ImageOps.autocontrast(drawing.convert("L"), cutoff=rng.choice((0, 2))).convert("RGBA")
    elif style != "outline" and rng.random() < 0.45:
        drawing = turned_hue(drawing, rng.uniform(0, 6.28) if rng.random() < 0.5 else rng.gauss(0, 0.4))
    drawing.putalpha(alpha)
    return drawing


def turned_hue(drawing: Image.Image, angle: float) -> Image.Image:
    """The drawing's colours turned by `angle` radians around the gray axis, alpha lost."""
    cos, sin = np.cos(angle), np.sin(angle)
    third, root = (1 - cos) / 3, sin / np.sqrt(3)
    matrix = (
        cos + third,
        third - root,
        third + root,
        0,
        third + root,
        cos + third,
        third - root,
        0,
        third - root,
        third + root,
        cos + third,
        0,
    )
    return drawing.convert("RGB").convert("RGB", matrix).convert("RGBA")


def write(rng: random.Random, canvas: Image.Image, word: str, size: int, centre: tuple[float, float]) -> None:
    """Write the word, made smaller until it fits, sometimes on a label of its own."""
    sizes = LETTERS[rng.choice(FONTS)]
    while size > 9 and sizes[size].getlength(word) > SIDE - 4:
        size -= 1
    x = max(centre[0], 0) if sizes[size].getlength(word) < 50 else 32
    pen, box = ImageDraw.Draw(canvas), sizes[size].getbbox(word, anchor="mm")
    dark = tuple(rng.randint(0, 90) for _ in range(3))
    if rng.random() < 0.6:
        pen.rectangle(
            (x + box[0] - 2, centre[1] + box[1] - 2, x + box[2] + 2, centre[1] + box[3] + 2),
            fill=(255, 255, 255, 255),
        )
    pen.text((x, centre[1]), word, fill=dark, font=sizes[size], anchor="mm")


def finish(rng: random.Random, canvas: Image.Image, style: str = "") -> Image.Image:
    """Flatten, and apply what a style does to the whole image; a little noise on some."""
    image = canvas.convert("RGB")
    if style == "outline":
        edges = (
            ImageOps.expand(image.convert("L"), 2, 255).filter(ImageFilter.FIND_EDGES).crop((2, 2, SIDE + 2, SIDE + 2))
        )
        edges = ImageOps.invert(ImageOps.autocontrast(edges, cutoff=1))
        image = (edges.filter(ImageFilter.MinFilter(3)) if rng.random() < 0.3 else edges).convert("RGB")
    elif style == "gray":
        image = image.convert("L").convert("RGB")
    elif style == "pixelated":
        coarse = rng.randint(18, 36)
        image = image.resize((coarse, coarse), Image.Resampling.BOX).resize((SIDE, SIDE), rng.choice((0, 3)))
    elif style == "blurred":
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.7, 2)))
    if rng.random() < 0.15:
        grain = np.frombuffer(rng.randbytes(SIDE * SIDE), np.uint8).reshape(SIDE, SIDE, 1) / 255 - 0.5
        noisy = np.asarray(image) + grain * rng.uniform(15, 60)
        image = Image.fromarray(noisy.clip(0, 255).astype(np.uint8))
    return image


def scattered(count: int, size: float, rng: random.Random) -> list[tuple[float, float]]:
    """`count` centres that keep a drawing of `size` px inside the canvas and, as far as 60 tries go, apart."""
    centres: list[tuple[float, float]] = []
    for _ in range(count):
        for _ in range(60):
            spot = rng.uniform(size / 2, SIDE - size / 2), rng.uniform(size / 2, SIDE - size / 2)
            if all(max(abs(spot[0] - x), abs(spot[1] - y)) > size for x, y in centres):
                break
        centres.append(spot)
    return centres


def shape_mask(shape: str, side: int = 80) -> Image.Image:
    """The shape's alpha, side x side, drawn four times as large for smooth edges."""
    big = side * 4
    mask = Image.new("L", (big, big))
    pen, (low, mid, high) = ImageDraw.Draw(mask), (big * 0.03, big / 2, big * 0.97)
    around = [
        (mid + mid * 0.95 * r * np.sin(i * np.pi / 5), mid - mid * 0.95 * r * np.cos(i * np.pi / 5))
        for i, r in enumerate((1, 0.42) * 5)
    ]
    t = np.linspace(0, 2 * np.pi, 80)
    heart = [
        (
            mid + big * 0.029 * 16 * np.sin(a) ** 3,
            mid - big * 0.029 * (13 * np.cos(a) - 5 * np.cos(2 * a) - 2 * np.cos(3 * a) - np.cos(4 * a)),
        )
        for a in t
    ]
    arm = big * 0.17
    match shape:
        case "circle":
            pen.ellipse((low, low, high, high), fill=255)
        case "ring":
            pen.ellipse((low, low, high, high), outline=255, width=int(big * 0.16))
        case "square":
            pen.rectangle((low * 2, low * 2, high - low, high - low), fill=255)
        case "triangle":
            pen.polygon([(mid, low), (high, high - low), (low, high - low)], fill=255)
        case "diamond":
            pen.polygon([(mid, low), (high - big * 0.12, mid), (mid, high), (low + big * 0.12, mid)], fill=255)
        case "star":
            pen.polygon(around, fill=255)
        case "heart":
            pen.polygon(heart, fill=255)
        case "cross":
            pen.rectangle((mid - arm, low, mid + arm, high), fill=255)
            pen.rectangle((low, mid - arm, high, mid + arm), fill=255)
    return mask.resize((side, side), Image.Resampling.LANCZOS)


SHAPE = {shape: shape_mask(shape) for shape in SHAPES}
