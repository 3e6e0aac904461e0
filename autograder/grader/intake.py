"""Reads what was handed in, and puts the graded notebook together: the release, and in it what a learner may write."""

import ast
import copy
import functools
import json
import os
import re
import stat

from ..choice import choose
from ..paths import SOLUTIONS, notebook_path

# nbformat is imported where it is used: that takes seconds, and a learner's `check` does without.
MAX_BYTES = 20 << 20  # of a notebook
MAX_CELLS = 2000
MAX_LETTERS = 400_000  # of one cell


class Refused(Exception):
    """A submission that cannot be graded; the text says why, in one plain line."""


def read_submission(folder, stage):
    """The cells of a learner's notebook of `stage` in `folder`, as (type, name or None, source). Raises Refused."""
    path = _find(folder, stage)
    return [read_cell(cell) for cell in parse(read_file(path), path.name)["cells"]]


def parse(raw, name):
    """The notebook in the bytes `raw`, as JSON has it; its cells are a list of dicts. Raises Refused, with the file's `name`."""
    try:
        notebook = json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise Refused(f"{name} is no notebook: it is not JSON") from None
    if not isinstance(notebook, dict) or type(notebook.get("nbformat")) is not int:
        raise Refused(f"{name} is no notebook: its format is not named")
    if notebook["nbformat"] < 4:
        import nbformat

        try:
            notebook = nbformat.reads(json.dumps(notebook), as_version=4)
        except Exception as error:  # old formats are read by code that raises what it meets
            raise Refused(
                f"{name} has the old format {notebook['nbformat']}, and cannot be converted ({type(error).__name__})"
            ) from None
    if not isinstance(notebook.get("cells"), list):
        raise Refused(f"{name} is no notebook: it has no cells")
    if len(notebook["cells"]) > MAX_CELLS:
        raise Refused(f"{name} has more than {MAX_CELLS} cells")
    return notebook | {"cells": [cell for cell in notebook["cells"] if isinstance(cell, dict)]}


def _find(folder, stage):
    """The notebook: STAGE/STAGE.ipynb, or the only other notebook there (a download may have renamed it)."""
    place = notebook_path(folder, stage)
    for each in (place.parent.parent, place.parent):
        if each.is_symlink():  # it could lead to another learner's work
            raise Refused(f"the folder {each.name} cannot be read: it is a link")
    if os.path.lexists(place):
        return place
    others = sorted(path for path in place.parent.glob("*.ipynb") if not path.name.startswith("."))
    if len(others) == 1:
        return others[0]
    raise Refused(f"there is no {stage}/{place.name}" + (f", and there are {len(others)} other notebooks" if others else ""))


def read_file(path):
    """The bytes of a file that was handed in. Raises Refused where it is no ordinary one, or larger than MAX_BYTES."""
    try:
        # Neither through a link nor from a pipe: it could lead to another learner's work, or wait for ever.
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        why = "it is a link" if os.path.islink(path) else error.strerror
        raise Refused(f"{path.name} cannot be read: {why}") from None
    about = os.fstat(number)
    if not stat.S_ISREG(about.st_mode):
        os.close(number)  # a folder could not even be opened as a file
        raise Refused(f"{path.name} cannot be read: it is no ordinary file")
    with os.fdopen(number, "rb") as file:
        if about.st_size > MAX_BYTES:
            raise Refused(f"{path.name} is larger than {MAX_BYTES >> 20} MiB")
        return file.read(MAX_BYTES)


def read_cell(cell):
    """A cell of a notebook from `parse`, as (type, name or None, source). Its name is its grade_id, or else its id."""
    return str(cell.get("cell_type")), _name(cell), _source(cell.get("source"))


def _name(cell):
    """The grade_id of a cell, or its id, or None: of a dict in which nothing has to be what it should."""
    metadata = cell.get("metadata")
    ours = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    for name in (ours.get("grade_id") if isinstance(ours, dict) else None, cell.get("id")):
        if isinstance(name, str):
            return name
    return None


def _source(source):
    """A cell's source as text that can be written down again."""
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    if not isinstance(source, str):
        return ""
    return source.encode("utf-8", "replace").decode()[:MAX_LETTERS]


def kind_of(cell):
    """What a cell of a notebook from `rebuild` is to the grader: "mend", "check", "locked" (ours), or "extra" (the learner's)."""
    ours = cell["metadata"].get("nbgrader", {})
    return "mend" if ours.get("solution") else "check" if ours.get("grade") else "locked" if ours.get("locked") else "extra"


def is_figure(cell):
    """Whether it is a figure's cell of the release, which changes no mark."""
    return bool(cell.metadata.get("figure"))


@functools.cache
def _release(stage, changed):
    """The released notebook with the hidden checks in it, without outputs. changed: when the solution was, to read a new one."""
    import nbformat

    from ..cases import released

    notebook = nbformat.read(notebook_path(SOLUTIONS, stage), as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
            if kind_of(cell) == "mend":
                cell.source = released(cell.source)
            elif kind_of(cell) == "extra":
                cell.metadata["figure"] = True
    return notebook


def release_of(stage):
    """A fresh copy of the stage's release, hidden checks included, with empty outputs."""
    return copy.deepcopy(_release(stage, notebook_path(SOLUTIONS, stage).stat().st_mtime_ns))


@functools.cache
def _exported(stage, changed):
    import nbformat

    notebook = nbformat.read(notebook_path(SOLUTIONS, stage), as_version=4)
    trees = [ast.parse(cell.source) for cell in notebook.cells if cell.cell_type == "code" and kind_of(cell) == "mend"]
    return sorted({node.name for tree in trees for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))})


def exported_names(stage):
    """The functions and classes that a learner's cells may define for the checks: those of the solution's."""
    return _exported(stage, notebook_path(SOLUTIONS, stage).stat().st_mtime_ns)


# As texts name what can be asked of an object: net.params, `params`, loss_and_grads(x, y).
_NAMED = re.compile(r"\.([A-Za-z]\w*)|`([A-Za-z]\w*)|([A-Za-z]\w*)\(")


def documented_names(*sources):
    """The attributes of objects that a learner is told of in the released cells to mend, docstrings included."""
    return sorted({name for source in sources for found in _NAMED.findall(source) for name in found if name})


def documented_by_check(stage):
    """For each check of a stage, by its id, the names that its case tells of, and the cases that its scene needs."""
    cells = {cell.id: cell for cell in _release(stage, notebook_path(SOLUTIONS, stage).stat().st_mtime_ns).cells}
    documented = {}
    for cell in cells.values():
        if kind_of(cell) == "check":
            case = cell.id.split("-check")[0]
            scene = cells.get(f"{case}-scene")
            needs = scene.metadata.get("needs", []) if scene else []
            documented[cell.id] = documented_names(*(cells[each].source for each in [case, *needs]))
    return documented


def rebuild(stage, cells, choice=None):
    """The notebook to grade: the release, with what the learner wrote in the cells to mend, and with the learner's own cells.

    cells: from `read_submission`. choice: from `read_choice`; what was not chosen is left out, also where the learner has it.
    Nothing else of the submission is in it: no metadata, outputs, attachments, or locked cell.
    Raises Refused where no cell to mend is among them.
    """
    notebook = release_of(stage)
    whole = notebook.cells
    mended, extras = taken(whole, cells)
    kept = {cell.id for cell in choose(notebook, choice).cells}
    if not kept & mended.keys():
        raise Refused(
            f"it holds none of the cells to mend of {stage}: it is another notebook, or its cells have lost their names"
        )
    rebuilt = list(_own(extras, None))
    for cell in whole:
        if cell.id in kept:
            cell.source = mended.get(cell.id, cell.source)
            rebuilt.append(cell)
        rebuilt += _own(extras, cell.id)
    notebook.cells = rebuilt
    return notebook


def taken(ours, cells):
    """What of a learner's `cells` counts in a release whose cells are `ours`.

    Returns (mended, extras): the source of each cell to mend, by its name; and the learner's own cells, as (type, source), by the
    name of that cell of ours behind which they stand, None for those in front of all.
    """
    kinds = {cell["id"]: kind_of(cell) for cell in ours}
    sources = {_bare(_source(cell["source"])) for cell in ours}
    mended, extras, after = {}, {}, None
    for kind, name, source in cells:
        if name in kinds:
            after = name
            if kinds[name] == "mend":
                mended.setdefault(name, source)  # of a cell that stands there twice, the first counts
        elif kind in ("code", "markdown") and source.strip() and _bare(source) not in sources:
            extras.setdefault(after, []).append((kind, source))
    return mended, extras


def _own(extras, after):
    """The learner's own cells behind one of ours. Markdown is shown as it was typed: nothing in it is a link or a script."""
    import nbformat

    for number, (kind, source) in enumerate(extras.get(after, [])):
        if kind == "code":
            cell = nbformat.v4.new_code_cell(source)
        else:
            cell = nbformat.v4.new_markdown_cell("\n".join(f"    {line}" for line in source.splitlines()))
        cell.id = f"own-{number}-{after or 'first'}"[:64]
        yield cell


def _bare(source):
    return "".join(source.split())
