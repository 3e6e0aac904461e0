"""One submission as a piece of work: what it takes as plain data, and what comes out, wherever it is done."""

import dataclasses
import hashlib
import itertools
import json
import subprocess
import sys
import threading
from concurrent.futures import Future

from ..paths import ROOT
from ..sandbox.limits import DEFAULT
from . import unsafe
from .intake import documented_by_check, exported_names, is_figure, kind_of

_VERSION = 1  # of what a verdict hangs on besides the cells: changed when the grader judges otherwise


class GraderFailed(Exception):
    """The trusted side itself failed; no fault of a submission."""


def job_of(notebook, stage, sandbox, limits=DEFAULT, private_seed=None, show_figures=False):
    """The work of grading `notebook`, one that `intake.rebuild` made, as data that JSON can hold.

    sandbox: the kind, as `box.kind_of_sandbox` names it. The job's `keys` say for each check by its id what its verdict hangs on;
    its `skip` names checks that need not run.
    """
    cells = [
        {"id": cell.id, "kind": kind_of(cell), "source": cell.source}
        for cell in notebook.cells
        if cell.cell_type == "code" and (show_figures or not is_figure(cell))
    ]
    job = {
        "stage": stage,
        "cells": cells,
        "exports": exported_names(stage),
        "documented": documented_by_check(stage),
        "sandbox": sandbox,
        "limits": dataclasses.asdict(limits),
        "private_seed": private_seed,
        "skip": [],
    }
    others = [[cell["id"], cell["source"]] for cell in cells if cell["kind"] != "check"]
    common = [_VERSION, sandbox == unsafe.UNSAFE, job["exports"], job["private_seed"], others]
    shown = _digest([common, job["limits"]])
    job["shown_key"] = shown
    job["keys"] = {cell["id"]: _digest([shown, cell["source"]]) for cell in cells if cell["kind"] == "check"}
    return job


def _digest(thing):
    return hashlib.sha256(json.dumps(thing, sort_keys=True).encode("utf-8", "replace")).hexdigest()


class Foreman:
    """A trusted process of one's own, with a sandbox of its own, that does as many jobs at once as it is given."""

    def __init__(self):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "autograder.grader.foreman"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            start_new_session=True,  # Ctrl-C is for the one who started it all
        )
        self._lock, self._numbers, self._waiting, self.has_ended = threading.Lock(), itertools.count(), {}, False
        threading.Thread(target=self._listen, daemon=True).start()

    def get_ready(self, kind):
        """Have it make what all jobs of a kind need; whatever goes wrong there is said by the first of them."""
        with self._lock:
            self._write([None, kind])

    def run(self, job):
        """What comes of a job; any number of threads may call it at once. Raises GraderFailed."""
        with self._lock:
            number = next(self._numbers)
            answer = self._waiting[number] = Future()
            self._write([number, job])
            if self.has_ended:
                del self._waiting[number]
                raise GraderFailed(self._why())
        answer = answer.result()
        if "failed" in answer:
            raise GraderFailed(answer["failed"])
        return answer

    def _write(self, order):
        try:
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            self.has_ended = True

    def _listen(self):
        for line in self._process.stdout:
            try:
                number, answer = json.loads(line)
            except ValueError:  # it was ended in the middle of it
                break
            self._waiting.pop(number).set_result(answer)
        self.close()
        with self._lock:
            self.has_ended, waiting = True, list(self._waiting.values())
        for answer in waiting:
            answer.set_result({"failed": self._why()})

    def _why(self):
        return f"the process that runs the checks ended with status {self._process.wait()}"

    def close(self):
        """End it at once: what it was doing is not kept. Its sandbox ends with it."""
        self._process.kill()
        self._process.wait()


_foreman, _lock = None, threading.Lock()


def get_ready(stage, sandbox, private_seed):
    """Start what `run` needs for a job like this, and return at once: it takes seconds, in which others can be read."""
    if sandbox != unsafe.UNSAFE:
        _running().get_ready({"stage": stage, "sandbox": sandbox, "private_seed": private_seed})


def run(job):
    """Do a job: {"outputs": {cell id: outputs}, "peak_mib", "seconds"}. All threads of a process share a `Foreman`.

    Raises GraderFailed.
    """
    if job["sandbox"] == unsafe.UNSAFE:
        return unsafe.run(job)
    return _running().run(job)


def _running():
    global _foreman
    with _lock:
        if _foreman is None or _foreman.has_ended:
            _foreman = Foreman()
        return _foreman


def close():
    """End what `run` started in this process."""
    global _foreman
    with _lock:
        if _foreman is not None:
            _foreman.close()
        _foreman = None
