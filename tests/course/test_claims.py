"""What the notebooks say about numbers, where no cell of theirs shows it."""

from __future__ import annotations

import ast
from typing import Any

import pytest
import torch
from torch.nn import functional

from autograder.course import notebook as nb
from autograder.course import open_course
from tests.support.classroom import ROOT


def test_each_random_rotation_is_as_likely_as_any_other() -> None:
    """So that ten turned texts are found once on average, as notebook 2 says: for each image the probabilities of the texts add
    up to 1. With QR alone it is .76 here."""
    source = nb.read(open_course(ROOT).assignment("2-shared-space").source_path)
    (text,) = (nb.source(cell) for cell in source["cells"] if "def random_rotation" in nb.source(cell))
    names: dict[str, Any] = {"torch": torch}
    for statement in ast.parse(text).body:
        if isinstance(statement, ast.FunctionDef) and statement.name == "random_rotation":
            exec(ast.unparse(statement), names)  # noqa: S102  (the notebook is ours)
    generator = torch.Generator().manual_seed(1)
    texts = functional.normalize(
        torch.randn(10, 96, generator=generator, dtype=torch.float64) + 2, dim=1
    )  # near each other
    images = texts + 0.1 * torch.randn(10, 96, generator=generator, dtype=torch.float64)
    own = torch.arange(10)
    found = 0.0
    for _ in range(2000):
        turned = texts @ names["random_rotation"](96, generator)
        found += float(((images @ turned.T).argmax(dim=1) == own).double().sum()) / 2000
    assert found == pytest.approx(1, abs=0.15)
