"""The option `--prove` of `make prove`: all cases, where `make test` takes a sample."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--prove",
        action="store_true",
        help="run the tests marked `prove`, take all cases where a test takes a sample, and read no recorded proof",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "prove: runs only under --prove, that is in `make prove`")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect, rather than skip, what only `make prove` runs: a skip stays for what this machine cannot do."""
    if not config.getoption("--prove"):
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("prove")])
        items[:] = [item for item in items if not item.get_closest_marker("prove")]


@pytest.fixture(scope="session")
def proving(pytestconfig: pytest.Config) -> bool:
    """Whether all cases are wanted, and not a sample."""
    return bool(pytestconfig.getoption("--prove"))
