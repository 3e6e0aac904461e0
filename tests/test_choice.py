"""A shorter course: what chosen_cases.toml says is what is released, graded and told, and nothing else."""

import nbformat
import pytest
from nbgrader.apps import NbGraderAPI

from autograder.choice import FILE, ChoiceError, choose, read_choice
from autograder.cli import main
from autograder.feedback import feedback
from autograder.gradebook import GradebookError
from autograder.nbgrader_settings import course_config
from autograder.paths import COURSE, notebook_path
from autograder.release import release

from .classroom import MENDED, STAGE, hand_in, marks, stand_in

CHOSEN = "[optimizers]\nlr-too-high = 1\nput-it-together = 10\n"


@pytest.mark.parametrize(
    "text, said",
    [
        ("[optimizers\n", "cannot be read"),
        ("[optimiser]\nlr-too-high = 1\n", "'optimiser', which is no stage"),
        ("lr-too-high = 1\n", "'lr-too-high', which is no stage"),
        ("optimizers = 5\n", "names no case"),
        ("[optimizers]\n", "names no case"),
        ("[optimizers]\nlr-to-high = 1\n", "no case 'lr-to-high'; its cases are lr-too-high, lr-too-low"),
        ("[optimizers]\nopening = 1\n", "no case 'opening'"),
        ("[optimizers]\nlr-too-high = 0\n", "lr-too-high = 0: points are a number above 0"),
        ("[optimizers]\nlr-too-high = true\n", "a number above 0"),
        ("[optimizers]\nlr-too-high = inf\n", "a number above 0"),
        ("[monitoring]\nspike-alert = 3\ncontrol-room = 9\n", "'control-room' uses what is mended in 'no-monitoring'"),
    ],
)
def test_a_choice_that_cannot_be_followed_is_told_with_its_mend(tmp_path, text, said):
    (tmp_path / FILE).write_text(text)
    stage = "monitoring" if "monitoring" in text else STAGE
    with pytest.raises(ChoiceError, match=said) as caught:
        read_choice(tmp_path, stage)
    assert FILE in str(caught.value)


def test_a_stage_that_is_not_named_stays_whole(tmp_path):
    assert read_choice(tmp_path, STAGE) is None
    (tmp_path / FILE).write_text(CHOSEN)
    assert read_choice(tmp_path, "monitoring") is None


def test_a_part_is_opened_where_a_case_of_it_was_chosen():
    notebook = nbformat.read(notebook_path(COURSE, "failures"), as_version=4)
    choose(notebook, {"nan-log-zero": 1, "triage": 8})
    titles = [cell.source.splitlines()[0] for cell in notebook.cells if cell.id.endswith("-text-1")]
    assert [title.split(" · ")[0] for title in titles] == ["# Stage 3", "## Part 4", "## Case 4.5", "## Triage"]
    contents = [line.rpartition(", ")[2] for line in notebook.cells[0].source.splitlines() if "#cell-id=" in line]
    assert contents[1:] == ["1 point", "8 points"] and len(contents) == 3
    assert [cell.metadata.nbgrader.points for cell in notebook.cells if cell.id.startswith("triage-check")] == [2] * 4


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A class of its own that was handed out a shorter stage."""
    monkeypatch.setattr("autograder.grade.work.run", stand_in)
    monkeypatch.setattr("autograder.grade.work.get_ready", lambda *_: None)
    monkeypatch.setenv("RUN_LOG", str(tmp_path / "log"))
    (tmp_path / FILE).write_text(CHOSEN)
    release(STAGE, root=tmp_path)
    return tmp_path


def test_what_was_chosen_is_released_graded_and_told(root):
    notebook = nbformat.read(notebook_path(root / "release", STAGE), as_version=4)
    graded = [cell.metadata.nbgrader for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    assert [meta.points for meta in graded] == [1, 2.5, 2.5, 2.5, 2.5]
    for cell in notebook.cells:
        if cell.id == "lr-too-high":
            cell.source += MENDED
    short = notebook_path(root / "submitted" / "short", STAGE)
    short.parent.mkdir(parents=True)
    nbformat.write(notebook, short)
    hand_in(root, "whole", ["lr-too-high", "lr-too-low", "put-it-together"])  # in the whole stage's notebook
    rows = marks(root)
    assert {student: (row["score"], row["max_score"]) for student, row in rows.items()} == {"short": (1, 11), "whole": (11, 11)}
    assert not any("lr-too-low" in column for row in rows.values() for column in row)
    marked = nbformat.read(notebook_path(root / "autograded" / "whole", STAGE), as_version=4)
    assert not any("lr-too-low" in cell.id or "lr_too_low" in cell.source for cell in marked.cells)

    feedback([STAGE], root=root)
    lines = notebook_path(root / "feedback" / "short", STAGE).with_suffix(".txt").read_text(encoding="utf-8").splitlines()
    assert lines[0] == f"{STAGE}: 1 of 11 points" and sum("/" in line[:8] for line in lines) == 2
    assert any(line.startswith("   1/1  Case 1 · ") for line in lines)
    result = NbGraderAPI(config=course_config(root)).autograde(STAGE, "whole")  # formgrader's button
    assert result["success"], result
    assert marks(root) == rows


def test_other_points_need_no_new_run_and_other_cases_a_new_gradebook(root):
    hand_in(root, "ada", ["lr-too-high"])
    marks(root)
    (root / "log").unlink()
    (root / FILE).write_text(CHOSEN.replace("= 1\n", "= 4\n"))
    assert (marks(root)["ada"]["score"], marks(root)["ada"]["max_score"]) == (4, 14)
    assert not (root / "log").exists()
    (root / FILE).unlink()
    with pytest.raises(GradebookError, match="has marks for other cases of optimizers than there are now"):
        marks(root)


def test_the_command_says_it_in_one_line(root, monkeypatch, capsys):
    import autograder.release as module

    (root / FILE).write_text("[optimizers]\nlr-to-high = 1\n")
    monkeypatch.setattr(module, "release", lambda stage: release(stage, root=root))
    assert main(["release", STAGE]) == 1
    assert "has no case 'lr-to-high'" in capsys.readouterr().err
