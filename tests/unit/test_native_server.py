"""Formgrader's buttons, pressed as its pages press them, at a server that really runs."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from autograder.course import Course, open_course
from autograder.records.store import read_record
from tests.support.classroom import ROOT, use_stock
from tests.support.tiny import NAME, Desk
from tests.unit.test_native import ESCAPE

TOKEN = "of-this-test"  # noqa: S105, it opens nothing else


@dataclass(frozen=True)
class Server:
    """A Jupyter server in the folder of two courses, of which the first is the one that Formgrader shows at its start."""

    url: str
    course: Course
    other: Course
    outside: (
        Path  # empty as long as no student's code has run outside the sandbox, and no kernel of nbgrader's has started
    )

    def ask(self, path: str, post: bool = True) -> Any:
        headers = {"Authorization": f"token {TOKEN}"}
        request = urllib.request.Request(f"{self.url}{path}", b"" if post else None, headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=120) as reply:  # noqa: S310
            return reply.read().decode()

    def press(self, path: str) -> dict[str, Any]:
        result: dict[str, Any] = json.loads(self.ask(f"/formgrader/api/{path}"))
        return result

    def autograde(self, student: str) -> dict[str, Any]:
        return self.press(f"submission/{NAME}/{quote(student)}/autograde")


@pytest.fixture(scope="module")
def server(tiny: Course, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    course, other = (open_course(shutil.copytree(tiny.root, folder / name)) for name in ("course", "other"))
    outside, startup = folder / "outside", folder / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    outside.mkdir(mode=0o777)
    (startup / "mark.py").write_text(f"open({str(outside / 'kernel-started')!r}, 'w').close()\n")
    for one in (course, other):
        desk = Desk(one.assignment(NAME))
        desk.hand_in("right")
        hostile = ESCAPE.format(path=str(outside / "escaped"))
        desk.hand_in("hostile", desk.answered(square_solution=hostile))
        desk.put("linked", b"").unlink()
        (one.submitted / "linked" / NAME / "tiny.ipynb").symlink_to(one.submitted / "right" / NAME / "tiny.ipynb")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "jupyter", "server", "--no-browser", "--allow-root", f"--ServerApp.port={port}",
        f"--ServerApp.root_dir={folder}", f"--IdentityProvider.token={TOKEN}",
    ]  # fmt: skip
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
    }
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=course.root, env=environment, stdout=log, stderr=log)
    started = Server(f"http://127.0.0.1:{port}", course, other, outside)
    try:
        for _ in range(300):  # 3 s, and 20 s on busy cores
            with_answer = socket.socket()
            if with_answer.connect_ex(("127.0.0.1", port)) == 0:
                with_answer.close()
                break
            with_answer.close()
            assert process.poll() is None, (folder / "log").read_text()[-3000:]
            time.sleep(0.2)
        yield started
    finally:
        process.terminate()
        process.wait(30)


def test_the_installed_package_names_the_extension_where_jupyter_looks() -> None:
    """If this fails, the environment was set up before the extension was there: `pip install -e .` again."""
    installed = Path(sys.prefix) / "etc" / "jupyter" / "jupyter_server_config.d" / "autograder.json"
    assert installed.read_text() == (ROOT / "autograder" / "native" / "autograder.json").read_text()


def test_autograde_uses_the_sandbox_and_keeps_the_server_free(server: Server) -> None:
    with ThreadPoolExecutor() as pool:
        pressed = pool.submit(server.autograde, "hostile")
        answered = 0
        while not pressed.done():
            assert json.loads(server.ask("/formgrader/api/status", post=False)) == {"status": True}
            answered += not pressed.done()
            time.sleep(0.1)
    result = pressed.result()
    assert result["success"], result
    assert "hostile" in result["log"]
    assert "error" not in result
    assert answered > 5, "the server waited"
    assert list(server.outside.iterdir()) == []
    listed = json.loads(server.ask(f"/formgrader/api/submission/{NAME}/hostile", post=False))
    assert (listed["autograded"], listed["score"]) == (True, 1)
    record = read_record(server.course.assignment(NAME), "hostile")
    assert record
    assert record.grade.score == 1


def test_a_link_is_not_followed(server: Server) -> None:
    result = server.autograde("linked")
    assert not result["success"]
    assert "symbolic link" in result["log"]
    assert "some submissions could not be graded" in result["error"]
    assert not (server.course.autograded / "linked").exists()


@pytest.mark.parametrize("student", ["nobody", "--apply", "..", "a b"])
def test_a_name_that_is_no_submission_is_refused_in_one_line(student: str, server: Server) -> None:
    result = server.autograde(student)
    assert not result["success"]
    assert f"{student} has not handed in tiny" in result["error"]
    assert "\n" not in result["error"]


def test_all_are_graded_by_one_button(server: Server) -> None:
    page = server.ask(f"/formgrader/manage_submissions/{NAME}", post=False)
    assert "Autograde all</button>" in page
    assert 'var assignment_id = "tiny"' in page
    result = server.press(f"assignment/{NAME}/autograde")
    assert not result["success"]  # one is a link
    assert all(student in result["log"] for student in ("right", "hostile", "linked"))
    assert {path.name for path in server.course.transcripts.iterdir()} == {"right", "hostile", "linked"}
    assert list(server.outside.iterdir()) == []


@pytest.mark.prove
def test_two_clicks_are_answered_one_after_the_other(server: Server) -> None:
    with ThreadPoolExecutor() as pool:
        results = list(pool.map(server.autograde, ["right", "hostile"]))
    assert [result["success"] for result in results] == [True, True], results


def test_generate_feedback_writes_our_pages(server: Server) -> None:
    assert server.autograde("right")["success"]
    assert server.press(f"assignment/{NAME}/right/generate_feedback")["success"]
    assert [path.name for path in server.course.feedback.iterdir()] == ["right"]
    page = (server.course.feedback / "right" / NAME / "tiny.html").read_text()
    assert "90_000" not in page
    assert server.press(f"assignment/{NAME}/generate_feedback")["success"]
    assert (server.course.feedback / "hostile" / NAME / "tiny.html").is_file()


def test_the_validate_button_runs_in_the_sandbox(server: Server) -> None:
    """In any course below the server's folder, as that course's configuration says; its folder need not be the server's own."""
    for course in ("course", "other"):
        path = f"{course}/gradebook/submitted/hostile/{NAME}/tiny.ipynb"
        result = json.loads(server.ask(f"/assignments/validate?path={path}"))
        assert result["success"], result["value"]
        (failed,) = result["value"]["failed"]
        assert (
            "name 'square' is not defined" in failed["raw_error"] or "The visible check failed" in failed["raw_error"]
        )
    right = json.loads(server.ask(f"/assignments/validate?path=course/gradebook/submitted/right/{NAME}/tiny.ipynb"))
    assert right == {"success": True, "value": {}}
    assert list(server.outside.iterdir()) == []


@pytest.mark.prove
def test_the_buttons_follow_formgrader_to_another_course(server: Server) -> None:
    """And back; one that does not use this engine is nbgrader's."""
    try:
        server.ask(f"/formgrader?path={quote(str(server.other.root))}", post=False)
        assert server.autograde("right")["success"]
        assert (server.other.autograded / "right" / NAME).is_dir()
        assert read_record(server.other.assignment(NAME), "right")
        assert list(server.outside.iterdir()) == []
        use_stock(server.other.root)
        server.ask(f"/formgrader?path={quote(str(server.other.root))}", post=False)
        (server.other.submitted / "right" / NAME / "timestamp.txt").unlink()
        assert "[INFO] Converting notebook" in server.autograde("right")["log"]
        assert [path.name for path in server.outside.iterdir()] == ["kernel-started"]
        assert "Autograde all</button>" not in server.ask(f"/formgrader/manage_submissions/{NAME}", post=False)
    finally:
        (server.outside / "kernel-started").unlink(missing_ok=True)
        server.ask("/formgrader", post=False)
    assert server.autograde("right")["success"]
    assert list(server.outside.iterdir()) == []


def test_a_configuration_that_cannot_be_read_is_an_error(server: Server) -> None:
    """nbgrader would go on without it, and with its own kernel."""
    config = server.course.root / "nbgrader_config.py"
    text = config.read_text()
    try:
        config.write_text(text + "\n)")
        result = server.autograde("right")
    finally:
        config.write_text(text)
    assert not result["success"]
    assert "cannot be read: SyntaxError" in result["error"]
    assert list(server.outside.iterdir()) == []
