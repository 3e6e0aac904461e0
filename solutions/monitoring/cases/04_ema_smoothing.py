# %% [markdown]
# ## Case 4 · The curve fell at step 450, and nothing had happened there
#
# About 15 minutes · difficulty 2 of 5 · 5 points
#
# **The complaint.** A dashboard smooths the loss of each run. Yesterday its curve fell off a cliff at step 450, and
# somebody spent the morning on what the optimizer had done there. It had done nothing. One bad batch had come at step 350.
# Another run logged a single `nan`, and a hundred points went missing from its curve. And the slider for the smoothing,
# which is `beta` in the code, does nothing at all.
#
# **After this case you can** say what a smoothed loss remembers and how late it is, start an average without a bias, and
# keep one bad number from spoiling the rest of the curve.
#
# ### The code

# %% fix="ema-smoothing"
def smooth(values, beta=0.99):
    """The exponential moving average of a loss: beta of the old average and 1 - beta of the new
    value make the next.

    values: list or array of n losses. beta: from 0 to below 1. Returns n numbers: number i is the
    average of values[: i + 1].
    Graded: the first finite value comes out as it is, a constant stays that constant, no output
    leaves the range of the values so far, and none looks at later values. Once the average has
    settled, half of a jump is seen after log(0.5) / log(beta) steps: 69 for 0.99, 7 for 0.9. A
    nan or inf is left out: its step repeats the output before it (nan where there is none yet),
    and later outputs are what they would be without that step.
    Not graded: which of the two usual starts you take (both are right), and whether a list or an
    array comes back.
    """
    ### BEGIN BROKEN
    # # just the mean of the last 100
    # return [np.mean(values[max(0, step - 99) : step + 1]) for step in range(len(values))]
    ### END BROKEN
    ### BEGIN SOLUTION
    total, count, average, smoothed = 0.0, 0, np.nan, []
    for value in values:
        if np.isfinite(value):
            total, count = beta * total + (1 - beta) * value, count + 1
            # The total started at zero, and so it is too small by the weight it has not yet handed out.
            average = total / (1 - beta**count)
        smoothed.append(average)
    return smoothed
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** The loss has been 1 for a long time, and falls to 0 between one step and the next. After
# how many steps does an average with $\beta=0.99$ stand at 0.5? Is it quicker or slower than the mean of the last 100?
# Write your guess as `my_guess`: the right panel shows it.


# %% scene="ema-smoothing"
def losses_with_a_bad_batch(seed, steps=900, bad_batch=350):
    """A loss that falls from 2.5 to 0.5 with 10 % noise. The one at `bad_batch` is sixty times what it would be."""
    rng = np.random.default_rng(seed)
    losses = (0.5 + 2 * np.exp(-np.arange(steps) / 70)) * (1 + 0.1 * rng.normal(size=steps))
    losses[bad_batch] *= 60
    return losses.tolist()


def answer_to_a_jump(smooth, steps=500):
    """What `smooth` shows after 1500 ones, at the last of them and at each of `steps` zeros that follow."""
    return np.array(smooth([1.0] * 1500 + [0.0] * steps, beta=0.99), dtype=float)[1499:]


def steps_until(curve, share):
    """How many steps pass until `curve`, which starts at 1, has come `share` of its way to 0; None where it has not."""
    there = np.flatnonzero(curve <= 1 - share + 1e-9)
    return int(there[0]) if there.size else None


def show_smoothing(before, now, seed, guess):
    """Draw what two smoothing functions make of a loss with one bad batch, and of a jump from 1 to 0."""
    fig, (left, right) = figure(2)
    losses = losses_with_a_bad_batch(seed)
    left.plot(losses, color="#888888", linewidth=0.6, label="the loss itself")
    told = []
    for style, smoothing, label in ((BROKEN, before, "as complained about"), (MENDED, now, "your code")):
        curve, jump = np.array(smoothing(losses, beta=0.99), dtype=float), answer_to_a_jump(smoothing)
        left.plot(curve, label=label, **style)
        right.plot(jump, label=label, **style)
        right.plot([steps_until(jump, 0.5)], [0.5], "o", color=style["color"], markersize=8, markerfacecolor="white", zorder=4)
        told.append(
            f"{label}: the curve starts at {curve[0]:.2g}, stands at {curve[449]:.2g} at step 449 "
            f"and at {curve[452]:.2g} at step 452; "
            f"half of the jump is seen after {steps_until(jump, 0.5)} steps, 90 % after {steps_until(jump, 0.9)}, "
            f"99 % after {steps_until(jump, 0.99)}"
        )
    left.annotate("bad batch", (350, 2.9), ha="center", va="bottom", fontsize="small")
    left.set(xlabel="step", ylabel="loss (nats)", ylim=(0, 3.2))
    left.legend(frameon=False, fontsize="small", loc="upper right")
    right.axvline(guess, color="#444444", linestyle=":", linewidth=1.5)
    right.annotate("your guess", (guess, 0.98), xytext=(4, 0), textcoords="offset points", fontsize="small")
    right.axhline(0.5, color="#444444", linewidth=0.8)
    right.set(xlabel="steps since the jump", ylabel="smoothed value", xlim=(-10, max(480, guess + 60)))
    show(
        fig,
        "Left: a noisy loss with one bad batch at step 350, smoothed. Right: a jump from 1 to 0, smoothed. Circles: half seen.",
        "Two panels. " + ". ".join(told) + f". Your guess is {guess:.3g}.",
    )


# %% run="ema-smoothing"
my_guess = 30  # steps until half of a jump is seen, with beta = 0.99

show_smoothing(broken.smooth, smooth, seed=0, guess=my_guess)
for share in (0.5, 0.9, 0.99):
    late = [steps_until(answer_to_a_jump(function), share) for function in (broken.smooth, smooth)]
    print(f"{share:.0%} of a jump is seen after {late[0]} steps as complained about, after {late[1]} with your code.")


# %% check="ema-smoothing" points=5
def smoothed_by_you(values, beta, call):
    """What smooth makes of a copy of `values`, as a float array, once it is proven to be one number for each step."""
    got = smooth(list(values), beta=beta)
    count = np.shape(got)
    check.that(
        got is not None and count == (len(values),),
        what="one number comes back for each step",
        call=call,
        expected=f"{len(values)} numbers",
        got="None" if got is None else "one number" if count == () else f"an answer of shape {count}",
        turns={"only the last smoothed value is returned": got is not None and count == ()},
    )
    return np.array(got, dtype=float)


def two_right_averages(values, beta):
    """Both right forms, from their weights: started at zero and corrected, and started at the first value."""
    corrected, first, finite = [], [], []
    for value in values:
        finite += [value] if np.isfinite(value) else []
        weights = float(beta) ** np.arange(len(finite))[::-1]
        corrected.append(weights @ finite / weights.sum() if finite else np.nan)
        weights[1:] *= 1 - beta
        first.append(weights @ finite if finite else np.nan)
    return np.array(corrected), np.array(first)


def check_one_of_two(values, beta, what, call, turns):
    """smooth gives one of the two right forms on `values`; a turn of None is one that has been told apart already."""
    got = smoothed_by_you(values, beta, call)
    corrected, first = two_right_averages(values, beta)
    same = {"rtol": 1e-5, "atol": 1e-9 * np.nanmax(np.abs(first)), "equal_nan": True}
    short = [np.array2string(a, precision=4, separator=", ", threshold=10) for a in (corrected, first, got)]
    check.that(
        np.allclose(got, corrected, **same) or np.allclose(got, first, **same),
        what=what,
        call=call,
        expected=f"{short[0]}, or {short[1]}",
        got=short[2],
        turns={turn: any(np.allclose(got, answer, rtol=1e-3, equal_nan=True) for answer in each) for turn, each in turns.items()},
    )


def check_smooth():
    call = "smooth([2.0] * 600, beta=0.99)"
    flat = smoothed_by_you([2.0] * 600, 0.99, call)
    weights = 1 - 0.99 ** np.arange(1, 601)
    wrong = np.flatnonzero(~np.isclose(flat, 2, rtol=1e-5))
    check.that(
        wrong.size == 0,
        what="a constant stays that constant",
        call=call,
        expected="2 at every step",
        got=f"{flat[0]:.3g} at step 0, {flat[100]:.3g} at step 100, within 1 % "
        f"from step {np.flatnonzero(~np.isclose(flat, 2, rtol=0.01)).max(initial=-1) + 1} on",
        turns={
            "both starts are taken, as in the document's fix: it begins at the first value, where nothing is missing, "
            "and then divides by 1 - beta**t all the same": np.allclose(flat, 2 / weights),
            "the average starts at zero and is not corrected: at first most of its weight is on that zero": np.allclose(
                flat, 2 * weights
            ),
            "beta**t is divided by with t one too small, or too large": np.allclose(flat[1:], 2 * (weights[1:] / weights[:-1]))
            or np.allclose(flat[:-1], 2 * (weights[:-1] / weights[1:])),
            "the average starts at zero, is not corrected, and beta and 1 - beta are swapped": np.allclose(
                flat, 2 * (1 - 0.01 ** np.arange(1, 601))
            ),
        },
    )

    falling = [3.0 - 0.02 * step for step in range(120)]
    call = "smooth(values, beta=0.9) of 120 values, and of the first 60 of them"
    short, long = smoothed_by_you(falling[:60], 0.9, call), smoothed_by_you(falling, 0.9, call)
    check.that(
        np.allclose(short, long[:60], rtol=1e-9),
        what="no output looks at later values",
        call=call,
        expected=f"the same output at step 59, {short[59]:.4g}",
        got=f"{long[59]:.4g} once sixty more are known",
        turns={
            "the average runs from the end to the start, or both ways: it is drawn before it can be known": True,
        },
    )

    jump = smoothed_by_you([1.0] * 2000 + [0.0] * 400, 0.99, "smooth([1.0] * 2000 + [0.0] * 400, beta=0.99)")
    half = int(np.argmax(jump[2000:] <= 0.5 + 1e-9)) + 1 if (jump[2000:] <= 0.5 + 1e-9).any() else 401
    check.that(
        59 <= half <= 79,
        what="with beta = 0.99 half of a jump is seen after 69 steps, give or take 10",
        call="smooth([1.0] * 2000 + [0.0] * 400, beta=0.99)",
        expected="an output of 0.5 some 69 steps after the jump",
        got=f"{half} step{'s' if half > 1 else ''} after the jump" if half < 401 else "more than 0.5 for 400 steps",
        turns={
            "the last hundred values count alike, whatever beta is: the mean of a window": half == 50,
            "beta and 1 - beta are swapped, or nothing is smoothed": half == 1,
            "beta is turned into a span n = 1 / (1 - beta), and then 2 / (n + 1) is taken for the new value's share": 33
            <= half
            <= 37,
            "all values from the start on are averaged": half > 400,
        },
    )

    check_one_of_two(
        [1.0, 0.5, 0.0],
        0.6,
        what="three values by hand: either right start may be taken",
        call="smooth([1.0, 0.5, 0.0], beta=0.6)",
        turns={
            "beta is not read: 0.99 is taken, whatever is passed": two_right_averages([1.0, 0.5, 0.0], 0.99),
            "beta and 1 - beta are swapped": two_right_averages([1.0, 0.5, 0.0], 0.4),
        },
    )
    spoilt = [1.0, 0.5, np.nan, 0.0, np.inf, 0.0]
    as_zero = [value if np.isfinite(value) else 0.0 for value in spoilt]
    filled = [1.0, 0.5, 0.5, 0.0, 0.0, 0.0]
    corrected, first = two_right_averages(spoilt, 0.6)
    weights = 1 - 0.6 ** np.arange(1, 7)
    got_finite = np.isfinite(smoothed_by_you(spoilt, 0.6, "smooth([1, 0.5, nan, 0, inf, 0], beta=0.6)"))
    poisoned, gaps = [], []
    for answer in (corrected, first):
        gaps.append(np.where(np.isfinite(spoilt), answer, np.nan))
        poisoned += [np.where(np.arange(6) < start, answer, spoil) for start in (2, 4) for spoil in (np.nan, np.inf)]
    turns = {
        "one nan stays in the average for ever": poisoned[:2] + poisoned[4:6] if not got_finite[2:].any() else [],
        "only nan is left out: an inf comes through, and stays for ever": []
        if got_finite[4:].any()
        else poisoned[2:4] + poisoned[6:],
        "what is not finite is taken for 0": two_right_averages(as_zero, 0.6),
        "what is not finite is replaced by the value before it, which then counts twice": two_right_averages(filled, 0.6),
        "the step is left as a gap, and does not repeat the output before it": gaps
        + [np.where(np.isfinite(spoilt), answer, spoilt) for answer in (corrected, first)],
        "the steps left out are counted in the correction 1 - beta**t": [
            corrected * (1 - 0.6 ** np.array([1, 2, 2, 3, 3, 4])) / weights,
            corrected * (1 - 0.6 ** np.array([1, 2, 2, 3, 3, 4])) / (1 - 0.6 ** np.array([1, 2, 2, 4, 4, 6])),
        ],
    }
    check_one_of_two(
        spoilt,
        0.6,
        what="a nan or inf is left out, and its step repeats the output before it",
        call="smooth([1, 0.5, nan, 0, inf, 0], beta=0.6)",
        turns=turns,
    )
    check_one_of_two(
        [np.nan, np.inf, 2.0, 1.0],
        0.6,
        what="before the first finite value there is nothing to show: nan; then it starts",
        call="smooth([nan, inf, 2, 1], beta=0.6)",
        turns={
            "what is not finite is taken for 0": two_right_averages([0.0, 0.0, 2.0, 1.0], 0.6),
            "the average starts at the first value even where that is nan or inf": [
                [np.nan] * 4,
                [np.nan, np.inf, np.inf, np.inf],
            ],
            "0 is shown where nothing is known yet": [
                np.nan_to_num(a) for a in two_right_averages([np.nan, np.nan, 2.0, 1.0], 0.6)
            ],
        },
    )


check.run(check_smooth)


### BEGIN HIDDEN TESTS
def check_smooth_elsewhere():
    rng = check.hidden_rng(1959)
    for sign, low, high in ((1, 0.85, 0.93), (-1, 0.93, 0.98), (1, 0.98, 0.995)):
        scale, beta, steps = sign * 10 ** rng.uniform(-3, 3), rng.uniform(low, high), int(rng.integers(150, 300))
        values = scale * (1 + rng.random(steps))
        got = smoothed_by_you(values, beta, "smooth(values) of other losses")
        room = 1e-6 * abs(scale)
        inside = (got >= np.minimum.accumulate(values) - room) & (got <= np.maximum.accumulate(values) + room)
        check.that(
            inside.all(), what="no output leaves the range of the values so far", got=f"it does at step {np.argmin(inside)}"
        )
        values[rng.choice(steps, 12, replace=False)] = rng.choice([np.nan, np.inf, -np.inf], 12)
        call = f"smooth(values, beta={beta:.4g})"
        check_one_of_two(values, beta, what="other losses, some of them not finite", call=call, turns={})
    three, start, beta = rng.uniform(1, 5, 3).tolist(), rng.uniform(1, 9), rng.uniform(0.3, 0.7)
    check_one_of_two(three, 0.0, what="beta = 0 smooths nothing", call="smooth of three values, beta=0", turns={})
    check_one_of_two([-np.inf, start], beta, what="a run that starts at -inf", call="smooth([-inf, a number])", turns={})


check.run(check_smooth_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# Feed `smooth` a hundred zeros, a single 100 and two hundred zeros more. When does the output change? Then look for `beta`
# in the code.
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# In a window a value counts fully until it drops out, and then the curve moves though nothing has happened. An exponential
# average lets it fade: each step multiplies its weight by $\beta$. The only question is what the average holds before the
# first value.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Carry one number along. Either it begins as the first value, and you use it as it is. Or it begins as zero, and you show it
# divided by the sum of the weights handed out so far, which is $1-\beta^t$. Take one of the two. Where a value is not finite,
# nothing may change, not even the count $t$.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *Mistake 4: Wrong Smoothing for Loss Display.*
#
# With losses $x_1,\dots,x_t$ the exponential moving average is $s_t=\beta s_{t-1}+(1-\beta)x_t$ (Roberts 1959, doi
# 10.1080/00401706.1959.10489860). A value $k$ steps old has the weight $(1-\beta)\beta^k$. Started at $s_0=0$, the weights add up
# to $1-\beta^t$ only, so $s_t/(1-\beta^t)$ is what to show (the same correction as in Adam, Kingma & Ba 2015, arXiv 1412.6980,
# section 3, which is case 3 of stage 1). Started at $s_1=x_1$, the weights add up to 1 from the first step on, and there is
# nothing to correct. For three losses 1, 0.5, 0 and $\beta=0.6$ the first gives 1, 0.69, 0.34, the second 1, 0.80, 0.48. The
# first forgets its start sooner.
#
# **When the advice misleads.** The document's own fix starts at the first loss *and* divides by $1-\beta^t$. With $\beta=0.99$ a
# constant loss of 2 is then shown as 200 at step 0, 19 at step 10, 3.14 at step 100, and within 1 % only from step 459 on. A fine
# descent, and none of it took place.
#
# **A moving average is not a mistake in itself.** The document says that the exponential average "responds faster". After a
# jump:
#
# | | half seen | 90 % | 99 % | noise left |
# | --- | --- | --- | --- | --- |
# | mean of the last 100 | 50 steps | 90 | 99 | 10 % |
# | $\beta=0.99$ | 69 steps | 230 | 459 | 7 % |
# | $\beta=0.98$ | 35 steps | 114 | 228 | 10 % |
#
# ("Noise left" is the standard deviation of the smoothed curve over that of independent noise in the loss,
# $\sqrt{(1-\beta)/(1+\beta)}$ for the exponential average.) At equal noise it sees the first half sooner and the rest
# later. What the window has that it has not is the far edge: a bad batch shows twice, once when it comes in and once, a
# hundred steps later, when it drops out. It also needs the last hundred values where the average needs one number. But its
# memory ends, and after 100 steps it has surely forgotten; choose it where you need that, and do not read its cliffs.
#
# **Whatever you smooth with,** alarms belong on the raw loss (cases 1 and 2): a spike of 20 times the loss raises an average with
# $\beta=0.99$ by a fifth only.
#
# **In PyTorch** there is no such function for losses. TensorBoard's slider starts at zero and corrects; it leaves a gap at
# `nan`. In pandas, `ewm(alpha=1 - beta, ignore_na=True)` is that form too, and with `adjust=False` the other. Its `span` is
# not $1/(1-\beta)$: there the new value has the share $2/(\mathrm{span}+1)$.
#
# </details>
