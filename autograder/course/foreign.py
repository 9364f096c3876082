"""Files from elsewhere: reads their bytes as text, and says what a file is that is no notebook."""

from __future__ import annotations

import codecs
import json
import re
from pathlib import PurePath

# Of some encodings only the mark at the start tells. The longer one goes first: UTF-32's begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
# How files begin that students hand in by mistake.
_BEGINNINGS = (
    (b"%PDF", "a PDF"), (b"PK\x03\x04", "a zip file (or a Word document)"), (b"\x1f\x8b", "a compressed file"),
    (b"Rar!", "a RAR archive"), (b"7z\xbc\xaf\x27\x1c", "a 7z archive"), (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"), (b"\xd0\xcf\x11\xe0", "a Word document"), (b"{\\rtf", "a Word document"),
    (b"\x00\x05\x16\x07", "a file that macOS keeps beside the real one"),
    (b"version https://git-lfs", "a placeholder of Git LFS, without the file itself"),
)  # fmt: skip
_BY_SUFFIX = {
    ".zip": "a zip file", ".pdf": "a PDF", ".docx": "a Word document", ".doc": "a Word document",
    ".html": "a web page", ".htm": "a web page", ".py": "a Python script", ".md": "a text file", ".txt": "a text file",
    ".7z": "a 7z archive", ".rar": "a RAR archive", ".tar": "an archive", ".gz": "a compressed file",
    ".tgz": "a compressed file", ".png": "a picture", ".jpg": "a picture", ".jpeg": "a picture", ".heic": "a picture",
    ".rtf": "a text document", ".odt": "a text document", ".gdoc": "a link to a document", ".webloc": "a link",
    ".url": "a link", ".lnk": "a link", ".crdownload": "an unfinished download", ".part": "an unfinished download",
    ".download": "an unfinished download", ".rmd": "an R Markdown file", ".r": "an R script",
}  # fmt: skip
_CONFLICT = re.compile(rb"^(<{7}|={7}|>{7})( |\r?$)", re.MULTILINE)
_PAGE = re.compile(rb"\s*(<!doctype html|<html|<\?xml|<head|<body)", re.IGNORECASE)
_SCRIPT = re.compile(rb"\s*(#!|# In\[|# %%|import |from \w+ import |def \w+\()")
_HEAD = 4096  # bytes; whatever names a format stands in them


def decode(data: bytes) -> tuple[str, str]:
    """Decode bytes; the text and "", or a note if the encoding had to be guessed.

    UTF-8, UTF-16 and UTF-32 are recognised, with a byte order mark or without. Anything else is read as Windows-1252.
    """
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), json.detect_encoding(data))
    try:
        return data.decode(encoding, "surrogatepass"), ""
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
        return text, "was not saved in UTF-8 and was read as Windows-1252; some letters may be wrong"


def describe_content(data: bytes) -> str:
    """Say what bytes are that are no notebook, as in "it is a PDF"; "" if nobody can tell."""
    head = data[:_HEAD].removeprefix(codecs.BOM_UTF8)
    if not data.strip(b"\0 \t\r\n"):
        return "it is empty"
    for beginning, kind in _BEGINNINGS:
        if head.startswith(beginning):
            return f"it is {kind}"
    if _PAGE.match(head):
        return "it is a web page that was saved under this name"
    if _CONFLICT.search(data):
        return "it has conflict markers of git (<<<<<<<, =======, >>>>>>>); resolve the conflict"
    if _SCRIPT.match(head):
        return "it is a Python script"
    return ""


def describe_name(name: str) -> str:
    """Say what a file is by the end of its name, such as "a PDF"; "" if that says nothing."""
    return _BY_SUFFIX.get(PurePath(name).suffix.casefold(), "")
