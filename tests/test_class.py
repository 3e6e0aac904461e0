"""The class run around the judging: marks as stock nbgrader writes them, nothing lost, nothing run twice, one at a time."""

import csv
import errno
import io
import json
import os
import re
import signal
import subprocess
import sys
import zipfile
from datetime import datetime

import nbformat
import pytest
from nbgrader import preprocessors as stock
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from nbgrader.plugins import LateSubmissionPlugin
from nbgrader.utils import is_grade
from rich.console import Console

from autograder import export, kept
from autograder.cli import main
from autograder.feedback import NothingGraded, feedback
from autograder.grade import GradingStopped, _papers, grade
from autograder.gradebook import OpenGradebook
from autograder.nbgrader_settings import course_config
from autograder.paths import ROOT, SOLUTIONS, notebook_path
from autograder.release import release

from .classroom import CASES, CHECKS, FULL, STAGE, copy_of, hand_in, marks, outputs_of, points, stand_in, wait_for

EVERY, HALF, FIRST = list(CASES), list(CASES)[::2], next(iter(CASES))
DUE = datetime(2026, 3, 1, 12, 0)
SCRIPTS = [
    nbformat.v4.new_markdown_cell("<script>steal()</script> <img src=x onerror=steal()> [me](javascript:steal())"),
    nbformat.v4.new_code_cell("### BEGIN HIDDEN TESTS", id="learners-own"),
]
LATE = "from tests.test_class import HalfAPointPerMinute\nget_config().AssignLatePenalties.plugin_class = HalfAPointPerMinute\n"


class HalfAPointPerMinute(LateSubmissionPlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return total_seconds_late / 120


@pytest.fixture(scope="session")
def classroom(tmp_path_factory):
    """A class with three submissions and an empty gradebook, in which the stage is recorded."""
    root = tmp_path_factory.mktemp("classroom")
    hand_in(root, "half", HALF, timestamp="2026-03-01 12:04:00 UTC")
    hand_in(root, "none")
    hand_in(root, "whole", EVERY, timestamp="2026-02-28 09:00:00 UTC")
    with OpenGradebook(course_config(root)) as gradebook:
        gradebook.record(STAGE)
    return root


@pytest.fixture
def root(classroom, tmp_path, monkeypatch):
    monkeypatch.setattr("autograder.grade.work.run", stand_in)
    monkeypatch.setattr("autograder.grade.work.get_ready", lambda *_: None)
    monkeypatch.setenv("RUN_LOG", str(tmp_path / "log"))
    return copy_of(classroom, tmp_path)


def runs(root):
    """Which checks each run ran, in order, since the last time that it was asked."""
    log = root.parent / "log"
    lines = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    log.unlink(missing_ok=True)
    return lines


def opened(root):
    return Gradebook(f"sqlite:///{root / 'gradebook.db'}", "training-clinic")


def everything(root):
    """What the gradebook says of each submission, without the ids that it makes up."""
    with opened(root) as gradebook:
        return {
            submission.student_id: (
                submission.timestamp,
                notebook.late_submission_penalty,
                notebook.score,
                notebook.needs_manual_grade,
                sorted(
                    (grade.name, grade.auto_score, grade.manual_score, grade.extra_credit, grade.needs_manual_grade)
                    for grade in notebook.grades
                ),
                sorted((comment.name, comment.auto_comment, comment.manual_comment) for comment in notebook.comments),
            )
            for submission in gradebook.find_assignment(STAGE).submissions
            for notebook in submission.notebooks
        }


def touch_up(root):
    """What an instructor does in formgrader: a mark, a comment, extra credit, a due date; here for two learners."""
    with opened(root) as gradebook:
        gradebook.update_or_create_assignment(STAGE, duedate=DUE)
        for student in ("half", "none"):
            mark = gradebook.find_grade(f"{EVERY[1]}-check", STAGE, STAGE, student)
            mark.manual_score, mark.needs_manual_grade = 2.5, False
            gradebook.find_grade(f"{EVERY[0]}-check", STAGE, STAGE, student).extra_credit = 1
            gradebook.find_comment(EVERY[1], STAGE, STAGE, student).manual_comment = "Nearly."
        gradebook.db.commit()


class OutputsAreKnown(stock.Execute):
    """Stock nbgrader's step of execution, with the outputs that the stand-in would give."""

    def preprocess(self, nb, resources):
        named = [(cell.metadata.nbgrader["grade_id"], cell.source) for cell in nb.cells if "nbgrader" in cell.metadata]
        outputs = outputs_of(named, CHECKS)
        for cell in nb.cells:
            if is_grade(cell):
                cell.outputs = [nbformat.from_dict(output) for output in outputs[cell.metadata.nbgrader["grade_id"]]]
        return nb, resources


def by_stock(root):
    """Grade with nbgrader's own Autograde, all its settings its own but for the execution."""
    config = course_config(root)
    late = config.AssignLatePenalties
    del config["Autograde"]
    config.AssignLatePenalties = late
    config.Autograde.autograde_preprocessors = [
        OutputsAreKnown,
        stock.IgnorePattern,
        stock.LimitOutput,
        stock.SaveAutoGrades,
        stock.AssignLatePenalties,
        stock.CheckCellMetadata,
    ]
    api = NbGraderAPI(config=config)
    for student in ("half", "none", "whole"):
        result = api.autograde(STAGE, student)
        assert result["success"], result


def test_what_is_graded_is_let_go_of(root, monkeypatch):
    """Memory does not grow with the class, neither where submissions run nor where they are unchanged or refused."""
    papers = []
    monkeypatch.setattr("autograder.grade._papers", lambda *where: papers.extend(_papers(*where)) or papers)
    bad = notebook_path(root / "submitted" / "bad", STAGE)
    bad.parent.mkdir(parents=True)
    bad.write_text("no notebook")
    for _ in range(2):
        papers.clear()
        grade(root=root, stages=[STAGE], console=Console(file=io.StringIO()))
        assert {paper.student for paper in papers} >= {"bad", "half", "whole"}
        assert not any(paper.notebook or paper.job or paper.outputs for paper in papers)


def test_the_gradebook_holds_what_stock_nbgrader_writes(root, classroom, tmp_path):
    theirs = copy_of(classroom, tmp_path / "theirs")
    for place, graded in ((root, marks), (theirs, by_stock)):
        (place / "nbgrader_config.py").write_text(LATE)
        graded(place)
        touch_up(place)
        hand_in(place, "none", EVERY[1:2])  # handed in again
        graded(place)
    ours = everything(root)
    # Stock looks again at every mark that a person gave; ours only where the submission or its checks changed.
    score, needs_look = ours["half"][2], ours["half"][3]
    assert not needs_look and score == points(HALF) + 1 + 2.5
    with opened(theirs) as gradebook:
        gradebook.find_grade(f"{EVERY[1]}-check", STAGE, STAGE, "half").needs_manual_grade = False
        gradebook.db.commit()
    assert ours == everything(theirs)
    assert ours["half"][1] == 2.0 and ours["none"][3]


def test_marks_given_by_hand_and_late_penalties_survive(root):
    (root / "nbgrader_config.py").write_text(LATE)
    marks(root)
    touch_up(root)
    rows = marks(root)  # the due date is new, the submission is not
    assert (rows["half"]["score"], rows["half"]["late_penalty"]) == (points(HALF) + 3.5, 2.0)
    with opened(root) as gradebook:
        assert gradebook.find_comment(EVERY[1], STAGE, STAGE, "half").comment == "Nearly."


def test_a_second_run_runs_nothing_and_says_the_same(root):
    first = marks(root)
    assert len(runs(root)) == 3
    before, console = everything(root), Console(file=io.StringIO(), width=120)
    assert marks(root, console=console) == first and runs(root) == [] and everything(root) == before
    assert "whole" in console.file.getvalue()
    hand_in(root, "none", EVERY[:1])
    assert marks(root)["none"]["score"] == CASES[FIRST] and len(runs(root)) == 1


def test_a_gradebook_that_was_lost_is_written_again_without_running(root, classroom):
    first = marks(root)
    runs(root)
    (root / "gradebook.db").write_bytes((classroom / "gradebook.db").read_bytes())
    assert marks(root) == first and runs(root) == []
    with opened(root) as gradebook:  # as an older copy of it would
        gradebook.find_grade(f"{FIRST}-check", STAGE, STAGE, "whole").auto_score = 0
        gradebook.db.commit()
    assert marks(root) == first and runs(root) == []


def test_a_changed_check_is_run_alone(root, monkeypatch):
    import autograder.grade as module

    first, changed, job_of = marks(root), f"{EVERY[3]}-check", module.work.job_of
    runs(root)

    def with_another_key(*args, **kwargs):
        job = job_of(*args, **kwargs)
        job["keys"][changed] = "another"
        return job

    monkeypatch.setattr(module.work, "job_of", with_another_key)
    monkeypatch.setattr(module, "fingerprint_of_course", lambda *args: "another")
    assert marks(root) == first and runs(root) == [[changed]] * 3


def test_a_refused_submission_is_told_and_keeps_its_mark(root, tmp_path):
    marks(root)
    before = everything(root)
    notebook_path(root / "submitted" / "half", STAGE).write_text("{")
    whole = notebook_path(root / "submitted" / "whole", STAGE)
    secret = tmp_path / "secret.ipynb"
    whole.replace(secret)
    whole.symlink_to(secret)
    (root / "submitted" / "empty").mkdir()
    for odd in ("x" * 129, "red \x1b[31m", os.fsdecode(b"half \xff")):
        (root / "submitted" / odd / STAGE).mkdir(parents=True)
    (hand_in(root, "when", EVERY).parent / "timestamp.txt").write_text("yesterday, I think")
    rows = marks(root)
    assert all("\n" not in row["problem"] for row in rows.values())
    assert rows["half"]["problem"].endswith(f"; the earlier mark of {points(HALF):g} stays") and rows["half"]["score"] == 0
    assert "link" in rows["whole"]["problem"] and f"the earlier mark of {FULL:g} stays" in rows["whole"]["problem"]
    assert rows["empty"]["problem"].startswith(f"there is no {STAGE}/{STAGE}.ipynb") and rows["empty"]["score"] == 0
    assert all("name" in rows[shown]["problem"] for shown in ("x" * 129, r"red \x1b[31m", r"half \udcff"))
    assert rows["none"]["problem"] == "" and everything(root) == before
    assert "timestamp.txt" in rows["when"]["problem"]


def test_a_submission_whose_judging_fails_is_told_and_stops_nobody(root, monkeypatch):
    def fails_for_one(job):
        if any("FAIL = True" in cell["source"] for cell in job["cells"]):
            raise RuntimeError("the process ended\nwith a long story")
        return stand_in(job)

    monkeypatch.setattr("autograder.grade.work.run", fails_for_one)
    hand_in(root, "unlucky", EVERY, more=[nbformat.v4.new_code_cell("FAIL = True")])
    rows = marks(root)
    assert rows["unlucky"]["problem"] == "it could not be judged (RuntimeError: the process ended"
    assert rows["whole"]["score"] == FULL and rows["unlucky"]["score"] == 0


def test_a_full_disk_stops_it_and_loses_nothing(root, monkeypatch):
    replace, left = os.replace, 6

    def replace_until_full(source, target):
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(errno.ENOSPC, "No space left on device", str(target))
        return replace(source, target)

    monkeypatch.setattr(kept.os, "replace", replace_until_full)
    with pytest.raises(GradingStopped, match=r"No space left on device .* [012] of 3 are graded and kept"):
        marks(root, jobs=1)
    runs(root)
    known = len(list((root / ".grading" / STAGE / "results").glob("*.json")))
    monkeypatch.setattr(kept.os, "replace", replace)
    rows = marks(root)
    assert {student: row["score"] for student, row in rows.items()} == {"half": points(HALF), "none": 0, "whole": FULL}
    assert known > 0 and len(runs(root)) == 3 - known
    assert not list(root.rglob(".part-*"))


IN_A_PROCESS = """
import sys
from pathlib import Path
from autograder import cli, grade
from tests.classroom import stand_in
grade.work.run, grade.work.get_ready, real = stand_in, lambda *_: None, grade.grade
grade.grade = lambda *args, **kwargs: real(*args, root=Path(sys.argv[1]), **kwargs)
sys.exit(cli.main(["grade", "--stage", "optimizers", "--jobs", "2"]))
"""


def started(root, seconds):
    environment = {**os.environ, "RUN_SECONDS": str(seconds), "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "course")])}
    return subprocess.Popen(
        [sys.executable, "-c", IN_A_PROCESS, str(root)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_stopped_goes_on_where_it_was(root, how):
    for number in range(7):
        hand_in(root, f"learner{number}", EVERY[number:])
    process = started(root, 3)  # on a busy machine, too, there is time to look in before it is done
    log = root.parent / "log"
    wait_for(lambda: log.exists() and log.read_text().count("\n") >= 4)
    with pytest.raises(kept.Busy, match="wait until it is done"):
        marks(root)
    process.send_signal(how)
    said = process.communicate(timeout=60)[1].decode()
    assert process.returncode == (130 if how == signal.SIGINT else -how), said
    ran = len(runs(root))
    assert 4 <= ran < 10
    rows = marks(root)
    expected = {"half": points(HALF), "none": 0, "whole": FULL} | {f"learner{i}": points(EVERY[i:]) for i in range(7)}
    assert {student: row["score"] for student, row in rows.items()} == expected
    assert len(runs(root)) <= 10 - ran + 2  # the two that were running, or had just come out
    with opened(root) as gradebook:
        assert len(gradebook.assignment_submissions(STAGE)) == 10


def test_the_exit_status_says_how_it_went(root, monkeypatch, capsys):
    import autograder.grade as module

    monkeypatch.setattr(module, "grade", lambda *args, **kwargs: grade(*args, root=root, **kwargs))
    assert main(["grade", "--stage", STAGE]) == 0
    notebook_path(root / "submitted" / "half", STAGE).unlink()
    assert main(["grade", "--stage", STAGE]) == 1
    for bad in (["--jobs", "0"], ["--jobs", "many"], ["--stage", "unknown"]):
        with pytest.raises(SystemExit) as status:
            main(["grade", *bad])
        assert status.value.code == 2
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert main(["grade", "--dask", "tcp://127.0.0.1:1"]) == 1
    assert "pip install 'training-clinic[dask]'" in capsys.readouterr().err


def test_formgraders_own_button_goes_the_same_way(root, monkeypatch, tmp_path):
    path = hand_in(root, "half", HALF, more=SCRIPTS)
    secret = tmp_path / "secret"
    secret.write_text("the key")
    (path.parent / "link.txt").symlink_to(secret)
    rows = marks(root)
    before = everything(root)
    result = NbGraderAPI(config=course_config(root)).autograde(STAGE, "half")
    assert result["success"], result
    assert everything(root) == before and rows["half"]["score"] == points(HALF)
    assert not (root / "autograded" / "half" / STAGE / "link.txt").exists() and secret.read_text() == "the key"
    notebook_path(root / "submitted" / "whole", STAGE).write_text("{")
    assert not NbGraderAPI(config=course_config(root)).autograde(STAGE, "whole")["success"]
    assert everything(root) == before


def test_feedback_runs_nothing_asks_nobody_and_hides_the_hidden(root, monkeypatch):
    bad = {
        "text/html": "<script>steal()</script><img src='http://a.b/x' onerror='steal()'><p style='background:url(//x)'>so</p>",
        "text/markdown": "[me](javascript:steal())",
        "application/javascript": "steal()",
        "image/svg+xml": "<svg onload='steal()'/>",
        "text/plain": "x",
    }

    def with_scripts(job):
        result = stand_in(job)
        result["outputs"][FIRST] = [{"output_type": "display_data", "data": bad, "metadata": {}}]
        return result

    monkeypatch.setattr("autograder.grade.work.run", with_scripts)
    hand_in(root, "half", HALF, more=SCRIPTS)
    marks(root)
    touch_up(root)
    assert feedback([STAGE], "half", root=root) == []
    page = notebook_path(root / "feedback" / "half", STAGE).with_suffix(".html").read_text(encoding="utf-8")
    assert "Not yet: the words." in page and "Nearly." in page and "<p>so</p>" in page.replace(' style=""', "")
    assert not re.search(r"<script|<svg|<[^>]*\son\w+\s*=|href=\"javascript:", page, re.IGNORECASE)
    fetches = r"<(img|link|iframe|object|embed|video|audio|source)\b[^>]*(src|href|data)=[\"']?(?!data:image/png)"
    assert not re.search(fetches, page)
    assert "default-src 'none'" in page
    for cell in nbformat.read(notebook_path(SOLUTIONS, STAGE), as_version=4).cells:
        if is_grade(cell) and cell.metadata.nbgrader["grade_id"] == f"{FIRST}-check":
            hidden = cell.source.split("### BEGIN HIDDEN TESTS")[1].splitlines()[1]
    name = re.search(r"def (\w+)", hidden).group(1)
    assert name not in page and "BEGIN HIDDEN TESTS" not in page.replace("### BEGIN HIDDEN TESTS</span>", "")
    for cell in nbformat.read(notebook_path(root / "autograded" / "half", STAGE), as_version=4).cells:  # which formgrader shows
        assert "steal" not in json.dumps(cell.get("outputs", [])).replace("&lt;script&gt;steal()&lt;/script&gt;", "")
        assert "steal" not in cell.source or all(line.startswith("    ") for line in cell.source.splitlines())


def test_feedback_has_what_the_exchange_needs_to_hand_it_out(root, tmp_path):
    secret = notebook_path(root / "submitted" / "half", STAGE).with_name("submission_secret.txt")
    secret.write_text("of half")
    (tmp_path / "other").write_text("of another")
    notebook_path(root / "submitted" / "whole", STAGE).with_name(secret.name).symlink_to(tmp_path / "other")
    marks(root)
    (problem,) = feedback([STAGE], root=root)
    assert problem == f"whole, {STAGE}: the exchange cannot hand the feedback out ({secret.name} cannot be read: it is a link)"
    folder = notebook_path(root / "feedback" / "half", STAGE).parent
    assert (folder / secret.name).read_text() == "of half" and (folder / "timestamp.txt").is_file()
    for student in ("none", "whole"):
        assert not notebook_path(root / "feedback" / student, STAGE).with_name(secret.name).exists()


def test_the_short_text_says_the_points_and_where_to_go_on(root):
    marks(root)
    touch_up(root)
    feedback([STAGE], "half", root=root)
    lines = notebook_path(root / "feedback" / "half", STAGE).with_suffix(".txt").read_text(encoding="utf-8").splitlines()
    assert lines[0] == f"{STAGE}: {points(HALF) + 3.5:g} of {FULL} points"
    assert any(re.match(rf" +2.5/{CASES[EVERY[1]]}  Case 2", line) for line in lines) and "  Not yet: the words." in lines
    assert lines[-1].startswith("Look next at: Case 2")
    assert not (root / "feedback" / "whole").exists()
    with pytest.raises(NothingGraded, match="nothing of 'nobody' is graded yet"):
        feedback([STAGE], "nobody", root=root)


def test_marks_are_exported_for_nbgrader_canvas_and_moodle(root):
    (root / "nbgrader_config.py").write_text(LATE)
    marks(root)
    touch_up(root)
    marks(root)
    with opened(root) as gradebook:
        gradebook.update_or_create_student("whole", first_name="Ada", last_name="Ångström, jr", email="a@b.c", lms_user_id="17")
        gradebook.add_student("absent")
    tables = []
    for path in export.export(root / "marks of may.csv", root=root):
        with open(path, newline="", encoding="utf-8") as file:
            tables.append(list(csv.reader(file)))
    stock_rows, canvas, moodle = tables
    assert stock_rows[0][:4] == ["assignment", "duedate", "timestamp", "student_id"] and len(stock_rows) == 1 + 4
    assert canvas[0] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", STAGE]
    assert canvas[1] == ["    Points Possible", "", "", "", "", str(FULL)]
    assert ["Ångström, jr, Ada", "", "17", "whole", "", str(FULL)] in canvas and ["absent", "", "", "absent", "", ""] in canvas
    assert moodle[0] == ["username", "email", "idnumber", STAGE] and ["whole", "a@b.c", "17", str(FULL)] in moodle
    assert next(row for row in moodle if row[0] == "half")[3] == f"{points(HALF) + 3.5 - 2:g}"


def test_what_is_handed_out_works_where_it_is_put(root, tmp_path):
    folder = release(STAGE, root=root, console=Console(file=io.StringIO()))
    release(STAGE, root=root, console=Console(file=io.StringIO()))  # in the place of the one before
    assert {path.name for path in folder.iterdir()} == {f"{STAGE}.ipynb", "clinic"}
    with zipfile.ZipFile(folder.with_suffix(".zip")) as packed:
        packed.extractall(tmp_path / "learners")
    notebook = nbformat.read(notebook_path(tmp_path / "learners", STAGE), as_version=4)
    text = "".join(cell.source for cell in notebook.cells)
    assert "HIDDEN TESTS" not in text and "BEGIN SOLUTION" not in text
    setup = next(cell.source for cell in notebook.cells if cell.id.endswith("-setup"))
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    code = "import clinic; print(clinic.__file__)"
    place = tmp_path / "learners" / STAGE
    said = subprocess.check_output([sys.executable, "-c", setup + "\n" + code], cwd=place, env=environment, text=True)
    assert said.strip().endswith(str(place / "clinic" / "__init__.py"))
    assert {path.name for path in (root / "release").iterdir()} == {STAGE, f"{STAGE}.zip"}
