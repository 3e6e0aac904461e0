# %% [markdown]
# ## Case 1.5 · Two runs that have stopped, and one advice for both
#
# About 20 minutes · difficulty 3 of 5 · 5 points
#
# **The complaint.** Two networks of one shape seem to stand still, one at a loss of 0.95 nats, the other at 1.20,
# after 400 steps without one tick upwards. Their gradients are neither small nor large. "Train longer", said the
# first person who looked; "raise the rate", said the second. The second advice was followed. Both training losses
# then fell, and both runs were called mended. One of the two networks is no better on new rows than guessing.
#
# **After this case you can** say why a run stands still from a short continuation of that very run, and know which of
# its curves to believe.
#
# ### The code

# %% fix="plateau-lr-low"
def why_flat(probe, chance):
    """Why a run stands still: "lr" where its learning rate is too low, "labels" where its labels
    say nothing about its inputs.

    probe(lr_factor, steps) goes on from the state in which the run stands still, each time from
    the same, with its learning rate multiplied by lr_factor. It returns two lists with one entry a
    step: the training losses and the losses on held-out rows, both taken before the step. They may
    be inf or nan. In a "labels" run the labels of both sets have been shuffled.
    chance: the loss of a network that gives every class the same probability.
    Graded: the verdict. All probes of one call together take at most 600 steps.
    In an "lr" run the factors that help lie anywhere between 10 and 1e5, in a band ten times wide
    or more: there 100 steps bring the held-out loss below 0.75 chance. In a "labels" run no factor
    brings it below 0.9 chance. The training loss may fall in either. The networks that are brought
    have 3 to 5 classes. Both verdicts need a probe.
    Not graded: how you search, and what you do with the steps that are left.
    """
    ### BEGIN BROKEN
    # before = probe(1, 1)[0][0]
    # after = probe(100, 100)[0][-1]
    # return "lr" if after < 0.98 * before else "labels"
    ### END BROKEN
    ### BEGIN SOLUTION
    for lr_factor in (10, 100, 1e3, 1e4, 1e5):
        held_out = probe(lr_factor, 100)[1]
        # A network can learn shuffled labels by heart, but on new rows that is worth nothing.
        if np.nanmin(held_out) < 0.82 * chance:
            return "lr"
    return "labels"
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** In one of the two runs the labels have been shuffled. Its rate is multiplied by
# 1000, and it goes on for 100 steps. Where does its *training* loss end, if chance is 1.10 nats? Write your guess as
# `my_guess`; the right panel answers it, and the line under it.


# %% scene="plateau-lr-low"
class FlatRun:
    """A run of `steps` steps at a rate far too low, and what it does when it goes on.

    run(lr_factor, steps) returns the training and the held-out losses. It counts its steps in `spent`, and notes its factors
    and the lowest held-out loss of each probe. first: the held-out loss where it stands.
    is_shuffled: the labels of both sets are dealt out anew, so that they say nothing about the inputs.
    """

    def __init__(self, seed, is_shuffled, lr=1e-3, classes=3, steps=400, held_out=60):
        rng = np.random.default_rng(seed)
        (self.x, self.y), (self.x_val, self.y_val) = spirals(rng, 10, classes), spirals(rng, held_out, classes)
        if is_shuffled:
            self.y, self.y_val = rng.permutation(self.y), rng.permutation(self.y_val)
        self.net, self.lr, self.chance = MLP((2, 24, classes), rng), lr, float(np.log(classes))
        self.losses = train(self.net, lambda: (self.x, self.y), steps=steps, lr=lr)["loss"]
        self.state = [param.copy() for param in self.net.params]
        self.first = self.net.loss(self.x_val, self.y_val)
        self.spent, self.factors, self.lowest = 0, [], []

    def __call__(self, lr_factor, steps):
        self.spent += steps
        self.factors.append(float(lr_factor))
        check.that(
            self.spent <= 600,
            what="all probes of one call together take at most 600 steps",
            call=f"why_flat(probe, chance={self.chance:.3g})",
            expected="at most 600",
            got=f"{self.spent} with probe number {len(self.factors)}",
            turns={"a probe is as long as the whole run": steps >= 400},
        )
        self.net.params = [param.copy() for param in self.state]
        draw, held_out = (lambda: (self.x, self.y)), (self.x_val, self.y_val)
        history = train(self.net, draw, steps, self.lr * lr_factor, validation=held_out)
        self.lowest.append(min([loss for loss in history["val_loss"] if np.isfinite(loss)], default=np.inf) if steps else np.inf)
        return list(history["loss"]), list(history["val_loss"])


def flat_verdict(why_flat, run):
    run.spent, run.factors, run.lowest = 0, [], []
    return why_flat(run, run.chance)


def show_flat_twins(before, now, guess, seed=0):
    """Draw both runs and a continuation at a thousand times the rate, with the verdicts of `before` and `now`."""
    fig, axes = figure(2, height=3.4, sharey=True)
    told = []
    for ax, title, is_shuffled in zip(axes, ("labels as they were", "labels shuffled"), (False, True)):
        run = FlatRun(seed, is_shuffled)
        said = [flat_verdict(why, run) for why in (before, now)]
        run.spent = 0
        loss, val_loss = run(1000, 100)
        steps = np.arange(400, 500)
        ax.plot(run.losses, color="#444444", linewidth=1)
        ax.plot(steps, loss, color="#444444", linewidth=1, label="training loss")
        ax.plot(steps, val_loss, color="#009E73", linewidth=2.6, zorder=1.5, label="held-out loss")
        ax.axhline(run.chance, color="black", linestyle="-.", linewidth=0.8, label="chance")
        ax.set(title=title, xlabel="step; from 400 on at 1000 times the rate", ylim=(0, 2.2))
        words = (f"X as complained about: {said[0]}", f"○ your code: {said[1]}")
        for place, style, line in zip((0.94, 0.86), (BROKEN, MENDED), words):
            ax.text(0.02, place, line, transform=ax.transAxes, color=style["color"], fontsize="small")
        told.append(
            f"{title}: flat at {run.losses[-1]:.2g}; at 1000 times the rate training ends at {loss[-1]:.2g}, held out at "
            f"{val_loss[-1]:.2g}. As complained about: {said[0]}; your code: {said[1]}."
        )
    axes[0].set_ylabel("loss (nats)")
    axes[0].legend(frameon=False, fontsize="small", loc="lower left")
    mark_guess(axes[1], guess, at=0.02, va="top")
    show(fig, "Two runs that stand still, and what 100 steps more at a thousand times the rate bring.", " ".join(told))
    print(f"On shuffled labels the training loss ends at {loss[-1]:.1f} nats. You said {guess:g}.")


# %% run="plateau-lr-low" atlas="1 2"
my_guess = 1.0  # the training loss on shuffled labels after 100 steps at 1000 times the rate, in nats

show_flat_twins(before=broken.why_flat, now=why_flat, guess=my_guess)


# %% check="plateau-lr-low" points=5
def check_why_flat(name, wanted, run):
    said = flat_verdict(why_flat, run)
    call = f"why_flat(probe, chance={run.chance:.3g}) for {name}"
    untried = {"a verdict is given untried: the curve is as flat for either cause": True}
    got = f'"{said}" without one'
    check.that(run.factors or said is None, what="both verdicts need a probe", call=call, got=got, turns=untried)
    highest, lowest = max(run.factors, default=1), min(run.lowest, default=np.inf)
    is_lr = wanted == "lr"
    check.word(
        said,
        wanted,
        ("lr", "labels"),
        what=f"{name}, with factors up to {highest:.3g} tried",
        call=call,
        turns={
            "the run is only trained longer: at the rate that does not move it, nothing is to be seen": highest <= 1,
            "the training loss is believed: a network learns shuffled labels by heart, and its training loss falls": not is_lr
            and run.first < run.chance * 1.05,
            "the held-out loss is compared with its own beginning: this one began above chance, and came down to it and no "
            "further": not is_lr,
            f"a probe has brought the held-out loss to {lowest / run.chance:.2f} of chance, and is not believed: what is it "
            "compared with, and what does a nan do there": is_lr and lowest < 0.75 * run.chance,
            "the rate was not raised far enough: the one that helps may be 100 000 times higher": is_lr
            and highest < 0.02 / run.lr,
            "only one factor was tried, and at that the run stalls": is_lr and len(set(run.factors) - {1.0}) == 1,
            "the factors lie beside the band that helps, which may be only ten times wide": is_lr,
        },
    )


def check_flat_runs(kinds):
    for name, (wanted, seed, lr, classes) in kinds.items():
        # Fewer steps and fewer held-out rows than in the figure, for speed: at such rates the first steps are like any others.
        check_why_flat(name, wanted, FlatRun(seed, wanted == "labels", lr, classes, steps=20, held_out=20))


def check_plateau_lr_low():
    check_flat_runs(
        {
            "a run at 0.001, labels shuffled": ("labels", 3, 1e-3, 3),
            "another run at 0.001, labels shuffled": ("labels", 4, 1e-3, 3),
            "a run at 0.00002": ("lr", 1, 2e-5, 3),
            "five classes, a run at 0.01": ("lr", 2, 1e-2, 5),
        }
    )


check.run(check_plateau_lr_low)


### BEGIN HIDDEN TESTS
class BandRun:
    """Stands in for a FlatRun: only factors from `low` to ten times that help; below nothing moves, above it diverges."""

    def __init__(self, low, chance):
        self.low, self.chance, self.first, self.lr = low, chance, 1.01 * chance, 1e-5
        self.spent, self.factors, self.lowest = 0, [], []

    def __call__(self, lr_factor, steps):
        self.spent += steps
        self.factors.append(float(lr_factor))
        check.that(self.spent <= 600, what="all probes of one call together take at most 600 steps", got=self.spent)
        losses = np.full(steps, self.first)
        if lr_factor > 10 * self.low:
            losses[1:] = np.nan
        elif lr_factor >= self.low:
            losses = self.first - 0.31 * self.chance * np.minimum(np.arange(steps) / 99, 1)
        self.lowest.append(np.nanmin(losses, initial=np.inf))
        return losses.tolist(), losses.tolist()


def check_plateau_lr_low_elsewhere():
    rng = check.hidden_rng(15)

    def run(wanted):
        # With four classes the held-out loss of shuffled labels stays above 0.9 chance; from 3e-5 to 0.02 the rates that help,
        # 0.3 to 3, are 10 to 1e5 times as high.
        return wanted, int(rng.integers(2**31)), 10 ** rng.uniform(-4.5, -1.8), 4

    kinds = {"four classes, a run that stands still": run("lr"), "four classes, labels shuffled": run("labels")}
    check_flat_runs({name: kinds[name] for name in rng.permutation(list(kinds)).tolist()})
    for low in 10 ** rng.uniform(np.arange(1, 4, 0.5), np.arange(1.5, 4.5, 0.5)):
        check_why_flat("a run that only a band of factors helps", "lr", BandRun(low, chance=rng.uniform(1, 2)))


check.run(check_plateau_lr_low_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# A probe returns two lists. The code uses one of them. In the right panel, look at the other.
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# Thirty rows can be learned by heart, whatever their labels. So a falling training loss proves that the rate was too
# low for *something*; it does not prove that there is anything to learn. And a hundredfold is one guess about the
# factor.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Climb a ladder of factors, a hundred steps each; count what it costs. One held-out loss well below chance settles
# it. If none comes, the labels are to blame. Compare with `chance` and not with where the loss began, which may be
# above it, and beware of `nan`.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *Loss Plateau: Learning rate too low. Gradient norms healthy but loss flat. Fix: Increase LR 2-10x.*
#
# For a small learning rate $\eta$ one step lowers the training loss by about $\eta\lVert g\rVert^2$, with $g$ the gradient. With
# $\eta=0.001$ and a gradient of ordinary length, 100 steps lower the loss by 0.004 to 0.04 nats: nearly flat, and no tick
# upwards. The same holds for labels that say nothing. The two part when the rate is raised, and only on rows that were held out.
# After 100 steps at 1000 times the rate the held-out loss is 0.22 to 0.32 of chance with the true labels, and 1.17 to 1.71 of
# chance with shuffled ones (ten starts each). The training loss falls in both.
#
# **When the advice misleads.** "Increase LR 2-10x" is too timid here. On ten starts with the true labels, 100 steps
# at ten times the rate bring the held-out loss to 0.76 to 1.00 of chance, at a hundred times to 0.62 to 0.70. And the
# training loss alone flatters: on shuffled labels it falls, at 1000 times the rate, to 0.45 to 0.79 of chance. Large
# networks learn random labels by heart altogether (Zhang et al. 2017, arXiv 1611.03530).
#
# **In PyTorch** keep `copy.deepcopy(model.state_dict())` of the plateau, and the optimizer's, and start every probe
# from it.
#
# </details>
