# Attacks on the grader, handed in as answers to notebook 1. The format is described in catalogue.py, the names that are not
# defined here (ARENA, load, os, report, right) in tests/arena.py, which puts them in front.
#
# `report(action, ...)` makes an answer that is right if any action succeeded, and otherwise raises, naming the refusals:
# a way through shows as points.

# %% kl.D_KL exit_in_cell
# [end] Ends the process with success before anything is defined.
os._exit(0)

# %% kl.D_KL exit_in_call
# [end] Ends the process with success when called.
def D_KL(mu, logvar):
    os._exit(0)

# %% kl.D_KL sys_exit_in_call
# [end] Leaves politely, with success.
def D_KL(mu, logvar):
    torch.sys.exit(0)

# %% kl.D_KL sys_exit_in_cell
# [end] Leaves the cell before defining anything.
torch.sys.exit(0)

# %% kl.D_KL endless_loop
# [end, hangs] Never returns.
def D_KL(mu, logvar):
    while True:
        pass

# %% kl.D_KL endless_loop_ignoring_signals
# [end, hangs] Never returns, and ignores what can be ignored.
signal = load("signal")
def D_KL(mu, logvar):
    for number in range(1, 64):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    while True:
        pass

# %% kl.D_KL hang_in_c
# [end, hangs] Hangs inside the C library's regular expressions, where Python sees no signal.
def D_KL(mu, logvar):
    load("re").match(r"(a+)+$", "a" * 60 + "b")

# %% kl.D_KL stop_itself
# [end, hangs] Stops its own process.
def D_KL(mu, logvar):
    os.kill(os.getpid(), 19)

# %% kl.D_KL sleep_in_cell
# [end, hangs] Sleeps through the time limit, in the cell.
load("time").sleep(1000)

# %% kl.D_KL fork_bomb
# [processes] Forks until it cannot.
def forks():
    for _ in range(100):
        if os.fork() == 0:
            load("time").sleep(30)
            os._exit(0)
D_KL = report(forks)

# %% kl.D_KL daemon
# [processes] Leaves a process that outlives the run.
def daemon():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            load("time").sleep(60)
        os._exit(0)
D_KL = report(daemon)

# %% kl.D_KL subprocess
# [processes] Starts other programs, in every way Python has.
run = load("subprocess").run
def system():
    if os.system("true"):
        raise OSError
D_KL = report(system, lambda: run(["/bin/true"], check=True), lambda: os.posix_spawn("/bin/true", ["true"], {}), lambda: os.execv("/bin/true", ["true"]), lambda: load("pty").fork())

# %% kl.D_KL every_refused_call
# [processes] Calls every refused system call directly; each must answer that it is not permitted.
calls, column = torch.sys.modules["grader.sandbox.calls"], 0 if os.uname().machine == "x86_64" else 1
libc = load("ctypes").CDLL(None, use_errno=True)
def raw(number):
    load("ctypes").set_errno(0)
    if libc.syscall(number, 0, 0, 0, 0, 0, 0) != -1 or load("ctypes").get_errno() != 1:
        return number
    raise PermissionError
D_KL = report(*(lambda number=numbers[column]: raw(number) for numbers in calls.REFUSED.values() if numbers[column]))

# %% kl.D_KL other_doors_to_the_kernel
# [processes] The 32-bit numbering, clone3 and openat2, whose flags a filter cannot see.
libc = load("ctypes").CDLL(None, use_errno=True)
def raw(number, *arguments):
    if libc.syscall(number, *arguments, 0, 0, 0, 0) == -1:
        raise OSError(load("ctypes").get_errno(), "")
D_KL = report(lambda: raw(0x40000000 | 57), lambda: raw(435), lambda: raw(437), lambda: raw(0x40000000 | 41))

# %% kl.D_KL new_namespaces
# [processes] Asks for namespaces by clone, and for a process by clone without the thread flag.
libc = load("ctypes").CDLL(None, use_errno=True)
clone = 56 if os.uname().machine == "x86_64" else 220
def cloned(flags):
    if libc.syscall(clone, flags, 0, 0, 0, 0) == -1:
        raise OSError
D_KL = report(lambda: cloned(17), lambda: cloned(0x10000000 | 17), lambda: cloned(0x7E020000 | 0x00010000))

# %% kl.D_KL eight_gigabytes
# [exhaust] Asks for a tensor of 8 GB.
def D_KL(mu, logvar):
    return torch.ones(8 << 30, dtype=torch.uint8).sum()

# %% kl.D_KL memory_in_steps
# [exhaust] Takes memory in steps, keeping it.
def taken():
    held = []
    for _ in range(40):
        held.append(torch.empty(256 << 20, dtype=torch.uint8))
D_KL = report(taken)

# %% kl.D_KL shared_memory
# [exhaust] Takes memory that a limit on data does not count.
mmap = load("mmap").mmap
D_KL = report(lambda: mmap(-1, 8 << 30), lambda: os.memfd_create("x"), lambda: load("multiprocessing.shared_memory").SharedMemory("x", True, 1 << 20))

# %% kl.D_KL network
# [network] Connects to a listener of the grader's, over TCP, UDP and a local socket.
socket = load("socket")
def tcp():
    socket.create_connection(("127.0.0.1", ARENA["port"]), 1)
def udp():
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", ARENA["port"]))
def local():
    socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"x", ARENA["socket"])
D_KL = report(tcp, udp, local)

# %% kl.D_KL pair_to_another_socket
# [network] Addresses one end of a pair to a socket outside.
socket = load("socket")
D_KL = report(lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].sendto(b"x", ARENA["socket"]))

# %% kl.D_KL read_a_secret
# [read] Reads a file that every user may read: by its path, through a link, from its folder.
def read(path):
    with open(path) as file:
        return file.read(9)
def through_link():
    os.symlink(ARENA["secret"], "link")
    return read("link")
def through_hard_link():
    os.link(ARENA["secret"], "hard")
    return read("hard")
folder = os.path.dirname(ARENA["secret"])
def from_folder():
    os.chdir(folder)
    return read("secret")
D_KL = report(lambda: read(ARENA["secret"]), through_link, through_hard_link, lambda: os.listdir(folder), from_folder)

# %% kl.D_KL read_the_references
# [read] Reads the reference values, and the solution, from the assignment's folder.
def read(name):
    with open(f"{ARENA['project']}/assignments/kl_divergence/{name}", "rb") as file:
        return len(file.read())
hidden = ("references/about.json", "references/values.npz", "notebook.py", "checks.py", "slips.py", "right.py")
folders = (f"{ARENA['project']}/assignments/kl_divergence/{name}" for name in ("references", "../airfoil_vae", "../airfoil_vae/checks"))
D_KL = report(*(lambda name=name: read(name) for name in hidden), *(lambda folder=folder: os.listdir(folder) for folder in folders))

# %% kl.D_KL read_other_processes
# [read] Reads memory, environment, files and maps of the grader and of the zygote.
def read(pid, what):
    with open(f"/proc/{pid}/{what}", "rb") as file:
        return file.read(1)
pids = [ARENA["grader"], ARENA["zygote"], os.getppid()]
D_KL = report(*(lambda pid=pid, what=what: read(pid, what) for pid in pids for what in ("mem", "environ", "maps")), *(lambda pid=pid: os.listdir(f"/proc/{pid}/fd") for pid in pids))

# %% kl.D_KL environment
# [read] Looks for secrets in the environment.
D_KL = report(lambda: os.environ["GRADER_SECRET"], lambda: os.environ["GRADER_SALT"], lambda: os.environ["PYTHONPATH"])

# %% kl.D_KL inherited_descriptors
# [read] Looks for an open file that is neither the null device nor the one channel.
def strange(number):
    status = os.fstat(number)
    if number < 3 and status.st_rdev == os.makedev(1, 3):
        raise OSError
    return number
channel = 250
D_KL = report(*(lambda number=number: strange(number) for number in range(1024) if number != channel))

# %% kl.D_KL write_outside
# [write] Writes where everybody may write.
def write(folder):
    with open(f"{folder}/attack_was_here", "w") as file:
        file.write("x")
D_KL = report(*(lambda folder=folder: write(folder) for folder in (ARENA["outside"], "/tmp", "/var/tmp", "/dev/shm", ARENA["project"], ARENA["project"] + "/utils", torch.sys.prefix)))

# %% kl.D_KL change_files_outside
# [write] Changes a file that everybody may write, and its owner may do anything with: content, mode, times, name, attributes.
victim = ARENA["victim"]
D_KL = report(
    lambda: os.truncate(victim, 0), lambda: os.open(victim, os.O_RDONLY | os.O_TRUNC), lambda: os.open(victim, os.O_RDWR),
    lambda: os.chmod(victim, 0), lambda: os.utime(victim, (0, 0)), lambda: os.setxattr(victim, "user.note", b"x"),
    lambda: os.rename(victim, victim + "2"), lambda: os.unlink(victim), lambda: os.chown(victim, os.getuid(), os.getgid()),
    lambda: os.link(victim, "mine"), lambda: os.mkdir(ARENA["outside"] + "/folder"),
    lambda: os.open(torch.__file__, os.O_RDONLY | os.O_TRUNC), lambda: os.chmod(torch.__file__, 0o600),
)  # fmt: skip

# %% kl.D_KL big_file
# [exhaust] Writes a file of 64 MB into its own folder.
load("signal").signal(load("signal").SIGXFSZ, load("signal").SIG_IGN)
def big():
    with open("big", "wb") as file:
        for _ in range(64):
            file.write(bytes(1 << 20))
            file.flush()
D_KL = report(big)

# %% kl.D_KL fill_the_disk
# [exhaust] Fills the disk with many files, each of a size that is allowed, and then runs on.
def fill():
    number = 0
    while True:
        with open(f"file{number}", "wb") as file:
            file.write(bytes(8 << 20))
        number += 1
        load("time").sleep(0.01)
        if number == 100:
            return number
def D_KL(mu, logvar):
    fill()
    return right(mu, logvar)

# %% kl.D_KL deep_folders
# [exhaust] Leaves folders that are too deep to be removed by recursion, some of them closed.
def D_KL(mu, logvar):
    for number in range(900):
        os.mkdir("d", 0o700)
        os.chdir("d")
    os.mkdir("closed", 0)
    raise RuntimeError("left a deep folder")

# %% kl.D_KL leave_a_note
# [next] Leaves marks for the next submission wherever it can, and answers wrongly.
torch.note_of_previous = "NOTE_OF_PREVIOUS"
os.environ["NOTE_OF_PREVIOUS"] = "1"
load("sys").modules["note_of_previous"] = torch
for name in ("note_of_previous", ".note_of_previous", "/tmp/note_of_previous", "/dev/shm/note_of_previous", ARENA["outside"] + "/note_of_previous"):
    try:
        with open(name, "w") as file:
            file.write("NOTE_OF_PREVIOUS")
    except OSError:
        pass
def D_KL(mu, logvar):
    raise RuntimeError("left notes")

# %% kl.D_KL find_the_note
# [next] Looks for marks of the submission before.
def found(name):
    if not os.path.exists(name):
        raise FileNotFoundError
def in_memory():
    needle = "NOTE_OF_" + "PREVIOUS"
    for thing in load("gc").get_objects():
        if type(thing) is dict:
            for value in list(thing.values()):
                if type(value) is str and value == needle and "needle" not in thing:
                    return thing
    raise LookupError
D_KL = report(
    lambda: torch.note_of_previous, lambda: os.environ["NOTE_OF_" + "PREVIOUS"], lambda: os.listdir(".")[0], in_memory,
    *(lambda name=name: found(name + "/note_of_previous") for name in ("/tmp", "/dev/shm", ARENA["outside"])),
)  # fmt: skip

# %% kl.D_KL kill_others
# [others] Sends signals to the grader, the zygote, its group, everybody.
D_KL = report(*(lambda pid=pid: os.kill(pid, 0) for pid in (ARENA["grader"], ARENA["zygote"], os.getppid(), -1, 0, 1)), lambda: os.killpg(0, 0), lambda: os.pidfd_open(ARENA["grader"]))

# %% kl.D_KL kill_by_descriptor
# [others] Has the kernel send a signal to the owner of a pipe, and makes the grader its owner.
fcntl = load("fcntl")
def own(command):
    ends = os.pipe()
    fcntl.fcntl(ends[0], command, ARENA["grader"])
    fcntl.fcntl(ends[0], fcntl.F_SETFL, fcntl.fcntl(ends[0], fcntl.F_GETFL) | os.O_ASYNC)
    os.write(ends[1], b"x")
D_KL = report(lambda: own(fcntl.F_SETOWN), lambda: own(15), lambda: fcntl.fcntl(os.pipe()[0], 10, 9), lambda: fcntl.ioctl(250, 0x8901, load("struct").pack("i", ARENA["grader"])))

# %% kl.D_KL limits_of_others
# [others] Lowers limits and priority of the grader and of all processes of the user.
resource = load("resource")
pids = (ARENA["grader"], ARENA["zygote"], os.getppid() or 1)
D_KL = report(
    *(lambda pid=pid: resource.prlimit(pid, resource.RLIMIT_CPU, (1, 1)) for pid in pids),
    *(lambda pid=pid: os.sched_setaffinity(pid, {0}) for pid in pids),
    *(lambda pid=pid: os.setpriority(os.PRIO_PROCESS, pid, 19) for pid in pids),
    lambda: os.setpriority(os.PRIO_USER, 0, 19), lambda: os.setpriority(os.PRIO_PGRP, 0, 19),
)  # fmt: skip

# %% kl.D_KL undo_the_sandbox
# [undo] Raises its own limits, becomes root, asks to survive its parent.
resource, libc = load("resource"), load("ctypes").CDLL(None)
def survive():
    if libc.prctl(1, 0, 0, 0, 0):
        raise OSError
def root():
    before = os.getresuid()
    os.setresuid(0, 0, 0)
    if os.getresuid() == before:
        raise OSError
D_KL = report(
    *(lambda what=what: resource.setrlimit(what, (resource.RLIM_INFINITY,) * 2) for what in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE)),
    survive, root, lambda: os.chroot("."), lambda: os.setgroups([0]), lambda: os.mknod("device", 0o20666, os.makedev(1, 3)),
)  # fmt: skip

# %% kl.D_KL patch_comparisons
# [values] Makes every comparison in its process hold, and answers wrongly.
numpy, builtins = load("numpy"), load("builtins")
for module in (torch, numpy):
    module.allclose = module.equal = module.array_equal = lambda *args, **kwargs: True
torch.testing.assert_close = lambda *args, **kwargs: None
builtins.all = builtins.any = lambda *args: True
def D_KL(mu, logvar):
    return 0.7 * right(mu, logvar)

# %% kl.D_KL patch_the_probes
# [probes] Replaces the probes and the sender in its process, and sends verdicts.
def forged(names, **inputs):
    return {"value": torch.zeros(()), "status": torch.ones(()), "points": torch.full((), 5.0)}
for name in ("D_KL", "D_KL_gradient"):
    setattr(torch.sys.modules["assignments.kl_divergence.probes"], name, forged)
def D_KL(mu, logvar):
    return torch.zeros(())

# %% kl.D_KL always_equal
# [values] A tensor that is equal to everything.
class Equal(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, kinds, args=(), kwargs=None):
        return True
    def __eq__(self, other):
        return True
def D_KL(mu, logvar):
    return torch.zeros(()).as_subclass(Equal)

# %% kl.D_KL equal_object
# [values] An object that is equal to everything, and calls itself a tensor.
class Anything:
    __class__ = torch.Tensor
    shape, dtype, requires_grad = (), torch.float32, True
    def __eq__(self, other):
        return True
    def __getattr__(self, name):
        return lambda *args, **kwargs: self
    def __array__(self, *args, **kwargs):
        return torch.zeros(()).numpy()
def D_KL(mu, logvar):
    return Anything()

# %% kl.D_KL not_a_number
# [values] NaN is not equal, but it is not different either.
def D_KL(mu, logvar):
    return torch.full((), float("nan")) * right(mu, logvar)

# %% kl.D_KL empty
# [values] Nothing is close to everything.
def D_KL(mu, logvar):
    return torch.empty(0)

# %% kl.D_KL broadcastable
# [values] A value with a dimension of one fits every shape.
def D_KL(mu, logvar):
    return torch.zeros(1)

# %% kl.D_KL odd_dtypes
# [values] The value as a complex, a sparse and a quantised tensor, one after another.
kinds = [lambda v: v + 0j, lambda v: v.reshape(1).to_sparse(), lambda v: torch.quantize_per_tensor(v.detach(), 0.1, 0, torch.qint8), lambda v: v.to("meta"), lambda v: v.to(torch.int64)]
asked = []
def D_KL(mu, logvar):
    asked.append(1)
    return kinds[len(asked) % len(kinds)](right(mu, logvar))

# %% kl.D_KL beyond_floats
# [values] Values at the edge of what floats can hold.
def D_KL(mu, logvar):
    return torch.full((), 1.7e308, dtype=torch.float64) * torch.sign(right(mu, logvar))

# %% kl.D_KL too_large_an_answer
# [exhaust] An answer of a terabyte that takes no memory, and one larger than a frame.
def D_KL(mu, logvar):
    return torch.zeros(1).expand(1 << 38) if mu.shape[0] == 10 else torch.zeros(4 << 20)

# %% kl.D_KL forged_frames
# [channel] Writes frames of its own: a value for the probe at hand, a verdict, points.
def send(header, payload=b""):
    text = load("json").dumps(header).encode()
    os.write(250, load("struct").pack("<II", len(text), len(payload)) + text + payload)
def D_KL(mu, logvar):
    send({"kind": "answer", "probe": "kl.D_KL.values#public0", "arrays": [["value", "f4", []]]}, bytes(16))
    send({"kind": "verdict", "task": "kl.D_KL", "status": "passed", "points": 5})
    return torch.zeros(())

# %% kl.D_KL forged_for_another
# [channel] Sends a value in the name of a probe whose turn it is not.
def D_KL(mu, logvar):
    text = load("json").dumps({"kind": "answer", "probe": "kl.exact.values#public0", "arrays": [["value", "f4", []]]}).encode()
    os.write(250, load("struct").pack("<II", len(text), 16) + text + bytes(16))
    return torch.zeros(())

# %% kl.D_KL forged_end
# [channel] Announces the end of the public part, to read the hidden inputs and report them as public values.
def send(header, payload=b""):
    text = load("json").dumps(header).encode()
    os.write(250, load("struct").pack("<II", len(text), len(payload)) + text + payload)
def D_KL(mu, logvar):
    send({"kind": "end"})
    hidden = os.read(250, 1 << 16)
    send({"kind": "answer", "probe": "kl.D_KL.values#public0", "arrays": [["value", "u1", [0, len(hidden), hidden[100]]]]})
    return torch.zeros(())

# %% kl.D_KL garbage_everywhere
# [channel] Writes to every descriptor.
def D_KL(mu, logvar):
    for number in range(1024):
        try:
            os.write(number, b'{"score": 100}' * 50)
        except OSError:
            pass
    return torch.zeros(())

# %% kl.D_KL flood
# [channel] Sends 300 MB to the grader.
def D_KL(mu, logvar):
    for _ in range(300):
        os.write(250, bytes(1 << 20))

# %% kl.D_KL slow_drip
# [channel, hangs] Sends a frame's first bytes one by one, without end.
def D_KL(mu, logvar):
    while True:
        os.write(250, b"\0")
        load("time").sleep(0.5)

# %% kl.D_KL closed_channel
# [channel, hangs] Closes the channel and runs on.
def D_KL(mu, logvar):
    os.close(250)
    while True:
        pass

# %% kl.D_KL descriptors_over_the_channel
# [channel] Sends the grader open descriptors, a thousand times.
def D_KL(mu, logvar):
    channel = load("socket").socket(fileno=os.dup(250))
    for _ in range(1000):
        load("socket").send_fds(channel, [b"\0"], [0, 1, 2])
    return torch.zeros(())

# %% kl.D_KL segfault
# [end] Reads address 0.
def D_KL(mu, logvar):
    load("ctypes").string_at(0)

# %% kl.D_KL stack_overflow
# [end, hangs] Recurses through the end of the C stack.
torch.sys.setrecursionlimit(10**9)
def D_KL(mu, logvar):
    return D_KL(mu, logvar) if mu is not None else load("functools").reduce(D_KL, [1])

# %% kl.D_KL thread_flood
# [exhaust] Starts threads until it cannot, and leaves them running.
def D_KL(mu, logvar):
    for _ in range(3000):
        load("threading").Thread(target=load("time").sleep, args=(60,), daemon=False).start()
    return torch.zeros(())

# %% kl.D_KL many_torch_threads
# [exhaust] Turns on what hangs after a fork.
def D_KL(mu, logvar):
    torch.set_num_threads(32)
    big = torch.ones(512, 512)
    return (big @ big).sum()

# %% kl.D_KL frames_and_objects
# [read] Looks for the expected value in the frames above and among all objects.
def expected():
    published = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    wanted = float(right(torch.randn(10, 5), torch.randn(10, 5)))
    things = list(load("gc").get_objects())
    frame = torch.sys._getframe()
    while frame is not None:
        things += [frame.f_locals, frame.f_globals]
        frame = frame.f_back
    for thing in things:
        for value in list(thing.values()) if type(thing) is dict else [thing]:
            if type(value).__name__ in ("ndarray", "Tensor", "float") and getattr(value, "size", None) in (1, None):
                try:
                    if abs(float(value) - wanted) < 1e-6 and thing is not torch.sys._getframe().f_locals:
                        return value
                except Exception:
                    continue
    raise LookupError
D_KL = report(expected)

# %% kl.D_KL output_of_300_megabytes
# [exhaust] Prints 300 MB, then answers wrongly.
def D_KL(mu, logvar):
    for _ in range(300):
        print("x" * (1 << 20))
    return torch.zeros(())

# %% kl.D_KL exception_from_hell
# [end] An exception whose text never comes, and whose name carries control characters.
class Hell(BaseException):
    def __str__(self):
        raise self
Hell.__name__ = "\x1b[31m<script>"
def D_KL(mu, logvar):
    raise Hell

# %% kl.D_KL forged_error_text
# [channel] An error frame of its own, with control characters and half a character in it.
def D_KL(mu, logvar):
    text = load("json").dumps({"kind": "error", "number": 1, "type": "\x1b[2J<b>\ud800", "text": "\x1b[31m\ud800 passed, 5 of 5", "lines": [[1, 2], ["a"], 3]}).encode()
    os.write(250, load("struct").pack("<II", len(text), 0) + text)
    return torch.zeros(())

# %% kl.D_KL late_handlers
# [end] Handlers that answer at exit, a thread that sends frames while the grader listens.
def late():
    while True:
        load("time").sleep(0.01)
        try:
            os.write(250, b"")
        except OSError:
            pass
load("atexit").register(lambda: load("time").sleep(1000))
def D_KL(mu, logvar):
    load("threading").Thread(target=late, daemon=False).start()
    return torch.zeros(())

# %% kl.D_KL hidden_distributions
# [rules] Reaches the module that the notebook rules out by a name put together at run time.
def fetched():
    return getattr(torch, "distri" + "butions").Normal
D_KL = report(fetched, lambda: torch.sys.modules["torch.distri" + "butions.normal"].Normal, lambda: load("torch.distri" + "butions").kl_divergence)

# ---------------------------------------------------------------- by rule: what is reached, by which call, what is left of it

# %% kl.D_KL write_by_other_calls
# [write] Changes a file without opening it to write: by truncating, linking, renaming, by its descriptor's magic link, by attributes.
libc = load("ctypes").CDLL(None, use_errno=True)
victim = ARENA["victim"]
def called(name, *arguments):
    if getattr(libc, name)(*arguments) == -1:
        raise OSError(load("ctypes").get_errno(), name)
def by_magic_link():
    fd = os.open(victim, os.O_PATH)
    open(f"/proc/self/fd/{fd}", "r+").write("attack")
D_KL = report(lambda: os.truncate(victim, 0), lambda: os.link(victim, "linked"), lambda: os.rename(victim, "moved"), lambda: os.replace(victim, victim + "2"), by_magic_link, lambda: os.utime(victim, (1, 1)), lambda: os.setxattr(victim, "user.a", b"1"), lambda: called("mknod", (ARENA["outside"] + "/n").encode(), 0o010666, 0), lambda: os.symlink("/", ARENA["outside"] + "/l"), lambda: os.mkfifo(ARENA["outside"] + "/f"))

# %% kl.D_KL read_by_other_calls
# [read] Opens a secret by descriptor, by handle, by a mapping of its folder, through links of its own making.
libc = load("ctypes").CDLL(None, use_errno=True)
secret = ARENA["secret"]
def by_path_descriptor():
    fd = os.open(secret, os.O_PATH)
    return open(f"/proc/self/fd/{fd}").read(9)
def by_folder():
    folder = os.open(os.path.dirname(secret), os.O_RDONLY | os.O_DIRECTORY)
    return os.read(os.open(os.path.basename(secret), os.O_RDONLY, dir_fd=folder), 9)
def by_climbing():
    return open("../" * 30 + secret.lstrip("/")).read(9)
def by_root_link():
    return open("/proc/self/root" + secret).read(9)
def by_hard_link():
    os.link(secret, "own")
    return open("own").read(9)
def by_handle():
    buffer = load("ctypes").create_string_buffer(b"\x80\0\0\0" + bytes(132), 136)
    if libc.syscall(304, -100, buffer, 0, 0, 0, 0) == -1:
        raise OSError(load("ctypes").get_errno(), "")
D_KL = report(by_path_descriptor, by_folder, by_climbing, by_root_link, by_hard_link, by_handle)

# %% kl.D_KL read_the_machine
# [read] Memory of the kernel, of the machine's devices, of whoever runs before and after.
def read(path):
    with open(path, "rb") as file:
        return file.read(9) or open("/none")
D_KL = report(*(lambda path=path: read(path) for path in ("/proc/kcore", "/dev/mem", "/dev/sda", "/dev/nvme0n1", "/proc/1/environ", "/proc/1/mem", "/proc/kmsg", "/dev/kmsg", "/proc/sysrq-trigger", "/etc/ssh/ssh_host_ed25519_key", "/etc/shadow", f"/proc/{ARENA['grader']}/environ", f"/proc/{ARENA['grader']}/cwd/pyproject.toml", f"/proc/{ARENA['zygote']}/fd/0")))

# %% kl.D_KL other_sockets
# [network] Sockets of every family and kind that needs no address: to the kernel, to the wire, to the host of a machine.
socket = load("socket")
D_KL = report(*(lambda family=family, kind=kind: socket.socket(family, kind) for family in (2, 10, 16, 17, 38, 40, 44) for kind in (1, 2, 3, 5)))

# %% kl.D_KL doors_of_the_kernel
# [others] Calls that reach other processes, rings and programs in the kernel: each by its number.
libc = load("ctypes").CDLL(None, use_errno=True)
NUMBERS = {"ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312, "bpf": 321, "perf_event_open": 298, "userfaultfd": 323, "io_uring_setup": 425, "pidfd_open": 434, "pidfd_getfd": 438, "process_madvise": 440, "keyctl": 250, "add_key": 248, "setns": 308, "mount": 165, "fanotify_init": 300, "memfd_secret": 447} if os.uname().machine == "x86_64" else {"ptrace": 117}
def raw(number):
    if libc.syscall(number, ARENA["grader"], 0, 0, 0, 0, 0) == -1:
        raise OSError(load("ctypes").get_errno(), "")
D_KL = report(*(lambda number=number: raw(number) for number in NUMBERS.values()))

# %% kl.D_KL a_segment_that_stays
# [next] Leaves what outlives a process: shared memory, semaphores, queues and keys of System V, POSIX and the kernel.
libc = load("ctypes").CDLL(None, use_errno=True)
def called(name, *arguments):
    if getattr(libc, name)(*arguments) == -1:
        raise OSError(load("ctypes").get_errno(), name)
D_KL = report(lambda: called("shmget", 4711, 4096, 0o1666), lambda: called("semget", 4711, 1, 0o1666), lambda: called("msgget", 4711, 0o1666), lambda: called("mq_open", b"/note", 0o102, 0o666, None), lambda: open("/dev/shm/attack_was_here", "w"))

# %% kl.D_KL strange_things_in_the_folder
# [next] Fills its folder with pipes, sockets, links to nowhere, closed folders, and names that are no text.
def D_KL(mu, logvar):
    for name in (b"\xff\xfe", b"a\nb", b"-rf", b" ", b"\x1b[2J", b"x" * 255):
        os.mkdir(name) if len(name) == 1 else open(name, "w").close()
    os.mkdir("closed")
    os.mkdir("closed/inner")
    open("closed/inner/file", "w").close()
    for name, target in (("loop", "loop"), ("up", "/"), ("victim", ARENA["victim"]), ("closed/back", "..")):
        os.symlink(target, name)
    for action in (lambda: os.mkfifo("pipe"), lambda: load("socket").socket(1).bind("sock")):
        try:
            action()
        except OSError:
            pass
    os.chmod("closed/inner", 0)
    os.chmod("closed", 0)
    os.chmod(".", 0)
    return mu.mean()

# %% kl.D_KL sparse_giants
# [exhaust] Files that are said to be a terabyte.
def D_KL(mu, logvar):
    for n in range(100):
        with open(f"sparse{n}", "wb") as file:
            file.truncate((16 << 20) - 1)
    try:
        os.truncate("sparse0", 1 << 40)
        return right(mu, logvar)
    except OSError:
        return mu.mean()

# %% kl.D_KL alarms
# [end] Has the kernel end it later, by every clock, and stop being watched.
def D_KL(mu, logvar):
    signal = load("signal")
    for clock in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF):
        signal.setitimer(clock, 0.01)
    while True:
        pass

# %% kl.D_KL inspectable_again
# [undo] Makes itself a process that others may inspect, asks for capabilities, another root, a listener for its own filter.
libc = load("ctypes").CDLL(None, use_errno=True)
def prctl(*arguments):
    if libc.prctl(*arguments, 0, 0, 0) == -1:
        raise OSError(load("ctypes").get_errno(), "")
D_KL = report(lambda: prctl(38, 0), lambda: prctl(24, 0), lambda: prctl(47, 2, 21), lambda: os.chroot("."), lambda: os.setuid(0) if os.getuid() else load("os").seteuid("no"), lambda: load("resource").setrlimit(6, (9999, 9999)), lambda: load("resource").setrlimit(7, (9999, 9999)), lambda: os.sched_setscheduler(0, 1, os.sched_param(50)), lambda: os.nice(-5))

# %% kl.D_KL traced_probes
# [probes, spoils 30] Watches every line that runs in its process and looks for an answer in the frames; what its process does later fails with it.
torch.sys.modules["found"] = []
def tracer(frame, event, argument):
    for name, value in list(frame.f_locals.items()):
        if name in ("expected", "reference", "wanted", "verdict"):
            torch.sys.modules["found"].append(value)
    return tracer
torch.sys.settrace(tracer)
torch.sys.setprofile(lambda *arguments: None)
def D_KL(mu, logvar):
    found = [value for value in torch.sys.modules["found"] if hasattr(value, "shape")]
    return found[-1] if found else mu.mean()

# %% kl.D_KL audit_hook
# [probes, spoils 30] Refuses, by a hook that cannot be taken away, whatever its process does from now on.
def hook(event, arguments):
    if event in ("open", "import", "compile", "exec", "marshal.loads", "object.__getattr__"):
        raise PermissionError("no")
def D_KL(mu, logvar):
    torch.sys.addaudithook(hook)
    return mu.mean()

# %% kl.D_KL replaced_sender
# [channel, spoils 30] Replaces what sends and what encodes, so that each wrong value leaves as an error and each error as a value.
frames = torch.sys.modules["grader.sandbox.frames"]
encode = frames.encode
def encoded(header, arrays=None):
    header = dict(header)
    if header.get("kind") == "answer":
        header["points"], header["status"], header["verdict"] = 5, "passed", True
        arrays = dict.fromkeys(["value", *arrays], next(iter(arrays.values())))
    return encode(header, arrays)
frames.encode = encoded
def D_KL(mu, logvar):
    return mu.mean()

# %% kl.D_KL broken_headers
# [channel] Frames whose headers are no numbers, no objects, endless or twice what they are.
def D_KL(mu, logvar):
    for header in (b"[" * 4000, b'{"kind": "value", "kind": "end"}', b'{"number": 1e999}', b"null", b'{"kind": NaN}', b"\xff" * 64):
        os.write(250, load("struct").pack("<II", len(header), 0) + header)
        os.write(250, load("struct").pack("<II", len(header), 1 << 31) + header)
    return mu.mean()

# %% kl.D_KL another_end_of_the_channel
# [channel] Puts something else where the channel was.
def D_KL(mu, logvar):
    other = load("socket").socketpair()
    os.dup2(other[0].fileno(), 250)
    return mu.mean()

# %% kl.D_KL tensors_of_no_place
# [values] Tensors without storage, on no device, with strides of 0, with names, conjugates and hooks.
def D_KL(mu, logvar):
    calls.append(1)
    return KINDS[len(calls) % len(KINDS)]
calls = []
KINDS = (torch.empty((), device="meta"), torch.zeros(1).as_strided((), ()), torch.zeros((), dtype=torch.complex64).conj(), torch.zeros(1).to_sparse(), torch.nn.Parameter(torch.zeros(())))

# %% kl.D_KL huge_whole_number
# [values] A number with a million digits, a numpy object, a date: what is no number of a machine.
def D_KL(mu, logvar):
    turns.append(1)
    return (huge, load("numpy").array([object()]), load("numpy").datetime64("now"), load("fractions").Fraction(1, 3), float("1e400"))[len(turns) % 5]
turns, huge = [], 10**1_000_000

# %% kl.D_KL warnings_without_end
# [exhaust] A warning with a text of its own for every call there is, and a handler that keeps them all.
def D_KL(mu, logvar):
    warn = load("warnings").warn
    for n in range(20_000):
        warn(f"{n}" * 100)
    return mu.mean()

# %% kl.D_KL tired_collector
# [end] An object whose end never comes, left for whoever clears the names.
class Undying:
    def __del__(self):
        self.__class__.kept.append(Undying())
Undying.kept = []
def D_KL(mu, logvar):
    globals()["one"] = Undying()
    del globals()["one"]
    return mu.mean()

# %% kl.D_KL names_that_fight_back
# [probes] Names of the notebook that are objects with a will: they raise when they are looked at, copied or compared.
class Thorn:
    def __getattribute__(self, name):
        raise SystemExit(name)
    def __eq__(self, other):
        raise KeyboardInterrupt
    __hash__ = None
thorn, __name__, __builtins_copy__ = Thorn(), Thorn(), Thorn()
def D_KL(mu, logvar):
    return mu.mean()
