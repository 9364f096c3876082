# %% numpy-and-torch-comparisons
# tries: to replace the comparisons of numpy and torch with ones that are always content
import numpy as np, torch
for module in (np, np.testing, torch, torch.testing):
    for name in ("allclose", "isclose", "equal", "array_equal", "assert_allclose", "assert_close", "assert_array_equal"):
        if hasattr(module, name): setattr(module, name, lambda *a, **k: True)
torch.Tensor.__eq__ = torch.Tensor.allclose = lambda *a, **k: True
print("tried")

# %% builtins
# tries: to replace the builtins that a test could use
import builtins
for name in ("all", "any", "abs", "round", "sum"): setattr(builtins, name, lambda *a, **k: True)
builtins.AssertionError = type("AssertionError", (Exception,), {})
print("tried")

# %% import-function
# tries: an __import__ that gives tests forged modules
import builtins, types
real = builtins.__import__
class Forged(types.ModuleType):
    def __getattr__(self, name): return lambda *a, **k: True
builtins.__import__ = lambda name, *a, **k: Forged(name) if name.startswith(("autograder", "numpy", "torch", "hypothesis")) else real(name, *a, **k)
print("tried")

# %% checks-that-always-pass
# tries: a Checks class of its own, in the answer's cell, below the instructor's
# cell: square-solution
import contextlib
class Checks:
    def __init__(self, points): self.points = points
    @contextlib.contextmanager
    def __call__(self, name, points):
        try: yield
        except BaseException: pass
    def finish(self): return float(self.points)
def square(x): return -1
table, unit, double = [0] * 5, (lambda x: 0 * x), (lambda x: -1)

# %% checks-patched-in-place
# tries: to make the instructor's own Checks class give full points
# cell: square-solution
Checks.finish = lambda self: float(self.points)
def square(x): return -1

# %% context-managers-that-swallow
# tries: a contextlib that swallows every error
import contextlib
class Swallow:
    def __init__(self, *a): pass
    def __enter__(self): return self
    def __exit__(self, *a): return True
    def __call__(self, *a, **k): return self
contextlib.contextmanager = lambda function: Swallow()
contextlib._GeneratorContextManager.__exit__ = lambda *a: True
print("tried")

# %% modules-in-the-table
# tries: forged numpy, torch, hypothesis and autograder.checks in sys.modules
import sys, types
class Forged(types.ModuleType):
    __path__ = []
    def __getattr__(self, name): return lambda *a, **k: True
for name in ("numpy", "torch", "hypothesis", "hypothesis.strategies", "autograder", "autograder.checks", "math"):
    sys.modules[name] = Forged(name)
print("tried")

# %% import-finder
# tries: a finder in sys.meta_path that serves forged modules
import sys, importlib.abc, importlib.machinery
class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if name.startswith(("autograder", "hypothesis")): return importlib.machinery.ModuleSpec(name, self, is_package=True)
    def create_module(self, spec): return None
    def exec_module(self, module): module.__getattr__ = lambda name: lambda *a, **k: True
sys.meta_path.insert(0, Finder())
print("tried")

# %% files-that-shadow-modules
# tries: files beside the notebook and in its home that are found before the real modules, for itself and whoever comes next
import os, sys, pathlib
forged = "def __getattr__(name): return lambda *a, **k: True\nopen('THE_CANARY/THE_MARK', 'w')\n"
for folder in (".", os.path.expanduser("~"), "/tmp", os.path.expanduser("~/.ipython/profile_default/startup"), *sys.path):
    for name in ("numpy", "torch", "hypothesis", "autograder", "sitecustomize", "usercustomize", "conftest", "00-start"):
        try:
            os.makedirs(folder or ".", exist_ok=True)
            pathlib.Path(folder, name + ".py").write_text(forged)
        except OSError: pass
sys.path.insert(0, ".")
print("tried")

# %% pytest-and-unittest
# tries: to replace the assertions of the test libraries
import unittest
for name in dir(unittest.TestCase):
    if name.startswith("assert"): setattr(unittest.TestCase, name, lambda *a, **k: None)
print("tried")

# %% assertions-switched-off
# tries: to compile what comes without assertions
import builtins, sys
real = builtins.compile
builtins.compile = lambda source, *a, **k: real(source, *a, **{**k, "optimize": 2})
get_ipython().compile.flags |= 0
import codeop
codeop.Compile.__call__ = lambda self, source, filename, symbol, **k: real(source, filename, symbol, optimize=2)
print("tried")

# %% random-numbers-and-clock
# tries: to make chance and time predictable to itself and wrong for a test
import random, time, os
import numpy as np, torch
random.random = lambda: 0.0
np.random.default_rng = lambda *a: None
torch.manual_seed = lambda *a: None
time.monotonic = time.time = lambda: 0.0
os.environ.update(PYTHONHASHSEED="1", CUDA_VISIBLE_DEVICES="9", OMP_NUM_THREADS="64", HYPOTHESIS_PROFILE="none")
print("tried")

# %% default-dtype-and-modes
# tries: to bend comparisons by torch's global modes
import torch
torch.set_default_dtype(torch.float16)
torch.set_grad_enabled(False)
torch.autograd.set_detect_anomaly(True)
from torch.overrides import TorchFunctionMode
class Yes(TorchFunctionMode):
    def __torch_function__(self, function, types, arguments=(), keywords=None):
        return True if function is torch.allclose else function(*arguments, **(keywords or {}))
Yes().__enter__()
print("tried")
