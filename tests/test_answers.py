"""Every check is judged by answers: right ones of other shapes pass, plausible wrong ones fail and are told why."""

import pytest

from autograder.cases import read_stage, released
from autograder.grader.check_cells import HIDDEN_FAILED
from autograder.judge import judge, namespace_with, read_exercises
from autograder.paths import COURSE, SOLUTIONS, STAGES, notebook_path

from .answers import answer_path, read_answers
from .boxed import judge_in_box

CASES = [(stage, case) for stage in STAGES for case in read_stage(stage) if case.is_graded]
ANSWERS = {case.id: read_answers(answer_path(stage, case.path), case.of_kind("fix")[0].source) for stage, case in CASES}
STAGE = {case.id: stage for stage, case in CASES}
RELEASED = {exercise.id: exercise for stage in STAGES for exercise in read_exercises(notebook_path(COURSE, stage))}
RESTORED = {exercise.id: exercise for stage in STAGES for exercise in read_exercises(notebook_path(SOLUTIONS, stage))}

PRIVATE_SEED = 20150612  # any: hidden checks then have other inputs than the repository's
pytestmark = pytest.mark.spread

each_case = pytest.mark.parametrize("case", [case for _, case in CASES], ids=[case.id for _, case in CASES])


def each_answer(right):
    pairs = [(case, answer) for _, case in CASES for answer in ANSWERS[case.id][0] if answer.is_right == right]
    return pytest.mark.parametrize("case, answer", pairs, ids=[f"{case.id}: {answer.name}" for case, answer in pairs])


@each_answer(right=True)
def test_right_answer_passes(case, answer):
    verdicts = judge(RESTORED[case.id], answer.source)
    assert [verdict.message for verdict in verdicts] == [None] * len(verdicts)
    graded = judge_in_box(STAGE[case.id], RESTORED[case.id], answer.source, private_seed=PRIVATE_SEED)
    assert not any(graded.values()), "it passes in one process, as in a notebook, and not in the grader's two"


@each_answer(right=False)
def test_wrong_answer_fails_and_is_told_why(case, answer):
    verdicts = judge(RESTORED[case.id], answer.source)
    said = [verdict.message for verdict in verdicts if not verdict.passed]
    assert said, "every check passes"
    assert_holds(said, answer.says)
    graded = judge_in_box(STAGE[case.id], RESTORED[case.id], answer.source)
    passed = {verdict.check.id for verdict in verdicts if verdict.passed}
    assert {name for name, message in graded.items() if message is None} == passed
    if not any(HIDDEN_FAILED.split(":")[0] in message for message in graded.values() if message):
        assert_holds([message for message in graded.values() if message], answer.says)


def assert_holds(said, phrases):
    for words in phrases:
        # A long message is wrapped, wherever the words stand in it.
        assert words and " ".join(words.split()) in " ".join("\n".join(said).split())


@each_case
def test_untouched_and_emptied_cells_earn_nothing(case):
    for name in ("untouched", "emptied"):
        answer = next(answer for answer in ANSWERS[case.id][0] if answer.name == name)
        assert not any(verdict.passed for verdict in judge(RELEASED[case.id], answer.source))


@each_case
def test_there_are_enough_answers(case):
    answers = ANSWERS[case.id][0]
    assert sum(answer.is_right for answer in answers) >= 4
    assert sum(not answer.is_right for answer in answers) >= 8
    assert len({answer.name for answer in answers}) == len(answers)


@each_case
def test_sign_is_there_in_broken_runs_and_gone_in_mended_ones(case):
    sign = ANSWERS[case.id][1]
    assert sign is not None, "the answer file has no sign cell"
    if sign.exempt:
        pytest.skip(f"mechanics, no honest sign: {sign.exempt}")
    exercise = RESTORED[case.id]
    rates = []
    for fix in (released(exercise.fix), exercise.fix):
        namespace = namespace_with(exercise, fix)
        exec(compile(sign.source, f"<sign of {case.id}>", "exec"), namespace)
        rates.append(sum(bool(namespace["sign"](seed)) for seed in range(sign.seeds)) / sign.seeds)
    assert rates[0] >= sign.broken and rates[1] <= sign.mended, f"seen in {rates[0]:.0%} of broken, {rates[1]:.0%} of mended"
