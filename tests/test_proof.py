"""PROOF.md still holds. What has not changed since it was recorded is told by its hash; what has is tried again, case by case."""

import json
from dataclasses import replace

import pytest

from autograder.judge import Check, Exercise, Verdict

from .answers import Answer
from .proof import answers, blanks, graded, page, prove, record

STAGE, CASE = graded()[0]
UNIT = prove.Unit("answers", STAGE, CASE)
TOLD = {"a guess": "Not yet: it is asked for."}
FIGURES = {"right": 4, "wrong": 10, "diagnosed": 9, "undiagnosed": ["a guess"], "told": TOLD, "tried": 5}


def test_the_page_is_what_the_record_says():
    assert prove.page_amiss(record.read()) == []


@pytest.mark.parametrize("stage, case", graded(), ids=[case.id for _, case in graded()])
def test_the_proof_holds(stage, case):
    recorded = record.read()
    assert [line for unit in prove.units(case.id) for line in prove.check_here(unit, recorded)] == []


def test_text_and_figures_are_not_in_the_hash_and_code_is():
    def changed(*kinds):
        cells = [replace(cell, source=cell.source + "\n") if cell.kind in kinds else cell for cell in CASE.cells]
        return replace(UNIT, case=replace(CASE, cells=tuple(cells))).hash()

    assert changed() == changed("markdown", "run") == UNIT.hash()
    assert len({changed(), changed("scene"), changed("fix"), changed("check")}) == 4


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """Record and page in a folder of the test's own; what is tried comes to FIGURES, without trying."""
    monkeypatch.setattr(record, "RECORD", tmp_path / "record.json")
    monkeypatch.setattr(prove, "PAGE", tmp_path / "PROOF.md")
    monkeypatch.setattr(prove, "ROOT", tmp_path)
    monkeypatch.setattr(prove, "_tried", lambda todo: ((unit, {"figures": FIGURES}) for unit in todo))
    monkeypatch.setattr(prove, "KINDS", {name: prove.KINDS[name] for name in ("answers", "blanks")})
    monkeypatch.setattr(page, "KINDS", prove.KINDS)
    return tmp_path


def test_what_was_done_is_kept_and_not_done_again(scratch, monkeypatch):
    def stopped(todo):
        yield todo[0], {"figures": FIGURES}
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(prove, "_tried", stopped)
        prove.prove(CASE.id)
    assert "| 9 of 10 (90%) |" in (scratch / "PROOF.md").read_text() and "not proven" in (scratch / "PROOF.md").read_text()

    tried = []

    def noted(todo):
        tried.append([unit.kind for unit in todo])
        return ((unit, {"figures": FIGURES}) for unit in todo)

    monkeypatch.setattr(prove, "_tried", noted)
    assert prove.prove(CASE.id) == prove.prove(CASE.id) == prove.prove(CASE.id, anew=True) == []
    assert tried == [["blanks"], [], ["answers", "blanks"]]
    assert "not proven" not in next(line for line in (scratch / "PROOF.md").read_text().splitlines() if CASE.id in line)


def test_what_cannot_be_proven_is_told_and_is_not_on_record(scratch, monkeypatch):
    assert prove.prove(CASE.id) == []
    monkeypatch.setattr(prove, "_tried", lambda todo: ((unit, {"unproven": "'a guess' passes"}) for unit in todo))
    lines = prove.prove(CASE.id, anew=True)
    assert len(lines) == 2 and all("'a guess' passes" in line for line in lines) and record.read() == {}


def test_a_page_or_a_record_that_was_edited_is_told(scratch):
    prove.prove()
    assert prove.check() == []
    (scratch / "PROOF.md").write_text("All is well.")
    assert prove.check() == ["PROOF.md is not what its record says: run  autograder prove"]
    kept = record.read()
    kept["optimizers/no-such-case"] = kept.pop(record.key_of(STAGE, CASE))
    record.RECORD.write_text(json.dumps(kept))
    lines = prove.check()
    assert "optimizers/no-such-case: answers" in lines[0] and f"{UNIT} is not proven: run  autograder prove {CASE.id}" in lines
    record.RECORD.write_text("{")
    with pytest.raises(record.NoRecord, match="autograder prove --all"):
        prove.check()


@pytest.mark.parametrize(
    "change, told",
    [
        ({}, None),
        ({"told": {"a guess": "Not yet: it is asked for otherwise."}}, None),
        ({"diagnosed": 8}, "the share diagnosed has fallen from 0.9 to 0.8"),
        ({"wrong": 11, "diagnosed": 10}, "the page says ['4', '10', '9 of 10 (90%)']"),
    ],
)
def test_what_has_become_worse_is_told(change, told):
    recorded = {record.key_of(STAGE, CASE): {"answers": {"hash": "of other code", "figures": FIGURES}}}
    lines = prove.complaints(UNIT, {"figures": FIGURES | change}, recorded)
    assert lines == [] if told is None else len(lines) == 1 and told in lines[0]


def test_a_check_that_asks_for_nothing_is_found_out(monkeypatch):
    regions = ("    ### BEGIN BROKEN", "    # return x", "    ### END BROKEN", "    ### BEGIN SOLUTION", "    return 2 * x")
    fix, check = "\n".join(("def f(x):", *regions, "    ### END SOLUTION")), "assert f(0.0) == 0.0, 'twice nothing is nothing'"
    exercise = Exercise("twice", "Twice", ("import numpy as np",), fix, (Check("twice-check", check, 1),))
    monkeypatch.setattr(blanks, "exercises", lambda stage: {CASE.id: exercise})
    with pytest.raises(ValueError, match="'returns 0.0' passes twice-check"):
        blanks.prove(STAGE, CASE)


def test_a_message_diagnoses_where_the_answer_vouches_for_its_turn():
    def told(says, turn):
        answer = Answer("a guess", False, "", says)
        message = "Not yet: it is asked for.\n  call      f(1)" + (f"\n  This is what comes out when {turn}." if turn else "")
        return answers.told(answer, [Verdict(Check("twice-check", "", 1), message, turn)])

    assert told(("it is guessed",), "it is guessed at") == (True, "This is what comes out when it is guessed at.")
    assert told(("it is asked for",), "it is guessed at") == (False, "This is what comes out when it is guessed at.")
    assert told(("it is asked for",), None) == (False, "Not yet: it is asked for.")
