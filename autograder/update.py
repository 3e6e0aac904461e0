"""Bring a newer release of the course into the learner's copy, and give single cases back as they were released.

Before anything is written, what is there is saved in study/saved/. Each file is replaced whole or not at all, and an update that
was interrupted is finished by the next one.
"""

import json
import os
import re
import shutil
import time
import uuid
from pathlib import Path

from rich.console import Console

from . import paths
from .cases import no_such_case
from .grader.intake import Refused, kind_of, parse, read_cell
from .kept import write_whole
from .paths import COURSE, STAGES, notebook_path

RELEASE = ".release"  # in the copy: the release that it was made from; what differs from it is the learner's
SAVED = "saved"
RELOAD = "If the notebook is open in JupyterLab, reload it first:  File > Reload Notebook from Disk."
GONE = "gone-cases"  # the id of the heading over answers to cases that the course no longer has
GUESS = re.compile(r"^(my_guess[ \t]*=[ \t]*)([^#\n]*?)(?=[ \t]*(?:#|$))", re.MULTILINE)


class NothingToUpdate(Exception):
    """There is no copy, no such case, or no notebook that can be read; the text says what to do."""


def files_of(folder):
    """The files of a release, as paths below `folder`."""
    found = [path.relative_to(folder) for path in sorted(Path(folder).rglob("*")) if path.is_file()]
    return [path for path in found if not {"__pycache__", ".ipynb_checkpoints"} & set(path.parts)]


def is_behind(copy, course=COURSE):
    """Whether the course has changed since `copy` was made or updated."""
    base = Path(copy) / RELEASE
    return any(_read(base / path) != (course / path).read_bytes() for path in files_of(course))


def update(copy=None, course=COURSE, console=None):
    """Bring the course as it is now into the learner's copy. Returns whether every notebook could be brought up to date.

    The learner's are: cells to mend that they changed, cells that they added, run and text cells that they changed, each
    my_guess, and files of their own. The rest is the new release's. Raises NothingToUpdate where there is no copy.
    """
    copy, console = Path(copy or paths.STUDY), console or Console()
    if not copy.is_dir():
        raise NothingToUpdate(f"there is no {copy}:  autograder study  makes it")
    base, writes, told, damaged = copy / RELEASE, {}, [], []
    new, old = files_of(course), files_of(base)
    for path in new:
        mine, content = _read(copy / path), (course / path).read_bytes()
        if path.suffix == ".ipynb" and mine is not None:
            try:
                content, said = _merged(mine, _read(base / path), content, path.name)
                told += said
            except Refused as error:
                damaged.append(path)
                told.append(f"{error}. It was left as it is. Give it another name, and run  autograder update  for a fresh one.")
                continue
        if content != mine:
            writes[path] = content
    # Of what the release no longer has, only what the learner did not change goes.
    gone = [path for path in old if path not in new and _read(copy / path) == _read(base / path)]
    if writes or gone:
        saved = _save(copy, new + old)
        for path, content in writes.items():
            write_whole(copy / path, content)
        for path in gone:
            (copy / path).unlink()
        told.insert(0, f"Files brought up to date: {len(writes) + len(gone)}. As they were, they lie in {saved}.")
        told.append(RELOAD)
    elif not damaged:
        told.append("Your copy is up to date.")
    # Last, so that an update that was interrupted still knows what the copy was made from.
    for path in new:
        if path not in damaged and _read(base / path) != (course / path).read_bytes():
            write_whole(base / path, (course / path).read_bytes())
    for path in old:
        if path not in new:
            (base / path).unlink()
    console.print("\n".join(told), markup=False, highlight=False, soft_wrap=True)
    return not damaged


def reset(case, copy=None, course=COURSE, console=None):
    """Give the case with the id `case` back as it was released with the learner's copy; texts, and cells of their own, stay.

    Raises NothingToUpdate where there is no such case, or its notebook cannot be read.
    """
    copy, console = Path(copy or paths.STUDY), console or Console()
    stages, names = {}, []
    for stage in STAGES:
        is_there = notebook_path(copy / RELEASE, stage).is_file()
        cells = _parsed(notebook_path(copy / RELEASE if is_there else course, stage))["cells"]
        names += (mends := [cell["id"] for cell in cells if kind_of(cell) == "mend"])
        stages |= dict.fromkeys(mends, (stage, cells))
    if case not in stages:
        raise NothingToUpdate(no_such_case(case, names))
    stage, released = stages[case]
    path = notebook_path(copy, stage)
    try:
        notebook = _parsed(path)
    except FileNotFoundError:
        raise NothingToUpdate(f"there is no {path}:  autograder update  brings a fresh one") from None
    except Refused as error:
        raise NothingToUpdate(f"{error}. Give it another name, and run  autograder update  for a fresh one") from None
    cells, changed = _with_case(notebook["cells"], released, case)
    if not changed:
        console.print(f"{case} is as it was released.", highlight=False)
        return
    saved = _save(copy, [path.relative_to(copy), *(Path("clinic") / each for each in files_of(copy / "clinic"))])
    write_whole(path, _text(notebook | {"cells": cells}))
    said = f"{case} is as it was released again. As it was, the notebook lies in {saved}.\n{RELOAD}"
    console.print(said, markup=False, highlight=False, soft_wrap=True)


def _merged(mine, base, new, name):
    """The notebook `new` with what is the learner's in `mine`: (its bytes, what to tell). All are bytes; base may be None.

    Without a base it is not known which cells the learner changed: a cell to mend is then theirs, a run or text cell the
    release's. Raises Refused where `mine` is no notebook.
    """
    notebook, ours = parse(mine, name), {cell["id"]: cell for cell in parse(new, name)["cells"]}
    was = {cell["id"]: cell for cell in parse(base, name)["cells"]} if base else {}
    found, extras = _sorted(notebook["cells"], ours, was)
    told, cells, answers, both = [], list(extras.get(None, [])), 0, {True: [], False: []}
    for cell_id, cell in ours.items():
        chosen, is_conflict = _chosen(found.get(cell_id), was.get(cell_id), cell)
        answers += kind_of(cell) == "mend" and read_cell(chosen)[2] != read_cell(cell)[2]
        if is_conflict:
            both[kind_of(cell) == "mend"].append(cell_id)
        cells += [chosen, *extras.get(cell_id, [])]
    own = sum(map(len, extras.values()))
    if answers or own:
        told.append(f"{name}: answers kept: {answers}; cells of your own: {own}.")
    if both[True]:
        told.append(
            f"  Released with other code now; yours stays, and  autograder reset CASE  gives the other: {', '.join(both[True])}"
        )
    if both[False]:
        told.append(f"  You and the course have changed these cells; they stay as you have them: {', '.join(both[False])}")
    kept = [cell for cell_id, cell in found.items() if cell_id not in ours and _is_changed(cell, was.get(cell_id))]
    if kept:
        told.append(f"  Cells of yours in cases that are no longer there: {len(kept)}. They stand at the end of {name}.")
        if not any(cell.get("id") == GONE for cell in cells):
            text = "## No longer part of the course\n\nWhat you wrote in cases that this release does not have."
            cells.append({"cell_type": "markdown", "id": GONE, "metadata": {}, "source": text})
        cells += [_own(cell) for cell in kept]
    if cells == notebook["cells"]:
        return mine, told
    content = _text({"metadata": {}, **notebook, "cells": cells, "nbformat": 4, "nbformat_minor": 5})
    return content, told


def _sorted(cells, ours, was):
    """The learner's cells, apart: those of the release by their ids, and their own by the id of ours behind which they stand."""
    by_text = {_without_guess(cell): cell_id for cell_id, cell in [*was.items(), *ours.items()]}
    found, extras, after = {}, {}, None
    for cell in cells:
        _, name, source = read_cell(cell)
        if name is None:
            name = by_text.get(_without_guess(cell))  # some editors drop the ids
        is_ours = name in ours or name in was or name and any(_marks(cell).get(mark) for mark in ("solution", "locked", "grade"))
        if is_ours and name not in found:
            found[name] = cell
            after = name if name in ours else after
        elif not is_ours:
            extras.setdefault(after, []).append(cell if isinstance(cell.get("id"), str) else cell | {"id": _new_id()})
        elif source != read_cell(found[name])[2]:
            # A second copy of a cell: it counts nowhere, and is kept as text that does not run.
            extras.setdefault(after, []).append({"cell_type": "raw", "id": _new_id(), "metadata": {}, "source": source})
    return found, extras


def _chosen(mine, old, new):
    """The cell of the new release, with the learner's source in it where that stays; and whether both sides have changed it.

    mine, old: the cell as the learner has it, and as it was released to them; None where it is not known.
    """
    if mine is None:
        return new, False
    kind, source, fresh = kind_of(new), read_cell(mine)[2], read_cell(new)[2]
    before = None if old is None else read_cell(old)[2]
    stays = kind in ("mend", "extra") and _is_changed(mine, old, new)
    text = source if stays else fresh
    guess = GUESS.search(source)
    if not stays and guess and kind == "extra":
        text = GUESS.sub(lambda line: line[1] + guess[2], fresh, count=1)
    is_conflict = stays and fresh not in (source, before) and before is not None
    result = new | {"source": text}
    if text == source:
        result |= {key: mine[key] for key in ("source", "outputs", "execution_count", "attachments") if key in mine}
    if isinstance(mine.get("metadata"), dict):  # what is folded stays folded
        mine_only = {key: value for key, value in mine["metadata"].items() if key == "jupyter" or key not in new["metadata"]}
        result["metadata"] = new["metadata"] | mine_only
    return result, is_conflict


def _is_changed(mine, old, new=None):
    """Whether the learner changed a cell of the release, my_guess apart. old: None where it is not known how it was."""
    kind = kind_of({"metadata": {"nbgrader": _marks(new or old or mine)}})
    if kind not in ("mend", "extra"):
        return False
    return kind == "mend" if old is None else _without_guess(mine) != _without_guess(old)


def _with_case(cells, released, case):
    """`cells` with those of `case` as in `released`, and whether anything is changed by it. Texts are only brought back."""
    cells, changed, at = list(cells), False, None
    names = [read_cell(cell)[1] for cell in cells]
    belongs = re.compile(rf"{re.escape(case)}(-(text|scene|run|check)(-.*)?)?")
    for number, cell in enumerate(released):
        if not belongs.fullmatch(cell["id"]):
            continue
        if cell["id"] in names:
            at = names.index(cell["id"])
            is_as_released = read_cell(cells[at])[2] == read_cell(cell)[2] or cell["cell_type"] == "markdown"
            if not is_as_released:
                cells[at], changed = cell, True
            continue
        before = [names.index(each["id"]) for each in released[:number] if each["id"] in names]
        at = before[-1] + 1 if before else 0
        cells.insert(at, cell)
        names.insert(at, cell["id"])
        changed = True
    return cells, changed


def _save(copy, files):
    """Copy those of `files` that are there to a new folder in the copy's saved/; its path, when it is whole."""
    folder = copy / SAVED
    name = time.strftime("%Y-%m-%d-%H%M%S")
    while (folder / name).exists():
        name += "-2"
    part = folder / ".part"
    shutil.rmtree(part, ignore_errors=True)
    for path in files:
        if (copy / path).is_file():
            (part / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(copy / path, part / path)
    os.replace(part, folder / name)
    return folder / name


def _read(path):
    return path.read_bytes() if path.is_file() else None


def _parsed(path):
    return parse(path.read_bytes(), path.name)


def _text(notebook):
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _marks(cell):
    """nbgrader's metadata of a cell in which nothing has to be what it should."""
    metadata = cell.get("metadata")
    marks = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return marks if isinstance(marks, dict) else {}


def _own(cell):
    """A cell of a release that is no longer there, as a cell of the learner's own."""
    return cell | {"id": _new_id(), "metadata": {}}


def _without_guess(cell):
    return GUESS.sub(r"\1", read_cell(cell)[2])


def _new_id():
    return uuid.uuid4().hex[:8]
