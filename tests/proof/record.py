"""What has been proven, and of which code: record.json, with a hash over all that each figure hangs on.

A figure is proven anew when its hash is another. Somebody who writes figures and hashes by hand is caught by `prove --all` alone.
"""

import functools
import hashlib
import json
import re
import tomllib
from pathlib import Path

from autograder.kept import write_whole
from autograder.paths import ROOT

from ..answers import answer_path, read_answers
from . import cases
from .kinds import module_of

RECORD = Path(__file__).with_name("record.json")
LOCKS = ("requirements.txt", "requirements-test.txt")
# The grader without what reads submissions, keeps results and hands out work.
GRADER = ("autograder/sandbox/*.py", "tests/boxed.py")
GRADER += tuple(f"autograder/grader/{name}.py" for name in ("box", "check_cells", "intake", "referee"))


class NoRecord(Exception):
    """The record cannot be read; the text says why, and the mend."""


def read():
    """The record: {"STAGE/CASE": {kind: {"hash": text, "figures": dict}}}; empty where there is none. Raises NoRecord."""
    try:
        return json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    except ValueError as error:
        raise NoRecord(f"{RECORD} is damaged ({error}): prove everything anew with  autograder prove --all") from None


def write(record):
    ordered = {key: dict(sorted(record[key].items())) for key in sorted(record)}
    write_whole(RECORD, json.dumps(ordered, indent=1, ensure_ascii=False) + "\n")


def key_of(stage, case):
    return f"{stage}/{case.id}"


def fingerprint(kind, stage, case):
    """A hash over the parts that the kind's module names in DEPENDS, the module itself, the judge, and the locked numpy."""
    module = module_of(kind)
    parts = {name: part(name, stage, case) for name in ("judge", "numpy", *module.DEPENDS)}
    parts["module"] = Path(module.__file__).read_text(encoding="utf-8")
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def part(name, stage, case):
    """What goes by a name of DEPENDS, as data for JSON. A name that is not listed here is a package's: its locked version."""
    if name == "case":
        return _cells(stage, case)
    if name in ("answers", "sign"):
        answers, sign = _answers(answer_path(stage, case.path), case.of_kind("fix")[0].source)
        return [vars(answer) for answer in answers] if name == "answers" else sign and vars(sign)
    if name == "survivors":
        reasons = Path(__file__).with_name("survivors.toml")
        return tomllib.loads(reasons.read_text(encoding="utf-8")).get(case.id) if reasons.exists() else None
    if name == "clinic":
        files = _files("course/clinic/*.py")
        return {path: source for path, source in files.items() if not path.endswith("plots.py")}  # no check draws
    if name in ("grader", "judge"):
        return _files(*(GRADER if name == "grader" else ("autograder/judge.py",)))
    return _locked(name)


def _cells(stage, case):
    """The cells that run when a case is judged, as they stand there: no text, and no figure."""
    openings = [cell for each in cases(stage) for cell in each.of_kind("setup")]
    needs = {need for scene in case.of_kind("scene") for need in scene.needs}
    mended = [cell for each in cases(stage) if each.id in needs for cell in each.of_kind("fix")]
    own = [cell for cell in case.cells if cell.kind in ("scene", "fix", "check")]
    return [(cell.kind, cell.id, cell.points, cell.source) for cell in (*openings, *mended, *own)]


_answers = functools.cache(read_answers)


@functools.cache
def _files(*patterns):
    paths = [path for pattern in patterns for path in sorted(ROOT.glob(pattern))]
    return {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in paths}


@functools.cache
def _locked(package):
    lines = [line for lock in LOCKS for line in (ROOT / lock).read_text(encoding="utf-8").splitlines()]
    found = sorted({line for line in lines if re.match(rf"{re.escape(package)}==", line)})
    if not found:
        raise ValueError(f"DEPENDS names {package!r}, which is no part of a proof, and in none of {', '.join(LOCKS)}")
    return found
