"""What an attack is, and how one is written down: mostly as the cells that somebody hands in.

In the code of an attack stand marks that are filled in when its submission is written: @BROKEN@ and @MENDED@ are the code of
the case that it is put in, and the names in `Places` say where on this machine the attack's target lies.
"""

import copy
import functools
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path

import nbformat

from autograder.paths import COURSE, SOLUTIONS, notebook_path

ADAM, CLIP, MOMENTUM, PEAK, SEEDS = "adam-bias-correction", "grad-clipping", "momentum-init", "lr-too-low", "seeds"
LR, BATCH, WARMUP, COSINE, GROUPS, TUNE = (
    "lr-too-high",
    "batch-lr-scaling",
    "warmup-too-short",
    "no-lr-decay",
    "decay-param-groups",
    "put-it-together",
)


@dataclass(frozen=True)
class Attack:
    """One submission that must get what it has earned, and nothing else.

    about: what it is after, in one sentence. make(release, folder) writes the student's folder, which is there and empty.
    earned: the cases that it really mends. may_refuse: whether it may also be refused as a whole, in one plain line, or lose
    what it has earned. secret: texts that must not come back to the learner, or a function of `Facts` that gives them.
    student: the name of its folder, where that is part of the attack. Those that win against stock nbgrader are named in stock.py.
    """

    name: str
    kind: str
    about: str
    make: Callable
    stage: str = "optimizers"
    earned: tuple = ()
    may_refuse: bool = False
    secret: tuple | Callable = ()
    student: str = ""

    @property
    def folder(self):
        """The name of the student's folder."""
        return self.student or f"{self.kind}-{self.name}"

    @property
    def mark(self):
        """A short name for its files, processes and messages, by which they are told from everybody else's."""
        return "atk-" + hashlib.sha256(self.name.encode()).hexdigest()[:8]


@dataclass(frozen=True)
class Places:
    """Where on this machine an attack finds its targets; each is filled in for @ITS_NAME@."""

    mark: str = "atk-00000000"
    outside: str = "/nowhere"  # a folder of the attack's own under the home folder, with keep.txt and secret.txt
    root: str = "/nowhere"  # the class: gradebook.db, submitted/, private_seed.txt
    project: str = "/nowhere"
    neighbour: str = "nobody"
    tcp: str = "1"
    udp: str = "1"
    abstract: str = "nobody"
    socket: str = "/nowhere"
    victim: str = "999999999"  # a process of the instructor's that writes down each SIGURG
    group: str = "999999999"  # the process group of the tests


@functools.cache
def notebook_of(folder, stage):
    """The notebook of a stage below solutions/ or course/, read once: who changes it takes a copy."""
    return nbformat.read(notebook_path(folder, stage), as_version=4)


@dataclass
class Release:
    """A stage as it is handed out, with what its cases look like when they are mended."""

    stage: str
    places: Places = field(default_factory=Places)

    def __post_init__(self):
        self.notebook = notebook_of(COURSE, self.stage)
        self._mended = {cell.id: cell.source for cell in notebook_of(SOLUTIONS, self.stage).cells}

    def mended(self, case):
        """The mended code of a case, without the marks of its source."""
        lines = re.sub(r"### BEGIN BROKEN\n.*?### END BROKEN\n", "", self._mended[case], flags=re.DOTALL).splitlines()
        return "\n".join(line for line in lines if line.strip() not in ("### BEGIN SOLUTION", "### END SOLUTION"))

    def cell(self, name, notebook=None):
        """The cell with this id."""
        return next(cell for cell in (notebook or self.notebook).cells if cell.id == name)

    def fill(self, text, case=None):
        """`text` with the places and the code of `case` in it."""
        if case:
            text = text.replace("@BROKEN@", self.cell(case).source).replace("@MENDED@", self.mended(case))
        for place in fields(self.places):
            text = text.replace(f"@{place.name.upper()}@", getattr(self.places, place.name))
        return text

    def handed_in(self, mends=(), fix=None, extra=(), run=False, others=False):
        """A notebook as a learner hands it in.

        mends: cases with the mended code in them. fix: other code for the cells to mend. extra: (id, source) or (id, source, "markdown")
        of cells that stand behind that cell, or first for None. run: whether the cells that draw the figures are kept.
        others: whether the other cells to mend hold the code that was handed out. Else they are empty, which is judged sooner.
        """
        notebook = copy.deepcopy(self.notebook)
        if not run:
            notebook.cells = [cell for cell in notebook.cells if not re.search(r"-run(-|$)", cell.id)]
        for cell in notebook.cells if not others else ():
            if cell.metadata.get("nbgrader", {}).get("solution"):
                cell.source = "# not yet"
        for case in mends:
            self.cell(case, notebook).source = self.mended(case)
        for case, source in (fix or {}).items():
            self.cell(case, notebook).source = self.fill(source, case)
        for number, (behind, source, *kind) in enumerate(extra):
            make = nbformat.v4.new_markdown_cell if kind else nbformat.v4.new_code_cell
            cell = make(self.fill(source), id=f"extra-{number}")
            place = next((i for i, c in enumerate(notebook.cells) if c.id == behind), -1) if behind else -1
            while behind and place + 1 < len(notebook.cells) and notebook.cells[place + 1].id.startswith("extra-"):
                place += 1
            notebook.cells.insert(place + 1, cell)
        return notebook

    def write(self, notebook, folder, name=None):
        """Write `notebook` to where this stage's belongs in the student's `folder`; its path comes back."""
        path = notebook_path(folder, self.stage)
        path = path.with_name(name) if name else path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(notebook, ensure_ascii=False), encoding="utf-8")  # nbformat would look at each part for longer
        return path


def last(stage):
    """The id of the last cell of a stage."""
    return notebook_of(COURSE, stage).cells[-1].id


def of_cells(kind):
    """A function that writes down an attack of this kind that consists of cells."""

    def attack(
        name, about, *, fix=None, extra=(), earned=(), change=None, beside=None, run=False, stage="optimizers", **settings
    ):
        """change(notebook, release) works on the notebook at the end; beside: texts of other files in the notebook's folder."""

        def make(release, folder):
            mends = [case for case in earned if case not in (fix or {})]
            notebook = release.handed_in(mends, fix, extra, run, others=kind == "points")
            if change:
                change(notebook, release)
            path = release.write(notebook, folder)
            for other, text in (beside or {}).items():
                (path.parent / other).parent.mkdir(parents=True, exist_ok=True)
                (path.parent / other).write_text(release.fill(text))

        return Attack(name, kind, about, make, stage=stage, earned=tuple(earned), **settings)

    return attack


def of_files(kind):
    """A function that writes down an attack of this kind that consists of files: write(release, path of the notebook) makes them."""

    def attack(name, about, write, *, stage="optimizers", **settings):
        def make(release, folder):
            path = notebook_path(folder, release.stage)
            path.parent.mkdir(parents=True, exist_ok=True)
            write(release, Path(path))

        return Attack(name, kind, about, make, stage=stage, **settings)

    return attack
