# %% [markdown]
# ## Case 1.2 · The learning rate was checked, and it is right
#
# About 15 minutes · difficulty 2 of 5 · 5 points
#
# **The complaint.** The loss of a network on spirals falls in the first two epochs, and does not move in the other
# eighteen. A larger network does the same. The base learning rate was tuned and is good. It follows a cosine, and
# somebody did look at the log: it starts at the base rate and ends near zero, as a cosine should.
#
# **After this case you can** tell from the list of rates that reach the optimizer, before the run starts, whether a
# schedule fits its run, and name what is wrong with it if not.
#
# In case 8 of stage 1 you wrote a cosine. The formula of this one is right. What you write is the probe that finds a schedule
# that does not fit its run, whoever wrote it.
#
# ### The code

# %% fix="diag-schedule-position"
def where_is_the_schedule(lrs):
    """What is wrong with a schedule: "fits the run", "done too early", "rebounds" or "never moves".

    lrs: the learning rate of every step of the planned run, in order, a list or array of 100 to
    3000 numbers, none negative, on any scale. The run may begin with a warmup: at most its first
    tenth, in which the rate never falls, and which ends at the peak, the largest rate of all.
    What follows is about the part from the peak on. Graded:
    "rebounds": the rate falls below half of the peak, and later climbs by a fifth of the peak or
    more. This goes before the others, wherever the rate ends.
    "never moves": the rate stays above 95 % of the peak to the end.
    "done too early": the rate never rises, and is below 1 % of the peak from 45 % of the run on,
    or from earlier.
    "fits the run": the rate never rises, is 10 % of the peak or more until 60 % of the run, and
    ends at 20 % of the peak or less.
    Shares of the run are counted from its first step. Not graded: schedules of no such kind.
    """
    ### BEGIN BROKEN
    # # a schedule starts high and ends low
    # if lrs[-1] < 0.2 * lrs[0]:
    #     return "fits the run"
    # return "never moves"
    ### END BROKEN
    ### BEGIN SOLUTION
    lrs = np.asarray(lrs, dtype=float)
    # From the peak on: the climb of a warmup is no rebound. In units of the peak: no scale is meant.
    # Of two peaks the second may be the higher one, by a rounding: the first that comes near is meant.
    rest = lrs[np.argmax(lrs > 0.999 * lrs.max()) :] / lrs.max()
    lowest_so_far = np.minimum.accumulate(rest)
    if np.any((lowest_so_far < 0.5) & (rest - lowest_so_far > 0.1)):
        return "rebounds"
    if rest.min() > 0.9:
        return "never moves"
    middle = len(lrs) // 2 - (len(lrs) - len(rest))
    return "done too early" if rest[middle] < 0.03 else "fits the run"
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** The run has 20 epochs of 10 batches. Its cosine falls from the base rate to zero in
# $T=20$ calls and stays there, and it is called once a *batch*. With $T=200$ the same run falls from a loss of about 1 to
# 0.2. What loss does it end with at $T=20$? Write your guess as `my_guess`: the dotted line in the right panel is your
# guess, and the dashed one the run.

# %% scene="diag-schedule-position"
EPOCHS, BATCHES_PER_EPOCH, BASE_LR = 20, 10, 0.3


def cosine_held(step, T):
    """A cosine from 1 to 0 in T calls, which then stays at 0."""
    return (1 + np.cos(np.pi * min(step / T, 1))) / 2


def cosine_unheld(step, T):
    """The same formula with nothing that stops it at T, as in some frameworks."""
    return (1 + np.cos(np.pi * step / T)) / 2


def schedule_factors():
    """Five schedules of one run, by name: the factor on the base rate as a function of the step, which counts from 0."""
    steps = EPOCHS * BATCHES_PER_EPOCH
    return {
        "A": lambda step: cosine_held(step, EPOCHS),
        "B": lambda step: cosine_unheld(step, EPOCHS),
        "C": lambda step: cosine_held(step // BATCHES_PER_EPOCH, steps),
        "D": lambda step: cosine_held(step, steps),
        "E": lambda step: (step + 1) / 20 if step < 20 else cosine_held(step - 20, steps - 20),
    }


def train_scheduled(factor, seed):
    """Train a network on spirals for EPOCHS epochs; the rate of a step is BASE_LR * factor(step). Returns the History.

    Its loss is that of the batch; full_loss is that of all rows, after each step.
    """
    rng = np.random.default_rng(seed)
    x, y = spirals(rng, points=100)
    net = MLP((2, 32, 32, 3), rng)
    rows = batches(rng, len(x), len(x) // BATCHES_PER_EPOCH, EPOCHS)
    history = History()
    for step, batch in enumerate(rows):
        rate = BASE_LR * factor(step)
        grads = net.loss_and_grads(x[batch], y[batch])[1]
        net.params = descend(net.params, grads, rate)
        history.log(lr=rate, full_loss=net.loss(x, y))
    return history


def show_schedules(before, now, seed, my_guess):
    """Five schedules with both verdicts, and the losses of the runs that are called A, B and D."""
    fig, axes = figure(6, height=2.9)
    runs = {name: train_scheduled(factor, seed) for name, factor in schedule_factors().items()}
    told = []
    for ax, (name, run) in zip(axes, runs.items()):
        ax.plot(run["lr"], color="#444444", linewidth=1.5)
        was, said = before(list(run["lr"])), now(list(run["lr"]))
        ax.set_title(f"{name}\n✕ {was}\n○ {said}", fontsize="small", loc="left")
        ax.set(xlabel="step", ylim=(-0.02, 0.33), xticks=(0, 100, 200))
        if name != "A":
            ax.set_yticklabels([])
        end = run["full_loss"][-1]
        told.append(f"{name}, as complained about {was}, your code {said}, its run ends at a loss of {end:.2g}")
        print(f'{name}: as complained about "{was}", your code "{said}"; the run ends at a loss of {end:.2g}.')
    axes[0].set_ylabel("learning rate")
    last = axes[-1]
    for name, style in (("A", BROKEN), ("B", dict(color="#888888", linewidth=1.2)), ("D", dict(color="#444444", linewidth=2.8))):
        last.plot(runs[name]["full_loss"], label=name, **style)
    last.axhline(my_guess, color="#444444", linestyle=":", linewidth=1.5)
    box = dict(facecolor="white", edgecolor="none", alpha=0.8, pad=1)
    place = {"xycoords": ("axes fraction", "data"), "ha": "right", "va": "bottom", "bbox": box}
    last.annotate("your guess", (0.98, my_guess + 0.02), fontsize="small", **place)
    last.set(xlabel="step", xticks=(0, 100, 200), ylabel="loss (nats)", ylim=(0, None))
    above = dict(loc="lower center", bbox_to_anchor=(0.5, 1.0))
    last.legend(frameon=False, fontsize="small", ncols=3, handlelength=1.2, columnspacing=0.8, **above)
    show(
        fig,
        "Five schedules of one run of 20 epochs with 10 batches each, what is said about them (cross: as complained about; "
        "ring: your code), and the loss of three.",
        f"Five learning rates over 200 steps, and the losses of three runs. {'; '.join(told)}. Your guess for A: {my_guess:.3g}.",
    )


# %% run="diag-schedule-position" atlas="1 2"
my_guess = 0.4  # the loss that run A ends with

show_schedules(broken.where_is_the_schedule, where_is_the_schedule, seed=0, my_guess=my_guess)

# %% check="diag-schedule-position" points=5
SCHEDULE_VERDICTS = ("fits the run", "done too early", "rebounds", "never moves")


def planned_lrs(steps, factor, base=0.1, warmup=0):
    """The rates of a run: a linear warmup, then base times factor(progress), with progress from 0 to 1 after the warmup."""
    ramp = base * np.arange(1, warmup + 1) / max(warmup, 1)
    return np.concatenate([ramp, base * np.array([factor(t) for t in np.linspace(0, 1, steps - warmup)])])


def half_cosine(t):
    return (1 + np.cos(np.pi * min(t, 1))) / 2


def check_schedule(name, want, lrs, turns=None, as_list=True):
    """The verdict on one schedule. turns: for a wrong verdict, in words, what leads to it."""
    said = where_is_the_schedule([float(lr) for lr in lrs] if as_list else lrs.copy())
    call = f"where_is_the_schedule(lrs): {len(lrs)} steps, peak {lrs.max():.2g}"
    turns = {words: True for verdict, words in (turns or {}).items() if said == verdict}
    check.word(said, want, SCHEDULE_VERDICTS, what=f'{name}: "{want}"', call=call, turns=turns)


def check_schedules():
    ends = "only the first and the last rate are looked at, or only the last: what lies between decides when the run learns"
    scale = "a rate is held against a fixed number, or against the first rate: only the peak says what is small"
    small = "a rate that is small at the end is taken for one that was gone too early: it is small after a full run too"
    ramp = "the climb of the warmup is taken for a rebound: it comes before the peak"
    check_schedule("a cosine over the run", "fits the run", planned_lrs(300, half_cosine), {"never moves": scale, "done too early": small})
    check_schedule(
        "a cosine that ends after 10 % of the run, and is held",
        "done too early",
        planned_lrs(300, lambda t: half_cosine(10 * t)),
        {"fits the run": ends, "never moves": "the last few rates are looked at: they no longer move because all is over"},
    )
    check_schedule(
        "a cosine with T = 10 % of the run, not held, of which the last rate is zero",
        "rebounds",
        planned_lrs(301, lambda t: (1 + np.cos(11 * np.pi * t)) / 2),
        {
            "fits the run": ends,
            "done too early": "the first time that the rate is near zero decides: it comes back",
            "never moves": "only some places of the run are looked at: the rate comes back to each",
        },
    )
    check_schedule("a constant rate", "never moves", planned_lrs(200, lambda t: 1.0), {"done too early": scale})
    check_schedule(
        "a cosine ten times as long as the run",
        "never moves",
        planned_lrs(200, lambda t: half_cosine(t / 10)),
        {"fits the run": "every fall counts, also one by 2.4 %: after it the rate is still the base rate for all purposes"},
    )
    check_schedule(
        "warmup, then a cosine over the rest",
        "fits the run",
        planned_lrs(400, half_cosine, warmup=30),
        {"rebounds": ramp, "never moves": scale},
    )
    check_schedule(
        "warmup, then constant",
        "never moves",
        planned_lrs(400, lambda t: 1.0, warmup=30),
        {"rebounds": ramp, "fits the run": "the warmup is taken for the schedule: it is about the part from the peak on"},
    )
    check_schedule(
        "a linear fall to zero at base rate 1e-4",
        "fits the run",
        planned_lrs(250, lambda t: 1 - t, base=1e-4),
        {"done too early": scale, "never moves": scale},
    )
    check_schedule(
        "base rate 3, a warmup, then gone after 43 % of the run but for a thousandth",
        "done too early",
        planned_lrs(500, lambda t: max(half_cosine(t / 0.4), 0.001), base=3.0, warmup=25),
        {
            "fits the run": "only a rate of exactly zero counts as gone, or only one below a fixed number",
            "never moves": "a rate is held against a fixed number",
        },
    )
    check_schedule(
        "a cosine over the run that rises again to a quarter in the last tenth",
        "rebounds",
        planned_lrs(300, lambda t: half_cosine(t) if t < 0.9 else 0.25),
        {"fits the run": "only a return to the full rate, or only an end above some limit, counts as a rebound"},
    )
    check_schedule(
        "two drops, to 40 % at 30 % of the run, and to 15 % at 65 %",
        "fits the run",
        planned_lrs(200, lambda t: 1.0 if t < 0.3 else 0.4 if t < 0.65 else 0.15),
        {
            "never moves": "a rate that stands still between two drops is taken for one that never moves, or only an end "
            "near zero fits",
            "done too early": "a small rate is taken for none: 15 % of the peak is far from 1 %",
        },
        as_list=False,
    )
    late = planned_lrs(400, lambda t: 1.0 if t < 0.6 else 0.001, warmup=40)
    check_schedule("a warmup, the full rate until 64 % of the run, and then nothing", "fits the run", late)


check.run(check_schedules)


### BEGIN HIDDEN TESTS
def schedules_drawn(rng):
    """A schedule of each kind: its name, the verdict, and the factor on the base rate as a function of progress, 0 to 1."""
    end, floor, cycles, fall = (rng.uniform(*bounds) for bounds in ((0.02, 0.18), (0.03, 0.18), (1.6, 9), (0.005, 0.04)))
    early, gone, rest = (rng.uniform(*bounds) for bounds in ((0.04, 0.3), (0.1, 0.33), (0.001, 0.008)))
    first, second = (rng.uniform(*bounds) for bounds in ((0.04, 0.14), (0.16, 0.33)))
    again, width, height = (rng.uniform(*bounds) for bounds in ((0.3, 0.8), (0.06, 0.15), (0.25, 0.9)))
    return [
        ("a cosine over the run", "fits the run", half_cosine),
        ("a linear fall", "fits the run", lambda t: 1 - (1 - end) * t),
        ("an exponential fall", "fits the run", lambda t: floor**t),
        ("a cosine that is gone early", "done too early", lambda t: half_cosine(t / early)),
        ("a linear fall, gone early but for a little", "done too early", lambda t: max(1 - t / gone, rest)),
        ("two drops, both early", "done too early", lambda t: 1.0 if t < first else 0.1 if t < second else rest),
        ("a cosine that is not held", "rebounds", lambda t: (1 + np.cos(cycles * np.pi * t)) / 2),
        ("a cosine once down and up again", "rebounds", lambda t: (1 + np.cos(2 * np.pi * t)) / 2),
        ("down, back for a while, and down", "rebounds", lambda t: height if again < t < again + width else half_cosine(8 * t)),
        ("constant", "never moves", lambda t: 1.0),
        ("a linear fall of very little", "never moves", lambda t: 1 - fall * t),
    ]


def check_schedules_elsewhere():
    rng = check.hidden_rng(12)
    cases = []
    for steps in (int(rng.integers(*bounds)) for bounds in ((100, 300), (500, 1500), (2000, 3001))):
        # A tenth of the run at most; the first third of the runs has none.
        warmup = 0 if not cases else int(steps * rng.uniform(0.02, 0.1))
        base = 10 ** rng.uniform(-5, 1)
        for name, want, factor in schedules_drawn(rng):
            lrs = planned_lrs(steps, factor, base, warmup)
            cases.append((f"{name}{', after a warmup' if warmup else ''}", want, lrs))
    for number in rng.permutation(len(cases)):
        check_schedule(*cases[number], as_list=number % 3 > 0)


check.run(check_schedules_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# Print the rate of schedule A at steps 0, 10, 20, 30 and 199. Print the same of B. Which of these numbers would the
# broken code have seen?
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# Two numbers cannot tell a path. A schedule of any kind can end near zero, or at the base rate. What matters is how
# much of the run still has a rate that moves something, and whether the rate only ever goes down.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Divide by the largest rate and drop what comes before it. Ask in this order: once it was low, did it ever get clearly
# above its lowest value so far? Did it ever leave the neighbourhood of the peak? How large is it in the middle of the
# run?
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *Loss Plateau, diagnostic step 2: Check learning rate - where in schedule?*
#
# The cosine (Loshchilov & Hutter 2017, arXiv 1608.03983) with base rate $\eta_0$ and length $T$ is, at its $k$-th call,
#
# $$\eta_k=\frac{\eta_0}{2}\left(1+\cos\frac{\pi k}{T}\right).$$
#
# $k$ and $T$ have to count the same thing. With $E$ epochs of $B$ batches, $T=E$ and a call per batch, the cosine is over after
# the share $1/B$ of the run. That is 10 % here, and 0.1 % in a run with a thousand batches an epoch. With $T=EB$ and a call per
# epoch it covers the share $1/B$ of its way, and the rate ends at 97.8 % of where it started (schedule C).
#
# Over 20 seeds run A ends at a loss of 0.68 to 0.80, which it had after two epochs; D, whose $T$ counts batches, at
# 0.15 to 0.24. B, which keeps coming back, ends at 0.15 to 0.25, no worse than D: its fault costs nothing here. C,
# which never moves, even ends lower, at 0.05 to 0.08, because 200 steps are too few to need a decay. So "fits the run"
# means that the schedule does what was meant. Whether a decay was wise is another question.
#
# **The cheapest experiment** trains nothing. Call the schedule as the loop will, for as many steps as the run has, and
# look at the list: that takes milliseconds. It also tells this plateau from its twin, a base rate that is too low:
# there the schedule fits the run, and every rate in it is small. The cure of the twin does not cure A: five times the
# base rate brings it to 0.56 (median of 20 seeds), ten times to 0.69.
#
# **When the advice misleads.** "Where in the schedule" assumes that the schedule says it. What counts is the rate that
# reaches the optimizer: read it from there, and not from the configuration, which was right in all five runs. A rate
# that comes back is not always a fault: warm restarts do it on purpose (Loshchilov & Hutter 2017). And B ends near zero or at
# the full rate as $EB/T$ is odd or even, so the last number alone proves nothing.
#
# **In PyTorch** `CosineAnnealingLR(optimizer, T_max)` counts calls of `scheduler.step()`, whatever you mean by them,
# and past `T_max` it climbs back. `get_last_lr()`, or `optimizer.param_groups[0]["lr"]`, is what to log, at each step.
# `OneCycleLR` refuses to be stepped past its `total_steps`, and raises.
#
# </details>
