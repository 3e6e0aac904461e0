# %% [markdown]
# ## Case 2.5 · Mended by a number from somebody else's network
#
# About 15 minutes · difficulty 3 of 5 · 6 points
#
# **The complaint.** A recurrent network, trained without clipping, was `nan` within eight steps. One line was added,
# taken from a tutorial: gradients are clipped to a norm of 1. Since then nothing has been `nan`. But the loss takes 120
# steps to where a neighbour's run of the same network is after 30.
#
# **After this case you can** choose the limit of clipping from a log of norms, so that it leaves ordinary steps alone, and see in
# the same log when clipping would only hide the cause.
#
# In stage 1 you made the mechanics of clipping (case 5), in stage 2 the log of the norms (case 3). Both were given the limit.
# Here the limit is what is asked for, and the log is what you have.
#
# ### The code

# %% fix="explode-no-clip"
def clip_limit(norms):
    """A limit for clipping by the global norm; None where clipping is not the cure.

    norms: the norm of the gradient before any clipping, one a step, a list or a float array of
    length 200 to 2000. At least 80 % of the steps are ordinary: their norms lie around one level,
    between a fifth of it and four times it. The scale is any, 1e-4 to 1e4. All other steps are
    20 or more times the level, or nan or inf. Up to 15 % of the steps are such at the start of the
    run, while it settles, and up to 5 % anywhere.
    Graded: the limit is one positive finite number; at most 2 % of the ordinary steps are above
    it; it is at most half of the smallest of the exceptional norms. So it lies from 4 to 10 times
    the level, or lower where the ordinary steps are closer together.
    None is graded too: where there is no level, because the norms climb through the whole run, by
    a factor of 1000 or more from the first step to the last. Elsewhere return a number.
    """
    ### BEGIN BROKEN
    # # the usual value
    # return 1.0
    ### END BROKEN
    ### BEGIN SOLUTION
    norms = np.asarray(norms, dtype=float)
    quarters = [np.median(part[np.isfinite(part)]) for part in np.array_split(norms, 4)]
    if quarters[3] > 5 * quarters[1]:
        return None
    norms = norms[np.isfinite(norms)]
    # The median is an ordinary step whatever the others are; only steps near it have a say in the percentile.
    ordinary = norms[norms < 10 * np.median(norms)]
    return 1.5 * np.percentile(ordinary, 99)
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** With a limit of 1, what share of the 120 steps is clipped? The limit is there for the
# exceptional ones. Write your guess as `my_guess`, from 0 to 1: the line under the figure answers it.


# %% scene="explode-no-clip"
def clip_to(limit):
    """An update for `train`: gradient descent with the gradients clipped to the norm `limit`."""

    def update(params, grads, lr):
        norm = global_norm(grads)
        factor = limit / norm if norm > limit else 1.0
        return descend(params, [factor * grad for grad in grads], lr)

    return update


def train_rnn(limit, seed, steps=120, lr=0.001):
    """Train a recurrent network on noisy sums of 40 numbers. `clipped` is the share of the steps so far that were clipped."""
    rng = np.random.default_rng(seed)
    net = ReluRNN(32, rng)
    history = train(net, lambda: noisy_sums(rng), steps, lr, clip_to(limit))
    norms = np.array(history["grad_norm"])
    history.signals["clipped"] = list(np.cumsum(norms > limit) / np.arange(1, steps + 1))
    history.signals["loss"] = [np.median(history["loss"][max(0, step - 9) : step + 1]) for step in range(steps)]
    return history


def norms_of_a_probe(seed, steps=200):
    """The norms before clipping in a run that cannot explode: its limit was set low, and its norms were logged.

    The first steps of the run, where the weights are still what they were drawn as, are in the log.
    """
    return np.array(train_rnn(15.0, seed + 1000, steps)["grad_norm"])


def show_limits(norms, limits, before, now):
    """The log of the norms with both limits in it, and the losses of the two runs."""
    fig, (left, right) = figure(2, height=3.3)
    left.plot(norms, ".", color="#444444", markersize=4, label="norms of the probe")
    told = []
    labels = ("limit as complained about", "your limit")
    for limit, run, style, label in zip(limits, (before, now), (BROKEN, MENDED), labels):
        left.axhline(limit, label=label, **style)
        right.plot(run["loss"], **style)
        told.append(f"{label}: {limit:.1g}, and its loss ends at {run['loss'][-1]:.1g}")
    left.set(xlabel="step", ylabel="norm before clipping", yscale="log", ylim=(0.5, 20 * max(norms)))
    left.legend(frameon=False, fontsize="small", loc="upper right")
    right.set(xlabel="step", ylabel="loss (squared units),\nmedian of 10 steps", yscale="log")
    show(
        fig,
        "Left: the log from which the limit is chosen. Right: 120 steps at a rate of 0.001 with each of the limits.",
        f"Left, norms from {min(norms):.1g} to {max(norms):.1g}, their median {np.median(norms):.1g}. " + "; ".join(told) + ".",
    )


# %% run="explode-no-clip"
my_guess = 0.05  # the share of the steps that a limit of 1 clips

norms = norms_of_a_probe(seed=0)
limits = broken.clip_limit(norms), clip_limit(norms)
complaint, now = (train_rnn(limit, seed=0) for limit in limits)
show_limits(norms, limits, complaint, now)
print(f"A limit of 1 clips {complaint['clipped'][-1]:.0%} of the steps. You said {my_guess:.0%}.")
print(f"Your limit, {limits[1]:.1g}, clips {now['clipped'][-1]:.0%}. The median norm of the probe is {np.median(norms):.0f}.")


# %% check="explode-no-clip" points=6
def made_norms(seed, level, steps=400, spread=0.5, start=0.0, spikes=0.0, bad=(), spike=20.0):
    """Norms of a run, and which of them are ordinary. start, spikes: the shares of exceptional steps; bad: values put in."""
    rng = np.random.default_rng(seed)
    norms = level * np.clip(np.exp(spread * rng.normal(size=steps)), 0.22, 3.8)
    is_ordinary = np.ones(steps, dtype=bool)
    is_ordinary[: int(start * steps)] = False
    later = np.arange(int(start * steps), steps)
    places = rng.choice(later, int(spikes * steps), replace=False)
    is_ordinary[places] = False
    count = (~is_ordinary).sum()
    norms[~is_ordinary] = level * spike * 10 ** (rng.random(count) * 2)
    norms[places[: len(bad)]] = bad
    return norms, is_ordinary


def check_limit(name, **settings):
    norms, is_ordinary = made_norms(**settings)
    got = clip_limit(norms.copy())
    call = f"clip_limit(norms) for {name}, level {settings['level']:g}"
    finite = norms[np.isfinite(norms)]
    has_bad = finite.size < norms.size
    is_number = got is not None and np.ndim(got) == 0 and np.isfinite(got) and got > 0
    check.that(
        is_number,
        what="the limit is one positive finite number",
        call=call,
        got=got,
        turns={
            "a nan or inf in the log goes into the limit": got is not None and has_bad,
            "None is returned although there is a level: exceptional steps are not a climb, wherever they stand": got is None,
        },
    )
    limit = float(got)
    ordinary = norms[is_ordinary]
    share = np.mean(ordinary > limit)
    usual = "a usual value is returned, whatever the log says: the scale of norms is that of this loss and this network"
    is_usual = limit in (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 100.0)
    check.that(
        share <= 0.02,
        what="at most 2 % of the ordinary steps are clipped",
        call=call,
        expected=f"a limit of {np.percentile(ordinary, 98):.3g} or more",
        got=f"{limit:.3g}, which clips {share:.0%} of them",
        turns={
            usual: is_usual,
            "the limit stands at the middle of the ordinary steps: half of them are clipped": 0.3 < share < 0.7,
            "the limit lies below what ordinary steps reach: it is a smaller learning rate in disguise": share >= 0.7,
            "the limit is that of a percentile too low, or of the mean and a little more": True,
        },
    )
    smallest = norms[~is_ordinary & np.isfinite(norms)].min(initial=20 * settings["level"])
    too_high = {
        usual: is_usual,
        "the largest norm is the limit: nothing is ever clipped": limit >= 0.99 * finite.max(),
        "a percentile of all steps is taken, and the exceptional ones are among them": any(
            np.isclose(limit, np.percentile(finite, q), rtol=1e-3) for q in (85, 90, 95, 97.5, 98, 99, 99.5)
        ),
        "mean and standard deviation are taken, and a few exceptional steps carry both away": any(
            np.isclose(limit, value, rtol=1e-3)
            for k in (0, 1, 2, 3, 4, 5)
            for value in (finite.mean() + k * finite.std(), (k + 1) * finite.mean())
        ),
        "the first steps, where the run settles, have a say in the limit": settings.get("start", 0) > 0.09,
        "exceptional steps have a say in the limit": (~is_ordinary).any(),
    }
    check.that(
        limit <= 0.501 * smallest,
        what="the limit is at most half of the smallest exceptional norm",
        call=call,
        expected=f"{0.5 * smallest:.3g} or less",
        got=f"{limit:.3g}",
        turns=too_high,
    )


def check_climb(seed, factor, steps=400, level=1.0):
    rng = np.random.default_rng(seed)
    norms = level * factor ** np.linspace(0, 1, steps) * np.exp(0.3 * rng.normal(size=steps))
    got = clip_limit(norms)
    check.that(
        got is None,
        what="where the norms climb through the whole run there is no level, and the answer is None",
        call=f"clip_limit(norms) for norms that climb from {level:g} to {level * factor:g}",
        expected="None",
        got=got,
        turns={"a limit is given to whatever climbs: it would stop the nan, and hide what makes the norms grow": got is not None},
    )


def check_no_clip():
    check_limit("ordinary steps, and 3 % of exceptional ones", seed=1, level=12.0, spikes=0.03, steps=600)
    check_limit("the same in small units", seed=2, level=0.002, spikes=0.03)
    check_limit("ordinary steps alone", seed=3, level=40.0)
    check_limit("a run that settles: 15 % at the start, 5 % later", seed=4, level=9.0, start=0.15, spikes=0.05)
    check_limit("nan and inf among them", seed=5, level=300.0, spikes=0.03, bad=(np.nan, np.inf, np.nan))
    check_limit("steps that are close together", seed=6, level=5.0, spread=0.1, spikes=0.04)
    check_limit("20 % of exceptional steps, of 300 times the level", seed=7, level=2.0, start=0.15, spikes=0.05, spike=300.0)
    check_climb(8, 2000)


check.run(check_no_clip)


### BEGIN HIDDEN TESTS
def check_no_clip_elsewhere():
    rng = check.hidden_rng(25)

    def run(name, **settings):
        settings = dict(steps=int(rng.integers(400, 2001)), level=10 ** rng.uniform(-4, 4)) | settings
        return name, settings

    cases = [
        *(run("a run that settles", start=rng.uniform(0, 0.15), spikes=rng.uniform(0.02, 0.05)) for _ in range(4)),
        run("nan and inf", start=rng.uniform(0, 0.12), spikes=0.05, bad=rng.choice([np.nan, np.inf, -np.nan], 5)),
        run("ordinary steps close together", spread=rng.uniform(0.05, 0.2), start=rng.uniform(0, 0.15), spikes=0.02),
        run("no exceptional step"),
        run("far exceptional steps", start=rng.uniform(0.1, 0.15), spikes=0.05, spike=10 ** rng.uniform(1.5, 3)),
        run("a climb", factor=10 ** rng.uniform(3.3, 5), level=10 ** rng.uniform(-4, 0)),
        run("a climb", factor=10 ** rng.uniform(3.3, 5), level=10 ** rng.uniform(-4, 0)),
    ]
    for number in rng.permutation(len(cases)):
        name, settings = cases[number]
        seed = int(rng.integers(2**31))
        if name == "a climb":
            check_climb(seed, **settings)
        else:
            check_limit(name, seed=seed, **settings)


check.run(check_no_clip_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# Sort the norms of the log. Where does the limit of 1 stand among them? Where do the steps begin that you want to stop?
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# A norm has the units of this loss and grows with the number of parameters, so no limit fits all networks. The mean and
# the largest value of the log belong to its worst steps. Which number of the log stays where it is, if a fifth of the
# log is replaced by nonsense?
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Leave out what is no number. Take the median: an ordinary step is within four times of it, an exceptional one at least
# 20 times. Keep the ordinary ones and stand a little above their high percentiles. Before that, compare the medians of
# parts of the run, leaving out its first part: if they climb by a great deal, say None.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *Gradient Explosion: No gradient clipping. Fix: Add `clip_grad_norm_(params, 1.0)`.* And then a limit that came
# from elsewhere.
#
# Through $T$ steps of time the gradient holds the product $\prod_{t} D_tW^\top$, with $W$ the recurrent matrix and
# $D_t$ zeros and ones for the units that are off or on. Where it stretches, it stretches $T$ times, and a single step
# can be thousands of times too long (Pascanu et al. 2013, arXiv 1211.5063, section 2). Clipping to the limit
# $c$ multiplies the gradient $g$ by $\min(1, c/\lVert g\rVert)$. With $c$ far below all norms it is $c\,g/\lVert
# g\rVert$ at every step, *normalised* gradient descent: every step has the length $\eta c$, with $\eta$ the learning
# rate, whatever the gradient is. Pascanu et al. 2013, section 3.2, advise to look at the average norm over many updates,
# and found limits from half to ten times that to work.
#
# **The twin** is a learning rate that is too high. Exceptional steps are rare. At a rate of 0.001 and a limit of 150 they are 2
# to 4 of 100, nearly all at the start, and the loss ends at 0.05 to 0.07 (four seeds; unclipped all are `nan`). At 0.01 and a
# limit of 50 there are 7 to 10 of 100 to the very end, with norms of $10^4$ and more, and the loss stays at 0.7 to 0.95. There
# the ordinary steps are too long, and after each of them the next is exceptional. If the share of clipped steps does not go down,
# lower the rate.
#
# **When the advice misleads.** "Add `clip_grad_norm_(params, 1.0)`": here no norm is below 1, so all steps are clipped. The
# median loss of 20 seeds is 0.43 after 40 steps and 0.12 after 200, against 0.16 and 0.06 with the limit from the log. (Three of
# the 20 were faster at 40 with the limit of 1.) And a limit far below all norms is not always worse. At the rate of 0.01 above it
# *rescues* the run, to 0.10 to 0.19, since it makes every step short: it has lowered the rate, and nobody knows by how much.
#
# The log of an exploding run is a few steps long. To get norms of ordinary steps, run for a few hundred steps at a low limit and
# log the norms from before it, as the experiment here does. Look again once the new limit is in use, since the norms change with
# the place.
#
# **In PyTorch** `clip_grad_norm_(parameters, max_norm)` returns the norm from before clipping. Log it from the first
# day. With `max_norm=float("inf")` it measures and clips nothing.
#
# </details>
