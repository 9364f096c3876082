"""The proof of each assignment: run once for all tests here, or read where it is recorded. In two processes (`pytest -n 2 --dist
loadgroup`) all tests of one assignment stay in one of them, and all tests of another file together."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.proofs import Proof, prove

RECORDED = "recorded proof"
READ = pytest.StashKey[list[str]]()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark it before xdist reads the marks, which it does first of all when the collection is complete."""
    if Path(__file__).parent in item.path.parents:
        item.add_marker(pytest.mark.xdist_group(group(item)))


def group(item: pytest.Item) -> str:
    """The assignment whose proof a test looks at, else its file."""
    callspec = getattr(item, "callspec", None)
    parameters = callspec.params if callspec else {}
    return str(parameters.get("assignment") or parameters.get("exam") or item.path.stem)


@pytest.fixture(scope="session")
def proof_of(
    pytestconfig: pytest.Config, proving: bool, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Proof]:
    """The proof of the assignment of this name."""

    @functools.cache
    def get(name: str) -> Proof:
        if "PYTEST_XDIST_WORKER" in os.environ:  # a second process that proves the same one stops here
            (tmp_path_factory.getbasetemp().parent / f"proven-{name}").touch(exist_ok=False)
        proof = prove(name, tmp_path_factory.mktemp("proof") / "course", whole=proving)
        if proof.recorded:
            pytestconfig.stash.setdefault(READ, []).append(name)
        return proof

    return get


@pytest.fixture(autouse=True)
def note_recorded_proofs(pytestconfig: pytest.Config, record_property: Callable[[str, object], None]) -> Iterator[None]:
    """Have the test that first took a recorded proof say so in its report."""
    yield
    for name in pytestconfig.stash.get(READ, []):
        record_property(RECORDED, name)
    pytestconfig.stash[READ] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the proofs that were not run."""
    reports = [report for kind in terminalreporter.stats.values() for report in kind]
    notes = {note for report in reports for note in getattr(report, "user_properties", ())}
    for name in sorted(value for title, value in notes if title == RECORDED):
        terminalreporter.write_line(f"proof of {name}: recorded, and nothing that it depends on has changed")
