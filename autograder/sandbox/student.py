"""The sandboxed process. A warm one, with numpy and matplotlib loaded, is forked for each pass over a submission.

After the first of the learner's cells has run, nothing in this process is to be believed: it holds no secret, and whoever talks
to it takes data from it and nothing else.
"""

import base64
import contextlib
import gc
import importlib
import io
import linecache
import marshal
import math
import os
import pkgutil
import re
import select
import shutil
import signal
import socket
import sys
import tempfile
import types
from unittest import mock

import msgpack
import numpy as np

from . import lockdown
from .channel import Channel
from .limits import MIB, Limits
from .peer import Peer

PRIVATE = "/sandbox"  # the learner's folder, empty and in memory
TOOLS = "\0tools"  # no name that a cell could bind
# Of a cell that does nothing but import and define: a line that begins or closes that, or stands within it. To parse a cell for
# its statements would take as long as to compile it.
_DEFINING = re.compile(r"(?:(?:(?:async )?def|class|import|from) |[@#)\]}])[^;]*|\s.*|")


class Printed(io.TextIOBase):
    """Text that was printed, up to `most` letters; the rest is counted and thrown away."""

    encoding = "utf-8"

    def __init__(self, most):
        super().__init__()
        self.most, self.parts, self.size = most, [], 0

    def writable(self):
        return True

    def write(self, text):
        text = str(text)
        room = self.most - self.size
        if room > 0:
            self.parts.append(text[:room])
        self.size += len(text)
        return len(text)

    def text(self):
        lost = self.size - self.most
        return "".join(self.parts) + (f"\n[{lost} more letters are not shown]\n" if lost > 0 else "")


class Tools:
    """What a check may do in the process where the learner's code runs, besides calling it."""

    def __init__(self):
        self._patches = {}

    def patch(self, name, new):
        self._patches.setdefault(name, []).append(patch := mock.patch(name, new))
        patch.start()

    def unpatch(self, name):
        self._patches[name].pop().stop()

    def call(self, name, *args):
        return pkgutil.resolve_name(name)(*args)


class Student(Peer):
    """The end of the channel where the learner's code is: it trusts the other end and does what that asks."""

    def __init__(self, channel, shell, limits):
        names = shell.user_ns
        super().__init__(channel, first=1, trusts=True, names=names)
        names[TOOLS] = Tools()
        self._shell, self._limits, self._printed = shell, limits, None

    def serve_forever(self):
        while True:
            message, arrays = self.channel.receive()
            if "run" in message:
                self._begin(None)
                self.channel.send({"shown": self._run(message["run"])})
            elif "define" in message:
                self._begin(None)
                self.channel.send({"shown": self._define(*message["define"])})
            else:
                self.serve(message, arrays)

    def perform(self, deed, thing, args, kwargs):
        if self._printed is not None:  # called back by the check, within a call
            return deed(thing, *args, **kwargs)
        self._printed = Printed(self._limits.output_letters)
        streams = sys.stdout, sys.stderr
        # As `check.run` does in one process: a warning is no mistake, and whatever is printed is shown in one place.
        sys.stdout = sys.stderr = self._printed
        try:
            with np.errstate(all="ignore"):
                return deed(thing, *args, **kwargs)
        finally:
            sys.stdout, sys.stderr = streams

    def _done(self, message, assigned, args, kwargs):
        outermost = self._printed is None
        answer, changes, out = super()._done(message, assigned, args, kwargs)
        if outermost and self._printed is not None:
            if self._printed.size:
                answer["printed"] = self._printed.text()
            self._printed = None
        return answer, changes, out

    def _define(self, code, source):
        """Run a cell of the course's own among the learner's names, without what IPython does for a cell of a learner's.

        code: what `marshal` made of its code, which takes a thirtieth of the time that compiling its source does.
        """
        try:
            code = marshal.loads(code)
            linecache.cache[code.co_filename] = (len(source), None, source.splitlines(keepends=True), code.co_filename)
            exec(code, self._shell.user_ns)
        except Exception as error:  # where an earlier cell of the learner's has spoilt what it needs
            return [["error", type(error).__name__, str(error)[:2000], ""]]
        return []

    def _run(self, source):
        """Run one of the learner's cells; what it shows, as [kind, content] pairs."""
        from IPython.utils.capture import capture_output

        out, err = Printed(self._limits.output_letters), Printed(self._limits.output_letters)
        if self._has_defined(source, out, err):
            return _streams(out, err)
        out, err = Printed(self._limits.output_letters), Printed(self._limits.output_letters)
        with capture_output() as captured:
            sys.stdout, sys.stderr = out, err
            result = self._shell.run_cell(source, store_history=False)
        shown = _streams(out, err)
        for output in captured.outputs[: self._limits.pictures]:
            if "image/png" in output.data:
                png = output.data["image/png"]
                shown.append(["png", png if isinstance(png, bytes) else base64.b64decode(png)])
            elif "text/plain" in output.data:
                shown.append(["text", str(output.data["text/plain"])[: self._limits.output_letters]])
        error = result.error_before_exec or result.error_in_exec
        if error is not None:
            lines = "\n".join(map(str, self._shell.traceback_lines))
            shown.append(["error", type(error).__name__, str(error)[:2000], lines[-8000:]])
        return shown

    def _has_defined(self, source, out, err):
        """Run a cell that does nothing but import and define, as most do; whether it was one, and came to its end.

        IPython would read it three times over, look for commands in it, and get ready for pictures: most of a cell's time.
        """
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                if not all(map(_DEFINING.fullmatch, source.split("\n"))):
                    return False
                name = self._shell.compile.cache(source)
                exec(self._shell.compile(source, name, "exec"), self._shell.user_ns)
            return True
        except BaseException:  # IPython runs it again, and says where and why
            return False


def _streams(out, err):
    return [[name, stream.text()] for name, stream in (("stdout", out), ("stderr", err)) if stream.size]


def warm_shell():
    """An IPython shell in which everything slow has happened once: imports, the first figure, the first error."""
    import matplotlib

    matplotlib.use("module://matplotlib_inline.backend_inline")
    import clinic.plots  # noqa: F401
    import matplotlib.pyplot as plt
    import numpy.testing  # noqa: F401
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.text import SList
    from traitlets.config import Config

    for module in ("check", "data", "deep", "half", "layers", "models", "recurrent", "text", "training", "ward", "broken"):
        importlib.import_module(f"clinic.{module}")

    class Shell(InteractiveShell):
        """Keeps the traceback of a cell, in place of printing it."""

        traceback_lines = []

        def enable_gui(self, gui=None):
            pass

        def system(self, command):
            print("Commands of the shell are not run here.")

        def getoutput(self, command, split=True, depth=0):
            self.system(command)
            return SList() if split else ""

        def _showtraceback(self, kind, error, lines):
            self.traceback_lines = lines

    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    shell = Shell.instance(config=config)
    shell.run_line_magic("matplotlib", "inline")
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        shell.run_cell("1 +", silent=True)
        shell.run_cell(
            "import numpy as _warm; _warm.random.default_rng(0).normal(size=(9, 9)) @ _warm.ones(9); _warm.nothing", silent=True
        )
    figure, ax = plt.subplots()
    ax.plot([1, 2])
    ax.set_title("warm")
    figure.savefig(io.BytesIO(), format="png", bbox_inches="tight")
    plt.close("all")
    shell.user_ns.pop("_warm", None)
    return shell


def zygote(number, is_boxed, is_warm):
    """Serve forks. number: of a SOCK_SEQPACKET socket; each message on it is a packed list of the fields of a `Limits` and of the
    cores for the process, with two sockets for it.

    is_boxed: whether this process is in bubblewrap, so that each fork is to have namespaces of its own. is_warm: whether the
    forks can run learners' cells; where they cannot, they do nothing but `define`, and start in a fifth of the time.
    """
    door = socket.socket(fileno=number)
    lockdown.die_with_parent()
    calls, shell = lockdown.call_filter(), warm_shell() if is_warm else types.SimpleNamespace(user_ns={})
    gc.collect()
    gc.freeze()
    door.sendall(b"ready" if calls is not None else b"no seccomp")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        message, sockets, _, _ = socket.recv_fds(door, 4096, 2)
        if not message:
            os._exit(0)
        if not os.fork():
            try:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                door.close()
                limits, cores = msgpack.unpackb(message)
                os.sched_setaffinity(0, cores)
                _start(Limits(**limits), *sockets, shell, calls, is_boxed)
            finally:
                os._exit(1)
        for each in sockets:
            os.close(each)


def _start(limits, talk, control, shell, calls, is_boxed):
    """In the first fork: make the fences, and the process that runs the learner's code; watch over it. Never returns."""
    folder = PRIVATE if is_boxed else tempfile.mkdtemp(prefix="clinic-")
    if is_boxed and not lockdown.own_namespaces():
        os._exit(3)
    child = os.fork()
    if child:
        os.close(talk)
        _supervise(socket.socket(fileno=control), child, None if is_boxed else folder, limits)
    os.close(control)
    lockdown.die_with_parent()
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    bytes_now = lockdown.address_space()
    if is_boxed:
        lockdown.own_mounts(folder, limits.folder_mib)
    elif not lockdown.only_these_files(_readable(), [folder]):
        os._exit(3)
    os.chdir(folder)
    os.environ |= {"HOME": folder, "TMPDIR": folder}
    tempfile.tempdir = folder
    lockdown.limit_resources(limits, bytes_now, is_alone=is_boxed)
    lockdown.drop_rights(calls)
    Student(Channel(socket.socket(fileno=talk)), shell, limits).serve_forever()


def _readable():
    """Folders that Python, numpy and matplotlib read while they run, and what the learner had."""
    import clinic

    ours = [os.path.dirname(os.path.abspath(module)) for module in (__file__, clinic.__file__)]
    return ["/usr", "/lib", "/lib64", "/etc/fonts", sys.prefix, sys.base_prefix, *ours]


def _supervise(control, child, folder, limits):
    """Wait for the child, or for the other side to hang up; then end it, and say how it ended. Never returns.

    folder: one on disk that is watched for its size, and removed at the end; None where it is in the child's own memory.
    """
    watch = os.pidfd_open(child)
    poll = select.poll()
    poll.register(watch, select.POLLIN)
    poll.register(control, select.POLLIN | select.POLLHUP)
    while not (ready := poll.poll(None if folder is None else 200)):
        if _size(folder) > limits.folder_mib * MIB:
            break
    if not any(number == watch for number, _ in ready):
        os.kill(child, signal.SIGKILL)
    _, status, used = os.wait4(child, 0)
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):
        control.sendall(
            msgpack.packb({"status": status, "peak_mib": used.ru_maxrss // 1024, "seconds": used.ru_utime + used.ru_stime})
        )
    os._exit(0)


def _size(folder):
    """Bytes on disk below a folder that may change meanwhile; without end where a folder in it cannot be looked into."""
    found = 0

    def failed(error):
        nonlocal found
        found += 0 if isinstance(error, FileNotFoundError) else math.inf

    for place, folders, files in os.walk(folder, onerror=failed):
        for name in folders + files:
            with contextlib.suppress(OSError):
                found += os.lstat(os.path.join(place, name)).st_blocks * 512 + 4096
    return found
