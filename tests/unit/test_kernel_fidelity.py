"""A stock kernel and ours show the same outputs for every tricky cell, so what a student sees in Jupyter is what is graded."""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError
from nbformat import from_dict

from autograder.course import notebook as nb
from tests.support.sandboxed import Sandbox, code, executed, notebook
from tests.unit.tricky_cells import CELLS

# Cells whose outputs may differ, and why that is acceptable.
ACCEPTED = {
    "recursion": "our kernel has 4 more frames of its own, so a recursion ends 4 calls sooner, of 3,000",
}
NORMALISED = (
    (r"0x[0-9a-f]{6,}", "0xADDRESS"),
    (r"~?(?:/[\w.+-]+)*/(?:ipykernel_\d+/\d+\.py|lib/python3\.\d+/)", "FILE/"),
    (r"[\d.]+(?:e\+\d+)? ?(?:ns|[µμ]s|us|ms|s|min)\b(?: ± .*)?", "TIME"),
    (r"\(\d+ times\)", "(MANY times)"),  # a recursion's depth counts the kernel's own frames
    (r"<dc:date>.*?</dc:date>", "DATE"),
    (r"\b[0-9a-f]{32}\b", "ID"),
)


def normalise(output: Any) -> Any:
    """Replace addresses, times, execution ids and paths of this machine in an output."""
    if isinstance(output, dict):
        return {key: normalise(value) for key, value in output.items() if key != "execution_count"}
    if isinstance(output, list):
        return [normalise(item) for item in output]
    if isinstance(output, str):
        for pattern, name in NORMALISED:
            output = re.sub(pattern, name, output)
    return output


def in_stock(cells: list[nb.Cell], folder: Path) -> Any:
    """Execute the cells in a stock kernel; return the notebook.

    That kernel has threads. If a cell forks it while one of them holds a lock, the copy waits for the lock for ever (seen
    once, in the cell with a pool of processes). So there are three tries.
    """
    # With PYTEST_CURRENT_TEST in its environment, ipykernel does not capture descriptors 1 and 2.
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    environment |= {"PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "LANG": "C.UTF-8"}
    settings = {"timeout": 60, "allow_errors": True, "coalesce_streams": True, "kernel_name": "python3"}
    for tries_left in (2, 1, 0):
        stock = from_dict(notebook(*cells))
        try:
            NotebookClient(stock, resources={"metadata": {"path": str(folder)}}, **settings).execute(env=environment)
            break
        except CellTimeoutError:
            if not tries_left:
                raise
    return stock


@pytest.fixture(scope="module")
def shown(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Any, Any]]:
    """Every cell's outputs in a stock kernel and in ours, by the cell's name."""
    cells = [code(source) for source in CELLS.values()]
    with ThreadPoolExecutor(1) as beside:
        running = beside.submit(in_stock, cells, tmp_path_factory.mktemp("stock"))
        ours = executed(sandbox.judge(*cells))
        stock = running.result()
    pairs = zip(CELLS, stock.cells, ours.cells, strict=True)
    return {name: (normalise(stock_cell.outputs), normalise(our_cell.outputs)) for name, stock_cell, our_cell in pairs}


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_shows_in_the_sandbox_what_it_shows_in_jupyter(name: str, shown: dict[str, tuple[Any, Any]]) -> None:
    stock, ours = shown[name]
    if name in ACCEPTED:
        assert stock != ours, f"no longer different: remove it from the list ({ACCEPTED[name]})"
    else:
        assert ours == stock
