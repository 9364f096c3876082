import msgspec, struct
try:
    from autograder.sandbox.ipython import KernelApp
    from autograder.sandbox import wire
    line = KernelApp.instance().line
    raw = line.socket
except Exception:
    raw = None

# %% answers-before-the-questions
# tries: to have forged answers wait in the line before the judge asks
# base: wrong
for _ in range(3): line.send(wire.JUDGE, wire.pack(["ok", 90_000, None, None]))
print("tried")

# %% flood-of-answers
# tries: to fill the judge's memory with answers to nothing
# base: solution
# status: died
while True: line.send(wire.JUDGE, wire.pack(["ok", bytes(10_000)]))

# %% flood-of-messages
# tries: to fill the judge's memory with kernel messages to nobody
# base: solution
# status: died
kernel = get_ipython().kernel
parts = kernel.session.serialize(kernel.session.msg("execute_reply", {"x": "y" * 100}), b"shell")
while True: line.send(wire.KERNEL, msgspec.msgpack.encode([b"shell", *parts]))

# %% huge-frame-announced
# tries: a frame that says it is four gigabytes long
# base: solution
# status: died
raw.sendall(struct.pack(">IB", 2**32 - 1, 1))
while True: pass

# %% frame-never-finished
# tries: a frame of which the rest never comes
# base: solution
# status: timed out
raw.sendall(struct.pack(">IB", 10_000, 1) + b"x")
while True: pass

# %% noise
# tries: random bytes on the line
# base: solution
# status: died
import os
raw.sendall(os.urandom(2**20))
while True: pass

# %% deep-message
# tries: an answer that is a million lists deep
# base: solution
# status: died
line.send(wire.JUDGE, b"\x91" * 1_000_000 + b"\xc0")
while True: pass

# %% deep-kernel-message
# tries: a kernel message whose JSON is a hundred thousand lists deep
# base: solution
# status: died
kernel = get_ipython().kernel
parts = kernel.session.serialize(kernel.session.msg("execute_reply", {}), b"shell")
parts[-1] = b"[" * 100_000 + b"]" * 100_000
line.send(wire.KERNEL, msgspec.msgpack.encode([b"shell", *parts]))
while True: pass

# %% json-of-sixty-megabytes
# tries: a reply of the kernel whose JSON takes 2 GB in the judge
# base: solution
# status: timed out
kernel = get_ipython().kernel
parts = kernel.session.serialize(kernel.session.msg("execute_reply", {}), b"shell")
parts[-1] = b"[" + b"{}," * 20_000_000 + b"0]"
line.send(wire.KERNEL, msgspec.msgpack.encode([b"shell", *parts]))
while True: pass

# %% many-parts-in-a-kernel-message
# tries: a kernel message of thirty million parts
# base: solution
# status: timed out
line.send(wire.KERNEL, b"\xdd" + struct.pack(">I", 30_000_001) + b"\xc4\x05iopub" + b"\xc4\x00" * 30_000_000)
while True: pass

# %% message-of-sixty-million-items
# tries: an answer of sixty megabytes that becomes sixty million lists, 4 GB in the judge
# base: solution
# status: died
line.send(wire.JUDGE, b"\xdd" + struct.pack(">I", 60_000_000) + b"\x90" * 60_000_000)
while True: pass

# %% map-of-one-hash
# tries: an answer of one megabyte with a map whose keys collide, which takes minutes to build
# base: solution
# status: died
keys = b"".join(b"\x9f" + bytes(0xFF - (n >> bit & 1) for bit in range(15)) + b"\x01" for n in range(2**15))
line.send(wire.JUDGE, b"\x92\xa2ok\xdf" + struct.pack(">I", 2**15) + keys)
while True: pass

# %% answers-that-break-pages
# tries: answers that the judge refuses, and that whoever writes the pages of the class might read less carefully
from autograder.sandbox.child import Service
swapped = [["tuple", [-1 - (n >> bit & 1) for bit in range(15)]] for n in range(30_000)]
shapes = iter([
    ["ok", ["ndarray", "float64", [float("inf")], b""]], ["ok", ["tensor", "float64", ["x"], b"", True]],
    ["ok", ["dict", [[key, 1] for key in swapped]]], ["ok", ["list", ["x" * 60_000] + ["y"] * 100_000]],
    ["ok", ["list", [["list", [1e308, -1e308]], ["list", [float("nan"), 5e-324]]]]], ["ok", ["Decimal", "1e999999999"]],
    ["ok", ["range", 0, 10**12, 1]], ["error", ["list", [1]], [1]], ["ok", ["ndarray", "<U1", [1], b"\0\xd8\0\0"]],
] * 50)
Service.answer = lambda self, payload: wire.pack([*next(shapes), None, None])
print("tried")

# %% malformed-answers
# tries: answers of every wrong shape, one for each question
from autograder.sandbox.child import Service
shapes = iter([
    ["ok"], ["ok", ["tensor", "float32", [2**62, 2], b"", False]], ["ok", ["ndarray", "object", [1], b"12345678"]],
    ["ok", ["ndarray", "float64", [-1], b""]], ["ok", ["int", "9" * 5000]], ["ok", ["function", "x", 3]], ["ok", []],
    ["ok", ["dict", [[["list", []], 1]]]], ["ok", ["set", [["dict", []]]]], ["ok", ["tensor", "__class__", [], b"", True]],
    ["ok", ["scalar", "complex128", [], b"x" * 16]], ["error"], ["error", {}, [], 7], ["missing", 1],
] * 50)
Service.answer = lambda self, payload: wire.pack(next(shapes))
print("tried")

# %% forged-references
# tries: references to objects that are not there, and to ones of the judge's
from autograder.sandbox.child import Service
real = Service.answer
def answer(self, payload):
    verb, *rest = wire.unpack(payload)
    return wire.pack(["ok", ["reference", -1, "x"]]) if verb == "call" else wire.pack(["ok", ["function", 2**62, "__import__('os')"]])
Service.answer = answer
print("tried")

# %% data-for-the-instructors-functions
# tries: to give plain data where the notebook's locked cells define something
# cell: end
Checks = 7
np = torch = [1, 2]
print("tried")

# %% writes-on-every-descriptor
# tries: to write on every descriptor that it was born with
# base: solution
# status: died
import os
for name in range(3, 1024):
    try: os.write(name, b"\xff" * 4096)
    except OSError: pass
while True: pass

# %% leash-taken
# tries: to find the line on which its end is reported, and report another
# base: solution
# shows: yes
import os, socket
for number in range(3, 1024):
    try: found = socket.socket(fileno=os.dup(number))
    except OSError: continue
    if found.type == socket.SOCK_SEQPACKET: print("BREACH: the leash")
    found.close()
print("tried")

# %% another-descriptor-sent
# tries: to hand the judge an open descriptor along with a frame
# base: solution
# status: output limit
# shows: yes
import os, socket
socket.send_fds(raw, [struct.pack(">IB", len(wire.pack(["dropped", 1])), 1) + wire.pack(["dropped", 1])], [os.open("/dev/null", os.O_RDONLY)] * 50)
print("tried")
