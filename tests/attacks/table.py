"""Writes the table of attacks into SECURITY.md: `python tests/attacks/table.py`. Our column is what the suite asserts, stock's
what `stock.py` measured."""

from __future__ import annotations

import json
import sys
from itertools import groupby
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.attacks.arena import HONEST
from tests.attacks.attack import Attack
from tests.attacks.batch import ATTACKS
from tests.attacks.stock import FOUND
from tests.support.classroom import ROOT

PAGE = ROOT / "SECURITY.md"
BEGIN, END = "<!-- attacks -->\n", "<!-- /attacks -->\n"


def table() -> str:
    """Every attack with what it tries and its outcome in both, family by family; and the sums."""
    stock = json.loads(FOUND.read_text())
    lines = [_summary(stock), ""]
    for family, attacks in groupby(ATTACKS, key=lambda attack: attack.family):
        lines += [
            f"#### {family.capitalize()}",
            "",
            "| attack | tries | points, status | stock nbgrader |",
            "|---|---|---|---|",
        ]
        lines += [f"| `{a.name}` | {_cell(a.tries)} | {_ours(a)} | {_theirs(a, stock.get(a.name))} |" for a in attacks]
        lines.append("")
    return "\n".join(lines)


def written(page: str) -> tuple[str, str, str]:
    """The page before the table, the table, and the page after it."""
    before, rest = page.split(BEGIN)
    inside, after = rest.split(END)
    return before + BEGIN, inside, END + after


def _summary(stock: dict[str, Any]) -> str:
    run = [(attack, stock[attack.name]) for attack in ATTACKS if attack.name in stock]
    gained = sum((found["score"] or 0) > (HONEST[attack.equals] or 0) for attack, found in run)
    reached = sum(found["reached"] for _, found in run)
    return (
        f"{len(ATTACKS)} attacks. With this engine none gets more than its honest equivalent, and none reaches anything. "
        f"Of the {len(run)} that were run under nbgrader {stock['nbgrader']}, {gained} got more than their honest equivalent "
        f"there, and {reached} had what they must not have."
    )


def _ours(attack: Attack) -> str:
    score = HONEST[attack.equals]
    return f"{attack.status}, not graded" if score is None else f"{score} of 7 as `{attack.equals}`, {attack.status}"


def _theirs(attack: Attack, found: dict[str, Any] | None) -> str:
    if attack.stock:
        return f"not run: {attack.stock}"
    if found is None:
        return "not measured"
    score, honest = found["score"], HONEST[attack.equals] or 0
    if not found["ended"]:
        said = "never ends"
    elif score is None:
        said = "no grade"
    else:
        said = f"**{score:g} of 7**" if score > honest else f"{score:g} of 7"
    return f"{said}, **reached**" if found["reached"] else said


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    before, _, after = written(PAGE.read_text())
    PAGE.write_text(before + table() + after)
