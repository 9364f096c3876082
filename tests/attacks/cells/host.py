import os, pathlib
def must_fail(what, act):
    try: got = act()
    except BaseException: return
    print("BREACH:", what, repr(got)[:200])

# %% reads-a-file-of-the-graders
# tries: to read a file of whoever grades
# base: solution
must_fail("the grader's file", lambda: open("THE_CANARY/private.txt").read())
must_fail("the home", lambda: [p for p in pathlib.Path("/home").rglob("*") if p.is_file()] or 1 / 0)
print("tried")

# %% reads-the-course
# tries: to read the instructor's notebook, the hidden tests and the assignment's folder
# base: solution
for path in ("source/arena/arena.ipynb", "assignments/arena/assignment.toml", "nbgrader_config.py", "source", "assignments"):
    must_fail(path, lambda: os.stat(f"THE_COURSE/{path}"))
print("tried")

# %% reads-the-gradebook
# tries: to read the hidden tests and everybody's grades from the database
# base: solution
import sqlite3
must_fail("gradebook.db", lambda: sqlite3.connect("file:THE_COURSE/gradebook/gradebook.db?mode=ro", uri=True).execute("select count(*) from source_cell").fetchall())
print("tried")

# %% writes-the-gradebook
# tries: to give everybody full points
# base: solution
import sqlite3
def write():
    with sqlite3.connect("file:THE_COURSE/gradebook/gradebook.db?mode=rw", uri=True) as db:
        return db.execute("update grade set manual_score = 99, auto_score = 99").rowcount
must_fail("gradebook.db", write)
print("tried")

# %% reads-other-submissions
# tries: to read what the others handed in
# base: blank
def copy():
    found = next(p for p in pathlib.Path("THE_COURSE/gradebook/submitted").rglob("*.ipynb"))
    return found.read_text()[:40]
must_fail("another's work", copy)
print("tried")

# %% spoils-other-submissions
# tries: to delete what the others handed in
# base: solution
# stock: what the others handed in would be gone, and with it the table
import shutil
must_fail("everybody's work", lambda: shutil.rmtree("THE_COURSE/gradebook/submitted"))
print("tried")

# %% walks-the-whole-file-system
# tries: to find anything of the grader's in any folder that can be read
# base: solution
wanted = ("private.txt", "gradebook.db", "arena.ipynb", "id_rsa", ".netrc", "shadow")
for top in ("/", "..", "/proc/self/cwd", "/proc/self/root"):
    for folder, folders, files in os.walk(top):
        folders[:] = [f for f in folders if f not in ("proc", "sys", "site-packages", "lib", "share", "include", "src")]
        for name in files:
            if name in wanted: must_fail(os.path.join(folder, name), lambda: open(os.path.join(folder, name)).read(10))
print("tried")

# %% reads-the-environment
# tries: to read passwords and tokens from the environment, its own and that of the processes above
# base: solution
for path in ("/proc/self/environ", "/proc/1/environ", "/proc/2/environ", "/proc/THE_PID/environ"):
    try: text = open(path).read()
    except OSError: continue
    if "only-the-" + "grader-knows-this" in text: print("BREACH: the environment")
if "only-the-" + "grader-knows-this" in repr(os.environ): print("BREACH: the environment")
print("tried")

# %% writes-beside-the-interpreter
# tries: to leave code that the next student's or the grader's Python runs: in site-packages, in the engine, in startup files
# base: solution
# stock: it would change the environment that it is measured in
import autograder, sys, site
for folder in {*site.getsitepackages(), *sys.path, os.path.dirname(autograder.__file__), sys.prefix, "/usr/lib/python3", "/etc"} - {""}:
    if folder.endswith(".zip") or not os.path.isdir(folder) or folder.startswith("/tmp/notebook"): continue
    must_fail(folder, lambda: open(os.path.join(folder, "THE_MARK.pth"), "w").write("import os"))
print("tried")

# %% writes-outside-its-folder
# tries: to write to the course, the canary's folder and every other folder of the system
# base: solution
for folder in ("THE_CANARY", "THE_COURSE", "THE_COURSE/source", "/", "/usr", "/usr/local/share", "/etc", "/var/tmp", "/dev", "/run", "/new", "/sys", "/root", "/home", "/opt"):
    must_fail(folder, lambda: open(folder + "/THE_MARK", "w").close())
print("tried")

# %% leaves-a-note-for-the-next
# tries: to leave something behind in every place that can be written
# base: solution
import socket, tempfile
for folder in {"/tmp", "/dev/shm", os.getcwd(), os.path.expanduser("~"), tempfile.gettempdir(), "/dev/pts", "/dev/mqueue"}:
    try: pathlib.Path(folder, "THE_MARK").write_text("the answer is 90000")
    except OSError: pass
listener = socket.socket(socket.AF_UNIX)
listener.bind("\0THE_MARK")
listener.listen()
print("tried")

# %% looks-for-the-note
# tries: to find what another submission left anywhere
# base: solution
import socket
for folder in ("/tmp", "/dev/shm", "/tmp/notebook", os.path.expanduser("~"), "/dev/pts", "/var/tmp"):
    for _, folders, files in os.walk(folder):
        if any("THE_MARK" in name for name in (*folders, *files)): print("BREACH: a note in", folder)
must_fail("another's listener", lambda: socket.socket(socket.AF_UNIX).connect("\0THE_MARK"))
if "THE_MARK" in open("/proc/net/unix").read(): print("BREACH: another's listener")
print("tried")

# %% links-out-of-its-folder
# tries: to put links to the grader's files into its own folder, hoping that somebody follows them
# base: solution
for name in ("arena.ipynb", "timestamp.txt", "note.txt"):
    try: os.remove(name)
    except OSError: pass
    os.symlink("THE_CANARY/private.txt", name)
must_fail("a link", lambda: open("note.txt").read())
must_fail("a hard link", lambda: os.link("THE_CANARY/private.txt", "hard"))
must_fail("magic links", lambda: os.listdir("/proc/1/root/THE_CANARY"))
print("tried")

# %% opens-devices
# tries: to read the machine's memory, disks and terminals
# base: solution
for name in ("mem", "kmem", "port", "vda", "sda", "nvme0n1", "kmsg", "tty0", "tty1", "console", "fuse", "kvm", "loop-control", "nvidia0"):
    must_fail(name, lambda: os.open("/dev/" + name, os.O_RDONLY))
must_fail("mknod", lambda: os.mknod("/tmp/disk", 0o60666, os.makedev(254, 0)))
print("tried")

# %% writes-kernel-settings
# tries: to change the kernel's settings by /proc and /sys
# base: solution
# stock: it would change the machine that measures it
def write(path, text): return os.write(os.open(path, os.O_WRONLY), text)
for path in ("sys/kernel/core_pattern", "sys/vm/drop_caches", "sysrq-trigger", "sys/kernel/hostname", "sys/fs/file-max", "self/uid_map", "self/setgroups"):
    must_fail(path, lambda: write("/proc/" + path, b"0"))
for path in ("kernel/mm/transparent_hugepage/enabled", "power/state", "fs/cgroup/cgroup.procs"):
    must_fail(path, lambda: write("/sys/" + path, b"never"))
print("tried")

# %% zip-of-links-unpacked
# tries: to unpack an archive whose members lead out of the folder
# base: solution
import io, tarfile
data = io.BytesIO()
with tarfile.open(fileobj=data, mode="w") as tar:
    for name, link in (("a", "THE_CANARY"), ("a/THE_MARK", None), ("../../../../THE_CANARY/THE_MARK", None)):
        info = tarfile.TarInfo(name)
        if link: info.type, info.linkname = tarfile.SYMTYPE, link
        tar.addfile(info, io.BytesIO())
data.seek(0)
must_fail("the archive", lambda: tarfile.open(fileobj=data).extractall())
print("tried")
