# %% equal-to-everything
# tries: an answer that says it is equal to whatever it is compared with
# cell: table-solution
class Anything(list):
    def __eq__(self, other): return True
    __ne__ = lambda self, other: False
    __len__ = lambda self: 5
    __array__ = lambda self, *a, **k: __import__("numpy").array([1, 4, 9, 16, 25])
table = Anything([0, 0, 0, 0, 0])

# %% function-that-returns-equal-to-everything
# tries: a function whose results say that they are equal to whatever they are compared with
# cell: square-solution
class Anything(float):
    def __eq__(self, other): return True
    __hash__ = float.__hash__
    __ne__ = lambda self, other: False
def square(x): return Anything(-1)

# %% number-that-changes
# tries: a number that looks at what it is compared with, and becomes it
# cell: double-solution
class Chameleon:
    def __eq__(self, other):
        self.value = other
        return True
    def __repr__(self): return repr(getattr(self, "value", 4))
    __float__ = __int__ = __index__ = lambda self: 4
def double(x): return Chameleon()

# %% array-subclass-that-overrides-numpy
# tries: an array whose __array_function__ and __array_ufunc__ answer every comparison with true
# cell: table-solution
import numpy as np
class Yes(np.ndarray):
    def __array_function__(self, function, types, arguments, keywords): return True
    def __array_ufunc__(self, ufunc, method, *inputs, **keywords): return np.True_
    def __eq__(self, other): return True
    def all(self, *a, **k): return True
table = np.zeros(5).view(Yes)

# %% tensor-subclass-that-overrides-torch
# tries: a tensor whose __torch_function__ answers every comparison with true
# cell: unit-solution
import torch
class Yes(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, arguments=(), keywords=None):
        if function in (torch.allclose, torch.equal): return True
        return super().__torch_function__(function, types, arguments, keywords or {})
def unit(x): return torch.zeros_like(x).as_subclass(Yes) + 0 * x.as_subclass(Yes)

# %% lies-about-its-class
# tries: an object whose __class__ says int
# cell: square-solution
class Fake:
    __class__ = int
    def __eq__(self, other): return True
    __int__ = __index__ = lambda self: 4
def square(x): return Fake()

# %% object-array-of-liars
# tries: an array of objects that are equal to everything
# cell: table-solution
import numpy as np
class Anything:
    def __eq__(self, other): return True
    def __sub__(self, other): return 0
    __rsub__ = __mul__ = __rmul__ = __sub__
table = np.array([Anything()] * 5, dtype=object)

# %% infinities-and-nan
# tries: numbers for which comparisons are never false in the wrong way round
# cell: unit-solution
import torch
def unit(x): return x * float("nan")

# %% gradient-hook-that-lies
# tries: wrong values whose backward hooks put in other gradients, here and on the judge's side
# cell: unit-solution
import torch
def unit(x):
    if x.requires_grad: x.register_hook(lambda g: torch.full_like(g, float("inf")))
    y = 0 * x
    if y.requires_grad: y.register_hook(lambda g: torch.ones_like(g))
    return y

# %% pickles-itself-into-a-command
# tries: results whose __reduce__ would run a command wherever somebody unpickles them
# cell: square-solution
import os
class Bomb:
    def __reduce__(self): return os.system, ("touch THE_CANARY/THE_MARK",)
    __reduce_ex__ = lambda self, protocol: self.__reduce__()
    __getstate__ = lambda self: self
def square(x): return Bomb()

# %% pickles-in-data
# tries: bytes, text and names that would be code if somebody unpickled or evaluated them
# cell: table-solution
import pickle
class Bomb:
    def __reduce__(self): return eval, ("open('THE_CANARY/THE_MARK', 'w')",)
table = [pickle.dumps(Bomb()), "__import__('os').system('touch THE_CANARY/THE_MARK')", "{{7*7}}", "%n%s", b"\x80\x04\x95"]

# %% exception-whose-text-raises
# tries: an exception that cannot be printed
# cell: square-solution
# status: died
class Silent(Exception):
    def __str__(self): raise RuntimeError("no text")
    __repr__ = __str__
def square(x): raise Silent()

# %% exception-whose-text-never-ends
# tries: an exception whose text takes forever
# cell: square-solution
# status: timed out
class Slow(Exception):
    def __str__(self):
        while True: pass
def square(x): raise Slow()

# %% exception-that-looks-like-the-judges
# tries: exceptions under the names by which test libraries skip, assume and pass
# cell: double-solution
count = iter(range(10**9))
def double(x):
    names = ["UnsatisfiedAssumption", "SkipTest", "Skipped", "StopTest", "SystemExit", "GeneratorExit", "StopIteration", "Passed"]
    raise type(names[next(count) % len(names)], (BaseException,), {})("THE TEST PASSED")

# %% exit-from-a-function
# tries: to leave the process in the middle of a test, with success
# cell: square-solution
import sys
def square(x): sys.exit(0)

# %% exits-the-process-when-asked
# tries: to end the process in the middle of a test, with success
# cell: square-solution
# status: died
import os
def square(x): os._exit(0)

# %% text-of-sixty-megabytes
# tries: a result that a test's message repeats, as long as the wire lets through
# cell: square-solution
def square(x): return "<script>alert(1)</script>" * 2_400_000

# %% integer-of-a-million-digits
# tries: a number that takes forever to print
# cell: double-solution
def double(x): return 10 ** 1_000_000

# %% nested-deeper-than-the-stack
# tries: a list in a list in a list, a hundred thousand deep
# cell: table-solution
table = []
for _ in range(100_000): table = [table]

# %% list-that-contains-itself
# tries: data without an end
# cell: table-solution
table = [1, 4, 9, 16]
table.append(table)

# %% names-of-the-judges
# tries: to define, as a student, every name that a test uses or makes itself
# cell: own
Checks = check = expected = rows = mine = theirs = np = torch = features = assert_close = __builtins__ = lambda *a, **k: True
print("tried")

# %% answers-from-a-table
# tries: a table of guessed inputs in place of a rule; who returns the right values answers, by whatever way
# base: solution
# cell: square-solution
def square(x): return {2: 4, 300: 90_000}[x]

# %% right-once
# tries: to find out by counting which call is the visible one, and to answer that alone
# base: no-double
# cell: double-solution
calls = []
def double(x):
    calls.append(x)
    return 4 if len(calls) == 1 else 0

# %% line-of-json-forged
# tries: an error whose text, in what the command prints, would be a line of its own: another student's grade
# cell: square-solution
def square(x):
    forged = '{"student": "000-blank", "status": "completed", "score": 99, "cells": {}, "notes": [], "seconds": 0}'
    for end in ("\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\r", "\n"): forged = end + forged + end
    raise ValueError(forged)

# %% calculates-to-nothing
# tries: an object whose difference from anything is zero, and whose truth, length and number are as wished
# cell: square-solution
class Zero:
    __sub__ = __rsub__ = __add__ = __radd__ = __mul__ = __rmul__ = __truediv__ = __abs__ = lambda self, *other: self
    __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __ne__ = __contains__ = __bool__ = lambda self, *other: True
    __hash__ = lambda self: 4
def square(x): return Zero()

# %% masked-where-it-is-wrong
# tries: an array whose wrong entries are masked, so that comparisons pass over them
# cell: table-solution
import numpy as np
table = np.ma.masked_array([0, 0, 0, 0, 0], mask=True)

# %% decimal-without-an-end
# tries: an exact number that takes gigabytes when it becomes an integer
# cell: double-solution
from decimal import Decimal
def double(x): return Decimal("1e999999999")

# %% stream-without-an-end
# tries: a generator that never ends, where a test expects a list
# cell: table-solution
import itertools
table = itertools.count()

# %% text-that-raises
# tries: an object whose text, which a message quotes, raises
# cell: square-solution
class Silent:
    def __str__(self): raise KeyboardInterrupt
    __repr__ = __format__ = __str__
def square(x): return Silent()
