"""The answer files are complete, and the sign of each case is there in broken runs and gone in mended ones."""

import pytest

from autograder.cases import released
from autograder.judge import namespace_with

from .answers import answer_path, read_answers
from .proof import exercises, graded

pytestmark = pytest.mark.spread

each_case = pytest.mark.parametrize("stage, case", graded(), ids=[case.id for _, case in graded()])


def answers_of(stage, case):
    return read_answers(answer_path(stage, case.path), case.of_kind("fix")[0].source)


@each_case
def test_there_are_enough_answers(stage, case):
    answers, _ = answers_of(stage, case)
    assert sum(answer.is_right for answer in answers) >= 4
    assert sum(not answer.is_right for answer in answers) >= 8
    assert len({answer.name for answer in answers}) == len(answers)


@each_case
def test_sign_is_there_in_broken_runs_and_gone_in_mended_ones(stage, case):
    _, sign = answers_of(stage, case)
    assert sign is not None, "the answer file has no sign cell"
    if sign.exempt:
        pytest.skip(f"mechanics, no honest sign: {sign.exempt}")
    exercise = exercises(stage)[case.id]
    rates = []
    for fix in (released(exercise.fix), exercise.fix):
        namespace = namespace_with(exercise, fix)
        exec(compile(sign.source, f"<sign of {case.id}>", "exec"), namespace)
        rates.append(sum(bool(namespace["sign"](seed)) for seed in range(sign.seeds)) / sign.seeds)
    assert rates[0] >= sign.broken and rates[1] <= sign.mended, f"seen in {rates[0]:.0%} of broken, {rates[1]:.0%} of mended"
