"""PROOF.md still holds. What has not changed since it was recorded is told by its hash; what has is tried again, case by case."""

import pytest

from .proof import graded, prove, record

pytestmark = pytest.mark.spread
each_case = pytest.mark.parametrize("stage, case", graded(), ids=[case.id for _, case in graded()])


def test_the_page_is_what_the_record_says():
    assert prove.page_amiss(record.read()) == []


@each_case
def test_the_proof_holds(stage, case):
    recorded = record.read()
    assert [line for unit in prove.units(case.id) for line in prove.check_here(unit, recorded)] == []
