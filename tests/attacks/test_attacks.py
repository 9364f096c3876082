"""A submission that attacks gets the score of the honest one that it equals; its status says what happened; what it is after
stays where it is; and the one behind it is graded as ever. By the real command.

`make test` runs it once, as an ordinary user, which is the stricter of two ways: student code then has the very user ID of the
grader, and only the sandbox keeps it from the grader's files and processes. Started by root, the sandbox gives up its rights
first, and file permissions help too. `make prove` runs it as root as well, where root runs it."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from nbconvert.exporters import HTMLExporter
from nbgrader.server_extensions.formgrader import handlers

from autograder.course import notebook as nb
from tests.attacks import arena
from tests.attacks.attack import Attack
from tests.attacks.batch import (
    ATTACKS,
    MARK,
    NEIGHBOURS,
    Arena,
    Host,
    fight,
    fingerprint,
    marked_by_hand,
    scores,
    student,
)
from tests.attacks.inert import acts, troubles


@pytest.fixture(scope="session", params=["an ordinary user", pytest.param("root", marks=pytest.mark.prove)])
def fought(request: pytest.FixtureRequest, proving: bool) -> Iterator[Arena]:
    run: list[str] = []
    if request.param == "root" and os.getuid() != 0:
        pytest.skip("who runs this is not root")
    if request.param == "an ordinary user" and os.getuid() == 0:
        run = [sys.executable, str(Path(__file__).with_name("as_nobody.py"))]
        trial = subprocess.run([*run, sys.executable, "-c", ""], capture_output=True, text=True, check=False)
        if trial.returncode:
            if proving:
                pytest.skip(f"root cannot become an ordinary user here: {trial.stderr.strip()[-300:]}")
            run = []  # attacked as root then, rather than not at all
    # Not pytest's own: that is private, and becomes so again whenever another pytest starts.
    with tempfile.TemporaryDirectory(prefix="arena-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield fight(folder, run=run)


each = pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)


def test_honest_submissions_get_what_they_earn(fought: Arena) -> None:
    assert {name: fought.honest(name)["score"] for name in arena.HONEST} == arena.HONEST
    assert all(fought.honest(name)["status"] == "completed" for name in NEIGHBOURS)


@each
def test_the_score_is_that_of_its_honest_equivalent(fought: Arena, attack: Attack) -> None:
    assert scores(fought.of(attack)) == scores(fought.honest(attack.equals))


@each
def test_the_status_says_what_happened(fought: Arena, attack: Attack) -> None:
    assert fought.of(attack)["status"] == attack.status, fought.of(attack)["notes"]


@pytest.mark.parametrize("attack", [attack for attack in ATTACKS if attack.shows], ids=lambda attack: attack.name)
def test_it_was_tried_and_refused(fought: Arena, attack: Attack) -> None:
    """Where the attack itself can say so."""
    outputs = [cell.get("outputs", []) for cell in nb.read(fought.notebook(student(attack)))["cells"]]
    assert "tried" in json.dumps(outputs)
    assert "BREACH" not in json.dumps(outputs)


@each
def test_the_next_submission_is_graded_as_ever(fought: Arena, attack: Attack) -> None:
    kind, line = fought.neighbour(attack)
    assert (line["status"], scores(line)) == ("completed", scores(fought.honest(kind))), line["notes"]


def test_every_layer_is_named_in_every_result_that_ran(fought: Arena) -> None:
    from autograder.sandbox.warm import LAYERS

    for line in fought.lines.values():
        assert line["isolation"] == ([] if line["status"] == "unreadable" else list(LAYERS))


def test_the_course_and_the_graders_files_are_as_they_were(fought: Arena) -> None:
    before, after = dict(fought.before), dict(fought.after)
    for path in [
        path for path in after if path.endswith("/timestamp.txt.original")
    ]:  # what nbgrader cannot read is moved aside
        time = path.removesuffix(".original")
        assert after.pop(path) == before.pop(time)
        after.pop(time, None)
    assert after == before


def test_marks_given_by_a_person_stand(fought: Arena) -> None:
    assert marked_by_hand(fought.assignment, "000-marked") == (1.5, "Well argued.")


def test_nobody_reached_a_service_of_the_hosts(fought: Arena) -> None:
    assert fought.host.visitors == []


def test_nothing_is_left_on_this_machine(fought: Arena) -> None:
    """No process, file, socket, segment or key that an attack made."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        if path.parent.name != str(os.getpid()):
            assert MARK.encode() not in (path.read_bytes() if path.exists() else b"")
    for top in ("/tmp", "/dev/shm", "/var/tmp", "/run", "/dev/mqueue"):
        assert not [path for path in Path(top).glob("*") if MARK in path.name]
    listening = [line for line in Path("/proc/net/unix").read_text().splitlines() if MARK in line]
    assert [line for line in listening if "listener-of-the-host" not in line] == []
    assert MARK not in Path("/proc/keys").read_text()
    assert not list(Path(sys.prefix).rglob(f"{MARK}*"))


def processes_of(folder: Path) -> list[str]:
    """The processes that have this folder in their command line or environment: the command was given the course in it, and it
    as its home."""
    pids = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if bytes(folder) in (process / "cmdline").read_bytes() + (process / "environ").read_bytes():
                pids.append(process.name)
    return pids


def test_no_process_of_the_grader_is_left(fought: Arena) -> None:
    assert processes_of(fought.assignment.course.root.parent) == []


def test_a_process_that_is_left_would_be_seen(tmp_path: Path) -> None:
    """By its command line alone, and by its environment alone."""
    (tmp_path / "file").touch()
    assert processes_of(tmp_path) == []
    for command, environment in (
        (["sleep", "99"], {"HOME": str(tmp_path)}),
        (["tail", "-f", str(tmp_path / "file")], {}),
    ):
        with subprocess.Popen(
            command, env={"PATH": os.environ["PATH"], **environment}, stderr=subprocess.DEVNULL
        ) as it:
            assert processes_of(tmp_path) == [str(it.pid)]
            it.kill()


def test_a_visitor_of_the_hosts_services_would_be_seen(tmp_path: Path) -> None:
    host = Host(tmp_path)
    with host.listening():
        with socket.create_connection(("127.0.0.1", host.port)):
            pass
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(f"\0{MARK}-listener-of-the-host")
        deadline = time.monotonic() + 10
        while len(host.visitors) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
    assert len(host.visitors) == 2


@pytest.mark.parametrize("change", ["content", "mode", "new", "gone", "link", "canary"])
def test_a_change_of_the_course_would_be_seen(tmp_path: Path, change: str) -> None:
    root, canary = tmp_path / "course", tmp_path / "canary"
    for folder in (*(root / name for name in ("source", "release", "assignments", "gradebook/submitted")), canary):
        folder.mkdir(parents=True)
        (folder / "file").write_text("text")
    (root / "nbgrader_config.py").touch()
    before = fingerprint(root, canary)
    assert fingerprint(root, canary) == before
    file = root / "source" / "file"
    if change == "content":
        file.write_text("test")
    elif change == "mode":
        file.chmod(0o777)
    elif change == "new":
        (root / "more").touch()
    elif change == "canary":
        (canary / "more").touch()
    else:
        file.unlink()
    if change == "link":
        file.symlink_to("/etc/passwd")
    assert fingerprint(root, canary) != before


def test_the_graders_memory_stays_small(fought: Arena) -> None:
    """The largest process below this one, ever. A worker with torch has 0.3 GB, and a message of 64 MB becomes 0.2 more."""
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 1_500_000  # kilobytes


def test_what_is_written_about_each_is_small(fought: Arena) -> None:
    course = fought.assignment.course
    written = [
        p
        for top in (course.autograded, course.transcripts)
        for p in top.rglob("*")
        if not p.is_symlink() and p.is_file()
    ]
    assert written
    assert [path for path in written if path.stat().st_size > 2.5 * 2**20] == []  # output_mb is 1


def test_no_secret_of_the_graders_comes_out(fought: Arena) -> None:
    """Neither in what a cell printed, nor in what the command says."""
    assert arena.SECRET not in json.dumps([line["notes"] for line in fought.lines.values()])
    for attack in ATTACKS:
        path = fought.notebook(student(attack))
        if path.is_file():
            theirs = [cell for cell in nb.read(path)["cells"] if not nb.is_test(cell)]
            assert arena.SECRET not in json.dumps(theirs), attack.name


@pytest.fixture(scope="session")
def pages(fought: Arena) -> dict[str, str]:
    """The feedback on each, by student."""
    course = fought.assignment.course
    command = [str(Path(sys.executable).parent / "autograder"), "feedback", arena.NAME, "--course", str(course.root)]
    subprocess.run(command, check=True, capture_output=True)
    return {path.parent.parent.name: path.read_text() for path in course.feedback.glob(f"*/{arena.NAME}/*.html")}


def test_every_attack_has_a_feedback_page_that_runs_and_loads_nothing(fought: Arena, pages: dict[str, str]) -> None:
    assert {name: found for name, page in pages.items() if (found := troubles(page))} == {}
    assert {student(attack) for attack in ATTACKS} <= set(pages)
    assert max(map(len, pages.values())) < 3 * 2**20


def test_no_feedback_page_shows_a_secret_of_the_graders(pages: dict[str, str]) -> None:
    assert [name for name, page in pages.items() if arena.SECRET in page] == []


@pytest.mark.parametrize(
    "markup",
    "<script>x</script> | <img src=x onerror=y> | <a href='javascript:x'> | <iframe> | <svg onload=x> | <base href=x> | <form> | "
    "<img src='data:text/html;base64,x'> | <img src='https://x'> | <p style='background:url(x)'> | <style></style> | <object> | "
    "<link rel=stylesheet href=x> | <meta http-equiv=refresh content=0> | <?xml-stylesheet x?> | <p onclick=x>".split(
        " | "
    ),
)
def test_the_inspector_sees_what_would_run(pages: dict[str, str], markup: str) -> None:
    page = next(iter(pages.values()))
    assert troubles(page) == []
    assert troubles(page.replace("<main>", f"<main>{markup}"))


@pytest.fixture(scope="session")
def formgrader(fought: Arena) -> Callable[[str], str]:
    """The page on which a person marks a student's work, as the course's configuration makes it."""
    config = fought.assignment.course.config()
    config.HTMLExporter.template_name = "formgrade"
    config.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    exporter = HTMLExporter(config=config)  # type: ignore[no-untyped-call]  # nbconvert is typed in part only
    known = {"index": 0, "total": 1, "base_url": "/", "submission_id": "s", "notebook_id": "n", "assignment_id": "a"}
    return lambda name: str(exporter.from_filename(str(fought.notebook(name)), resources={**known, "student": "x"})[0])


def test_nothing_of_an_attack_runs_in_formgrader(fought: Arena, formgrader: Callable[[str], str]) -> None:
    """nbgrader's page has scripts of its own, so what it does is compared with what it does for an honest submission."""
    honest = acts(formgrader("000-solution"))
    graded = [attack for attack in ATTACKS if fought.notebook(student(attack)).is_file()]
    assert {a.name: more for a in graded if (more := acts(formgrader(student(a))) - honest)} == {}


@pytest.mark.parametrize(
    "markup", ["<script>x</script>", "<img src=x onerror=y>", "<a href='javascript:x'>", "<iframe>"]
)
def test_what_would_run_in_formgrader_would_be_seen(formgrader: Callable[[str], str], markup: str) -> None:
    page = formgrader("000-solution")
    assert acts(page.replace("</body>", f"{markup}</body>")) - acts(page)


def test_this_user_is_who_it_says(fought: Arena) -> None:
    """The ordinary user's course is his, and so is all that grading wrote."""
    ours = fought.assignment.course.root.stat().st_uid
    assert {path.stat().st_uid for path in fought.assignment.course.autograded.iterdir()} == {ours}
