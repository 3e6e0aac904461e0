"""Grade a class with nbgrader's own autograding, and show the marks.

nbgrader runs a submission's code with this user's rights: grade only people whom you trust with this account.
"""

import csv
import tempfile
import warnings
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from rich.console import Console
from rich.table import Table
from sqlalchemy.exc import SAWarning
from traitlets.config import Config

from .nbgrader_settings import configure
from .paths import ROOT, STAGES, notebook_path
from .progress import progress_bar


class NothingToGrade(Exception):
    """There is no submission where they were looked for; the text says what belongs there."""


def grade(submitted=None, stages=None, root=ROOT, marks_csv=None, console=None):
    """Autograde every submission of `stages` (all, unless given), print a table of marks and write them to `marks_csv`.

    submitted: folder with STUDENT/STAGE/STAGE.ipynb; root/submitted unless given. The gradebook is root/gradebook.db, and
    the marked notebooks lie in root/autograded. A submission that cannot be graded is named, and the others go on.
    Returns the rows of marks, each with student, stage, score, max_score, problem, and the score of each case by its id.
    """
    root, console = Path(root), console or Console()
    submitted = Path(submitted) if submitted else root / "submitted"
    stages = stages or STAGES
    work = [(folder.name, stage) for folder in _student_folders(submitted) for stage in stages if (folder / stage).is_dir()]
    if not work:
        raise NothingToGrade(f"no submission in {submitted}: it should hold  STUDENT/{stages[0]}/{stages[0]}.ipynb")
    config = configure(Config(), root=root)
    config.CourseDirectory.submitted_directory = str(submitted.resolve())
    config.CourseDirectory.source_directory = str(ROOT / "solutions")
    for stage in stages:
        _record(config, stage)
    rows = []
    with progress_bar(console) as bar:
        task = bar.add_task("Grading", total=len(work))
        for student, stage in work:
            # force: a submission is graded as it is now, also where an earlier mark lies.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SAWarning)  # nbgrader's own, of each new submission; no harm
                result = NbGraderAPI(config=config).autograde(stage, student, force=True)
            rows.append(_marks(config, student, stage, _problem(result, submitted / student, stage)))
            bar.advance(task)
    _print_marks(rows, console)
    path = Path(marks_csv) if marks_csv else root / "marks.csv"
    _write_csv(rows, path)
    console.print(f"Marks by case: {path}", markup=False, highlight=False)
    return rows


def _student_folders(submitted):
    return sorted(path for path in submitted.iterdir() if path.is_dir()) if submitted.is_dir() else []


def _record(config, stage):
    """Tell the gradebook of the stage's cells, hidden checks included. nbgrader does it while it makes a release."""
    with tempfile.TemporaryDirectory() as elsewhere:
        recording = configure(Config(), root=config.CourseDirectory.root)
        recording.merge(config)
        recording.CourseDirectory.release_directory = elsewhere  # course/ is made by `build`, and stays as it is
        result = NbGraderAPI(config=recording).generate_assignment(stage, force=True)
    if not result["success"]:
        raise RuntimeError(f"nbgrader could not read solutions/{stage}:\n{result.get('log')}")


def _problem(result, folder, stage):
    """Why a submission could not be graded, in one line; empty where it was."""
    path = notebook_path(folder, stage)
    if not path.is_file():
        return f"there is no {stage}/{path.name}"
    try:
        nbformat.read(path, as_version=4)
    except Exception as error:  # whatever a damaged file makes the reader raise, the others' grading goes on
        return f"{path.name} cannot be read as a notebook ({type(error).__name__})"
    if result["success"]:
        return ""
    errors = [line for line in (result.get("log") or "").splitlines() if line.startswith("[ERROR]")]
    return errors[0].removeprefix("[ERROR] ")[:200] if errors else "nbgrader could not grade it"


def _marks(config, student, stage, problem):
    row = {"student": student, "stage": stage, "score": 0.0, "max_score": 0.0, "problem": problem}
    course = CourseDirectory(config=config)
    with Gradebook(course.db_url, course.course_id) as gradebook:
        try:
            notebook = gradebook.find_submission_notebook(stage, stage, student)
        except MissingEntry:
            return row
        row |= {"score": notebook.score, "max_score": notebook.max_score}
        row |= {grade.name.replace("-check", "", 1): grade.score for grade in notebook.grades}
    return row


def _print_marks(rows, console):
    table = Table("student", "stage", "score", "of", "problem")
    for row in rows:
        table.add_row(row["student"], row["stage"], f"{row['score']:g}", f"{row['max_score']:g}", row["problem"])
    console.print(table)


def _write_csv(rows, path):
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
