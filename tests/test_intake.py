"""Whatever is handed in is refused in one plain line, or becomes the release with the learner's own cells in it."""

import json

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.grader.intake import MAX_BYTES, Refused, kind_of, read_submission, rebuild, release_of
from autograder.paths import COURSE, notebook_path

STAGE = "optimizers"
RELEASED = json.loads(notebook_path(COURSE, STAGE).read_text(encoding="utf-8"))
OURS = [(cell.id, cell.source, cell.metadata) for cell in release_of(STAGE).cells if kind_of(cell) != "mend"]

on_disk = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)


def hand_in(folder, content, name=f"{STAGE}.ipynb"):
    path = folder / STAGE / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode("utf-8", "surrogatepass"))
    return folder


def graded(folder):
    """The notebook to grade. Everything that is ours in it is as it was."""
    notebook = rebuild(STAGE, read_submission(folder, STAGE))
    assert [
        (cell.id, cell.source, cell.metadata) for cell in notebook.cells if kind_of(cell) != "mend" and cell.id in IDS
    ] == OURS
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    nbformat.validate(notebook)
    return notebook


IDS = {name for name, _, _ in OURS}


def changed(**fields):
    return RELEASED | fields


def with_fix(source, **more):
    cells = [cell | {"source": source} | more if cell["id"] == "lr-too-high" else cell for cell in RELEASED["cells"]]
    return changed(cells=cells)


def source_of(notebook, name):
    return next(cell.source for cell in notebook.cells if cell.id == name)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@on_disk
@given(st.binary(max_size=200) | values.map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass")))
def test_noise_is_refused_in_one_line(tmp_path, content):
    with pytest.raises(Refused) as refused:
        graded(hand_in(tmp_path, content))
    assert len(str(refused.value).splitlines()) == 1


@on_disk
@given(st.data())
def test_a_notebook_with_wrong_parts_is_refused_or_put_right(tmp_path, data):
    notebook = json.loads(json.dumps(RELEASED))
    for _ in range(data.draw(st.integers(1, 4))):
        cell = data.draw(st.sampled_from(notebook["cells"]))
        key = data.draw(st.sampled_from(["source", "metadata", "cell_type", "id", "nbgrader", "grade_id"]))
        holder = cell if key in cell or not isinstance(cell.get("metadata"), dict) else cell["metadata"]
        holder[key] = data.draw(values)
    try:
        graded(hand_in(tmp_path, notebook))
    except Refused as refused:
        assert len(str(refused).splitlines()) == 1


def test_only_the_learners_own_cells_are_taken(tmp_path):
    ours = {
        "cell_type": "code",
        "metadata": {},
        "source": ["helper = 1\n", 7, "more = 2"],
        "outputs": [{"secret": 1}],
        "id": "new",
    }
    note = {"cell_type": "markdown", "metadata": {}, "source": "[x](javascript:alert(1)) <script>alert(2)</script>", "id": "note"}
    cells = []
    for cell in with_fix("x = 1")["cells"]:
        if cell["id"] == "lr-too-high-check":
            cell = cell | {
                "source": "print('Passed.')",
                "metadata": {"nbgrader": cell["metadata"]["nbgrader"] | {"points": 1000}},
            }
        cells += [cell, ours, note] if cell["id"] == "lr-too-high" else [cell] if cell["id"] != "lr-too-low-check" else []
    notebook = graded(hand_in(tmp_path, changed(cells=cells)))
    assert source_of(notebook, "lr-too-high") == "x = 1"
    place = [cell.id for cell in notebook.cells].index("lr-too-high")
    helper, note = notebook.cells[place + 1 : place + 3]
    assert helper.source == "helper = 1\nmore = 2" and helper.outputs == []
    assert note.source == "    [x](javascript:alert(1)) <script>alert(2)</script>"


def test_what_counts_of_a_cell_that_stands_there_twice_is_the_first(tmp_path):
    cells = [cell for cell in with_fix("first = 1")["cells"]]
    cells += [cell for cell in with_fix("second = 2")["cells"] if cell["id"] == "lr-too-high"]
    assert source_of(graded(hand_in(tmp_path, changed(cells=cells))), "lr-too-high") == "first = 1"


def test_a_notebook_without_ids_is_known_by_its_metadata(tmp_path):
    cells = [{key: value for key, value in cell.items() if key != "id"} for cell in with_fix("x = 1")["cells"]]
    notebook = graded(hand_in(tmp_path, changed(cells=cells, nbformat_minor=4)))
    assert source_of(notebook, "lr-too-high") == "x = 1" and len(notebook.cells) == len(release_of(STAGE).cells)


def test_a_renamed_notebook_is_found_when_it_is_the_only_one(tmp_path):
    hand_in(tmp_path, with_fix("x = 1"), f"{STAGE} (1).ipynb")
    assert source_of(graded(tmp_path), "lr-too-high") == "x = 1"
    hand_in(tmp_path, with_fix("x = 2"), "copy.ipynb")
    with pytest.raises(Refused, match="there is no optimizers/optimizers.ipynb, and there are 2 other notebooks"):
        graded(tmp_path)


def test_what_is_no_notebook_is_told_so(tmp_path):
    for content, words in (
        (b"", "it is not JSON"),
        (b"[" * 10**6, "it is not JSON"),
        (b"[]", "its format is not named"),
        ({"nbformat": 4}, "it has no cells"),
        ({"nbformat": 4, "cells": []}, "it holds none of the cells to mend"),
        ({"nbformat": 3, "worksheets": 5}, "has the old format 3, and cannot be converted"),
        ({"nbformat": 4, "cells": [{}] * 2001}, "more than 2000 cells"),
    ):
        with pytest.raises(Refused, match=words):
            graded(hand_in(tmp_path, content))
    (tmp_path / STAGE / f"{STAGE}.ipynb").write_bytes(b" " * (MAX_BYTES + 1))
    with pytest.raises(Refused, match="larger than 20 MiB"):
        graded(tmp_path)
    (tmp_path / STAGE / f"{STAGE}.ipynb").unlink()
    (tmp_path / STAGE / f"{STAGE}.ipynb").symlink_to(notebook_path(COURSE, STAGE))
    with pytest.raises(Refused, match="it is a link"):
        graded(tmp_path)


def test_an_old_notebook_is_converted(tmp_path):
    old = nbformat.convert(nbformat.reads(json.dumps(with_fix("x = 1")), as_version=4), 3)
    hand_in(tmp_path, json.loads(json.dumps(old)))
    assert source_of(graded(tmp_path), "lr-too-high") == "x = 1"
