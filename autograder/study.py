"""What a learner runs: open the course on a copy of their own, and see how far they have come."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from .judge import judge, read_exercises
from .paths import COURSE, ROOT, SOLUTIONS, STAGES, STUDY, notebook_path

LAB_SETTINGS = ROOT / "autograder" / "lab_settings"


class NothingToCheck(Exception):
    """There is no such notebook or case; the text says what to do."""


def make_copy():
    """Copy course/ to study/ unless it is there: what a learner has written is never overwritten."""
    if STUDY.exists():
        return False
    # Under another name first, so that an interrupted copy is not taken for a whole one.
    half = STUDY.with_name("study.part")
    shutil.rmtree(half, ignore_errors=True)
    shutil.copytree(COURSE, half, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
    os.replace(half, STUDY)
    return True


def study(stage=None, browser=True, port=8888):
    """Open JupyterLab on the learner's copy, at `stage`. Returns JupyterLab's exit status when it is closed.

    Where the port is taken, JupyterLab takes the next one that is free.
    """
    stage = stage or STAGES[0]
    if make_copy():
        print(f"Made your own copy of the course in {STUDY.name}/. It is yours: nothing overwrites it.")
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


def check(paths, case=None, full=False, console=None):
    """Run the checks of learners' notebooks; print a table, the first failing message and the next case.

    paths: notebooks named after their stage. case: only this one. full: the hidden checks too, which say pass or not yet.
    The notebooks are read, never written. Returns whether everything that was run passed.
    Raises NothingToCheck where a notebook is missing or damaged, or no case has that name.
    """
    console = console or Console()
    pairs = [pair for path in paths for pair in _exercises(Path(path))]
    chosen = [pair for pair in pairs if case in (None, pair[0].id)]
    if not chosen:
        raise NothingToCheck(f"there is no case {case!r}; the cases are {', '.join(mine.id for mine, _ in pairs)}")
    rows = []
    for mine, restored in track(chosen, description="Checking", console=console, transient=True):
        verdicts = judge(mine)
        hidden = judge(restored) if full and all(verdict.passed for verdict in verdicts) else []
        rows.append((mine, verdicts, hidden))
    _print_table(rows, full, console)
    first = next(((mine, verdict) for mine, verdicts, _ in rows for verdict in verdicts if not verdict.passed), None)
    if first:
        exercise, verdict = first
        console.print(f"\nNext: [bold]{exercise.title}[/] ({exercise.id})")
        console.print(verdict.message, markup=False, highlight=False)
    return all(verdict.passed for _, verdicts, hidden in rows for verdict in [*verdicts, *hidden])


def _exercises(path):
    """For each case, the learner's code under the released checks, and under those with the hidden part.

    The checks are the course's own, so that one edited by mistake in the learner's notebook does not mislead.
    """
    stage = path.stem
    if stage not in STAGES:
        raise NothingToCheck(f"{path} is not named after a stage, such as {STAGES[0]}.ipynb")
    if not path.is_file():
        raise NothingToCheck(f"there is no {path}: run  autograder study  first, or name a notebook")
    try:
        mine = {exercise.id: exercise.fix for exercise in read_exercises(path)}
    except Exception as error:  # whatever a damaged file makes the reader raise, the learner has to hear it plainly
        raise NothingToCheck(f"{path} cannot be read ({type(error).__name__}: {error}); it was left as it is") from error
    released = read_exercises(notebook_path(COURSE, stage))
    lost = [exercise.id for exercise in released if exercise.id not in mine]
    if lost:
        raise NothingToCheck(f"{path} has lost the cell {lost[0]!r}; copy it back from {notebook_path(COURSE, stage)}")
    solved = {exercise.id: exercise for exercise in read_exercises(notebook_path(SOLUTIONS, stage))}
    return [(exercise.with_fix(mine[exercise.id]), solved[exercise.id].with_fix(mine[exercise.id])) for exercise in released]


def _print_table(rows, full, console):
    table = Table("case", "points", "visible checks", *(["hidden checks"] if full else []))
    done = 0
    for mine, verdicts, hidden in rows:
        failed = {verdict.check.id for verdict in [*verdicts, *hidden] if not verdict.passed}
        points = sum(check.points for check in mine.checks if check.id not in failed)
        done += points
        table.add_row(mine.title, f"{points} of {mine.points}", _word(verdicts), *([_word(hidden)] if full else []))
    table.add_section()
    table.add_row("together", f"{done} of {sum(mine.points for mine, _, _ in rows)}", "")
    console.print(table)


def _word(verdicts):
    passed = sum(verdict.passed for verdict in verdicts)
    if passed == len(verdicts):
        return "✓ pass" if verdicts else "-"
    return "✗ not yet" if passed == 0 else f"{passed} of {len(verdicts)}"
