# %% [markdown]
# ## Case 1.6 · Two wobbles, one recipe
#
# About 20 minutes · difficulty 3 of 5 · 6 points
#
# **The complaint.** Two networks wobble, one around a loss of 1.3 nats, the other around 0.8, and neither settles.
# For a loss that oscillates the usual recipe has one line: lower the rate, add warmup. A script tries it for a
# hundred steps, and where the loss comes down it names the rate as the cause. It named the rate for both, and both
# were run on at the lower one over the weekend. On Monday nobody was pleased with either. One of the two could have
# been at 0.2 before lunch on Friday.
#
# **After this case you can** tell a learning rate that is too high from noise in the data, by an experiment that neither passes
# by luck, and say what is worth keeping of a run that was too hot.
#
# ### The code

# %% fix="plateau-lr-high"
def why_it_wobbles(losses, probe):
    """Why the loss of a run wobbles and does not fall: "lr too high", or "noise" where it is the
    data that let no network of this kind get much lower.

    losses: the losses of the run's last 100 steps, each that of one small batch.
    probe(lr_factor, steps, fresh=False) trains on the same data, from the run's last state, each
    time from the same, or from a newly drawn start where fresh is True. Its rate is that of the
    run times lr_factor: a number, or a function of the probe's step, counted from 0. It returns
    the list of its batch losses, one a step.
    Graded: the verdict, on runs of different data, sizes of loss and rates; that each verdict
    comes from a probe; and that all probes of one call together take at most 600 steps.
    Let M be the mean of losses. In a run with "lr too high" the same network can be brought below
    0.55 M (the mean of 50 batches) in 200 steps, at any constant factor from 0.1 to 0.3. With
    "noise" no probe gets below 0.7 M, at whatever factor. Any probe may get a little below M.
    Not graded: which probes you choose.
    """
    ### BEGIN BROKEN
    # cooled = probe(0.1, 100)
    # return "lr too high" if np.mean(cooled[-50:]) < 0.95 * np.mean(losses) else "noise"
    ### END BROKEN
    ### BEGIN SOLUTION
    # What a high rate has done to the weights stays in them when it is lowered: only a new start shows what a lower one can do.
    cooled = probe(0.2, 200, fresh=True)
    return "lr too high" if np.mean(cooled[-50:]) < 0.62 * np.mean(losses) else "noise"
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** Run A wobbles around 1.3 nats because its rate is too high; a start of its own at a
# fifth of that rate comes to 0.2 within 200 steps. Now take run A *where it stands*, divide its rate by ten, and give
# it the same 200 steps. Where does its loss end? Write your guess as `my_guess`: it is the dotted line in the left
# panel.


# %% scene="plateau-lr-high"
class WobblyRun:
    """A run of 150 steps on small batches; called, it is the probe that why_it_wobbles is given.

    spread: None for three clear spirals, which a network can learn; else the standard deviation of normal clouds that lie at
    a distance of 1 from the middle and overlap, so that no network can know the labels. losses: of the last 100 steps.
    tried: for each probe its last factor, its steps, and whether it was fresh.
    """

    def __init__(self, seed, lr, spread=None, classes=3, batch=20):
        self.seed, self.rng = seed, np.random.default_rng(seed)
        if spread is None:
            self.x, self.y = spirals(self.rng, 20, classes)
        else:
            self.y = np.repeat(np.arange(classes), 100)
            angle = 2 * np.pi * np.arange(classes) / classes
            self.centres = np.column_stack([np.sin(angle), np.cos(angle)])
            self.x = self.centres[self.y] + self.rng.normal(0, spread, (len(self.y), 2))
        self.lr, self.spread, self.batch, self.sizes = lr, spread, batch, (2, 24, classes)
        self.net = MLP(self.sizes, self.rng)
        self.first = train(self.net, self.draw, 150, lr)["loss"]
        self.losses = self.first[-100:]
        self.state, self.tried = self.net.params, []

    def draw(self):
        rows = self.rng.integers(len(self.y), size=self.batch)
        return self.x[rows], self.y[rows]

    def __call__(self, lr_factor, steps, fresh=False):
        spent = steps + sum(tried[1] for tried in self.tried)
        check.that(
            spent <= 600,
            what="all probes of one call together take at most 600 steps",
            call="why_it_wobbles(losses, probe)",
            expected="at most 600",
            got=f"{spent} with probe number {len(self.tried) + 1}",
        )
        factor = lr_factor if callable(lr_factor) else lambda step: lr_factor
        self.net.params = MLP(self.sizes, self.rng).params if fresh else [param.copy() for param in self.state]
        losses = train(self.net, self.draw, steps, lambda step: self.lr * factor(step))["loss"]
        self.tried.append((float(factor(max(steps - 1, 0))), steps, bool(fresh)))
        return list(losses)

    def floor(self):
        """The loss of somebody who knows the clouds: the mean of -log p(label | place), in nats."""
        distance = ((self.x[:, None] - self.centres) ** 2).sum(axis=2)
        p = np.exp(-distance / (2 * self.spread**2))
        return float(-np.log(p[np.arange(len(self.y)), self.y] / p.sum(axis=1)).mean())


def wobble_verdict(why_it_wobbles, run):
    run.tried = []
    run.rng = np.random.default_rng([7, *np.atleast_1d(run.seed)])  # so that each rule is shown the same batches
    return why_it_wobbles(list(run.losses), run)


def wobbly_twins(seed):
    """The two runs of the complaint: too high a rate, and clouds that overlap."""
    return WobblyRun(seed, lr=6.0), WobblyRun(seed, lr=1.5, spread=1.0)


def show_wobbly_twins(before, now, guess, seed=0, count=8):
    """Draw both runs and four ways to go on, and count over `count` pairs how often `before` and `now` judge rightly."""
    fig, axes = figure(2, height=3.7, sharey=True)
    ways = {
        "rate / 10 from there": (dict(color="#444444", linewidth=2.8), 0.1, False),
        "warmup to the rate, new start": (dict(color="#888888", linestyle="-."), lambda step: min(1, (step + 1) / 100), True),
        "rate / 5, new start": (dict(color="#009E73", linestyle="--", linewidth=2), 0.2, True),
    }
    told = []

    def smooth(losses):
        return np.convolve(losses, np.ones(20) / 20, mode="valid")

    for ax, name, run in zip(axes, "AB", wobbly_twins(seed)):
        ax.plot(np.arange(20, 151), smooth(run.first), color="black", linewidth=0.9)
        for way, (style, factor, fresh) in ways.items():
            run.tried = []
            losses = run(factor, 200, fresh=fresh)
            ax.plot(np.arange(170, 351), smooth(losses), label=way, **style)
            told.append(f"{name}, {way}: ends at {np.mean(losses[-50:]):.2g}")
        ax.axvline(150, ymax=0.8, color="black", linewidth=0.6)
        ax.set(title=f"run {name}", xlabel="step; three ways on from step 150", ylim=(0, 2.5))
        said = [wobble_verdict(why, run) for why in (before, now)]
        words = (f"X as complained about: {said[0]}", f"○ your code: {said[1]}")
        for place, style, line in zip((0.94, 0.87), (BROKEN, MENDED), words):
            ax.text(0.02, place, line, transform=ax.transAxes, color=style["color"], fontsize="small")
        told.append(f"{name}, as complained about: {said[0]}; your code: {said[1]}")
        if run.spread:
            ax.axhline(run.floor(), color=BROKEN["color"], linestyle=(0, (1, 1)), linewidth=2, label="floor of the data")
    axes[0].set_ylabel("batch loss, mean of 20 steps (nats)")
    mark_guess(axes[0], guess, at=0.02)
    fig.legend(*axes[1].get_legend_handles_labels(), frameon=False, fontsize="small", loc="outside upper center", ncols=4)
    show(fig, "Two runs that wobble, three ways to go on with each, and what is said of them.", "; ".join(told) + ".")
    pairs = [wobbly_twins(100 + number) for number in range(count)]
    for place, kind, wanted in ((0, "rate too high (as A)", "lr too high"), (1, "noise in the data (as B)", "noise")):
        right = [sum(wobble_verdict(rule, pair[place]) == wanted for pair in pairs) for rule in (before, now)]
        print(f"{kind}: judged rightly, as complained about {right[0]} of {count}; your code {right[1]} of {count}.")


# %% run="plateau-lr-high" atlas="1 2"
my_guess = 0.4  # the loss of run A at a tenth of its rate, 200 steps on from where it stands, in nats

show_wobbly_twins(before=broken.why_it_wobbles, now=why_it_wobbles, guess=my_guess)


# %% check="plateau-lr-high" points=6
def check_wobble(name, wanted, run):
    said = wobble_verdict(why_it_wobbles, run)
    call = f"why_it_wobbles(losses, probe) for {name}"
    check.that(
        run.tried or said is None,
        what="each verdict comes from a probe",
        call=call,
        got=f"{said!r} without one",
        turns={"the curve alone is looked at: its height and its wobble are the same for both causes": True},
    )
    factors, steps, fresh = zip(*run.tried) if run.tried else ((), (), ())
    lower = [place for place, is_fresh in enumerate(fresh) if is_fresh and factors[place] < 0.9]
    check.word(
        said,
        wanted,
        ("lr too high", "noise"),
        what=name,
        call=call,
        turns={
            "a run that falls a little when it is cooled is taken for one whose rate was too high: smaller steps wobble less "
            "over any floor": wanted == "noise" and not any(fresh),
            "any fall of a new start counts: every start falls from chance to the floor, and with smaller steps, which wobble "
            "less, a little below the run": wanted == "noise",
            "the run is cooled where it stands: what the high rate has done to its weights stays in them, and it does not "
            "come back": wanted == "lr too high" and not any(fresh),
            "the new start is given the same rate again, with a warmup or without, and is ruined again": wanted == "lr too high"
            and not lower,
            "the new start is so slow, or so short, that its steps are over before it arrives": wanted == "lr too high"
            and all(factors[place] < 0.05 or steps[place] < 120 for place in lower),
        },
    )


def check_plateau_lr_high():
    check_wobble("spirals at a rate of 6", "lr too high", WobblyRun(0, lr=6.0))
    check_wobble("clouds that overlap, at a rate of 1.5", "noise", WobblyRun(1, lr=1.5, spread=1.0))
    check_wobble("five clouds that overlap, with a loss of 1.2", "noise", WobblyRun(2, lr=1.0, spread=1.0, classes=5))
    check_wobble("clouds that overlap little, with a loss of 0.3", "noise", WobblyRun(3, lr=0.5, spread=0.6))
    check_wobble("spirals at a rate of 5, batches of 40", "lr too high", WobblyRun(22, lr=5.0, batch=40))


check.run(check_plateau_lr_high)


### BEGIN HIDDEN TESTS
def check_plateau_lr_high_elsewhere():
    rng = check.hidden_rng(16)
    names = {"lr too high": "spirals at a high rate", "noise": "clouds that overlap"}
    for wanted in rng.permutation(["lr too high", "noise", rng.choice(list(names))]).tolist():
        seed = int(rng.integers(2**31))
        if wanted == "noise":
            # So much noise from the steps themselves that a new start at a lower rate falls by 10 to 15 %, and no further.
            classes, spread, lr = int(rng.integers(4, 6)), rng.uniform(0.78, 0.85), rng.uniform(1.75, 1.95)
            run = WobblyRun(seed, lr=lr, spread=spread, classes=classes)
        elif rng.random() < 0.5:
            run = WobblyRun(seed, lr=rng.uniform(5.5, 6.5), classes=2)
        else:
            run = WobblyRun(seed, lr=rng.uniform(5.2, 5.8), batch=40)
        check_wobble(names[wanted], wanted, run)


check.run(check_plateau_lr_high_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# Compare the thick line of the left panel with that of the right one. Both are a little below the black line. Then
# compare the dashed ones.
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# A cooled run goes on from weights that the hot one has made. If they are ruined, cooling them proves nothing; and
# where they are not, it takes away the wobble that every larger step makes, so the loss falls in both cases. The
# probe asks about the rate *and* the state, and cannot tell which has answered.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Change the rate and not the history: a new start, at a fraction of the rate, long enough to get somewhere. Compare
# the mean of its last 50 losses with that of the run, and ask for much, not for any fall.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *Loss Plateau: Learning rate too high. Loss oscillates, doesn't settle. Gradient norms high or variable. Fix:
# Decrease LR, add warmup.*
#
# Near a minimum with the loss $L^*$ small noisy steps at the rate $\eta$ hover above it:
#
# $$L\approx L^*+\frac{\eta}{4}\,\mathrm{tr}\,C,$$
#
# with $C$ the covariance of the batch gradient ($\eta$ well below the bound of stability; the stationary spread of
# SGD is worked out in Mandt et al. 2017, arXiv 1704.04289). Dividing $\eta$ by ten takes away nine tenths of the
# second term, whatever $L^*$ is. So a fall after cooling is what *every* wobbling run shows. The question is whether
# $L^*$ is that of the data or that of this run's ruined weights, and only a new start at a lower rate answers it.
#
# **Ruined how?** Over 20 seeds of run A, 96 to 100 % of the hidden units are zero on every row after 150 steps. A rectified unit
# that is zero everywhere has no gradient, so no rate brings it back. 700 steps at a tenth of the rate end at 0.95 to 1.11, and
# guessing costs $\ln 3=1.10$. A new start at a fifth of the rate ends after 200 steps at 0.11 to 0.20 of what the run had.
#
# **When the advice misleads.** "Decrease LR", done where the run stands, brings run A to 0.72 to 0.82 of its loss in 200 steps,
# and run B to 0.78 to 0.96: the two ranges overlap. "Add warmup" puts off the damage until the ramp has arrived: new starts that
# are warmed up for 100 steps end at 0.64 to 1.12 of A's loss. Gradient norms that are "high or variable" are found in both. Their
# median is 0.33 to 0.44 in A and 0.38 to 0.45 in B, their relative spread 0.39 to 0.56 and 0.33 to 0.52. So are steps upwards, 45
# to 57 % of them and 44 to 55 %. Cooling in place is no bad advice while the weights are still alive: at a rate of 3 it brings 11
# of 20 runs below 0.55 of their loss, at 4 none. A new start does it in 20 of 20 at both.
#
# **The twin.** In run B the clouds overlap. Somebody who knew them would have a loss between 0.81 and 0.97 of the
# run's: that is the floor, computed from the data and not from any rate. There nothing in the optimizer helps. Better
# labels or other inputs do; larger batches only make the curve smoother. Cooling at the end is still right, for the
# second term of the formula.
#
# **In PyTorch** a new start is a new model *and* a new optimizer: load neither state. A warmup is
# `LambdaLR(optimizer, lambda step: min(1, (step + 1) / 100))`.
#
# </details>
