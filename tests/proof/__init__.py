"""What is proven of each case, by which evidence, and on what code: `autograder prove`.

Each kind of evidence is a module here with `prove(stage, case)`, which returns figures that JSON can hold, and with DEPENDS,
which names the parts that they hang on (`record.part`). It raises ValueError where the proof fails, with words that name the
case and the mend, and returns None where it cannot be tried on this machine. `kinds.KINDS` is the list.
"""

import functools
from dataclasses import replace

from autograder.build import assemble
from autograder.cases import read_stage, released
from autograder.grader.check_cells import segments
from autograder.judge import exercises_in
from autograder.paths import STAGES


@functools.cache
def cases(stage):
    """The Cases of a stage, openings included."""
    return read_stage(stage)


def graded():
    """Each graded case with its stage: [(stage, Case)]."""
    return [(stage, case) for stage in STAGES for case in cases(stage) if case.is_graded]


@functools.cache
def exercises(stage):
    """The Exercises of a stage by their ids, solved and with hidden checks, as the case files have them: no build is needed."""
    return {exercise.id: exercise for exercise in exercises_in(assemble(cases(stage)))}


def as_released(exercise):
    """The Exercise as a learner gets it: broken, also in the cases that it needs, and without the hidden checks."""
    setup, *needs = exercise.before
    scene = [needs.pop()] if needs else []
    return replace(
        exercise,
        before=(setup, *map(released, needs), *scene),
        fix=released(exercise.fix),
        checks=tuple(replace(check, source=_visible(check.source)) for check in exercise.checks),
    )


def _visible(source):
    return "\n".join(text for is_hidden, _, text in segments(source) if not is_hidden)
