# %% [markdown]
# ## Case 2 · It goes down at every step, and it does not learn
#
# About 20 minutes · difficulty 2 of 5 · 5 points
#
# **The complaint.** A small network trains on spirals of three colours. The loss falls at every one of 400 steps,
# without one tick upwards, from 1.27 to 1.11. "It works, it only needs more time", says the note that came with it. A
# second network of the same shape was sent along. Its loss falls at every step too, from 1.28 to 1.11. One of the two
# could be at 0.05 by now. The other cannot learn, however long you wait.
#
# **After this case you can** tell a learning rate that is too small from a network that gets no signal, by an experiment that
# costs no more than the run itself, and find the rate on the way.
#
# ### The code

# %% fix="lr-too-low"
def peak_lr(probe, chance):
    """The learning rate for a run of 400 steps of gradient descent, or None where no rate helps.

    probe(lr, steps) trains a fresh copy of the network, always from the same start, and returns
    the list of its losses, one for each step, taken before the step: the first is the loss at the
    start. They may be inf or nan.
    chance: the loss of a network that gives every class the same probability, in the losses' unit.
    Graded: where some rate helps, one positive number; with it the loss after 400 steps is at
    most half of chance. Where none helps, None. All probes of one call together take at most 400
    steps.
    The checks bring other networks, 2 or 3 classes, and losses in other units, such as a sum over
    the rows: the good rates lie anywhere from 1e-3 to 1e3, and each task has a band of them ten
    times wide or more. There is no doubt about any task: a good rate brings the loss below
    0.2 * chance in 400 steps, or none brings it below 0.99 * chance.
    Not graded: how you search, how good your rate is beyond that, and what you do with the steps
    that are left.
    """
    ### BEGIN BROKEN
    # return 0.001
    ### END BROKEN
    ### BEGIN SOLUTION
    rates = 10.0 ** np.arange(-3, 3.5, 0.5)
    losses = [probe(lr, 30)[-1] for lr in rates]
    best = np.nanargmin(losses)
    # A loss that has fallen says little: it falls to chance without having seen an input.
    # Only below chance is there a signal.
    if losses[best] > 0.95 * chance:
        return None
    return rates[best] / 2  # the best of short runs stands close to the rates that are too high
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** In the second network's data every row has the same input, as when a loader never
# moves on; the labels are as they were, one third of each colour. It is trained at the best of all learning rates. How
# low can its loss become, in nats? The right panel answers it.

# %% scene="lr-too-low"
class Probe:
    """Training runs of one task, each on a fresh copy of the network. unit: what the mean loss in nats is multiplied by.

    probe(lr, steps) counts its steps in `spent` and its rates in `rates`, and stops a search of more than 400 steps.
    """

    def __init__(self, x, y, net, unit=1.0):
        self.x, self.y, self.start, self.unit = x, y, net, unit
        self.chance = unit * np.log(y.max() + 1)
        self.spent, self.rates = 0, []

    def __call__(self, lr, steps):
        self.spent += steps
        self.rates.append(float(lr))
        check.that(
            self.spent <= 400,
            what="all probes of one call together take at most 400 steps, as many as the run that they are for",
            call=f"peak_lr(probe, chance={self.chance:.4g})",
            expected="at most 400",
            got=f"{self.spent} with probe number {len(self.rates)}, of {steps} steps at a learning rate of {self.rates[-1]:.3g}",
        )
        return self.train(lr, steps)

    def train(self, lr, steps):
        net = MLP((2, 3), np.random.default_rng(0))
        net.params = [param.copy() for param in self.start.params]
        losses = []
        with np.errstate(all="ignore"):
            for _ in range(steps):
                loss, grads = net.loss_and_grads(self.x, self.y)
                losses.append(self.unit * loss)
                net.params = descend(net.params, grads, lr * self.unit)
        return losses


def spiral_task(seed, classes=3, points=60, hidden=32, input_scale=1.0, unit=1.0):
    """The Probe of a network that is to tell spirals apart."""
    rng = np.random.default_rng(seed)
    x, y = spirals(rng, points, classes)
    return Probe(input_scale * x, y, MLP((2, hidden, classes), rng), unit)


def without_signal(probe, same_input=(0.2, 0.7)):
    """The same network and labels, with one and the same input in every row."""
    return Probe(np.tile(same_input, (len(probe.y), 1)), probe.y, probe.start, probe.unit)


def show_twins(seed, before, now, guess):
    """Draw 400 steps on the spirals, and on the same input in every row, at the rates that `before` and `now` choose."""
    fig, axes = figure(2, sharey=True)
    told, rate_for_spirals = [], None
    live = spiral_task(seed)
    for ax, title, task in zip(axes, ("the spirals", "the same input in every row"), (live, without_signal(live))):
        told.append(f"{title}:")
        for style, label, choose in ((BROKEN, "as complained about", before), (MENDED, "your code", now)):
            task.spent, task.rates = 0, []
            lr = choose(task, task.chance)
            label += f": {lr:.3g}" if lr is not None else ": None"
            if lr is None and rate_for_spirals is not None:
                lr = rate_for_spirals
                label += " (drawn at the left rate)"
            elif choose is now and task is live:
                rate_for_spirals = lr
            losses = task.train(lr, 400) if lr is not None else [np.nan]
            ax.plot(losses, label=label, **style)
            told.append(f"{label}, from {losses[0]:.2g} to {losses[-1]:.2g}.")
        ax.axhline(task.chance, color="black", linewidth=0.8, label=f"chance: {task.chance:.2f}")
        ax.set(title=title, xlabel="step", ylim=(0, 1.35 * task.chance))
        ax.legend(frameon=False, fontsize="small", loc="center right")
    axes[0].set_ylabel("loss (nats)")
    mark_guess(axes[1], guess, at=0.02)
    show(fig, "Two networks that start alike, 400 steps each, at the learning rates chosen for them.", " ".join(told))


# %% run="lr-too-low"
my_guess = 0.5  # the lowest loss, in nats, that the second network can reach

show_twins(seed=0, before=broken.peak_lr, now=peak_lr, guess=my_guess)

# %% check="lr-too-low" points=5
def ask_for_peak(name, probe):
    """What peak_lr answers for a task, proven to be None or one positive number, and the call in words."""
    lr, call = peak_lr(probe, probe.chance), f"peak_lr(probe, chance={probe.chance:.4g}) for {name}"
    is_number = lr is None or (np.ndim(lr) == 0 and not isinstance(lr, str) and np.isfinite(lr) and lr > 0)
    check.that(is_number, what="what is returned is None or one positive number", call=call, got=lr)
    return lr, call


def check_a_rate_helps(name, probe):
    lr, call = ask_for_peak(name, probe)
    check.that(
        lr is not None,
        what="a learning rate comes back where one helps",
        call=call,
        expected="a positive number",
        got=None,
        turns={
            "no probe was made: None is a finding, and needs its experiment": not probe.rates,
            "only small rates were tried: at those a network that could learn looks like one that cannot": probe.rates
            and max(probe.rates) < 0.05 / probe.unit,
            "a single rate was tried, and it is not the one for this task": len(set(probe.rates)) == 1,
            "losses are compared with a fixed number, such as ln 3, and not with `chance`": probe.chance > 10,
        },
    )
    losses = np.array(probe.train(lr, 400))
    goes_up = np.mean(~(np.diff(losses) <= 0))
    check.that(
        losses[-1] <= 0.5 * probe.chance,
        what="after 400 steps at the rate returned the loss is at most half of chance",
        call=call,
        expected=f"at most {0.5 * probe.chance:.3g}",
        got=f"{losses[-1]:.3g} at a rate of {lr:.3g}; it starts at {losses[0]:.3g} and goes up in {goes_up:.0%} of the steps",
        turns={
            "the rate is the one complained about": np.isclose(lr, 0.001) and not probe.rates,
            "0.001 is raised tenfold, whatever the task": np.isclose(lr, 0.01) and not probe.rates,
            "a rate is returned without a probe": not probe.rates,
            "the rate is so high that the loss jumps about: that it stays finite does not make it a good rate": goes_up > 0.2,
            "the rate is still too small: the loss was falling at every step, and had far to go": goes_up == 0,
        },
    )


def check_no_rate_helps(name, probe):
    lr, call = ask_for_peak(name, probe)
    if lr is None:
        check.that(probe.rates, what="None is a finding, and needs its experiment: no probe was made", call=call, got=None)
        return
    losses = probe.train(lr, 400)
    check.that(
        False,
        what="None comes back where no learning rate helps",
        call=call,
        expected=None,
        got=f"{lr:.3g}, with which the loss goes from {losses[0]:.4g} to {losses[-1]:.4g}; chance is {probe.chance:.4g}",
        turns={
            "a rate is returned without a probe": not probe.rates,
            "a loss that falls is taken for a network that learns: it falls to chance, and no further": losses[-1] < losses[0]
            and losses[-1] > 0.98 * probe.chance,
        },
    )


def check_lr_too_low():
    check_a_rate_helps("three spirals", spiral_task(0, points=10, hidden=16))
    same_input = without_signal(spiral_task(0, points=10, hidden=16), same_input=(1.5, 2.0))
    check_no_rate_helps("the same network, one input in every row", same_input)
    check_a_rate_helps("a loss summed over 60 rows", spiral_task(1, points=20, hidden=16, unit=60.0))


check.run(check_lr_too_low)
### BEGIN HIDDEN TESTS
def check_lr_too_low_elsewhere():
    rng = check.hidden_rng(2)
    seeds = [int(seed) for seed in rng.integers(2**31, size=4)]
    unit = 1 / rng.uniform(120, 190)
    check_a_rate_helps("a loss averaged over padded positions", spiral_task(seeds[0], points=10, hidden=16, unit=unit))
    check_a_rate_helps("two spirals", spiral_task(seeds[1], classes=2, points=15, hidden=16))
    large = spiral_task(seeds[2], points=10, hidden=16, input_scale=rng.uniform(2.5, 3.5))
    check_a_rate_helps("inputs about three times as large", large)
    blank = spiral_task(seeds[3], points=10, hidden=16, unit=rng.uniform(10, 60))
    # It starts above chance, and its biases alone bring it down.
    blank.start.params[-1] = rng.permutation([rng.uniform(0.6, 1.2), rng.uniform(-0.9, -0.4), rng.uniform(0, 0.3)])
    check_no_rate_helps("a network whose inputs are all zero", without_signal(blank, (0.0, 0.0)))


check.run(check_lr_too_low_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# What loss has a network that knows nothing, and says "a third each"? Mark that number on both curves. Which of the two
# has shown you anything that a network without eyes could not do?
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# Both losses fall *to* chance, and at 0.001 that is all you will see in 400 steps. A larger rate tells the two apart:
# one falls through the line, the other lies down on it. And 0.001 times ten is still a guess; the units of the loss
# alone can move the good rate by a factor of a hundred.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Probe a ladder of rates over the whole range, far apart, a few dozen steps each: count what it costs. Let the lowest last
# loss choose, beware of `nan` in the comparison, and ask of the winner whether it is below chance. Stay a little below
# the highest rate that works.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *Mistake 2: Learning Rate Too Low.*
#
# A network that gives each of $K$ classes the same probability has the cross-entropy $\ln K$: 1.10 nats for three
# classes, 2.30 for ten. With labels in equal shares no network can do better that cannot see its inputs. A fresh one
# usually starts a little above, because its first guesses are uneven, and the way down to $\ln K$ needs no more than
# flattening them. For a small rate $\eta$ one step lowers the loss by about $\eta\lVert g\rVert^2$, with $g$ the
# gradient; here that is 0.0005 nats at first, with $\eta=0.001$, and downwards at every step. A loss that never ticks up
# says that the rate is not too high. It says nothing else.
#
# On the spirals 400 steps end at 1.11 with a rate of 0.001, at 0.77 with 0.01, at 0.45 with 0.1, at 0.06 with 1 and at
# 0.015 with 3. At 5 the loss goes up in a third of the steps and mostly ends near 0.6; at 20 it stalls at 6.65: finite,
# and far worse than guessing. Where every row has the same input, every rate from 0.003 to 5 ends at 1.10.
#
# **When the advice misleads.** The document shows a loss that goes from 2.34 to 2.32 in 2000 steps and concludes that
# the rate is too low. For ten classes chance is 2.303. Such a trace fits a dead input, a cut connection or shuffled
# labels as well. Raising the rate is the right *experiment*, and the cheapest one: a few dozen steps. As a cure it is
# right for one of the twins only. And the usual "2 to 10 times more" is too timid where the rate is a thousand times
# too small, as here.
#
# **Warmup and a higher peak** is the document's other cure. Measured on 20 starts of this network, with 400 steps and a target
# loss of 0.2, warmup buys little. At a rate of 3 all cold starts arrive; at 4 nine do, and eleven after a linear warmup of 100
# steps. It buys much where the start is bad. With the last layer drawn ten times too large the network begins overconfident: at a
# rate of 3 one cold start of 20 arrives, and 18 do with the warmup. So raise the rate first, and add warmup when the start cannot
# bear it. (What warmup does in large networks is studied by Gotmare et al. 2019, arXiv 1810.13243.)
#
# **Short probes lean upwards.** The best rate of thirty steps stands close to those that are too high, so step back by
# a factor of two or three. A sweep that raises the rate within a single run is cheaper still (Smith 2017, arXiv
# 1506.01186).
#
# **In PyTorch** nothing warns of either twin. Print `math.log(num_classes)` beside the first losses, and see that one batch
# can be fitted before you train on all of them.
#
# </details>
