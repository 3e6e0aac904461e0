"""The tables of cases in README.md and course/README.md, made from the case files."""

import re

from .atlas import link_to
from .paths import STAGES, notebook_path

BEGIN, END = "<!-- The tables are made from the case files: run  autograder build -->", "<!-- Here the tables end. -->"
ABOUT = re.compile(r"^About (\d+) minutes · ", re.MULTILINE)


def with_tables(text, cases, course="", folded=False):
    """The text of a page with the tables between its two marks made anew.

    cases: for each stage its cases in order. course: the way to course/ from the page, such as "course/". folded: each table
    behind a line that opens it. Raises ValueError where the marks are not there.
    """
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    tables = "\n\n".join(_table(stage, cases[stage], course, folded) for stage in STAGES)
    return f"{before}{BEGIN}\n\n{tables}\n\n{END}{after}"


def _table(stage, cases, course, folded):
    rows, minutes = ["| id | case | minutes | points |", "| --- | --- | --- | --- |"], 0
    for case in cases[1:]:
        if not case.is_graded:
            rows.append(f"| | **{case.title}** | | |")
            continue
        if not case.title.startswith("Case "):
            rows.append("| | **At the end** | | |")
        about = int(ABOUT.search(case.cells[0].source).group(1))
        rows.append(f"| `{case.id}` | [{case.title}]({course}{link_to(case, stage)}) | {about} | {case.points} |")
        minutes += about
    points = sum(case.points for case in cases)
    rows.append(f"| | together | {minutes} | {points} |")
    title, notebook = cases[0].title, f"{course}{notebook_path('', stage).as_posix()}"
    if not folded:
        return "\n".join([f"### [{title}]({notebook})", "", *rows])
    count = sum(case.title.startswith("Case ") for case in cases)
    summary = f"<summary>{title}: {count} cases and a longer piece, about {round(minutes / 60)} hours, {points} points</summary>"
    return "\n".join([f"<details>{summary}", "", *rows, "", "</details>"])
