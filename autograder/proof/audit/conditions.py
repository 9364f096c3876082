"""Conditions that change how numbers are rounded, under which right answers must keep their marks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from autograder.proof.trial import Trial

# What runs in a cell before all others. Wheats bring float32 and float64, loops, and other orders of summing.
CONDITIONS = {
    "with 2 threads": "import torch\n\ntorch.set_num_threads(2)",
    "without oneDNN": "import torch\n\ntorch.backends.mkldnn.set_flags(False)",
}
# Makes torch and oneDNN in the sandbox round as on a processor without AVX. A product of vectors of 1,200 numbers, which a chaff
# does not normalize, differed by 1e-4 there, and a check took that for a broken rule.
OLD_PROCESSOR = {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41"}


def add_conditions(trials: Iterable[Trial]) -> Iterator[Trial]:
    """Yield each right answer once under every condition; its name says which."""
    right = [trial for trial in trials if trial.expected.is_right]
    for condition, setup in CONDITIONS.items():
        yield from (replace(trial, name=f"{trial.name} {condition}", setup=setup) for trial in right)
