"""A process that dies, or is told to end, at whatever moment: another run completes the class as if nothing had been."""

from __future__ import annotations

import os
import random
import signal
import time

import pytest

from autograder.records.store import record_path
from tests.faults.conftest import Undisturbed
from tests.faults.scene import SEEDS, Ledger, Running, Scene, ended
from tests.support.tiny import NAME


def completes(scene: Scene, undisturbed: Undisturbed, reported: list[str]) -> None:
    """A second run, and the count: everybody once, and all as without a fault; what was reported is not made again; nothing
    is left over."""
    assignment = scene.course.assignment(NAME)
    saved = {name: record_path(assignment, name).stat().st_mtime_ns for name in reported}
    second = scene.grade()
    assert sorted(second.graded) == undisturbed.students
    assert {name: record_path(assignment, name).stat().st_mtime_ns for name in saved} == saved
    assert Ledger.of(scene.course) == undisturbed.after
    assert scene.left_over() == []


@pytest.mark.parametrize("part", ["workers", "warm", "fork server"])
def test_a_process_that_is_killed_costs_nobody_a_mark(scene: Scene, undisturbed: Undisturbed, part: str) -> None:
    """The run itself goes on with new ones."""
    with scene.grading() as run:
        run.wait_for(3)
        assert run.kill(part)
        assert run.end() == 1, run.said
    assert sorted(run.graded) == undisturbed.students
    assert Ledger.of(scene.course) == undisturbed.after
    assert scene.left_over() == []


def test_where_every_worker_is_killed_the_run_stops_and_what_was_graded_stands(
    scene: Scene, undisturbed: Undisturbed
) -> None:
    """As on a machine that has no memory left: one line, soon, and nobody is told to have failed three times."""
    with scene.grading() as run:
        run.wait_for(1)
        while run.process.poll() is None:
            run.kill("workers")
            time.sleep(0.05)
        assert run.end() == 2, run.said
    assert "saved results are kept" in run.said.splitlines()[-1]
    completes(scene, undisturbed, run.graded)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_process_may_be_killed_at_any_moment(scene: Scene, undisturbed: Undisturbed, seed: int) -> None:
    """While they start, too; a start that fails is told, and the next run does what is left."""
    draw = random.Random(seed)
    with scene.grading() as run:
        time.sleep(draw.uniform(0.3, 1) * undisturbed.seconds)
        run.kill(draw.choice(["workers", "warm", "fork server", "jail"]))
        code = run.end()
    assert code == 1 or (code in (2, 3) and len(run.said.splitlines()) == 1), run.said
    completes(scene, undisturbed, run.graded)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_when_the_power_goes_nothing_is_lost_or_half_written(scene: Scene, undisturbed: Undisturbed, seed: int) -> None:
    """kill -9 of the process that writes, twice, each at a random moment; what it started ends by itself."""
    draw, reported = random.Random(seed), []
    for _ in range(2):
        with scene.grading() as run:
            time.sleep(draw.uniform(0.2, 1) * undisturbed.seconds)
            everyone = run.parts()["all"]
            os.kill(run.process.pid, signal.SIGKILL)
            assert ended(everyone - {run.process.pid})
            run.end()
        reported += run.graded
    completes(scene, undisturbed, reported)


INT, TERM, HUP = signal.SIGINT, signal.SIGTERM, signal.SIGHUP


@pytest.mark.parametrize("signals", [[INT], [INT, INT, INT], [HUP, TERM]])
def test_a_run_that_is_told_to_end_puts_everything_away(
    scene: Scene, undisturbed: Undisturbed, signals: list[int]
) -> None:
    """Ctrl-C, an impatient Ctrl-C, a terminal that closes while the machine shuts down: one line, and code 130."""
    with scene.grading() as run:
        run.wait_for(5)
        stops(scene, run, signals)
    completes(scene, undisturbed, run.graded)


def test_a_run_can_be_stopped_while_it_starts(scene: Scene, undisturbed: Undisturbed) -> None:
    with scene.grading() as run:
        while not run.parts().keys() & {"warm", "jail", "fork server"}:
            time.sleep(0.02)
        stops(scene, run, [INT, INT])
    assert Ledger.of(scene.course) == undisturbed.before


def stops(scene: Scene, run: Running, signals: list[int]) -> None:
    everyone = run.parts()["all"]
    for number in signals:
        run.interrupt(number)
        time.sleep(0.1)
    assert run.end() == 130, run.said
    assert run.said.strip() == "stopped; rerun to grade the rest; saved results are kept"
    assert ended(everyone)
    assert scene.left_over() == []
