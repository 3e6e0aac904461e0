"""A learner's checks in seconds: the notebook's cells in the grader's order, without a browser, in processes of their own.

The code runs with the learner's own rights: this is no way to grade a stranger.
"""

import multiprocessing
import os
import tempfile
from collections import deque
from dataclasses import dataclass, replace
from multiprocessing import connection
from pathlib import Path

from rich.console import Console
from rich.table import Table

from .cases import no_such_case
from .check_worker import work
from .grader.intake import Refused, kind_of, parse, read_cell, taken
from .paths import COURSE, SOLUTIONS, STAGES, notebook_path
from .progress import progress_bar

SECONDS = 60  # of wall time, for each cell and each check; the slowest of the course takes seven, on a core that is shared


class NothingToCheck(Exception):
    """There is no such notebook or case; the text says what to do."""


@dataclass(frozen=True)
class Case:
    """A case of a stage. points: of each of its checks, by the check's id."""

    stage: str
    id: str
    title: str
    points: dict


def check(paths, case=None, full=False, console=None, seconds=SECONDS):
    """Run the checks of learners' notebooks; print a table, the first failing message and the next case.

    paths: notebooks named after their stage. case: only this one. full: the hidden checks too, where the visible ones pass.
    seconds: what each cell and each check may take; one that takes longer is stopped, and the others are judged.
    The notebooks are read, never written. Returns whether everything that was run passed.
    Raises NothingToCheck where a notebook is missing or damaged, or no case has that name.
    """
    console = console or Console()
    cells, known = {}, []
    for path in map(Path, paths):
        cells[path.stem], cases = _cells_to_run(path)
        known += cases
    chosen = [each for each in known if case in (None, each.id)]
    if not chosen:
        raise NothingToCheck(no_such_case(case, [each.id for each in known]))
    visible, lost = _judged(cells, chosen, False, seconds, console)
    hidden = {}
    if full:
        passing = [each for each in chosen if not any(visible[each.id].values())]
        cells = {stage: _with_hidden_checks(stage, steps) for stage, steps in cells.items()}
        hidden, lost_there = _judged(cells, passing, True, seconds, console)
        lost |= lost_there
    _print_table(chosen, visible, hidden if full else None, console)
    for name, why in lost.items():
        if name.startswith("own-"):
            behind = name.split("-", 2)[2]
            console.print(f"\nA cell of your own, behind the cell {behind}, was left out: {why}.", markup=False, soft_wrap=True)
    failing = [(each, message) for each in chosen for message in (visible[each.id] | hidden.get(each.id, {})).values() if message]
    if failing:
        first, message = failing[0]
        console.print(f"\nNext: [bold]{first.title}[/] ({first.id})", soft_wrap=True)
        console.print(message, markup=False, highlight=False, soft_wrap=True)  # it is wrapped already
    return not failing


def read_cases(stage):
    """The cases of a stage in order, as they are released."""
    cases, title = [], ""
    for cell in _released(COURSE, stage):
        if cell["cell_type"] == "markdown" and cell["source"].startswith("## "):
            title = cell["source"].splitlines()[0].removeprefix("## ")
        if kind_of(cell) == "mend":
            cases.append(Case(stage, cell["id"], title, {}))
        if kind_of(cell) == "check":
            cases[-1].points[cell["id"]] = cell["metadata"]["nbgrader"]["points"]
    return cases


def _released(folder, stage):
    """The cells of one of the course's own notebooks, the source of each as one text."""
    cells = parse(notebook_path(folder, stage).read_bytes(), stage)["cells"]
    return [cell | {"source": "".join(cell["source"])} for cell in cells]


def _cells_to_run(path):
    """The cells of a learner's notebook in the order in which the grader runs them, [[name, kind, source]]; and its cases.

    The checks are the course's own, so that one edited by mistake in the learner's notebook does not mislead. A case of which
    there is neither the cell to mend nor any check is one that the instructor has left out. The points are the notebook's own.
    """
    stage = path.stem
    if stage not in STAGES:
        raise NothingToCheck(f"{path} is not named after a stage, such as {STAGES[0]}.ipynb")
    if not path.is_file():
        raise NothingToCheck(f"there is no {path}: run  autograder study  first, or name a notebook")
    try:
        cells = parse(path.read_bytes(), path.name)["cells"]
    except (Refused, OSError) as error:
        raise NothingToCheck(f"{path} cannot be read ({error}); it was left as it is") from error
    mine = [read_cell(cell) for cell in cells]
    released = _released(COURSE, stage)
    mended, extras = taken(released, mine)
    named = {name for _, name, _ in mine}
    every = read_cases(stage)
    cases = [each for each in every if each.id in mended or named & each.points.keys()]
    lost = [each.id for each in cases or every if each.id not in mended]
    if lost:
        raise NothingToCheck(f"{path} has lost the cell {lost[0]!r}; in your copy  autograder reset {lost[0]}  brings it back")
    left_out = {each.id for each in every} - {each.id for each in cases}
    steps, case = _own(extras, None), None
    for cell in released:
        if cell["id"].endswith("-text-1"):  # each case begins with a text
            case = cell["id"].removesuffix("-text-1")
        # An extra of ours is a figure, which changes no mark.
        if cell["cell_type"] == "code" and kind_of(cell) != "extra" and case not in left_out:
            steps.append([cell["id"], kind_of(cell), mended.get(cell["id"], cell["source"])])
        steps += _own(extras, cell["id"])
    points = {name: _points(cell) for (_, name, _), cell in zip(mine, cells)}
    return steps, [replace(each, points={name: points.get(name) or most for name, most in each.points.items()}) for each in cases]


def _points(cell):
    """The points of a check's cell, of a dict in which nothing has to be what it should; None where it has none."""
    found = cell.get("metadata")
    for name in ("nbgrader", "points"):
        found = found.get(name) if isinstance(found, dict) else None
    return found if type(found) in (int, float) else None


def _own(extras, after):
    own = [source for kind, source in extras.get(after, []) if kind == "code"]
    return [[f"own-{number}-{after or 'first'}", "mend", source] for number, source in enumerate(own)]


def _with_hidden_checks(stage, steps):
    whole = {cell["id"]: cell["source"] for cell in _released(SOLUTIONS, stage)}
    return [[name, kind, whole[name] if kind == "check" else source] for name, kind, source in steps]


def _judged(cells, cases, hidden, seconds, console):
    """Judge `cases`, several at once: ({case id: {check id: message, None where it passed}}, {cell that was given up: why}).

    cells: those to run, by stage. Each process goes through them once, from the first to the last, and stops at checks that it
    is asked for. One that a cell has ended is replaced by another, which leaves that cell out.
    """
    waiting, busy, started, said, lost = deque(cases), {}, [], {}, {}
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="training-clinic-") as folder, progress_bar(console, transient=True) as bar:
        task = bar.add_task("Hidden checks" if hidden else "Checking", total=len(cases))

        def start(case):
            mine, theirs = context.Pipe()
            process = context.Process(
                target=work, args=(theirs, cells, lost, hidden, seconds, console.width, folder), daemon=True
            )
            process.start()
            started.append(process)
            theirs.close()
            ask(mine, process, case)

        def ask(pipe, process, case):
            pipe.send((case.stage, list(case.points)))
            busy[pipe] = [process, case, None]

        try:
            for _ in range(min(os.cpu_count() or 1, len(cases))):
                start(waiting.popleft())
            while busy:
                for pipe in connection.wait(list(busy)):
                    process, case, runs = busy[pipe]
                    try:
                        message = pipe.recv()
                    except (EOFError, OSError):
                        del busy[pipe]
                        process.join()
                        if runs is None:
                            raise RuntimeError(
                                "the process that runs the checks did not start; what it said stands above"
                            ) from None
                        ran_long = process.exitcode == 1  # so ends the watch over its time
                        lost[runs] = f"it ran for {seconds} s and was stopped" if ran_long else "it ended the process"
                        start(case)
                        continue
                    if isinstance(message, str):
                        busy[pipe][2] = message
                        continue
                    said[case.id] = message
                    bar.advance(task)
                    if waiting:
                        ask(pipe, process, waiting.popleft())
                    else:
                        del busy[pipe]
        finally:
            for process in started:
                process.kill()
                process.join()
    return said, lost


def _print_table(cases, visible, hidden, console):
    """hidden: as visible, for the cases whose visible checks pass; None where none were asked for."""
    table = Table("case", "points", "visible checks", *(["hidden checks"] if hidden is not None else []))
    points = most = done = 0
    for case in cases:
        said = {name: message or (hidden or {}).get(case.id, {}).get(name) for name, message in visible[case.id].items()}
        earned = sum(case.points[name] for name, message in said.items() if message is None)
        of_case = sum(case.points.values())
        points, most, done = points + earned, most + of_case, done + (not any(said.values()))
        columns = [visible[case.id], *([] if hidden is None else [hidden.get(case.id, {})])]
        table.add_row(case.title, f"{earned:g} of {of_case:g}", *map(_word, columns))
    table.add_section()
    table.add_row("together", f"{points:g} of {most:g}", f"{done} of {len(cases)} cases")
    console.print(table)


def _word(said):
    passed = sum(message is None for message in said.values())
    if passed == len(said):
        return "✓ pass" if said else "-"
    return "✗ not yet" if passed == 0 else f"{passed} of {len(said)}"
