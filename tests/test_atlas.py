"""The atlas and the tables of cases: none is missing, every link leads to its case, every picture is told in words."""

import html
import io
import pickle
import re

import matplotlib.image
import nbformat
import numpy as np
import pytest
from clinic import BROKEN, MENDED, figure, mark_guess
from matplotlib.colors import to_rgb

from autograder import atlas
from autograder.cases import CaseError, read_case, read_stage
from autograder.compare import differences
from autograder.paths import COURSE, ROOT, STAGES, notebook_path
from autograder.tables import BEGIN, END, with_tables

PAGE = (COURSE / atlas.PAGE).read_text(encoding="utf-8")
LINK = re.compile(r'<a href="([^"#]+)#cell-id=([^"]+)"><img src="([^"]+)" width="\d+" alt="([^"]*)"></a>')


@pytest.fixture(scope="module")
def cases():
    return {stage: read_stage(stage) for stage in STAGES}


def graded(cases):
    return [(stage, case) for stage in STAGES for case in cases[stage] if case.is_graded]


def test_the_page_shows_every_case_in_order_with_its_title_and_what_is_seen(cases):
    links = LINK.findall(PAGE)
    assert len(links) == PAGE.count("<img") == len(graded(cases)) == 68
    for (notebook, cell, picture, alt), (stage, case) in zip(links, graded(cases)):
        assert (notebook, cell) == (f"{stage}/{stage}.ipynb", case.cells[0].id)
        assert picture == f"atlas/{case.id}.png"
        alt = html.unescape(alt)
        assert alt.startswith(case.title) and 40 < len(alt) - len(case.title) < 400
        told = alt.removeprefix(case.title)
        assert any(words in told for words in ("the mended", "before", "judged rightly")) and "your" not in told


def test_every_link_of_the_page_and_of_both_tables_leads_to_a_cell_of_a_notebook_that_is_there(cases):
    ids = {stage: {cell.id for cell in nbformat.read(notebook_path(COURSE, stage), 4).cells} for stage in STAGES}
    for page, prefix in ((COURSE / atlas.PAGE, ""), (COURSE / "README.md", ""), (ROOT / "README.md", "course/")):
        found = re.findall(r"[\"(]([\w/]+\.ipynb)#cell-id=([\w-]+)[\")]", page.read_text(encoding="utf-8"))
        assert len(found) == 68, page
        assert all(notebook.startswith(prefix) and (page.parent / notebook).is_file() for notebook, _ in found)
        assert all(cell in ids[notebook.split("/")[-2]] for notebook, cell in found)


def test_each_panel_is_of_one_size_and_holds_ink_and_the_picture_holds_them_all(cases):
    for _, case in graded(cases):
        pixels = matplotlib.image.imread(COURSE / atlas.FOLDER / f"{case.id}.png")[..., :3]
        assert pixels.shape[:2] == (round(atlas.HEIGHT * atlas.DPI), round(atlas.WIDTH * atlas.DPI))
        assert 0.02 < np.mean(pixels.min(axis=2) < 0.9) < 0.7, case.id
        edges = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
        assert edges.min() > 0.9, f"{case.id}: something is cut off at the edge of the panel"
    assert len(list((COURSE / atlas.FOLDER).iterdir())) == len(graded(cases))
    assert (COURSE / atlas.PICTURE).stat().st_size < 2e6


def test_both_readmes_hold_the_tables_that_the_case_files_make(cases):
    for page, options in ((COURSE / "README.md", {}), (ROOT / "README.md", {"course": "course/", "folded": True})):
        text = page.read_text(encoding="utf-8")
        assert text == with_tables(text, cases, **options), f"{page}: run  autograder build"


@pytest.mark.parametrize("mark", [BEGIN, END])
def test_a_page_that_has_lost_a_mark_is_not_written(cases, mark):
    text = (COURSE / "README.md").read_text(encoding="utf-8")
    with pytest.raises(ValueError):
        with_tables(text.replace(mark, ""), cases)


@pytest.fixture
def small_case(tmp_path):
    """Makes a case whose run cell has this header, and what it shows: two figures, the first with two axes."""

    def make(header):
        path = tmp_path / "01_small.py"
        path.write_text(SMALL.replace("HEADER", header), encoding="utf-8")
        kept = []
        for number, panels in enumerate((2, 1)):
            fig, axes = figure(panels)
            axes[-1].plot([1, 2, 3], **BROKEN)
            axes[-1].plot([3, 2, 1], **MENDED)
            mark_guess(axes[-1], 40)
            axes[-1].text(0, 1, "X healthy", color=BROKEN["color"])
            alt = "2 panels over step. loss: as complained about, 1; your code, 2. norm: as complained about, 3; your code, 4."
            (tmp_path / f"{number}.pickle").write_bytes(pickle.dumps((fig, alt if panels == 2 else "Bars. No more.")))
            kept.append(tmp_path / f"{number}.pickle")
        return read_case(path), {"small-run": kept}, tmp_path / "small.png"

    return make


SMALL = """# %% [markdown]
# ## Case 1 · Which?
#
# About 1 minutes · difficulty 1 of 5 · 1 points
# Hint 1 Hint 2 Hint 3 Discharge note

# %% fix="small"
### BEGIN BROKEN
# a = 1
### END BROKEN
### BEGIN SOLUTION
a = 2
### END SOLUTION

# %% HEADER
show()

# %% check="small" points=1
check()
"""


def test_the_second_axes_make_the_panel_where_the_run_cell_says_so(small_case):
    case, kept, path = small_case('run="small" atlas="2"')
    assert atlas.draw_panel(case, kept, path) == "Case 1 · Which? Norm: as complained about, 3; the mended code, 4."
    pixels = matplotlib.image.imread(io.BytesIO(path.read_bytes()))[..., :3]
    seen = np.abs(pixels - np.array(to_rgb(BROKEN["color"]))).max(axis=2) < 0.02
    axes_end = round((atlas.HEIGHT - atlas.FOOT) * atlas.DPI)
    assert seen[:axes_end].any() and seen[axes_end:].any()  # the curve, and the words below it


def test_both_codes_have_the_colours_of_the_figures():
    assert (atlas.COMPLAINT, atlas.MENDED) == (BROKEN["color"], MENDED["color"])


def test_without_a_choice_the_first_axes_make_the_panel(small_case):
    case, kept, path = small_case('run="small"')
    assert atlas.draw_panel(case, kept, path).endswith("Loss: as complained about, 1; the mended code, 2.")


@pytest.mark.parametrize(
    "header, said",
    [
        ('run="small" atlas="two"', "atlas names one axes of the figure or two"),
        ('run="small" atlas="1 2 3"', "atlas names one axes of the figure or two"),
        ('run="small" atlas="4"', 'atlas="4" needs as many axes, and the case shows 3'),
        ('run="small" atlas="2 3"', "atlas names axes of two figures"),
        ('check="small" points=1 atlas="1"', "unknown option 'atlas'"),
    ],
)
def test_a_choice_that_cannot_be_drawn_is_refused_with_file_and_line(small_case, header, said):
    with pytest.raises(CaseError, match=re.escape(said)) as caught:
        atlas.draw_panel(*small_case(header))
    assert "01_small.py:15: " in str(caught.value)


@pytest.mark.parametrize(
    "old, new, said",
    [
        ("from 0.50 to 1", "from 0.51 to 1", []),
        ("from 0.50 to 1", "from 0.70 to 1", ["it has other numbers in an alternative text: run  autograder build"]),
        ("from 0.50 to 1", "to 0.50 from 1", ["it has other words in an alternative text: run  autograder build"]),
        ('from 0.50 to 1"> 20 minutes', 'from 0.50 to 1"> 21 minutes', ["it differs: run  autograder build"]),
    ],
)
def test_a_page_is_compared_byte_for_byte_but_for_the_numbers_of_its_alternative_texts(tmp_path, old, new, said):
    for name, words in (("old.md", old), ("new.md", new)):
        (tmp_path / name).write_text(f'<img src="a.png" alt="{words}">', encoding="utf-8")
    assert differences(tmp_path / "old.md", tmp_path / "new.md") == said
