"""The whole way of a class with the real notebooks, in a temporary folder: hand in, grade, feedback, gradebook."""

import csv
import html
import io
import re

import nbformat
import pytest
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from nbgrader.validator import Validator
from rich.console import Console
from traitlets.config import Config

from autograder.cli import main
from autograder.feedback import feedback
from autograder.grade import NothingToGrade, grade
from autograder.judge import read_exercises
from autograder.nbgrader_settings import configure, course_config
from autograder.paths import COURSE, SOLUTIONS, STAGES, notebook_path

CHECK_IS_FORGED = "print('Passed.')"


def mended(notebook, cases):
    """`notebook` with the solved code in the cells of `cases`."""
    solved = {cell.id: cell.source for cell in nbformat.read(notebook_path(SOLUTIONS, notebook.stage), as_version=4).cells}
    for cell in notebook.cells:
        if cell.id in cases:
            cell.source = solved[cell.id]
    return notebook


def without_figures(notebook):
    """The learner has thrown the figures' cells away, which changes no mark. (It also makes the round three times as quick.)"""
    notebook.cells = [cell for cell in notebook.cells if not re.search(r"-run(-|$)", cell.id)]
    return notebook


def with_forged_checks(notebook):
    """Every second check edited so that it passes, the others deleted with their scenes."""
    checks = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    for cell in checks[::2]:
        cell.source = CHECK_IS_FORGED
    deleted = {cell.id for cell in checks[1::2]} | {cell.id.replace("-check", "-scene") for cell in checks[1::2]}
    notebook.cells = [cell for cell in notebook.cells if cell.id not in deleted]
    return notebook


@pytest.fixture(scope="module", params=STAGES)
def round_trip(request, tmp_path_factory):
    """A class of five, handed in and graded. Returns (folder, stage, rows of marks, points by case, what was printed)."""
    stage = request.param
    root = tmp_path_factory.mktemp("course")
    points = {}

    def released():
        notebook = nbformat.read(notebook_path(COURSE, stage), as_version=4)
        notebook.stage = stage
        return notebook

    for cell in released().cells:
        meta = cell.metadata.get("nbgrader", {})
        if meta.get("grade"):
            case = cell.id.split("-check")[0]
            points[case] = points.get(case, 0) + meta["points"]
    every, half = list(points), list(points)[::2]
    handed_in = {
        "untouched": released(),
        "right": mended(released(), every),
        "half": without_figures(mended(released(), half)),
        "unmended-forged": with_forged_checks(released()),
        "right-forged": with_forged_checks(mended(released(), every)),
    }
    for student, notebook in handed_in.items():
        path = notebook_path(root / "submitted" / student, stage)
        path.parent.mkdir(parents=True)
        del notebook["stage"]
        nbformat.write(notebook, path)
    damaged = notebook_path(root / "submitted" / "damaged", stage)
    damaged.parent.mkdir(parents=True)
    damaged.write_text("{")
    console = Console(file=io.StringIO(), width=120)
    rows = {row["student"]: row for row in grade(root=root, stages=[stage], console=console)}
    return root, stage, rows, points, console.file.getvalue()


def test_marks_are_as_earned(round_trip):
    root, stage, rows, points, _ = round_trip
    full, half = sum(points.values()), sum(list(points.values())[::2])
    assert {student: row["score"] for student, row in rows.items()} == {
        "untouched": 0,
        "right": full,
        "half": half,
        "unmended-forged": 0,
        "right-forged": full,
        "damaged": 0,
    }
    assert {row["max_score"] for row in rows.values()} == {full}
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}", "training-clinic") as gradebook:
        assert gradebook.find_submission(stage, "half").score == half


@pytest.mark.parametrize("round_trip", STAGES[:1], indirect=True)
def test_stock_nbgrader_gives_the_same_marks(round_trip):
    """Its own Autograde, with a kernel, on one submission: that of the learner with half of the cases, who is honest."""
    root, stage, _, _, _ = round_trip

    def marks():
        with Gradebook(f"sqlite:///{root / 'gradebook.db'}", "training-clinic") as gradebook:
            grades = gradebook.find_submission_notebook(stage, stage, "half").grades
            return sorted((grade.name, grade.auto_score, grade.needs_manual_grade) for grade in grades)

    ours, config = marks(), course_config(root)
    del config["Autograde"]
    config.Execute.timeout = 120
    result = NbGraderAPI(config=config).autograde(stage, "half")
    assert result["success"], result
    assert marks() == ours


def test_the_damaged_submission_is_named_and_stops_nobody(round_trip):
    _, stage, rows, _, printed = round_trip
    assert rows["damaged"]["problem"].startswith(f"{stage}.ipynb ")
    assert [row["problem"] for student, row in rows.items() if student != "damaged"] == [""] * 5
    assert f"{stage}.ipynb " in printed


def test_marks_by_case_are_written_for_a_spreadsheet(round_trip):
    root, _, _, points, printed = round_trip
    with open(root / "marks.csv", newline="", encoding="utf-8") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    first, second = list(points)[:2]
    assert float(rows["half"][first]) == points[first] and float(rows["half"][second]) == 0
    assert "right-forged" in printed and f"{sum(points.values())}" in printed


def test_feedback_says_what_the_check_said(round_trip):
    root, stage, _, _, _ = round_trip
    for student in ("untouched", "right"):
        assert feedback([stage], student, root=root, console=Console(file=io.StringIO())) == []
    page = notebook_path(root / "feedback" / "untouched", stage).with_suffix(".html").read_text(encoding="utf-8")
    assert "Not yet: the loss never rises." in page or stage != "optimizers"
    assert "Not yet: " in page and "<script" not in page
    titles = [html.escape(exercise.title) for exercise in read_exercises(notebook_path(COURSE, stage)) for _ in exercise.checks]
    assert re.findall(r'<li><a href="#[^"]+">(.*?)</a> \(Score', page) == titles
    right = notebook_path(root / "feedback" / "right", stage)
    assert "Passed." in right.with_suffix(".html").read_text(encoding="utf-8")
    assert right.with_suffix(".txt").read_text(encoding="utf-8").endswith("Every case is mended.\n")


def test_validate_says_what_the_checks_say(round_trip, monkeypatch):
    """nbgrader's Validate, the button in JupyterLab, runs a notebook and shows what failed."""
    root, stage, _, points, _ = round_trip
    monkeypatch.chdir(notebook_path(COURSE, stage).parent)
    found = Validator(config=configure(Config(), root=root)).validate(f"{stage}.ipynb")
    assert len(found["failed"]) >= len(points) and "changed" not in found
    for cell in found["failed"]:
        lines = html.unescape(cell["error"]).strip().splitlines()
        assert lines[0].startswith("Not yet: ") and len(lines) < 15 and max(map(len, lines)) <= 87


def test_an_empty_folder_is_told_what_belongs_there(tmp_path):
    with pytest.raises(NothingToGrade, match="it should hold  STUDENT/optimizers/optimizers.ipynb"):
        grade(root=tmp_path)


def test_the_command_fails_plainly_where_there_is_nothing(tmp_path, capsys):
    assert main(["grade", str(tmp_path / "nowhere")]) == 1
    assert "autograder: no submission in" in capsys.readouterr().err
