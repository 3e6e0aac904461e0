"""What a learner runs: open the course on a copy of their own, and see how far they have come."""

import os
import shutil
import subprocess
import sys

from .paths import COURSE, ROOT, STAGES, STUDY, notebook_path
from .update import RELEASE, is_behind

LAB_SETTINGS = ROOT / "autograder" / "lab_settings"


def make_copy():
    """Copy course/ to study/ unless it is there: what a learner has written is never overwritten."""
    if STUDY.exists():
        return False
    # Under another name first, so that an interrupted copy is not taken for a whole one.
    half = STUDY.with_name("study.part")
    shutil.rmtree(half, ignore_errors=True)
    shutil.copytree(COURSE, half, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
    shutil.copytree(half, half / RELEASE)  # by which an update tells what was changed
    os.replace(half, STUDY)
    return True


def study(stage=None, browser=True, port=8888):
    """Open JupyterLab on the learner's copy, at `stage`. Returns JupyterLab's exit status when it is closed.

    Where the port is taken, JupyterLab takes the next one that is free.
    """
    stage = stage or STAGES[0]
    if make_copy():
        print(f"Made your own copy of the course in {STUDY.name}/. It is yours: no command overwrites what you write.")
    elif is_behind(STUDY):
        print("The course is newer than your copy:  autograder update  brings it in, and keeps your answers.")
    print("Opening JupyterLab. To close it, press Ctrl-C here twice; your work is in the notebook as you saved it.")
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        f"--ServerApp.root_dir={STUDY}",
        f"--LabApp.default_url=/lab/tree/{notebook_path('', stage).as_posix()}",
        f"--LabApp.app_settings_dir={LAB_SETTINGS}",
        f"--ServerApp.port={port}",
        "--KernelManager.transport_encryption=auto",  # else each kernel warns that others here could listen to it
    ]
    if not browser:
        command.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # in a container root is the usual user, and JupyterLab would not start
    try:
        return subprocess.call(command, cwd=STUDY)
    except KeyboardInterrupt:
        return 0
