# %% [markdown]
# ## Case 8 · It learned everything in 200 steps, and nothing since
#
# About 10 minutes · difficulty 2 of 5 · 5 points
#
# **The complaint.** A linear model with 20 weights is fitted to a stream of noisy measurements, four a step, at a learning rate
# of 0.1. It starts well: after 200 steps the squared distance from the true weights has gone from 20 to about 0.35. After 2000
# steps it is about 0.35 as well. Somebody let it run for 8000: no change. The data are endless, so it is not overfitting, and the
# loss does not rise. The weights just keep trembling.
#
# **After this case you can** tell a run that has nothing left to learn from one that cannot settle, and write a schedule that
# starts fast, ends slow, and stays where it ended.
#
# ### The code

# %% fix="no-lr-decay"
def lr_at(step, total_steps, base_lr, min_lr=0.0):
    """The learning rate of one step, on half a period of a cosine that falls from base_lr to
    min_lr (0 <= min_lr <= base_lr).

    step: a whole number that counts from 0, and may be larger than total_steps. total_steps: 2 or
    more. Returns one number.
    Graded: it is base_lr at step 0; .8536, .5 and .1464 of the way up from min_lr to base_lr at a
    quarter, the middle and three quarters of the run; min_lr at step total_steps and at every
    later one; and it never rises from a step to the next.
    Not graded: whether min_lr is reached at step total_steps or, with the last step of the run,
    at total_steps - 1.
    """
    ### BEGIN BROKEN
    # return base_lr
    ### END BROKEN
    ### BEGIN SOLUTION
    # Past the end the cosine would climb again: the run's progress stops at 1.
    progress = min(step / total_steps, 1)
    return min_lr + (base_lr - min_lr) * (1 + np.cos(np.pi * progress)) / 2
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** Suppose the mend works and the learning rate falls to zero along a cosine. The run is
# slower than before in every step but the first. What squared distance does it end with? The run that was complained
# about ends near 0.35. A rough guess will do.

# %% scene="no-lr-decay"
def follow_stream(lr_at, seed, steps=2000, base_lr=0.1, runs=20, features=20, rows=4):
    """Fit `runs` independent linear models side by side, each step on `rows` new measurements with noise of variance 1.

    Returns the History: the learning rate, and the mean over the runs of the squared distance |w - true w|**2.
    """
    rng = np.random.default_rng(seed)
    true_w = rng.normal(size=(runs, features, 1))
    w = np.zeros_like(true_w)
    history = History()
    for step in range(steps):
        rate = lr_at(step, steps, base_lr)
        history.log(lr=rate, distance=np.sum((w - true_w) ** 2) / runs)
        x = rng.normal(size=(runs, rows, features))
        y = x @ true_w + rng.normal(size=(runs, rows, 1))
        w = w - rate * x.transpose(0, 2, 1) @ (x @ w - y) / rows
    return history


# %% run="no-lr-decay" atlas="2"
my_guess = 0.1  # the squared distance at the end of the mended run

fig, (left, right) = figure(2)
told = []
for label, schedule, style in (("as complained about", broken.lr_at, BROKEN), ("your code", lr_at, MENDED)):
    history = follow_stream(schedule, seed=0)
    left.plot(history["lr"], label=label, **style)
    right.plot(history["distance"], **style)
    end = np.mean(history["distance"][-100:])
    told.append(f"{label}, rate from {history['lr'][0]:.2g} to {history['lr'][-1]:.1g} and the distance ends at {end:.2g}")
    print(f"{label}: over the last 100 steps the squared distance is {end:.2g} on average.")
left.set(xlabel="step", ylabel="learning rate", ylim=(0, None))
left.legend(frameon=False, fontsize="small", loc="lower left")
right.set(xlabel="step", ylabel="squared distance from the true\nweights, mean of 20 runs", yscale="log")
mark_guess(right, my_guess, at=0.02, va="top")
show(
    fig,
    "Two thousand steps on a stream of noisy measurements.",
    "Two panels over 2000 steps: the learning rate, and the squared distance, which starts at 20. " + "; ".join(told) + ".",
)

# %% check="no-lr-decay" points=5
def lrs_at(steps, *run):
    """The learning rate of each of these steps, asked at once: a dict."""
    return dict(zip(steps, check.each(lr_at, [(step, *run) for step in steps])))


def check_one_lr(got, step, total_steps, base_lr, min_lr, want, what, atol=1e-12, turns=None):
    """got: of lrs_at."""
    call = f"lr_at({step}, total_steps={total_steps}, base_lr={base_lr}, min_lr={min_lr})"
    check.close(got[step], want, rtol=1e-6, atol=atol, what=what, call=call, turns=turns)


def check_never_rises(total_steps, base_lr, min_lr):
    calls = [(step, total_steps, base_lr, min_lr) for step in range(2 * total_steps)]
    rates = np.array(check.each(lr_at, calls), dtype=float)
    call = f"lr_at(step, total_steps={total_steps}, base_lr={base_lr}, min_lr={min_lr}) for step = 0 ... {2 * total_steps - 1}"
    rises = np.flatnonzero(~(np.diff(rates) <= 1e-6 * base_lr))
    got = f"a rise from {rates[rises[0]]:.4g} to {rates[rises[0] + 1]:.4g} at step {rises[0] + 1}" if rises.size else "no rise"
    check.that(rises.size == 0, what="the learning rate never rises", call=call, got=got)


def check_cosine(total_steps, base_lr, min_lr):
    """Every point that the docstring names. The tolerance lets total_steps and total_steps - 1 be the end of the run."""
    span, start = base_lr - min_lr, 0.5 * (1 + np.cos(np.pi / total_steps))
    run = (total_steps, base_lr, min_lr)
    quarters = [total_steps * quarter // 4 for quarter in range(4)]
    ends = [total_steps, total_steps + 1, total_steps * 3 // 2, 2 * total_steps, 7 * total_steps]
    got = lrs_at([*quarters, *ends], *run)
    check_one_lr(
        got,
        0,
        *run,
        base_lr,
        what="the run starts at base_lr",
        turns={
            "the learning rate is divided by ten for the whole run: it would settle, and start ten times slower": base_lr / 10,
            "min_lr is added on top": base_lr + min_lr,
            "the cosine is not brought from -1 ... 1 to 0 ... 1": min_lr + 2 * span,
            "the curve is upside down: it climbs from min_lr": min_lr,
            "the sine stands where the cosine is meant": min_lr + span / 2,
            "the steps are counted from 1": min_lr + span * start,
        },
    )
    halfway = got[quarters[2]]
    has_moved = halfway is not None and np.ndim(halfway) == 0 and halfway < 0.99 * base_lr
    check_one_lr(
        got,
        quarters[1],
        *run,
        min_lr + 0.8535534 * span,
        atol=1.2 * span / total_steps,
        what="after a quarter of the run .8536 of the way is left",
        turns={
            **({"it falls in drops, and stands still between them": base_lr} if has_moved else {}),
            "the learning rate has not moved from base_lr": base_lr,
            "it falls along a straight line": min_lr + 0.75 * span,
            "it falls exponentially": base_lr * (min_lr / base_lr) ** 0.25,
            "the cosine goes a whole period, and climbs back in the second half": min_lr + 0.5 * span,
            "the cosine goes a quarter of a period": min_lr + np.cos(np.pi / 8) * span,
            "the angle is given in degrees, and numpy takes radians": min_lr + 0.5 * (1 + np.cos(45)) * span,
            "the factor pi is missing": min_lr + 0.5 * (1 + np.cos(0.25)) * span,
            "the cosine falls to 0, not to min_lr": 0.8535534 * base_lr,
            "the cosine falls by base_lr, not by base_lr - min_lr": base_lr - 0.1464466 * (base_lr + min_lr),
            "the whole-number division makes the progress 0 until the end": base_lr,
        },
    )
    for quarter, share, name in ((2, 0.5, "half of"), (3, 0.1464466, ".1464 of")):
        what = f"after {quarter} quarters of the run {name} the way is left"
        check_one_lr(got, quarters[quarter], *run, min_lr + share * span, atol=1.2 * span / total_steps, what=what)
    for later in ends:
        angle, other_angle = np.pi * later / total_steps, np.pi * later / (total_steps - 1)
        check_one_lr(
            got,
            later,
            *run,
            min_lr,
            what="min_lr is held from step total_steps on",
            turns={
                "the cosine goes on past the end of the run, and climbs again": min_lr + 0.5 * (1 + np.cos(angle)) * span,
                "the cosine ends at total_steps - 1, goes on, and climbs again": min_lr + 0.5 * (1 + np.cos(other_angle)) * span,
                "the schedule starts again at the end of the run": min_lr + 0.5 * (1 + np.cos(angle % np.pi)) * span,
                "the learning rate falls to 0, below min_lr": 0.0,
            },
        )
    check_never_rises(*run)


def check_lr_decay():
    check_cosine(100, 0.1, 0.02)
    check_cosine(200, 2e-4, 2e-6)


check.run(check_lr_decay)
### BEGIN HIDDEN TESTS
def check_cosine_elsewhere():
    rng = check.hidden_rng(8)
    steps = [4 * int(number) for number in rng.integers(25, 80, 3)]
    rates = [float(10**size) for size in rng.uniform(-4, 1, 3)]
    check_cosine(steps[0], rates[0], rates[0] * float(rng.uniform(0.02, 0.4)))
    check_cosine(steps[1], rates[1], 0.0)
    check_cosine(steps[2], rates[2], rates[2])
    for total_steps in (2, 3, int(rng.integers(5, 20))):
        base_lr, min_lr = float(rng.uniform(0.1, 1)), float(rng.uniform(0.01, 0.05))
        run = (total_steps, base_lr, min_lr)
        got = lrs_at([0, total_steps], *run)
        check_one_lr(got, 0, *run, base_lr, what="the run starts at base_lr, also a short one")
        check_one_lr(got, total_steps, *run, min_lr, what="min_lr is held from step total_steps on, however short")
        check_never_rises(*run)
    half, base_lr = int(rng.integers(300, 700)), float(rng.uniform(0.01, 1))
    later = 2 * half + int(rng.integers(1, 3 * half))
    check.close(
        list(lrs_at([0, half, 2 * half, later], 2 * half, base_lr).values()),
        [base_lr, base_lr / 2, 0, 0],
        atol=1.2 * base_lr / half,
        what="without min_lr the end is 0",
        call="lr_at without min_lr, at the start, in the middle, at the end of a run and after it",
    )


check.run(check_cosine_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# In the right panel the dashed line falls quickly, then stays level and trembles. Two things can cause that: the gradient
# has no signal left, or each step carries in as much noise as it takes out error. Which of the two would a smaller step
# change?
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# The learning rate that is right at the start is too large at the end. `lr_at` is told which step it is, and how many there
# are, and uses neither.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Turn the step into the share of the run that is over, and do not let that share exceed 1. Half a period of the cosine
# takes it from 1 to -1: shift and scale that to go from 1 to 0, and use it to go from `base_lr` to `min_lr`. Try the ends
# and the middle by hand.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *Mistake 8: Not Decaying Learning Rate.*
#
# Let $e$ be the error of the weights, $d$ their number, $B$ the rows of a batch, $\sigma^2$ the noise in a measurement.
# With standard normal inputs a step at rate $\eta$ takes about $2\eta\lVert e\rVert^2$ off the squared error and adds
# $\eta^2\sigma^2 d/B$ of noise. At a constant rate they balance at
#
# $$\lVert e\rVert^2=\frac{\eta\, d\,\sigma^2}{2B-\eta\,(B+d+1)},$$
#
# here $0.1\cdot 20/(8-2.5)=0.36$: a floor that no number of steps gets below, and that falls with $\eta$. A schedule buys both
# ends, the large rate's speed and the small rate's floor. The cosine, which falls from $\eta_{\max}$ to $\eta_{\min}$, with $T$
# the length of the run and $t$ the step, is
#
# $$\eta_t=\eta_{\min}+\tfrac{1}{2}(\eta_{\max}-\eta_{\min})\left(1+\cos\frac{\pi t}{T}\right)$$
#
# (Loshchilov & Hutter 2017, arXiv 1608.03983). With it the distance ends at 0.012, thirty times lower.
#
# **When the advice misleads.** The decay is the cure; the cosine is a convention. Means of the last 100 steps of the same
# 20 runs: cosine 0.012, a straight line 0.019, two drops by ten 0.0095, and $\eta/(1+\eta t)$ 0.003. The last one is the
# oldest: Robbins & Monro 1951 (doi 10.1214/aoms/1177729586) proved convergence for rates whose sum is infinite and whose
# squares have a finite sum. The cosine's merit is that it needs no choice but the length of the run; and if that length
# is wrong, the run ends too fast or too slow.
#
# A constant rate ten times smaller also ends low, at 0.025. But it takes 153 steps to bring the distance below 1, where
# the full rate takes 24. And a plateau is not always a floor of noise: where a smaller rate changes nothing within some
# hundred steps, look elsewhere.
#
# **In PyTorch** this is `torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max)`, with `eta_min` for $\eta_{\min}$.
# The document's loop is right as long as it makes exactly `T_max` steps. Stepped further, that schedule **climbs back**
# to the full rate: it does not hold.
#
# </details>
