"""A notebook finds in the sandbox what it found on the student's machine, as far as that does no harm."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.sandboxed import Sandbox, answer_cell, checking_cell, code, executed


def texts(judged: Any) -> list[str]:
    """What each cell printed, or the name of its exception."""
    cells = executed(judged).cells
    return ["".join(o.get("text", "") or o.get("ename", "") for o in cell.outputs).strip() for cell in cells]


@pytest.mark.parametrize("move", ["", "import os\nos.chdir('/tmp')", "%cd /", "import sys\nsys.path.append('.')"])
def test_a_module_that_a_cell_wrote_can_be_imported(sandbox: Sandbox, move: str) -> None:
    judged = sandbox.judge(
        code("import written"),  # nothing yet: Python remembers the folder's listing
        code("%%writefile written.py\nvalue = 7"),
        code(move),
        code("from written import *\nprint(value)"),
    )
    assert texts(judged)[0] == "ModuleNotFoundError"
    assert texts(judged)[-1] == "7"


def test_a_module_in_a_folder_that_a_cell_changed_to_can_be_imported(sandbox: Sandbox) -> None:
    judged = sandbox.judge(
        code("import os\nos.makedirs('/tmp/other/package')\nos.chdir('/tmp/other')"),
        code("%%writefile package/__init__.py\nname = 'found'"),
        code("import package\nprint(package.name)"),
    )
    assert texts(judged)[-1] == "found"


def test_a_file_of_the_student_does_not_hide_the_standard_library(sandbox: Sandbox) -> None:
    assert sandbox.look("open('wave.py', 'w').write('1 / 0')\nimport wave\nseen = wave.Error.__name__") == "Error"


def test_a_removed_current_folder_stops_no_cell(sandbox: Sandbox) -> None:
    removed = "import os\nos.mkdir('/tmp/gone')\nos.chdir('/tmp/gone')\nos.rmdir('/tmp/gone')"
    assert texts(sandbox.judge(code(removed), code("print('still here')")))[-1] == "still here"


def test_memory_that_belongs_to_no_file_is_shared_with_forked_processes(sandbox: Sandbox) -> None:
    source = """
import mmap, os
memory = mmap.mmap(-1, 100)
if (pid := os.fork()) == 0:
    memory[:5] = b'hello'
    os._exit(0)
os.waitpid(pid, 0)
private = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
private[0] = 1
shared = mmap.mmap(-1, 10, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS, prot=mmap.PROT_READ | mmap.PROT_WRITE)
with open('file', 'wb') as file:
    file.write(b'in a file')
with open('file', 'rb') as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
    read = mapped[:]
seen = [memory[:5], len(memory), private[0], len(shared), read, isinstance(memory, mmap.mmap)]
"""
    assert sandbox.look(source) == [b"hello", 100, 1, 10, b"in a file", True]


def test_too_much_shared_memory_is_refused_and_does_not_end_the_process(sandbox: Sandbox) -> None:
    source = "import mmap\ntry:\n    mmap.mmap(-1, 2**40)\nexcept OSError as error:\n    seen = type(error).__name__"
    assert sandbox.look(source) == "OSError"


def test_shared_memory_of_multiprocessing_works(sandbox: Sandbox) -> None:
    source = """
import multiprocessing
context = multiprocessing.get_context('fork')
total, array = context.Value('i', 1), context.Array('d', 3)
def add():
    with total.get_lock():
        total.value += 1
    array[1] = 2.5
process = context.Process(target=add)
process.start(); process.join()
seen = [total.value, array[:]]
"""
    assert sandbox.look(source) == [2, [0.0, 2.5, 0.0]]


def test_torch_compile_runs_the_function_as_it_is(sandbox: Sandbox) -> None:
    source = """
import torch, sys
@torch.compile
def double(x): return 2 * x
@torch.compile(mode='max-autotune', fullgraph=True)
def triple(x): return 3 * x
layer = torch.compile(torch.nn.Linear(2, 1))
layer.compile()
values = [double(torch.tensor(2)).item(), triple(torch.tensor(2)).item(), layer(torch.ones(4, 2)).shape[0]]
seen = [values, 'torch._inductor' in sys.modules]
"""
    assert sandbox.look(source) == [[4, 6, 4], False]


@pytest.mark.parametrize(
    "line",
    [
        "!{sys.executable} -m pip install -q torchmetrics no-such-package",
        "%pip install einops wandb",
        "!pip download git+https://github.com/openai/CLIP.git",
        "!apt-get -qq install -y libgl1; apt-get update",
        "!wget -q https://example.org/x.zip",
        "!curl -sSL https://example.org/x.zip",
        "!git clone https://github.com/openai/CLIP.git",
        "import urllib.request\nurllib.request.urlopen('https://example.org')",
        "import socket\nsocket.create_connection(('example.org', 80), timeout=20)",
        "import torch\ntorch.hub.load('pytorch/vision', 'resnet18')",
    ],
)
def test_a_line_that_needs_the_network_fails_fast(sandbox: Sandbox, line: str) -> None:
    judged = sandbox.judge(code("import sys, time\nstarted = time.monotonic()"), code(line), code(
        "seconds = time.monotonic() - started\nprint('fast' if seconds < 6 else f'{seconds:.1f} s')"
    ))  # fmt: skip
    assert texts(judged)[-1] == "fast"
    assert judged.grade.status == "completed"


def test_a_long_text_in_a_cell_is_no_output(sandbox: Sandbox) -> None:
    judged = sandbox.judge(
        answer_cell(f"blob = '{'A' * 3_000_000}'\nprint(len(blob))"), checking_cell("assert len(blob) == 3_000_000"),
        output_mb=1,
    )  # fmt: skip
    assert judged.grade.status == "completed"
    assert judged.grade.score == 1
    assert executed(judged).cells[0].outputs[0].text == "3000000\n"
    assert executed(judged).cells[0].execution_count == 1


WIDGETS = {
    "interact": "from ipywidgets import interact\n@interact(x=(0, 10))\ndef show(x=3): print('x is', x)",
    "output": (
        "import ipywidgets as w\nout = w.Output()\ndisplay(out)\nwith out:\n    print('in the widget')\n"
        "out.clear_output()\nout.append_stdout('more')\n@out.capture()\ndef f(): print('captured')\nf()"
    ),
    "output raises": "with w.Output():\n    1 / 0\nprint('after it')",
    "progress": "from tqdm.notebook import tqdm, trange\nfor _ in tqdm(range(3)): pass\nlist(trange(2, leave=False))",
    "slider": "slider = w.IntSlider(3)\nslider.observe(print, 'value')\nslider.value = 4\nslider",
    "button": "w.VBox([w.Button(description='go'), w.interactive(lambda n: n, n=5), w.Play(), w.FileUpload()])",
    "comm": "from comm import create_comm\n"
    "comm = create_comm(target_name='mine', data={'a': 1})\ncomm.send({'b': 2}, buffers=[b'x'])\ncomm.close()",
    "forged": (
        "get_ipython().kernel.session.send(get_ipython().kernel.iopub_socket, 'comm_msg', {'comm_id': 3, 'data': []}, "
        "parent=get_ipython().kernel.get_parent())"
    ),
}


def test_widgets_and_comm_messages_do_no_harm(sandbox: Sandbox) -> None:
    judged = sandbox.judge(
        *map(code, WIDGETS.values()), answer_cell("def answer(): return 42"), checking_cell("assert answer() == 42")
    )
    assert judged.grade.status == "completed", judged.grade.notes
    assert judged.grade.score == 1
    errors = {name: text for name, text in zip(WIDGETS, texts(judged), strict=False) if text.endswith("Error")}
    assert errors == {}  # the one in an Output widget is shown, and as in Jupyter the cell goes on
