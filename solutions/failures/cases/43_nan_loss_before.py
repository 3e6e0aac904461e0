# %% [markdown]
# ## Case 4.3 · Three runs ended in NaN, and one cure was tried on all
#
# About 20 minutes · difficulty 3 of 5 · 6 points
#
# **The complaint.** Three runs died in one week. In each log the last loss before the `nan` was looked up. It was `inf`, so they
# had exploded, and the rate was divided by thirty in all three. Two live now. The third dies at the same step as before, with any
# rate.
#
# **After this case you can** read from the losses of a dead run whether its steps were too long or one batch was bad, and settle
# it by one cheap experiment where the losses cannot say.
#
# Cases 4.1 and 4.2 searched the data and kept the gradients. Here you have what nearly every run leaves: its losses.
# And, with luck, the parameters at its end.
#
# ### The code

# %% fix="nan-loss-before"
def why_nan(losses, others=None):
    """What to change in a run that ended in nan: "step size", "batch" or "cannot tell".

    losses: the loss of every step, a list of 30 to 2000 floats. At least one is nan, inf or -inf;
    the first of these stands at step f, 30 or later, and what comes after it says nothing.
    others: None where the parameters are lost; else a callable without arguments. It puts the
    parameters with which the loss of step f was computed to ten other batches, and returns their
    ten losses, an array. It costs time.
    Let low be the lowest loss before f; it is positive. Graded:
    A ramp: the last 8 or more losses before f are all above 10 * low. It is "step size", and
    others is not called.
    A jump: of the last 20 losses before f, at most the last three are above 4 * low; earlier ones
    may have been. Then it is "cannot tell" where others is None. Else others is called once:
    "batch" where eight or more of the ten losses are finite and below 4 * low;
    "step size" where eight or more are above 10 * low, nan or infinite.
    Not graded: runs and answers between these.
    """
    ### BEGIN BROKEN
    # # check the loss value before NaN
    # last = losses[np.argmax(np.isnan(losses)) - 1]
    # return "step size" if last > 10 * losses[0] else "batch"
    ### END BROKEN
    ### BEGIN SOLUTION
    losses = np.asarray(losses, dtype=float)
    healthy = losses[: np.argmin(np.isfinite(losses))]
    low = healthy.min()
    if np.all(healthy[-6:] > 6 * low):
        return "step size"  # it took many steps to get here, each from the one before
    if others is None:
        return "cannot tell"
    # The same parameters on other data: only one of the two is changed.
    is_usual = np.asarray(others()) < 6 * low  # false for nan
    return "batch" if is_usual.sum() > 5 else "step size"
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** Three kinds of runs. A: a linear model whose rate is raised fifteenfold, to about one
# and a half times what it bears. B: the same with a good rate, and one target that is `inf`. C: a model of counts, whose
# prediction is $e^{x\cdot w}$, its rate raised thirtyfold. Once they are dead, each cure is tried: divide the rate by
# thirty, or leave out the batch of step $f$, the first whose loss is not finite. In what share of the runs C does
# leaving out the batch help? Write your guess as `my_guess`. The line under the figures answers it.


# %% scene="nan-loss-before"
class Counts:
    """Poisson regression with the exponential link; the loss is the negative log-likelihood plus 1, without the factorial."""

    def __init__(self, features):
        self.params = [np.zeros(features)]

    def loss_and_grads(self, x, y):
        log_rate = x @ self.params[0]
        return float(np.mean(np.exp(log_rate) - y * log_rate) + 1), [x.T @ (np.exp(log_rate) - y) / len(y)]


DEATHS = {"A: linear, rate raised": True, "B: linear, one bad target": True, "C: counts, rate raised": True}


def run_to_death(kind, seed, divide=1, leave_out=None, steps=240):
    """Train in float32 for `steps` steps, or until the loss is not finite. divide: the rate, by how much. leave_out: a step.

    Returns the losses, and ten losses of other batches with the last parameters.
    """
    rng = np.random.default_rng(seed)
    x, y, w = linear_data(rng, rows=1280, features=6, noise=0.5)
    at = int(rng.integers(100, 160))
    model, lr, raised = LeastSquares(6), 0.1, 15
    if kind.startswith("C"):
        x, model, lr, raised = 0.3 * x, Counts(6), 1.0, 30
        y = rng.poisson(np.exp(0.3 * x @ np.ones(6))).astype(float)
    elif kind.startswith("B"):
        raised = 1
    x, y = x.astype(np.float32), y.astype(np.float32)
    model.params = [param.astype(np.float32) for param in model.params]
    stream = list(batches(rng, len(x), 128, epochs=-(-(steps + 10) // 10)))
    losses = []
    with np.errstate(all="ignore"):
        for step, rows in enumerate(stream[:steps]):
            if step == leave_out:
                continue
            batch_y = y[rows].copy()
            if kind.startswith("B") and step == at:
                batch_y[3] = np.inf
            loss, grads = model.loss_and_grads(x[rows], batch_y)
            losses.append(loss)
            if not np.isfinite(loss):
                break
            rate = np.float32(lr * (raised if step >= at else 1) / divide)
            model.params = [param - rate * grad for param, grad in zip(model.params, grads)]
        others = np.array([model.loss_and_grads(x[rows], y[rows])[0] for rows in stream[-10:]])
    return losses, others


def lives_after(kind, seed, verdict):
    """Whether the run makes all its steps with the cure that the verdict stands for."""
    losses, _ = run_to_death(kind, seed)
    cures = {"step size": dict(divide=30), "batch": dict(leave_out=len(losses) - 1)}
    return verdict in cures and bool(np.isfinite(run_to_death(kind, seed, **cures[verdict])[0]).all())


def show_deaths(before, now, my_guess, runs=8):
    """The last losses of one run of each kind, and how often the runs live with the cures that both functions choose."""
    panels, rates, c_lives = {}, [{}, {}], []
    for kind in DEATHS:
        lived = [[], []]
        for seed in range(runs):
            losses, others = run_to_death(kind, seed)
            cures = {}
            for place, judge in enumerate((before, now)):
                with np.errstate(all="ignore"):
                    said = judge(losses + [np.nan] * 3, lambda: others.copy())
                if said not in cures:
                    cures[said] = lives_after(kind, seed, said)
                lived[place].append(cures[said])
            if kind.startswith("C"):
                c_lives.append(cures["batch"] if "batch" in cures else lives_after(kind, seed, "batch"))
            if seed == 0:
                panels[kind] = ({"loss": losses[-70:]}, "loss" if not panels else "")
        for place in (0, 1):
            rates[place][kind] = np.mean(lived[place])
    last = "The last 70 losses of one run of each kind; the cross is the first that is not finite."
    thumbnails(panels, last, over="step of the last 70")
    caption = f"{runs} runs of each kind: how often does the run live with the cure that was chosen?"
    alarm_rates(*rates, DEATHS, caption, action="lives with the cure chosen", of="runs")
    print(f"Leaving out the batch: {np.mean(c_lives):.0%} of the runs C live. You said {my_guess:.0%}.")


# %% run="nan-loss-before" atlas="4"
my_guess = 0.5  # the share of runs C that live when the batch of step f is left out

show_deaths(broken.why_nan, why_nan, my_guess)

# %% check="nan-loss-before" points=6
NAN_VERDICTS = ("step size", "batch", "cannot tell")


def dead_losses(seed, steps, climb=(), scale=1.0, fall=1.0, end=(np.nan,)):
    """`steps` healthy losses that fall from fall * scale to scale; then `climb`, in units of the lowest; then `end`."""
    rng = np.random.default_rng(seed)
    healthy = scale * rng.uniform(1, 2.2, steps) * np.maximum(fall ** (1 - np.arange(steps) / (0.6 * steps)), 1)
    return np.concatenate([healthy, healthy.min() * np.array(climb), end]).tolist(), float(healthy.min())


def check_why(what, want, losses, answers=None, turns=None, call=None):
    """why_nan says `want`; answers: what others returns, or None. It is called where, and only where, the text says so."""
    calls = []

    def others():
        calls.append(1)
        return np.array(answers, dtype=float)

    said = why_nan(list(losses), others if answers is not None else None)
    f = int(np.argmin(np.isfinite(losses)))
    call = call or "why_nan([..., " + ", ".join(f"{loss:.2g}" for loss in losses[max(0, f - 4) : f + 2]) + "], "
    call += "None)" if answers is None else f"others), low {min(losses[:f]):.2g}, others with median {np.median(answers):.2g}"
    check.word(said, want, NAN_VERDICTS, what=what, call=call, turns=turns)
    is_ramp = answers is not None and want == "step size" and "ramp" in what
    if is_ramp:
        what = "a ramp is judged without others, which costs time"
        first = {"others is asked before the losses are, which know a ramp by themselves": True}
        check.that(not calls, what=what, call=call, got=f"{len(calls)} calls", turns=first)
    elif answers is not None:
        asked = "others is called once for a jump: the losses alone cannot tell"
        again = {"others is asked again for what it has answered": len(calls) > 1}
        check.that(len(calls) == 1, what=asked, call=call, got=f"{len(calls)} calls", turns=again)


def check_deaths(seed, scale, steps):
    one_value = (
        "one value before the failure is judged, as usual: a jump through a huge loss, or through inf, has it as well as a ramp"
    )
    by_first = "the first loss is the measure, or the failure is looked for as nan only: the first that is not finite counts"
    blind = "every jump is put down to the batch: an exponential turns one step that is too long into a jump"
    short = "a few steps are compared with each other: before a long ramp ends, those are all high"
    only = "no question is put to the losses: the probe is asked first, or a missing one is taken for an answer"
    slow = 1.6 ** np.arange(2, 150)
    for name, climb, end in (
        ("of 12 steps", 12 * 3.0 ** np.arange(12), (np.inf, np.nan)),
        ("of 148 steps", slow, (np.nan,)),
        ("of 30 steps, up and down", 20 * 4.0 ** np.arange(30) * np.tile([1, 0.3], 15), (np.inf,)),
    ):
        losses, low = dead_losses(seed, steps, climb, scale, end=end)
        turns = {short if len(climb) > 20 else only: "cannot tell", by_first: "batch"}
        check_why(f"a ramp {name} is step size", "step size", losses, None, turns)
        check_why(f"a ramp {name} is step size", "step size", losses, [low] * 10, turns)
    gone = np.array([np.nan, np.inf] * 5)
    for name, climb, end in (
        ("straight to inf, then nan", (), (np.inf, np.nan)),
        ("straight to nan, with ordinary numbers after it", (), (np.nan, 1.0 * scale, 1.5 * scale)),
        ("over one huge loss", (1e25,), (np.nan,)),
        ("over three that rise", (30, 1e6, 1e20), (np.inf, np.nan, np.nan)),
    ):
        losses, low = dead_losses(seed + 2, steps, climb, scale, fall=30.0, end=end)
        usual = low * np.linspace(1, 2, 10)
        unknown = "a jump is put down to the batch, or to the steps, without having asked: both can do it"
        check_why(
            f"a jump {name}, the parameters lost: nobody can tell",
            "cannot tell",
            losses,
            None,
            {one_value: "step size", unknown: "batch"},
        )
        check_why(
            f"a jump {name}, and other batches as usual: the batch",
            "batch",
            losses,
            usual,
            {one_value: "step size", only: "cannot tell"},
        )
        one_more = "one bad loss among the ten decides: another batch may be bad as well, and a mean over nan is nan"
        check_why(
            f"a jump {name}, and nine other batches of ten as usual: the batch",
            "batch",
            losses,
            [*usual[:9], np.nan],
            {one_more: "step size"},
        )
        check_why(f"a jump {name}, and other batches gone: step size", "step size", losses, gone, {blind: "batch"})
        finite = "only nan and inf are seen in the answer: parameters can be spoilt and the losses finite"
        huge = low * 1e9 * np.arange(1, 11)
        check_why(f"a jump {name}, and other batches at 1e9: step size", "step size", losses, huge, {finite: "batch"})
        check_why(
            f"a jump {name}, and nine other batches of ten gone: step size",
            "step size",
            losses,
            [*gone[:9], low],
            {"one good loss among the ten decides: nan drops out of a minimum or of a nanmean": "batch"},
        )
    losses, low = dead_losses(seed + 1, steps, 15 * 1.5 ** np.arange(12), scale, fall=1e4)
    check_why("a ramp that ends below where the run began is step size", "step size", losses, None, {by_first: "cannot tell"})
    losses, low = dead_losses(seed + 3, steps, (), scale)
    losses[steps // 3 : steps // 3 + 9] = [low * 500] * 9
    recovered = "a spike that was long over is taken for the beginning of the end: the steps just before the failure count"
    check_why("a jump long after a spike that healed, the parameters lost", "cannot tell", losses, None, {recovered: "step size"})


def check_loss_before():
    check_deaths(100, 0.3, 90)


check.run(check_loss_before)


### BEGIN HIDDEN TESTS
def check_loss_before_elsewhere():
    rng = check.hidden_rng(43)

    def begin():
        return int(rng.integers(2**31)), int(rng.integers(60, 320)), 10.0 ** rng.uniform(-4, 6)

    seed, steps, scale = begin()
    check_deaths(seed, scale, steps)
    # Ramps and jumps of drawn lengths and heights, in a drawn order.
    for want in rng.permutation(["ramp"] * 6 + ["step size", "batch", "cannot tell"] * 4):
        seed, steps, scale = begin()
        end = [np.nan, np.inf, -np.inf][rng.integers(3)]
        if want == "ramp":
            climb = rng.uniform(11, 30) * rng.uniform(1.05, 1.6) ** np.arange(rng.integers(8, 120))
            losses, low = dead_losses(seed, steps, climb, scale, end=(end,))
            answers = low * rng.uniform(0.5, 3.5, 10) if rng.random() < 0.5 else None
            check_why("a ramp is step size", "step size", losses, answers)
            continue
        climb = 10.0 ** rng.uniform(1, 25, rng.integers(0, 4))
        losses, low = dead_losses(seed, steps, climb, scale, end=(end,))
        if rng.random() < 0.5:  # a spike that healed, 25 steps or more before the failure
            at, long = int(rng.integers(5, 20)), int(rng.integers(1, 15))
            losses[at : at + long] = low * 10.0 ** rng.uniform(1, 4, long)
        if want == "cannot tell":
            check_why("a jump, and the parameters are lost: nobody can tell", want, losses)
            continue
        usual, gone = low * rng.uniform(0.5, 3.5, 10), low * 10.0 ** rng.uniform(1.1, 30, 10)
        gone = np.where(rng.random(10) < 0.5, gone, [np.nan, np.inf] * 5)
        most, others = (usual, gone) if want == "batch" else (gone, usual)
        answers = rng.permutation(np.where(np.arange(10) < rng.integers(8, 11), most, others))
        check_why("a jump: how other batches fare at the same parameters tells the cause", want, losses, answers)


check.run(check_loss_before_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# Look at the ten losses before the failure and not at one. Which of the three kinds can be told from the others by
# them, and which two cannot?
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# The value just before `nan` is often `inf` in every kind of death, so it tells nothing. And a jump has two possible
# causes: a batch that is bad under good parameters, or parameters that the last step has spoilt. The losses show both
# as the same picture.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Cut the losses at the first that is not finite. If the last six or eight are all far above the lowest, it is a ramp.
# Else ask `others`, where there is one, and judge the ten by most of them, counting `nan` as high.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *NaN Loss, immediate action 3: Check loss value before NaN.*
#
# With the loss $L_t$ of step $t$, the first failure at $f$, and the parameters $\theta_t$ with which $L_t=L(\theta_t;B_t)$ was
# computed on the batch $B_t$: a failure at $f$ is either in $\theta_f$ or in $B_f$. A ramp shows that $\theta$ went wrong step by
# step. On a quadratic loss of curvature $\lambda$ and with a rate $\eta$ the distance grows by the factor $|1-\eta\lambda|$ a
# step, and the loss by its square. So a ramp to the end of float32 takes dozens of steps: here 51 to 58, in 8 runs. A jump shows
# only that it went fast. To tell its causes apart, hold one of the two fixed and change the other:
#
# $$L(\theta_f;B)\ \text{for other batches}\ B.$$
#
# If it is as usual, $\theta_f$ is good and $B_f$ is not. Ten forward passes, no step, no second run.
#
# **The cures, measured** on 8 runs of each kind:
#
# | | rate divided by 30 | batch of step $f$ left out | losses in a row just before $f$ above 10 times the lowest |
# | --- | --- | --- | --- |
# | A: linear, rate raised | 8 live | 0 | 51 to 58 |
# | B: linear, one bad target | 0 | 8 | 0 |
# | C: counts, rate raised | 8 | 0 | 0 or 1 |
#
# **When the advice misleads.** "Check the loss before NaN" is right as far as it goes; one value is too little, and
# where the value is `inf` it is the same in all three. The rule of thumb *ramp: step size, jump: batch* fails for C. An
# exponential in the loss makes the curvature grow with the loss itself, and the last losses of one of them read 2.3,
# 5.8, $10^{19}$ and `inf`. Leaving out the batch only moves that end. A softmax that overflows and a division by a
# small spread jump in the same way: parameters in a bad place, any batch shows it.
#
# **What this does not tell.** Where `others` says step size, it says that $\theta_f$ is bad. That the rate did it is
# likely, and not proven: one earlier batch with a finite, absurd value can spoil $\theta$ too. Then the rate cures by
# making the harm smaller, and clipping (part 2) or the data (case 4.1) is the better place.
#
# **In PyTorch** save `model.state_dict()` at the failure, before anything else, and call `model.eval()` only if the
# failing pass ran so: dropout and batch statistics are part of $L$.
#
# </details>
