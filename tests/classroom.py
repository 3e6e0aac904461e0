"""A small class for the tests of the class run, and a stand-in for what runs a submission.

The stand-in does not run anything: a case passes when its cell to mend says so. So a test of what is around the running takes
no longer than that.
"""

import json
import os
import shutil
import time

import nbformat

from autograder.grade import grade
from autograder.paths import COURSE, SOLUTIONS, notebook_path

STAGE = "optimizers"
MENDED = "\n# mended"
PASSED = {"output_type": "stream", "name": "stdout", "text": "Passed.\n"}
NOT_YET = {"output_type": "error", "ename": "NotYet", "evalue": "Not yet: the words.", "traceback": ["Not yet: the words."]}
CHECKS = {
    cell.id: cell.metadata.nbgrader["points"]
    for cell in nbformat.read(notebook_path(COURSE, STAGE), as_version=4).cells
    if cell.metadata.get("nbgrader", {}).get("grade")
}
CASES = {}  # the points of each
for check in CHECKS:
    CASES[check.split("-check")[0]] = CASES.get(check.split("-check")[0], 0) + CHECKS[check]
FULL = sum(CASES.values())


def hand_in(root, student, cases=(), more=(), timestamp=None, solved=False):
    """Write a submission in which `cases` are mended, with the cells `more` behind its own; returns its path.

    solved: mended in earnest, and not for the stand-in.
    """
    notebook = nbformat.read(notebook_path(COURSE, STAGE), as_version=4)
    solution = {cell.id: cell.source for cell in nbformat.read(notebook_path(SOLUTIONS, STAGE), as_version=4).cells}
    for cell in notebook.cells:
        if cell.id in cases:
            cell.source = solution[cell.id] if solved else cell.source + MENDED
    notebook.cells += more
    path = notebook_path(root / "submitted" / student, STAGE)
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    if timestamp:
        (path.parent / "timestamp.txt").write_text(timestamp)
    return path


def points(cases):
    return sum(CASES[case] for case in cases)


def outputs_of(cells, checks):
    """What each of `checks` says. cells: pairs of a cell's name and its source."""
    mended = {name for name, source in cells if MENDED in source}
    return {check: [PASSED if check.split("-check")[0] in mended else NOT_YET] for check in checks}


def stand_in(job):
    """In the place of grader.work.run. Where RUN_LOG names a file it writes there which checks it ran; RUN_SECONDS slows it."""
    time.sleep(float(os.environ.get("RUN_SECONDS", 0)))
    checks = sorted(set(job["keys"]) - set(job["skip"]))
    if "RUN_LOG" in os.environ:
        with open(os.environ["RUN_LOG"], "a") as log:
            log.write(json.dumps(checks) + "\n")
    return {"outputs": outputs_of([(cell["id"], cell["source"]) for cell in job["cells"]], checks), "peak_mib": 1, "seconds": 0}


def copy_of(classroom, folder):
    """A class of its own for one test, its gradebook made already."""
    return shutil.copytree(classroom, folder / "class")


def marks(root, **kwargs):
    """Grade the class of `root`; returns its rows by student."""
    return {row["student"]: row for row in grade(root=root, stages=[STAGE], **kwargs)}


def wait_for(condition, seconds=120):
    ends_at = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends_at
        time.sleep(0.02)
