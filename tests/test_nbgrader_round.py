"""The whole way of a class, in a temporary course: release, submit, autograde, feedback, and the marks in the gradebook."""

import csv
import html
import io
import re
import shutil

import nbformat
import pytest
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from nbgrader.validator import Validator
from rich.console import Console
from traitlets.config import Config

from autograder.cli import main
from autograder.grade import NothingToGrade, grade
from autograder.nbgrader_settings import configure
from autograder.paths import SOLUTIONS, STAGES, notebook_path

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
    """A class of five, released, submitted, graded and given feedback. Returns (folder, stage, rows of marks, points by case)."""
    stage = request.param
    root = tmp_path_factory.mktemp("course")
    shutil.copytree(SOLUTIONS / stage, root / "solutions" / stage)
    api = NbGraderAPI(config=configure(Config(), root=root))
    assert api.generate_assignment(stage)["success"]
    points = {}

    def released():
        notebook = nbformat.read(notebook_path(root / "course", stage), as_version=4)
        notebook.stage = stage
        return notebook

    for cell in released().cells:
        meta = cell.metadata.get("nbgrader", {})
        if meta.get("grade"):
            case = cell.id.split("-check")[0]
            points[case] = points.get(case, 0) + meta["points"]
    every, half = list(points), list(points)[::2]
    handed_in = {
        "untouched": without_figures(released()),
        "right": mended(released(), every),
        "half": without_figures(mended(released(), half)),
        "unmended-forged": without_figures(with_forged_checks(released())),
        "right-forged": without_figures(with_forged_checks(mended(released(), every))),
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
    for student in handed_in:
        result = api.generate_feedback(stage, student)
        assert result["success"], result["log"]
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


def test_the_damaged_submission_is_named_and_stops_nobody(round_trip):
    root, stage, rows, _, printed = round_trip
    assert rows["damaged"]["problem"] == f"{stage}.ipynb cannot be read as a notebook (NotJSONError)"
    assert [row["problem"] for student, row in rows.items() if student != "damaged"] == [""] * 5
    assert "cannot be read as a notebook" in printed


def test_marks_by_case_are_written_for_a_spreadsheet(round_trip):
    root, _, _, points, printed = round_trip
    with open(root / "marks.csv", newline="", encoding="utf-8") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    first, second = list(points)[:2]
    assert float(rows["half"][first]) == points[first] and float(rows["half"][second]) == 0
    assert "right-forged" in printed and f"{sum(points.values())}" in printed


def test_feedback_says_what_the_check_said(round_trip):
    root, stage, _, _, _ = round_trip
    page = (root / "feedback" / "untouched" / stage / f"{stage}.html").read_text(encoding="utf-8")
    assert "Not yet: the loss never rises." in page or stage != "optimizers"
    assert "Not yet: " in page
    assert "Passed." in (root / "feedback" / "right" / stage / f"{stage}.html").read_text(encoding="utf-8")


def test_validate_says_what_the_checks_say(round_trip, monkeypatch):
    """nbgrader's Validate, the button in JupyterLab, runs a notebook and shows what failed."""
    root, stage, _, points, _ = round_trip
    monkeypatch.chdir(notebook_path(root / "course", stage).parent)
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
