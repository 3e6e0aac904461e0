"""The answer files are complete. What becomes of the answers is proven in test_proof.py."""

import pytest

from .answers import answer_path, read_answers
from .proof import graded


@pytest.mark.parametrize("stage, case", graded(), ids=[case.id for _, case in graded()])
def test_there_are_enough_answers_and_a_sign(stage, case):
    answers, sign = read_answers(answer_path(stage, case.path), case.of_kind("fix")[0].source)
    assert sum(answer.is_right for answer in answers) >= 4
    assert sum(not answer.is_right for answer in answers) >= 8
    assert len({answer.name for answer in answers}) == len(answers)
    assert {"untouched", "emptied"} <= {answer.name for answer in answers}
    assert sign is not None, "the answer file has no sign cell"
