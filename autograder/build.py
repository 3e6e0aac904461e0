"""Build the notebooks from their cases, prove them, and put them in place; or only compare with what is there.

A build happens in a temporary folder. Only when every case is proven broken as released and mended as solved does anything
move into solutions/ and course/, so a build that fails leaves the last good one as it was.
"""

import ast
import os
import re
import shutil
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbgrader.apps import NbGraderAPI
from traitlets.config import Config

from . import atlas
from .cases import CaseError, read_stage, released
from .compare import differences, pictures_in
from .nbgrader_settings import configure
from .paths import COURSE, SOLUTIONS, STAGES, notebook_path
from .progress import progress_bar
from .tables import BEGIN, END, with_tables

# The figure at the top of README.md is one of the solved notebooks'.
COVER, COVER_CELL = "breaking-and-mending.png", "put-it-together-run"
README = "README.md"  # of the project and of the course: each holds a table of the cases
CONTENTS_MARK = "[contents]"  # in an opening's text, where the table of contents goes
CELL_TIMEOUT = 120  # seconds
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
# nbgrader's flags (grade, locked, solution) for each kind of cell; a run cell is the learner's own.
NBGRADER_FLAGS = {
    "setup": (False, True, False),
    "scene": (False, True, False),
    "fix": (False, False, True),
    "check": (True, True, False),
}


class BuildError(Exception):
    """A build that cannot be finished; its text names the file and the mend."""


def build(stages=None, check=False, course=COURSE, solutions=SOLUTIONS, case=None):
    """Build `stages` (all, unless told). With check=True nothing is written, and what differs is returned as lines of text.

    The atlas and the tables of cases are made for all stages each time; the panels of the others are those that are there.
    case: prove only the case of that id, which takes seconds, and write nothing.
    Raises CaseError or BuildError, with the file, the case and the mend, where a case is malformed, does not fail as
    released, or fails as solved.
    """
    stages = stages or STAGES
    cases = {stage: read_stage(stage, solutions) for stage in STAGES}
    if case:
        cases = _alone(case, {stage: cases[stage] for stage in stages})
        stages = list(cases)
    with tempfile.TemporaryDirectory(prefix="training-clinic-") as folder, progress_bar() as bar:
        made = Path(folder)
        shutil.copytree(course / "clinic", made / "course" / "clinic", ignore=shutil.ignore_patterns("__pycache__"))
        for stage in stages:
            broken_module(made / "course", stage).write_text(_broken_source(cases[stage]), encoding="utf-8")
        figures = {}
        for stage in stages:
            solved = assemble(cases[stage])
            figures |= execute(solved, made, f"{stage}: solving", bar, keep_figures=True)
            _require_solved(solved, cases[stage])
            _write(solved, notebook_path(made / "solutions", stage))
            for cell in solved.cells:
                if cell.id == COVER_CELL:
                    (made / "course" / COVER).write_bytes(pictures_in(cell.outputs[0].data["text/html"])[0])
        _generate_releases(made, stages)
        for stage in stages:
            path = notebook_path(made / "course", stage)
            release = nbformat.read(path, as_version=4)
            _write(release, path)
            execute(release, made, f"{stage}: proving it broken", bar)
            _require_broken(release, cases[stage])
            _require_written(cases[stage])
        if case:
            return []
        panels = _make_atlas(made, stages, cases, figures, course, bar)
        _make_tables(made, cases, course)
        made_files = [
            (made_folder, final, relative)
            for stage in stages
            for made_folder, final, relative in (
                (made / "solutions", solutions, notebook_path("", stage)),
                (made / "course", course, notebook_path("", stage)),
                (made / "course", course, broken_module("", stage)),
            )
        ]
        if (made / "course" / COVER).exists():
            made_files.append((made / "course", course, Path(COVER)))
        made_files += [(made / "course", course, Path(name)) for name in (*panels, atlas.PICTURE, atlas.PAGE, README)]
        made_files.append((made, course.parent, Path(README)))
        left_over = [path for path in (course / atlas.FOLDER).glob("*.png") if f"{atlas.FOLDER}/{path.name}" not in panels]
        if check:
            return [
                f"{'' if final == course.parent else f'{final.name}/'}{relative}: {line}"
                for made_folder, final, relative in made_files
                for line in differences(final / relative, made_folder / relative)
            ] + [f"{course.name}/{atlas.FOLDER}/{path.name}: no case has this panel: run  autograder build" for path in left_over]
        for made_folder, final, relative in made_files:
            _put_in_place(made_folder / relative, final / relative)
        for path in left_over:
            path.unlink()
    return []


def _make_atlas(made, stages, cases, figures, course, bar):
    """Draw the panels of `stages`, take the others from `course`, and make the picture and the page of all.

    Returns the panels' names, from course/.
    """
    folder, page = made / "course" / atlas.FOLDER, course / atlas.PAGE
    folder.mkdir()
    alts = atlas.read_alts(page.read_text(encoding="utf-8")) if page.exists() else {}
    alts = {case_id: alt for case_id, alt in alts.items() if (course / atlas.FOLDER / f"{case_id}.png").exists()}
    graded = {stage: [case for case in cases[stage] if case.is_graded] for stage in STAGES}
    task = bar.add_task("the atlas", total=sum(len(graded[stage]) for stage in stages))
    panels = {}
    for stage in STAGES:
        for case in graded[stage]:
            path = folder / f"{case.id}.png"
            if stage in stages:
                alts[case.id] = atlas.draw_panel(case, figures, path)
                bar.advance(task)
            elif case.id in alts:
                shutil.copyfile(course / atlas.FOLDER / path.name, path)
            else:
                continue
            panels[case.id] = path
    atlas.draw_picture(cases, panels, made / "course" / atlas.PICTURE)
    (made / "course" / atlas.PAGE).write_text(atlas.write_page(cases, {name: alts[name] for name in panels}), encoding="utf-8")
    return [f"{atlas.FOLDER}/{path.name}" for path in panels.values()]


def _make_tables(made, cases, course):
    """Copy the two pages that hold the tables of cases, with these made anew."""
    for page, options in ((Path(course.name) / README, {}), (Path(README), {"course": f"{course.name}/", "folded": True})):
        text = (course.parent / page).read_text(encoding="utf-8")
        try:
            text = with_tables(text, cases, **options)
        except ValueError as error:
            raise BuildError(f"{course.parent / page} has lost a mark around its tables: {BEGIN!r} or {END!r}") from error
        (made / page).write_text(text, encoding="utf-8")


def _alone(case, cases):
    """Of the stages' cases the one of that id, and what has to run before it: the stage's opening and the cases it needs."""
    for stage, every in cases.items():
        for each in every:
            if each.id == case and each.is_graded:
                needs = {need for cell in each.cells for need in cell.needs}
                return {stage: [other for other in every if other is each or other.of_kind("setup") or other.id in needs]}
    raise BuildError(
        f"there is no case {case!r} in {', '.join(cases)}; its id is its file's name without the number, with hyphens"
    )


def broken_module(course, stage):
    """The file with the broken code of a stage's cases, from which the figures draw their "before"."""
    return Path(course) / "clinic" / "broken" / f"{stage}.py"


def assemble(cases):
    """The source notebook of a stage, not yet executed: every case's cells in order, with nbgrader's metadata."""
    cells = []
    for case in cases:
        for cell in case.cells:
            if cell.kind == "markdown":
                text = cell.source.replace(CONTENTS_MARK, _contents(cases))
                cells.append(nbformat.v4.new_markdown_cell(text, id=cell.id))
                continue
            metadata = {}
            if cell.kind in NBGRADER_FLAGS:
                grade, locked, solution = NBGRADER_FLAGS[cell.kind]
                metadata = {
                    "schema_version": 3,
                    "grade_id": cell.id,
                    "grade": grade,
                    "locked": locked,
                    "solution": solution,
                    "task": False,
                }
                if grade:
                    metadata["points"] = cell.points
                metadata = {"nbgrader": metadata}
            if cell.needs:
                metadata["needs"] = list(cell.needs)
            if cell.kind == "check":
                metadata["jupyter"] = {"source_hidden": True}  # folded: long, and nothing that one has to read
            cells.append(nbformat.v4.new_code_cell(cell.source, id=cell.id, metadata=metadata))
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": KERNEL})


def _contents(cases):
    """The stage's table of contents: a list in markdown, a link for each part and for each case under it."""
    lines = []
    for case in cases:
        if any(cell.kind == "setup" for cell in case.cells):
            continue
        link = f"[{case.title}](#cell-id={case.cells[0].id})"  # JupyterLab finds no heading that holds a dot
        about = re.search(r"^About (\d+ minutes) · .* · (\d+ points)$", case.cells[0].source, re.MULTILINE)
        lines.append(f"- **{link}**" if about is None else f"  - {link}, {', '.join(about.groups())}")
    return "\n".join(lines)


def execute(notebook, made, label, bar, keep_figures=False):
    """Run a notebook in place, past errors, with the clinic of the build `made`.

    Returns, with keep_figures=True, for each cell that shows figures the files that keep them (see atlas.KEEP).
    """
    task = bar.add_task(label, total=sum(cell.cell_type == "code" for cell in notebook.cells))
    folder, shown, kept = made / "running", made / "shown", {}
    folder.mkdir(exist_ok=True)
    shown.mkdir(exist_ok=True)
    environment = {**os.environ, "PYTHONPATH": str(made / "course"), "PYTHONDONTWRITEBYTECODE": "1"}

    async def start(**_):
        if keep_figures:  # silently, so that the notebook does not know of it
            await client.kc.execute_interactive(atlas.KEEP.format(folder=str(shown)), silent=True, timeout=CELL_TIMEOUT)

    def count(cell, **_):
        bar.advance(task)
        for number, path in enumerate(sorted(shown.iterdir())):
            kept.setdefault(cell.id, []).append(path.rename(folder / f"{cell.id}-{number}.pickle"))

    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        allow_errors=True,
        record_timing=False,
        config=Config({"KernelManager": {"transport_encryption": "auto"}}),  # else the kernel warns, across the progress bar
        coalesce_streams=True,  # whether two prints arrive as one piece is chance
        resources={"metadata": {"path": str(folder)}},
        on_notebook_start=start,
        on_cell_executed=count,
    )
    try:
        client.execute(env=environment)
    except (CellTimeoutError, DeadKernelError) as error:
        raise BuildError(f"{label}: the kernel gave up; shorten the cell that it names.\n{error}") from error
    return kept


def _broken_source(cases):
    """A module with every fix cell as released, under the imports of the stage's setup cell."""
    imports = []
    for case in cases:
        for cell in case.of_kind("setup"):
            for node in ast.parse(cell.source).body:
                if isinstance(node, (ast.Import, ast.ImportFrom)) and "broken" not in ast.unparse(node):
                    imports.append(ast.unparse(node))
    parts = [
        '"""The code of each case as it was complained about. Generated by `autograder build` from the cases: do not edit."""'
    ]
    parts.append("# ruff: noqa\n" + "\n".join(imports))
    parts += [released(cell.source).strip() for case in cases for cell in case.of_kind("fix")]
    return "\n\n\n".join(parts) + "\n"


def _generate_releases(made, stages):
    """Let nbgrader make the released notebooks from the solved ones."""
    config = configure(Config(), root=made)
    config.CourseDirectory.db_url = f"sqlite:///{made / 'gradebook.db'}"
    api = NbGraderAPI(config=config)
    for stage in stages:
        result = api.generate_assignment(stage)
        if not result["success"]:
            raise BuildError(f"nbgrader could not release {stage}:\n{result.get('log') or result.get('error')}")


def _write(notebook, path):
    """Write a notebook so that the same content always gives the same bytes."""
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": {"name": "python"}})
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            if "text" in output:
                output.text = _without_addresses(output.text)
            if "text/plain" in output.get("data", {}):
                output.data["text/plain"] = _without_addresses(output.data["text/plain"])
    nbformat.validate(notebook)
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)


def _without_addresses(text):
    return re.sub(r"0x[0-9a-fA-F]{6,}", "0x...", text)


def failed(cell):
    """The text with which an executed cell failed, or None."""
    errors = [output for output in cell.get("outputs", []) if output.output_type == "error"]
    return f"{errors[0].ename}: {errors[0].evalue}" if errors else None


def _origin(cases, cell_id):
    """Where an assembled cell comes from: its case's file, and the line of its header."""
    return next((case.path, cell.line) for case in cases for cell in case.cells if cell.id == cell_id)


def _require_solved(notebook, cases):
    for cell in notebook.cells:
        error = failed(cell) if cell.cell_type == "code" else None
        if error:
            path, line = _origin(cases, cell.id)
            raise CaseError(path, line, f"with the SOLUTION in place the cell {cell.id!r} fails; mend one or the other.\n{error}")
        warned = [output.text for output in cell.get("outputs", []) if "/ipykernel_" in output.get("text", "")]
        if warned:
            path, line = _origin(cases, cell.id)
            raise CaseError(path, line, f"the cell {cell.id!r} prints a warning, with a path that changes:\n{warned[0]}")
        stderr = [output.text for output in cell.get("outputs", []) if output.get("name") == "stderr"]
        if stderr:
            path, line = _origin(cases, cell.id)
            raise CaseError(
                path, line, f"the cell {cell.id!r} writes to stderr, which nbgrader takes for a failure:\n{stderr[0]}"
            )


def _require_broken(notebook, cases):
    """Every check must fail as released; every other cell must run, so that "Run All" shows the complaint."""
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        path, line = _origin(cases, cell.id)
        is_check = cell.metadata.get("nbgrader", {}).get("grade", False)
        error = failed(cell)
        if is_check and error is None:
            raise CaseError(path, line, f"the check {cell.id!r} passes with the BROKEN code: it must ask for what is broken")
        if is_check and not error.startswith("NotYet"):
            raise CaseError(path, line, f"the check {cell.id!r} fails with the BROKEN code, but not by its own words:\n{error}")
        if not is_check and error is not None:
            raise CaseError(path, line, f"with the BROKEN code the cell {cell.id!r} fails before it can be judged:\n{error}")


def _require_written(cases):
    """Nothing that the template of a new case leaves to its author may be left."""
    for case in cases:
        for number, line in enumerate(case.path.read_text(encoding="utf-8").splitlines(), start=1):
            if "TODO" in line:
                raise CaseError(case.path, number, f"write what the template leaves to you: {line.strip()!r}")


def _put_in_place(new, final):
    """Move a file into place in one step, so that no reader ever meets half of it."""
    final.parent.mkdir(parents=True, exist_ok=True)
    beside = final.with_name(final.name + ".new")
    shutil.copyfile(new, beside)
    os.replace(beside, final)
