"""The form of a notebook that Formgrader may open: built from a list of what is harmless, whatever a student's code put into it.

nbconvert writes much of a notebook into its page unescaped: a picture's width and file name, an execution count, widgets. So
nothing is copied here but what is named below, and each value in its own type.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any

from autograder.course import notebook as nb

# The image formats that a page shows, with the bytes that each begins with.
IMAGES = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff", "image/svg+xml": b"<"}
# nbconvert turns colors into spans, and keeps every other sequence, such as a terminal's links.
_SEQUENCE = re.compile(r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b\[(?![\d;]*m)[0-?]*[ -/]*[@-~]?|\x1b(?!\[)")
_CONTROL = re.compile(r"[\0-\x07\x0b-\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def show_notebook(notebook: nb.Notebook, cells: list[nb.Cell]) -> nb.Notebook:
    """Return a notebook of nbformat 4.5 that holds the harmless part of `cells`, with the kernel's names of `notebook`."""
    metadata = notebook.get("metadata")
    kernel = metadata.get("kernelspec") if isinstance(metadata, dict) else None
    named = {key: _name(kernel, key) for key in ("name", "display_name", "language")} if kernel else {}
    shown = [_show_cell(cell) for cell in cells]
    nb.unique_ids(shown)
    about = {"language_info": {"name": "python"}, **({"kernelspec": named} if named else {})}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": about, "cells": shown}


def decode_image(kind: str, content: Any) -> bytes:
    """Return the bytes of a notebook's image of the type `kind`; b"" if they are no such image."""
    text = "".join(map(str, content)) if isinstance(content, list) else str(content)
    try:
        data = text.strip().encode(errors="replace") if kind == "image/svg+xml" else base64.b64decode(text)
    except (ValueError, binascii.Error):
        return b""
    return data if data.startswith(IMAGES[kind]) else b""


def _name(entries: Any, key: str) -> str:
    value = entries.get(key) if isinstance(entries, dict) else None
    return "".join(c for c in str(value or "python") if c.isalnum() or c in " .-_()")[:60]


def _show_cell(cell: nb.Cell) -> nb.Cell:
    # nbconvert shows a raw cell's text as HTML; as code it is text, and an answer in it has its bar for points.
    kind = "markdown" if cell.get("cell_type") == "markdown" else "code"
    shown: nb.Cell = {"cell_type": kind, "id": cell.get("id", ""), "source": nb.source(cell)}
    shown["metadata"] = {"nbgrader": nb.grader(cell)} if nb.grade_id(cell) is not None else {}
    if kind == "code":
        shown["execution_count"] = _count(cell.get("execution_count"))
        shown["outputs"] = list(_show_outputs(cell.get("outputs")))
    elif isinstance(attachments := cell.get("attachments"), dict):
        shown["attachments"] = {str(name): images for name, data in attachments.items() if (images := _images(data))}
    return shown


def _show_outputs(outputs: Any) -> Iterator[dict[str, Any]]:
    for output in outputs if isinstance(outputs, list) else []:
        if not isinstance(output, dict):
            continue
        kind = output.get("output_type")
        if kind == "stream":
            name = "stderr" if output.get("name") == "stderr" else "stdout"
            yield {"output_type": kind, "name": name, "text": _text(output.get("text"))}
        elif kind == "error":
            lines = output.get("traceback")
            traceback = [_text(line) for line in (lines if isinstance(lines, list) else [lines])]
            yield {
                "output_type": kind,
                "ename": _text(output.get("ename")),
                "evalue": _text(output.get("evalue")),
                "traceback": traceback,
            }
        elif kind == "execute_result":
            count = _count(output.get("execution_count"))
            yield {
                "output_type": kind,
                "execution_count": count,
                "metadata": {},
                "data": _show_data(output.get("data")),
            }
        else:
            yield {"output_type": "display_data", "metadata": {}, "data": _show_data(output.get("data"))}


def _show_data(data: Any) -> dict[str, str]:
    """Return the pictures of an output and its plain text, or a line that says which types are not shown."""
    data = data if isinstance(data, dict) else {}
    shown = _images(data)
    if "text/plain" in data:
        shown["text/plain"] = _text(data["text/plain"])
    if not shown:
        kinds = ", ".join(sorted(_text(kind)[:60] for kind in data)[:5]) or "empty"
        shown["text/plain"] = f"[An output ({kinds}) is not shown.]"
    return shown


def _images(data: Any) -> dict[str, str]:
    images = {}
    for kind in IMAGES if isinstance(data, dict) else ():
        if kind in data and (content := decode_image(kind, data[kind])):
            is_text = kind == "image/svg+xml"
            images[kind] = content.decode(errors="replace") if is_text else base64.b64encode(content).decode()
    return images


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value < 2**31 else None


def _text(value: Any) -> str:
    """Return the text of an output with its colors, and with nothing else that is not printable."""
    text = "".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
    text = _CONTROL.sub("\ufffd", _SEQUENCE.sub("", text))
    return text.encode(errors="replace").decode()
