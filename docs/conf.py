"""How `make docs` builds the site from the README and the pages here; Sphinx reads this file.

The sources are the pages where they lie, so one relative link works on a code host and on the site.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[1]
# In the order of the contents: who decides, who grades, who hands in, who works on it.
PAGES = {
    "Use it": ["docs/instructor", "docs/ta", "docs/student"],
    "Trust it": ["SECURITY", "benchmarks/RESULTS"],
    "Work on it": ["docs/contributor", "CONTRIBUTING", "CHANGELOG", "assignments/small-clip/README"],
}

project = "CLIP autograder"
author = copyright = "The CLIP autograder contributors"
root_doc = "README"
include_patterns = [f"{page}.md" for page in [root_doc, *(page for pages in PAGES.values() for page in pages)]]
exclude_patterns = [".venv", "build", "gradebook", "source", "release"]  # not even searched
extensions = ["myst_parser"]
myst_heading_anchors = 4
suppress_warnings = ["myst.header"]  # headings of generated tables are small on purpose
html_theme = "furo"
html_title = project
html_copy_source = False
html_show_sphinx = False


def add_contents(app: Sphinx, page: str, source: list[str]) -> None:
    """Add the contents to the front page: on a code host the README has none."""
    if page == root_doc:
        for caption, pages in PAGES.items():
            source[0] += "\n".join(["", "```{toctree}", ":hidden:", f":caption: {caption}", "", *pages, "```", ""])


def finish(app: Sphinx, error: Exception | None) -> None:
    """Copy the pictures that the README shows as HTML, and let the folder's own address lead to the front page."""
    if error is None:
        shutil.copytree(ROOT / "docs" / "pictures", Path(app.outdir, "docs", "pictures"), dirs_exist_ok=True)
        Path(app.outdir, "index.html").write_text('<meta http-equiv="refresh" content="0; url=README.html">\n')


def setup(app: Sphinx) -> None:
    app.connect("source-read", add_contents)
    app.connect("build-finished", finish)
