"""Start a case: its file, and that of its answers, from templates. Its first build stops, since its check passes as it is."""

import re
from pathlib import Path

from .cases import case_paths
from .paths import ROOT, SOLUTIONS, STAGES

TEMPLATES = Path(__file__).parent / "templates"


class NoNewCase(Exception):
    """A case that cannot be started; the text says why, and what to do. Nothing was written."""


def new(case, stage=STAGES[0], solutions=SOLUTIONS, answers=ROOT / "tests" / "answers"):
    """Write the files of a new case behind the last of `stage`; returns their paths, the case's and its answers'.

    case: its id, words of a-z with hyphens between. Raises NoNewCase; no file is ever written over.
    """
    if not re.fullmatch(r"[a-z]+(-[a-z]+)*", case):
        raise NoNewCase(f"{case!r} is no name for a case: words of a to z with hyphens between, such as  uneven-batches")
    name = case.replace("-", "_")
    for each in STAGES:
        for path in case_paths(each, solutions):
            if path.stem[3:] == name:
                raise NoNewCase(f"{path} has that name already; choose another for the new case")
    numbers = [path.name[:2] for path in case_paths(stage, solutions)]
    number = int(max(numbers, default="00")) + 1
    if number > 99:
        raise NoNewCase(f"{stage} has a case 99, and a number has two digits: rename some of its files to make room")
    openings = [path for path in case_paths(stage, solutions) if "# %% fix=" not in path.read_text(encoding="utf-8")]
    placed = {
        "THE-CASE": case,
        "THE_CASE": name,
        "THE-NUMBER": f"{number // 10}.{number % 10}" if len(openings) > 1 else str(number),
    }
    file_name = f"{number:02}_{name}.py"
    made = {
        solutions / stage / "cases" / file_name: TEMPLATES / "case.py",
        answers / stage / file_name: TEMPLATES / "answers.py",
    }
    for path in made:
        if path.exists():
            raise NoNewCase(f"{path} is there already; move it away, or choose another name")
    for path, template in made.items():
        text = template.read_text(encoding="utf-8")
        for mark, meant in placed.items():
            text = text.replace(mark, meant)
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "x", encoding="utf-8") as file:
            file.write(text)
    return tuple(made)
