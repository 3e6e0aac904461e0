"""Judge the cells of a notebook without a kernel: set-up, the case's scene, the cell to mend, its checks, nothing else.

For code that is trusted: solutions, and the answers in the tests. It runs in this process with this user's rights.
"""

import contextlib
import io
import linecache
from dataclasses import dataclass, replace

import nbformat
from clinic.check import NotYet


@dataclass(frozen=True)
class Check:
    """One graded cell of a case."""

    id: str
    source: str
    points: int


@dataclass(frozen=True)
class Exercise:
    """A case as it stands in a notebook: what runs before the cell to mend, that cell, and its checks."""

    id: str
    title: str
    before: tuple
    fix: str
    checks: tuple

    @property
    def points(self):
        return sum(check.points for check in self.checks)

    def with_fix(self, source):
        """The same exercise with `source` in the cell to mend."""
        return replace(self, fix=source)


@dataclass(frozen=True)
class Verdict:
    """What a check said. message is None where it passed."""

    check: Check
    message: str | None

    @property
    def passed(self):
        return self.message is None


def read_exercises(path):
    """The exercises of the notebook at `path`, in order."""
    return exercises_in(nbformat.read(path, as_version=4))


def exercises_in(notebook):
    """The exercises of a notebook, in order."""
    setup, cells, titles, order, title = [], {}, {}, [], ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("## "):
            title = cell.source.splitlines()[0].removeprefix("## ")
        meta = cell.metadata.get("nbgrader")
        if not meta:
            continue
        if meta["solution"]:
            order.append(meta["grade_id"])
            titles[meta["grade_id"]] = title
        if meta["grade_id"].endswith("-setup"):
            setup.append(cell)
        cells[meta["grade_id"]] = cell
    return [
        Exercise(
            id=case,
            title=titles[case],
            before=tuple(cell.source for cell in [*setup, *_before(case, cells)]),
            fix=cells[case].source,
            checks=tuple(
                Check(name, cell.source, cell.metadata.nbgrader["points"])
                for name, cell in cells.items()
                if cell.metadata.nbgrader["grade"] and (name == f"{case}-check" or name.startswith(f"{case}-check-"))
            ),
        )
        for case in order
    ]


def _before(case, cells):
    """The cells that run before a case's own: those to mend in the cases that its scene needs, and its scene."""
    scene = cells.get(f"{case}-scene")
    if scene is None:
        return []
    return [*(cells[need] for need in scene.metadata.get("needs", [])), scene]


def judge(exercise, answer=None):
    """A Verdict for each check of `exercise`, with `answer` in the cell to mend (what stands in the notebook, unless given)."""
    return [Verdict(check, _message(exercise, exercise.fix if answer is None else answer, check)) for check in exercise.checks]


def namespace_with(exercise, answer):
    """The names that there are once the cells before, and the answer, have run. What they print is dropped."""
    namespace = {"__name__": "__main__"}
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        for number, source in enumerate(exercise.before):
            _run(source, f"<{exercise.id}: before, {number}>", namespace)
        _run(answer, f"<{exercise.id}>", namespace)
    return namespace


def _message(exercise, answer, check):
    try:
        namespace = namespace_with(exercise, answer)
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            _run(check.source, f"<{check.id}>", namespace)
    except NotYet as failed:
        return str(failed)
    except Exception as error:
        return f"Not yet: the code stopped with {type(error).__name__}: {error}."
    return None


def _run(source, filename, namespace):
    # Tracebacks, and the lines that `check.run` quotes from them, read the source from here.
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    exec(compile(source, filename, "exec"), namespace)
