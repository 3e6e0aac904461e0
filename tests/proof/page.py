"""PROOF.md: one page, made from the record alone."""

from autograder.paths import ROOT

from . import graded, versions
from .kinds import KINDS
from .record import key_of

PAGE = ROOT / "tests" / "PROOF.md"
_OPENING = """\
# What is proven of each case

`autograder prove` writes this page from what it measures; `autograder prove --check` says whether it still holds. How each figure
comes about stands in [tests/](README.md#the-proof).

- **right, wrong**: answers tried, each as in a notebook and as in the grader. All right ones pass, and all wrong ones fail.
- **diagnosed**: wrong answers to which a check names the very wrong turn that was taken.
- **blanks**: answers that know nothing, such as a function that always returns the same. None earns a point.
- **mutants**: changes of the solution, each in one place. **killed**: of those that are wrong, those that a check sees. What
  survives is listed with the reason.
- **seen broken, seen mended**: of how many runs the sign of the complaint is true. **effect**: Cliff's delta between what is
  measured in both, 1 where they never overlap; of several cases the median.
- **parity**: the largest relative difference from PyTorch, where PyTorch has the same.
"""


_ELSEWHERE = """
## Versions

`autograder prove --versions` tries all this in these environments too, where nothing may come out worse. A unit is one kind of
evidence for one case. **stale**: proven there, and changed since, when this page was written.
"""


def render(record, kept):
    """The page's text. A figure that is not in the record is told as not proven. kept: as `versions.read` returns it."""
    stages = {}
    for stage, case in graded():
        stages.setdefault(stage, []).append(case)
    proven = {stage: {case.id: record.get(key_of(stage, case), {}) for case in cases} for stage, cases in stages.items()}
    lines = [_OPENING, *_table("stage", [(stage, list(of_cases.values())) for stage, of_cases in proven.items()])]
    environments = versions.rows(kept, len(graded()) * len(KINDS))
    lines += [_ELSEWHERE, *_markdown(["environment", "Python", *versions.PACKAGES, "units proven"], environments)]
    lines += ["", *(f"- {line}" for line in versions.amiss(kept))] if versions.amiss(kept) else []
    for stage, of_cases in proven.items():
        lines += ["", f"## {stage}", "", *_table("case", [(name, [each]) for name, each in of_cases.items()])]
        for name, each in of_cases.items():
            details = [line for kind in KINDS if kind in each for line in KINDS[kind].details(each[kind]["figures"])]
            if details:
                lines += ["", f"### {name}", "", *(f"- {line}" for line in details)]
    return "\n".join(lines) + "\n"


def row_of(kind, figures):
    """The cells of the columns of a kind, from a list of figures; None where one of them is missing."""
    return None if None in figures else KINDS[kind].cells(figures)


def _table(first, rows):
    """A markdown table. rows: (name, the parts of the record that belong to it)."""
    columns = [column for kind in KINDS.values() for column in kind.columns]
    filled = []
    for name, records in rows:
        cells = [name]
        for kind in KINDS.values():
            figures = [each[kind.name]["figures"] if kind.name in each else None for each in records]
            cells += row_of(kind.name, figures) or ["not proven"] * len(kind.columns)
        filled.append(cells)
    return _markdown([first, *columns], filled)


def _markdown(columns, rows):
    return [f"| {' | '.join(columns)} |", f"| --- |{' --: |' * (len(columns) - 1)}", *(f"| {' | '.join(row)} |" for row in rows)]
