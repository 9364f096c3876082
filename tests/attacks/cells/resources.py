import ctypes, os, time
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = libc.shmat.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
def available():
    """MB of memory that the machine could still give."""
    fields = dict(line.split(":", 1) for line in open("/proc/meminfo"))
    return int(fields["MemAvailable"].split()[0]) // 1024

# %% memory
# tries: to take all the memory there is, byte by byte
# base: solution
# status: out of memory
# stock: it would harm the machine that measures it
held = []
while True: held.append(bytearray(b"x" * 2**20))

# %% memory-by-many-processes
# tries: to take it in forty processes, each below the limit
# base: solution
# status: out of memory
# stock: it would harm the machine that measures it
for _ in range(40):
    if os.fork() == 0:
        held = b"x" * (60 * 2**20)
        time.sleep(60)
time.sleep(60)

# %% memory-without-a-file
# tries: to take it in files that have no name (memfd), which no process's size shows
# base: solution
# shows: yes
# stock: it would harm the machine that measures it
files, total = [], 0
try:
    while total < 1500:
        files.append(os.memfd_create("x"))
        for _ in range(50): total += os.write(files[-1], bytes(2**20)) >> 20
except OSError: pass
time.sleep(.3)
if total > 1000: print("BREACH:", total, "MB")
print("tried")

# %% memory-in-segments
# tries: to take it in System V segments that are let go and stay
# base: solution
# shows: yes
# stock: it would harm the machine that measures it
total = 0
for _ in range(15):
    segment = libc.shmget(0, 100 * 2**20, 0o1600)
    if segment < 0: break
    where = libc.shmat(segment, None, 0)
    ctypes.memset(where, 1, 100 * 2**20)
    libc.shmdt(ctypes.c_void_p(where))
    total += 100
time.sleep(.3)
if total > 1000: print("BREACH:", total, "MB")
print("tried")

# %% memory-let-out-of-the-map
# tries: to take it in shared pages that are let out of the map and stay
# base: solution
# shows: yes
# stock: it would harm the machine that measures it
total, size = 0, 100 * 2**20
for source in (-1, os.open("/dev/zero", os.O_RDWR)):
    for _ in range(15):
        where = libc.mmap(None, size, 3, 0x21 if source < 0 else 1, source, 0)
        if where in (None, 2**64 - 1): break
        ctypes.memset(where, 1, size)
        libc.munmap(ctypes.c_void_p(where + 4096), ctypes.c_size_t(size - 4096))
        total += 100
time.sleep(.3)
if total > 1000: print("BREACH:", total, "MB")
print("tried")

# %% memory-in-page-tables
# tries: to take it in page tables, by reading one byte of every two megabytes of a terabyte
# base: solution
# status: out of memory
# stock: it would harm the machine that measures it
libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
while True:
    where = libc.mmap(None, 2**40, 1, 0x4022, -1, 0)
    libc.madvise(where, 2**40, 15)
    for address in range(where, where + 2**40, 2**21): ctypes.string_at(address, 1)

# %% memory-in-sockets
# tries: to take it in what was sent and nobody reads
# base: solution
# status: out of memory
# stock: it would harm the machine that measures it
import socket
for _ in range(50):
    if os.fork() == 0: break
held = []
while len(held) < 400:
    pair = socket.socketpair()
    for end in pair:
        end.setblocking(False)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**24)
        try:
            while True: end.send(bytes(2**16))
        except OSError: pass
    held.append(pair)
time.sleep(60)

# %% memory-in-pipes
# tries: to take it in pipes, enlarged ones, and with pages of two megabytes given to them
# base: solution
# shows: yes
import fcntl
before, held, spliced = available(), [], 0
page = libc.mmap(None, 2**22, 3, 0x22, -1, 0)
vector = (ctypes.c_size_t * 2)(page, 4096)
try:
    while len(held) < 200:
        reading, writing = os.pipe()
        held.append((reading, writing))
        try: fcntl.fcntl(writing, 1031, 2**20)
        except OSError: pass
        os.set_blocking(writing, False)
        if libc.vmsplice(writing, vector, 1, 0) > 0: spliced += 1
        try:
            while True: os.write(writing, bytes(2**16))
        except OSError: pass
except OSError: pass
if spliced: print("BREACH: pages given away", spliced)
print("tried")

# %% many-small-maps
# tries: to make as many maps as the kernel allows
# base: solution
# shows: yes
held = []
while len(held) < 200_000:
    where = libc.mmap(None, 4096, 1 + len(held) % 2 * 2, 0x22, -1, 0)
    if where in (None, 2**64 - 1): break
    held.append(where)
for where in held: libc.munmap(ctypes.c_void_p(where), ctypes.c_size_t(4096))
if len(held) == 200_000: print("BREACH: as many as it likes")
print("tried")

# %% absurd-array
# tries: one array of a thousand terabytes
# base: solution
# shows: yes
import numpy as np, torch
for act in (lambda: bytearray(2**50), lambda: np.empty(2**50), lambda: torch.empty(2**48), lambda: [0] * 2**45):
    try: act(); print("BREACH")
    except (MemoryError, RuntimeError): pass
print("tried")

# %% disk-in-every-folder
# tries: to fill the disk, in each folder that can be written
# base: solution
# shows: yes
# stock: it would harm the machine that measures it
for folder in ("/tmp", "/dev/shm"):
    total = 0
    try:
        for number in range(100):
            with open(f"{folder}/{number}", "wb") as file:
                for _ in range(60): total += file.write(bytes(2**20)) >> 20
    except OSError: pass
    if total > 400: print("BREACH:", folder, total, "MB")
print("tried")

# %% a-million-files
# tries: to use up the disk's entries with empty files
# base: solution
# shows: yes
# stock: it would harm the machine that measures it
count = 0
try:
    while count < 100_000:
        os.close(os.open(f"/tmp/{count}", os.O_CREAT))
        count += 1
except OSError: pass
if count == 100_000: print("BREACH: as many as it likes")
print("tried")

# %% file-handles
# tries: to open files until there are none left
# base: solution
# shows: yes
held = []
try:
    while len(held) < 100_000: held.append(os.dup(0))
    print("BREACH: as many as it likes")
except OSError: pass
for number in held: os.close(number)
print("tried")

# %% descriptors-in-flight
# tries: to hold a thousand descriptors in sockets, which count for its user on the whole machine
# base: solution
# shows: yes
# stock: it would harm the machine that measures it
import array, socket
held, sent = [], 0
try:
    while sent < 100_000:
        pair = socket.socketpair()
        held.append(pair)
        for _ in range(20):
            pair[0].sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0] * 100))])
            sent += 100
    print("BREACH: as many as it likes")
except OSError: pass
print("tried")
time.sleep(3)

# %% one-endless-line
# tries: fifty megabytes in one print
# base: solution
# status: output limit
print("x" * 50_000_000)

# %% a-million-lines
# tries: to print without end
# base: solution
# status: timed out
# stock: it would wait until the time limit of every cell
while True: print("line after line after line", flush=True)

# %% many-displays
# tries: a thousand displayed objects
# base: solution
# status: output limit
from IPython.display import HTML, display
for number in range(3000): display(HTML("<b>%d</b>" % number + "<i>x</i>" * 50))

# %% output-of-a-program
# tries: to flood by a program that writes to the descriptors, past Python
# base: solution
# status: output limit
import subprocess
subprocess.run("yes THE-FLOOD | head -c 30000000; yes THE-FLOOD | head -c 30000000 >&2", shell=True)
os.write(1, b"y" * 2_000_000)

# %% images-without-end
# tries: an image of thirty megabytes, and images that are none
# base: solution
# status: output limit
from IPython.display import Image, display
display(Image(data=b"\x89PNG\r\n\x1a\n" + bytes(30_000_000), format="png"))

# %% traceback-without-end
# tries: an error whose text is forty megabytes long
# base: solution
# status: output limit
raise ValueError("x" * 40_000_000)

# %% recursion-without-end
# tries: to overflow the stack, in C
# base: solution
# status: died
import sys
sys.setrecursionlimit(10**9)
def down(x): return sorted([x], key=down)
down(0)

# %% answer-that-makes-a-test-fat
# tries: a result so long that the judge, which multiplies it by itself, takes twelve gigabytes
# base: solution
# equals: no-unit
# cell: unit-solution
# stock: it would harm the machine that measures it
import torch
def unit(x): return torch.zeros(len(x) if len(x) == 1 else 38_000, 3, dtype=torch.float64)

# %% memory-under-a-name-that-is-no-text
# tries: to take memory in a process whose name is no UTF-8, which a watch that reads text cannot read
# base: solution
# status: out of memory
# stock: it would harm the machine that measures it
libc.prctl(15, b"\xff\xfe\n\xc3", 0, 0, 0)
held = []
while True: held.append(bytearray(b"x" * 2**20))

# %% memory-of-a-process-without-its-first-thread
# tries: to take memory in a process whose first thread has ended, whose files in /proc then show none
# base: solution
# status: out of memory
# stock: it would harm the machine that measures it
import threading
if os.fork() == 0:
    def fill():
        time.sleep(.2)
        held = []
        while True: held.append(bytearray(b"x" * 2**20))
    threading.Thread(target=fill).start()
    libc.pthread_exit(None)
time.sleep(60)

# %% limit-of-its-own
# tries: to be killed by a CPU limit of its own, which would look like a fault of the machine, and be tried again three times
# base: solution
# shows: yes
import resource
for limit in (resource.RLIMIT_CPU,):
    for set_limit in (lambda: resource.setrlimit(limit, (1, 1)), lambda: resource.prlimit(0, limit, (1, 1))):
        try: set_limit(); print("BREACH: a limit of its own")
        except (OSError, ValueError): pass
end = time.process_time() + 1.5
while time.process_time() < end: pass
print("tried")
