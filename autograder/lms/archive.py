"""Opens what an LMS exported, a zip file or the folder unpacked from it, and refuses what no LMS writes."""

from __future__ import annotations

import contextlib
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import CourseError
from autograder.files import read_plain
from autograder.words import MAX_NAME, one_line

# A class of 1,000 with ten files each has 10,000; 1,000 notebooks of 8 MB have 8 GB.
MAX_FILES = 20_000
MAX_BYTES = 8 * 2**30
MAX_FILE = 64 * 2**20  # of one file that is read, as when grading; students also hand in videos, which are not
# Text shrinks to a tenth, a notebook that printed one line for ever to a hundredth, zeros to a thousandth.
MAX_RATIO, SMALL = 200, 2**20
_UTF8, _ENCRYPTED = 0x800, 0x1
_UNICODE_PATH = 0x7075  # the extra field in which Info-ZIP, 7-Zip and others keep a name in UTF-8
_UNIX = 3  # the system that made an entry, where its mode is Unix's
_LITTER = re.compile(r"(^|/)(__MACOSX/|\._|\.DS_Store$|Thumbs\.db$|desktop\.ini$)", re.IGNORECASE)


@dataclass(frozen=True)
class Archive:
    """The files of an export: their sizes in bytes by path, with `/` between folders, how to read one by its path, and why some
    are not read: a student can hand in a file that is too large, which must not cost the others anything."""

    sizes: Mapping[str, int]
    read: Callable[[str], bytes]
    faults: Mapping[str, str]


@contextlib.contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Open an export. CourseError if it is no zip file or folder, is not whole, or holds what no LMS writes: links, paths that
    lead out of it, encrypted files."""
    if path.is_dir():
        yield _open_folder(path)
        return
    try:
        with zipfile.ZipFile(path) as file:
            yield _open_zip(path, file)
    except (zipfile.BadZipFile, EOFError, zlib.error, struct.error, NotImplementedError) as error:
        raise CourseError(f"{path} is no whole zip file ({error}); download it again") from None
    except FileNotFoundError as error:
        if error.filename != str(path):
            raise
        raise CourseError(f"{path} does not exist") from None


def _open_zip(path: Path, file: zipfile.ZipFile) -> Archive:
    entries: dict[str, zipfile.ZipInfo] = {}
    faults: dict[str, str] = {}
    infos = file.infolist()
    if len(infos) > MAX_FILES:
        raise CourseError(f"{path} holds {len(infos)} files (at most {MAX_FILES})")
    for info in infos:
        name = _name(info)
        _check_path(path, name)
        if name.endswith("/") or _LITTER.search(name):
            continue
        _check_entry(path, name, info)
        if name in entries:
            raise CourseError(f"{path} holds {_shown(name)} twice; download it again")
        entries[name] = info
        if fault := _find_fault(info.file_size, info.compress_size):
            faults[name] = fault
    _check_total(path, sum(info.file_size for name, info in entries.items() if name not in faults))
    return Archive(
        {name: info.file_size for name, info in entries.items()},
        _reader(faults, lambda name: file.read(entries[name])),
        faults,
    )


def _reader(faults: Mapping[str, str], read: Callable[[str], bytes]) -> Callable[[str], bytes]:
    """`read`, but CourseError for a file with a fault."""

    def checked(name: str) -> bytes:
        if name in faults:
            raise CourseError(f"{_shown(name)} {faults[name]}")
        return read(name)

    return checked


def _name(info: zipfile.ZipInfo) -> str:
    """The path of an entry. Windows writes backslashes; macOS writes UTF-8 without the flag that says so, and accents as
    characters of their own."""
    name = info.filename if info.flag_bits & _UTF8 else _unflagged(info)
    return unicodedata.normalize("NFC", name.replace("\\", "/"))


def _unflagged(info: zipfile.ZipInfo) -> str:
    raw = info.orig_filename.encode("cp437", "replace")  # the bytes: zipfile decodes them so
    extra = info.extra
    while len(extra) >= 4:
        kind, length = struct.unpack("<HH", extra[:4])
        if kind == _UNICODE_PATH and length > 5:
            checksum = struct.unpack("<L", extra[5:9])[0]
            if checksum == zlib.crc32(raw):
                return extra[9 : 4 + length].decode(errors="replace")
        extra = extra[4 + length :]
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return info.orig_filename


def _check_path(archive: Path, name: str) -> None:
    parts = name.split("/")
    if name.startswith("/") or re.match(r"[A-Za-z]:/", name) or ".." in parts or "\0" in name:
        raise CourseError(f"{archive} holds the path {_shown(name)}, which leads out of it; nothing was read")


def _check_entry(archive: Path, name: str, info: zipfile.ZipInfo) -> None:
    mode = info.external_attr >> 16
    if info.create_system == _UNIX and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise CourseError(f"{archive} holds {_shown(name)}, a link or device and no file; nothing was read")
    if info.flag_bits & _ENCRYPTED:
        raise CourseError(f"{archive} is encrypted ({_shown(name)}); unpack it and pass the folder")


def _find_fault(size: int, packed: int) -> str:
    """Why a file of `size` bytes, `packed` in the archive, is not read; "" if it is. It follows the file's name."""
    if size > SMALL and size > MAX_RATIO * max(packed, 1):
        return f"would unpack to {size / 2**20:.0f} MB from {packed / 2**10:.0f} kB, as a zip bomb does"
    if size > MAX_FILE:
        return f"has {size / 2**20:.0f} MB (at most {MAX_FILE // 2**20})"
    return ""


def _check_total(archive: Path, size: int) -> None:
    if size > MAX_BYTES:
        raise CourseError(f"{archive} would unpack to {size / 2**30:.0f} GB (at most {MAX_BYTES / 2**30:.0f})")


def _open_folder(folder: Path) -> Archive:
    sizes: dict[str, int] = {}
    originals: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        name = unicodedata.normalize("NFC", str(path.relative_to(folder)))
        if path.is_symlink() or not (path.is_dir() or path.is_file()):
            raise CourseError(f"{folder} holds {_shown(name)}, a link or device and no file; nothing was read")
        if path.is_dir() or _LITTER.search(name):
            continue
        sizes[name], originals[name] = path.stat().st_size, path
        if len(sizes) > MAX_FILES:
            raise CourseError(f"{folder} holds over {MAX_FILES} files")
    _check_total(folder, sum(sizes.values()))
    faults = {name: fault for name, size in sizes.items() if (fault := _find_fault(size, size))}
    return Archive(sizes, _reader(faults, lambda name: read_plain(originals[name], MAX_FILE)), faults)


def _shown(name: str) -> str:
    return one_line(name, MAX_NAME)
