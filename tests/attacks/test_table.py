"""SECURITY.md lists exactly the suite's attacks, with the outcomes that the suite asserts."""

from __future__ import annotations

import re

from tests.attacks.arena import HONEST
from tests.attacks.batch import ATTACKS
from tests.attacks.table import PAGE, table, written


def test_the_table_is_the_suites() -> None:
    """`make attacks-table` writes it anew."""
    assert written(PAGE.read_text())[1] == table()


def test_each_attack_stands_in_it_once() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \|", written(PAGE.read_text())[1], re.MULTILINE)
    assert rows == [attack.name for attack in ATTACKS]
    assert len(set(rows)) == len(rows) >= 60


def test_each_attack_names_an_honest_equivalent() -> None:
    assert {attack.equals for attack in ATTACKS} | {attack.base for attack in ATTACKS} <= set(HONEST)
