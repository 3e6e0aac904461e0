"""Where PyTorch has what a case builds, the reference solution agrees with it, or the case says where the two part."""

import tomllib

import numpy as np
import pytest

from autograder.cases import released
from autograder.judge import namespace_with
from autograder.paths import ROOT, STAGES

from .proof import cases, exercises
from .proof.parity import CONFIGURATIONS, COUNTERPARTS, VERSION, missing, prove

CASES = {case.id: (stage, case) for stage in STAGES for case in cases(stage) if case.id in COUNTERPARTS}
SCENE_ONLY = ("explode-attention-scale", "reg-weight-decay")  # the network of the scene is compared, and it is not broken

needs_torch = pytest.mark.skipif(missing() is not None, reason=str(missing()))
each_counterpart = pytest.mark.parametrize("name", COUNTERPARTS)


@needs_torch
@each_counterpart
def test_solution_agrees_with_pytorch(name):
    figures = prove(*CASES[name])
    assert figures["configurations"] == CONFIGURATIONS >= 20


@needs_torch
@pytest.mark.parametrize("name", [name for name in COUNTERPARTS if name not in SCENE_ONLY])
def test_broken_code_does_not_agree(name):
    exercise = exercises(CASES[name][0])[name]
    names = namespace_with(exercise, released(exercise.fix))
    counterpart = COUNTERPARTS[name]
    try:
        with np.errstate(all="ignore"):
            gaps = [counterpart.compare(names, np.random.default_rng(number)) for number in range(CONFIGURATIONS)]
    except Exception:
        return
    assert not max(gaps) < 1000 * counterpart.tolerance


@each_counterpart
def test_discharge_note_says_where_they_differ(name):
    prose = "\n".join(cell.source for cell in CASES[name][1].of_kind("markdown"))
    note = " ".join(prose.partition("**In PyTorch**")[2].split())
    for words in COUNTERPARTS[name].told:
        assert words in note, f"{CASES[name][1].path}: say in *In PyTorch* that {COUNTERPARTS[name].differs}"


def test_extra_installs_the_version_of_the_figures():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert extras["parity"] == [f"torch=={VERSION}"]
