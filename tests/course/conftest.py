"""The proof of each assignment: run once for all tests here, or read where it is recorded."""

from __future__ import annotations

import functools
from collections.abc import Callable

import pytest

from tests.support.proofs import Proof, prove

READ = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def proof_of(
    pytestconfig: pytest.Config, proving: bool, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Proof]:
    """The proof of the assignment of this name."""

    @functools.cache
    def get(name: str) -> Proof:
        proof = prove(name, tmp_path_factory.mktemp("proof") / "course", anew=proving)
        if proof.recorded:
            pytestconfig.stash.setdefault(READ, []).append(name)
        return proof

    return get


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name the proofs that were not run."""
    for name in config.stash.get(READ, []):
        terminalreporter.write_line(f"proof of {name}: recorded, and nothing that it depends on has changed")
