"""Starts the sandbox, and hands out one fresh process of it for each pass over a submission."""

import contextlib
import dataclasses
import functools
import importlib.util
import marshal
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import msgpack

from ..paths import ROOT
from ..sandbox.channel import Channel, Garbled, Gone
from ..sandbox.limits import Limits

KINDS = ["bubblewrap", "landlock"]  # the better one first
# Found and not imported: that takes a second, in which a sandbox can start.
_CLINIC = Path(importlib.util.find_spec("clinic").origin).parent
_BOX = "/box"  # where the sandbox sees the few of our modules that run in it
_START = "import sys; sys.path.insert(0, {path!r}); from autograder.sandbox.student import zygote; "
_START += "zygote({number}, {is_boxed}, {is_warm})"


class NoSandbox(Exception):
    """A stranger's code cannot be run here without harm; the text says what is missing."""


@functools.cache
def kind_of_sandbox():
    """The best kind of sandbox that works on this machine. Raises NoSandbox where none does."""
    if sys.platform != "linux":
        raise NoSandbox(f"there is no sandbox for {sys.platform}: grade on Linux")
    from ..sandbox import lockdown  # what it needs is there on Linux only

    if lockdown.call_filter() is None:
        raise NoSandbox("seccomp is missing: install libseccomp (Debian: libseccomp2)")
    if shutil.which("bwrap") and _bubblewrap_starts():
        return "bubblewrap"
    if lockdown.has_landlock():
        return "landlock"
    raise NoSandbox("neither bubblewrap (Debian: bubblewrap) nor Landlock (Linux 5.13) can be had here")


def _bubblewrap_starts():
    box = None
    try:
        box = Box("bubblewrap", is_warm=False)
        process = box.process(Limits())
        process.channel.send({"define": [marshal.dumps(compile("6 * 7", "a cell", "exec")), "6 * 7"]})
        works = process.channel.receive()[0] == {"shown": []}
        process.end()
        return works
    except (NoSandbox, OSError, Gone, Garbled):
        return False
    finally:
        if box:
            box.close()


class Box:
    """A warm process in a sandbox, from which processes for learner's code are forked.

    kind: one of KINDS. is_warm: whether those can run learners' cells, or only show that the sandbox works, which is quicker.
    waits: until it is ready; else `wait` has to be called before the first `process`. Raises NoSandbox.
    """

    def __init__(self, kind, is_warm=True, waits=True):
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        is_boxed = kind == "bubblewrap"
        path = _BOX if is_boxed else str(ROOT)
        start = _START.format(path=path, number=there.fileno(), is_boxed=is_boxed, is_warm=is_warm)
        if not is_boxed:
            start = f"import sys; sys.path.insert(0, {str(_CLINIC.parent)!r}); {start}"
        command = [*(_bubblewrap() if is_boxed else []), sys.executable, "-I", "-c", start]
        self._process = subprocess.Popen(
            command,
            pass_fds=[there.fileno()],
            env=_environment("/sandbox" if is_boxed else tempfile.gettempdir()),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        there.close()
        self._door, self._kind = here, kind
        if waits:
            self.wait()

    def wait(self):
        """Return once it is ready. Raises NoSandbox where it does not get there."""
        self._door.settimeout(60)
        try:
            said = self._door.recv(100)
        except TimeoutError:
            said = b""
        if said != b"ready":
            self.close()
            why = said.decode() or self._process.stderr.read().decode(errors="replace").strip().splitlines()[-1:]
            raise NoSandbox(f"the sandbox ({self._kind}) does not start: {why or 'it says nothing'}")

    def process(self, limits):
        """A fresh process for one pass over a submission. It runs on the cores on which the caller may run.

        The two take turns: on one core, neither has to wait until another one wakes up, with nothing of its own in its caches.
        """
        (talk, their_talk), (control, their_control) = socket.socketpair(), socket.socketpair()
        wanted = [dataclasses.asdict(limits), list(os.sched_getaffinity(0))]
        socket.send_fds(self._door, [msgpack.packb(wanted)], [their_talk.fileno(), their_control.fileno()])
        their_talk.close()
        their_control.close()
        return BoxedProcess(Channel(talk), control)

    def close(self):
        self._door.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class BoxedProcess:
    """One process in the sandbox: a channel to it, and the word of the one that watches over it."""

    def __init__(self, channel, control):
        self.channel, self._control = channel, control

    def end(self):
        """End it and everything it started. Returns how it ended: status, peak_mib, seconds; None where nobody can tell."""
        self.channel.sock.close()
        with contextlib.suppress(OSError, ValueError, msgpack.exceptions.UnpackException), self._control:
            self._control.shutdown(socket.SHUT_WR)
            self._control.settimeout(10)
            return msgpack.unpackb(self._control.recv(1000))
        return None


def _environment(home):
    """All that a learner's code finds in its environment. home: a folder where matplotlib may keep what it knows of fonts."""
    kept = {name: os.environ[name] for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE") if name in os.environ}
    return kept | {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": home,
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MPLCONFIGDIR": f"{home}/matplotlib-of-the-sandbox",
        "IPYTHONDIR": f"{home}/ipython-of-the-sandbox",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _bubblewrap():
    """The command that starts a program with no network, no rights, and no files but Python's and what the learner had."""
    command = ["bwrap", "--unshare-all", "--unshare-user", "--uid", "1000", "--gid", "1000", "--hostname", "sandbox"]
    command += ["--cap-drop", "ALL", "--die-with-parent", "--new-session", "--proc", "/proc", "--dev", "/dev"]
    command += ["--dir", "/tmp", "--tmpfs", "/sandbox"]
    for folder in sorted({"/usr", sys.prefix, sys.base_prefix}):
        command += ["--ro-bind", folder, folder]
    for name in ("bin", "lib", "lib64", "sbin"):
        path = Path("/", name)
        if path.is_symlink():
            command += ["--symlink", os.readlink(path), str(path)]
        elif path.is_dir():
            command += ["--ro-bind", str(path), str(path)]
    for path in ("/etc/fonts", "/etc/ld.so.cache", "/etc/alternatives"):
        command += ["--ro-bind-try", path, path]
    ours = {"autograder/__init__.py": ROOT / "autograder" / "__init__.py", "autograder/sandbox": ROOT / "autograder" / "sandbox"}
    for name, path in {**ours, "clinic": _CLINIC}.items():
        command += ["--ro-bind", str(path), f"{_BOX}/{name}"]
    return [*command, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/sandbox", "--"]
