"""Grade a class: every submission judged in the sandbox, on every core, and its marks written to nbgrader's gradebook.

This process reads what was handed in and is the only one that writes; what runs a learner's code is `grader.work`. A run can be
stopped at any moment and goes on where it was; what has not changed since is not run again.
"""

import contextlib
import csv
import io
import itertools
import json
import os
import threading
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

import nbformat
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .choice import read_choice
from .gradebook import OpenGradebook
from .grader import intake, work
from .grader.box import kind_of_sandbox
from .kept import Kept, fingerprint_of, fingerprint_of_course, only_one, write_whole
from .nbgrader_settings import course_config
from .paths import ROOT, STAGES, notebook_path
from .progress import progress_bar
from .sandbox.limits import DEFAULT

_LONGEST_NAME = 128  # of a student, in nbgrader's gradebook
_thread = threading.local()  # core: on which the jobs of a thread run


class NothingToGrade(Exception):
    """There is no submission where they were looked for; the text says what belongs there."""


class GradingStopped(Exception):
    """Nobody's grading can go on; the text says why. What was done before is kept."""


@dataclass
class Paper:
    """One learner's submission of one stage, on its way through the grading."""

    student: str
    stage: str
    folder: Path  # submitted/STUDENT
    fingerprint: str | None = None
    timestamp: object = None
    notebook: nbformat.NotebookNode | None = None
    job: dict | None = None
    outputs: dict | None = None

    def put_away(self):
        """Let go of what takes memory, once its row is there."""
        self.notebook = self.job = self.outputs = None


def grade(
    submitted=None,
    stages=None,
    root=ROOT,
    jobs=None,
    dask=None,
    sandbox=None,
    limits=None,
    marks_csv=None,
    console=None,
    show_figures=False,
):
    """Grade every submission of `stages` (all, unless given), print a table of marks and write them to `marks_csv`.

    submitted: folder with STUDENT/STAGE/STAGE.ipynb; root/submitted unless given. The gradebook is the one that
    root/nbgrader_config.py names, else root/gradebook.db, and the marked notebooks lie in root/autograded.
    jobs: how many submissions run at once, as many as there are cores unless given. dask: a scheduler's address, to run them on
    its workers instead. sandbox: its kind, the best there is unless given. limits: sandbox.limits.Limits. show_figures: run the
    learner's figures too.
    A submission that cannot be graded is named, keeps the mark that it had, and the others go on.
    Returns the rows of marks, each with student, stage, score, max_score, late_penalty, problem, and the score of each case.
    Raises NothingToGrade, ChoiceError, GradebookError, GradingStopped, kept.Busy, cluster.NoCluster, or grader.box.NoSandbox.
    """
    root, console = Path(root), console or Console()
    submitted = Path(submitted) if submitted else root / "submitted"
    stages = stages or STAGES
    papers = _papers(submitted, stages)
    if not papers:
        raise NothingToGrade(f"no submission in {submitted}: it should hold  STUDENT/{notebook_path('', stages[0])}")
    rows = {}
    try:
        with only_one(root), OpenGradebook(course_config(root, submitted)) as gradebook:
            settings = {
                "sandbox": sandbox or kind_of_sandbox(),
                "limits": limits or DEFAULT,
                "private_seed": private_seed(root),
                "show_figures": show_figures,
            }
            desk = _Desk(root, gradebook, settings)
            if not dask and any(desk.is_new(paper) for paper in papers):
                work.get_ready(papers[0].stage, settings["sandbox"], settings["private_seed"])
            with progress_bar(console, rate=True) as bar:
                task = bar.add_task("Grading", total=len(papers))
                for stage in dict.fromkeys(paper.stage for paper in papers):
                    desk.begin(stage)
                with _workers(jobs, dask) as workers:
                    for paper, row in _graded(papers, desk, workers):
                        rows[paper.student, paper.stage] = row
                        bar.advance(task)
    except OSError as error:
        raise GradingStopped(
            f"{error.strerror or error} ({error.filename or root}). {len(rows)} of {len(papers)} are graded and kept: "
            "make room, and run the same command again to go on"
        ) from error
    rows = [rows[paper.student, paper.stage] for paper in papers]
    _print_marks(rows, console)
    path = Path(marks_csv) if marks_csv else root / "marks.csv"
    _write_csv(rows, path)
    console.print(f"Marks by case: {path}", markup=False, highlight=False)
    return rows


def judged(notebook, stage, root):
    """A rebuilt `notebook` with its outputs, run here and now: for formgrader, which grades one at a time."""
    job = work.job_of(notebook, stage, kind_of_sandbox(), private_seed=private_seed(root))
    return _with_outputs(notebook, work.run(job)["outputs"])


def private_seed(root):
    """The whole number from which an instructor has this class's hidden checks draw their inputs; None where there is none."""
    path = Path(root) / "private_seed.txt"
    if not path.is_file():
        return None
    try:
        return int(path.read_text(encoding="utf-8"))
    except ValueError:
        raise GradingStopped(f"{path} should hold one whole number, and nothing else") from None


def _papers(submitted, stages):
    """A Paper for each folder of a stage; where a student has none of them, one that will be told so."""
    papers = []
    folders = sorted(submitted.iterdir()) if submitted.is_dir() else []
    for folder in folders:
        if not folder.is_dir() or folder.name.startswith("."):
            continue
        handed_in = [stage for stage in stages if os.path.lexists(folder / stage)]
        if not handed_in and not any(os.path.lexists(folder / stage) for stage in STAGES):
            handed_in = stages[:1]
        papers += [Paper(folder.name, stage, folder) for stage in handed_in]
    return papers


def _graded(papers, desk, workers):
    """Pairs of each paper and its row, as they come. Only so many are in hand that no worker waits: memory does not grow."""
    waiting, running = iter(papers), {}
    while True:
        while len(running) < workers.ahead and (paper := next(waiting, None)):
            row = desk.prepare(paper)
            if row:
                paper.put_away()
                yield paper, row
            else:
                running[workers.submit(desk, paper)] = paper
        if not running:
            return
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            paper = running.pop(future)
            row = desk.finish(paper, future)
            paper.put_away()
            yield paper, row


class _Desk:
    """Where papers are prepared, and their marks written, one after another."""

    def __init__(self, root, gradebook, settings):
        self._root, self._gradebook, self._kept, self._settings = root, gradebook, Kept(root), settings
        self._course, self._choice = {}, {}

    def begin(self, stage):
        self._gradebook.record(stage)
        self._choice[stage] = read_choice(self._root, stage)
        self._course[stage] = fingerprint_of_course(stage, self._settings, self._choice[stage])

    def is_new(self, paper):
        """Whether nothing is known of a paper, so that it is likely to have to be run."""
        return not self._kept.has("results", paper.student, paper.stage)

    def prepare(self, paper):
        """Read a paper. Returns its row where nothing has to run for it; else paper.job says what."""
        if not _is_name(paper.student):
            return self._row(paper, None, f"the folder's name is no student's: not printable, or over {_LONGEST_NAME} bytes")
        paper.fingerprint = fingerprint_of(paper.folder / paper.stage, self._course[paper.stage])
        marked = self._kept.read("marked", paper.student, paper.stage)
        if paper.fingerprint and marked.get("fingerprint") == paper.fingerprint and self._path(paper).is_file():
            marks = self._gradebook.marks(paper.student, paper.stage)
            if marks and marks.auto == marked.get("auto"):
                return self._row(paper, marks)
        try:
            paper.notebook = intake.rebuild(paper.stage, self._read(paper), self._choice[paper.stage])
        except intake.Refused as error:
            return self._refused(paper, str(error))
        paper.job = work.job_of(paper.notebook, paper.stage, **self._settings)
        kept = self._kept.read("results", paper.student, paper.stage)
        known = [check for check, key in paper.job["keys"].items() if kept.get("keys", {}).get(check) == key]
        paper.job["skip"] = known
        if len(known) == len(paper.job["keys"]) and kept["shown_key"] == paper.job["shown_key"]:
            return self._write(paper, kept["outputs"])
        return None

    def _read(self, paper):
        """The cells that were handed in, and when. Raises Refused."""
        try:
            paper.timestamp = self._timestamp(paper)
            return intake.read_submission(paper.folder, paper.stage)
        except OSError as error:  # this paper's, not that of the disk that all are written to
            raise intake.Refused(f"it cannot be read: {error.strerror}") from None

    def run(self, paper):
        """Do a paper's job, and keep what comes of it at once: in a thread of its own, while this process does other things."""
        result = work.run(paper.job | {"core": getattr(_thread, "core", None)})
        self._keep(paper, result)
        return result

    def finish(self, paper, future):
        """Write what came of a paper's job; returns its row."""
        try:
            result = future.result()
        except OSError:  # the disk's, not the submission's
            raise
        except Exception as error:  # whatever went wrong around it, the others' grading goes on
            return self._refused(paper, f"it could not be judged ({type(error).__name__}: {error})".splitlines()[0][:200])
        if paper.outputs is None:
            self._keep(paper, result)
        return self._write(paper, paper.outputs)

    def _keep(self, paper, result):
        """Keep a result, with what was known before of the checks that did not have to run."""
        kept = self._kept.read("results", paper.student, paper.stage).get("outputs", {}) if paper.job["skip"] else {}
        outputs = {check: kept[check] for check in paper.job["skip"] if check in kept} | result["outputs"]
        what = {"keys": paper.job["keys"], "shown_key": paper.job["shown_key"], "outputs": outputs}
        self._kept.write("results", paper.student, paper.stage, what)
        paper.outputs = outputs

    def _write(self, paper, outputs):
        """The marks, the marked notebook, and last a note that both are there: whatever comes between, it is done again."""
        notebook = self._gradebook.restore(_with_outputs(paper.notebook, outputs), paper.stage)
        marks = self._gradebook.write(notebook, paper.student, paper.stage, paper.timestamp)
        path = self._path(paper)
        _write_readonly(path, json.dumps(notebook))  # without nbformat's line breaks, which take ten times as long to write
        if paper.timestamp:
            _write_readonly(path.with_name("timestamp.txt"), f"{paper.timestamp} UTC\n")
        self._kept.write("marked", paper.student, paper.stage, {"fingerprint": paper.fingerprint, "auto": marks.auto})
        return self._row(paper, marks)

    def _refused(self, paper, problem):
        """A row with the problem. What the gradebook has stays as it is."""
        marks = self._gradebook.marks(paper.student, paper.stage)
        if marks:
            problem += f"; the earlier mark of {marks.score:g} stays"
        return self._row(paper, None, problem)

    def _row(self, paper, marks, problem=""):
        return {
            "student": _printable(paper.student),
            "stage": paper.stage,
            "score": marks.score if marks else 0.0,
            "max_score": self._gradebook.max_score(paper.stage),
            "late_penalty": marks.late_penalty if marks else 0.0,
            "problem": _printable(problem),
        } | {check.replace("-check", "", 1): score for check, score in (marks.by_check.items() if marks else ())}

    def _path(self, paper):
        return Path(self._gradebook.autograded(paper.student, paper.stage)) / notebook_path("", paper.stage).name

    def _timestamp(self, paper):
        path = paper.folder / paper.stage / "timestamp.txt"
        if not os.path.lexists(path):
            return None
        try:
            if path.is_symlink() or not path.is_file() or path.stat().st_size > 100:
                raise ValueError
            return self._gradebook.timestamp(path.parent)
        except (ValueError, OverflowError, AttributeError):  # nbgrader's own way of failing here is an AttributeError
            raise intake.Refused("timestamp.txt does not say when it was handed in") from None


def _is_name(student):
    """Whether the gradebook, and a file system, can hold a student's name."""
    return student.isprintable() and len(student.encode()) <= _LONGEST_NAME


def _printable(text):
    """`text` without anything that a terminal could take for an order."""
    return text if text.isprintable() else ascii(text)[1:-1]


def _with_outputs(notebook, outputs):
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [nbformat.from_dict(output) for output in outputs.get(cell.id, [])]
            cell.execution_count = None
    return notebook


@dataclass
class _Workers:
    submit: object  # (desk, paper) -> Future
    ahead: int  # how many are submitted before one is waited for


@contextlib.contextmanager
def _workers(jobs, dask):
    """Threads, each with a core for its jobs, or the workers of a Dask cluster."""
    if dask:
        from .cluster import cluster

        with cluster(dask) as (executor, threads):
            yield _Workers(lambda desk, paper: executor.submit(work.run, paper.job), 2 * threads)
        return
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [None]  # macOS has no such thing
    jobs = jobs or (len(cores) if cores[0] is not None else os.cpu_count())
    turns = itertools.cycle(cores)
    pool = ThreadPoolExecutor(jobs, "grading", initializer=lambda: setattr(_thread, "core", next(turns)))
    try:
        yield _Workers(lambda desk, paper: pool.submit(desk.run, paper), 2 * jobs)
        pool.shutdown()
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        work.close()  # those that run would else go on to their end
        raise


def _write_readonly(path, text):
    write_whole(path, text)
    os.chmod(path, 0o444)


def _print_marks(rows, console):
    late = any(row["late_penalty"] for row in rows)
    table = Table("student", "stage", "score", "of", *(["late"] if late else []), "problem")
    for row in rows:
        penalty = [f"-{row['late_penalty']:g}" if row["late_penalty"] else ""] if late else []
        cells = [row["student"], row["stage"], f"{row['score']:g}", f"{row['max_score']:g}", *penalty, row["problem"]]
        table.add_row(*map(Text, cells))  # a name is no markup
    console.print(table)


def _write_csv(rows, path):
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="")
    writer.writeheader()
    writer.writerows(rows)
    write_whole(path, text.getvalue())
