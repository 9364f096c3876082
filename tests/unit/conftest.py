"""One warm process for all tests, started when the first of them needs it."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import pytest
from hypothesis import settings

from autograder.course import Course
from autograder.sandbox.warm import Warm
from tests.unit import tiny as small
from tests.unit.sandboxed import MARK, Sandbox

# Two busy cores: a deadline a draw would fail for reasons that are nobody's fault. Draws are the same in every run.
settings.register_profile("project", deadline=None, derandomize=True, max_examples=60, database=None)
settings.load_profile("project")


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADER_SECRET", MARK)  # what a grader's environment may hold: tokens, passwords
        with Warm(preload=("numpy", "torch")) as warm:
            warm.wait()
            yield Sandbox(warm.control, warm.process.pid)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A course with the tiny assignment and its release; to be copied, not written to."""
    folder = tmp_path_factory.mktemp("tiny")
    course = small.write_course(folder / "course")
    small.release(course, folder / "scratch")
    return course


@pytest.fixture(scope="module")
def quick() -> Iterator[None]:
    """Batches whose warm process imports nothing beforehand: the tiny assignment needs no torch."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("autograder.batch.Warm", functools.partial(Warm, preload=()))
        yield
