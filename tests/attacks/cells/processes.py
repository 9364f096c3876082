import os, signal, subprocess, sys, time
def must_fail(what, act):
    try: got = act()
    except BaseException: return
    print("BREACH:", what, repr(got)[:200])

# %% signals-to-the-grader
# tries: to kill the grader, its parents and its siblings
# base: solution
# stock: it would kill what measures it
for pid in {THE_PID, os.getppid() or 2, *range(2, 9)} - set(map(int, os.listdir("/proc/self/task"))):
    must_fail(f"process {pid}", lambda: os.kill(pid, signal.SIGTERM))
must_fail("the parent's group", lambda: os.killpg(THE_PID, signal.SIGTERM))
print("tried")

# %% signal-to-everyone
# tries: kill -1
# base: solution
# stock: it would kill what measures it
for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP):
    try: os.kill(-1, number)
    except OSError: pass
print("tried")

# %% signal-to-itself
# tries: to die by a signal in the middle of a cell
# base: solution
# status: died
signal.signal(signal.SIGSEGV, signal.SIG_DFL)
import ctypes
ctypes.string_at(0)

# %% stops-itself
# tries: to stop, so that nobody hears of it again
# base: solution
# status: timed out
# stock: it would wait until the time limit of every cell
for _ in range(3):
    if os.fork() == 0:
        os.kill(os.getpid(), signal.SIGSTOP)
os.kill(os.getpid(), signal.SIGSTOP)
while True: time.sleep(1)

# %% early-exit
# tries: to end the process before the tests
# base: wrong
# status: died
os._exit(0)

# %% leaves-at-the-end
# tries: to end the process when the interpreter finishes, and by every polite way
# base: solution
import atexit
atexit.register(lambda: os._exit(0))
try: exit(0)
except BaseException: pass
try: quit()
except BaseException: pass
print("tried")
raise SystemExit(0)

# %% another-program-in-its-place
# tries: to become another program
# base: solution
# status: timed out
os.execv("/bin/sh", ["sh", "-c", "sleep 30; exit 0"])

# %% fork-bomb
# tries: to fill the machine with processes
# base: solution
# status: timed out
# stock: it would harm the machine that measures it
while True:
    try: os.fork()
    except OSError: pass

# %% thread-bomb
# tries: to fill the machine with threads
# base: solution
# status: completed
# stock: it would harm the machine that measures it
# shows: yes
import threading
try:
    for _ in range(50_000): threading.Thread(target=time.sleep, args=(99,), daemon=True).start()
    print("BREACH: as many threads as it likes")
except (RuntimeError, MemoryError): pass
print("tried")

# %% background-processes
# tries: programs that outlive the notebook
# base: solution
for _ in range(3):
    subprocess.Popen(["sh", "-c", "exec -a THE_MARK sleep 1000 || sleep 1000; : THE_MARK"], start_new_session=True, stdout=subprocess.DEVNULL)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.chdir("/")
        os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(1000) # THE_MARK"])
    os._exit(0)
print("tried")

# %% background-thread-that-patches
# tries: a thread that goes on changing answers while tests run
# base: wrong
import threading
def meddle():
    space = get_ipython().user_ns
    while True:
        for name in ("table", "square", "double"): space.pop(name, None) if time.time() % 1 < .5 else None
        time.sleep(.001)
threading.Thread(target=meddle, daemon=True).start()
print("tried")

# %% endless-loop
# tries: never to end
# base: solution
# status: timed out
# stock: it would wait until the time limit of every cell
while True: pass

# %% endless-and-deaf
# tries: never to end and to hear no signal, in Python and in C
# base: solution
# status: timed out
# stock: it would wait until the time limit of every cell
for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}: signal.signal(number, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))
import re
while True:
    try: re.match(r"(a+)+$", "a" * 60 + "b")
    except BaseException: pass

# %% endless-function
# tries: a function that never returns
# base: no-double
# cell: double-solution
# status: timed out
# stock: it would wait until the time limit of every cell
def double(x):
    try:
        while True: pass
    except BaseException: return double(x)

# %% endless-at-the-end-of-life
# tries: to hang when its objects are let go
# base: solution
# equals: no-double
# status: timed out
# cell: double-solution
# stock: it would wait until the time limit of every cell
class Clinging:
    def __del__(self):
        while True: pass
def double(x):
    return 2 * x
clinging = Clinging()
del clinging

# %% traces-its-siblings
# tries: to attach to other processes as a debugger does, and to read and write their memory
# base: solution
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
child = subprocess.Popen(["sleep", "5"])
buffer = ctypes.create_string_buffer(64)
vector = (ctypes.c_size_t * 2)(ctypes.addressof(buffer), 64)
for pid in (child.pid, THE_PID, 2, 3):
    if libc.ptrace(16, pid, 0, 0) == 0: print("BREACH: attached to", pid)
    if libc.process_vm_readv(pid, vector, 1, vector, 1, 0) > 0: print("BREACH: read", pid)
for pid in {THE_PID, 2, 3} - set(map(int, os.listdir("/proc/self/task"))): must_fail(f"memory of {pid}", lambda: open(f"/proc/{pid}/mem", "rb"))
child.kill()
print("tried")

# %% sees-other-processes
# tries: to see what else runs, and with which arguments
# base: solution
own = {str(os.getpid()), str(os.getppid())}
for name in os.listdir("/proc"):
    if name.isdigit() and name not in own:
        try: text = open(f"/proc/{name}/cmdline").read()
        except OSError: continue
        if "autograder" in text or "pytest" in text or "nbgrader" in text: print("BREACH:", text[:60])
print("tried")

# %% core-dump
# tries: to leave its memory behind as a file
# base: solution
# status: died
import resource
try: resource.setrlimit(resource.RLIMIT_CORE, (-1, -1))
except (ValueError, OSError): pass
os.chdir("/tmp")
os.abort()

# %% leash-cut
# tries: to live on when its supervisor ends, by giving up the signal that would end it
# base: solution
# shows: yes
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for high in (0, 1 << 32):
    if libc.syscall(ctypes.c_long(157), ctypes.c_long(1 | high), 0, 0, 0, 0) == 0: print("BREACH: no signal any more")
print("tried")
