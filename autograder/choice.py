"""A shorter course: the cases, and the points of each, that an instructor wrote into chosen_cases.toml.

    [optimizers]
    lr-too-high = 2
    grad-clipping = 5

Of a stage that has a heading there, only these cases are released and graded; a stage without one stays whole.
"""

import math
import re
import tomllib
from pathlib import Path

from .paths import SOLUTIONS, STAGES, notebook_path

FILE = "chosen_cases.toml"


class ChoiceError(Exception):
    """chosen_cases.toml cannot be followed; the text names the file, the case and the mend."""


def read_choice(root, stage):
    """The points of each chosen case of `stage` by its id, as root/chosen_cases.toml says; None where the stage stays whole.

    Raises ChoiceError.
    """
    import nbformat  # here, for a learner's `check` imports this module and not that one, which takes seconds

    path = Path(root) / FILE
    if not path.is_file():
        return None
    try:
        wanted = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ChoiceError(f"{path} cannot be read: {error}") from None
    for name in wanted:
        if name not in STAGES:
            raise ChoiceError(f"{path} says {name!r}, which is no stage: its headings are {', '.join(f'[{s}]' for s in STAGES)}")
    if stage not in wanted:
        return None
    choice = wanted[stage]
    if not isinstance(choice, dict) or not choice:
        raise ChoiceError(
            f"{path}: [{stage}] names no case; write a line for each, such as  lr-too-high = 2, or delete the heading"
        )
    needs = {case: _needs(cells) for case, cells in _by_case(nbformat.read(notebook_path(SOLUTIONS, stage), 4)) if _points(cells)}
    for case, points in choice.items():
        if case not in needs:
            raise ChoiceError(f"{path}: [{stage}] has no case {case!r}; its cases are {', '.join(needs)}")
        if type(points) not in (int, float) or not 0 < points < math.inf:
            raise ChoiceError(f"{path}: {case} = {points!r}: points are a number above 0; to leave the case out, delete its line")
        for need in needs[case]:
            if need not in choice:
                raise ChoiceError(f"{path}: {case!r} uses what is mended in {need!r}: choose that too, or leave {case!r} out")
    return choice


def choose(notebook, choice):
    """Leave in a stage's notebook only the chosen cases and their parts' openings, and give them their points; returns it.

    choice: from `read_choice`. Points that several checks of a case share are shared out as they were. The cells are changed
    in place.
    """
    if choice is None:
        return notebook
    (_, kept), *others = _by_case(notebook)
    contents, opening = kept[0], []
    for case, cells in others:
        if not _points(cells):
            opening = cells
            continue
        if not cells[0].source.startswith("## Case "):
            opening = []  # the last part of a stage stands behind a part, and is none of its cases
        if case in choice:
            _weigh(cells, choice[case])
            kept, opening = kept + opening + cells, []
    contents.source = _contents(contents.source, {cell.id for cell in kept}, choice)
    notebook.cells = kept
    return notebook


def _by_case(notebook):
    """Pairs of a case's id, or an opening's, and its cells, in order."""
    pairs = []
    for cell in notebook.cells:
        if cell.id.endswith("-text-1"):  # each case begins with a text
            pairs.append((cell.id.removesuffix("-text-1"), []))
        pairs[-1][1].append(cell)
    return pairs


def _points(cells):
    return sum(cell.metadata.get("nbgrader", {}).get("points", 0) for cell in cells)


def _needs(cells):
    return [need for cell in cells for need in cell.metadata.get("needs", [])]


def _weigh(cells, points):
    before = _points(cells)
    for cell in cells:
        if "points" in cell.metadata.get("nbgrader", {}):
            cell.metadata.nbgrader.points = points * cell.metadata.nbgrader.points / before
    cells[0].source = re.sub(r"· \d+ points$", f"· {_told(points)}", cells[0].source, count=1, flags=re.MULTILINE)


def _contents(text, kept, choice):
    """The stage's table of contents, without the lines that lead to a cell which is not there."""
    lines = []
    for line in text.split("\n"):
        link = re.match(r" *- .*\(#cell-id=(.*?)\)", line)
        if link and link.group(1) not in kept:
            continue
        if link and (points := choice.get(link.group(1).removesuffix("-text-1"))):
            line = re.sub(r", \d+ points$", f", {_told(points)}", line)
        lines.append(line)
    return "\n".join(lines)


def _told(points):
    return f"{points:g} point" + ("" if points == 1 else "s")
