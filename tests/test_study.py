"""The learner's copy is made once and never overwritten; `check` reads it, says how far it is, and writes nothing."""

import io
import shutil

import nbformat
import pytest
from rich.console import Console

from autograder import study
from autograder.judge import namespace_with, read_exercises
from autograder.paths import COURSE, SOLUTIONS, STAGES, notebook_path

STAGE = STAGES[0]


@pytest.fixture
def copy(tmp_path, monkeypatch):
    monkeypatch.setattr(study, "STUDY", tmp_path / "study")
    assert study.make_copy()
    return tmp_path / "study"


def checked(*paths, **options):
    """(passed, what is printed)"""
    console = Console(file=io.StringIO(), width=120)
    return study.check(list(paths), console=console, **options), console.file.getvalue()


def test_the_copy_holds_the_course_and_is_never_overwritten(copy):
    path = notebook_path(copy, STAGE)
    assert path.read_bytes() == notebook_path(COURSE, STAGE).read_bytes()
    assert (copy / "clinic" / "check.py").exists()
    path.write_text("a learner's work")
    assert not study.make_copy()
    assert path.read_text() == "a learner's work"


def test_an_interrupted_copy_is_not_taken_for_a_whole_one(copy, monkeypatch):
    shutil.rmtree(copy)
    monkeypatch.setattr(study.os, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        study.make_copy()
    monkeypatch.undo()
    assert not copy.exists()


def test_an_untouched_copy_has_no_points_and_is_told_the_next_case(copy):
    before = notebook_path(copy, STAGE).read_bytes()
    passed, text = checked(notebook_path(copy, STAGE))
    assert not passed and "Next: Case 1" in text and "Not yet: " in text and "together" in text
    assert "│ 0 of " in text and "✓" not in text
    assert notebook_path(copy, STAGE).read_bytes() == before


def test_a_mended_copy_passes_with_the_hidden_checks(copy):
    shutil.copy(notebook_path(SOLUTIONS, STAGE), notebook_path(copy, STAGE))
    passed, text = checked(notebook_path(copy, STAGE), full=True)
    assert passed and "Next" not in text and "✗" not in text


def test_one_case_can_be_checked_alone(copy):
    passed, text = checked(notebook_path(copy, STAGE), case="adam-bias-correction")
    assert not passed and "Case 3" in text and "Case 1" not in text


def test_an_edited_check_does_not_mislead(copy):
    path = notebook_path(copy, STAGE)
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.id.endswith("-check"):
            cell.source = "print('Passed.')"
    nbformat.write(notebook, path)
    assert not checked(path)[0]


@pytest.mark.parametrize(
    "damage, words",
    [
        (lambda path: path.unlink(), "run  autograder study  first"),
        (lambda path: path.write_text("{"), "cannot be read"),
        (lambda path: path.write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'), "has lost the cell"),
    ],
)
def test_a_missing_or_damaged_notebook_is_told_plainly(copy, damage, words):
    path = notebook_path(copy, STAGE)
    damage(path)
    with pytest.raises(study.NothingToCheck, match=words):
        checked(path)


def test_an_unknown_case_is_answered_with_the_known_ones(copy):
    with pytest.raises(study.NothingToCheck, match="there is no case 'lr-to-high'; the cases are lr-too-high"):
        checked(notebook_path(copy, STAGE), case="lr-to-high")


def test_a_case_that_needs_others_is_judged_with_what_stands_in_their_cells():
    for folder, owner in ((SOLUTIONS, "yours"), (COURSE, "a stand-in")):
        exercises = read_exercises(notebook_path(folder, "monitoring"))
        room = next(exercise for exercise in exercises if exercise.id == "control-room")
        names = namespace_with(room, room.fix)
        assert set(names["hang_instruments"](names)[1].values()) == {owner}
