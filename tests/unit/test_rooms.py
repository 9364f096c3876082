"""The rooms of the package: which may know of which, and what may be done only where. Read from the imports and calls."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.support.classroom import ROOT

PACKAGE = ROOT / "autograder"
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}


def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text())


def imports(module: str, everywhere: bool = True) -> set[str]:
    """What a module imports: the names of modules, of ours and of others; also inside functions where `everywhere`."""
    nodes = list(ast.walk(tree(module)) if everywhere else tree(module).body)
    found = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module:
            # `from autograder.course import notebook` imports a module, and no name of the package's own.
            found |= {f"{node.module}.{a.name}" for a in node.names if f"{node.module}.{a.name}" in MODULES} or {
                node.module
            }
    return found


def reached(module: str, everywhere: bool = True, packages: bool = True) -> set[str]:
    """Our modules that an import of this one runs, itself included; and the packages' own __init__, if these count."""
    found, todo = set(), [module]
    while todo:
        name = todo.pop()
        if name in found or name not in MODULES:
            continue
        found.add(name)
        todo += [*imports(name, everywhere), *([name.rpartition(".")[0]] if packages else [])]
    return found


def using(*names: str) -> set[str]:
    """The modules in which one of these is called or named: `os.fork`, `Gradebook`."""
    found = set()
    for module in MODULES:
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.Attribute | ast.Name) and ast.unparse(node) in names:
                found.add(module)
    return found


# Which rooms a room may import, beside itself: a whole room, or one module of it. Doors may import everything, and nobody
# imports a door.
ROOMS: dict[str, set[str]] = {
    "course": set(),
    "checks": set(),
    "sandbox": set(),
    "records": {"course", "sandbox.wire", "sandbox.arrays"},
    "judge": {"course", "checks", "sandbox", "records"},
    "gradebook": {"course", "records"},
    "grading": {"course", "records", "judge", "gradebook"},
    "proof": {"course", "checks", "records", "judge", "gradebook.generate"},
    "pages": {"course", "records", "gradebook", "proof", "sandbox.wire"},
    "native": {"course", "records.store", "sandbox"},
    "lms": {"course", "gradebook"},
}
FOR_ALL = {"errors", "files", "words"}
DOORS = {"cli", "doctor", "handover", "options", "stopping"}


def room(module: str) -> str:
    """`judge` of `autograder.judge.walk`; a door or a module for all is a room of its own."""
    return module.removeprefix("autograder").lstrip(".").split(".")[0]


def test_below_the_package_stand_only_rooms_doors_and_what_all_may_use() -> None:
    assert {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"} == FOR_ALL | DOORS
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} == set(ROOMS)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_what_its_room_may(module: str) -> None:
    """Wherever the import stands: at the top, in a function, or for types alone."""
    here = room(module)
    if here in DOORS:
        return
    allowed = FOR_ALL | {here} | ROOMS.get(here, set())
    for name in imports(module) & set(MODULES):
        there = name.removeprefix("autograder").lstrip(".")
        assert not there or any(there == one or there.startswith(f"{one}.") for one in allowed), f"it imports {name}"


def test_no_room_imports_one_that_imports_it() -> None:
    """The table has no circle: in some order every room stands after those that it imports."""
    left = {name: {one.split(".")[0] for one in others} for name, others in ROOMS.items()}
    while left:
        free = {name for name, others in left.items() if not others & set(left)}
        assert free, f"a circle among {sorted(left)}"
        left = {name: others for name, others in left.items() if name not in free}


def test_what_all_may_use_imports_no_room() -> None:
    for name in FOR_ALL:
        assert {room(one) for one in imports(f"autograder.{name}") & set(MODULES)} <= FOR_ALL | {""}


def test_a_grade_needs_the_standard_library_alone() -> None:
    ours = {"autograder", "autograder.records", "autograder.records.grade", "autograder.words"}
    assert reached("autograder.records.grade") == ours


def test_beside_a_student_of_our_code_run_the_kernel_its_surroundings_and_the_wire() -> None:
    rooms = {"autograder", "autograder.sandbox"}
    beside = {*rooms, *(f"autograder.sandbox.{name}" for name in ("child", "ipython", "service", "surroundings"))}
    wire = {*rooms, *(f"autograder.sandbox.{name}" for name in ("wire", "item_count", "arrays", "library"))}
    assert reached("autograder.sandbox.child") == beside | wire
    assert reached("autograder.sandbox.wire") == wire


def test_the_jail_gets_every_module_that_it_imports_and_no_other() -> None:
    """`jail` copies exactly the modules that `zygote` and `launch` import, directly or indirectly."""
    needed = reached("autograder.sandbox.zygote") | reached("autograder.sandbox.launch")
    text = (PACKAGE / "sandbox" / "jail.py").read_text()
    copied = {name for name in MODULES if f'"{MODULES[name].relative_to(PACKAGE)}"' in text}
    assert copied == needed


def test_one_room_opens_the_gradebook() -> None:
    assert {room(module) for module in using("Gradebook")} == {"gradebook"}


def test_processes_and_limits_are_made_in_the_sandbox_alone() -> None:
    risky = (
        "os.fork",
        "os.unshare",
        "os.setresuid",
        "os.setuid",
        "resource.setrlimit",
        "_libc.unshare",
        "_libc.mount",
        "_libc.prctl",
    )
    assert {module.rpartition(".")[0] for module in using(*risky)} == {"autograder.sandbox"}


def test_only_the_doors_and_the_pages_know_how_it_is_shown() -> None:
    shown = {module for module in MODULES if {name.split(".")[0] for name in imports(module)} & {"click", "rich"}}
    assert shown == {
        "autograder.cli",
        "autograder.handover",
        "autograder.options",
        "autograder.stopping",
        "autograder.pages.progress",
        "autograder.pages.tables",
    }


def test_nothing_unpickles() -> None:
    """What a student's side wrote is data; a pickle is a program."""
    forbidden = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
    assert not [module for module in MODULES if {name.split(".")[0] for name in imports(module)} & forbidden]
    assert not using("torch.load", "np.load", "numpy.load")
    assert not [module for module, path in MODULES.items() if "allow_pickle" in path.read_text()]


def test_no_import_goes_in_a_circle() -> None:
    """A package's front imports its modules, so none of these may import by way of the front."""
    for module in MODULES:
        for name in imports(module, everywhere=False) & set(MODULES):
            assert module not in reached(name, everywhere=False, packages=False), f"{module} and {name}"


def test_the_command_line_imports_nothing_heavy_at_its_start() -> None:
    """torch and nbformat take seconds; the first command that a user types must not wait for them."""
    heavy = {"torch", "nbformat", "nbclient", "nbgrader", "hypothesis", "matplotlib"}
    for module in reached("autograder.cli", everywhere=False):
        assert not {name.split(".")[0] for name in imports(module, everywhere=False)} & heavy, module


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_is_short_says_what_it_is_for_and_is_named_for_it(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) < 350
    assert path.stem not in ("utils", "util", "common", "helpers", "misc", "base")
    assert ast.get_docstring(ast.parse(text)) or not text.strip()
