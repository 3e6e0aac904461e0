"""`autograder prove`: try what is not proven yet on every core, keep each result at once, write the page; or only check it."""

import functools
import multiprocessing
import os
import resource
import signal
from dataclasses import dataclass

from autograder.cases import Case
from autograder.grader.foreman import in_a_fork
from autograder.kept import write_whole
from autograder.paths import ROOT
from autograder.progress import progress_bar

from . import cases, graded, versions
from .kinds import KINDS, module_of
from .page import PAGE, render, row_of
from .record import fingerprint, key_of, read, write

LIMIT_SECONDS = 1800  # of one unit, which takes a minute or two: what goes on for longer hangs
UNPROVEN, NOT_HERE = "unproven", "not here"  # beside "figures", what may come of a unit


class NoSuchCase(Exception):
    """A case that does not exist; the text names those that do."""


@dataclass(frozen=True)
class Unit:
    """One kind of evidence for one case."""

    kind: str
    stage: str
    case: Case

    def __str__(self):
        return f"{self.stage}/{self.case.id}: {self.kind}"

    @property
    def mend(self):
        return f"run  autograder prove {self.case.id}"

    def hash(self):
        return fingerprint(self.kind, self.stage, self.case)

    def of(self, record):
        """What the record holds of it: {"hash": text, "figures": dict}, or None."""
        return record.get(key_of(self.stage, self.case), {}).get(self.kind)

    def is_fresh(self, record):
        return (self.of(record) or {}).get("hash") == self.hash()


def units(case=None):
    """All units, or those of one case, by its id. Raises NoSuchCase."""
    found = [Unit(kind, stage, each) for stage, each in graded() if case in (None, each.id) for kind in KINDS]
    if not found:
        raise NoSuchCase(f"there is no case {case!r}; there are {', '.join(each.id for _, each in graded())}")
    return found


def prove(case=None, anew=False):
    """Prove what has changed, of one case or of all, and write record and page. anew: forget first what was recorded.

    Returns lines about what could not be proven; none where all is well. What was done is kept when it is stopped.
    """
    record = {} if anew and case is None else read()
    now = {unit: unit.hash() for unit in units(case)}  # before: what is edited meanwhile is proven the next time
    todo = [unit for unit in now if anew or (unit.of(record) or {}).get("hash") != now[unit]]
    amiss, elsewhere = [], versions.read()
    here = versions.part_of(elsewhere, versions.here()) if versions.here() else None
    try:
        for unit, came in tried(todo):
            kept = record.setdefault(key_of(unit.stage, unit.case), {})
            if "figures" in came:
                kept[unit.kind] = {"hash": now[unit], "figures": came["figures"]}
                if here:
                    versions.note(here, str(unit), now[unit], is_amiss=False)
                    versions.write(elsewhere)
            elif UNPROVEN in came:
                kept.pop(unit.kind, None)
            amiss += _told(unit, came, record)
            write(record)
    finally:
        for key, kind in _gone(record):
            del record[key][kind]
        record = {key: kinds for key, kinds in record.items() if kinds}
        write(record)
        write_page()
    return amiss


def write_page():
    """The page, from the record and from what passed in other environments, in which is counted what has changed since."""
    write_whole(PAGE, render(read(), versions.brought_up_to_date(hashes())))


def hashes():
    """The hash of each unit that there is, by its name."""
    return {str(unit): unit.hash() for unit in units()}


def check(case=None):
    """Whether record and page still hold, of one case or of all: lines about what does not. Writes nothing.

    What has changed since it was recorded is tried again: it may come out better, and not worse.
    """
    record = read()
    changed = [unit for unit in units(case) if not unit.is_fresh(record)]
    lines = page_amiss(record) + versions.amiss(versions.read()) if case is None else []
    for unit, came in tried([unit for unit in changed if unit.of(record)]):
        lines += complaints(unit, came, record)
    return lines + [f"{unit} is not proven: {unit.mend}" for unit in changed if not unit.of(record)]


def check_here(unit, record):
    """As `check`, of one unit, in this process and one fork of it."""
    if unit.is_fresh(record):
        return []
    return complaints(unit, _try_in_a_fork(unit), record) if unit.of(record) else [f"{unit} is not proven: {unit.mend}"]


def page_amiss(record):
    """A line where the page is not what the record says, or the record tells of a case or kind that is no more."""
    gone = _gone(record)
    if gone:
        return [f"the record holds what is no more ({', '.join(map(': '.join, gone))}): run  autograder prove"]
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != render(record, versions.read()):
        return [f"{PAGE.relative_to(ROOT)} is not what its record says: run  autograder prove"]
    return []


def complaints(unit, came, record):
    """What is worse, or told otherwise on the page, in what came of a unit just now than in what the record holds of it."""
    if "figures" not in came:
        return _told(unit, came, record)
    old, new, kind = unit.of(record)["figures"], came["figures"], KINDS[unit.kind]
    scores = kind.scores(old)
    fallen = [name for name in scores if kind.scores(new).get(name, float("-inf")) < scores[name]]
    lines = [f"{unit}: the {name} has fallen from {scores[name]:.4g} to {kind.scores(new).get(name)}" for name in fallen]
    if kind.is_counted and row_of(unit.kind, [old]) != row_of(unit.kind, [new]) and not fallen:
        lines.append(f"{unit}: the page says {row_of(unit.kind, [old])}, and it is {row_of(unit.kind, [new])}: {unit.mend}")
    return lines


def tell_misconceptions(case=None):
    """Print of each wrong answer whether it is diagnosed and what it is told, as the record has it."""
    record = read()
    for unit in units(case):
        if unit.kind == "answers" and unit.of(record):
            figures = unit.of(record)["figures"]
            print(f"{key_of(unit.stage, unit.case)}: {figures['diagnosed']} of {figures['wrong']} diagnosed")
            for name, words in figures["told"].items():
                print(f"  {'not  ' if name in figures['undiagnosed'] else 'yes  '}{name}: {words}")


def _told(unit, came, record):
    if UNPROVEN in came:
        return [f"{unit} is not proven.\n{came[UNPROVEN]}"]
    if NOT_HERE in came:
        known = "what the record holds is of other code" if unit.of(record) else "the record does not hold it"
        return [f"{unit} cannot be tried here, and {known}: {unit.mend}  where {module_of(unit.kind).NEEDS} is installed"]
    return []


def _gone(record):
    """What the record holds of cases, or of kinds of evidence, that are no more: [(key, kind)]."""
    known = {(key_of(stage, case), kind) for stage, case in graded() for kind in KINDS}
    return [(key, kind) for key, kinds in record.items() for kind in kinds if (key, kind) not in known]


def tried(todo):
    """(unit, what came of it), as each is done, on every core, under a progress bar."""
    if not todo:
        return
    # Spawned, so that units are forked from a process with one thread: this one draws a bar in another.
    was = signal.signal(signal.SIGINT, signal.SIG_IGN)  # from the first moment: a process that starts inherits it
    processes = multiprocessing.get_context("spawn").Pool(min(len(todo), len(os.sched_getaffinity(0))), _begin)
    signal.signal(signal.SIGINT, was)
    with processes as pool, progress_bar() as bar:
        task = bar.add_task("proving", total=len(todo))
        for number, came in pool.imap_unordered(_try_numbered, [(number, _named(unit)) for number, unit in enumerate(todo)]):
            bar.update(task, advance=1, description=f"proven: {todo[number]}")
            yield todo[number], came


def _named(unit):
    return unit.kind, unit.stage, unit.case.id


def _begin():
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of one that takes another's place too; the parent ends them


def _try_numbered(task):
    number, (kind, stage, name) = task
    case = next(case for case in cases(stage) if case.id == name)
    return number, _try_in_a_fork(Unit(kind, stage, case))


def _try_in_a_fork(unit):
    """{"figures": what the kind's module makes of the case}, or {"unproven": why not}, or {"not here": true}."""
    memory = resource.getrlimit(resource.RLIMIT_AS)[1]  # modules limit it themselves, where they run what may take much
    came = in_a_fork(functools.partial(_try, unit), LIMIT_SECONDS, memory)
    return {UNPROVEN: came["failed"]} if "failed" in came else came


def _try(unit):
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        figures = module_of(unit.kind).prove(unit.stage, unit.case)
    except ValueError as error:
        return {UNPROVEN: str(error)}
    return {NOT_HERE: True} if figures is None else {"figures": figures}
