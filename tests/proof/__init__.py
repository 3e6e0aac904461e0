"""What is proven of each case, by which evidence."""

import functools

from autograder.build import assemble
from autograder.cases import read_stage
from autograder.judge import exercises_in


@functools.cache
def cases(stage):
    """The Cases of a stage, openings included."""
    return read_stage(stage)


@functools.cache
def exercises(stage):
    """The Exercises of a stage by their ids, solved and with the hidden checks, as the case files have them."""
    return {exercise.id: exercise for exercise in exercises_in(assemble(cases(stage)))}
