"""Every answer in tests/answers is judged as in a notebook and as in the grader, with the same verdict and the right words.

A right one passes both, in the grader with other hidden inputs. A wrong one fails, in words that hold those of its `says`. It is
diagnosed when a message goes on "This is what comes out when ..." and `says` asks for words of that sentence: a check that knows
the wrong turn has named it, and whoever wrote the answer vouches that it is this one. The right demand alone, or a number that
differs, does not count. The released code, and functions without a body, have to fail too, and are not counted.
"""

import re

from autograder.grader.check_cells import HIDDEN_FAILED
from autograder.judge import judge

from ..answers import answer_path, read_answers
from ..boxed import judge_in_box
from . import exercises

DEPENDS = ("case", "answers", "clinic", "grader")
PRIVATE_SEED = 20150612  # any: hidden checks then have other inputs than the repository's
NO_MISCONCEPTION = ("untouched", "emptied")


def prove(stage, case):
    """How many answers were tried, and of each wrong one whether it is diagnosed and what it is told.

    Returns {"right": n, "wrong": n, "diagnosed": n, "undiagnosed": [name], "told": {name: words}}. Raises ValueError where an
    answer is not judged as its file says.
    """
    exercise = exercises(stage)[case.id]
    answers, _ = read_answers(answer_path(stage, case.path), case.of_kind("fix")[0].source)
    figures = {"right": 0, "wrong": 0, "diagnosed": 0, "undiagnosed": [], "told": {}}
    amiss = []
    for answer in answers:
        verdicts = judge(exercise, answer.source)
        graded = judge_in_box(exercise, answer.source, private_seed=PRIVATE_SEED if answer.is_right else None)
        amiss += [f"{answer.name!r} {why}" for why in (_right if answer.is_right else _wrong)(answer, verdicts, graded)]
        if answer.is_right:
            figures["right"] += 1
        elif answer.name not in NO_MISCONCEPTION:
            is_diagnosed, figures["told"][answer.name] = told(answer, verdicts)
            figures["wrong"] += 1
            figures["diagnosed"] += is_diagnosed
            figures["undiagnosed"] += [] if is_diagnosed else [answer.name]
    if amiss:
        raise ValueError("\n".join([f"{answer_path(stage, case.path)}: mend the check or the answer:", *amiss]))
    return figures


def _right(answer, verdicts, graded):
    yield from (f"is right and fails: {verdict.message}" for verdict in verdicts if not verdict.passed)
    if all(verdict.passed for verdict in verdicts):
        yield from (f"passes in the notebook, and not in the grader: {message}" for message in graded.values() if message)


def _wrong(answer, verdicts, graded):
    said = [verdict.message for verdict in verdicts if not verdict.passed]
    refused = [message for message in graded.values() if message]
    if not said:
        yield "is wrong and passes"
        return
    yield from (f"is not told {words!r}, but {_plain(said)}" for words in answer.says if not _holds(said, words))
    if [verdict.check.id for verdict in verdicts if verdict.passed] != [name for name in graded if graded[name] is None]:
        yield f"has other verdicts in the grader: {_plain(refused)}"
    elif not any(HIDDEN_FAILED.split(":")[0] in message for message in refused):
        untold = [words for words in answer.says if not _holds(refused, words)]
        yield from (f"is not told {words!r} in the grader, but {_plain(refused)}" for words in untold)


def _holds(said, words):
    return bool(words) and " ".join(words.split()) in _plain(said)


def _plain(said):
    """Messages as one line: a long one is wrapped, wherever the words stand in it."""
    return " ".join("\n".join(said).split())


def told(answer, verdicts):
    """Whether a wrong answer is diagnosed, and the words that say most: of the wrong turn, or else the first sentence."""
    failed = [verdict for verdict in verdicts if not verdict.passed]
    turns = [f"This is what comes out when {verdict.turn}." for verdict in failed if verdict.turn]
    vouched = [turn for turn in turns if any(_holds([turn], words) for words in answer.says)]
    demands = (re.split(r"\n  (?:call|while|in|expected|got) ", verdict.message)[0] for verdict in failed)
    return bool(vouched), next(iter([*vouched, *turns, *(_plain([demand]) for demand in demands)]), "")
