import os, socket
def must_fail(what, act):
    try: got = act()
    except BaseException: return
    print("BREACH:", what, repr(got)[:200])

# %% sockets-of-every-family
# tries: to make a socket of every family but Unix's
# base: solution
for family in [*range(2, 46)]:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
        must_fail(f"family {family}", lambda: socket.socket(family, kind))
        must_fail(f"pair of family {family}", lambda: socket.socketpair(family, kind))
print("tried")

# %% connects-to-a-service-of-the-hosts
# tries: to reach a service that listens on the grader's machine
# base: solution
must_fail("a service", lambda: socket.create_connection(("127.0.0.1", THE_PORT), 2).send(b"THE_MARK"))
must_fail("the internet", lambda: socket.create_connection(("1.1.1.1", 53), 2))
must_fail("names", lambda: socket.getaddrinfo("localhost", 80) and socket.create_connection(("localhost", THE_PORT), 2))
must_fail("metadata", lambda: __import__("urllib.request").request.urlopen("http://169.254.169.254/", timeout=2))
print("tried")

# %% connects-to-an-abstract-socket
# tries: to reach a Unix socket of the grader's that has no file
# base: solution
def call():
    s = socket.socket(socket.AF_UNIX)
    s.connect("\0THE_LISTENER")
    s.send(b"THE_MARK")
must_fail("an abstract socket", call)
for path in ("/run/docker.sock", "/var/run/dbus/system_bus_socket", "/tmp/.X11-unix/X0", "THE_CANARY/socket"):
    must_fail(path, lambda: socket.socket(socket.AF_UNIX).connect(path))
print("tried")

# %% listens
# tries: to wait for visitors, with and without a file
# base: solution
for name in ("\0THE_MARK-listener", "/tmp/THE_MARK-listener"):
    s = socket.socket(socket.AF_UNIX)
    s.bind(name)
    s.listen()
    globals()["kept" + str(len(name))] = s
print("tried")

# %% loopback
# tries: to reach its own machine by the loopback device
# base: solution
lines = open("/proc/net/dev").read().splitlines()[2:]
names = [line.split(":")[0].strip() for line in lines]
if names != ["lo"]: print("BREACH:", names)
must_fail("netlink", lambda: socket.if_nameindex() and 1 / 0 if os.getuid() else 1 / 0)
print("tried")
