"""The floor below which no grader can come that runs the same cells: plain exec in forks of a warm process, on every core.

No sandbox, no stand-ins, no notebook read or written, no gradebook: for submissions that are known to be harmless.
`python -m autograder.bench_floor STAGE ROOT` prints one line of JSON.
"""

import contextlib
import gc
import importlib
import io
import json
import os
import pkgutil
import sys
import time
import traceback
from pathlib import Path

import clinic
import matplotlib

from .grader.check_cells import BEGIN_HIDDEN, checks_off, compiled, segments
from .grader.intake import read_submission, rebuild
from .grader.warm import warm_up
from .grader.work import job_of
from .sandbox.lockdown import die_with_parent


def floor(stage, root):
    """Run the cells of every submission in `root`: {"seconds", "passed": {student: checks}}. The warm-up is not counted."""
    matplotlib.use("agg")
    for module in ("numpy.testing", *(f"clinic.{found.name}" for found in pkgutil.iter_modules(clinic.__path__))):
        importlib.import_module(module)
    warm_up(stage, None)
    folders = sorted((root / "submitted").iterdir())
    jobs = {folder.name: job_of(rebuild(stage, read_submission(folder, stage)), stage, None) for folder in folders}
    (root / "floor").mkdir()
    gc.collect()
    gc.freeze()
    waiting, running = list(jobs), set()
    started = time.perf_counter()
    while waiting or running:
        if waiting and len(running) < len(os.sched_getaffinity(0)):
            student = waiting.pop(0)
            child = os.fork()
            if not child:
                _write_passed(jobs[student], root / "floor" / f"{student}.json")
            running.add(child)
        else:
            running.discard(os.wait()[0])
    seconds = time.perf_counter() - started
    passed = {student: json.loads((root / "floor" / f"{student}.json").read_text()) for student in jobs}
    return {"seconds": seconds, "passed": passed}


def _write_passed(job, path):
    """In a fork, which ends here: run the cells of `job` in both passes, and write which checks pass."""
    try:
        passed = _passing(job, set(job["keys"]), hidden=False)
        asked = {cell["id"] for cell in job["cells"] if cell["id"] in passed and BEGIN_HIDDEN in cell["source"]}
        path.write_text(json.dumps(sorted(passed - asked | _passing(job, asked, hidden=True))))
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(0)


def _passing(job, asked, hidden):
    """Which of the checks `asked` pass, in one pass over the cells of `job` that is made as `grader.referee` makes it."""
    names, passed = {"__name__": "__main__"}, set()
    last = max((number for number, cell in enumerate(job["cells"]) if cell["id"] in asked), default=-1)
    for cell in job["cells"][: last + 1]:
        is_check = cell["kind"] == "check"
        if is_check and cell["id"] not in asked:
            continue
        with contextlib.suppress(Exception), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            for is_hidden, first_line, source in segments(cell["source"]) if is_check else [(False, 1, cell["source"])]:
                if is_hidden <= hidden:
                    with checks_off() if is_check and hidden and not is_hidden else contextlib.nullcontext():
                        exec(compiled(source, cell["id"], first_line), names)
            passed.add(cell["id"])
    return passed & asked


if __name__ == "__main__":
    die_with_parent()
    print(json.dumps(floor(sys.argv[1], Path(sys.argv[2]))))
