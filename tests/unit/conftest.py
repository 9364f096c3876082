"""One warm process for all tests, started when the first of them needs it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from autograder.course import Course
from autograder.sandbox.jail import Outfit
from autograder.sandbox.warm import Warm
from tests.support import tiny as small
from tests.support.sandboxed import FILES, MARK, Sandbox

# Two busy cores: a deadline a draw would fail for reasons that are nobody's fault. Draws are the same in every run.
settings.register_profile("project", deadline=None, derandomize=True, max_examples=60, database=None)
settings.load_profile("project")


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADER_SECRET", MARK)  # what a grader's environment may hold: tokens, passwords
        with Warm(Outfit(["torch"], FILES, environment={"COURSE_DATA": "words"})) as started:
            started.wait()
            yield started


@pytest.fixture(scope="session")
def sandbox(warm: Warm) -> Sandbox:
    return Sandbox(warm.control, warm.process.pid)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A course with the tiny assignment and its release; to be copied, not written to."""
    folder = tmp_path_factory.mktemp("tiny")
    course = small.write_course(folder / "course")
    small.release(course, folder / "scratch")
    return course


class Running:
    """The session's warm process in the place of a batch's own: real, but started already, which takes 4 s."""

    def __init__(self, warm: Warm) -> None:
        self.control = warm.control

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None: ...

    def wait(self) -> None: ...


@pytest.fixture(scope="module")
def quick(warm: Warm) -> Iterator[None]:
    """Batches that need not wait for a warm process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("autograder.judge.batch.Warm", lambda _: Running(warm))
        yield
