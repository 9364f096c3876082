"""Fetch the drawings that the model is trained and measured on, at pinned versions, and check their SHA-256.

    python fetch.py [CACHE]

npm fetches the emoji sets, apt the clip art (Debian's `openclipart-png`). CACHE defaults to `build/small-clip`.
"""

import hashlib
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(__file__).parents[2] / "build" / "small-clip"


@dataclass(frozen=True)
class Vendor:
    """One emoji set: an `@iconify-json/` package, its version, its artists and licence, the archive's SHA-256."""

    name: str
    version: str
    credit: str
    sha256: str
    held_out: bool = False


# fmt: off
VENDORS = (
    Vendor("noto", "1.2.9", "Noto Emoji, Google Inc, Apache-2.0",
           sha256="3e918d88fc945c0bb3d468dbace6f88caef67f01c9f0e7bcae0915a042e8f1ad"),
    Vendor("noto-v1", "1.2.5", "Noto Emoji (v1), Google Inc, Apache-2.0",
           sha256="2bf62c26c2c2884aa99e90aec942cdaee17a5921f05690694f4978ad4b017c37"),
    Vendor("fluent-emoji", "1.2.7", "Fluent Emoji, Microsoft Corporation, MIT",
           sha256="8044210dbf11e016d4de85f15d01a243423bd832457e7e2491df1b751c0e272b"),
    Vendor("fluent-emoji-flat", "1.2.6", "Fluent Emoji Flat, Microsoft Corporation, MIT",
           sha256="7d064769dee690815f823bc5bcc511d957198caf9f5edd8dd9c1aa48a6aeb175"),
    Vendor("fluent-emoji-high-contrast", "1.2.6", "Fluent Emoji High Contrast, Microsoft Corporation, MIT",
           sha256="0b92d48c90d2200bd499e3cdd09a127ca6a8c8ddefd34c35eb5a1e4994012ae0"),
    Vendor("emojione", "1.2.3", "Emoji One v2 (EmojiTwo), CC BY 4.0",
           sha256="26a14f44284407e8bcde91799388dca2bfd91dbcd55a97f425524a1c5b73610e"),
    Vendor("emojione-monotone", "1.2.1", "Emoji One v2 (EmojiTwo), CC BY 4.0",
           sha256="40b90004bafb406b59266155ef9b7e1dd67bf2947fc8db8d07388776f4d0d04e"),
    Vendor("fxemoji", "1.2.2", "Firefox OS Emoji, Mozilla, Apache-2.0 (art also CC BY 4.0)",
           sha256="f3e72b3c59d05e1db03b7e308d55c0d05bd7ba3f625a90da1b79313c12858eef"),
    Vendor("streamline-emojis", "1.2.4", "Streamline Emojis, Streamline (Webalys), CC BY 4.0",
           sha256="5dac87c876b322500989828c5823143e0100d78881627a2e4081a4b897cbfdbc"),
    Vendor("game-icons", "1.2.4", "Game-icons.net, Lorc, Delapouite and others, CC BY 3.0",
           sha256="f5758efb34d91c4f50b941f355f16ee73938625e5996fabc25171288404460a4"),
    Vendor("mdi", "1.2.3", "Material Design Icons, Pictogrammers, Apache-2.0",
           sha256="ddd817a7213f91de51147943915c0cda8c8b818a53c92b5c068cfa9883c6d7ac"),
    Vendor("fa6-solid", "1.2.4", "Font Awesome 6 Free, Fonticons, CC BY 4.0",
           sha256="082c792eaad4751626438773fa7360cb23f495b687cf2dd01b2b0fccc7f6af8b"),
    Vendor("icon-park", "1.2.4", "IconPark, ByteDance, Apache-2.0",
           sha256="c1a25212a31602aca93c3fa6f6b3288e89b9d7811afc132dfd78506e9d586b6f"),
    Vendor("tabler", "1.2.41", "Tabler Icons, Paweł Kuna, MIT",
           sha256="3bf99af156d28d05568aff524a35ed1ba238df640a7835a5e02e1f8e439685f6"),
    Vendor("twemoji", "1.2.5", "Twemoji, Twitter and jdecked, CC BY 4.0", held_out=True,
           sha256="19046dff7d8707ce96212ec86468b36ac5f8e60409629dd13f809265c6d0ebb7"),
    Vendor("openmoji", "1.2.29", "OpenMoji, CC BY-SA 4.0", held_out=True,
           sha256="03181e2c156cab35cf4a62f1f7886bd971d59212e75ac3f189d5a4cae3930fc5"),
)
# fmt: on
CLIP_ART = ("openclipart-png", "1:0.18+dfsg-19", "f07f1545a2970c2cf3fa339bc2405da1a95cf2b1827bfa05bf73eb1c20291c02")


def checked(archive: Path, sha256: str) -> Path:
    """The archive itself, if its SHA-256 is the expected one; ValueError otherwise."""
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != sha256:
        raise ValueError(f"{archive.name}: SHA-256 is {found}, expected {sha256}")
    return archive


def fetch_vendor(vendor: Vendor, cache: Path) -> None:
    """Unpack one emoji set into `cache/<vendor>`."""
    archive = cache / f"iconify-json-{vendor.name}-{vendor.version}.tgz"
    if not archive.exists():
        subprocess.run(
            ["npm", "pack", "--silent", f"@iconify-json/{vendor.name}@{vendor.version}"],  # noqa: S607  (the machine's own npm)
            cwd=cache,
            check=True,
        )
    with tarfile.open(checked(archive, vendor.sha256)) as package:
        for member in package.getmembers():
            member.name = member.name.removeprefix("package/")
        package.extractall(cache / vendor.name, filter="data")


def fetch_clip_art(cache: Path) -> None:
    """Unpack Debian's clip art into `cache/openclipart`."""
    name, version, sha256 = CLIP_ART
    archive = cache / f"{name}_{version.replace(':', '%3a')}_all.deb"
    if not archive.exists():
        subprocess.run(["apt-get", "download", f"{name}={version}"], cwd=cache, check=True)  # noqa: S607  (Debian's own)
    subprocess.run(["dpkg-deb", "-x", str(checked(archive, sha256)), str(cache / "openclipart")], check=True)  # noqa: S607  (Debian's own)


def main() -> None:
    cache = Path(sys.argv[1]) if len(sys.argv) > 1 else CACHE
    cache.mkdir(parents=True, exist_ok=True)
    for vendor in VENDORS:
        fetch_vendor(vendor, cache)
    fetch_clip_art(cache)


if __name__ == "__main__":
    main()
