"""The course folder, its configuration and its assignments: an error is one line for the instructor."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.course import Course, Limits, Settings, open_course, read_variants
from autograder.errors import CourseError
from tests.support.classroom import NAME, ROOT, make_course

CHAFF = "# %% chaff: off_by_one\n# misconception: counts from 1\n# hint: Start at 0.\nf = 1\n"


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return make_course(tmp_path / "course")


def read_settings(course: Course, text: str) -> Settings:
    (course.root / "assignments" / NAME / "assignment.toml").write_text(text)
    return course.assignment(NAME).settings


def test_the_paths_are_those_of_nbgraders_configuration(course: Course) -> None:
    assert course.submitted == course.root / "gradebook" / "submitted"
    assert course.transcripts == course.root / "gradebook" / "transcripts"
    assert course.db_url == f"sqlite:///{course.root}/gradebook/gradebook.db"
    assert course.course_id == "clip"


def test_an_empty_configuration_means_nbgraders_defaults(tmp_path: Path) -> None:
    (tmp_path / "nbgrader_config.py").write_text("c = get_config()")
    course = open_course(tmp_path)
    assert (course.source, course.release) == (tmp_path / "source", tmp_path / "release")
    assert course.db_url == f"sqlite:///{tmp_path}/gradebook.db"


def test_the_course_is_found_from_a_folder_inside_it(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(course.source / NAME)
    assert open_course().root == course.root


def test_a_missing_course_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CourseError, match="--course DIR"):
        open_course()
    with pytest.raises(CourseError, match="no course"):
        open_course(tmp_path)


def test_a_broken_configuration_is_a_course_error(tmp_path: Path) -> None:
    (tmp_path / "nbgrader_config.py").write_text("c = get_config(")
    with pytest.raises(CourseError, match=r"nbgrader_config\.py cannot be read: SyntaxError"):
        open_course(tmp_path)


@pytest.mark.parametrize(
    "name", ["2-nowhere", "", ".", "..", "../source", "a/b", "1-similarity-and-loss/", "x" * 101, "a\nb"]
)
def test_an_unknown_assignment_is_answered_with_the_known_ones(course: Course, name: str) -> None:
    """And no name leads out of source/."""
    known = ", ".join(sorted(path.name for path in course.source.iterdir()))
    with pytest.raises(CourseError, match=f"there are: {known}$"):
        course.assignment(name)


def test_an_assignment_holds_one_notebook(course: Course) -> None:
    (course.source / NAME / "second.ipynb").write_text("{}")
    with pytest.raises(CourseError, match="must hold one notebook; it holds 2"):
        _ = course.assignment(NAME).notebook


def test_a_missing_release_is_reported_with_the_command_that_creates_it(course: Course) -> None:
    assignment = course.assignment(NAME)
    assignment.release_path.unlink()
    with pytest.raises(CourseError, match=f"`autograder build {NAME}` creates it"):
        _ = assignment.release_path


def test_limits_come_from_the_assignment_or_the_defaults(course: Course) -> None:
    assert read_settings(course, "seed = 7\n[limits]\ncell_seconds = 5") == Settings(Limits(cell_seconds=5), 7)
    assert read_settings(course, "") == Settings()


@pytest.mark.parametrize(
    "text",
    [
        "sede = 7",
        "[limits]\ncell_second = 5",
        "[limits]\ncell_seconds = 'five'",
        "seed = 1.5",
        "[limits",
        "seed = 1\nseed = 2",
    ],
)
def test_an_unknown_or_malformed_setting_is_an_error(course: Course, text: str) -> None:
    """If a misspelt limit were ignored, the default would apply in its place."""
    with pytest.raises(CourseError, match=r"assignment\.toml"):
        read_settings(course, text)


def test_the_files_beside_the_notebook_belong_to_the_assignment(course: Course) -> None:
    folder = course.source / NAME
    for path in ("data/words.txt", ".ipynb_checkpoints/old.txt", ".hypothesis/constants/1", "data/.words.txt.swp"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("words")
    assert course.assignment(NAME).files == {"data/words.txt": b"words"}


def test_variants_are_read_with_their_hints(tmp_path: Path) -> None:
    path = tmp_path / "count.py"
    path.write_text(f'"""About."""\n\n# %% wheat: other\nf = 0\n\n{CHAFF}')
    wheat, chaff = read_variants(path)
    assert (wheat.kind, wheat.problem, wheat.name, wheat.source, wheat.label) == (
        "wheat",
        "count",
        "other",
        "f = 0\n",
        "wheat-count-other",
    )
    assert (chaff.misconception, chaff.hint) == ("counts from 1", "Start at 0.")
    assert chaff.source.endswith("f = 1\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (CHAFF.replace("# hint", "# hunt"), "chaff off_by_one has no `# hint:` line"),
        (CHAFF.replace("# misconception", "#"), "has no `# misconception:` line"),
        ("f = 1\n", "no `# %% wheat: name` or `# %% chaff: name` section"),
        ("", "no `# %% wheat"),
        (
            f"{CHAFF}\n{CHAFF.replace('chaff: off_by_one', 'chaff other')}",
            "'# %% chaff other' should be `# %% wheat: NAME`",
        ),
        (f"# %% wheet: right\nf = 0\n\n{CHAFF}", "'# %% wheet: right' should be"),
        (f"{CHAFF}\n#%% wheat: right\nf = 0\n", "'#%% wheat: right' should be"),
        (f"{CHAFF}\n# %% wheat: quite-right\nf = 0\n", "'# %% wheat: quite-right' should be"),
    ],
)
def test_an_incomplete_variant_is_an_error(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "count.py").write_text(text)
    with pytest.raises(CourseError, match=message):
        read_variants(tmp_path / "count.py")


def test_no_hint_of_this_repository_serves_two_tasks() -> None:
    """Within a task, chaffs that no check tells apart share a hint."""
    chaffs = [variant for variant in open_course(ROOT).assignment(NAME).variants if variant.kind == "chaff"]
    hints = {chaff.hint for chaff in chaffs}
    assert len(hints) == len({(chaff.hint, chaff.problem) for chaff in chaffs}) > len(chaffs) - 10


def test_hidden_files_are_what_tests_may_open_and_nothing_that_build_writes(course: Course) -> None:
    """Files of a folder that assignments share count; settings, reference outputs, scripts and Markdown pages do not."""
    assignments = course.root / "assignments"
    for name in ("labels.csv", "notes.md", "make.py", "reference/default/outputs.safetensors"):
        path = assignments / NAME / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"1,2")
    hidden = course.assignment(NAME).hidden_files
    assert hidden[f"{NAME}/labels.csv"] == b"1,2"
    shared = assignments / "small-clip" / "hidden" / "drawings"
    images = {str(path.relative_to(assignments)) for path in shared.rglob("*.png")}
    assert images <= set(hidden)
    assert {Path(name).suffix for name in hidden} & {".py", ".md"} == set()
    assert [name for name in hidden if "reference" in name or name.endswith("assignment.toml")] == []
