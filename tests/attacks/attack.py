"""The nouns: an attack, and how the files in `cells/` hold one.

An attack is one submission that tries one thing. It is told from an honest one by what it tries, and by nothing in its
result: its score must be that of the honest submission which it `equals`, task by task.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.course import notebook as nb

CELLS = Path(__file__).with_name("cells")
HEADING = re.compile(r"^# %% ([\w-]+)\s*$", re.MULTILINE)
FIELD = re.compile(r"^# (tries|base|equals|status|cell|shows|stock): (.+)\n", re.MULTILINE)

Handing = Callable[[Path, nb.Notebook], None]


@dataclass(frozen=True)
class Attack:
    """`hand_in` writes it, a variant of the honest submission `base`, into the submission's folder. `equals` names the
    honest one whose scores it must get. `shows` says that a cell of it reports: "tried" when it has tried, and "BREACH"
    where it succeeded. `stock` is why it is not run under stock nbgrader, or empty."""

    name: str
    family: str
    tries: str
    base: str
    equals: str
    status: str
    shows: bool
    stock: str
    hand_in: Handing


def as_file(folder: Path, notebook: nb.Notebook) -> None:
    """Hand in a notebook under the name that it has to have."""
    (folder / "arena.ipynb").write_text(json.dumps(notebook))


def with_cell(notebook: nb.Notebook, source: object, last: bool = False) -> nb.Notebook:
    """The notebook with a cell of the student's own at its start or end."""
    cell: nb.Cell = {"cell_type": "code", "id": "own", "metadata": {}, "source": source}
    cell |= {"outputs": [], "execution_count": None}
    cells = [*notebook["cells"], cell] if last else [cell, *notebook["cells"]]
    return {**notebook, "cells": cells}


def cell_attacks() -> Iterator[Attack]:
    """Those that are the text of one cell. In a family's file each begins `# %% name` and says in comments what it tries;
    what stands before the first is put before each."""
    for path in sorted(CELLS.glob("*.py")):
        before, *parts = HEADING.split(path.read_text())
        for name, text in zip(parts[::2], parts[1::2], strict=True):
            said: dict[str, str] = dict(FIELD.findall(text))
            body, where = FIELD.sub("", text).strip("\n"), said.get("cell", "own")
            base = said.get("base", "wrong")
            yield Attack(
                name,
                path.stem.replace("_", " "),
                said["tries"],
                base,
                said.get("equals", base),
                said.get("status", "completed"),
                said.get("shows", "yes" if where in ("own", "end") and "status" not in said else "no") == "yes",
                said.get("stock", ""),
                _typing(where, f"{before}\n{body}"),
            )


def _typing(where: str, text: str) -> Handing:
    def hand_in(folder: Path, notebook: nb.Notebook) -> None:
        if where in ("own", "end"):
            as_file(folder, with_cell(notebook, text, last=where == "end"))
        else:
            as_file(folder, nb.with_answers(notebook, {where: text}))

    return hand_in
