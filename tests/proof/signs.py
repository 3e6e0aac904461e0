"""The complaint of each case is measured over the seeds: it is seen in the broken code, and not in the mended.

What is measured, and where the complaint begins, stands in the sign of the case's answer file (tests/answers). The size of the
effect is Cliff's delta (Cliff 1993, Dominance statistics, Psychological Bulletin 114, 494-509): how much oftener a broken run is
worse than a mended one than the other way round, over all pairs. It is 1 where each broken run is worse than each mended one, and
0 where the code makes no difference; nan is worst.

    python -m tests.proof.signs [STAGE] [CASE]    print the table; exit code 1 where a sign fails
"""

import argparse
import contextlib
import io
import statistics
import sys

import numpy as np
from rich.console import Console

from autograder.cases import released
from autograder.judge import namespace_with
from autograder.paths import STAGES
from autograder.progress import progress_bar

from ..answers import answer_path, read_answers
from . import cases, exercises

DEPENDS = ("case", "sign", "clinic")
LINE = "{:26}{:>7}{:>9}{:>12}{:>12}{:>8}  {}"
DIGITS = 3  # of a median; another processor prints others behind them


def prove(stage, case):
    """The measurements of a case in figures, as `figures` gives them. Raises ValueError where its sign fails."""
    got = figures(stage, case)
    if "exempt" not in got and not got.pop("holds"):
        raise ValueError(
            f"{answer_path(stage, case.path)}: the sign, {got['measure']} {got['limit']}, is seen in {got['seen']} broken runs "
            f"and {got['wrongly seen']} mended ones of {got['seeds']}: mend what it measures, or the case"
        )
    return got


def figures(stage, case):
    """What the sign of a case measures: {"measure": text, "limit": "above 0.6", "broken": median, "mended": median,
    "seen": in how many broken runs, "wrongly seen": in how many mended ones, "seeds": of how many, "effect": Cliff's delta,
    "holds": whether that is often enough}. A median over which nan or inf prevails is "not finite". A case of mechanics has
    {"exempt": the reason}. Raises ValueError where there is no sign.
    """
    path = answer_path(stage, case.path)
    _, sign = read_answers(path, case.of_kind("fix")[0].source)
    if sign is None:
        raise ValueError(f'{path}: there is no sign: add a cell that begins with  # %% sign="last loss (nats)" above=0.6')
    if sign.exempt:
        return {"exempt": sign.exempt}
    exercise = exercises(stage)[case.id]
    broken, mended = (measured(exercise, fix, sign) for fix in (released(exercise.fix), exercise.fix))
    seen, wrongly = (sum(map(sign.is_seen, values)) for values in (broken, mended))
    return {
        "measure": sign.measure,
        "limit": sign.limit,
        "broken": median(broken, sign),
        "mended": median(mended, sign),
        "seen": seen,
        "wrongly seen": wrongly,
        "seeds": sign.seeds,
        "effect": round(cliffs_delta(*([sign.badness(value) for value in values] for values in (broken, mended))), DIGITS),
        "holds": seen >= sign.broken * sign.seeds and wrongly <= sign.mended * sign.seeds,
    }


def measured(exercise, fix, sign):
    """What the sign measures with `fix` in the cell to mend: a float for each seed. What it prints is dropped."""
    namespace = namespace_with(exercise, fix)
    exec(compile(sign.source, f"<sign of {exercise.id}>", "exec"), namespace)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()), np.errstate(all="ignore"):
        return [float(namespace["sign"](seed)) for seed in range(sign.seeds)]


def median(values, sign):
    """The median, nan being worst, in DIGITS digits; "not finite" where it is not."""
    middle = statistics.median(map(sign.badness, values))
    return float(f"{middle if sign.below is None else -middle:.{DIGITS}g}") if np.isfinite(middle) else "not finite"


def cliffs_delta(ones, others):
    """Cliff's delta, from -1 to 1: in what share of all pairs the one is larger, less the share in which the other is."""
    ones, others = np.asarray(ones)[:, None], np.asarray(others)[None]
    return float(np.mean(ones > others) - np.mean(ones < others))


def main():
    """Print the table of the cases asked for; the exit code is 1 where a sign fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.signs", description=__doc__.splitlines()[0])
    parser.add_argument("stage", nargs="?", choices=STAGES, help="a stage (default: all)")
    parser.add_argument("case", nargs="?", help="the id of one of its cases")
    asked = parser.parse_args()
    chosen = [
        (stage, case)
        for stage in ([asked.stage] if asked.stage else STAGES)
        for case in cases(stage)
        if case.is_graded and asked.case in (None, case.id)
    ]
    if not chosen:
        parser.error(f"there is no case {asked.case!r} in {asked.stage}: its cases are named by their files, without the number")
    print(LINE.format("case", "seen", "wrongly", "broken", "mended", "effect", "measure"))
    failed = 0
    with progress_bar(Console(stderr=True)) as bar:
        task = bar.add_task("signs", total=len(chosen))
        for stage, case in chosen:
            got = figures(stage, case)
            failed += not got.get("holds", True)
            print(line_of(case, got), flush=True)
            bar.advance(task)
    print(f"{len(chosen)} cases, {failed} of which the sign fails.")
    return 1 if failed else 0


def line_of(case, got):
    """A case's line of the table, from what `figures` returns."""
    if "exempt" in got:
        return f"{case.id:26}{got['exempt']}"
    counts = [f"{got[name]}/{got['seeds']}" for name in ("seen", "wrongly seen")]
    measure = f"{got['measure']}, {got['limit']}{'' if got['holds'] else '  <- fails'}"
    return LINE.format(case.id, *counts, got["broken"], got["mended"], got["effect"], measure)


if __name__ == "__main__":
    sys.exit(main())
