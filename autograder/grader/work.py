"""One submission as a piece of work: what it takes as plain data, and what comes out, wherever it is done."""

import dataclasses
import hashlib
import json
import subprocess
import sys
import threading

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
    """A trusted process of one's own, with a sandbox of its own, that does one job after another."""

    def __init__(self):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "autograder.grader.foreman"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            start_new_session=True,  # Ctrl-C is for the one who started it all
        )

    def run(self, job):
        try:
            self._process.stdin.write(json.dumps(job).encode() + b"\n")
            self._process.stdin.flush()
            answer = json.loads(self._process.stdout.readline() or "null")
        except (OSError, ValueError):
            answer = None
        if answer is None:
            self.close()
            raise GraderFailed(f"the process that runs the checks ended with status {self._process.returncode}")
        if "failed" in answer:
            raise GraderFailed(answer["failed"])
        return answer

    def close(self):
        """End it at once: what it was doing is not kept. Its sandbox ends with it."""
        self._process.kill()
        self._process.wait()


_here = threading.local()
_foremen, _lock = [], threading.Lock()


def run(job):
    """Do a job: {"outputs": {cell id: outputs}, "peak_mib", "seconds"}. Each thread that calls it has a `Foreman` of its own.

    Raises GraderFailed.
    """
    if job["sandbox"] == unsafe.UNSAFE:
        return unsafe.run(job)
    if getattr(_here, "foreman", None) is None:
        _here.foreman = Foreman()
        with _lock:
            _foremen.append(_here.foreman)
    try:
        return _here.foreman.run(job)
    except GraderFailed:
        _here.foreman = None  # the next job starts another
        raise


def close():
    """End the processes that `run` started in this one."""
    with _lock:
        while _foremen:
            _foremen.pop().close()
    _here.__dict__.clear()
