"""The rooms of the package: which may know of which, and what may be done only where. Read from the imports and calls."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.classroom import ROOT

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
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def reached(module: str, everywhere: bool = True) -> set[str]:
    """Our modules that an import of this one runs, itself included; a package's own __init__ counts."""
    found, todo = set(), [module]
    while todo:
        name = todo.pop()
        if name in found or name not in MODULES:
            continue
        found.add(name)
        todo += [*imports(name, everywhere), name.rpartition(".")[0]]
    return found


def using(*names: str) -> set[str]:
    """The modules in which one of these is called or named: `os.fork`, `Gradebook`."""
    found = set()
    for module in MODULES:
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.Attribute | ast.Name) and ast.unparse(node) in names:
                found.add(module)
    return found


@pytest.mark.parametrize("module", ["autograder.grade", "autograder.gradebook"])
def test_grades_are_made_and_kept_without_the_sandbox(module: str) -> None:
    """A grade is pure data: nothing that runs a student's code is behind it."""
    assert not [name for name in reached(module) if ".sandbox" in name or ".judge" in name]


def test_a_grade_needs_the_standard_library_alone() -> None:
    assert reached("autograder.grade") == {"autograder", "autograder.grade"}


def test_beside_a_student_of_our_code_runs_the_wire_alone() -> None:
    beside = {
        "autograder",
        "autograder.sandbox",
        "autograder.sandbox.child",
        "autograder.sandbox.ipython",
        "autograder.wire",
    }
    assert reached("autograder.sandbox.child") == beside
    assert reached("autograder.wire") == {"autograder", "autograder.wire"}


def test_the_jail_gets_every_module_that_it_imports_and_no_other() -> None:
    """What `warm` copies is what `zygote` and `launch` reach."""
    needed = reached("autograder.sandbox.zygote") | reached("autograder.sandbox.launch")
    text = (PACKAGE / "sandbox" / "warm.py").read_text()
    copied = {name for name in MODULES if f'"{MODULES[name].relative_to(PACKAGE)}"' in text}
    assert copied == needed


def test_one_room_opens_the_gradebook() -> None:
    assert using("Gradebook") == {"autograder.gradebook"}


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


def test_only_the_command_line_knows_how_it_is_shown() -> None:
    shown = {module for module in MODULES if {name.split(".")[0] for name in imports(module)} & {"click", "rich"}}
    assert shown == {"autograder.cli", "autograder.progress", "autograder.tables"}


def test_nothing_imports_the_command_line() -> None:
    assert not [module for module in MODULES if "autograder.cli" in imports(module)]
    assert [module for module in MODULES if "autograder.tables" in imports(module)] == ["autograder.cli"]
    assert [module for module in MODULES if "autograder.progress" in imports(module)] == ["autograder.cli"]


def test_nothing_unpickles() -> None:
    """What a student's side wrote is data; a pickle is a program."""
    forbidden = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
    assert not [module for module in MODULES if {name.split(".")[0] for name in imports(module)} & forbidden]
    assert not using("torch.load", "np.load", "numpy.load")
    assert not [module for module, path in MODULES.items() if "allow_pickle" in path.read_text()]


def test_no_import_goes_in_a_circle() -> None:
    for module in MODULES:
        for name in imports(module, everywhere=False) & set(MODULES):
            assert module not in reached(name, everywhere=False), f"{module} and {name}"


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
