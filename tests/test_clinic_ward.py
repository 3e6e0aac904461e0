"""The ward: its runs repeat, a healthy one learns, and each fault leaves the sign that the triage's docstring tells."""

import numpy as np
import pytest
from clinic.ward import VAL_EVERY, VERDICTS, Patient, admit, does_harm, ward

EACH = 3
KEYS = {"loss", "val_loss", "val_every", "grad_norms", "ratios", "lr", "epoch", "planned", "classes", "events"}


@pytest.fixture(scope="module")
def runs():
    """By verdict, its runs; half of them wide."""
    admitted = [*ward(5, EACH), *ward(6, EACH, wide=True)]
    return {verdict: [run for planted, run in admitted if planted == verdict] for verdict in VERDICTS}


def end_of(run):
    return np.median(run["loss"][-20:])


def chance_of(run):
    return np.log(run["classes"])


def same(a, b):
    return all(np.array_equal(a[name], b[name], equal_nan=True) if name != "events" else a[name] == b[name] for name in KEYS)


def test_the_same_seed_gives_the_same_runs(runs):
    admitted = ward(5, EACH)
    ward.cache_clear()
    again = ward(5, EACH)
    assert again is not admitted
    assert [verdict for verdict, _ in again] == [verdict for verdict in VERDICTS for _ in range(EACH)]
    assert all(same(a, b) for (_, a), (_, b) in zip(admitted, again))


def test_other_seeds_and_wide_give_other_runs():
    first, other, wide = (
        admit("healthy", seed, is_wide) for seed, is_wide in (([5, 0, 0], False), ([9, 0, 0], False), ([5, 0, 0], True))
    )
    assert not same(first, other) and not same(first, wide)


@pytest.mark.parametrize("verdict", VERDICTS)
def test_telemetry_has_the_shapes_that_are_told(runs, verdict):
    for run in runs[verdict]:
        assert set(run) == KEYS
        steps, layers = len(run["loss"]), run["grad_norms"].shape[1]
        assert run["grad_norms"].shape == run["ratios"].shape == (steps, layers) and layers >= 2
        assert run["lr"].shape == (steps,) and run["val_every"] == VAL_EVERY
        assert run["val_loss"].shape == (len(range(0, steps, VAL_EVERY)),)
        assert steps <= run["planned"] and 3 <= run["classes"] <= 5 and run["epoch"] >= 1
        assert all(0 <= step < steps for step, _ in run["events"])


def test_nothing_names_the_fault(runs):
    """Every kind has the same keys and the same words in its notes, and good runs have notes too."""
    texts = {text for of_kind in runs.values() for run in of_kind for _, text in run["events"]}
    assert texts == {"large input"}
    assert any(run["events"] for verdict in VERDICTS if verdict != "bad batch" for run in runs[verdict])


def test_a_healthy_run_learns(runs):
    for run in runs["healthy"]:
        assert end_of(run) < 0.5 * chance_of(run)
        assert run["val_loss"][-1] < 0.5 * chance_of(run) and run["val_loss"][-1] < 1.2 * end_of(run) + 0.3
        assert len(run["loss"]) == run["planned"] and run["loss"].max() < 8 * chance_of(run)


def is_repeated(run):
    """The correlation of each epoch's log losses with the next one's, the first epoch left out, in the mean."""
    epochs = len(run["loss"]) // run["epoch"]
    table = np.log(np.clip(run["loss"][: epochs * run["epoch"]], 1e-6, 1e3)).reshape(epochs, -1)[1:]
    return np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(table, table[1:])])


SIGNS = {
    "lr too low": lambda run: run["lr"].max() < 0.01 and np.median(run["ratios"].max(axis=1)) < 0.01,
    "lr too high": lambda run: run["lr"].min() >= 3 and not run["loss"][1:].max() < 3 * chance_of(run),
    "bad batch": lambda run: any(
        run["loss"][step] > 3 * run["loss"][step - 5 : step].max() for step, _ in run["events"] if step > 5
    ),
    "schedule ended": lambda run: np.mean(run["lr"] < 3e-3 * run["lr"].max()) > 0.8,
    "vanishing gradient": lambda run: np.median(run["grad_norms"][:10, 0]) < 0.01 * np.median(run["grad_norms"][:10, -1]),
    "dead units": lambda run: not run["grad_norms"][:, 0].any() and run["grad_norms"][0, -1] >= 0,
    "model too small": lambda run: end_of(run) > 0.15 * chance_of(run) and run["lr"].max() > 0.1,
    "overfitting": lambda run: run["val_loss"][-1] > max(1.2 * run["val_loss"].min(), 2 * np.mean(run["loss"][-20:])),
    "labels shuffled": lambda run: end_of(run) > 0.85 * chance_of(run) and np.median(run["ratios"].max(axis=1)) > 1e-3,
    "validation prepared differently": lambda run: (
        run["val_loss"][-1] > 2 * end_of(run) + 0.3 and end_of(run) < 0.9 * chance_of(run)
    ),
    "data not shuffled": lambda run: is_repeated(run) > 0.4,
    "bad initialisation": lambda run: run["loss"][0] > 5 * chance_of(run),
    "stopped too early": lambda run: 1 / 8 <= len(run["loss"]) / run["planned"] <= 1 / 4 and len(run["loss"]) >= 15,
    "cannot tell": lambda run: len(run["loss"]) < 15,
}


@pytest.mark.parametrize("verdict", SIGNS)
def test_each_fault_leaves_its_sign(runs, verdict):
    assert all(SIGNS[verdict](run) for run in runs[verdict])


@pytest.mark.parametrize("verdict", ["bad initialisation", "dead units", "schedule ended", "bad batch", "overfitting"])
def test_a_healthy_run_does_not_have_the_sign_of_one_cause(runs, verdict):
    assert not any(SIGNS[verdict](run) for run in runs["healthy"])


@pytest.mark.parametrize("verdict", ["stopped too early", "cannot tell"])
def test_a_run_that_was_cut_off_is_on_its_side_of_15_steps(verdict):
    for seed in range(300):
        patient = Patient(np.random.default_rng(seed), wide=seed % 2 == 1)
        getattr(patient, verdict.replace(" ", "_"))(severity=(seed % 11) / 10)
        assert (patient.stop < 15) == (verdict == "cannot tell")


def run_with(val_loss, loss=0.1):
    return {"val_loss": np.array(val_loss, dtype=float), "loss": np.full(20, loss), "classes": 3}


def test_a_fault_that_does_no_harm_is_not_admitted():
    def well():
        return run_with([1.0, 0.3, 0.1])

    assert not does_harm("bad batch", run_with([1.0, 0.3, 0.1]), 0, well)
    assert does_harm("bad batch", run_with([1.0, 0.5, 0.4]), 0, well)
    assert does_harm("data not shuffled", run_with([1.0, np.nan, np.nan]), 0, well)
    # What was before the fault does not count.
    assert does_harm("bad batch", run_with([1.0, 0.3, 0.2]), 15, well)
    assert not does_harm("bad batch", run_with([9.0, 0.3, 0.1]), 5, well)


def test_overfitting_has_to_rise_and_to_have_learnt_its_rows():
    assert does_harm("overfitting", run_with([1.0, 0.5, 0.9]), 0, None)
    assert not does_harm("overfitting", run_with([1.0, 0.9, 0.9]), 0, None)
    assert not does_harm("overfitting", run_with([1.0, 0.5, 0.9], loss=0.6), 0, None)
