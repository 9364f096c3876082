"""The words of the small world: templates, colours, shapes, numbers, and the merges that the tokenizer needs for them."""

import gzip
import itertools
import random
from pathlib import Path

import open_clip
from concepts import CLASSES, DRAWINGS, LABEL, spoken

# fmt: off
COLOURS = {
    "red": (220, 40, 40), "green": (40, 160, 60), "blue": (40, 80, 220), "yellow": (240, 210, 40), "orange": (240, 140, 30),
    "purple": (130, 60, 180), "pink": (240, 130, 180), "brown": (130, 80, 40),
    "black": (20, 20, 20), "gray": (130, 130, 130),
}
SHAPES = ("circle", "square", "triangle", "diamond", "star", "heart", "ring", "cross")
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
PLURAL = {"deer": "deer", "cross": "crosses"}
COUNTED = (*CLASSES, "apple", "key", "ball", "balloon", "egg", "tree", "bell", "hat")
RELATIONS = {"left": (-1, 0), "right": (1, 0), "above": (0, -1), "below": (0, 1)}

PLAIN = (
    "{}", "a {}", "the {}", "a photo of a {}", "a photo of a {}.", "a picture of a {}", "a drawing of a {}",
    "an image of a {}",
)
ICONS = (
    "an icon of a {}", "an emoji of a {}", "clip art of a {}", "a cartoon of a {}", "a sticker of a {}", "a symbol of a {}",
    "this is a {}", "there is a {} in the picture", "a {} on a white background", "a picture of the {}", "a colourful {}",
    "a drawing of the {}", "a sketch of a {}", "a simple drawing of a {}", "an illustration of a {}", "a cute {}",
    "a logo of a {}",
)
OPENAI = tuple(template("{}") for template in open_clip.OPENAI_IMAGENET_TEMPLATES)  # the 80 that CLIP's authors published
STYLED = {
    "gray": ("a black and white photo of a {}", "a gray picture of a {}", "a black and white drawing of a {}"),
    "outline": ("a sketch of a {}", "a line drawing of a {}", "an outline of a {}", "a doodle of a {}"),
    "silhouette": ("a silhouette of a {}", "a shadow of a {}", "a black {}"),
    "blurred": ("a blurry photo of a {}", "a blurry picture of a {}"),
    "pixelated": ("a pixelated photo of a {}", "a low resolution photo of a {}"),
}
WRITTEN = (
    "the word {}", 'the word "{}"', "a sign that says {}", "a label that says {}", "{} written on paper", "the text {}",
    "a photo of the word {}", "{}", 'a sign that says "{}"',
)
NUMBERED = (  # never the bare word, which also counts things: a prompt has to say that a digit is meant
    "the digit {}", "a photo of the digit {}", "a photo of the digit {}.", "the number {}", "a photo of the number {}",
    'a photo of the number: "{}".', "a handwritten digit {}", "a drawing of the digit {}",
)
# A student's own prompts also hold these; each is also in the captions of the counts and relations.
JOINED = ("{a} to the {relation} of {b}", "{a} {relation} of {b}", "{a} on the {relation} of {b}")
STACKED = ("{a} {relation} {b}", "{a} {relation} {b}", "a picture of {a} {relation} {b}")
# fmt: on


def article(name: str) -> str:
    """The name with its indefinite article."""
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def fill(template: str, name: str) -> str:
    """The template with the name in it, its article put right."""
    if name[0] in "aeiou":
        template = f" {template}".replace(" a {}", " an {}")[1:]
    return template.format(name)


def depicting(name: str, style: str, rng: random.Random) -> str:
    """A caption for one drawing of `name`: a third plain, a third from CLIP's own list, or one that tells the style."""
    if style in STYLED and rng.random() < 0.5:
        return fill(rng.choice(STYLED[style]), name)
    group = rng.choices((PLAIN, ICONS, OPENAI), (0.5, 0.2, 0.3))[0]
    return fill(rng.choice(group), name)


def plural(name: str, count: int) -> str:
    """`count` of them: "one cat", "two cats"."""
    return name if count == 1 else PLURAL.get(name.rsplit(maxsplit=1)[-1], name + "s")


def words() -> list[str]:
    """Every word that a training caption can hold, sorted."""
    texts: list[str] = [*PLAIN, *ICONS, *OPENAI, *WRITTEN, *NUMBERED, *JOINED, *STACKED]
    texts += [*SHAPES, *COLOURS, *DIGITS, *RELATIONS, *LABEL.values()]
    texts += [template for group in STYLED.values() for template in group]
    texts += [plural(name, 2) for name in (*COUNTED, *SHAPES)] + [
        word for drawing in DRAWINGS for word in spoken(drawing)
    ]
    texts += ["an next of to with on in and"]
    letters = "".join(character if character.isalpha() else " " for text in texts for character in text.lower() + " ")
    return sorted(set(letters.split()) - {"relation", "b"})


def write_merges(path: Path) -> int:
    """Write the subset of OpenAI's merges that `words()` needs, in their order; return the vocabulary's size.

    The first line is a header, which open_clip skips. No newline at the end: open_clip would make a token of it.
    All 256 bytes are tokens in any case, so other words split into letters and stay inside the table.
    """
    ranks = open_clip.SimpleTokenizer().bpe_ranks
    used: set[tuple[str, str]] = set()
    for word in words():
        symbols = [*word[:-1], word[-1] + "</w>"]
        while len(symbols) > 1:
            pair = min(itertools.pairwise(symbols), key=lambda pair: ranks.get(pair, float("inf")))
            if pair not in ranks:
                break
            used.add(pair)
            merged, i = [], 0
            while i < len(symbols):
                joined = tuple(symbols[i : i + 2]) == pair
                merged.append("".join(symbols[i : i + 2]) if joined else symbols[i])
                i += 2 if joined else 1
            symbols = merged
    kept = sorted(used, key=ranks.__getitem__)
    text = "#version: 0.2, a subset of OpenAI's CLIP merges (MIT)\n" + "\n".join(" ".join(pair) for pair in kept)
    path.write_bytes(gzip.compress(text.encode(), mtime=0))
    return 512 + len(kept) + 2
