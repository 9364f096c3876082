"""A cell's outputs as text and pictures, within the size limits of one page."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from autograder.course import notebook as nb
from autograder.gradebook.showable import IMAGES, decode_image
from autograder.pages.feedback.text import NAME_CHARACTERS, clean_message, clip, terminal_text

# The course's one figure has 35,000 characters in base64. A page that reaches every limit has 3 MB, a third of it images.
OUTPUT_CHARACTERS = 20_000
PAGE_OUTPUT_CHARACTERS = 100_000  # all outputs and the student's own cells together
OUTPUT_COST = 200  # what an output adds to the page beside its text
PAGE_IMAGES, PAGE_IMAGE_CHARACTERS = 20, 2**20


@dataclass
class Outputs:
    """Converts outputs for the template, and counts how many characters and images the page may still take."""

    characters: int = PAGE_OUTPUT_CHARACTERS
    images: int = PAGE_IMAGES
    image_characters: int = PAGE_IMAGE_CHARACTERS

    def convert(self, cell: nb.Cell) -> Iterator[dict[str, str]]:
        """A dictionary for each output: `text`, alone or with `image` (a data URI) or `error`; or a `note` instead."""
        for output in cell.get("outputs", []):
            if self.characters <= 0:
                yield {"note": "More outputs are not shown: this page has no room left for them."}
                return
            self.characters -= OUTPUT_COST
            if output.get("output_type") == "stream":
                yield {"text": self.clip(terminal_text(output.get("text")))}
            elif output.get("output_type") == "error":
                name = f"{terminal_text(output.get('ename'))}: {terminal_text(output.get('evalue'))}".strip(": ")
                traceback = terminal_text(output.get("traceback"), "\n")
                yield {"error": self.clip(clean_message(name)), "text": self.clip(traceback)}
            else:
                yield self._convert_data(output.get("data"))

    def clip(self, text: str) -> str:
        """Clip a text to the limits of an output and of the page, and count it."""
        limit = max(0, min(OUTPUT_CHARACTERS, self.characters))
        self.characters -= min(len(text), limit)
        return clip(text, limit)

    def convert_image(self, kind: str, content: Any, description: str) -> dict[str, str]:
        """An image of a MIME type as a data URI; SVG too, since a browser runs no script in an <img>."""
        raw = decode_image(kind, content)
        if not raw:
            return {"note": f"An image is not shown: it is no {kind}. {description}".strip()}
        uri = f"data:{kind};base64,{base64.b64encode(raw).decode()}"
        if self.images < 1 or len(uri) > self.image_characters:
            return {"note": f"An image is not shown: this page has too many, or too large ones. {description}".strip()}
        self.images, self.image_characters = self.images - 1, self.image_characters - len(uri)
        return {"image": uri, "text": description}

    def _convert_data(self, data: Any) -> dict[str, str]:
        data = data if isinstance(data, dict) else {}
        plain = terminal_text(data.get("text/plain"))
        for kind in IMAGES:
            if kind in data:
                return self.convert_image(kind, data[kind], clip(plain, NAME_CHARACTERS))
        form = clip(" and ".join(sorted(data)) or "empty", NAME_CHARACTERS)
        return {"text": self.clip(plain)} if plain else {"note": f"An output ({form}) is not shown."}
