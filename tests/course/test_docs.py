"""The pages are true: their console commands run, the instructor's example is built, and nothing of the command line is left
out of them."""

from __future__ import annotations

import inspect
import itertools
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest
from msgspec.structs import asdict
from nbformat.v4 import new_code_cell, new_notebook, writes

from autograder import checks, cli
from autograder.checks.comparisons import Place
from autograder.course import Assignment, Course, Limits, Settings, open_course
from autograder.course import notebook as nb
from autograder.proof import release
from autograder.proof.audit.findings import KINDS, Finding
from autograder.proof.build import build
from autograder.proof.expectation import Expectation
from autograder.proof.faults import find_faults
from autograder.proof.margins import Margin
from autograder.proof.regions import find_marker_faults
from autograder.records.change import Change
from autograder.records.grade import STATUSES, CellGrade, Check, Grade
from tests.pictures import CELLS, SHOWN, SIZES, TASK
from tests.support import tree
from tests.support.classroom import NAME, ROOT, Classroom, Pupil, hand_in, make_course, worth
from tests.support.proofs import Proof
from tests.unit.test_rooms import ROOMS

BIN = Path(sys.executable).parent
README = ROOT / "README.md"
PAGES = [
    README,
    *sorted((ROOT / "docs").glob("*.md")),
    *(
        ROOT / name
        for name in ("SECURITY.md", "CHANGELOG.md", "CONTRIBUTING.md", "gradebook/README.md", "benchmarks/RESULTS.md")
    ),
]
EXAMPLE = "2-unit-rows"


@dataclass(frozen=True)
class Block:
    """A fenced block: the words after the fence, and its text."""

    language: str
    title: str
    text: str


def blocks(page: Path) -> list[Block]:
    found = re.findall(r"^```(\w+) ?(.*)\n((?:.*\n)*?)```$", page.read_text(), re.MULTILINE)
    return [Block(*parts) for parts in found]


def commands(page: Path) -> Iterator[tuple[str, int]]:
    """Each `$ ` line of the console blocks, and the exit code that it says it has."""
    for block in blocks(page):
        for line in block.text.splitlines():
            if block.language == "console" and line.startswith("$ "):
                command, _, code = line.removeprefix("$ ").partition("  # exits ")
                yield command, int(code or 0)


def spans(page: Path) -> str:
    """All that stands in a page as code."""
    text = page.read_text()
    return "\n".join([*re.findall(r"`([^`\n]+)`", text), *(block.text for block in blocks(page))])


CODE = {page: spans(page) for page in PAGES}
ALL_CODE = "\n".join(CODE.values())


@pytest.mark.parametrize("page", [page for page in PAGES if any(commands(page))], ids=lambda page: page.name)
def test_every_console_command_of_a_page_ends_as_it_says(page: Path, tmp_path: Path) -> None:
    """In order, in one course: a right, a wrong and an unreadable submission."""
    course = make_course(tmp_path / "course")
    course.submitted.parent.mkdir(exist_ok=True)  # in a clone it is there
    room = Classroom(course.assignment(NAME))
    mishap = next(pupil for pupil in room.mishaps() if pupil.status == "unreadable")
    for number, pupil in enumerate([*room.variants("solution"), *room.variants("chaff-predict-words"), mishap], 1):
        hand_in(room.assignment, Pupil(f"student-{number}", pupil.status, pupil.expected, pupil.hand_in))
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    for command, code in commands(page):
        done = subprocess.run(
            ["bash", "-c", command], cwd=course.root, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, f"{command}\n{done.stdout}{done.stderr}"


def test_a_console_block_holds_commands_alone() -> None:
    for page in PAGES:
        for block in blocks(page):
            if block.language == "console":
                assert all(line.startswith("$ ") for line in block.text.splitlines()), (page.name, block.text)


def test_every_make_target_that_a_page_names_exists() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"^make (\w+)$", ALL_CODE, re.MULTILINE))
    assert {"demo", "test"} <= named <= targets


def test_every_nbgrader_subcommand_that_a_page_names_exists() -> None:
    from nbgrader.apps.dbapp import DbApp
    from nbgrader.apps.nbgraderapp import NbGraderApp

    named = set(re.findall(r"^(?:\$ )?nbgrader ([a-z_]+)", ALL_CODE, re.MULTILINE))
    assert {"collect", "release_assignment", "release_feedback", "submit"} <= named <= set(NbGraderApp.subcommands)
    assert set(re.findall(r"\bnbgrader db ([a-z]+)", ALL_CODE)) <= set(DbApp.subcommands)


def commands_of_cli() -> list[tuple[str, click.Command]]:
    return sorted(cli.main.commands.items())


def test_pages_name_no_autograder_command_that_is_not_there() -> None:
    named = set(re.findall(r"^(?:\$ )?autograder ([a-z]+)\b", ALL_CODE, re.MULTILINE))
    assert {"build", "grade"} <= named <= set(cli.main.commands)


@pytest.mark.parametrize(("name", "command"), commands_of_cli())
def test_the_readme_has_a_row_for_every_command_with_every_option(name: str, command: click.Command) -> None:
    row = next((line for line in README.read_text().splitlines() if line.startswith(f"| `autograder {name}")), "")
    assert row, f"no row for autograder {name}"
    options = {text for option in command.params if isinstance(option, click.Option) for text in option.opts}
    assert set(re.findall(r"`(--[\w-]+)`", row.split("|")[3])) == options - {"--course"}
    assert "--course" in ALL_CODE
    assert "--version" in ALL_CODE


def test_the_readme_explains_every_exit_code_of_the_command_line() -> None:
    documented = set(re.findall(r"^\| (\d+) \|", README.read_text(), re.MULTILINE))
    said = (cli.__doc__ or "").split("Exit codes:")[1]
    assert documented == set(re.findall(r"\b\d+\b", said))


def rows(page: Path, heading: str) -> dict[str, list[str]]:
    """The table whose first column is called `heading`: the code in the first column, and the other columns."""
    section = page.read_text().split(f"\n| {heading} |", 1)[1].split("\n\n", 1)[0]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines()[2:]]
    return {name: row[1:] for row in cells for name in re.findall(r"`([^`]+)`", row[0])}


def test_the_readme_explains_every_key_of_a_line_of_json() -> None:
    grade = Grade("s", NAME, "completed", {"t": CellGrade(1.0, 1.0, (Check("c", 1.0, True),))}).as_json()
    explained = rows(README, "key")
    nothing = Grade("s", NAME, "completed")
    change = Change(nothing, nothing, (), False).as_json()
    assert set(explained) == {*grade, "checks", "total", "change"}
    for row, keys in (("cells", grade["cells"]["t"]), ("checks", grade["cells"]["t"]["checks"][0]), ("change", change)):
        assert set(keys) <= set(re.findall(r"`(\w+)`", explained[row][0])), row


def test_the_instructors_page_explains_every_finding_of_audit_and_says_which_are_to_be_mended() -> None:
    explained = rows(ROOT / "docs" / "instructor.md", "finding")
    assert {kind: row[0] == "yes" for kind, row in explained.items()} == {
        kind: Finding(kind, "").must_be_mended for kind in KINDS
    }


def test_every_status_is_explained_to_readers_and_to_tas() -> None:
    assert list(rows(README, "status")) == list(STATUSES)
    assert set(rows(ROOT / "docs" / "ta.md", "status")) == set(STATUSES)


def test_the_settings_of_an_assignment_are_listed_with_their_defaults() -> None:
    settings = asdict(Settings()) | {f"limits.{name}": value for name, value in asdict(Limits()).items()}
    del settings["limits"]
    listed = {name: json.loads(row[0]) for name, row in rows(ROOT / "docs" / "instructor.md", "key").items()}
    assert listed == json.loads(json.dumps(settings))


def test_every_cell_that_the_lessons_checklist_names_is_there() -> None:
    """Of each item of the lesson: the notebook and the cells where it stands."""
    page = (ROOT / "docs" / "instructor.md").read_text()
    table = page.split("\n| item of the lesson |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    assert len(table) > 50
    cells = {
        path.parent.name: {cell.get("id") for cell in nb.read(path)["cells"]} for path in ROOT.glob("source/*/*.ipynb")
    }
    for line in table:
        _, notebook, named, *_ = (part.strip() for part in line.strip("|").split("|"))
        (name,) = [known for known in cells if known.startswith(f"{notebook}-")]
        there = set(re.findall(r"`([\w-]+)`", named))
        assert there, line
        assert there <= cells[name], line


def test_what_the_pages_say_of_checks_is_there() -> None:
    for call in rows(ROOT / "docs" / "instructor.md", "from `autograder.checks`"):
        name, arguments = call.rstrip(")").split("(")
        known = inspect.signature(getattr(checks, name)).parameters
        for argument in re.findall(r"(\w+)=", arguments):
            assert argument in known or name == "for_all", call


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_to_a_file_and_a_heading(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        path, _, heading = target.partition("#")
        if not path.startswith(("http://", "https://")):
            file = (page.parent / path).resolve() if path else page
            assert file.is_file(), target
            assert not heading or heading in slugs(file), target


def test_the_readme_shows_pictures_in_light_and_dark_that_load_fast() -> None:
    text = README.read_text()
    names = re.findall(r'(?:src|srcset)="([^"]+)"', text)
    assert {Path(name).stem.rpartition("-")[0] for name in names} == set(SIZES)
    assert len(names) == 2 * len(SIZES) == len(set(names))
    assert text.count("<img ") == len(re.findall(r'<img src="[^"]+-light\.png" alt="[^"]{40,}"', text))
    for name in names:
        assert (ROOT / name).stat().st_size < 150_000, name


def test_the_lines_of_the_demo_in_the_readme_are_those_that_it_prints(proof_of: Callable[[str], Proof]) -> None:
    """What each submission must get is derived, as in the demo; what it got is known of those that the proof grades too."""
    classroom, grades = Classroom(open_course(ROOT).assignment(NAME)), proof_of(NAME).grades
    pupils = {pupil.name: pupil for pupil in [*classroom.variants(), *classroom.mishaps()]}
    lines = README.read_text().split("\nhanded in ")[1].split("\n29 submissions")[0].splitlines()[1:]
    assert len(lines) > 5
    for line in lines:
        name, status, expected, got, fine, *_ = re.split(r"\s{2,}", line)
        pupil = pupils[name]
        points = pupil.expected.describe_points(worth(classroom.source)) if status != "unreadable" else "-"
        assert (status, expected, fine) == (pupil.status, points, "as expected"), line
        assert got == (f"{grades[name].score:g}" if name in grades else expected), line


def test_what_the_pictures_show_is_still_there() -> None:
    """Otherwise `make pictures` shows another task, or none; its browser runs on request only."""
    classroom = Classroom(open_course(ROOT).assignment(NAME))
    assert set(CELLS) <= {cell["id"] for cell in classroom.release["cells"]}
    assert SHOWN in classroom.trials and classroom.trials[SHOWN].cell in classroom.own
    headings = [nb.source(cell) for cell in classroom.release["cells"] if cell["id"] == CELLS[0]]
    assert f"Task {TASK.removeprefix('task-')}:" in headings[0]


def test_the_comparison_quotes_what_was_measured() -> None:
    attacks = (ROOT / "SECURITY.md").read_text().split("<!-- attacks -->")[1].splitlines()[1]
    ours, tried, raised, reached = re.findall(r"(\d+) (?:attacks|that were run|got more|had what)", attacks)
    speed = (ROOT / "benchmarks" / "RESULTS.md").read_text()
    (stock,), (here,) = (
        re.findall(rf"^\| {who} \| ([\d.]+) ", speed, re.MULTILINE)
        for who in ("stock nbgrader", "autograder, 1 worker")
    )
    text = README.read_text()
    assert f"| attacks that raise a score | 0 of {ours} | {raised} of {tried} |" in text
    assert f"| attacks that reach what they must not | 0 of {ours} | {reached} of {tried} |" in text
    assert f"| seconds per submission, assignment 1 | {here} | {stock} |" in text
    assert f"{ours} attacks with the outcome of each" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_has_a_heading_twice_or_what_a_merge_left_behind(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^## .+$", text, re.MULTILINE)
    assert len(headings) == len(set(headings))
    assert not re.search(r"^(<{7}|={7}|>{7})( |$)", text, re.MULTILINE)


def test_every_named_link_of_the_readme_is_defined_and_used() -> None:
    text = README.read_text()
    defined = set(re.findall(r"^\[([\w-]+)\]: https://\S+$", text, re.MULTILINE))
    assert defined == set(re.findall(r"\]\[([\w-]+)\]", text)) and len(defined) > 10


def slugs(page: Path) -> set[str]:
    """The anchors of a page's headings, as code hosts make them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_readme_shows_the_tree_as_it_is() -> None:
    """Folders, rooms and modules are those on disk; the rooms' purposes are their docstrings."""
    assert tree.split_page(README.read_text())[1] == tree.tree(), "refresh it by `python tests/support/tree.py`"
    listed = tree.split_page(tree.MODULES_PAGE.read_text(), tree.MODULES_BEGIN, tree.MODULES_END)[1]
    assert listed == tree.modules(), "refresh it by `python tests/support/tree.py`"


def test_the_tree_names_every_folder_and_module_and_nothing_that_is_gone() -> None:
    shown = tree.split_page(README.read_text())[1]
    named = re.findall(r"^ {0,4}(\w[\w.-]*/|\w+\.\w+|[A-Z]\w+) ", shown, re.MULTILINE)
    modules = " ".join(re.findall(r"\[([^\]]*)\]", shown)).split()
    package = ROOT / "autograder"
    rooms = [f"{path.parent.name}/" for path in package.glob("*/**/__init__.py")]
    inner = [path for path in package.glob("*/**/*.py") if path.name != "__init__.py"]
    doors = [path.name for path in package.glob("*.py") if path.name != "__init__.py"]
    assert sorted(modules) == sorted([*(path.stem for path in inner), "templates/", "autograder.json", "kernel.json"])
    assert sorted(named) == sorted([*tree.entries(ROOT), *tree.entries(ROOT / "tests"), *rooms, *doors])
    assert all((ROOT / name).exists() for name in tree.PURPOSES)


def test_the_contributors_page_says_what_each_room_may_import() -> None:
    table = rows(ROOT / "docs" / "contributor.md", "room")
    assert {room: set(re.findall(r"`([\w.]+)`", row[1])) for room, row in table.items()} == ROOMS


# The instructor's example


@pytest.fixture
def example(tmp_path: Path) -> Assignment:
    """The course of the page's blocks."""
    course = tmp_path / "course"
    for folder in (f"source/{EXAMPLE}", f"assignments/{EXAMPLE}/variants"):
        (course / folder).mkdir(parents=True)
    (course / "nbgrader_config.py").write_text((ROOT / "nbgrader_config.py").read_text())
    write_example(open_course(course))
    return open_course(course).assignment(EXAMPLE)


def write_example(course: Course, **changed: str) -> None:
    """The example's files, with some blocks replaced: `write_example(course, unit_rows="1.0")`."""
    page = {block.title: block.text for block in blocks(ROOT / "docs" / "instructor.md") if block.title}
    copy = next(
        c for c in nb.read(ROOT / "source" / NAME / "similarity-and-loss.ipynb")["cells"] if nb.grade_id(c) == "checks"
    )
    parts: list[tuple[str, str, dict[str, Any]]] = [
        ("setup", page["setup"], {"locked": True}),
        ("checks", nb.source(copy), {"locked": True}),
        ("unit_rows-solution", page["unit_rows-solution"], {"solution": True}),
        ("unit_rows", page["unit_rows"], {"grade": True, "locked": True, "points": 3}),
    ]
    blank = {"schema_version": 3, "solution": False, "grade": False, "locked": False, "task": False}
    cells = [
        new_code_cell(changed.get(name, text), id=name, metadata={"nbgrader": {**blank, "grade_id": name, **role}})
        for name, text, role in parts
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    (course.source / EXAMPLE / "unit-rows.ipynb").write_text(writes(new_notebook(cells=cells, metadata=kernel)))
    path = course.root / "assignments" / EXAMPLE / "variants" / "unit_rows.py"
    path.write_text(changed.get("variants", page["variants/unit_rows.py"]))


def test_the_example_of_the_instructors_page_builds(example: Assignment) -> None:
    assert build(example, 2, lambda total, rows: rows) == []
    text = example.release_path.read_text()
    assert "by hand" in text
    assert "HIDDEN" not in text
    assert "keepdim" not in text


def test_the_first_ten_minutes_end_in_the_refusal_that_the_page_shows(tmp_path: Path) -> None:
    """The second check of 0-hello deleted, as the page says."""
    assignment = make_course(tmp_path / "course").assignment("0-hello")
    notebook = nb.read(assignment.source_path)
    test = next(cell for cell in notebook["cells"] if nb.is_test(cell))
    before, _, after = nb.source(test).partition('with check("two longer')
    test["source"] = before + after[after.index("check.finish()") :]
    assignment.source_path.write_text(json.dumps(notebook))
    (refusal,) = build(assignment, 2, lambda total, rows: rows)
    page = (ROOT / "docs" / "instructor.md").read_text()
    assert f"\n- {refusal}\nrefused; release/0-hello is unchanged\n" in page


REFUSED = {
    "is not valid Python": "def (",
    "uses nothing that an answer cell defines": "1.0",
    "X does not end in check.finish() where students see it": "check = Checks(3)\nunit_rows([1])\ncheck.score",
}


@pytest.mark.parametrize(("said", "test"), REFUSED.items())
def test_a_refusal_before_anything_runs_reads_as_the_page_says(example: Assignment, said: str, test: str) -> None:
    setup = "import torch\nimport torch.nn.functional as F\ntable = [1.0]"
    write_example(example.course, setup=setup, unit_rows=test)
    found = find_faults(nb.read(example.source_path))
    assert any(said.removeprefix("X ") in line for line in found), found
    assert said in (ROOT / "docs" / "instructor.md").read_text()


def test_a_refusal_after_the_proof_reads_as_the_page_says() -> None:
    page = (ROOT / "docs" / "instructor.md").read_text()
    task = frozenset({"X"})
    some = {"X": CellGrade(3.0, 1.0, (Check("CHECK", 2.0, False, "MESSAGE"),))}
    trouble = {"X": CellGrade(3.0, None, trouble="the test cell makes checks but does not end in their score")}
    for name, expected, cells in (
        ("solution", Expectation(task), some),
        ("blank", Expectation(frozenset(), none=task), some),
        ("chaff-...", Expectation(frozenset(), less=task), {"X": CellGrade(3.0, 3.0)}),
    ):
        assert f"`{name}: {expected.find_fault(Grade(name, NAME, 'completed', cells))}`" in page
    assert f"`{Expectation(frozenset()).find_fault(Grade('s', NAME, 'completed', trouble))}`" in page


def test_a_fault_of_the_notebook_reads_as_the_page_says(example: Assignment) -> None:
    source = nb.read(example.source_path)
    twice = nb.with_answers(
        source, {"unit_rows": "### BEGIN HIDDEN TESTS", "unit_rows-solution": "", "checks": "class Checks:"}
    )
    twice["cells"].append(twice["cells"][0])
    page = (ROOT / "docs" / "instructor.md").read_text()
    faults = "\n".join([*find_faults(twice), *find_marker_faults(twice)])
    for quote in (
        "grade_id X is used by 2 cells",
        "X: class Checks differs from autograder/checks/checks.py",
        "cell X: line 9 opens a region that no line closes",
        "cell X: no line ### BEGIN SOLUTION",
    ):
        assert f"`{quote}`" in page
        assert re.search(re.escape(quote).replace("X", r"[\w-]+").replace("9", r"\d+"), faults), (quote, faults)


@pytest.mark.parametrize(
    ("wrong", "quote"),
    [
        (
            None,
            "...: right answers (...) need 0.3 of the tolerance (atol 1); on another machine rounding may be 5 times as large",
        ),
        (1.2, "...: no tolerance separates them"),
    ],
)
def test_a_narrow_tolerance_reads_as_the_page_says(wrong: float | None, quote: str) -> None:
    margin = Margin("X", Place(1, 1, 0.0, 1.0), "", "code", 0.3, "...", wrong, "...")
    assert quote.removeprefix("...: ") in margin.fault
    assert f"`{quote}`" in (ROOT / "docs" / "instructor.md").read_text()


def test_a_leak_reads_as_the_page_says(example: Assignment) -> None:
    source = nb.read(example.source_path)
    found = release.find_leaks(source, source)
    assert any(re.match(r"cell 3 \(unit_rows-solution\): hidden line 'return features", line) for line in found), found
    assert "`left in the release: cell 4 (X): hidden line '...'`" in (ROOT / "docs" / "instructor.md").read_text()
    assert f"{release.TELLING_LENGTH} characters or longer" in (ROOT / "docs" / "instructor.md").read_text()


def test_the_pages_that_name_dependencies_name_all_of_them() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {
        re.split(r"[<>=\[]", name)[0]
        for name in itertools.chain(project["dependencies"], *project["optional-dependencies"].values())
    }
    table = README.read_text().split("\n| package |", 1)[1].split("\n\n", 1)[0]
    assert {name.strip() for line in table.splitlines()[2:] for name in line.split("|")[1].split(",")} == wanted
