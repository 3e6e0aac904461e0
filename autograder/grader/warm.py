"""What checks compute once and keep is computed once for a class, before the first submission is judged."""

import contextlib
import functools
import multiprocessing
import os
import re
from unittest import mock

import clinic.ward
from clinic import check

from ..judge import judge, read_exercises
from ..paths import SOLUTIONS, notebook_path

_KEPT = [name for name, thing in vars(clinic.ward).items() if hasattr(thing, "cache_info")]


@functools.cache
def warm_up(stage, private_seed):
    """Run the checks that use a function with a cache, with the solution in place of an answer: trusted code only.

    A cache that is full in this process is full in its forks.
    """
    check.private_seed = private_seed
    with _wards_on_every_core():
        for exercise in read_exercises(notebook_path(SOLUTIONS, stage)):
            sources = [*exercise.before, *(each.source for each in exercise.checks)]  # a check may call it through its scene
            if any(re.search(rf"\b{name}\(", source) for source in sources for name in _KEPT):
                judge(exercise)


@contextlib.contextmanager
def _wards_on_every_core():
    """Meanwhile the runs of a ward are made in as many processes as there are cores, and the ward is then put together here."""
    clinic_ward, admit = clinic.ward.ward, clinic.ward.admit
    filled = set()

    def ward(*args):
        if args not in filled:
            wanted = []
            with mock.patch("clinic.ward.admit", lambda *run: wanted.append(run)):
                clinic_ward.__wrapped__(*args)
            with multiprocessing.get_context("fork").Pool(len(os.sched_getaffinity(0))) as pool:
                runs = iter(pool.starmap(admit, wanted, chunksize=1))
            with mock.patch("clinic.ward.admit", lambda *run: next(runs)):
                clinic_ward(*args)
            filled.add(args)
        return clinic_ward(*args)

    with mock.patch("clinic.ward.ward", ward):
        yield
