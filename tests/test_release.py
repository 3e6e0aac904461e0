"""What is released: the broken code, no solution, no hidden check, no case source; and archives that work by themselves."""

import functools
import io
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import numpy as np
import pytest
from rich.console import Console

from autograder.cases import read_stage, released
from autograder.paths import COURSE, SOLUTIONS, STAGES, notebook_path
from autograder.release import archives

CASES = [(stage, case) for stage in STAGES for case in read_stage(stage) if case.is_graded]
each_case = pytest.mark.parametrize("stage, case", CASES, ids=[case.id for _, case in CASES])


def cells_of(folder, stage):
    return {cell.id: cell for cell in nbformat.read(notebook_path(folder, stage), as_version=4).cells}


def lines_between(source, region):
    """The distinctive lines of every region of that name: long enough not to stand anywhere by chance."""
    inside = re.findall(f"### BEGIN {region}\n(.*?)### END {region}", source, re.DOTALL)
    return [line.strip() for line in "\n".join(inside).splitlines() if len(line.strip()) > 15]


@each_case
def test_the_cell_to_mend_holds_the_broken_code(stage, case):
    fix = case.of_kind("fix")[0]
    assert cells_of(COURSE, stage)[case.id].source == released(fix.source)
    assert cells_of(COURSE, stage)[case.id].source != cells_of(SOLUTIONS, stage)[case.id].source


def released_lines(case):
    """The lines of a case that a learner may see."""
    visible = "\n".join(cell.source for cell in case.cells if cell.kind in ("scene", "run", "markdown"))
    visible += "".join("\n" + cell.source.split("### BEGIN HIDDEN TESTS")[0] for cell in case.of_kind("check"))
    return visible + "".join("\n" + released(cell.source) for cell in case.of_kind("fix"))


@functools.cache
def all_of_the_course():
    return "\n".join(path.read_text(encoding="utf-8") for path in COURSE.rglob("*") if path.suffix in (".ipynb", ".py", ".md"))


@functools.cache
def all_that_may_be_seen():
    """The released lines of every case: `if norm > max_norm:` is a secret in one, and stands in another's broken code."""
    return "\n".join(released_lines(case) for stage in STAGES for case in read_stage(stage))


@each_case
def test_no_line_of_a_solution_or_of_a_hidden_check_is_released(stage, case):
    everything, visible = all_of_the_course(), all_that_may_be_seen()
    secret = lines_between(case.of_kind("fix")[0].source, "SOLUTION")
    secret += [line for cell in case.of_kind("check") for line in lines_between(cell.source, "HIDDEN TESTS")]
    assert secret
    # A notebook is JSON: a quotation mark in a line is escaped there.
    leaked = [line for line in secret if line not in visible and line.replace("\\", "\\\\").replace('"', '\\"') in everything]
    assert leaked == []


def test_no_region_mark_and_no_case_source_is_released():
    for path in COURSE.rglob("*"):
        assert path.name != "cases" and "answers" not in path.parts
        if path.suffix in (".ipynb", ".py", ".md"):
            text = path.read_text(encoding="utf-8")
            assert not any(mark in text for mark in ("BEGIN SOLUTION", "BEGIN HIDDEN", "BEGIN BROKEN", "# %% fix=")), path


@pytest.mark.parametrize("stage", STAGES)
def test_nothing_is_released_beside_the_notebook(stage):
    ours = {path.name for path in (COURSE / stage).iterdir()} - {".ipynb_checkpoints"}
    assert ours == {f"{stage}.ipynb"}


@pytest.mark.parametrize("stage", STAGES)
def test_run_all_goes_on_past_a_failing_check(stage):
    assert all("raises-exception" in cell.metadata.tags for cell in cells_of(COURSE, stage).values() if cell.cell_type == "code")


@pytest.mark.parametrize("stage", STAGES)
def test_setup_scene_and_check_cells_are_locked_and_come_back_when_edited(stage):
    for name, cell in cells_of(COURSE, stage).items():
        meta = cell.metadata.get("nbgrader")
        if meta:
            assert meta["locked"] != meta["solution"], name
            assert cell.metadata.get("editable", True) == meta["solution"], name


def test_the_table_of_contents_links_every_part_and_case_of_the_failures_stage():
    cells = cells_of(COURSE, "failures")
    links = re.findall(r"^ *- (?:\*\*)?\[(.*)\]\(#cell-id=(.*?)\)", cells["opening-text-1"].source, re.MULTILINE)
    assert [title for title, _ in links] == [case.title for case in read_stage("failures")[1:]]
    for title, cell_id in links:
        assert cells[cell_id].source.startswith(f"## {title}\n")


# The archives


def run_setup(stage, place, *packages):
    """Run a stage's setup cell in the folder `place`, with Python alone and the folders of `packages`: (status, what it says)."""
    setup = next(cell.source for cell in read_stage(stage)[0].cells if cell.kind == "setup")
    # -S: no site-packages, and so no clinic but the one that is found from here.
    command = [
        sys.executable,
        "-S",
        "-c",
        f"import sys\nsys.path += {packages!r}\n{setup}\nprint(sys.modules['clinic'].__file__)",
    ]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True)
    return done.returncode, (done.stdout or done.stderr).strip()


@pytest.fixture(scope="module")
def zips(tmp_path_factory):
    return archives(root=tmp_path_factory.mktemp("class"), console=Console(file=io.StringIO()))


def test_there_is_an_archive_of_each_stage_with_its_notebook_and_clinic_alone(zips):
    for stage, path in zip(STAGES, zips, strict=True):
        assert path.name == f"{stage}.zip" and list(path.parent.glob(".part-*")) == []
        with zipfile.ZipFile(path) as packed:
            assert packed.read(f"{stage}/{stage}.ipynb") == notebook_path(COURSE, stage).read_bytes()
            assert {name.split("/")[1] for name in packed.namelist()} - {""} == {f"{stage}.ipynb", "clinic"}
            assert not [name for name in packed.namelist() if "__pycache__" in name]


@pytest.mark.parametrize("stage", STAGES)
def test_the_first_cell_says_in_plain_words_what_is_missing(tmp_path, stage):
    status, said = run_setup(stage, tmp_path)
    assert status == 1 and "numpy is not here" in said and "matplotlib is not here" in said
    assert f"clinic is not here: put the folder clinic, which came with this notebook, or the whole {stage}.zip" in said


def test_the_first_cell_finds_clinic_unpacked_or_in_the_archive(zips, tmp_path):
    packages, stage = str(Path(np.__file__).parent.parent), STAGES[0]
    shutil.unpack_archive(zips[0], tmp_path / "unpacked")
    place = tmp_path / "unpacked" / stage
    assert run_setup(stage, place, packages) == (0, str(place / "clinic" / "__init__.py"))
    shutil.rmtree(place / "clinic")
    shutil.copy(zips[0], place)
    assert run_setup(stage, place, packages) == (0, os.path.join(f"{stage}.zip", stage, "clinic", "__init__.py"))
