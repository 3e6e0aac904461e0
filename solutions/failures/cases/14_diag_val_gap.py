# %% [markdown]
# ## Case 1.4 · Four runs, and a report that sees two kinds
#
# About 20 minutes · difficulty 3 of 5 · 6 points
#
# **The complaint.** Four runs were handed over with one report. It looks at the training loss alone, and says of three runs that
# all is well. Two of those three were put to work. One failed on the first day. The other does its work, only worse than its own
# numbers had promised, and nobody can say why. The validation losses were logged all along.
#
# **After this case you can** read a verdict off two curves and their noise, say which differences are none, and notice
# when a validation loss is better than it has a right to be.
#
# In case 5 of stage 2 a validation curve said *when* to stop. Here it says what the run has.
#
# ### The code

# %% fix="diag-val-gap"
def val_verdict(train_loss, val_loss, chance):
    """What two loss curves say of a run: "healthy", "underfit", "overfit" or "leak".

    train_loss, val_loss: the two losses at each evaluation, lists or arrays of one length, 100 to
    400, the newest last. Both are measured alike: same weights, no dropout, no augmentation.
    chance: the loss of a network that gives every class the same probability, in their unit.
    Judge the last 50 evaluations, where both curves are level but for noise. What came before
    may look like anything. The noise is independent from one evaluation to the next and between
    the curves; its standard deviation is 2 to 30 % of the level. T and V are the levels:
      "healthy"   T is at most 0.5 chance, and V equals T or is above it by at most 0.05 chance.
      "underfit"  T is at least 0.8 chance, and V as for healthy.
      "overfit"   T is at most 0.5 chance, and V is above it by at least 0.3 chance.
      "leak"      V is below T by at least 6 standard errors of the difference between the two
                  means over 50 evaluations, be it little in chance or much, and wherever T is.
    Graded, at any chance: 40 pairs of curves of each kind, of which 36 have to be right.
    Not graded: what lies between these kinds, and losses that are not finite.
    """
    ### BEGIN BROKEN
    # train = np.mean(train_loss[-50:])
    # return "healthy" if train < 0.65 * chance else "underfit"
    ### END BROKEN
    ### BEGIN SOLUTION
    train, val = np.array(train_loss[-50:], dtype=float), np.array(val_loss[-50:], dtype=float)
    gap = val.mean() - train.mean()
    # Half of all equal curves have a gap below zero. Only one that noise cannot make is a finding.
    error = np.sqrt((train.var(ddof=1) + val.var(ddof=1)) / 50)
    if gap < -3 * error:
        return "leak"
    # A difference, not a ratio: near zero the ratio of two good losses can be anything.
    if gap > 0.17 * chance:
        return "overfit"
    return "healthy" if train.mean() < 0.65 * chance else "underfit"
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** Run C has learned its 36 points by heart: its training loss is below 0.1 nats.
# Guessing costs $\ln 3=1.10$ nats. What is its validation loss at the end? Write your guess as `my_guess`; panel C
# answers it.


# %% scene="diag-val-gap"
def val_gap_run(cause, seed, steps=800):
    """Train on spirals that overlap. Returns the History of loss and val_loss, each on 64 rows at most, every fourth step.

    cause: what is done to the run. "healthy": nothing. "underfit": the network has one hidden unit. "overfit": there are
    36 rows. "leak": an older network, which knew the labels, has cleaned the validation rows: those it got wrong are gone.
    """
    rng = np.random.default_rng(seed)
    x, y = spirals(rng, points=12 if cause == "overfit" else 400, noise=0.6)
    x_val, y_val = spirals(rng, points=1000, noise=0.6)
    if cause == "leak":
        older = MLP((2, 24, 3), rng)
        train(older, lambda: (x[::4], y[::4]), steps=300, lr=0.5)
        is_right = older.forward(x_val)[0].argmax(axis=1) == y_val
        x_val, y_val = x_val[is_right], y_val[is_right]
    net = MLP((2, 1 if cause == "underfit" else 24, 3), rng)
    history = History()
    for step in range(steps):
        rows = rng.choice(len(y), min(64, len(y)), replace=False)
        loss, grads = net.loss_and_grads(x[rows], y[rows])
        if step % 4 == 0:
            some = rng.choice(len(y_val), 64, replace=False)
            history.log(loss=loss, val_loss=net.loss(x_val[some], y_val[some]))
        net.params = descend(net.params, grads, 0.8 if cause == "overfit" else 0.4)
    return history


def val_gap_curves(train_level, val_level, noise, seed, count=40, chance=1.0986, length=160):
    """`count` pairs of curves that end at the levels given, in units of chance. noise: as a share of the level.

    Before the last 50 evaluations the validation loss has been far below its end, and the training loss far above.
    """
    rng = np.random.default_rng(seed)
    before = np.maximum(0, np.arange(length, 0, -1) - 50) / (length - 50)
    levels = np.array([train_level + before, val_level * (1 - 0.7 * before)])
    spread = np.clip(rng.normal(size=(count, 2, length)), -3, 3)
    return chance * levels * (1 + noise * spread)


VAL_GAP_CAUSES = ("healthy", "underfit", "overfit", "leak")


def show_val_gap(before, now, guess, seed=0):
    """Draw a run of each cause with the verdicts of `before` and `now`, and print the answer to the prediction."""
    fig, axes = figure(4, height=3.3, sharey=True)
    told = []
    for ax, name, cause in zip(axes, "ABCD", VAL_GAP_CAUSES):
        run = val_gap_run(cause, seed)
        ax.plot(run["loss"], color="#444444", linewidth=0.9, label="training")
        ax.plot(run["val_loss"], color="#009E73", linewidth=2.2, zorder=1.5, label="validation")
        ax.axhline(np.log(3), color="black", linestyle="-.", linewidth=0.8, label="chance")
        said = [verdict(run["loss"], run["val_loss"], np.log(3)) for verdict in (before, now)]
        ax.set(title=f"run {name}", xlabel="evaluation", ylim=(0, 2))
        for place, style, mark, words in zip((0.94, 0.86), (BROKEN, MENDED), "X○", said):
            ax.text(0.97, place, f"{mark} {words}", transform=ax.transAxes, ha="right", color=style["color"], fontsize="small")
        ends = [np.mean(run[sign][-50:]) for sign in ("loss", "val_loss")]
        told.append(f"Run {name}: training ends at {ends[0]:.2g}, validation at {ends[1]:.2g}; {said[0]} before, {said[1]} now.")
        if cause == "overfit":
            answer = ends[1]
            ax.axhline(guess, color="#444444", linestyle=":", linewidth=1.5)
            box = dict(facecolor="white", edgecolor="none", alpha=0.8, pad=1)
            place = {"xycoords": ("axes fraction", "data"), "ha": "right", "va": "bottom", "bbox": box}
            ax.annotate("your guess", (0.98, guess + 0.02), fontsize="small", **place)
    axes[0].set_ylabel("loss (nats)")
    axes[0].legend(frameon=False, fontsize="small", loc="center right", bbox_to_anchor=(1, 0.71))
    show(fig, "Four runs, and what is said of them: X as complained about, ○ your code.", " ".join(told))
    print(f"The validation loss of run C, mean of the last 50 evaluations: {answer:.1f} nats; you said {guess:.1f}.")


# %% run="diag-val-gap" atlas="3 4"
my_guess = 0.2  # the validation loss of run C at the end, in nats

show_val_gap(before=broken.val_verdict, now=val_verdict, guess=my_guess)
equal = [val_verdict(*pair, 1.0986) for pair in val_gap_curves(0.4, 0.4, noise=0.3, seed=1)]
print(f"Forty pairs of noisy curves at one level. Your code says: {', '.join(sorted({str(word) for word in equal}))}.")


# %% check="diag-val-gap" points=6
def check_val_gap_kinds(kinds, **options):
    """kinds: for each kind in words, the levels, the noise, the seed and the verdict. 36 of 40 have to be right.

    The training curve is a list in each fourth pair, and else an array, as the validation curve is.
    """
    chance = options.get("chance", 1.0986)
    said = {}
    for kind, (*curve, wanted) in kinds.items():
        pairs = val_gap_curves(*curve, **options)
        handed = [(train.copy() if number % 4 else train.tolist(), val.copy(), chance) for number, (train, val) in enumerate(pairs)]
        said[kind] = check.each(val_verdict, handed)
        strange = [word for word in said[kind] if not (isinstance(word, str) and word in VAL_GAP_CAUSES)]
        if strange:
            call = f"val_verdict(train_loss, val_loss, chance={chance:.4g})"
            check.word(strange[0], wanted, VAL_GAP_CAUSES, what=kind, call=call)
    everything = {word for words in said.values() for word in words}
    for kind, (train_level, val_level, noise, _, wanted) in kinds.items():
        right = said[kind].count(wanted)
        others = [word for word in said[kind] if word != wanted]
        most = max(set(others), key=others.count) if others else None
        check.that(
            right >= 36,
            what=f'{kind}: "{wanted}"',
            call=f"val_verdict(...) with T = {train_level} chance, V = {val_level} chance, noise {noise:.0%}",
            expected=f'"{wanted}" on 36 of 40 at least',
            got=f'"{wanted}" on {right} of 40, "{most}" most often else',
            turns={
                "one answer is given whatever the curves": len(everything) == 1 and len(kinds) > 2,
                "a loss is compared with a fixed number, and not with `chance`": len(kinds) == 2,
                "the training curve alone is looked at": not everything & {"overfit", "leak"},
                "a validation loss below the training loss is taken for good luck: leak is never said": "leak" not in everything,
                "a ratio is asked: near zero two good losses can have any ratio": train_level < 0.01 and most == "overfit",
                "evaluations before the last 50 are looked at: what came before may look like anything": wanted == "healthy"
                and said[kind].count("leak") > 30,
                "a gap that noise can make is called a leak: of two equal curves one is lower, always, and half of the "
                "time it is the validation loss": wanted != "leak" and most == "leak",
                "the lowest evaluation is compared, or what came before the last 50 is looked at": said.get(
                    "nothing learned", []
                ).count("overfit")
                > 20,
                "a gap is asked to stand clear of the spread of single evaluations, or of a fixed limit: 50 of them know "
                "their mean seven times better": wanted == "leak" and val_level > 0.5 * train_level and most == "healthy",
                "a training loss at chance is called underfit before the gap has been looked at": wanted == "leak"
                and most == "underfit",
                "any gap that stands clear of the noise is called overfit, however small it is": most == "overfit",
                "the end of the validation curve is asked whether it rises: an overfit run may have come to rest": wanted
                == "overfit"
                and most == "healthy",
            },
        )


def check_val_gap():
    check_val_gap_kinds(
        {
            "trained, with a small gap": (0.2, 0.24, 0.1, 11, "healthy"),
            "nothing learned": (0.9, 0.92, 0.1, 12, "underfit"),
            "far apart": (0.05, 0.6, 0.2, 13, "overfit"),
            "validation far below training": (0.45, 0.3, 0.25, 14, "leak"),
            "both near zero": (0.002, 0.02, 0.3, 15, "healthy"),
            "equal, with much noise": (0.5, 0.5, 0.3, 16, "healthy"),
            "a small and quiet step below": (0.3, 0.28, 0.03, 17, "leak"),
            "training at chance, validation below": (0.95, 0.5, 0.1, 18, "leak"),
            "by heart, and worse than guessing": (0.02, 1.8, 0.3, 19, "overfit"),
        }
    )
    check_val_gap_kinds(
        {"a gap, in another unit": (0.1, 0.45, 0.1, 20, "overfit"), "learned, in another unit": (0.3, 0.33, 0.1, 21, "healthy")},
        chance=40.0,
    )


check.run(check_val_gap)


### BEGIN HIDDEN TESTS
def val_gap_drawn(rng):
    """A kind of curves of each sort, in an order of its own: the levels, the noise, the seed and the verdict."""

    def curve(train_level, val_level, noise, wanted):
        return float(train_level), float(val_level), float(noise), int(rng.integers(2**31)), wanted

    small, bottom, top, zero, even, low, level = (
        rng.uniform(*bounds)
        for bounds in ((0.15, 0.45), (0.05, 0.35), (0.83, 1.1), (0.001, 0.005), (0.3, 0.48), (0.25, 0.48), (0.85, 1.1))
    )
    quiet = rng.uniform(0.02, 0.05)
    kinds = {
        "trained, with a small gap": curve(small, small + rng.uniform(0.01, 0.04), rng.uniform(0.03, 0.12), "healthy"),
        "nothing learned": curve(top, top + rng.uniform(0, 0.03), rng.uniform(0.05, 0.15), "underfit"),
        "far apart": curve(bottom, bottom + rng.uniform(0.34, 1.2), rng.uniform(0.05, 0.2), "overfit"),
        "validation far below training": curve(low, low * rng.uniform(0.4, 0.6), rng.uniform(0.1, 0.3), "leak"),
        "both near zero": curve(zero, rng.uniform(0.015, 0.035), rng.uniform(0.1, 0.3), "healthy"),
        "equal, with much noise": curve(even, even, rng.uniform(0.2, 0.3), "healthy"),
        # The error of the difference is a fifth of the noise, as a share of the level.
        "a small and quiet step below": curve(low, low * (1 - rng.uniform(1.6, 2.2) * quiet), quiet, "leak"),
        "training at chance, validation below": curve(level, level * rng.uniform(0.5, 0.75), rng.uniform(0.05, 0.12), "leak"),
    }
    return {kind: kinds[kind] for kind in rng.permutation(list(kinds)).tolist()}


def check_val_gap_elsewhere():
    rng = check.hidden_rng(14)
    for lengths in ((100, 150), (250, 401)):
        check_val_gap_kinds(val_gap_drawn(rng), chance=10 ** rng.uniform(-2, 3), length=int(rng.integers(*lengths)))


check.run(check_val_gap_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# Cover the thick curves in the figure. Which of the runs A, C and D can you still tell apart? Then cover the thin ones.
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# The gap between the curves is never looked at. It has two signs, and both say something. On the one side ask how
# large it is against chance. On the other ask how sure it is: an honest validation loss may touch the training loss,
# not undercut it.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Take the mean of each curve over the last 50 evaluations and the standard error of their difference, which has both
# spreads in it and the root of 50. Ask for the leak first. A gap upwards is a share of `chance`; only then look at
# the training loss itself.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *Loss Plateau, diagnostic step 4: Check validation loss - is it diverging from train?*
#
# Let $\bar T$ and $\bar V$ be the means of the training and the validation loss over the last $n$ evaluations, $s_T$
# and $s_V$ the standard deviations of single ones. The gap $\bar V-\bar T$ has the standard error
#
# $$e=\sqrt{(s_T^2+s_V^2)/n}.$$
#
# A network has been fitted to the training rows and not to the others, so without noise $V\ge T$ is what to expect.
# A leak is a question of *certainty*, in units of $e$. Overfitting is one of *size*, in units of chance: with enough
# evaluations every gap is certain, and most are harmless. The ratio $V/T$ is neither.
#
# **What the runs have.** Run C ends at 0.08 on its 36 rows and at 0.5 on new ones: nearly half of chance, and no line
# of the training log shows it. In run D the validation rows are cleaned by a network that saw the labels. What is
# left is easy, and the loss on it promises what new rows will not keep.
#
# **When the advice misleads.** The usual question, whether validation diverges from training, has one of the four answers. And a
# gap can be below zero for honest reasons. Dropout and augmentation make the training loss alone worse. A training loss averaged
# over an epoch belongs to older weights. And a validation set may be easier by chance. Here all are excluded; outside, exclude
# them first. The standard error knows nothing of the rows that you did not draw: with one fixed set of 300 validation rows, its
# luck stays in the gap however often you evaluate.
#
# The worst leak shows nothing at all. Where validation rows are copies of training rows, both curves are one, and low:
# this function says healthy. Look for equal rows in the data, not in the curves. (Kaufman et al. 2012, doi
# 10.1145/2382577.2382579, list ways in which labels reach a model that should not see them.)
#
# **In PyTorch** call `model.eval()` before you measure either curve, and measure the training loss on training rows
# again, after the step, if you want to compare the two.
#
# </details>
