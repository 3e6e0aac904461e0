# %% [markdown]
# ## Case 1.8 · Which of these will do?
#
# About 15 minutes · difficulty 2 of 5 · 6 points
#
# **The complaint.** A network of two hidden units stops at a loss of 0.7 on three spirals. "Too small", says the list
# of usual causes, so widths from 2 to 32 were compared, at the learning rate in use. Only the largest came below
# 0.32, and it was ordered for the small device that it has to run on. It does not fit. Somebody asks whether a
# smaller one was ever given a fair try.
#
# **After this case you can** tell a network that is too small from one that is trained badly, and find the smallest
# that will do without training any that is larger.
#
# ### The code

# %% fix="plateau-capacity"
def smallest_width(train_at, widths, lrs, target):
    """The smallest width that reaches the target, and a learning rate at which it does.

    train_at(width, lr) trains a network of this width from the start at this learning rate, and
    returns its final loss: a float, or nan or inf where the run diverged.
    widths, lrs: lists to choose from, in any order; a width and a learning rate stand in them once.
    target: a loss; a width reaches it if its loss is at or below target at *some* of lrs.
    Returns (width, lr), or None where no width reaches it.
    Graded: the width; that the lr is one at which this width reaches the target; None; and the
    cost: no run of a width larger than the answer, no pair trained twice, and no further run once
    the answer is known. Not graded: in which order the lrs of a width are tried.
    """
    ### BEGIN BROKEN
    # lr = lrs[len(lrs) // 2]  # the one in use
    # for width in widths:
    #     if train_at(width, lr) <= target:
    #         return width, lr
    # return None
    ### END BROKEN
    ### BEGIN SOLUTION
    for width in sorted(widths):
        for lr in lrs:
            # A width has failed only when every lr has. (nan <= target is False: a diverged run reaches nothing.)
            if train_at(width, lr) <= target:
                return width, lr
    return None
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** The task: three spirals, a loss of 0.32 or less after 800 steps. The widths: 2, 4,
# 8, 32. At the learning rate in use, 0.1, none but perhaps the largest comes near. Each width may now choose its
# rate from 0.1, 0.3 and 1. Which width is the smallest that does it? Write your guess as `my_guess`: the figure
# answers it.

# %% scene="plateau-capacity"
CAPACITY_WIDTHS, CAPACITY_LRS = (2, 4, 8, 32), (1.0, 0.1, 0.3)


def capacity_losses(seed, classes=3, widths=CAPACITY_WIDTHS, lrs=CAPACITY_LRS, steps=800):
    """The final loss, in nats, of a network of each width at each lr on `classes` spirals, all points at each step.

    Returns a dictionary by (width, lr).
    """
    losses = {}
    for width in widths:
        for lr in lrs:
            rng = np.random.default_rng(seed)
            x, y = spirals(rng, points=20, classes=classes)
            net = MLP((2, width, classes), rng)
            train(net, lambda: (x, y), steps=steps, lr=lr)
            losses[width, lr] = net.loss(x, y)
    return losses


def capacity_choice(smallest_width, losses, target=0.32):
    """What smallest_width says about a table of losses by (width, lr)."""
    widths, lrs = (list(dict.fromkeys(names)) for names in zip(*losses))
    return smallest_width(lambda width, lr: losses[width, lr], widths, lrs, target)


# %% run="plateau-capacity"
my_guess = 32  # the smallest width that comes to 0.32 on three spirals, at its best learning rate

fig, axes = figure(2, sharey=True)
told = []
for ax, classes in zip(axes, (3, 2)):
    table = capacity_losses(seed=0, classes=classes, widths=CAPACITY_WIDTHS if classes == 3 else (2, 4))
    for lr, marker in zip(sorted(CAPACITY_LRS), "v^sD"):
        tried = [width for width in CAPACITY_WIDTHS if (width, lr) in table]
        curve = [table[width, lr] for width in tried]
        ax.plot(tried, curve, marker=marker, color="#666666", linewidth=1, markersize=5, label=f"lr {lr:g}")
    ax.axhline(0.32, color="#444444", linestyle="-.", linewidth=1.5)
    for code, marker, style in ((broken.smallest_width, "X", BROKEN), (smallest_width, "o", MENDED)):
        choice = capacity_choice(code, table)
        label = "as complained about" if marker == "X" else "your code"
        told.append(f"{classes} spirals, {label}: {choice}")
        if choice:
            ring = {"markerfacecolor": "none", "markeredgewidth": 2.5} if marker == "o" else {}
            size = 15 if marker == "o" else 9
            ax.plot(
                *[[value] for value in (choice[0], table[choice])],
                marker,
                color=style["color"],
                markersize=size,
                zorder=4,
                label=label,
                **ring,
            )
    ax.set(xscale="log", yscale="log", xlim=(1.6, 40), xlabel="width (hidden units)", title=f"{classes} spirals")
    ax.set_xticks(CAPACITY_WIDTHS, CAPACITY_WIDTHS)
    ax.set_yticks((0.03, 0.1, 0.3, 1), ("0.03", "0.1", "0.3", "1"))
    ax.minorticks_off()
axes[0].axvline(my_guess, color="#444444", linestyle=":", linewidth=1.5)
place = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "ha": "right", "va": "top", "rotation": 90}
axes[0].annotate("your guess", (my_guess, 1), (-3, 0), fontsize="small", **place)
axes[0].annotate("target", (0.02, 0.31), xycoords=("axes fraction", "data"), va="top", fontsize="small")
axes[0].set_ylabel("loss after 800 steps (nats)")
axes[1].legend(frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1, 0.5))
show(fig, "Loss by width, a line for each learning rate. Right: a simpler task.", "; ".join(told))
print("Chosen (width, lr): " + "; ".join(told) + ".")


# %% check="plateau-capacity" points=6
def capacity_table(floors, best_lrs, lrs, reach=10.0):
    """Losses by (width, lr) made of formulas: the floor of each width at its best lr, more beside it, and nan far above."""
    table = {}
    for (width, floor), best in zip(floors.items(), best_lrs):
        for lr in lrs:
            away = np.log10(lr / best)
            table[width, lr] = float("nan") if away > np.log10(reach) else floor + 0.5 * away**2
    return table


def check_capacity_of(what, table, target, answer):
    """answer: the smallest width of the table, or None. What was trained is written down."""
    runs = []

    def train_at(width, lr):
        check.that(
            (width, lr) in table, what="only widths and lrs out of the lists are trained", call="train_at", got=(width, lr)
        )
        runs.append((width, lr))
        return table[width, lr]

    widths, lrs = (list(dict.fromkeys(names)) for names in zip(*table))
    call = f"smallest_width(train_at, widths={widths}, lrs={lrs}, target={target})"
    said = smallest_width(train_at, widths.copy(), lrs.copy(), target)
    reaching = {width: [lr for lr in lrs if table[width, lr] <= target] for width in widths}

    def at_one(lr):
        return next(((width, lr) for width in widths if table[width, lr] <= target), None)

    if answer is None:
        check.that(
            said is None,
            what=what,
            call=call,
            expected=None,
            got=said,
            turns={"the best of what there is is returned, or the last, whether it reaches the target or not": runs},
        )
        tried = {pair for pair in table} - set(runs)
        what = "None is said only when every width has been tried at every lr"
        check.that(not tried, what=what, call=call, got=f"{len(tried)} left")
    else:
        is_pair = isinstance(said, (tuple, list, np.ndarray)) and len(said) == 2
        best = min((pair for pair in table if table[pair] <= target), key=table.get)
        check.that(
            is_pair and said[0] == answer,
            what=what,
            call=call,
            expected=f"width {answer}, which reaches it at lr {reaching[answer]}",
            got=said,
            turns={
                "nothing is trained": not runs,
                "the first width in the list that reaches it is returned, and the list is in no order": is_pair
                and answer != said[0] == next(width for width in widths if reaching[width]),
                "a diverged run spoils the others of its width: a minimum over nan is nan, or a loop is left": (
                    said is None or said[0] > answer
                )
                and any(np.isnan(table[answer, lr]) for lr in lrs),
                "all widths are compared at one learning rate: a width that only needs another one is called too small": any(
                    (None if said is None else tuple(said)) == at_one(lr) and len({pair[1] for pair in runs}) == 1 for lr in lrs
                ),
                "the lowest loss of all is looked for, and not the smallest width": is_pair and tuple(said) == best,
                "a learning rate is chosen at one width and kept for the others: each width has its own": said is None
                or said[0] > answer,
                "the loss is never compared with the target": is_pair and not reaching.get(said[0]),
            },
        )
        check.that(
            said[1] in reaching[answer],
            what="the lr is one at which this width reaches the target",
            call=call,
            expected=f"one of {reaching[answer]}",
            got=said[1],
        )
        larger = sorted({width for width, _ in runs if width > answer})
        grid = {"the whole grid is trained before anything is looked at": len(set(runs)) == len(table)}
        got = f"widths {larger} trained"
        check.that(not larger, what="no width larger than the answer is trained", call=call, got=got, turns=grid)
        check.that(
            table[runs[-1]] <= target and sum(table[pair] <= target for pair in runs) == 1,
            what="nothing is trained once the answer is known",
            call=call,
            got=f"{len(runs)} runs, of which {sum(table[pair] <= target for pair in runs)} reach the target",
            turns={
                "a pair is trained again to learn what is known of it": len(set(runs)) < len(runs),
                "every lr of the width is tried, also when one of them has reached the target": all(
                    (answer, lr) in runs for lr in lrs
                ),
            },
        )
    got = f"{len(runs)} runs, {len(set(runs))} pairs"
    check.that(len(set(runs)) == len(runs), what="no pair is trained twice", call=call, got=got)


def check_capacity():
    lrs = [0.003, 0.01, 0.1, 0.03, 0.3]
    floors = {2: 0.7, 4: 0.45, 8: 0.1, 16: 0.05, 32: 0.02}
    table = capacity_table(floors, (0.1, 0.1, 0.01, 0.1, 0.1), lrs, reach=1e9)
    check_capacity_of("each width has the learning rate that suits it", table, 0.15, 8)
    check_capacity_of(
        "a width that every lr brings to the target", capacity_table({4: 0.9, 8: 0.1}, (0.1, 0.03), lrs, reach=1e9), 0.85, 8
    )
    check_capacity_of(
        "a diverged run is no verdict on its width",
        capacity_table({2: 0.7, 4: 0.1, 8: 0.05}, (0.1, 0.003, 0.03), lrs[::-1], reach=2.0),
        0.15,
        4,
    )
    check_capacity_of(
        "widths and lrs come in any order",
        capacity_table({64: 0.01, 3: 0.8, 16: 0.05, 6: 0.1, 32: 0.02}, (0.1,) * 5, [0.1, 3.0, 0.01]),
        0.15,
        6,
    )
    check_capacity_of(
        "None where no width reaches the target", capacity_table({2: 0.7, 4: 0.45, 8: 0.4}, (0.1, 0.01, 0.03), lrs), 0.15, None
    )
    equal = {(4, 0.1): 0.6, (4, 0.01): 0.5, (8, 0.1): 0.3, (8, 0.01): 0.15, (16, 0.1): 0.1, (16, 0.01): 0.2}
    check_capacity_of("a loss that equals the target reaches it", equal, 0.15, 8)


check.run(check_capacity)


### BEGIN HIDDEN TESTS
def check_capacity_elsewhere():
    rng = check.hidden_rng(18)

    def three_digits(numbers):
        return [float(f"{number:.3g}") for number in numbers]

    for number in rng.permutation(10).tolist():
        widths = np.sort(rng.choice(np.arange(2, 200), 5, replace=False)).tolist()
        lrs = three_digits(10 ** (rng.uniform(-4, -2) + np.arange(4) * rng.uniform(0.8, 1.1)))
        place = number % 5  # each width is the answer twice
        heights = [*-np.sort(-rng.uniform(0.35, 0.7, place)), *-np.sort(-rng.uniform(0.02, 0.1, 5 - place))]
        floors = dict(zip(widths, heights))
        floors = {width: floors[width] for width in rng.permutation(widths).tolist()}
        table = capacity_table(floors, rng.choice(lrs, 5), rng.permutation(lrs).tolist(), reach=(5.0, 200.0)[number % 2])
        target, far = three_digits([rng.uniform(0.11, 0.2), rng.uniform(0.001, 0.015)])
        for is_reached in rng.permutation([True, False]) if number < 5 else [True]:
            if is_reached:
                check_capacity_of("each width has the learning rate that suits it", table, target, widths[place])
            else:
                check_capacity_of("None where no width reaches the target", table, far, None)
    width, lr, loss = int(rng.integers(2, 100)), *three_digits(rng.uniform(0.1, 0.5, 2))
    single = {(width, lr): loss}
    check_capacity_of("a single width and lr", single, 1.5 * loss, width)
    check_capacity_of("a single width and lr that do not do", single, 0.5 * loss, None)


check.run(check_capacity_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# In the left panel, read the loss of width 8 from line to line. How much of what one line calls "too small" is the width?
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# The comparison holds the learning rate fixed, and the best rate is not the same for all widths. A width has failed
# when it has failed at every rate of the ladder. And the list of widths may be in any order.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Go through the widths from the smallest. Within a width, go through the learning rates, and return at the first run
# that is at or below the target. Return `None` after both loops. Compare each loss by itself: a minimum over losses
# of which one is `nan` can be `nan`.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *Loss Plateau: Capacity limit reached. Model too small for task. Fix: Increase model size or simplify task.*
#
# Write $L(w,\eta)$ for the loss of width $w$ after training at learning rate $\eta$. A width is too small for the
# target $L^*$ if
#
# $$\min_{\eta}\,L(w,\eta)>L^*,$$
#
# with the minimum over a ladder of rates that is wide enough to have its best in the middle. One rate gives an upper
# bound of that minimum and no more: it can acquit a width, and never convict it.
#
# **The two causes, measured.** Three spirals of 20 points, 800 steps of plain gradient descent, ten seeds. Width 2
# ends between 0.62 and 1.10 at every rate from 0.1 to 3: no rate helps, this is capacity. Width 8 ends at 0.44 to
# 0.58 with a rate of 0.1. With a rate of 1 it ends at 0.04 to 0.14 on 19 of 20 seeds, and at 0.42 on one: this was
# the rate. Width 32 at 0.1 is at 0.25 to 0.29 and looks the better network. It is only less slow. With Adam, width 2
# stays between 0.58 and 0.94 at 0.003, 0.02 and 0.1, width 8 comes to 0.02 to 0.12 and width 32 to 0.00.
#
# **The other cure.** Leave one spiral out, and width 2 ends at 0.26 to 0.32 on five seeds of six, in place of 0.62 and more.
# Width 4 comes to 0.03 to 0.34 at a rate of 1. A simpler task is a cure, and also a probe: if the small network masters it, the
# code is sound.
#
# **When the advice misleads.** "Increase the model size" nearly always lowers the training loss, because larger
# networks forgive a bad rate. So it seems to confirm itself. Try the ladder of rates first: it costs three runs of the
# small network. The seed is a third suspect. At the border, width 4 ends at 0.26 to 0.72 at a rate of 1, by the seed
# alone: run a few before you refuse a width. In networks whose layers are parametrised for it, the best rate hardly
# moves with the width (Yang et al. 2022, arXiv 2203.03466); in the usual parametrisation it does.
#
# **In PyTorch** this is a double loop over `width` and `lr` that builds the model and its optimizer anew for each
# pair. Compare losses in evaluation mode, on the same rows.
#
# </details>
