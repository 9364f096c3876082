"""Submissions that change while they are graded, time that runs out, and a clock that jumps."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from autograder.course import open_course
from autograder.records.store import parse_record
from tests.faults.conftest import Undisturbed
from tests.faults.scene import Ledger, Scene
from tests.faults.test_processes import completes
from tests.support.deep import nested
from tests.support.tiny import NAME, Desk


def test_a_submission_that_changes_while_it_is_graded_is_graded_as_it_then_is(
    scene: Scene, undisturbed: Undisturbed
) -> None:
    """Every notebook is another one while the run goes on, one folder is gone and one is a file; then all is as before. What the
    run made of it in between does not stand."""
    submitted = scene.course.submitted
    kept = shutil.copytree(submitted, scene.folder / "kept")
    desk = Desk(scene.course.assignment(NAME))
    with scene.grading() as run:
        run.wait_for(3)
        for name in undisturbed.students:
            if name != "broken":
                desk.hand_in(name, desk.answered(square_solution="def square(x): return 0"))
        shutil.rmtree(submitted / "student-4")
        shutil.rmtree(submitted / "student-5" / NAME)
        (submitted / "student-5" / NAME).write_text("not a folder")
        assert run.end() == 1, run.said
    shutil.rmtree(submitted)
    shutil.copytree(kept, submitted)
    completes(scene, undisturbed, [])


def test_what_is_over_its_time_loses_the_rest_and_nobody_waits_for_it(scene: Scene, undisturbed: Undisturbed) -> None:
    """Each cell is within its limit, and all together are not."""
    settings = scene.course.assignment(NAME).folder / "assignment.toml"
    settings.write_text("[limits]\nsubmission_seconds = 8\n")
    course = open_course(scene.course.root)
    desk = Desk(course.assignment(NAME))
    slow = desk.answered(
        double_solution="import time\ntime.sleep(4)\ndef double(x):\n    time.sleep(4.5)\n    return 2 * x"
    )
    desk.hand_in("student-0", slow)
    with scene.grading() as run:
        assert run.end() == 1, run.said
    lines = {line["student"]: line for line in run.lines}
    assert (lines["student-0"]["status"], lines["student-0"]["score"]) == ("timed out", 2)
    assert {name: line["score"] for name, line in lines.items() if name != "student-0"} == {
        name: line["score"] for name, line in scores(undisturbed).items() if name != "student-0"
    }


def scores(undisturbed: Undisturbed) -> dict[str, dict[str, object]]:
    records = {
        name: parse_record(json.dumps(text | {"run": ""}).encode()) for name, text in undisturbed.after.records.items()
    }
    return {name: {"score": record and record.grade.score} for name, record in records.items()}


def test_a_clock_that_jumps_changes_nothing(scene: Scene, undisturbed: Undisturbed) -> None:
    """Every look at the clock of the day gives another day, in the process that writes and in its workers."""
    folder = scene.folder / "jumping"
    folder.mkdir()
    jumping = (
        "import random, time\nreal = time.time\ntime.time = lambda: real() + random.uniform(-1, 1) * 86400 * 400\n"
    )
    (folder / "sitecustomize.py").write_text(jumping)
    path = os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))
    with scene.grading(environment={"PYTHONPATH": path}) as run:
        assert run.end() == 1, run.said
    assert Ledger.of(scene.course) == undisturbed.after


def test_the_files_of_a_folder_may_be_odd(scene: Scene, undisturbed: Undisturbed) -> None:
    """Folders as deep as paths can be, names that are no text, a pipe, a loop of links; and names that are no student's."""
    folder = scene.course.submitted / "student-0" / NAME
    (Path(os.fsdecode(bytes(folder) + b"/\xff\xfe"))).write_bytes(b"odd")
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to(folder)
    odd = [b"\xff", b"new\nline", b"half\xed\xb0\x80", "\u2028".encode()]
    for name in odd:
        (scene.course.submitted / os.fsdecode(name) / NAME).mkdir(parents=True)
    with nested(folder):
        run = scene.grade()
    assert sorted(run.graded) == undisturbed.students
    assert run.said.count("skipped folder") == len(odd)
    assert Ledger.of(scene.course).rows == undisturbed.after.rows
    assert json.dumps(run.lines)
