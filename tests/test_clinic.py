"""The clinic package: its gradients are those of its losses, and its helpers say what they promise to say."""

import re
import sys

import matplotlib.figure
import numpy as np
import pytest
from clinic import (
    MLP,
    History,
    LeastSquares,
    alarm_rates,
    batches,
    check,
    descend,
    global_norm,
    linear_data,
    mark_guess,
    spirals,
    thumbnails,
    train,
    vitals,
)
from clinic.models import log_softmax


def numerical_gradient(model, x, y, number, eps=1e-6):
    """Central differences of the model's loss with respect to each entry of params[number]."""
    param = model.params[number]
    gradient = np.zeros_like(param)
    for place in np.ndindex(param.shape):
        kept = param[place]
        param[place] = kept + eps
        above = model.loss(x, y)
        param[place] = kept - eps
        gradient[place] = (above - model.loss(x, y)) / (2 * eps)
        param[place] = kept
    return gradient


@pytest.mark.parametrize("sizes", [(2, 3), (2, 5, 3), (2, 4, 6, 3)])
def test_mlp_backpropagation_agrees_with_finite_differences(sizes):
    rng = np.random.default_rng(7)
    x, y = spirals(rng, points=6)
    model = MLP(sizes, rng)
    for bias in model.params[1::2]:
        bias += rng.normal(0, 0.3, bias.shape)
    loss, grads = model.loss_and_grads(x, y)
    assert loss == pytest.approx(model.loss(x, y), rel=1e-12)
    for number, grad in enumerate(grads):
        np.testing.assert_allclose(grad, numerical_gradient(model, x, y, number), rtol=1e-5, atol=1e-8)


def test_least_squares_gradient_agrees_with_finite_differences():
    rng = np.random.default_rng(8)
    x, y, w = linear_data(rng, rows=30, features=4)
    model = LeastSquares(4)
    model.params[0] += rng.normal(size=4)
    np.testing.assert_allclose(model.loss_and_grads(x, y)[1][0], numerical_gradient(model, x, y, 0), rtol=1e-6)
    model.params = [w]
    assert model.loss(x, y) == pytest.approx(0.01, rel=0.5)  # only the noise of standard deviation 0.1 is left


def test_log_softmax_survives_logits_that_overflow_the_exponential():
    np.testing.assert_allclose(log_softmax(np.array([[1000.0, 0.0], [-1000.0, -1000.0]])), [[0, -1000], [-np.log(2)] * 2])


def test_accuracy_counts_the_rows_whose_largest_logit_is_at_their_label():
    model = MLP((2, 2), np.random.default_rng(0))
    model.params = [np.eye(2), np.zeros(2)]
    assert model.accuracy(np.array([[2.0, 1.0], [0.0, 3.0], [5.0, 4.0]]), np.array([0, 1, 1])) == pytest.approx(2 / 3)


def test_data_comes_from_the_generator_alone():
    first, again, other = (spirals(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first[0], again[0]) and not np.array_equal(first[0], other[0])
    assert first[0].shape == (180, 2) and np.bincount(first[1]).tolist() == [60, 60, 60]
    assert np.linalg.norm(first[0], axis=1).max() <= 1 + 1e-12


def test_every_epoch_of_batches_is_a_new_permutation():
    pieces = list(batches(np.random.default_rng(0), rows=10, batch_size=4, epochs=2))
    assert [len(piece) for piece in pieces] == [4, 4, 2, 4, 4, 2]
    epochs = np.concatenate(pieces[:3]), np.concatenate(pieces[3:])
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs) and not np.array_equal(*epochs)


def test_train_logs_before_each_update_and_follows_the_schedule():
    x, y, _ = linear_data(np.random.default_rng(3))
    model = LeastSquares(5)
    start = model.loss(x, y)
    history = train(model, lambda: (x, y), steps=50, lr=lambda step: 0.1 / (1 + step), validation=(x, y))
    assert history["loss"][0] == history["val_loss"][0] == start
    assert history["lr"][:2] == [0.1, 0.05]
    assert history["loss"][-1] < history["loss"][0]
    assert len(history["grad_norm"]) == 50


def test_train_goes_on_when_the_run_is_lost():
    x, y, _ = linear_data(np.random.default_rng(3))
    history = train(LeastSquares(5), lambda: (x, y), steps=2000, lr=100.0)
    assert len(history["loss"]) == 2000 and not np.isfinite(history["loss"][-1])


def test_descend_and_global_norm():
    assert global_norm([np.array([3.0]), np.array([[4.0]])]) == 5.0
    np.testing.assert_array_equal(descend([np.ones(2)], [np.array([1.0, -1.0])], 0.5)[0], [0.5, 1.5])


def test_history_names_what_there_is_when_asked_for_what_is_not():
    history = History()
    history.log(loss=1, lr=0.1)
    with pytest.raises(KeyError, match="nothing was logged as 'val_loss'; there is loss, lr"):
        history["val_loss"]


def message_of(action):
    with pytest.raises(check.NotYet) as caught:
        action()
    return str(caught.value)


def test_close_says_the_call_what_came_what_was_expected_and_the_turn():
    text = message_of(lambda: check.close(2.0, 4.0, what="four is four", call="f(4)", turns={"it is halved": 2.0, "never": 9.0}))
    assert text.splitlines() == [
        "Not yet: four is four.",
        "  call      f(4)",
        "  expected  4",
        "  got       2",
        "  This is what comes out when it is halved.",
    ]


@pytest.mark.parametrize(
    "got, words",
    [
        (None, "None: does every way through your function return?"),
        ("four", "not a number or an array"),
        ([4.0, 4.0], "The expected shape is (); yours is (2,)."),
        (np.nan, "got       nan"),
    ],
)
def test_close_reads_well_for_answers_that_are_no_number(got, words):
    assert words in message_of(lambda: check.close(got, 4.0, what="four is four"))


def test_close_lets_right_answers_pass():
    check.close([1, 2], np.array([1.0, 2.0]), what="")
    check.close(1.01, 1.0, rtol=0.02, what="")


def test_that_names_the_first_turn_that_holds():
    text = message_of(lambda: check.that(False, what="it is so", got=None, turns={"a": False, "b": True, "c": True}))
    assert text.splitlines() == ["Not yet: it is so.", "  got       None", "  This is what comes out when b."]
    check.that(True, what="it is so")


def test_word_tells_which_verdicts_there_are_and_names_the_turn():
    def said(got):
        return message_of(lambda: check.word(got, "sick", ("well", "sick"), what="it is sick", turns={"nobody looks": "well"}))

    assert said("well").splitlines() == [
        "Not yet: it is sick.",
        "  expected  'sick'",
        "  got       'well'",
        "  This is what comes out when nobody looks.",
    ]
    assert "the verdict is 'well' or 'sick'" in said("ill") and "None" in said(None)
    check.word("sick", "sick", ("well", "sick"), what="")


def test_run_shows_a_failed_check_without_a_traceback(capsys):
    def failing():
        check.that(False, what="it is so")

    with pytest.raises(check.NotYet) as caught:
        check.run(failing)
    assert caught.value._render_traceback_() == ["Not yet: it is so."]
    assert "Passed" not in capsys.readouterr().out


def test_run_tells_how_the_code_under_it_stopped():
    def stopping():
        return 1 / 0

    text = message_of(lambda: check.run(stopping))
    assert "stopped with ZeroDivisionError: division by zero" in text and "return 1 / 0" in text


def test_run_keeps_what_is_said_on_stderr_off_it(capsys):
    def warning():
        print("look here", file=sys.stderr)
        np.log(np.zeros(1))  # numpy would warn

    check.run(warning)
    assert capsys.readouterr() == ("look here\nPassed.\n", "")


@pytest.fixture
def shown(monkeypatch):
    """What vitals displays, and the axes that it drew."""
    import IPython.display

    pages, figures = [], []
    monkeypatch.setattr(IPython.display, "display", lambda what: pages.append(what._repr_mimebundle_()))
    save = matplotlib.figure.Figure.savefig
    monkeypatch.setattr(matplotlib.figure.Figure, "savefig", lambda fig, *a, **k: (figures.append(fig), save(fig, *a, **k)))
    return pages, figures


def run_of(values):
    history = History()
    for value in values:
        history.log(loss=value)
    return history


def test_vitals_tell_both_runs_in_words_and_draw_them_apart_without_colour(shown):
    pages, figures = shown
    vitals(run_of([1, 500, 2]), run_of([1, 0.5, 0.25]), {"loss": "loss (nats)"}, caption="A run & its cure.")
    html = pages[0]["text/html"]
    alt = re.search(r'alt="([^"]*)"', html).group(1)
    assert "as complained about, from 1 to 2 with a peak of 5e+02 at 1; your code, from 1 to 0.25" in alt
    assert "<figcaption>A run &amp; its cure.</figcaption>" in html
    ax = figures[0].axes[0]
    broken, mended = ax.get_lines()[:2]
    assert broken.is_dashed() and not mended.is_dashed() and broken.get_linewidth() != mended.get_linewidth()
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_yscale()) == ("step", "loss (nats)", "log")


def test_vitals_mark_where_a_run_leaves_the_numbers(shown):
    pages, figures = shown
    vitals(run_of([1, 2, np.nan, np.nan]), run_of([1, 1, 1, 1]), {"loss": "loss"}, caption="c")
    assert "from 1 to not a finite number at 2" in pages[0]["text/html"]
    crosses = [line for line in figures[0].axes[0].get_lines() if line.get_marker() == "X"]
    assert [line.get_xydata().tolist() for line in crosses] == [[[1.0, 2.0]]]


def test_vitals_take_several_seeds_and_a_guess(shown):
    pages, figures = shown
    vitals([run_of([1, 3]), run_of([1, 5])], run_of([1, 1]), {"loss": "loss"}, caption="c", guess={"loss": 2})
    assert "as complained about, from 1 to 4" in pages[0]["text/html"]
    assert [text.get_text() for text in figures[0].axes[0].texts] == ["your guess"]


def test_alarm_rates_tell_for_each_kind_what_is_wanted_and_what_came(shown):
    pages, figures = shown
    alarm_rates({"spike": 0.25, "calm": 1.0}, {"spike": 1.0, "calm": 0.0}, {"spike": True, "calm": False}, "c", action="rings")
    text = pages[0]["text/html"]
    assert "spike (it should): as complained about 25%, your code 100%" in text
    assert "calm (it should not): as complained about 100%, your code 0%" in text
    (ax,) = figures[0].axes
    assert [label.get_text() for label in ax.get_yticklabels()] == ["spike", "calm"]
    assert {line.get_marker() for line in ax.get_lines()} == {"X", "o"}


def test_alarm_rates_mark_a_guess_at_its_kind(shown):
    rates = {"spike": 0.5, "calm": 0.5}
    alarm_rates(rates, rates, {"spike": True, "calm": False}, "c", guess={"calm": 0.25})
    (ax,) = shown[1][0].axes
    (text,) = [text for text in ax.texts if text.get_text() == "your guess"]
    assert text.xy[0] == 0.25 and -0.5 < text.xy[1] < 0.5  # "calm" is the lower row, at 0


def test_a_guess_is_a_dotted_line_with_its_name():
    from clinic import figure

    _, (ax,) = figure()
    mark_guess(ax, 0.3, at=0.0, va="top")
    (line,) = ax.get_lines()
    assert line.get_linestyle() == ":" and set(line.get_ydata()) == {0.3}
    (text,) = ax.texts
    assert (text.get_text(), text.get_ha(), text.get_va()) == ("your guess", "left", "top")


def test_thumbnails_show_a_flat_curve_flat_and_tell_each_in_words(shown):
    pages, figures = shown
    thumbnails(
        {
            "Stands still": ({"loss": [1.0, 0.99]}, "loss (nats)"),
            "Two ways": ({"training": [1, 0.1], "validation": [1, 2]}, "loss (nats)"),
            "Falls far": ({"loss": [100, 1]}, "loss (nats)"),
            "Never was one": ({"loss": [np.nan, np.nan]}, "loss (nats)"),
        },
        caption="Signs.",
    )
    text = pages[0]["text/html"]
    assert "Stands still: loss, from 1 to 0.99." in text and "training, from 1 to 0.1; validation, from 1 to 2." in text
    assert "Never was one: loss, not a finite number from the start." in text
    still, two, far, never = figures[0].axes
    assert still.get_ylim()[0] == 0 and far.get_yscale() == "log"
    assert len({line.get_linestyle() for line in two.get_lines()}) == 2
    assert [text.get_text() for text in never.texts] == ["never a number"]
