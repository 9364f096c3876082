"""Grade a large class, every tenth submission hostile, and compare memory, open files, processes, mounts and temporary files
at the end with those near the start.

    python benchmarks/soak.py                                       1,000 submissions with two workers: about six minutes
    python benchmarks/soak.py --submissions 200 --plot soak.svg     fewer, with a plot of the memory
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
from collections import Counter
from dataclasses import astuple, dataclass, fields
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from benchmarks.against_nbgrader import BIN, environment
from benchmarks.memory import open_files, parts
from benchmarks.process_tree import rollup
from tests.support import tiny
from tests.support.classroom import ROOT

FOLDER = ROOT / "build" / "soak"
LIMITS = "cell_seconds = 2\ncall_seconds = 2\nmemory_mb = 256\nprocesses = 30\ndisk_mb = 16\noutput_mb = 1\n"
FOREVER = "\nwhile True: pass"
HEARS_NO_SIGNAL = "import signal\nfor n in set(signal.Signals) - {9, 19}: signal.signal(n, signal.SIG_IGN)" + FOREVER
NOISE = (
    "from autograder.sandbox.ipython import KernelApp\nKernelApp.instance().line.socket.sendall(b'\\xff' * 99)"
    + FOREVER
)
# Code before the second answer, and the status that it leads to. The first answer is always right: 2 points.
HOSTILE = {
    "while True: pass": "timed out",
    "hoard = []\nwhile True: hoard.append(bytearray(b'1' * 2**20))": "out of memory",
    "import os\nos._exit(0)": "died",
    "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass": "timed out",
    "print('x' * 20_000_000)": "output limit",
    "import os\nheld = []\nwhile True: held.append(os.open('/dev/null', 0))": "completed",
    "n = 0\nwhile True:\n    open(f'/tmp/{n}', 'wb').write(bytes(2**20))\n    n += 1": "completed",
    "import subprocess\nfor _ in range(5): subprocess.Popen('setsid sleep 1000 & setsid sleep 1000', shell=True)": "completed",
    HEARS_NO_SIGNAL: "timed out",
    NOISE: "died",
}  # fmt: skip
# How much the last tenth of a run may exceed its second tenth: allocators keep a few pages more or less.
LEVEL_MB = 8
LEVEL_FILES = 12  # a worker that has just lost a child and its spare has six fewer
LINES = {"writer": "a", "workers": "b", "warm": "c"}


@dataclass(frozen=True)
class Sample:
    """What a run holds when `graded` submissions are done: memory in MB, the rest as counts. Memory is private, but anonymous for
    the warm process, since its children share it. Processes are those that stay; children come and go."""

    graded: int
    writer: float
    workers: float
    warm: float
    files: int
    processes: int
    mounts: int
    temporary: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--submissions", type=int, default=1000)
    parser.add_argument("--plot", type=Path, help="where to write the plot")
    options = parser.parse_args()
    samples, ends = grade(hand_in(options.submissions), every=max(1, options.submissions // 100))
    wrong = Counter({end: n for end, n in ends.items() if end[0] != end[1]})
    print(f"\n{sum(ends.values())} graded, by status: {dict(Counter(status for _, status in ends.elements()))}")
    print(f"status other than expected: {dict(wrong) or 'none'}")
    grown = growth(samples)
    print(f"from the second tenth to the last: {', '.join(f'{name} {more:+g}' for name, more in grown.items())}")
    level = all(
        more <= (LEVEL_MB if name in LINES else LEVEL_FILES if name == "files" else 0) for name, more in grown.items()
    )
    print("level" if level else "NOT level")
    if options.plot:
        options.plot.write_text(plot(samples))
    sys.exit(0 if level and not wrong else 1)


def hand_in(count: int) -> dict[str, str]:
    """Hand in `count` submissions, every tenth hostile; the expected status by student."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    course = tiny.write_course(FOLDER / "course")
    tiny.release(course, FOLDER / "scratch")
    assignment = course.assignment(tiny.NAME)
    (assignment.folder / "assignment.toml").write_text(f"[limits]\n{LIMITS}")
    (FOLDER / "tmp").mkdir()
    desk, hostile, expected = tiny.Desk(assignment), itertools.cycle(HOSTILE.items()), {}
    for number in range(count):
        source, status = next(hostile) if number % 10 == 9 else ("", "completed")
        expected[f"student-{number:05}"] = status
        answers = {"double_solution": f"{source}\n{tiny.RIGHT['double-solution']}"} if source else {}
        desk.hand_in(f"student-{number:05}", desk.answered(**answers))
    return expected


def grade(expected: dict[str, str], every: int) -> tuple[list[Sample], Counter[tuple[str, str]]]:
    """Grade them with the real command: a sample every so often, and the count of each (expected, actual) status."""
    command = [str(BIN / "autograder"), "grade", tiny.NAME, "--json", "--workers", "2"]
    process = subprocess.Popen(
        command,
        cwd=FOLDER / "course",
        stdout=subprocess.PIPE,
        text=True,
        env=environment() | {"TMPDIR": str(FOLDER / "tmp")},
    )
    assert process.stdout is not None
    samples, ends = [], Counter[tuple[str, str]]()
    print("".join(f"{field.name:>11}" for field in fields(Sample)))
    for number, line in enumerate(process.stdout, 1):
        row = json.loads(line)
        assert row["score"] == 3 or (row["status"] != "failed" and row["score"] >= 2), row
        ends[expected[row["student"]], row["status"]] += 1
        if number % every == 0 and number < len(expected):  # after the last one, the workers are leaving
            samples.append(sample(number, process.pid))
        if number % (10 * every) == every:
            print("".join(f"{value:11.0f}" for value in astuple(samples[-1])), flush=True)
    assert process.wait() == 0
    assert not (left := list((FOLDER / "tmp").iterdir())), left
    return samples, ends


def sample(graded: int, root: int) -> Sample:
    """What the run of process `root` holds now."""
    pids = parts(root)
    warm = pids["jail"][:3]  # bwrap, its first process and the warm one
    stay = pids["main"] + pids["workers"] + warm
    private = [sum(_private(pid) for pid in part) for part in (pids["main"], pids["workers"])]
    anonymous = sum(rollup(pid).get("Anonymous", 0) for pid in warm)
    writer, workers, shared = (size / 2**20 for size in (*private, anonymous))
    return Sample(
        graded,
        writer,
        workers,
        shared,
        sum(map(open_files, stay)),
        len(stay),
        len(Path("/proc/self/mounts").read_text().splitlines()),
        # os.walk passes over folders that go while it looks, as at the end of a run; rglob raises.
        sum(len(folders) + len(files) for _, folders, files in os.walk(FOLDER / "tmp")),
    )


def _private(pid: int) -> int:
    return rollup(pid).get("Private_Dirty", 0) + rollup(pid).get("Private_Clean", 0)


def growth(samples: list[Sample]) -> dict[str, float]:
    """The median of each value in the last tenth of a run, less the median in its second tenth."""
    tenth = max(1, len(samples) // 10)
    early, late = samples[tenth : 2 * tenth], samples[-tenth:]
    names = [field.name for field in fields(Sample) if field.name != "graded"]
    median = {name: [statistics.median(getattr(s, name) for s in part) for part in (early, late)] for name in names}
    return {name: round(after - before, 1) for name, (before, after) in median.items()}


STYLE = """
  .page { fill: #ffffff; stroke: #c8ced6; }
  text { fill: #1c2128; font: 13px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
  .axis { stroke: #8b95a1; } .grid { stroke: #e3e7ec; }
  polyline { fill: none; stroke-width: 1.8; } .a { stroke: #0550ae; } .b { stroke: #b35900; } .c { stroke: #1a7f37; }
  @media (prefers-color-scheme: dark) {
    .page { fill: #11151b; stroke: #3b4552; }
    text { fill: #e4e9ef; }
    .axis { stroke: #717c89; } .grid { stroke: #262e38; }
    .a { stroke: #82bdff; } .b { stroke: #ffa873; } .c { stroke: #6fdd8b; }
  }
"""


def plot(samples: list[Sample]) -> str:
    """An SVG plot of the memory of the three parts over the submissions graded, for light and dark pages."""
    most, last = max(max(s.writer, s.workers, s.warm) for s in samples) * 1.15, samples[-1].graded
    body = [f"<style>{STYLE}</style>", '<rect class="page" x="1" y="1" width="718" height="298" rx="10"/>']
    step = 50 if most > 150 else 25
    for size in range(0, int(most) + 1, step):
        y = 260 - 220 * size / most
        body.append(f'<line class="grid" x1="60" x2="700" y1="{y:.1f}" y2="{y:.1f}"/>')
        body.append(f'<text x="52" y="{y + 4:.1f}" text-anchor="end">{size}</text>')
    for tick in range(0, last + 1, int(round(last / 5, -2)) or max(1, last // 5)):
        body.append(f'<text x="{60 + 640 * tick / last:.1f}" y="280" text-anchor="middle">{tick}</text>')
    body.append('<line class="axis" x1="60" x2="700" y1="260" y2="260"/>')
    body.append('<text x="60" y="24">MB, over submissions graded</text>')
    for place, (name, style) in enumerate(LINES.items()):
        sizes = [getattr(s, name) for s in samples]
        points = " ".join(
            f"{60 + 640 * s.graded / last:.1f},{260 - 220 * size / most:.1f}"
            for s, size in zip(samples, sizes, strict=True)
        )
        x = 400 + 100 * place
        body.append(f'<polyline class="{style}" points="{points}"/>')
        body.append(f'<polyline class="{style}" points="{x},20 {x + 20},20"/><text x="{x + 26}" y="24">{name}</text>')
    head = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 300" role="img" aria-labelledby="title">'
    title = f'<title id="title">Memory of the writer, the workers and the warm process over {last} submissions</title>'
    return "\n".join([head, title, *body, "</svg>\n"])


if __name__ == "__main__":
    main()
