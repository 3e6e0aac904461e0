# %% [markdown]
# ## Case 6.2 · Three runs that have not learned, and one batch
#
# About 15 minutes · difficulty 3 of 5 · 5 points
#
# **The complaint.** Three runs are handed over at losses of 0.7 to 0.9 nats, on training rows and on new rows alike,
# where 0.1 would be possible. Somebody raised the rate tenfold in each, saw the loss go down in two and up in one, and
# gave three verdicts, of which two were wrong. Two full runs were wasted on cures that did not fit.
#
# **After this case you can** tell apart a rate that is too low, a network that is too small and a run that was stopped too soon,
# with 400 steps on thirty rows.
#
# In case 1.5 the run stood still, and its twin had labels that said nothing; the answer lay in rows held out. Here the
# question is whether the run *can* fit at all. That is asked of the rows it trains on, and of very few of them.
#
# ### The code

# %% fix="underfit-lr-low"
def why_underfit(probe, chance):
    """Why a run has a high loss: "rate" where its learning rate is too low, "size" where its
    network is too small, "time" where it was only stopped too soon.

    probe(lr_factor, steps) goes on from the state in which the run was handed over, each time from
    the same, with its learning rate multiplied by lr_factor, and trains on one small batch, always
    the same rows. It returns the list of that batch's losses, one a step, taken before the step.
    chance: the loss of a network that gives every class the same probability.
    A run *fits the batch* at a factor if within 200 steps its loss comes below 0.3 chance; it does
    not fit if the loss stays above 0.4 chance all the time. In between lies none of the runs here.
      "time"  the batch is fitted at factor 1. (At factor 10 it may be, or may not.)
      "rate"  it is fitted at factor 10 and not at factor 1.
      "size"  it is fitted at neither.
    Graded: the verdict. All probes of one call together take at most 450 steps.
    Not graded: how you spend them. The networks that are brought have 2 to 5 classes.
    """
    ### BEGIN BROKEN
    # before = probe(1, 1)[0]
    # after = probe(10, 200)[-1]
    # return "rate" if after < before else "size"
    ### END BROKEN
    ### BEGIN SOLUTION
    # The run as it is comes first: where it can fit the batch, neither its rate nor its size is to blame.
    for lr_factor, cause in ((1, "time"), (10, "rate")):
        if min(probe(lr_factor, 200)) < 0.35 * chance:
            return cause
    return "size"
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** Run B was stopped too soon; nothing else is wrong with it. It goes on with one batch
# for 200 steps, at ten times its rate. Where is the loss of that batch in the end? Chance is 1.10 nats. Write your guess as
# `my_guess`: it is the dotted line in the middle panel.


# %% scene="underfit-lr-low"
class BatchProbe:
    """A run that was ended with a high loss, and what it does when it goes on with one batch of 30 rows.

    run(lr_factor, steps) returns the losses of that batch; it counts its steps in `spent` and notes its factors.
    """

    def __init__(self, seed, width, lr, steps, classes=3):
        rng = np.random.default_rng([seed, 5])
        x, y = spirals(rng, 20, classes)
        self.net, self.lr, self.chance = MLP((2, width, classes), rng), lr, float(np.log(classes))
        train(self.net, lambda: (x, y), steps, lr)
        rows = rng.choice(len(y), 30, replace=False)
        self.loss, self.batch = self.net.loss(x, y), (x[rows], y[rows])
        self.state = [param.copy() for param in self.net.params]
        self.spent, self.calls = 0, []

    def __call__(self, lr_factor, steps):
        self.spent += steps
        self.calls.append((float(lr_factor), int(steps)))
        check.that(
            self.spent <= 450,
            what="all probes of one call together take at most 450 steps",
            call=f"why_underfit(probe, chance={self.chance:.3g})",
            expected="at most 450",
            got=f"{self.spent} with probe number {len(self.calls)}",
            turns={"one factor after another is probed: the question is about two of them": len({call[0] for call in self.calls}) > 2},
        )
        self.net.params, losses = [param.copy() for param in self.state], []
        with np.errstate(over="ignore", invalid="ignore"):
            for _ in range(steps):
                loss, grads = self.net.loss_and_grads(*self.batch)
                self.net.params = descend(self.net.params, grads, self.lr * lr_factor)
                losses.append(loss)
        return losses


UNDERFIT_RUNS = {"rate": (32, 0.04, 80), "time": (32, 0.8, 5), "size": (2, 0.3, 120)}  # width, lr, steps


def underfit_verdict(why_underfit, run):
    run.spent, run.calls = 0, []
    return why_underfit(run, run.chance)


def show_batch_probes(before, now, guess, seed=0):
    """Draw what the batch does at the rate as it is and at ten times the rate, for a run of each kind, with the verdicts."""
    fig, axes = figure(3, height=3.4, sharey=True)
    told = []
    for ax, name, settings in zip(axes, "ABC", UNDERFIT_RUNS.values()):
        run = BatchProbe(seed, *settings)
        said = [underfit_verdict(why, run) for why in (before, now)]
        run.spent = 0
        as_it_is, tenfold = run(1, 200), run(10, 200)
        ax.plot(as_it_is, color="#444444", linewidth=1.2, label="rate as it is")
        ax.plot(tenfold, color="#009E73", linewidth=2.6, zorder=1.5, label="ten times the rate")
        ax.axhline(run.chance, color="black", linestyle="-.", linewidth=0.8, label="chance")
        ax.set(title=f"run {name}, handed over at {run.loss:.2f}", xlabel="step on the batch", ylim=(-0.05, 2.2))
        for place, style, words in zip(
            (0.94, 0.86), (BROKEN, MENDED), (f"X as complained about: {said[0]}", f"○ your code: {said[1]}")
        ):
            ax.text(
                0.04,
                place,
                words,
                transform=ax.transAxes,
                color=style["color"],
                fontsize="small",
                zorder=5,
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.9, "pad": 1.5},
            )
        told.append(
            f"Run {name}: the batch begins at {as_it_is[0]:.2g}, comes to {min(as_it_is):.2g} at its rate, and at ten times the "
            f"rate to {min(tenfold):.2g}, {'below' if tenfold[-1] < run.chance else 'above'} chance in the end; "
            f"complaint: {said[0]}; yours: {said[1]}."
        )
    axes[0].set_ylabel("loss of the batch (nats)")
    axes[2].legend(frameon=False, fontsize="small", loc="center right", bbox_to_anchor=(1, 0.68))
    mark_guess(axes[1], guess, at=0.04)
    show(fig, "Three runs go on with one batch of thirty rows.", " ".join(told))


# %% run="underfit-lr-low" atlas="2 3"
my_guess = 0.1  # the loss of run B's batch after 200 steps at ten times the rate, in nats

show_batch_probes(before=broken.why_underfit, now=why_underfit, guess=my_guess)


# %% check="underfit-lr-low" points=5
def check_underfit_cause(name, wanted, run):
    said, call = underfit_verdict(why_underfit, run), f"why_underfit(probe, chance={run.chance:.3g}) for {name}"
    factors, longest = {factor for factor, _ in run.calls}, max((steps for _, steps in run.calls), default=0)
    check.word(
        said,
        wanted,
        ("rate", "size", "time"),
        what=f'{name}: "{wanted}"',
        call=call,
        turns={
            "nothing is probed": not run.calls,
            "the loss is compared with a fixed number, and not with `chance`": abs(run.chance - np.log(3)) > 0.1,
            "a loss that falls without fitting the batch is taken for a run that needs time": said == "time",
            "the probes end too soon: the batch has 200 steps to be fitted": longest < 180,
            "the rate as it is was not given its 200 steps: a run that fits the batch at factor 1 only needed time": wanted
            == "time"
            and max((steps for factor, steps in run.calls if factor == 1), default=0) < 180,
            "a loss that falls a little is taken for a batch that is fitted": wanted == "size" and run.chance < 1.4,
            "the tenfold rate is believed over the run's own: where factor 1 fits the batch, the rate was right": wanted
            == "time",
            "only the rate as it is was tried: too low a rate and too small a network look alike there": factors == {1.0},
            "other factors than 1 and 10 are asked": not factors <= {1.0, 10.0},
        },
    )


def check_underfit_causes():
    check_underfit_cause("a run at rate 0.04", "rate", BatchProbe(1, 32, 0.04, 80))
    check_underfit_cause("a run of 12 steps at rate 0.4", "time", BatchProbe(2, 32, 0.4, 12))
    check_underfit_cause("a run of 5 steps at rate 0.8", "time", BatchProbe(3, 32, 0.8, 5))
    check_underfit_cause("five classes, 12 steps at rate 0.5", "time", BatchProbe(1, 48, 0.5, 12, classes=5))
    check_underfit_cause("two classes, a network of width 1", "size", BatchProbe(4, 1, 0.3, 60, classes=2))


check.run(check_underfit_causes)


### BEGIN HIDDEN TESTS
def drawn_underfit_run(rng, kind):
    """A BatchProbe that is clearly of this kind: a batch is fitted within 170 steps and stays so, or not in 225."""
    while True:
        classes = int(rng.integers(3, 6)) if kind == "size" else int(rng.integers(2, 5))
        width = int(rng.integers(1, 3)) if kind == "size" else int(rng.integers(36, 49))
        size = {"rate": {2: 0.02, 3: 0.045, 4: 0.06}, "time": {2: 0.4, 3: 0.5, 4: 0.9}}.get(kind, {}).get(classes, 0.3)
        steps = int(rng.integers(*{"rate": (60, 90), "time": (5, 13), "size": (60, 120)}[kind]))
        run = BatchProbe(int(rng.integers(2**31)), width, size * rng.uniform(0.8, 1.1), steps, classes)
        for factor, is_fitted in ((1, kind == "time"), (10, kind == "rate")):
            if (kind, factor) == ("time", 10):
                continue  # at the tenfold rate it may fit the batch, or may not
            run.spent = 0
            losses = np.array(run(factor, 200 if is_fitted else 225)) / run.chance
            if not (max(losses[:170].min(), losses[170:].max()) < 0.28 if is_fitted else losses.min() > 0.42):
                break
        else:
            return run


class FittedAt:
    """Stands in for a BatchProbe: the batch is fitted at the factors from `low` to `high`, and at no other."""

    def __init__(self, low, high, chance):
        self.low, self.high, self.chance, self.spent, self.calls = low, high, chance, 0, []

    def __call__(self, lr_factor, steps):
        self.spent += steps
        self.calls.append((float(lr_factor), int(steps)))
        check.that(self.spent <= 450, what="all probes of one call together take at most 450 steps", got=self.spent)
        end = 0.25 if self.low <= lr_factor <= self.high else 0.5
        return (self.chance * (1 - (1 - end) * np.minimum(np.arange(steps) / 160, 1))).tolist()


def check_underfit_causes_elsewhere():
    rng = check.hidden_rng(62)
    for kind in rng.permutation(["rate", "time", "size"]).tolist():
        told = {"rate": "a run at a low rate", "time": "a run that was stopped soon", "size": "a small network"}[kind]
        check_underfit_cause(told, kind, drawn_underfit_run(rng, kind))
    for told, kind, low, high in (
        ("a run that fits the batch at the tenfold rate alone", "rate", 9.99, 10.01),
        ("a run that fits the batch from the double rate on", "rate", 2, 100),
        ("a run that fits the batch at its own rate alone", "time", 0.99, 1.01),
    ):
        check_underfit_cause(told, kind, FittedAt(low, high, chance=rng.uniform(1, 2)))


check.run(check_underfit_causes_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# Cover the lines at ten times the rate. For which of the runs is the case closed?
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# Thirty rows can be learned by heart by any network that is large enough, at any rate that is right. So the question is not
# whether the loss falls. It is whether it gets to the bottom. And ten times a rate that was right is too high.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Ask the run as it is first, for 200 steps. If the batch is not fitted, ask at ten times the rate. Take the lowest loss
# of each probe and compare it with 0.35 of chance.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *Underfitting: Model too small. Learning rate too low. Not enough training.* Three causes, one symptom:
# *both train and validation loss high.*
#
# With gradient flow in mind, a run of $n$ steps at a small rate $\eta$ has come as far as its training time $\tau=\eta
# n$ allows. "Rate too low" and "stopped too soon" are the same lack, of $\tau$. They part only by the price of the
# cure: here "rate" means that 200 further steps do not pay and 200 steps at $10\,\eta$ do. Size is different: no $\tau$
# brings the loss to the bottom. To see this you do not need the whole data set. Thirty rows ask little of the network,
# and a step on them costs little.
#
# **Measured,** twenty starts each, the lowest loss of the batch in shares of chance. Rate 0.04: 0.42 to 0.68 at its own
# rate, 0.14 to 0.31 at ten times. Twelve steps at rate 0.4: 0.14 to 0.31 at its own. Five steps at 0.8: 0.06 to 0.19 at
# its own, and 0.56 to 0.83 at ten times: the first step throws it out, and it hardly comes back. Width 2: 0.46 to 0.88
# at its own, 0.45 to 0.90 at ten times.
#
# **When the advice misleads.** "Increase LR" cures run A. In run B, which was only stopped too soon, it is the disease. "Train
# longer" always lowers the training loss of run A a little, and so seems to help. And a batch that is fitted acquits neither the
# labels nor the pipeline: wrong labels can be learned by heart as well (Zhang et al. 2017, arXiv 1611.03530). The twin of that
# kind is case 1.5, the audit case 6.4. A tenfold rate is one guess: where the rate is off by a thousand, a ladder of factors is
# needed, as in case 1.5.
#
# **In PyTorch** keep one batch (`x, y = next(iter(loader))`), a copy of `model.state_dict()` and a new optimizer for
# each probe. Switch dropout and augmentation off: with them, one batch is not one batch.
#
# </details>
