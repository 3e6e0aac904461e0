"""PROOF.md still holds. What has not changed since it was recorded is told by its hash; what has is tried again, case by case."""

import json
from dataclasses import replace

import pytest

from autograder.judge import Check, Exercise, Verdict

from .answers import Answer
from .proof import answers, blanks, elsewhere, graded, page, prove, record, versions

STAGE, CASE = graded()[0]
UNIT = prove.Unit("answers", STAGE, CASE)
TOLD = {"a guess": "Not yet: it is asked for."}
FIGURES = {"right": 4, "wrong": 10, "diagnosed": 9, "undiagnosed": ["a guess"], "told": TOLD, "tried": 5}


def test_the_page_is_what_the_record_says():
    assert prove.page_amiss(record.read()) == []


def test_nothing_came_out_worse_in_another_environment():
    assert versions.amiss(versions.read()) == []


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
    monkeypatch.setattr(versions, "VERSIONS", tmp_path / "versions.json")
    monkeypatch.setattr(versions, "here", lambda: None)
    monkeypatch.setattr(prove, "ROOT", tmp_path)
    monkeypatch.setattr(prove, "tried", lambda todo: ((unit, {"figures": FIGURES}) for unit in todo))
    monkeypatch.setattr(prove, "KINDS", {name: prove.KINDS[name] for name in ("answers", "blanks")})
    monkeypatch.setattr(page, "KINDS", prove.KINDS)
    return tmp_path


def test_what_was_done_is_kept_and_not_done_again(scratch, monkeypatch):
    def stopped(todo):
        yield todo[0], {"figures": FIGURES}
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(prove, "tried", stopped)
        prove.prove(CASE.id)
    assert "| 9 of 10 (90%) |" in (scratch / "PROOF.md").read_text() and "not proven" in (scratch / "PROOF.md").read_text()

    tried = []

    def noted(todo):
        tried.append([unit.kind for unit in todo])
        return ((unit, {"figures": FIGURES}) for unit in todo)

    monkeypatch.setattr(prove, "tried", noted)
    assert prove.prove(CASE.id) == prove.prove(CASE.id) == prove.prove(CASE.id, anew=True) == []
    assert tried == [["blanks"], [], ["answers", "blanks"]]
    assert "not proven" not in next(line for line in (scratch / "PROOF.md").read_text().splitlines() if CASE.id in line)


def test_what_cannot_be_proven_is_told_and_is_not_on_record(scratch, monkeypatch):
    assert prove.prove(CASE.id) == []
    monkeypatch.setattr(prove, "tried", lambda todo: ((unit, {"unproven": "'a guess' passes"}) for unit in todo))
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


@pytest.fixture
def in_numpy(monkeypatch):
    """A function that makes this environment one with the numpy of that version."""
    has = {"python": "3.12.1", "matplotlib": "3.11.2", "torch": None}
    return lambda version: monkeypatch.setattr(versions, "installed", lambda: has | {"numpy": version})


def test_what_passes_in_another_environment_is_kept_at_once_and_not_done_again(scratch, monkeypatch, in_numpy):
    prove.prove()
    in_numpy("2.4.6")

    def stopped(todo):
        yield todo[0], {"figures": FIGURES}
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(prove, "tried", stopped)
        elsewhere.prove_here("3.12", CASE.id)
    tried = []

    def noted(todo):
        tried.append([unit.kind for unit in todo])
        return ((unit, {"figures": FIGURES}) for unit in todo)

    monkeypatch.setattr(prove, "tried", noted)
    assert elsewhere.prove_here("3.12", CASE.id) == elsewhere.prove_here("3.12", CASE.id) == []
    in_numpy("2.5.5")
    assert elsewhere.prove_here("3.12", CASE.id) == []
    assert tried == [["answers"], [], ["blanks", "answers"]]


def test_what_is_proven_counts_for_the_environment_of_this_python(scratch, monkeypatch, in_numpy):
    in_numpy("2.5.5")
    monkeypatch.setattr(versions, "here", lambda: "3.12")
    prove.prove()
    kept = versions.read()["3.12"]
    assert len(kept["proven"]) == len(prove.units()) and not versions.stale(kept, prove.hashes())
    tried = []
    monkeypatch.setattr(prove, "tried", lambda todo: tried.extend(todo) or ())
    assert elsewhere.prove_here("3.12") == tried == []


def test_what_has_changed_since_is_told_and_the_page_holds_until_it_is_written_again(scratch, monkeypatch, in_numpy):
    prove.prove()
    in_numpy("2.5.5")
    elsewhere.prove_here("3.12", CASE.id)
    prove.write_page()
    total = 2 * len(graded())
    row = "| 3.12 | 3.12.1 | 2.5.5 | 3.11.2 | none | {} |"
    assert row.format(f"2 of {total}") in (scratch / "PROOF.md").read_text() and prove.check() == []
    own = prove.hashes()
    assert versions.told_stale(versions.read(), own) == []
    now = own | {str(UNIT): "of other code"}
    assert versions.told_stale(versions.read(), now) == ["3.12: 1 unit has changed since: run  autograder prove --versions 3.12"]
    assert prove.check() == []
    monkeypatch.setattr(prove, "hashes", lambda: now)
    prove.write_page()
    assert row.format(f"1 of {total}, 1 stale") in (scratch / "PROOF.md").read_text() and prove.check() == []


def test_what_comes_out_worse_in_another_environment_is_told_until_it_does_not(scratch, monkeypatch, in_numpy):
    prove.prove()
    in_numpy("2.5.5")
    with monkeypatch.context() as patch:
        patch.setattr(prove, "tried", lambda todo: ((unit, {"figures": FIGURES | {"diagnosed": 8, "tried": 5}}) for unit in todo))
        assert elsewhere.prove_here("3.12", CASE.id) == [f"{UNIT}: the share diagnosed has fallen from 0.9 to 0.8"]
    prove.write_page()
    line = f"{UNIT} is amiss in 3.12: run  autograder prove {CASE.id} --versions 3.12"
    assert prove.check() == [line] and f"- {line}" in (scratch / "PROOF.md").read_text()
    assert elsewhere.prove_here("3.12", CASE.id) == []
    prove.write_page()
    assert prove.check() == []


def test_an_environment_that_cannot_be_had_is_told_in_one_line(scratch, monkeypatch):
    monkeypatch.setenv("PATH", str(scratch))  # no uv, and no Python
    monkeypatch.setattr(elsewhere, "FOLDER", scratch / ".versions")
    told = "3.13 was not run: Python 3.13 cannot be had: install it, or uv, which brings it"
    assert elsewhere.prove_versions(["3.13"], CASE.id) == [told]
    with pytest.raises(elsewhere.NoEnvironment, match="there is no environment '2.7'; there are 3.11, 3.12, 3.13"):
        elsewhere.prove_versions(["2.7"])


def test_the_oldest_packages_are_those_that_the_project_allows():
    floors = [line for line in versions.PROJECT["dependencies"] if line.startswith(("numpy", "matplotlib"))]
    assert [pin.replace("==", ">=") for pin in versions.ENVIRONMENTS["3.11-oldest"].pins()] == floors and len(floors) == 2
    assert {each.python for each in versions.ENVIRONMENTS.values()} == {"3.11", "3.12", "3.13"}


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
