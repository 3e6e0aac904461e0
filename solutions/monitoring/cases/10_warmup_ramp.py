# %% [markdown]
# ## Case 10 · There is a warmup in the code, and no run gets warm
#
# About 10 minutes · difficulty 2 of 5 · 4 points
#
# **The complaint.** The model of the calls that come in an hour is back. It was taken over from a model of calls a year, so it
# starts at 8100 calls where about one comes. This time somebody measured how long its warmup has to be: 30 of its 200 steps
# leave room to spare. The 30 is in the settings, it is handed to the function, and the function asks in which part of the run
# it is. All the same, every run is lost, as if there were no warmup at all. Nobody has ever drawn the learning rate.
#
# **After this case you can** write the ramp of a warmup so that its first step is small, its last one is full, and its edges
# hold, and check any schedule by drawing it.
#
# Case 7 of stage 1 asked how **long** a warmup has to be. The length is right here. This case asks for the **ramp**.
#
# ### The code

# %% fix="warmup-ramp"
def warmup_lr(step, warmup_steps, base_lr):
    """The learning rate of one step: it climbs in a straight line to base_lr, and stays there.

    step: the number of the step, counted from 0. warmup_steps: the length W of the warmup, a
    whole number, 0 or more.
    base_lr: the full learning rate, above 0. Returns one number.
    Graded: the learning rate of step 0 is at most base_lr / W, and not below 0. It rises by the
    same amount from each step to the next up to step W - 1, and by no more than that into step W.
    It is base_lr at step W and at every step after it, however late; never above base_lr. W = 1
    is allowed. With W = 0 there is no warmup: base_lr from step 0 on.
    Not graded: whether step 0 is made at 0, at base_lr / W or at base_lr / (W + 1). All three are
    in use, and all three pass, as any straight ramp does that keeps these rules.
    """
    ### BEGIN BROKEN
    # lr = base_lr
    # if step < warmup_steps:
    #     lr = base_lr  # warming up
    # return lr
    ### END BROKEN
    ### BEGIN SOLUTION
    # Step 0 already trains: it gets the first of W equal parts. Without a warmup no step comes before step W.
    if step < warmup_steps:
        return base_lr * (step + 1) / warmup_steps
    return base_lr
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** Somebody proposes to do without a ramp: make the 30 steps at a tenth of the learning rate,
# and then go to the full one at once. The slope along the bias is at first $e^9\approx 8100$, and the full rate is 0.025. How
# many of 20 runs are lost that way? Write your guess as `my_guess`. It is the dotted line in the right panel.

# %% scene="warmup-ramp"
def hourly_calls(rng, runs=20, steps=200, rows=256, features=3):
    """The batches of `runs` independent runs: x (steps, runs, rows, features), and the calls counted y (steps, runs, rows).

    y is a Poisson count whose expected value is exp(x @ w); w is 0.87 long, and another one in each run.
    """
    w = rng.normal(size=(runs, features, 1))
    w *= 0.87 / np.linalg.norm(w, axis=1, keepdims=True)
    x = rng.normal(size=(steps, runs, rows, features))
    return x, rng.poisson(np.exp(x @ w))[..., 0]


def fit_hourly_calls(x, y, lr_of_step, bias_at_start=9.0):
    """Poisson regression by SGD, all runs of hourly_calls side by side. lr_of_step: the learning rate of a step, from 0.

    Returns the learning rate of each step, and the losses in nats, (steps, runs).
    """
    steps, runs, rows, features = x.shape
    w, bias = np.zeros((runs, features, 1)), np.full((runs, 1, 1), bias_at_start)
    rates, losses = np.empty(steps), np.empty((steps, runs))
    with np.errstate(all="ignore"):
        for step in range(steps):
            log_calls = x[step] @ w + bias
            expected, counted = np.exp(log_calls), y[step][..., None]
            losses[step] = (expected - counted * log_calls).mean(axis=(1, 2))
            error = (expected - counted) / rows
            rates[step] = lr_of_step(step)
            w = w - rates[step] * x[step].transpose(0, 2, 1) @ error
            bias = bias - rates[step] * error.sum(axis=1, keepdims=True)
    return rates, losses


def count_lost(losses):
    """How many runs are lost: over the last ten steps the loss is above 1 nat, or no number. A good run ends near 0.4."""
    return int(np.sum(~(losses[-10:].mean(axis=0) < 1)))


def show_ramps(runs, styles, guess):
    """Draw the learning rate, the median loss and the lost runs. runs: (rates, losses) by label; styles: line, mark by label."""
    fig, (left, middle, right) = figure(3)
    told = []
    for place, (label, (rates, losses)) in enumerate(runs.items()):
        line, mark = styles[label]
        median = np.median(np.nan_to_num(losses, nan=np.inf), axis=1)
        left.plot(rates[:60], **line)
        middle.plot(median, label=label, **line)
        right.plot([place], [count_lost(losses)], linestyle="none", color=line["color"], clip_on=False, **mark)
        told.append(
            f"{label}: the learning rate is {rates[0]:.2g} at step 0, {rates[15]:.2g} at 15 and {rates[30]:.2g} at 30, "
            f"{count_lost(losses)} of {losses.shape[1]} runs are lost"
        )
    left.set(xlabel="step (the first 60)", ylabel="learning rate", ylim=(0, None))
    middle.set(xlabel="step", ylabel="loss (nats), median of 20 runs", yscale="log")
    middle.legend(frameon=False, fontsize="small")
    mark_guess(right, guess)
    right.set_xticks(range(len(runs)), [label.replace(" ", "\n") for label in runs], fontsize="small")
    right.set(ylabel="lost runs, of 20", ylim=(-1, 21), xlim=(-0.5, len(runs) - 0.5), yticks=range(0, 21, 5))
    caption = "Twenty runs of 200 steps with a warmup of 30: the learning rate, the loss, and how many runs are lost."
    show(fig, caption, "Three panels. " + "; ".join(told) + f". The guess is {guess}.")


# %% run="warmup-ramp"
my_guess = 5  # how many of 20 runs are lost with a tenth of the learning rate for 30 steps, and then all of it

calls = hourly_calls(np.random.default_rng(0))
show_ramps(
    {
        "as complained about": fit_hourly_calls(*calls, lambda step: broken.warmup_lr(step, 30, 0.025)),
        "a tenth, then all": fit_hourly_calls(*calls, lambda step: 0.0025 if step < 30 else 0.025),
        "your code": fit_hourly_calls(*calls, lambda step: warmup_lr(step, 30, 0.025)),
    },
    {
        "as complained about": (BROKEN, {"marker": "X", "markersize": 9}),
        "a tenth, then all": ({"color": "#444444", "linestyle": ":", "linewidth": 1.6}, {"marker": "s", "markersize": 7}),
        "your code": (MENDED, {"marker": "o", "markersize": 13, "fillstyle": "none", "markeredgewidth": 2.5}),
    },
    guess=my_guess,
)

# %% check="warmup-ramp" points=4
def ramp_values(steps, warmup_steps, base_lr):
    """The learning rates of `steps` (a list) as an array, each proven to be one finite number."""
    values = []
    try:
        answers = check.each(warmup_lr, [(step, warmup_steps, base_lr) for step in steps])
    except ZeroDivisionError:
        answers = ["ZeroDivisionError"]
    for step, lr in zip(steps, answers):
        call = f"warmup_lr({step}, warmup_steps={warmup_steps}, base_lr={base_lr})"
        is_number = lr is not None and not isinstance(lr, str) and np.ndim(lr) == 0 and np.isfinite(lr)
        check.that(
            is_number,
            what="the learning rate is one finite number",
            call=call,
            got=lr,
            turns={"a warmup of no steps divides by zero": warmup_steps == 0 and lr is not None and np.ndim(lr) == 0},
        )
        values.append(float(lr))
    return np.array(values)


def check_ramp(warmup_steps, base_lr):
    """The whole contract of the docstring, for one length W of 1 or more."""
    w = warmup_steps
    shares = ramp_values([*range(w + 3), 2 * w + 1, 10 * w + 7, 10**6], w, base_lr) / base_lr
    lr, late = shares[: w + 3], shares[w + 3 :]
    after, rises, tiny = np.append(lr[w:], late), np.diff(lr[: w + 1]), 1e-5 / w
    t = np.arange(w)

    def is_course(shares):
        return np.allclose(lr[:w], shares, atol=tiny)

    def call(step):
        return f"warmup_lr({step}, warmup_steps={w}, base_lr={base_lr})"

    # Where it first is not what the docstring says, and by which known way.
    low = int(np.argmax(lr[: w + 3] < -tiny))
    check.that(
        not (lr < -tiny).any(),
        what="the learning rate is never below 0",
        call=call(low),
        got=lr[low] * base_lr,
        turns={"steps are taken to count from 1: the first is step 0": low == 0},
    )
    is_base = np.abs(after - 1) < 1e-5
    place = int(np.argmin(is_base))
    step = [*range(w, w + 3), 2 * w + 1, 10 * w + 7, 10**6][place]
    falls_at_first = w > 2 and lr[1] < lr[0] - tiny
    check.that(
        is_base.all(),
        what="from step W on the learning rate is base_lr",
        call=call(step),
        expected=base_lr,
        got=after[place] * base_lr,
        turns={
            "the learning rate is 0 at every step: it has been rounded to a whole number": not lr.any() and not after.any(),
            "min and max are swapped: it is held until step W, and climbs from there": is_course(1.0) and after[-1] > 1,
            "the share of base_lr is returned, and not the learning rate": abs(base_lr - 1) > 1e-3
            and np.allclose(after * base_lr, 1, rtol=1e-9),
            "it goes on climbing after the warmup, for the whole run": after[-1] > 10 and after[place] > 1,
            "the learning rate falls from base_lr on: a decay, and not a warmup": falls_at_first,
            "the ramp is too long: it gets to base_lr only after step W": place < 2 and after[place] < 1 and is_base[-1],
            "base_lr is never reached": after[-1] < 1,
        },
    )
    first_limit = 1 / w
    check.that(
        lr[0] <= first_limit + tiny,
        what="the learning rate of step 0 is at most base_lr / W",
        call=call(0),
        expected=f"at most {first_limit * base_lr:.3g}",
        got=lr[0] * base_lr,
        turns={
            "base_lr stands in both branches: nothing is warmed up": is_course(1.0),
            "the learning rate falls from base_lr on: a decay, and not a warmup": falls_at_first,
            "one smaller learning rate stands for the whole warmup, and then it jumps": w > 1 and is_course(lr[0]),
            "the ramp starts at a third, as PyTorch's LinearLR does unless told otherwise: "
            "on the calls that loses 20 of 20 runs": abs(lr[0] - 1 / 3) < 0.01,
            "the ramp climbs like a root, fastest at first": w > 3 and (np.diff(rises[:-1]) < -tiny).all(),
            "the ramp starts too high": True,
        },
    )
    if w == 1:
        return
    above = int(np.argmax(lr))
    check.that(
        lr[above] <= 1 + 1e-5,
        what="the learning rate is never above base_lr",
        call=call(above),
        got=lr[above] * base_lr,
    )
    bends = np.abs(rises[:-1] - rises[:-1].mean()) > tiny if w > 2 else np.zeros(1, bool)
    ratios = lr[2:w] / np.where(lr[1 : w - 1] > 0, lr[1 : w - 1], np.nan)
    check.that(
        not bends.any(),
        what="the learning rate rises by the same amount from each step to the next",
        call=f"warmup_lr(0 ... {w - 1}, warmup_steps={w}, base_lr={base_lr})",
        expected="equal rises",
        got=f"rises from {rises[:-1].min() * base_lr:.2g} to {rises[:-1].max() * base_lr:.2g}",
        turns={
            "the ramp is a square: it is below the line at every step": is_course((t / w) ** 2) or is_course(((t + 1) / w) ** 2),
            "the ramp is exponential: it rises by the same factor, not by the same amount": w > 5
            and np.allclose(ratios[1:], ratios[-1], rtol=1e-3),
            "the ramp is half a cosine: slow, fast, slow": is_course((1 - np.cos(np.pi * t / w)) / 2)
            or is_course((1 - np.cos(np.pi * (t + 1) / w)) / 2),
            "the line is drawn in stairs": (np.abs(rises) < tiny).any() and (rises >= -tiny).all(),
        },
    )
    check.that(
        -tiny <= rises[-1] <= rises[:-1].mean() + tiny,
        what="the last rise, into step W, is no larger than the others",
        call=f"{call(w - 1)}, and step {w}",
        expected=f"a rise of at most {rises[:-1].mean() * base_lr:.2g}",
        got=f"a rise of {rises[-1] * base_lr:.2g}",
        turns={
            "the learning rate is held at one value, and then it jumps": np.abs(rises[:-1]).max() < tiny,
            "the ramp ends too low, and jumps the rest": True,
        },
    )


def check_no_warmup(base_lr):
    lr = ramp_values([0, 1, 2, 50], 0, base_lr)
    check.close(
        lr,
        np.full(4, base_lr),
        rtol=1e-5,
        what="without a warmup the learning rate is base_lr from step 0 on",
        call=f"warmup_lr at the steps 0, 1, 2 and 50, warmup_steps=0, base_lr={base_lr}",
        turns={
            "max(1, W) mends the division, and step 0 is made at zero": np.where(np.arange(4) == 0, 0, base_lr),
        },
    )


def check_warmup_ramp():
    check_ramp(30, 0.025)
    check_ramp(4, 1.0)
    check_ramp(1, 0.5)
    check_no_warmup(0.5)


check.run(check_warmup_ramp)
### BEGIN HIDDEN TESTS
def check_warmup_ramp_elsewhere():
    rng = check.hidden_rng(110)
    lengths = (1, 2, 3, *rng.integers([5, 40, 200], [20, 120, 500]).tolist())
    for warmup_steps, power in zip(lengths, rng.uniform(-5, 1.5, len(lengths))):
        check_ramp(warmup_steps, float(10**power))
    check_no_warmup(float(10 ** rng.uniform(-5, 1)))


check.run(check_warmup_ramp_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# Draw it: the left panel is the learning rate itself. What does the first branch return, and what the second?
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# The question "is this step part of the warmup?" is asked, and both answers lead to the same number. A ramp has to depend on
# how far into the warmup the step is.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Inside the warmup, return the share of it that is done, times `base_lr`. Decide whether step 0 counts as done. Then put in
# the numbers by hand: `step` 0, `W - 1`, `W`, and a `W` of 1 and of 0.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *Mistake 10: Wrong LR Warmup Implementation.*
#
# With base rate $\eta$, warmup length $W$ and steps $t$ counted from 0, the ramp is
#
# $$\eta_t=\eta\,\min\!\left(1,\frac{t+1}{W}\right).$$
#
# Each step may be as long as the curvature allows, and the curvature falls while the ramp climbs. The bias $b$ starts at 9,
# where the slope is $e^9\approx 8100$. The first step at 0.025 takes it to $-194$; at $0.025/30$ it goes to 2.3, and the
# remaining steps bring it home. Measured: a constant rate loses 20 of 20 runs, this ramp none.
# "Gradual warmup" is from Goyal et al. 2017 (arXiv 1706.02677, section 2.2). They too compare it with a *constant* warmup, at
# a rate that is low and then jumps, and find the jump to hurt.
#
# On the calls, with 30 steps of warmup, 20 runs each:
#
# | the 30 steps | lost |
# | --- | --- |
# | the full rate | 20 |
# | a tenth, then all | 20 |
# | a hundredth, then all | 0 |
# | $\eta\sqrt{(t+1)/W}$ | 20 |
# | from a third of $\eta$ up to it | 20 |
# | the ramp from 0, from $\eta/W$, from $\eta/(W+1)$ | 0 |
# | $\eta\,(t/W)^2$ | 0 |
#
# A hundredth and the square do no harm here, they are only slower: at step 10 their loss is near 290 and 95, where the ramp's
# is 4. That is why the check asks for a straight line: not because nothing else works, but because a function that
# calls itself linear has to be.
#
# **When the advice misleads.** The document's "wrong" snippet sets `lr` inside the `if` only, so that after the warmup it is
# whatever stood there before, or an error. Its fix is $\eta\,t/W$, which is 0 at step 0: the gradient of the first batch is
# computed and thrown away. That is a convention (several libraries have it), not a disease. The rates that follow are the
# very same, one step later. It shows where steps are few: a smoke test of one step trains nothing, and with $W=1$ the
# "warmup" is one wasted step and then the full rate.
#
# **In PyTorch** `torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=1 / W, total_iters=W - 1)` is this ramp, for $W$ of 2
# or more. Its default `start_factor` is a third, for a range of 5 steps. On the calls a ramp that starts at a third
# loses 20 of 20 runs, so set both.
#
# </details>
