# %% [markdown]
# ## Case 5.5 · The regulariser that did nothing
#
# About 15 minutes · difficulty 3 of 5 · 6 points
#
# **The complaint.** A linear model with 50 inputs and 40 rows fits its rows exactly and new ones badly. It is trained with AdamW.
# The usual values of weight decay, 0.01 to 0.1, were tried, and the best of them taken. The error on new rows went down by 3 %.
# "Weight decay does not help here", says the note, and the project went looking for other data.
#
# **After this case you can** say how much a weight decay can do in a given run before you train, and find its strength
# by a sweep that knows whether it has seen the optimum.
#
# In case 9 of stage 1 the question was *which* parameters decay. Here it is how strongly, and in which unit.
#
# ### The code

# %% fix="reg-weight-decay"
def choose_decay(val_loss, lr, steps):
    """The weight decay with which AdamW reaches the lowest validation loss.

    val_loss(decay, split) trains with this decay, decoupled: each step multiplies a weight by
    1 - lr * decay, whatever its gradient. It returns the validation loss, a float, on one of ten
    splits, 0 to 9. Where lr * decay is above 2 the run diverges: inf or nan comes back.
    lr: learning rate, 1e-5 to 0.1. steps: the length of each run, 100 to 100 000.
    The best decay lies anywhere with 0.03 <= lr * steps * decay <= 100, or every decay makes the
    loss worse and 0 is best. That of a single split lies beside that of all ten, by a factor of 4
    or so either way; and each call has a noise of 8 % of the lowest loss, as standard deviation.
    Graded: the decay returned, 0 or more. Its loss over all splits, without noise, is at most 12 %
    above the lowest; a factor of 10 beside the best costs 20 %. Where 0 is best, 0 is returned, or
    a decay with lr * steps * decay up to 0.02. val_loss is called at most 200 times.
    """
    ### BEGIN BROKEN
    # candidates = [0.01, 0.03, 0.1]  # typical: 0.01 to 0.1
    # losses = [val_loss(decay, 0) for decay in candidates]
    # return candidates[int(np.argmin(losses))]
    ### END BROKEN
    ### BEGIN SOLUTION
    # What counts is the decay over the whole run. Half powers of ten, from nothing to all, in its own unit.
    over_the_run = np.append(0, 10.0 ** np.arange(-2, 2.6, 0.5))
    candidates = [amount / (lr * steps) for amount in over_the_run]
    losses = np.array([np.mean([val_loss(decay, split) for split in range(10)]) for decay in candidates])
    losses[~np.isfinite(losses)] = np.inf
    return candidates[int(np.argmin(losses))]
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** The run has a learning rate of 0.003 and 300 steps. Which weight decay brings AdamW the
# lowest error on new rows? Write your guess as `my_guess`: it is the dotted vertical line, and the solid curve answers it.


# %% scene="reg-weight-decay"
def wide_rows(rng, rows):
    """Fifty inputs, targets with noise of standard deviation 0.5: a draw of the task, with its true weights."""
    w = rng.normal(size=50) / np.sqrt(50)
    x = rng.normal(size=(rows, 50))
    return x, x @ w + 0.5 * rng.normal(size=rows), w


def adamw_excess(decay, lr, steps, seed, decoupled=True):
    """Train on 40 rows with Adam; returns |w - w_true|**2, the expected squared error on new rows beyond the noise.

    decoupled: AdamW, the weights shrink by themselves. Otherwise the L2 term is added to the gradient.
    """
    x, y, w_true = wide_rows(np.random.default_rng(seed), 40)
    w, m, v = (np.zeros(50) for _ in range(3))
    for t in range(1, steps + 1):
        grad = x.T @ (x @ w - y) / len(y) + (0 if decoupled else decay) * w
        m, v = 0.9 * m + 0.1 * grad, 0.999 * v + 0.001 * grad**2
        step = m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        w = w - lr * (step + (decay if decoupled else 0) * w)
        if not np.abs(w).max() < 1e6:
            return float("inf")
    return float(np.sum((w - w_true) ** 2))


def decay_losses(seed, lr, steps, decoupled=True):
    """A val_loss: each split is a draw of the task, its loss the excess."""
    return lambda decay, split: adamw_excess(decay, lr, steps, [seed, split], decoupled)


def show_decays(before, now, guess, seed=0, lr=0.003, steps=300):
    """Draw the excess over the decay, decoupled and in the gradient, and the two choices."""
    decays, lowest_at = 10.0 ** np.arange(-2, 2.1, 0.5), []
    fig, (ax,) = figure(1, height=3.6)
    fig.set_figwidth(7.5)
    ax.axvspan(0.01, 0.1, facecolor="#e6e6e6", edgecolor="#888888", linewidth=0.8, label="recommended")
    told = []
    for decoupled, look, label in ((True, "-o", "decoupled (AdamW)"), (False, "--s", "L2 in Adam's gradient")):
        loss = decay_losses(seed, lr, steps, decoupled)
        excess = [np.mean([loss(decay, split) for split in range(5)]) for decay in decays]
        ax.plot(decays, excess, look, color="#444444", markersize=4, linewidth=1.2, label=label)
        lowest_at.append(decays[int(np.argmin(excess))])
        told.append(f"{label}: lowest {min(excess):.2f} at a decay of {lowest_at[-1]:.2g}")
    loss = decay_losses(seed, lr, steps)
    none = np.mean([loss(0, split) for split in range(5)])
    ax.axhline(none, color="black", linestyle="-.", linewidth=0.8, label="no decay")
    for rule, style, mark, label in ((before, BROKEN, "X", "as complained about"), (now, MENDED, "o", "your code")):
        chosen = rule(loss, lr, steps)
        excess = np.mean([loss(chosen, split) for split in range(5)])
        look = dict(color=style["color"], markersize=10 if mark == "X" else 15, linestyle="none", markeredgewidth=2.5)
        look["markerfacecolor"] = "none" if mark == "o" else style["color"]
        ax.plot([max(chosen, 0.007)], [excess], mark, label=label, **look)
        told.append(f"{label} chooses {chosen:.2g}: {excess:.2f} against {none:.2f} without decay")
    ax.set(xscale="log", xlabel="weight decay", ylabel="squared error on new rows,\nbeyond that of the true weights")
    ax.axvline(max(guess, 0.007), color="#444444", linestyle=":", linewidth=1.5)
    place = {"xycoords": ("data", "axes fraction"), "xytext": (2, 0), "textcoords": "offset points", "rotation": 90}
    ax.annotate("your guess", (max(guess, 0.007), 0.98), ha="left", va="top", fontsize="small", **place)
    ax.legend(frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5))
    show(fig, "Error on new rows by weight decay: Adam, lr 0.003, 300 steps, mean of five draws.", ". ".join(told) + ".")
    print("\n".join(told))
    print(f"The lowest point of AdamW's curve is at a decay of {lowest_at[0]:.2g}. You said {guess:g}.")


# %% run="reg-weight-decay"
my_guess = 0.05  # the weight decay with which AdamW has the lowest error on new rows

show_decays(broken.choose_decay, choose_decay, guess=my_guess)


# %% check="reg-weight-decay" points=6
class DecaySweep:
    """A val_loss that knows its truth: lowest at lr * steps * decay = `best`, or rising from 0 on where best is None."""

    def __init__(self, best, lr, steps, unit, seed):
        self.best, self.lr, self.steps, self.unit = best, lr, steps, unit
        self.seed, self.asked, self.splits = seed, [], set()
        # Where the best decay of each split stands, in factors of ten beside that of all. They are in order, up or down:
        # the first of them say little about all ten.
        rng = np.random.default_rng(seed)
        beside = np.sort(rng.normal(size=10))[:: rng.choice([-1, 1])]
        self.beside = 0.6 * (beside - beside.mean()) / beside.std()

    def truth(self, decay):
        amount = self.lr * self.steps * decay
        if self.best is None:
            return self.unit * (1 + 0.4 * np.log1p(amount / 0.05))
        # A fifth of a unit for each factor of ten, squared; no decay and full decay are level.
        away = np.log10(max(amount, 1e-12) / self.best)
        return self.unit * (1 + min(0.2 * away**2, 0.8))

    def __call__(self, decay, split):
        decay = float(decay)
        self.asked.append(decay)
        self.splits.add(int(split))
        check.that(
            len(self.asked) <= 200,
            what="val_loss is called at most 200 times",
            call="choose_decay(val_loss, lr, steps)",
            expected="at most 200",
            got=f"{len(self.asked)}, for {len(set(self.asked))} amounts",
            turns={
                "every amount of a fine grid is tried on many splits: few on all of them is enough": len(self.splits) > 2
                and len(set(self.asked)) > 10
            },
        )
        if self.lr * decay > 2:
            return float("nan") if int(split) % 2 else float("inf")
        rng = np.random.default_rng([self.seed, int(split), int(1e6 * np.log1p(1e3 * decay))])
        return float(self.truth(decay * 10 ** self.beside[int(split)]) + 0.08 * self.unit * rng.normal())


def check_decay_of(best, lr, steps, unit=1.0, seed=0):
    call = f"choose_decay(val_loss, lr={lr:g}, steps={steps})"
    sweep = DecaySweep(best, lr, steps, unit, seed)
    chosen = choose_decay(sweep, lr, steps)
    is_number = chosen is not None and np.ndim(chosen) == 0 and isinstance(chosen, (int, float, np.number))
    check.that(is_number and chosen >= 0, what="one number of 0 or more comes back, the weight decay", call=call, got=chosen)
    amount = float(lr * steps * chosen)
    asked = np.array(sweep.asked) if sweep.asked else np.zeros(1)
    top = lr * steps * asked.max()
    told = f"{float(chosen):.3g}, which is {amount:.2g} over the run"
    never = {"nothing was trained: the strength depends on the data": not sweep.asked}
    if best is None:
        check.that(
            amount <= 0.02,
            what="where every decay makes it worse, next to none is chosen",
            call=call,
            expected=f"at most {0.02 / lr / steps:.3g}",
            got=told,
            turns=never
            | {
                "0 is not among the candidates: to leave it out has to win where it is best": 0 not in asked,
                "one split decides, or two: what is best on them is not what is best on all ten": len(sweep.splits) <= 2,
            },
        )
        return
    excess = sweep.truth(float(chosen)) / unit - 1
    typical = asked.min() >= 0.005 and asked.max() <= 0.2
    turns = never | {
        "only the recommended 0.01 to 0.1 are tried. Decoupled, lr and the number of steps are part of the strength: at 0.003 "
        "and 300 steps a decay of 0.1 takes 9 % of a weight": typical,
        "the candidates are evenly spaced: the strength is a matter of factors, and orders of magnitude lie below the first": (
            len(set(asked)) > 4 and np.ptp(np.diff(np.unique(asked))) < 0.01 * asked.max()
        ),
        "a fixed list is tried, whatever lr and steps: it has to reach from next to nothing to all in the unit of the run": (
            asked.max() < best / lr / steps / 3 or asked[asked > 0].min(initial=np.inf) > 3 * best / lr / steps
        ),
        "the strongest decay is taken, or a run that diverged": lr * chosen > 2 or chosen == asked.max(),
        "lr * steps * decay is returned, and not the decay": excess > 0.12
        and np.isclose(sweep.truth(chosen / lr / steps), unit, rtol=0.12),
        "the candidates are too far apart": len(sweep.splits) > 2,
        "one split decides, or two: what is best on them is not what is best on all ten": len(sweep.splits) <= 2,
    }
    check.that(
        excess <= 0.12,
        what="the true loss with the decay chosen is within 12 % of the lowest",
        call=call,
        expected=f"a decay near {best / lr / steps:.3g}",
        got=f"{told}; tried {asked.min():.2g} to {asked.max():.2g}, {top:.2g} over the run at most",
        turns=turns,
    )


def check_decays():
    check_decay_of(5.0, 0.003, 300, seed=1)
    check_decay_of(0.05, 0.1, 20000, seed=2)
    check_decay_of(60.0, 1e-4, 2000, unit=40.0, seed=3)
    check_decay_of(None, 0.01, 1000, seed=4)
    check_decay_of(2.0, 0.05, 100, seed=5)  # among so few steps the strongest decays diverge
    check_decay_of(1.0, 0.02, 500, seed=6)


check.run(check_decays)


### BEGIN HIDDEN TESTS
def check_decays_elsewhere():
    rng = check.hidden_rng(55)
    # Over the run, the strongest and the weakest that can be best, where a step does little and much, and two between.
    for least, most, powers in ((20, 100, (-5, -3)), (0.03, 0.15, (-2, -1)), *[(0.3, 10, (-5, -1))] * 2):
        lr, steps = 10.0 ** rng.uniform(*powers), int(10.0 ** rng.uniform(2, 5))
        best, unit = np.exp(rng.uniform(*np.log((least, most)))), 10.0 ** rng.uniform(-3, 2)
        while best / steps > 0.5:  # the decay that is best is then far from where a run diverges
            steps *= 3
        settings, seed = (best, lr, min(steps, 100_000), unit), int(rng.integers(2**31))
        check_decay_of(*settings, seed)
    check_decay_of(None, 10.0 ** rng.uniform(-4, -1), int(rng.integers(200, 5000)), seed=int(rng.integers(2**31)))


check.run(check_decays_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# Look at the grey band in the figure, and at where the solid curve begins to move. Does it have a lowest point inside
# the band?
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# The best candidate stands at the edge of the list, so the list has not seen the optimum. And 0.1 means nothing by
# itself: what it does over a run is its product with the learning rate and the number of steps.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Choose amounts over the whole run, 0 and then half powers of ten from 0.01 to a few hundred, and divide by `lr *
# steps`. For each, average the validation loss over the ten splits. Put infinity where it is not finite, and return the
# candidate with the lowest mean.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *Overfitting: Regularization techniques. Weight decay (0.01-0.1).*
#
# Decoupled, a step at the learning rate $\eta$ with decay $\lambda$ multiplies a weight by $1-\eta\lambda$. Over $T$
# steps, where nothing else moves it,
#
# $$(1-\eta\lambda)^T\approx e^{-\eta\lambda T}$$
#
# is left of it. With $\eta=0.003$, $T=300$ and $\lambda=0.1$ that is 0.91; with 0.01 it is 0.99. Whatever the data are, such a
# decay cannot do much. A weight is remembered for about $1/(\eta\lambda)$ steps. That number, as a share of $T$, is what to hold
# fixed when the learning rate or the length changes (Loshchilov & Hutter 2019, arXiv 1711.05101, decoupled the two, and divide
# $\lambda$ by the root of the number of steps, appendix B.1).
#
# **Measured:** the squared error on new rows beyond that of the true weights, as the mean of thirty draws of this task. AdamW at
# 0.003 for 300 steps ends at 0.95 without decay, 0.95 at 0.01, 0.93 at 0.1, 0.62 at 3, 0.64 at 10, 0.83 at 30. For a network on
# 60 noisy inputs, with the same lr and steps, decays of 0.01 and 0.1 took the validation loss from 1.276 to 1.267 and 1.198.
#
# **When the advice misleads.** "0.01 to 0.1" leaves out in which unit. Added to the gradient as an L2 term, in the same run, 0.1
# gives 0.57 and 0.3 the lowest, 0.51; with plain gradient descent, lr 0.02 and 2000 steps, the same two numbers. There $\lambda$
# is weighed against the curvature of the loss, and for a long enough run neither lr nor steps matter. Decoupled, Adam divides the
# gradient by its own size and not the decay, so a value of the one is no value of the other. Large models use 0.1 with success: a
# rate of 0.0003 over 100 000 steps makes $\eta T=30$.
#
# And a sweep chooses, so its lowest loss is too good to be reported: that is case 5.3. No decay of either kind brings the
# mean below 0.5: 40 rows cannot say more about 50 weights.
#
# **In PyTorch** `torch.optim.AdamW(weight_decay=...)` is decoupled, and multiplies by lr;
# `torch.optim.Adam(weight_decay=...)` and `SGD` add it to the gradient. The same name, and two units.
#
# </details>
