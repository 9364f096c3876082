"""The site of the docs: built strictly, whole, linked, and without anything from the network."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.support.classroom import ROOT

# As `make docs` does it.
COMMAND = [str(Path(sys.executable).parent / "sphinx-build"), "-W", "--keep-going", "-n", "-q", "-c"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run([*COMMAND, "docs", ".", str(folder)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


class Page(HTMLParser):
    """Of one page: where its links lead, what a browser loads by itself, and the anchors."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        elif tag == "link" and values.get("rel") in ("stylesheet", "icon", "preload"):
            self.loaded.append(values["href"])
        else:
            self.loaded += [values[name] for name in ("src", "srcset", "data") if name in values]


def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path) for path in site.rglob("*.html")}


def test_every_page_is_on_the_site_and_in_its_contents(site: Path) -> None:
    front = Page(site / "README.html")
    written = [*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md"), ROOT / "benchmarks" / "RESULTS.md"]
    for path in written:
        page = path.relative_to(ROOT).with_suffix(".html")
        assert (site / page).is_file(), f"name {page.with_suffix('')} in docs/conf.py"
        assert page.name == "README.html" or str(page) in front.links


def test_every_link_of_the_site_leads_somewhere(site: Path) -> None:
    known = pages(site)
    for path, page in known.items():
        for link in [*page.links, *page.loaded]:
            target, _, anchor = link.partition("#")
            if re.match(r"https?:|data:", link):
                continue
            file = (path.parent / unquote(target.partition("?")[0])).resolve() if target else path
            assert file.is_file(), (path, link)
            assert not anchor or file not in known or unquote(anchor) in known[file].anchors, (path, link)


def test_the_site_loads_nothing_from_the_network(site: Path) -> None:
    for path, page in pages(site).items():
        assert not [address for address in page.loaded if re.match(r"(https?:)?//", address)], path
    for style in site.rglob("*.css"):
        assert not re.search(r"(@import|url\()\s*['\"]?(https?:)?//", style.read_text()), style


def test_a_broken_link_ends_the_build(tmp_path: Path) -> None:
    """In a copy of two pages with the site's own settings."""
    for name in ("README.md", "docs/conf.py", "docs/student.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text((ROOT / name).read_text())
    (tmp_path / "docs" / "pictures").mkdir()
    (tmp_path / "README.md").write_text("# Front\n\n[students](docs/student.md#hand-in)\n")
    (tmp_path / "docs" / "student.md").write_text("# Students\n\n## Hand in\n")

    def build() -> str:
        command = [*COMMAND, "docs", "-D", "suppress_warnings=myst.header,toc.not_readable", ".", "out"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False).stderr

    assert build() == ""
    (tmp_path / "README.md").write_text("# Front\n\n[students](docs/student.md#hand-over) [TAs](docs/nobody.md)\n")
    assert "hand-over" in build() and "nobody" in build()
