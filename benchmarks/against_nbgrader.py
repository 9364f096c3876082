"""Compare stock `nbgrader autograde` with `autograder grade` on the same submissions, in turn.

    make benchmark                                                       60 submissions, 3 rounds: 25 minutes
    python benchmarks/against_nbgrader.py --rounds 1 --submissions 12    a first impression: 2 minutes

Prints medians of wall seconds, CPU seconds and peak memory per submission, their ratios, and the distance to the floor. All
figures include start-up: imports, warm-up, the database. Both sides grade the whole class: a part of it would carry more
of stock's start-up, and none of the answers that are slow for any grader. RESULTS.md keeps the figures.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from benchmarks.process_tree import Cost, measure
from tests.support.classroom import NAME, ROOT, Classroom, hand_in, make_course, use_stock

BIN = Path(sys.executable).parent
FOLDER = ROOT / "build" / "benchmark"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--submissions", type=int, default=60, help="how many each side grades per round (default 60)")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    students = make_class(options.submissions)
    count = len(students)
    ours_1, ours_2, stock, floor, gaps = [], [], [], [], []
    for turn in range(1, options.rounds + 1):
        stock.append(grade_stock(turn))
        before = floor_seconds(students[:20])
        cost, gap = grade_ours(1)
        ours_1.append(cost)
        gaps.append(gap)
        floor.append((before + floor_seconds(students[:20])) / 2)  # a machine's speed changes within a minute
        ours_2.append(grade_ours(2)[0])
        print(
            f"round {turn}: stock {show(stock[-1], count)} | 1 worker {show(cost, count)} | "
            f"2 workers {show(ours_2[-1], count)} | warm {gap:.2f} s | floor {floor[-1]:.2f} s",
            flush=True,
        )
    report(stock, ours_1, ours_2, count, gaps, floor)


def make_class(size: int) -> list[str]:
    """Hand in `size` working submissions, the solution and the wheats in turn; the students' names."""
    course = make_course(FOLDER)
    classroom = Classroom(course.assignment(NAME))
    working = itertools.cycle([*classroom.variants("solution"), *classroom.variants("wheat")])
    names = []
    for index, pupil in zip(range(size), working, strict=False):
        names.append(f"student-{index:03}")
        hand_in(course.assignment(NAME), type(pupil)(names[-1], pupil.status, pupil.expected, pupil.hand_in))
    stock = FOLDER.with_name("benchmark-stock")
    use_stock(Path(shutil.copytree(FOLDER, stock, dirs_exist_ok=True)))
    return names


def environment() -> dict[str, str]:
    """The environment of both sides: one BLAS thread, since two processes on two cores with more only wait for each other."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "PATH": f"{BIN}:{os.environ['PATH']}"}


def grade_stock(turn: int) -> Cost:
    """Run `nbgrader autograde` on a copy of the class; the assignment is in its gradebook beforehand."""
    folder = FOLDER.with_name("benchmark-stock")
    if turn == 1:
        subprocess.run(
            [BIN / "nbgrader", "generate_assignment", NAME, "--force"],
            cwd=folder,
            env=environment(),
            check=True,
            capture_output=True,
        )
    os.environ.update(environment())
    return measure([str(BIN / "nbgrader"), "autograde", NAME, "--force"], folder)


def grade_ours(workers: int) -> tuple[Cost, float]:
    """Run `autograder grade` on the class; also the median seconds between two results once everything is warm."""
    times: list[float] = []
    command = [str(BIN / "autograder"), "grade", NAME, "--again", "--json", "--workers", str(workers)]

    def line(text: str) -> None:
        result = json.loads(text)
        if result["score"] != result["max_score"] - 3:  # a person gives three points
            sys.exit(f"{result['student']} got {result['score']}: {result}")
        times.append(time.monotonic())

    cost = measure(command, FOLDER, line)
    gaps = [later - earlier for earlier, later in itertools.pairwise(times[2:])]
    return cost, statistics.median(gaps)


def floor_seconds(students: list[str]) -> float:
    """The median seconds that the same cells take in one hot process."""
    command = [sys.executable, str(ROOT / "benchmarks" / "floor.py"), str(FOLDER), NAME, *students]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), check=True)
    return statistics.median(float(line) for line in done.stdout.split())


def show(cost: Cost, count: int) -> str:
    return f"{cost.wall / count:.2f} s wall, {cost.cpu / count:.2f} s CPU, {cost.peak_bytes / 2**20:.0f} MB peak"


def report(  # noqa: PLR0913, PLR0917  (one list of measurements for each column)
    stock: list[Cost], one: list[Cost], two: list[Cost], count: int, gaps: list[float], floor: list[float]
) -> None:
    """Print medians over the rounds; ratios are taken within each round."""

    def row(name: str, costs: list[Cost]) -> None:
        wall, cpu = (statistics.median(getattr(c, f) for c in costs) / count for f in ("wall", "cpu"))
        peak = statistics.median(c.peak_bytes for c in costs) / 2**20
        pairs = list(zip(stock, costs, strict=True))
        faster = statistics.median(s.wall / c.wall for s, c in pairs)
        leaner = statistics.median(s.cpu / c.cpu for s, c in pairs)
        print(f"{name:24}{wall:12.2f}{cpu:12.2f}{peak:12.0f}{faster:14.1f}{leaner:14.1f}")

    print(f"\n{'per submission':24}{'wall s':>12}{'CPU s':>12}{'peak MB':>12}{'x less wall':>14}{'x less CPU':>14}")
    row("stock nbgrader", stock)
    row("autograder, 1 worker", one)
    row("autograder, 2 workers", two)
    ratio = statistics.median(gap / low for gap, low in zip(gaps, floor, strict=True))
    print(
        f"\nonce warm, 1 worker: {statistics.median(gaps):.2f} s per submission; the floor is {statistics.median(floor):.2f} s; "
        f"{ratio:.2f} times the floor"
    )


if __name__ == "__main__":
    main()
