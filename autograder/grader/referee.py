"""Runs the checks of one submission, in a process that never runs a line of the learner's code.

Two passes. What a learner is shown comes from the first, in which no hidden check takes part, so that no hidden input can be in
it; the second only says of each hidden check whether it passes, in words that the instructor wrote.
"""

import builtins
import contextlib
import io
import time

from clinic import check as clinic_check

from ..sandbox.channel import Garbled, Gone, TimeIsUp
from ..sandbox.limits import Limits
from ..sandbox.peer import Ended, Peer, StandIn
from ..sandbox.student import TOOLS, Printed
from .check_cells import BEGIN_HIDDEN, checks_off, compiled, marshalled, segments, told_of_hidden


class Lost(BaseException):
    """The learner's process is gone. No `except Exception` of a check takes it for an answer."""


class Exported(StandIn):
    """A function or class of the learner's notebook, by its name."""

    def patch_where_it_runs(self, name, new):
        """As mock.patch(name, new), in the process where the learner's code runs."""
        return self._peer.patched(name, new)

    def call_where_it_runs(self, name, *args):
        """Call a function of a module, in the process where the learner's code runs."""
        return self._peer.ask("call", [TOOLS, "call"], name, *args)


class Learner(Peer):
    """The checks' end of the channel to one sandboxed process."""

    def __init__(self, channel, limits, ends_at):
        super().__init__(channel, first=0, trusts=False)
        self._limits, self._ends_at, self._why = limits, ends_at, None
        self._check_ends_at = ends_at

    def ask(self, deed, target, *args, **kwargs):
        if self._why:
            raise Lost(self._why)
        if not self._depth:
            self.channel.deadline = min(time.monotonic() + self._limits.call_seconds, self._check_ends_at, self._ends_at)
        try:
            return super().ask(deed, target, *args, **kwargs)
        except (Gone, Garbled) as error:
            self._lose(error)

    def begin_check(self, documented):
        """From here on it is another check's time that runs, and other names that the learner was told of."""
        self.documented = frozenset(documented)
        self._check_ends_at = time.monotonic() + self._limits.check_seconds

    def run(self, cell):
        """Run a cell of the job in the sandbox; nbformat outputs of what it shows."""
        self.channel.deadline = min(time.monotonic() + self._limits.cell_seconds, self._ends_at)
        self._begin(None)
        source = _writable(cell["source"])
        message = {"run": source}
        if cell["kind"] == "locked":
            message = {"define": [marshalled(source, cell["id"]), source]}
        try:
            self.channel.send(message)
            message, _ = self.channel.receive()
            return _shown(message, self._limits)
        except (Gone, Garbled) as error:
            self._lose(error)

    def heard(self, text):
        print(text, end="")

    @contextlib.contextmanager
    def patched(self, name, new):
        self.ask("call", [TOOLS, "patch"], name, new)
        try:
            yield
        finally:
            self.ask("call", [TOOLS, "unpatch"], name)

    def _lose(self, error):
        if isinstance(error, TimeIsUp):
            self._why = "the code ran past its time limit"
        elif isinstance(error, Gone):
            self._why = "the code ended its process, or used more than it may"
        else:
            self._why = f"the code's process sent {error}"
        raise Lost(self._why) from None


class Submission:
    """One pass over a submission: its sandboxed process, started again and brought to the same point when it was lost."""

    def __init__(self, box, limits, ends_at):
        self._box, self._limits, self._ends_at = box, limits, ends_at
        self._ran, self._process, self._restarts = [], None, limits.restarts
        self.learner, self.peak_mib = None, 0

    def run(self, cell):
        """Run a cell of the learner's, or one that the learner's code needs; what it shows."""
        try:
            shown = self.present().run(cell)
        except Lost as lost:
            self.end()
            return [_error("ProcessEnded", str(lost))]
        self._ran.append(cell)
        return shown

    def present(self):
        """The `Learner`, in a process where all cells up to here have run. Raises Lost where there is no more time for that."""
        if self.learner is not None and self.learner._why:
            self.end()
        if self.learner is None:
            if time.monotonic() > self._ends_at:
                raise Lost("the time for this submission is used up")
            if self._restarts < 0:
                raise Lost("the code has been started again too often")
            self._restarts -= 1
            self._process = self._box.process(self._limits)
            self.learner = Learner(self._process.channel, self._limits, self._ends_at)
            for cell in self._ran:
                self.learner.run(cell)
        return self.learner

    def end(self):
        if self._process is not None:
            told = self._process.end()
            self.peak_mib = max(self.peak_mib, (told or {}).get("peak_mib", 0))
        self.learner = self._process = None


def judge(job, box):
    """The outputs of each cell of a job by the cell's id, as nbformat would hold them; and what it took.

    Returns {"outputs": {id: [output]}, "peak_mib": of the learner's code, "seconds": of wall time}.
    """
    limits, started = Limits(**job["limits"]), time.monotonic()
    clinic_check.private_seed = job["private_seed"]
    ends_at = started + limits.submission_seconds
    seen = _Pass(job, box, limits, ends_at, hidden=False)
    outputs = seen.run()
    failed = {name for name, shown in outputs.items() if any(output["output_type"] == "error" for output in shown)}
    asked = {cell["id"] for cell in job["cells"] if cell["kind"] == "check" and BEGIN_HIDDEN in cell["source"]}
    asked -= failed | set(job["skip"])
    peaks = [seen.peak_mib]
    if asked:
        judged = _Pass(job, box, limits, ends_at, hidden=True, only=asked)
        verdicts = judged.run()
        for name in asked:
            outputs[name] += verdicts[name]
        peaks.append(judged.peak_mib)
    return {"outputs": outputs, "peak_mib": max(peaks), "seconds": time.monotonic() - started}


class _Pass:
    def __init__(self, job, box, limits, ends_at, hidden, only=None):
        self._job, self._limits, self._hidden, self._only = job, limits, hidden, only
        self._submission = Submission(box, limits, ends_at)
        self._names = {"__name__": "__main__", "__builtins__": builtins}
        # Scenes may name them from the start; they can be called once a check has begun.
        self._names |= {name: self._stand_in(name, None) for name in job["exports"]}
        self.peak_mib = 0

    def run(self):
        outputs = {}
        last = max((number for number, cell in enumerate(self._job["cells"]) if cell["id"] in (self._only or ())), default=None)
        for number, cell in enumerate(self._job["cells"]):
            if self._only is not None and number > last:
                break
            if cell["kind"] == "check":
                if cell["id"] not in self._job["skip"] and (self._only is None or cell["id"] in self._only):
                    outputs[cell["id"]] = self._check(cell)
                continue
            outputs[cell["id"]] = self._submission.run(cell)
            if cell["kind"] == "locked":
                outputs[cell["id"]] = self._locked(cell)
        self._submission.end()
        self.peak_mib = self._submission.peak_mib
        return outputs

    def _locked(self, cell):
        """Our own cell that is no check: set-up and scenes, which checks use and learners' code may."""
        with _quiet() as printed:
            exec(compiled(cell["source"], cell["id"]), self._names)
        return [_text(printed.text())] if printed.size else []

    def _check(self, cell):
        printed = Printed(self._limits.output_letters)
        try:
            learner = self._submission.present()
            learner.begin_check(self._job["documented"][cell["id"]])
            self._names |= {name: self._stand_in(name, learner) for name in self._job["exports"]}
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
                for is_hidden, first_line, source in segments(cell["source"]):
                    if is_hidden and not self._hidden:
                        continue
                    with checks_off() if self._hidden and not is_hidden else contextlib.nullcontext():
                        exec(compiled(source, cell["id"], first_line), self._names)
        except BaseException as error:
            if isinstance(error, (KeyboardInterrupt, SystemExit)):
                raise
            shown = [_error(*_told(error, cell["source"], self._hidden))]
        else:
            shown = []
        if self._hidden:
            return shown
        return ([_text(printed.text())] if printed.size else []) + shown

    def _stand_in(self, name, learner):
        made = _EXPORTED[name] if name in _EXPORTED else _EXPORTED.setdefault(name, _exported_class(name))
        return made(learner, [name])


_EXPORTED = {}


def _exported_class(name):
    from ..sandbox.peer import stand_in_class

    return stand_in_class(name, ("__call__",), False, Exported)


@contextlib.contextmanager
def _quiet():
    printed = Printed(100_000)
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
        yield printed


def _told(error, source, hidden):
    """(name, text) of what a learner is told of a check that failed."""
    if not hidden:
        if isinstance(error, clinic_check.NotYet):
            return "NotYet", str(error)
        stopped = error if isinstance(error, (Lost, Ended)) else f"the check stopped with {type(error).__name__}: {error}"
        return type(error).__name__, f"Not yet: {stopped}."
    return "HiddenCheckFailed", told_of_hidden(error, source)


def _error(name, text):
    return {"output_type": "error", "ename": name, "evalue": _writable(text), "traceback": _writable(text).splitlines()}


def _text(text, name="stdout"):
    return {"output_type": "stream", "name": name, "text": _writable(text)}


def _writable(text):
    """`text` with a question mark for each letter that no file can hold."""
    return text.encode("utf-8", "replace").decode()


def _shown(message, limits):
    """nbformat outputs of what a learner's cell showed, where the message is one."""
    import base64

    shown = message.get("shown") if type(message) is dict else None
    if type(shown) is not list:
        raise Garbled("no outputs")
    outputs, most = [], limits.output_letters + 100
    for each in shown[: limits.pictures + 4]:
        kind, *parts = each if type(each) is list and each else [None]
        if kind in ("stdout", "stderr") and len(parts) == 1:
            outputs.append(_text(str(parts[0])[:most], kind))
        elif kind == "png" and len(parts) == 1 and type(parts[0]) is bytes and len(parts[0]) <= limits.picture_mib << 20:
            if parts[0].startswith(b"\x89PNG\r\n\x1a\n"):
                data = {"image/png": base64.b64encode(parts[0]).decode(), "text/plain": "<Figure>"}
                outputs.append({"output_type": "display_data", "metadata": {}, "data": data})
        elif kind == "text" and len(parts) == 1:
            data = {"text/plain": _writable(str(parts[0])[:most])}
            outputs.append({"output_type": "display_data", "metadata": {}, "data": data})
        elif kind == "error" and len(parts) == 3:
            name, text, lines = (_writable(str(part)[:8000]) for part in parts)
            outputs.append({"output_type": "error", "ename": name[:80], "evalue": text[:2000], "traceback": lines.splitlines()})
        else:
            raise Garbled("outputs that are none")
    return outputs
