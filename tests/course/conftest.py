"""The proof of each assignment: run once for all tests here, or read where it is recorded. Of two processes (`pytest -n 2 --dist
loadfile`) one runs it, and the other waits and reads it."""

from __future__ import annotations

import fcntl
import functools
import time
from collections.abc import Callable, Iterator

import pytest

from tests.support.proofs import RECORDS, Proof, prove

RECORDED = "recorded proof"
READ = pytest.StashKey[list[str]]()
STARTED = time.time()


@pytest.fixture(scope="session")
def proof_of(
    pytestconfig: pytest.Config, proving: bool, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Proof]:
    """The proof of the assignment of this name."""
    top = tmp_path_factory.getbasetemp()
    shared = top.parent if hasattr(pytestconfig, "workerinput") else top  # by the processes of this session
    records = shared / "proofs" if proving else RECORDS
    records.mkdir(parents=True, exist_ok=True)

    @functools.cache
    def get(name: str) -> Proof:
        with (records / f".{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            proof = prove(name, tmp_path_factory.mktemp("proof") / "course", whole=proving, records=records)
        if proof.recorded and (records / f"{name}.proof").stat().st_mtime < STARTED:
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
