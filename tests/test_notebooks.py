"""The solved notebooks: every cell was executed, every figure can be read by everybody, and they are quick enough.

`pytest --nbval` runs them again and compares what they print; `build --check` (test_build.py) compares their figures.
"""

import re
import time

import nbformat
import pytest

from autograder.judge import judge, read_exercises
from autograder.paths import SOLUTIONS, STAGES, notebook_path

CHECK_SECONDS = {
    "optimizers": 6,
    "monitoring": 8,
    "failures": 25,
}  # all checks of a stage together, hidden parts included, on one core
each_stage = pytest.mark.parametrize("stage", STAGES)


def code_cells(stage):
    return [cell for cell in nbformat.read(notebook_path(SOLUTIONS, stage), as_version=4).cells if cell.cell_type == "code"]


@each_stage
def test_every_code_cell_was_executed_in_order_and_none_failed(stage):
    cells = code_cells(stage)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert not [cell.id for cell in cells for output in cell.outputs if output.output_type == "error"]


@each_stage
def test_every_run_cell_shows_a_figure_with_caption_and_alt_text(stage):
    run_cells = [cell for cell in code_cells(stage) if re.search(r"-run(-|$)", cell.id)]
    assert run_cells
    for cell in run_cells:
        figures = [output.data["text/html"] for output in cell.outputs if "text/html" in output.get("data", {})]
        assert figures, cell.id
        for page in figures:
            assert len(re.search(r'<img alt="([^"]*)"', page).group(1)) > 60, cell.id
            assert len(re.search(r"<figcaption>(.*)</figcaption>", page).group(1)) > 20, cell.id


@each_stage
def test_headings_go_down_one_level_at_a_time(stage):
    notebook = nbformat.read(notebook_path(SOLUTIONS, stage), as_version=4)
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    levels = [len(marks) for marks in re.findall(r"^(#+) ", prose, re.MULTILINE)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:]))


@each_stage
def test_the_checks_of_a_class_can_be_graded_quickly(stage):
    exercises = read_exercises(notebook_path(SOLUTIONS, stage))
    start = time.process_time()
    assert all(verdict.passed for exercise in exercises for verdict in judge(exercise))
    assert time.process_time() - start < CHECK_SECONDS[stage]
