"""The learner's copy is made once; `check` reads it and says how far it is; `update` and `reset` lose nothing."""

import io
import json
import shutil
import subprocess
import sys

import nbformat
import pytest
from rich.console import Console

from autograder import study, update
from autograder.check import NothingToCheck, check
from autograder.choice import choose
from autograder.judge import namespace_with, read_exercises
from autograder.paths import COURSE, SOLUTIONS, STAGES, notebook_path

STAGE = STAGES[0]
HELPED = "lr-too-high"


@pytest.fixture
def copy(tmp_path, monkeypatch):
    monkeypatch.setattr(study, "STUDY", tmp_path / "study")
    assert study.make_copy()
    return tmp_path / "study"


def checked(*paths, width=120, **options):
    """(passed, what is printed)"""
    console = Console(file=io.StringIO(), width=width)
    return check(list(paths), console=console, **options), console.file.getvalue()


def edited(path, *, cells=None, own=()):
    """Write into a notebook: other sources for `cells`, by id, and cells of one's own, as (the id behind which, source)."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.source = (cells or {}).get(cell.id, cell.source)
    for after, source in own:
        at = next(number for number, cell in enumerate(notebook.cells) if cell.id == after) + 1
        notebook.cells.insert(at, nbformat.v4.new_code_cell(source))
    nbformat.write(notebook, path)
    return path


def sources(path):
    return {cell.id: cell.source for cell in nbformat.read(path, as_version=4).cells}


# The copy


def test_the_copy_holds_the_course_and_is_never_overwritten(copy):
    path = notebook_path(copy, STAGE)
    assert path.read_bytes() == notebook_path(COURSE, STAGE).read_bytes()
    assert (copy / "clinic" / "check.py").exists() and not update.is_behind(copy)
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


# check


def test_an_untouched_copy_has_no_points_and_is_told_the_next_case(copy):
    before = notebook_path(copy, STAGE).read_bytes()
    passed, text = checked(notebook_path(copy, STAGE))
    assert not passed and "Next: Case 1" in text and "Not yet: " in text and "0 of 11 cases" in text
    assert "│ 0 of " in text and "✓" not in text
    assert notebook_path(copy, STAGE).read_bytes() == before


def test_a_mended_copy_passes_with_the_hidden_checks(copy):
    shutil.copy(notebook_path(SOLUTIONS, STAGE), notebook_path(copy, STAGE))
    passed, text = checked(notebook_path(copy, STAGE), full=True)
    assert passed and "Next" not in text and "✗" not in text


def test_one_case_can_be_checked_alone(copy):
    passed, text = checked(notebook_path(copy, STAGE), case="adam-bias-correction")
    assert not passed and "Case 3" in text and "Case 1" not in text


def test_of_a_shorter_course_only_its_cases_and_points_are_told(copy):
    path = notebook_path(copy, STAGE)
    notebook = choose(nbformat.read(path, as_version=4), {HELPED: 1, "put-it-together": 10})
    nbformat.write(notebook, path)
    edited(path, cells={HELPED: sources(notebook_path(SOLUTIONS, STAGE))[HELPED]})
    passed, text = checked(path)
    assert not passed and "1 of 2 cases" in text and "1 of 11" in text and "2.5" not in text and "Next: Put it together" in text
    with pytest.raises(NothingToCheck, match="there is no case 'lr-too-low'"):
        checked(path, case="lr-too-low")


def test_an_edited_check_does_not_mislead(copy):
    path = notebook_path(copy, STAGE)
    edited(path, cells={name: "print('Passed.')" for name in sources(path) if name.endswith("-check")})
    assert not checked(path, case=HELPED)[0]


def test_a_helper_in_a_cell_of_ones_own_is_there_where_the_grader_has_it(copy):
    solved = sources(notebook_path(SOLUTIONS, STAGE))[HELPED]
    helper = "%time\n" + solved.replace("def pick_lr", "def my_pick_lr")
    calls = "%precision 3\ndef pick_lr(*args, **kwargs):\n    return my_pick_lr(*args, **kwargs)"
    path = edited(notebook_path(copy, STAGE), cells={HELPED: calls}, own=[("opening-setup", helper), (HELPED, "1 / 0")])
    assert checked(path, case=HELPED, full=True)[0]
    edited(path, own=[("lr-too-low", "def my_pick_lr(*args):\n    return 0.0")])
    assert checked(path, case=HELPED)[0], "a cell behind the check does not count"


def test_a_hidden_check_that_fails_says_which_demand_and_none_of_its_inputs(copy):
    solved = sources(notebook_path(SOLUTIONS, STAGE))["batch-lr-scaling"]
    only_seen = solved.replace(
        "    ratio = ",
        "    if (base_batch, batch) not in {(32, 256), (32, 48), (256, 32), (256, 64)}:\n        return base_lr\n    ratio = ",
    )
    path = edited(notebook_path(copy, STAGE), cells={"batch-lr-scaling": only_seen})
    assert checked(path, case="batch-lr-scaling")[0]
    passed, text = checked(path, case="batch-lr-scaling", full=True)
    assert not passed and "✓ pass" in text and "Next: Case 4" in text
    assert "A hidden check does not pass" in text and "It is asked that the distance goes as with batches of base_batch" in text
    assert "expected" not in text and "call" not in text


def test_a_loop_without_an_end_is_stopped_and_the_other_cases_are_judged(copy):
    loop = "def pick_lr(*args, **kwargs):\n    while True:\n        pass"
    solved = sources(notebook_path(SOLUTIONS, STAGE))
    path = edited(
        notebook_path(copy, STAGE),
        cells=solved | {HELPED: loop},
        own=[("seeds", "import os\nos._exit(3)"), ("seeds", "while True: pass")],
    )
    passed, text = checked(path, seconds=6)
    assert not passed and "10 of 11 cases" in text
    assert "the code did not come to an end: it ran for 6 s and was stopped" in text
    assert "behind the cell seeds, was left out: it ended the process" in text
    assert "behind the cell seeds, was left out: it ran for 6 s" in text


@pytest.mark.parametrize("width", [60, 120])
def test_messages_are_wrapped_once(copy, width):
    text = checked(notebook_path(copy, STAGE), case="seeds", width=width)[1].split("Not yet:")[1]
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    assert all(line.startswith("  ") for line in lines[1:])


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
    with pytest.raises(NothingToCheck, match=words):
        checked(path)


def test_an_unknown_case_is_answered_with_near_ones(copy):
    with pytest.raises(NothingToCheck, match="there is no case 'lr-to-high'; is it one of lr-too-high"):
        checked(notebook_path(copy, STAGE), case="lr-to-high")


def test_check_loads_nothing_slow():
    code = "import sys, autograder.cli, autograder.check; print(sorted({'nbformat', 'numpy', 'jupytext'} & set(sys.modules)))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


# update and reset


def told(deed, *args, **options):
    """What a command prints."""
    console = Console(file=io.StringIO(), width=200)
    deed(*args, console=console, **options)
    return console.file.getvalue()


def cell(kind, name, source, **flags):
    marks = {"nbgrader": {"grade_id": name, "solution": False, "locked": False, "grade": False} | flags} if flags else {}
    new = nbformat.v4.new_markdown_cell if kind == "markdown" else nbformat.v4.new_code_cell
    return new(source, id=name, metadata=marks)


def case(name, mend="broken", run="draw()", text="About"):
    return [
        cell("markdown", f"{name}-text-1", f"## {text} {name}"),
        cell("code", name, mend, solution=True),
        cell("code", f"{name}-scene", "scene", locked=True),
        cell("code", f"{name}-run", f"my_guess = 1  # how many\n\n{run}"),
        cell("code", f"{name}-check", "check", grade=True, locked=True),
    ]


def course(folder, *cases, clinic="1"):
    """A small course, in place of the one that was there before."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / STAGE).mkdir(parents=True)
    (folder / "clinic").mkdir()
    (folder / "clinic" / "check.py").write_text(clinic)
    nbformat.write(nbformat.v4.new_notebook(cells=[each for cells in cases for each in cells]), notebook_path(folder, STAGE))
    return folder


@pytest.fixture
def small(tmp_path, monkeypatch):
    """(course, copy): a small course of the cases a and b, and a copy of it."""
    monkeypatch.setattr(study, "COURSE", course(tmp_path / "course", case("a"), case("b")))
    monkeypatch.setattr(study, "STUDY", tmp_path / "study")
    assert study.make_copy()
    return tmp_path / "course", tmp_path / "study"


def test_an_update_keeps_what_is_the_learners_and_brings_the_rest(small):
    released, copy = small
    mine = notebook_path(copy, STAGE)
    edited(
        mine,
        cells={
            "a": "mended",
            "a-run": "my_guess = 7.5  # how many\n\ndraw()",
            "b-run": "my_guess = 2\n\ndraw_mine()",
            "b-check": "",
        },
        own=[("a-scene", "helper"), ("b", "try"), ("b-check", "last")],
    )
    (copy / "notes.txt").write_text("mine")
    before = mine.read_bytes()
    course(
        released, case("a", "broken otherwise", "draw(new)", "New"), case("c"), case("b", "broken anew", "draw(new)"), clinic="2"
    )
    assert update.is_behind(copy, released)
    text = told(update.update, copy, released)
    order = [each.source for each in nbformat.read(mine, as_version=4).cells]
    assert order[:6] == ["## New a", "mended", "scene", "helper", "my_guess = 7.5  # how many\n\ndraw(new)", "check"]
    assert order[6:11] == [each.source for each in case("c")]
    assert order[11:] == ["## About b", "broken anew", "try", "scene", "my_guess = 2\n\ndraw_mine()", "check", "last"]
    assert (copy / "clinic" / "check.py").read_text() == "2" and (copy / "notes.txt").read_text() == "mine"
    saved = next((copy / "saved").iterdir())
    assert notebook_path(saved, STAGE).read_bytes() == before and (saved / "clinic" / "check.py").read_text() == "1"
    assert (
        "answers kept: 1; cells of your own: 3" in text and "gives the other: a\n" in text and "as you have them: b-run" in text
    )
    assert str(saved) in text and "Reload Notebook from Disk" in text
    nbformat.validate(nbformat.read(mine, as_version=4))
    assert not update.is_behind(copy, released)


def test_a_second_update_changes_nothing_and_folded_cells_stay_so(small):
    released, copy = small
    mine = edited(notebook_path(copy, STAGE), cells={"a": "mended"}, own=[("a", "helper")])
    notebook = nbformat.read(mine, as_version=4)
    notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text="42")]
    notebook.cells[4].metadata["jupyter"] = {"source_hidden": True}
    nbformat.write(notebook, mine)
    before = mine.read_bytes()
    assert "up to date" in told(update.update, copy, released)
    assert mine.read_bytes() == before and not (copy / "saved").exists()


def test_answers_to_a_case_that_has_gone_stand_at_the_end(small):
    released, copy = small
    mine = edited(
        notebook_path(copy, STAGE), cells={"a": "mended", "a-run": "my_guess = 3  # how many\n\ndraw()"}, own=[("a", "helper")]
    )
    course(released, case("b"))
    text = told(update.update, copy, released)
    order = [each.source for each in nbformat.read(mine, as_version=4).cells]
    assert order == ["helper", *(each.source for each in case("b")), order[-2], "mended"] and "No longer" in order[-2]
    assert "no longer there" in text
    told(update.update, copy, released)
    assert [each.source for each in nbformat.read(mine, as_version=4).cells] == order


def test_a_damaged_notebook_is_left_as_it_is_and_the_rest_is_updated(small, capsys):
    released, copy = small
    notebook_path(copy, STAGE).write_text('{"cells": [')
    course(released, case("a", text="New"), clinic="2")
    assert not update.update(copy, released)
    assert notebook_path(copy, STAGE).read_text() == '{"cells": [' and (copy / "clinic" / "check.py").read_text() == "2"
    assert "It was left as it is" in capsys.readouterr().out
    notebook_path(copy, STAGE).unlink()
    assert update.update(copy, released)
    assert "## New a" in sources(notebook_path(copy, STAGE)).values()


@pytest.mark.parametrize("writes", range(5))
def test_an_update_that_is_interrupted_leaves_whole_files_and_is_finished_by_the_next(small, monkeypatch, writes):
    released, copy = small
    mine = edited(notebook_path(copy, STAGE), cells={"a": "mended"})
    course(released, case("a", "broken anew", "draw(new)"), case("b", "broken anew"), clinic="2")
    real, left = update.os.replace, [writes]

    def replace(*paths):
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        real(*paths)

    monkeypatch.setattr(update.os, "replace", replace)
    with pytest.raises(KeyboardInterrupt):
        update.update(copy, released)
    assert sources(mine)["a"] == "mended"
    monkeypatch.setattr(update.os, "replace", real)
    told(update.update, copy, released)
    assert sources(mine) == sources(notebook_path(released, STAGE)) | {"a": "mended"}
    assert (copy / "clinic" / "check.py").read_text() == "2" and not update.is_behind(copy, released)
    assert not [path for path in copy.rglob(".part*") if path.name != ".part"]


def test_a_copy_from_before_releases_were_kept_is_updated_with_its_answers_and_guesses(small):
    released, copy = small
    mine = edited(
        notebook_path(copy, STAGE), cells={"a": "mended", "b-run": "my_guess = 5\n\ndraw(bigger)"}, own=[("a", "helper")]
    )
    shutil.rmtree(copy / update.RELEASE)
    course(released, case("a", run="draw(new)"), case("b", run="draw(new)"))
    assert update.is_behind(copy, released)
    told(update.update, copy, released)
    after = sources(mine)
    assert after["a"] == "mended" and after["b-run"] == "my_guess = 5  # how many\n\ndraw(new)" and "helper" in after.values()
    assert "draw(bigger)" in notebook_path(next((copy / "saved").iterdir()), STAGE).read_text()


def test_copies_of_a_cell_and_cells_without_ids_are_not_lost(small):
    released, copy = small
    mine = notebook_path(copy, STAGE)
    notebook = nbformat.read(mine, as_version=4)
    notebook.cells[1].source = "mended"
    notebook.cells.append(nbformat.from_dict(notebook.cells[1] | {"source": "another try", "id": "b07"}))
    plain = json.loads(nbformat.writes(notebook)) | {"nbformat_minor": 4}
    for each in plain["cells"]:
        del each["id"]
    mine.write_text(json.dumps(plain))
    course(released, case("a", run="draw(new)"), case("b"))
    told(update.update, copy, released)
    cells = nbformat.read(mine, as_version=4).cells
    assert [each.source for each in cells] == [each.source for each in [*case("a", "mended", "draw(new)"), *case("b")]] + [
        "another try"
    ]
    assert cells[-1].cell_type == "raw"


def test_reset_gives_one_case_back_and_saves_what_was_there(copy):
    path = notebook_path(copy, STAGE)
    fresh = path.read_bytes()
    edited(
        path, cells={HELPED: "mended", f"{HELPED}-run": "", f"{HELPED}-check": "", "seeds": "mended"}, own=[(HELPED, "helper")]
    )
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [each for each in notebook.cells if each.id != f"{HELPED}-scene"]
    nbformat.write(notebook, path)
    before = path.read_bytes()
    text = told(update.reset, HELPED, copy)
    released = {each["id"]: "".join(each["source"]) for each in json.loads(fresh)["cells"]}
    after = sources(path)
    assert {name: after[name] for name in released} == released | {"seeds": "mended"}
    assert [name for name in after if name in released] == list(released) and "helper" in after.values()
    saved = next((copy / "saved").iterdir())
    assert notebook_path(saved, STAGE).read_bytes() == before and (saved / "clinic" / "check.py").is_file()
    assert str(saved) in text and "Reload Notebook from Disk" in text
    assert "is as it was released" in told(update.reset, HELPED, copy) and len(list((copy / "saved").iterdir())) == 1


def test_reset_of_an_unknown_case_or_a_damaged_notebook_is_told_plainly(copy):
    with pytest.raises(update.NothingToUpdate, match="is it one of lr-too-high"):
        update.reset("lr-to-high", copy)
    notebook_path(copy, STAGE).write_text("{")
    with pytest.raises(update.NothingToUpdate, match="Give it another name"):
        update.reset(HELPED, copy)
    assert notebook_path(copy, STAGE).read_text() == "{"
    with pytest.raises(update.NothingToUpdate, match="autograder study"):
        update.update(copy / "elsewhere")


def test_a_case_that_needs_others_is_judged_with_what_stands_in_their_cells():
    for folder, owner in ((SOLUTIONS, "yours"), (COURSE, "a stand-in")):
        exercises = read_exercises(notebook_path(folder, "monitoring"))
        room = next(exercise for exercise in exercises if exercise.id == "control-room")
        names = namespace_with(room, room.fix)
        assert set(names["hang_instruments"](names)[1].values()) == {owner}
