# %% [markdown]
# ## Case 6.3 · Twice as long, and again
#
# About 20 minutes · difficulty 4 of 5 · 6 points
#
# **The complaint.** Two runs were ended after 50 epochs, far above the target of 0.3 nats. "Not enough training", so both were
# ordered anew for as long as a line through the last half of their losses told. One came close, and did not get there. The other
# was no lower at the end than before.
#
# **After this case you can** say from the losses you have how many steps a target needs, and when no number of steps
# will do.
#
# In case 1.1 the question was whether a stretch of losses moves. Here it moves, nearly always. The question is what it
# moves *to*.
#
# ### The code

# %% fix="underfit-too-short"
def steps_needed(losses, target):
    """How many steps a run needs to reach the target, counted from its start; None if never.

    losses: one for each step of the run so far, 50 to 2000, a list or array. In the checks they
    are L(t) = c + a * t**(-b) at t = 1, 2, ..., n, with c >= 0, a >= 0 and b from 0.2 to 1.5, all
    unknown to you, and independent normal noise on top, 0.5 to 2 % of L.
    target: a loss below L(n). The answer that is looked for is the t at which L(t) = target.
    Graded, each kind over 40 curves of which 36 have to be right:
      a number between half of that t and twice it, where that t is 1.4 to 16 times n;
      None where the target is below c, by 0.3 (L(n) - c) or more: the loss may still fall;
      None where the loss has levelled off above the target, and only noise is left.
    Not graded: how you find it, whole numbers or not, and what lies between these kinds.
    """
    ### BEGIN BROKEN
    # n = len(losses)
    # slope, start = np.polyfit(np.arange(n // 2 + 1, n + 1), losses[n // 2 :], 1)
    # if slope >= 0:
    #     return None
    # return (target - start) / slope
    ### END BROKEN
    ### BEGIN SOLUTION
    losses = np.asarray(losses, dtype=float)
    n = len(losses)
    eighth, quarter, half = losses[n // 8 : n // 4], losses[n // 4 : n // 2], losses[n // 2 :]
    before, now = eighth.mean() - quarter.mean(), quarter.mean() - half.mean()  # falls per doubling of the steps
    noise = np.std(np.diff(half)) / np.sqrt(2)
    if before <= 0 or now < 3 * noise * np.sqrt(1 / len(quarter) + 1 / len(half)):
        return None
    # Each doubling brings `ratio` times what the last one brought: now * (ratio + ratio**2 + ... + ratio**k) is the way.
    ratio = now / before
    left = 1 - (half.mean() - target) * (1 - ratio) / (now * ratio)
    if left <= 0:
        return None
    doublings = np.log(left) / np.log(ratio)
    return 0.72 * n * 2**doublings  # a curve of this kind has its mean over n/2 ... n near 0.72 n
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** Run A is a network with 32 hidden units at a rate of 0.05. After 50 epochs its loss is
# 0.51; over the last 25 of them it fell by 0.12. At which epoch does it reach 0.3? Write your guess as `my_guess`: it
# is the dotted line, and the left panel goes on to epoch 200.


# %% scene="underfit-too-short"
def long_run(which, seed, epochs=200, target=0.3):
    """The loss on all rows, in nats, at the start of each epoch; lr 0.05, batches of 15 out of 180 rows.

    "A": a network with 32 hidden units on three spirals. "B": one with no hidden units on three clouds that overlap.
    """
    rng = np.random.default_rng(seed)
    if which == "A":
        x, y = spirals(rng, points=60)
        net = MLP((2, 32, 3), rng)
    else:
        centres, y = rng.normal(size=(3, 3)) * 0.7, rng.integers(0, 3, 180)
        x, net = centres[y] + rng.normal(size=(180, 3)), MLP((3, 3), rng)
    losses = []
    for step, rows in enumerate(batches(rng, len(y), 15, epochs)):
        if step % 12 == 0:
            losses.append(net.loss(x, y))
        net.params = descend(net.params, net.loss_and_grads(x[rows], y[rows])[1], 0.05)
    return losses


def show_long_runs(before, now, guess, seed=0, so_far=50, target=0.3):
    """Draw both runs to epoch 200, with what `before` and `now` forecast from the first epochs."""
    fig, axes = figure(2, height=3.5, sharey=True)
    told = []
    for ax, which in zip(axes, "AB"):
        losses = long_run(which, seed)
        epochs = np.arange(1, len(losses) + 1)
        ax.plot(epochs[:so_far], losses[:so_far], color="#444444", linewidth=2.2, label="losses so far")
        ax.plot(epochs[so_far - 1 :], losses[so_far - 1 :], color="#444444", linewidth=0.9, linestyle="--", label="as it went on")
        ax.axhline(target, color="black", linestyle="-.", linewidth=0.8, label="target")
        reached = next((epoch for epoch, loss in zip(epochs, losses) if loss <= target), None)
        words = [f"reached at {reached or 'no epoch up to 200'}"]
        for code, marker, style, place, name in ((before, "X", BROKEN, 0.13, "complaint"), (now, "o", MENDED, 0.05, "your code")):
            said = code(losses[:so_far], target)
            is_number = isinstance(said, (int, float, np.number)) and np.isfinite(said)
            text = (
                f"{said:.0f}"
                if is_number and said < 1e5
                else "never"
                if said is None
                else f"{said:.1g}"
                if is_number
                else str(said)
            )
            ax.text(
                0.03,
                place,
                f"{'X' if marker == 'X' else '○'} {name}: {text}",
                transform=ax.transAxes,
                color=style["color"],
                fontsize="small",
            )
            if is_number and 0 < said < 1000:
                ring = {"markerfacecolor": "none", "markeredgewidth": 2.5} if marker == "o" else {}
                ax.plot([said], [target], marker, color=style["color"], markersize=9 if marker == "X" else 14, zorder=4, **ring)
            words.append(f"{name}: {text}")
        ax.set(xscale="log", title=f"run {which}", xlabel="epoch", xlim=(3, 1000), ylim=(0, 1.1))
        ax.set_xticks([5, 25, 50, 100, 200, 1000], [5, 25, 50, 100, 200, 1000])
        ax.minorticks_off()
        told.append(
            f"Run {which}: from {losses[0]:.2g}, {losses[so_far - 1]:.2g} at {so_far}, to {losses[-1]:.2g}; {'; '.join(words)}."
        )
    axes[0].axvline(guess, color="#444444", linestyle=":", linewidth=1.5)
    place = {"xycoords": ("data", "axes fraction"), "xytext": (2, 0), "textcoords": "offset points", "rotation": 90}
    axes[0].annotate("your guess", (guess, 0.98), ha="left", va="top", fontsize="small", **place)
    axes[0].set_ylabel("loss (nats)")
    axes[1].legend(frameon=False, fontsize="small", loc="upper right")
    show(fig, "Two runs of 50 epochs, how they went on, and when they were forecast to reach 0.3.", " ".join(told))


# %% run="underfit-too-short"
my_guess = 75  # the epoch at which run A reaches 0.3

show_long_runs(before=broken.steps_needed, now=steps_needed, guess=my_guess)


# %% check="underfit-too-short" points=6
def power_curves(floor, above, power, length, noise, seed, count=40):
    """`count` curves floor + a * t**-power with a noise that is a share of them; at the end they are `above` over the floor."""
    t = np.arange(1, length + 1.0)
    clean = floor + above * (t / length) ** -power
    return clean * (1 + noise * np.random.default_rng(seed).normal(size=(count, length)))


def usual_forecasts(losses, target):
    """What the usual short cuts forecast, by what one who takes them believes."""
    n, t = len(losses), np.arange(1, len(losses) + 1)
    line = np.polyfit(t[n // 2 :], losses[n // 2 :], 1)
    in_doublings = np.polyfit(np.log2(t[n // 8 :]), losses[n // 8 :], 1)
    power = np.polyfit(np.log(t[n // 8 :]), np.log(losses[n // 8 :]), 1)
    return {
        "the losses are taken for a line: a loss falls ever more slowly": (target - line[1]) / line[0],
        "each doubling is expected to bring as much as the last: it brings less": 2
        ** min((target - in_doublings[1]) / in_doublings[0], 60),
        "the curve is taken for a power of t that falls to zero: it has a floor, and that is the question": np.exp(
            min((np.log(target) - power[1]) / power[0], 60)
        ),
    }


def check_forecast_kinds(kinds):
    """kinds: for each kind in words, the curve, and the t that is looked for in units of the length, or None with the target."""
    for kind, (curve, times, target) in kinds.items():
        floor, above, power, length, *_ = curve
        target = floor + above * times**-power if times else target
        right, wrong, turn, said_none = 0, [], {}, 0
        call = f"steps_needed(losses, target={target:.3g}): {length} losses, of which the last is near {floor + above:.3g}"
        curves = power_curves(*curve)
        for losses, said in zip(curves, check.each(steps_needed, [(losses, target) for losses in curves.tolist()])):
            is_number = (
                isinstance(said, (int, float, np.number, np.ndarray)) and np.ndim(said) == 0 and not isinstance(said, bool)
            )
            word = {"a word stands where None is meant": isinstance(said, str)}
            check.that(said is None or is_number, what="the answer is a number or None", call=call, got=said, turns=word)
            said_none += said is None
            if (said is None) if times is None else (said is not None and 0.5 * times * length <= said <= 2 * times * length):
                right += 1
            else:
                wrong.append(said)
                distance = {
                    belief: abs(np.log((said or 1e-9) / forecast)) for belief, forecast in usual_forecasts(losses, target).items()
                }
                nearest = min(distance, key=distance.get)
                turn[nearest] = turn.get(nearest, 0) + (distance[nearest] < 0.25)
        many = max(len(wrong) / 2, 1)
        numbers = [said for said in wrong if said is not None]
        middle = np.median(numbers) if numbers else 0.0
        check.that(
            right >= 36,
            what=f"{kind}: {'None' if times is None else 'a number within a factor of two'}",
            call=call,
            expected=("None" if times is None else f"{times * length / 2:.0f} to {2 * times * length:.0f}")
            + ", on 36 of 40 at least",
            got=f"that on {right}; else {wrong[0] if wrong[0] is None else f'{float(wrong[0]):.3g}'} and the like"
            if wrong
            else None,
            turns={
                **{belief: count > many for belief, count in turn.items()},
                "only the steps that are still to come are counted": times is not None
                and numbers != []
                and abs(middle / ((times - 1) * length) - 1) < 0.3,
                "a curve that falls slowly is taken for one that has levelled off: with each doubling it still falls": times
                is not None
                and said_none > many,
                "a forecast is made out of noise: ask first whether the last fall is larger than its error": times is None
                and above == 0
                and numbers != [],
                "it is not asked whether the falls add up to what is missing: shrinking falls have a finite sum": times is None
                and len(numbers) > 20,
                "single losses are believed: take means, of many losses each": 4 < right,
            },
        )


def check_forecasts():
    check_forecast_kinds(
        {
            "the target is reached at 16 times the length": ((0.0, 0.8, 0.5, 400, 0.01, 1), 16, None),
            "the target is reached at 4 times the length, and there is a floor": ((0.2, 0.4, 0.5, 800, 0.02, 2), 4, None),
            "the target is reached at 1.4 times the length": ((0.1, 0.5, 0.4, 800, 0.01, 3), 1.4, None),
            "the loss falls slowly, and the target is reached at 4 times the length": ((0.4, 0.2, 0.25, 2000, 0.01, 4), 4, None),
            "a few losses, and the target is reached at 3 times the length": ((0.3, 0.4, 0.7, 60, 0.005, 5), 3, None),
            "the loss still falls, to a floor above the target": ((0.5, 0.3, 0.5, 800, 0.01, 6), None, 0.35),
            "the loss has fallen fast, to a floor above the target": ((0.4, 0.1, 1.2, 400, 0.01, 7), None, 0.3),
            "the loss has levelled off": ((0.6, 0.0, 0.5, 500, 0.02, 8), None, 0.5),
        }
    )


check.run(check_forecasts)


### BEGIN HIDDEN TESTS
def check_forecasts_elsewhere():
    rng = check.hidden_rng(63)
    kinds = []
    for kind, powers, lengths, times, floors, noise in (
        ("the target is reached at about 6 times the length", (0.5, 0.7), (400, 700), (5, 7), (0, 0), 0.01),
        ("the target is reached at about 3 times the length", (0.7, 0.95), (250, 400), (2.5, 3.5), (0.5, 0.8), 0.01),
        ("the target is reached at about 8 times the length", (0.27, 0.35), (1300, 2000), (6, 9), (0.1, 0.3), 0.01),
        ("the loss still falls, to a floor above the target", (0.6, 0.8), (300, 500), None, (2, 3), 0.005),
        ("the loss has levelled off", (0.5, 0.5), (800, 1500), None, (1, 1), 0.01),
    ):
        size, power, length = 10.0 ** rng.uniform(-2, 2), rng.uniform(*powers), int(rng.integers(*lengths))
        floor, above = size * rng.uniform(*floors), 0.0 if "levelled" in kind else size
        target = None if times else floor - rng.uniform(0.4, 0.7) * above - rng.uniform(0.03, 0.06) * floor * (above == 0)
        kinds.append((kind, ((floor, above, power, length, noise), times and rng.uniform(*times), target)))
    for number in rng.permutation(len(kinds)):
        kind, (curve, times, target) = kinds[number]
        check_forecast_kinds({kind: ((*curve, int(rng.integers(2**31))), times, target)})


check.run(check_forecasts_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# Draw the losses over the logarithm of the step. From 12 to 25 is now as far as from 25 to 50. Compare the two falls.
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# A loss does not fall by the same amount in each step, nor in each doubling of the steps. What stays the same for a
# power of $t$ is the *ratio* of the falls of two doublings, one after the other. If that is below 1, all further falls
# together are finite.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Take the means over the last half, the quarter before it, and the eighth before that. Two differences are the falls of
# two doublings; their quotient is the ratio. Add up further falls until the target is met, and double the steps as
# often. Return `None` where they never add up to it, and where the last fall is not larger than three times its own
# error.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *Underfitting: Not enough training. Fix: Train longer.*
#
# Many losses follow $L(t)=c+a\,t^{-b}$ over a good part of a run, with a floor $c$, a size $a$ and a power $b>0$ (for
# large language models: Kaplan et al. 2020, arXiv 2001.08361). Let $M_k$ be the mean over the steps from $2^{k-1}$ to
# $2^k$. Then $M_k=c+A\,r^k$ with $r=2^{-b}$: the falls $d_k=M_{k-1}-M_k$ shrink by the factor $r$ from doubling to
# doubling, and all that are still to come add up to
#
# $$d_k\,(r+r^2+\dots)=d_k\,\frac{r}{1-r}.$$
#
# $M_k$ minus that is the floor. This is Aitken's extrapolation, on a logarithmic clock. If the target lies below the
# floor, no time will do: look for another cause. If it lies above, it is a matter of doublings, and you can say what
# they cost.
#
# **Measured.** At a rate of 0.05 and on eight seeds run A stands at 0.59 to 0.66 after 25 epochs and at 0.16 to 0.21 after 200.
# At 25 epochs it was indeed too short. From 50 epochs, 0.3 is forecast for epoch 93 to 188, and reached at epoch 100 to 132. Run
# B is called hopeless each time, and its losses at epoch 200 lie between 0.53 and 0.94.
#
# **When the advice misleads.** "Train longer" has no end, so ask for the number first. And the forecast is a forecast: from 25
# epochs run A is given 178 epochs at best, and on one seed the answer is never. There the curve bends downwards later, on a
# double-logarithmic picture too, as networks do that find a feature late. A forecast is safe for one or two doublings, where the
# last three of them shrank alike. A learning rate that decays bends the curve as well: $L(t)$ in the middle of a cosine tells
# nothing of its end (Hoffmann et al. 2022, arXiv 2203.15556, train each length from the start).
#
# **In PyTorch** write the loss of each step to a list, `loss.item()`, unsmoothed: the means over blocks smooth it.
#
# </details>
