"""The first cells of the notebooks that use a model: which model and data they load, alone in a folder, offline, and with the
large model and data in their real formats. What cannot be had is one line, never a traceback."""

from __future__ import annotations

import functools
import hashlib
import http.server
import json
import os
import pickle
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from autograder.course import notebook as nb
from autograder.course import open_course
from tests.support.classroom import ROOT

WITH_A_MODEL = ("2-shared-space", "3-zero-shot", "4-limits")
FILES = ROOT / "assignments" / "small-clip" / "files"
Run = Callable[..., str]
CLASSES = "airplane automobile bird cat deer dog frog horse ship truck".split()


def first_cells(name: str) -> list[str]:
    """The cell with the choice, and the locked one that loads what was chosen."""
    notebook = nb.read(open_course(ROOT).assignment(name).source_path)
    code = [nb.source(cell) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return code[:2]


CHOICE, SETUP = first_cells(WITH_A_MODEL[0])


def test_all_notebooks_begin_alike() -> None:
    for name in WITH_A_MODEL:
        assert first_cells(name) == [CHOICE, SETUP], name


# Imports what the cells import, once, since that takes 6 s. Each line that arrives is run in a process forked from this one.
FORK_SERVER = """
import json, os, sys
from IPython.core.interactiveshell import InteractiveShell
import open_clip, torch, torchvision.datasets
for line in sys.stdin:
    folder, cells, environment = json.loads(line)
    if os.fork() == 0:
        os.chdir(folder)
        os.environ.update(environment)
        sys.stdout = open("shown", "w")
        shell = InteractiveShell.instance()
        for cell in cells:
            shell.run_cell(cell)
        sys.stdout.close()
        os._exit(0)
    print(os.wait()[1], flush=True)
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """What IPython shows of cells, run in a folder in a process of their own, without the net's proxies."""
    clean = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    # Only a process with one thread can be forked safely. The hub keeps what it fetched in HOME.
    clean |= {"OMP_NUM_THREADS": "1", "HOME": str(tmp_path_factory.mktemp("home"))}
    command = [sys.executable, "-c", FORK_SERVER]
    with subprocess.Popen(command, env=clean, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        lines, statuses = server.stdin, server.stdout

        def run_in(folder: Path, *cells: str, **environment: str) -> str:
            environment = {"HOME": str(folder), "IPYTHONDIR": str(folder / ".ipython"), **environment}
            print(json.dumps([str(folder), cells, environment]), file=lines, flush=True)
            assert statuses.readline() == "0\n"
            return (folder / "shown").read_text()

        yield run_in
        lines.close()


def test_beside_its_files_it_says_what_it_loaded(run: Run, tmp_path: Path) -> None:
    for name in ("small-clip", "drawings"):
        (tmp_path / name).symlink_to(FILES / name)
    model, data = run(tmp_path, CHOICE, SETUP).splitlines()
    assert model.startswith("Model: small, ")
    assert data == "Data: drawings, 100 images of 10 classes."


def test_alone_it_says_in_one_line_what_to_put_beside_it(run: Run, tmp_path: Path) -> None:
    said = run(tmp_path, CHOICE, SETUP)
    assert said.startswith("Put small-clip beside this notebook")
    assert len(said.splitlines()) == 1


@pytest.fixture
def refusing_proxy() -> Iterator[str]:
    """A proxy that answers every CONNECT with 501, as one does that lets nothing out."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("chosen", "default"),
    [('MODEL = "ViT-B-32"', 'MODEL = "small"'), ('MODEL = "ViT-C"', 'MODEL = "small"'),
     ('DATA = "CIFAR-10"', 'DATA = "drawings"'), ('DATA = "CIFAR-99"', 'DATA = "drawings"')],
)  # fmt: skip
def test_what_cannot_be_fetched_is_one_line_with_the_offline_defaults_name(
    run: Run, tmp_path: Path, refusing_proxy: str, chosen: str, default: str
) -> None:
    """A proxy that refuses every connection: the same on a machine with a network and on one without."""
    assert_one_line_names_the_default(run, tmp_path, chosen, default, refusing_proxy)


@pytest.mark.prove  # the hub asks again for 50 s before it gives up
def test_a_proxy_that_nobody_serves_is_one_line_too(run: Run, tmp_path: Path) -> None:
    assert_one_line_names_the_default(run, tmp_path, 'MODEL = "ViT-B-32"', 'MODEL = "small"', "http://127.0.0.1:9")


def assert_one_line_names_the_default(run: Run, folder: Path, chosen: str, default: str, proxy: str) -> None:
    for name in ("small-clip", "drawings"):
        (folder / name).symlink_to(FILES / name)
    said = run(folder, f"{CHOICE}\n{chosen}", SETUP, HTTPS_PROXY=proxy, https_proxy=proxy)
    assert said.splitlines()[-1].endswith(f"{default} needs no network.")
    assert "Traceback" not in said
    assert len(said.splitlines()) == 1


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A server with a zip file of what lies beside the notebook."""
    with zipfile.ZipFile(tmp_path / "files.zip", "w") as archive:
        for path in sorted(FILES.rglob("*")):
            archive.write(path, path.relative_to(FILES))
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/files.zip"
        server.shutdown()


def test_alone_it_fetches_its_files_from_the_courses_address(run: Run, tmp_path: Path, address: str) -> None:
    folder = tmp_path / "alone"
    folder.mkdir()
    said = run(folder, CHOICE, SETUP.replace('FILES = ""', f"FILES = {address!r}"))
    assert said.splitlines()[-1] == "Data: drawings, 100 images of 10 classes."
    assert (folder / "small-clip").is_dir()


def test_an_address_that_does_not_answer_is_one_line(run: Run, tmp_path: Path) -> None:
    said = run(tmp_path, CHOICE, SETUP.replace('FILES = ""', 'FILES = "http://127.0.0.1:9/files.zip"'))
    assert said.startswith("http://127.0.0.1:9/files.zip cannot be fetched")
    assert len(said.splitlines()) == 1


def write_cifar10(folder: Path) -> str:
    """A test batch of 120 images in CIFAR-10's own format; the line that has torchvision expect its checksums."""
    batches = folder / "cifar-10-batches-py"
    batches.mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 256, (120, 3072), dtype=np.uint8)
    (batches / "test_batch").write_bytes(pickle.dumps({"data": pixels, "labels": [i % 10 for i in range(120)]}))
    (batches / "batches.meta").write_bytes(pickle.dumps({"label_names": CLASSES}))
    md5 = {path.name: hashlib.md5(path.read_bytes()).hexdigest() for path in batches.iterdir()}  # noqa: S324
    return (
        "from torchvision.datasets import CIFAR10\n"
        f"CIFAR10.train_list, CIFAR10.test_list = [], [['test_batch', {md5['test_batch']!r}]]\n"
        f"CIFAR10.meta = {{**CIFAR10.meta, 'md5': {md5['batches.meta']!r}}}"
    )


def test_the_large_model_and_data_load_from_their_real_formats(run: Run, tmp_path: Path) -> None:
    """ViT-B-32 from a file as the hub has it (here with random weights), CIFAR-10 from its batches."""
    make = (
        "import open_clip, safetensors.torch\n"
        "state = open_clip.create_model('ViT-B-32').half().state_dict()\n"
        "safetensors.torch.save_file({k: v.contiguous() for k, v in state.items()}, 'vit.safetensors')"
    )
    run(tmp_path, make)
    expect = write_cifar10(tmp_path / "data")
    look = "print(dataset[0][0].shape, dataset.classes[3], len(tokenizer(['a cat'])[0]), model.training)"
    chosen = {"CLIP_MODEL": "ViT-B-32", "CLIP_WEIGHTS": str(tmp_path / "vit.safetensors")}
    chosen |= {"CLIP_DATA": "CIFAR-10", "CLIP_DATA_FOLDER": str(tmp_path / "data")}
    model, data, seen = run(tmp_path, CHOICE, expect, SETUP, look, **chosen).splitlines()
    assert model == "Model: ViT-B-32, 151,277,313 parameters."
    assert data == "Data: CIFAR-10, 100 images of 10 classes."
    assert seen == "torch.Size([3, 224, 224]) cat 77 False"
