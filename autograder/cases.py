"""Read a stage's case files: jupytext percent files with BROKEN and SOLUTION side by side.

A code cell's header says what the cell is for, and which case it belongs to:

    # %% setup="optimizers"                          imports; first in the notebook, locked
    # %% scene="adam-bias-correction"                what the case's runs and checks need; locked
    # %% scene="control-room" needs="spike-alert"    the same, of a case that uses what was mended in others
    # %% fix="adam-bias-correction"                  the cell that the learner mends
    # %% run="adam-bias-correction"                  the figure; free to be changed, and not graded; part="..." as below
    # %% run="no-lr-decay" atlas="2"                 the same; its second axes are the case's panel in the atlas
    # %% check="adam-bias-correction" points=6       the graded check; one cell a case, or several, told apart by part="..."
"""

import ast
import difflib
import re
from dataclasses import dataclass
from pathlib import Path

from .paths import SOLUTIONS

KINDS = ("setup", "scene", "fix", "run", "check")
REGIONS = ("BROKEN", "SOLUTION", "HIDDEN TESTS")
FIX_WIDTH = 100  # characters; what is longer, JupyterLab cuts off in a window of 1280 pixels, and with it a graded demand
HEADINGS = ("Hint 1", "Hint 2", "Hint 3", "Discharge note")


class CaseError(Exception):
    """A case that cannot be built. Says the file, the line, and the mend."""

    def __init__(self, path, line, mend):
        super().__init__(f"{path}:{line}: {mend}")


@dataclass(frozen=True)
class Cell:
    """One cell of a case. kind is "markdown" or one of KINDS; line is where its header stands in the file.

    needs: for a scene, the ids of the cases whose mended cells its case uses. atlas: for a run cell, which axes of the case's
    figures, counted from 1, make its panel in the atlas, where it is not the first.
    """

    kind: str
    id: str
    source: str
    line: int
    points: int = 0
    needs: tuple = ()
    atlas: tuple = ()


@dataclass(frozen=True)
class Case:
    """One case file. The opening of a stage, with its setup cell, or of a part, is read as a case of no points."""

    id: str
    path: Path
    cells: tuple

    @property
    def points(self):
        return sum(cell.points for cell in self.cells)

    @property
    def is_graded(self):
        return any(cell.kind == "check" for cell in self.cells)

    @property
    def title(self):
        heading = re.search(r"^##? (.*)$", self.cells[0].source, re.MULTILINE)
        return heading.group(1) if heading else self.id

    def of_kind(self, kind):
        return [cell for cell in self.cells if cell.kind == kind]


def case_paths(stage, solutions=SOLUTIONS):
    return sorted((Path(solutions) / stage / "cases").glob("[0-9][0-9]_*.py"))


def read_stage(stage, solutions=SOLUTIONS):
    """All cases of a stage in order, each proven well-formed; raises CaseError at the first that is not."""
    paths = case_paths(stage, solutions)
    if not paths:
        raise CaseError(Path(solutions) / stage / "cases", 1, "there is no case here: add a file such as 01_my_case.py")
    cases = [read_case(path) for path in paths]
    _require_unique(cases, lambda cell: [cell.id], "the cell id {name!r} is used in {other} too: every id must be its own")
    _require_unique(
        cases,
        lambda cell: _names(cell) if cell.kind in ("scene", "fix", "check") else [],
        "{name!r} is defined in {other} too: in one notebook the later would replace the earlier, so rename one",
    )
    fixes = {case.id for case in cases if case.of_kind("fix")}
    for case in cases:
        for cell in case.cells:
            for need in cell.needs:
                if need not in fixes:
                    raise CaseError(case.path, cell.line, f"the scene needs {need!r}, and no case of the stage has that id")
    return cases


def read_case(path):
    """One case file, proven well-formed."""
    import jupytext  # takes seconds

    text = Path(path).read_text(encoding="utf-8")
    case_id = re.sub(r"^\d\d_", "", Path(path).stem).replace("_", "-")
    _require_closed_regions(path, text)
    notebook = jupytext.reads(text, fmt="py:percent")
    lines = [number for number, line in enumerate(text.splitlines(), start=1) if line.startswith("# %%")]
    if len(lines) != len(notebook.cells):
        raise CaseError(path, 1, "the file must begin with a '# %%' line, and nothing may stand before it")
    counts = {}
    cells = [_read_cell(path, case_id, cell, line, counts) for cell, line in zip(notebook.cells, lines)]
    case = Case(case_id, Path(path), tuple(cells))
    _require_anatomy(case)
    return case


def _read_cell(path, case_id, cell, line, counts):
    options = {name: value for name, value in cell.metadata.items() if name != "lines_to_next_cell"}
    if cell.cell_type == "markdown":
        counts["text"] = counts.get("text", 0) + 1
        _refuse_unknown(path, line, options, ())
        return Cell("markdown", f"{case_id}-text-{counts['text']}", cell.source, line)
    kinds = [kind for kind in KINDS if kind in options]
    if len(kinds) != 1:
        raise CaseError(path, line, f'a code cell\'s header needs one of {", ".join(KINDS)}, such as  # %% fix="{case_id}"')
    kind = kinds[0]
    if options[kind] != case_id and kind != "setup":
        raise CaseError(path, line, f"the header says {options[kind]!r}, but the file's name says {case_id!r}: make them agree")
    _refuse_unknown(
        path, line, options, (kind, *{"check": ("points", "part"), "run": ("part", "atlas"), "scene": ("needs",)}.get(kind, ()))
    )
    name = case_id if kind == "fix" else f"{case_id}-{kind}"
    if "part" in options:
        name += f"-{options['part']}"
    points = options.get("points", 0)
    if kind == "check" and not (isinstance(points, int) and points > 0):
        raise CaseError(path, line, "a check needs its points, a whole number, such as  points=6")
    atlas = options.get("atlas", "")
    if not re.fullmatch(r"([1-9]( [1-9])?)?", str(atlas)):
        raise CaseError(
            path, line, 'atlas names one axes of the figure or two, counted from 1, such as  atlas="2"  or  atlas="1 2"'
        )
    needs = tuple(options.get("needs", "").split())
    return Cell(kind, name, cell.source, line, points, needs, tuple(map(int, str(atlas).split())))


def _refuse_unknown(path, line, options, known):
    unknown = [name for name in options if name not in known]
    if unknown:
        raise CaseError(path, line, f"unknown option {unknown[0]!r} in the cell's header")


def _require_closed_regions(path, text):
    """Each BEGIN has its END in the same cell, and a BROKEN region holds nothing but comments."""
    open_region, opened = None, 0
    for number, line in enumerate(text.splitlines(), start=1):
        mark = re.match(r"\s*### (BEGIN|END) (.*?)\s*$", line)
        if line.startswith("# %%") and open_region:
            raise CaseError(path, opened, f"the region {open_region} is not closed: write  ### END {open_region}  in its cell")
        if not mark:
            if open_region == "BROKEN" and line.strip() and not re.match(r"\s*#( |$)", line):
                raise CaseError(path, number, "a line of the BROKEN region must be a comment, '# ' and then the broken code")
            continue
        edge, region = mark.groups()
        if region not in REGIONS:
            raise CaseError(path, number, f"unknown region {region!r}: there are {', '.join(REGIONS)}")
        if edge == "BEGIN" and open_region:
            raise CaseError(path, opened, f"the region {open_region} is not closed: write  ### END {open_region}  in its cell")
        if edge == "END" and open_region != region:
            raise CaseError(path, number, f"END {region} without its BEGIN: write  ### BEGIN {region}  before it")
        open_region, opened = (region, number) if edge == "BEGIN" else (None, 0)
    if open_region:
        raise CaseError(path, opened, f"the region {open_region} is not closed: write  ### END {open_region}  in its cell")


def _require_anatomy(case):
    if not any(cell.kind in ("fix", "check") for cell in case.cells):
        if case.path.name[1] == "0":
            return  # the opening of a stage, 00_..., or of one of its parts, 20_...
        raise CaseError(case.path, 1, "a case needs a fix cell and a check cell; only an opening, 00_ or 20_..., has none")
    for kind in ("fix", "run", "check"):
        if not case.of_kind(kind):
            raise CaseError(case.path, 1, f'the case has no {kind}: add a cell that begins with  # %% {kind}="{case.id}"')
    if len(case.of_kind("fix")) > 1:
        raise CaseError(case.path, case.of_kind("fix")[1].line, "a case has one cell to mend: put both into one")
    fix = case.of_kind("fix")[0]
    try:
        as_released = released(fix.source)
    except ValueError as error:
        raise CaseError(case.path, fix.line, f"mend the regions of the fix cell: {error}") from error
    for text in as_released.splitlines():
        if len(text) > FIX_WIDTH:
            raise CaseError(
                case.path, fix.line, f"wrap the lines of the cell to mend to {FIX_WIDTH} characters, such as {text!r}"
            )
    prose = "\n".join(cell.source for cell in case.of_kind("markdown"))
    for heading in HEADINGS:
        if heading not in prose:
            raise CaseError(case.path, 1, f"the text has no {heading!r}: a case ends with three hints and a discharge note")
    told = re.search(r"· (\d+) points", prose)
    if not told or int(told.group(1)) != case.points:
        raise CaseError(case.path, case.cells[0].line, f"the title must tell the points of its checks: · {case.points} points")


def _names(cell):
    """The names that a cell defines at its top level."""
    names = set()
    for node in ast.parse(cell.source).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return sorted(names)


def _require_unique(cases, names_of, mend):
    seen = {}
    for case in cases:
        for cell in case.cells:
            for name in names_of(cell):
                if name in seen:
                    raise CaseError(case.path, cell.line, mend.format(name=name, other=seen[name]))
                seen[name] = f"{case.path.name}:{cell.line}"


def released(source):
    """A fix cell as learners get it: each BROKEN region, uncommented, in place of the SOLUTION region that follows it.

    Raises ValueError where a region is missing, doubled or not closed.
    """
    kept, broken, region, is_paired = [], [], None, False
    for line in source.split("\n"):
        mark = re.match(r"\s*### (BEGIN|END) (BROKEN|SOLUTION)\s*$", line)
        if mark and mark.group(1) == "BEGIN":
            if region:
                raise ValueError(f"BEGIN {mark.group(2)} inside the region {region}")
            region = mark.group(2)
            if bool(broken) != (region == "SOLUTION"):
                raise ValueError("each region BROKEN is followed by its SOLUTION, and by no other")
            if region == "SOLUTION":
                kept, broken, is_paired = kept + broken, [], True
        elif mark:
            if region != mark.group(2):
                raise ValueError(f"END {mark.group(2)} without its BEGIN")
            region = None
        elif region == "BROKEN":
            broken.append(re.sub(r"^(\s*)# ?", r"\1", line))
        elif region is None:
            kept.append(line)
    if region or broken or not is_paired:
        raise ValueError("a fix cell needs a closed region BROKEN, and after it a closed region SOLUTION")
    return "\n".join(kept)


def no_such_case(case, names):
    """What to tell somebody who asked for a case that there is not."""
    near = difflib.get_close_matches(case, names, n=5, cutoff=0.5)
    return f"there is no case {case!r}; {'is it one of' if near else 'the cases are'} {', '.join(near or names)}"
