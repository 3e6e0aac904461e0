"""The table of cases in course/README.md is what the case files say.

`.venv/bin/python -m tests.test_course_readme` writes it anew.
"""

import re

from autograder.cases import read_stage
from autograder.paths import COURSE, STAGES

README = COURSE / "README.md"
BEGIN, END = "<!-- The tables are made from the case files. -->", "<!-- Here the tables end. -->"
ABOUT = re.compile(r"^About (\d+) minutes · ", re.MULTILINE)


def tables():
    """For each stage its heading, and a table with its cases in order, under the parts that they belong to."""
    return "\n\n".join(_table(stage, read_stage(stage)) for stage in STAGES)


def _table(stage, cases):
    rows, minutes = [], 0
    for case in cases[1:]:
        if not case.is_graded:
            rows.append(f"| | **{case.title}** | | |")
            continue
        if not case.title.startswith("Case "):
            rows.append("| | **At the end** | | |")
        about = int(ABOUT.search(case.cells[0].source).group(1))
        rows.append(f"| `{case.id}` | {case.title} | {about} | {case.points} |")
        minutes += about
    rows.append(f"| | together | {minutes} | {sum(case.points for case in cases)} |")
    heading = f"### [{cases[0].title}]({stage}/{stage}.ipynb)"
    return "\n".join([heading, "", "| id | case | minutes | points |", "| --- | --- | --- | --- |", *rows])


def split(text):
    """The text of the README before, in and behind its generated stretch, without the marks."""
    before, rest = text.split(BEGIN)
    inside, after = rest.split(END)
    return before, inside.strip(), after


def test_the_table_of_cases_is_what_the_case_files_say():
    stands = split(README.read_text(encoding="utf-8"))[1]
    assert stands == tables(), "run  .venv/bin/python -m tests.test_course_readme"


if __name__ == "__main__":
    before, _, after = split(README.read_text(encoding="utf-8"))
    README.write_text(f"{before}{BEGIN}\n\n{tables()}\n\n{END}{after}", encoding="utf-8")
