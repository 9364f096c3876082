"""One warm process for all tests, started when the first of them needs it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from autograder.sandbox.warm import Warm
from tests.unit.sandboxed import SECRET, Sandbox

# Two busy cores: a deadline a draw would fail for reasons that are nobody's fault. Draws are the same in every run.
settings.register_profile("project", deadline=None, derandomize=True, max_examples=60, database=None)
settings.load_profile("project")


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADER_SECRET", SECRET)  # what a grader's environment may hold: tokens, passwords
        with Warm(preload=("numpy", "torch")) as warm:
            warm.wait()
            yield Sandbox(warm.control, warm.process.pid)
