"""What checks compute once and keep is computed once for a class, before the first submission is judged."""

import functools
import re

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
    for exercise in read_exercises(notebook_path(SOLUTIONS, stage)):
        sources = [*exercise.before, *(each.source for each in exercise.checks)]  # a check may call it through its scene
        if any(re.search(rf"\b{name}\(", source) for source in sources for name in _KEPT):
            judge(exercise)
