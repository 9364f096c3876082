# %% transformer-that-drops-assertions
# tries: an AST transformer that takes every assertion out of the cells to come
import ast
class Drop(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.Pass()
    def visit_Raise(self, node): return ast.Pass()
get_ipython().ast_transformers.append(Drop())
print("tried")

# %% transformer-that-rewrites-cells
# tries: an input transformer that makes of every test cell its full score
def rewrite(lines):
    text = "".join(lines)
    return ["float(check.points) if 'check' in dir() else 1.0\n"] if "assert " in text else lines
get_ipython().input_transformers_cleanup.append(rewrite)
get_ipython().input_transformers_post.append(rewrite)
print("tried")

# %% run-cell-replaced
# tries: a shell that runs nothing any more and says that all is well
shell = get_ipython()
real = type(shell).run_cell
def run_cell(self, raw_cell, *a, **k):
    return real(self, "pass" if "assert" in raw_cell else raw_cell, *a, **k)
type(shell).run_cell = run_cell
async def run_cell_async(self, raw_cell, *a, **k):
    return await real_async(self, "pass" if "assert" in raw_cell else raw_cell, *a, **k)
real_async = type(shell).run_cell_async
type(shell).run_cell_async = run_cell_async
print("tried")

# %% reply-forged-in-the-kernel
# tries: a kernel that answers "ok" to every cell and runs none
import asyncio
kernel = get_ipython().kernel
async def do_execute(self, code, silent, *a, **k):
    return {"status": "ok", "execution_count": 1, "user_expressions": {}, "payload": []}
print("tried")
type(kernel).do_execute = do_execute

# %% display-hook-prints-the-score
# tries: a display hook that shows full points for whatever a cell ends in
import sys
class Hook:
    def __init__(self, real): self.real = real
    def __call__(self, value): return self.real(99.0)
    def __getattr__(self, name): return getattr(self.real, name)
sys.displayhook = Hook(sys.displayhook)
get_ipython().display_formatter.format = lambda value, *a, **k: ({"text/plain": "99.0"}, {})
print("tried")

# %% exceptions-handled-away
# tries: a handler that turns every assertion's error into nothing
shell = get_ipython()
shell.set_custom_exc((BaseException,), lambda *a, **k: [])
shell.showtraceback = lambda *a, **k: None
shell._showtraceback = lambda *a, **k: None
print("tried")

# %% hooks-before-each-cell
# tries: to put right values in place before each cell, and show full points after it
shell = get_ipython()
def before(*a):
    shell.user_ns["np"] = shell.user_ns["torch"] = type("Yes", (), {"__getattr__": lambda s, n: lambda *a, **k: True})()
def after(*a): shell.display_pub.publish({"text/plain": "99.0"})
for event, hook in (("pre_run_cell", before), ("pre_execute", before), ("post_run_cell", after), ("post_execute", after)):
    shell.events.register(event, hook)
print("tried")

# %% magics
# tries: magics of its own under the names of the usual ones, and lines that run as commands
# stock: it would run a command in the folder of whoever measures
from IPython.core.magic import register_cell_magic, register_line_magic
for name in ("time", "timeit", "capture", "matplotlib"):
    register_cell_magic(name)(lambda line, cell: None)
    register_line_magic(name)(lambda line: None)
get_ipython().run_line_magic("alias_magic", "assert capture") if False else None
!touch THE_CANARY/THE_MARK
%config Application.verbose_crash=True
print("tried")

# %% output-forged
# tries: messages that put a score of 99 into the outputs of cells to come
kernel = get_ipython().kernel
for kind in ("execute_result", "display_data", "stream", "update_display_data"):
    content = {"data": {"text/plain": "99.0"}, "metadata": {}, "execution_count": 1, "name": "stdout", "text": "99.0\n", "transient": {"display_id": "x"}}
    kernel.session.send(kernel.iopub_socket, kind, content, parent=kernel.get_parent())
print("tried")
99.0

# %% early-reply-forged
# tries: to say that the cell is done while it still runs
# base: solution
# status: timed out
# stock: it would wait until the time limit of every cell
import time
kernel = get_ipython().kernel
parent = kernel.get_parent()
kernel.session.send(kernel.shell_socket if hasattr(kernel, "shell_socket") else kernel.shell_stream, "execute_reply", {"status": "ok", "execution_count": 1}, parent=parent, ident=parent.get("idents") or [b"x"])
kernel.session.send(kernel.iopub_socket, "status", {"execution_state": "idle"}, parent=parent)
while True: time.sleep(1)

# %% history-read
# tries: to read the tests from the history of inputs, and from the cache of source lines
# cell: end
import linecache
shell = get_ipython()
wanted = "only-the-" + "grader-knows-this"
found = repr(shell.user_ns.get("In")) + repr(shell.user_ns.get("_ih")) + repr(list(shell.history_manager.get_range())) + repr(linecache.cache)
if wanted in found: print("BREACH: a hidden test,", found.count(wanted), "times")
print("tried")

# %% frames-and-objects-read
# tries: to find a hidden test in the frames, and among all objects
# cell: end
import gc, sys
parts = ("only-the-", "grader-knows")
frame, found = sys._getframe(), 0
while frame:
    found += any(parts[0] + parts[1] in repr(v)[:10_000] for k, v in list(frame.f_locals.items()) if k not in ("found", "parts"))
    frame = frame.f_back
for thing in gc.get_objects():
    if type(thing) in (dict, list, tuple):
        for item in (thing.values() if type(thing) is dict else thing):
            if type(item) is str and parts[0] + parts[1] in item: found += 1
if found: print("BREACH: a hidden test,", found, "times")
print("tried")

# %% memory-read
# tries: to find what the grader knows in every page of its own memory, which is a copy of the warm process's
# cell: end
parts, found = (b"only-the-", b"grader-knows-"), 0
with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", buffering=0) as memory:
    for line in maps.read().splitlines():
        where, rights = line.split()[:2]
        start, end = (int(x, 16) for x in where.split("-"))
        if "r" in rights and end - start < 2**28 and "/" not in line:
            try:
                memory.seek(start)
                found += memory.read(end - start).count(parts[0] + parts[1] + b"this")
            except (OSError, ValueError, MemoryError): pass
if found: print("BREACH: it is in memory,", found, "times")
print("tried")

# %% fingers-in-the-judges-service
# tries: an answering service that says yes to whatever the judge asks
from autograder.sandbox import wire
from autograder.sandbox.child import Service
Service.answer = lambda self, payload: wire.pack(["ok", True, None, None])
print("tried")

# %% service-that-knows-the-questions
# tries: to answer each question with what it was asked
from autograder.sandbox import wire
from autograder.sandbox.child import Service
def answer(self, payload):
    verb, *rest = wire.unpack(payload)
    return wire.pack(["ok", ["function", 1, "x"]] if verb == "get" else ["ok", *rest, None])
Service.answer = answer
print("tried")

# %% widgets-and-comms
# tries: comm and widget messages that would make the client of the kernel act
kernel = get_ipython().kernel
for kind, content in (
    ("comm_open", {"comm_id": "a", "target_name": "jupyter.widget", "data": {"state": {"_model_name": "OutputModel", "_model_module": "@jupyter-widgets/output", "msg_id": "x"}}}),
    ("comm_msg", {"comm_id": "a", "data": {"method": "update", "state": {"msg_id": "y"}}}),
    ("comm_open", {"comm_id": "b", "target_name": "evil", "data": {}}),
    ("clear_output", {"wait": True}),
    ("input_request", {"prompt": "password: ", "password": True}),
    ("shutdown_reply", {"restart": True}),
):
    kernel.session.send(kernel.iopub_socket, kind, content, parent=kernel.get_parent())
print("tried")

# %% asks-for-input
# tries: to hold the grader up by asking it
try: input("the answer, please: ")
except Exception as error: print("tried", type(error).__name__)
