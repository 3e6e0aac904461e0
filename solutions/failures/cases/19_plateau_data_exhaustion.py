# %% [markdown]
# ## Case 1.9 · Shall we buy more data?
#
# About 20 minutes · difficulty 3 of 5 · 6 points
#
# **The complaint.** Two networks have stopped improving. A script decides whether to buy more data, and looks at the
# training loss. That of network B is near zero: it knows its rows by heart, so the script asked for more. People labelled
# rows for a month, and B's lowest validation loss is where it was. That of network A is not so low, and the script told
# its owners to make do with 400 rows. They had held half of them back until last week: with 200 rows, the lowest
# validation loss had been a third higher.
#
# **After this case you can** find out from the data that you have whether more would help, with an error bar, and say
# so when you cannot tell.
#
# ### The code

# %% fix="plateau-data-exhaustion"
def more_data_helps(train_on, sizes, draws=8):
    """Whether more data would lower the validation loss: "more data", "not the data" or
    "cannot tell".

    train_on(n, draw) trains on a subset of n rows, number `draw` of its size (0 to draws - 1; the
    same number gives the same run), and returns (train_losses, val_losses), a list each, one entry
    an epoch. What counts is the lowest of val_losses: early stopping is in use.
    sizes: three sizes or more, growing, each twice the one before; the last is all that there is.
    draws: how many subsets of each size there are, 8 here.
    Graded over 9 data sets of each kind, of which 6 have to be right. The scatter is the standard
    deviation of the lowest val_loss over the draws of one size, as a share of their mean:
    "more data" where the last doubling of n lowers the lowest validation loss by 15 % or more and
    the scatter is 5 % or less, however low or high the training loss is;
    "not the data" where the last doubling changes nothing and the scatter is 3 % or less, whatever
    the smaller sizes did before and whatever the training loss is;
    "cannot tell" where the scatter is 50 % or more, even if the data happen to show a fall.
    Not graded: everything in between, and how many runs you use.
    """
    ### BEGIN BROKEN
    # train_losses, val_losses = train_on(sizes[-1], 0)
    # # It has memorised the training data, and the validation loss is increasing.
    # if train_losses[-1] < 0.1 * val_losses[-1]:
    #     return "more data"
    # return "not the data"
    ### END BROKEN
    ### BEGIN SOLUTION
    # Only the last doubling says where the curve goes from here; the draws say how sure that is.
    half, full = np.array([[np.min(train_on(n, draw)[1]) for draw in range(draws)] for n in sizes[-2:]])
    fall = 1 - full.mean() / half.mean()
    error = np.sqrt((half.var(ddof=1) + full.var(ddof=1)) / draws) / half.mean()
    if error > 0.07:
        return "cannot tell"
    return "more data" if fall > 0.075 else "not the data"
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** Network A trains on 100 rows, and on 400. How large is its lowest validation loss with
# 400 rows, as a share of that with 100? Write your guess as `my_guess`, 0 to 1: the left panel answers it.


# %% scene="plateau-data-exhaustion"
DATA_SIZES = {"A": (100, 200, 400), "B": (50, 100, 200)}


def data_runs(name, seed):
    """A train_on for network "A" or "B". Its draws differ in the rows, in the rows held out, and in the network's start.

    A has to find out which of 40 inputs count. For B one input tells all there is to know, and three labels in ten are wrong.
    """

    def train_on(n, draw):
        rng = np.random.default_rng([seed, int(n), int(draw)])
        if name == "A":
            x = rng.normal(size=(n + 500, 40))
            y = (x[:, :5].sum(axis=1) + 0.7 * rng.normal(size=n + 500) > 0).astype(int)
            net, lr = MLP((40, 16, 2), rng), 0.5
        else:
            x, y = rng.normal(size=(n + 300, 60)), rng.integers(2, size=n + 300)
            x[:, 0] += 4 * (2 * y - 1)
            y = np.where(rng.random(n + 300) < 0.3, 1 - y, y)
            net, lr = MLP((60, 32, 2), rng), 1.0
            net.params = [0.3 * param for param in net.params]  # so small a start guesses, and does not guess wrongly
        history = train(net, lambda: (x[:n], y[:n]), steps=40 if name == "A" else 60, lr=lr, validation=(x[n:], y[n:]))
        return history["loss"], history["val_loss"]

    return train_on


def show_data_runs(before, now, guess, seed=0):
    """Draw the losses of A and B by the number of rows, with the verdicts of `before` and `now`."""
    fig, axes = figure(2, height=3.6)
    told = []
    for ax, name in zip(axes, "AB"):
        sizes, train_on = list(DATA_SIZES[name]), data_runs(name, seed)
        runs = {(n, draw): train_on(n, draw) for n in sizes for draw in range(8)}
        for style, width, label, of in (
            ("--v", 1.2, "validation loss, last", lambda run: run[1][-1]),
            ("-o", 2.4, "validation loss, lowest", lambda run: min(run[1])),
            (":^", 1.2, "training loss, last", lambda run: run[0][-1]),
        ):
            values = np.array([[of(runs[n, draw]) for draw in range(8)] for n in sizes])
            mean, scatter = values.mean(axis=1), values.std(axis=1, ddof=1)
            ax.errorbar(sizes, mean, scatter, fmt=style, label=label, capsize=3, color="#444444", linewidth=width)
            if style == "-o":
                lowest = mean
        said = [rule(lambda n, draw: runs[n, draw], list(sizes), 8) for rule in (before, now)]
        ax.set(xscale="log", xlabel="rows in training", title=f"network {name}", ylim=(-0.05, ax.get_ylim()[1] * 1.4))
        ax.set_xticks(sizes, sizes)
        ax.minorticks_off()
        for place, style, line in zip(
            (0.93, 0.85), (BROKEN, MENDED), (f"X as complained about: {said[0]}", f"○ your code: {said[1]}")
        ):
            ax.text(0.02, place, line, transform=ax.transAxes, color=style["color"], fontsize="small")
        told.append(
            f"Network {name}: lowest validation loss {lowest[0]:.2g} with {sizes[0]} rows, {lowest[-1]:.2g} with {sizes[-1]}; "
            f"as complained about: {said[0]}; your code: {said[1]}."
        )
        if name == "A":
            ax.axhline(guess * lowest[0], color="#444444", linestyle="-.", linewidth=1)
            place = {"xycoords": ("axes fraction", "data"), "ha": "right", "va": "bottom"}
            ax.annotate("your guess", (0.99, guess * lowest[0]), fontsize="small", **place)
            answer = (
                f"A's lowest validation loss with 400 rows is {lowest[-1] / lowest[0]:.1f} of that with 100. You said {guess:g}."
            )
    axes[0].set_ylabel("loss (nats)")
    fig.legend(*axes[0].get_legend_handles_labels(), frameon=False, fontsize="small", loc="outside upper center", ncols=3)
    show(fig, "Loss by the number of rows, mean of eight draws; the bars are the scatter of single draws.", " ".join(told))
    print(answer)


# %% run="plateau-data-exhaustion" atlas="1 2"
my_guess = 0.9  # A's lowest validation loss with 400 rows, as a share of that with 100

show_data_runs(before=broken.more_data_helps, now=more_data_helps, guess=my_guess)


# %% check="plateau-data-exhaustion" points=6
def data_curves(law, scatter, memorised, seed):
    """A train_on made of formulas. law(n): the lowest validation loss at n rows, without scatter."""
    known = {}

    def runs_of(n):
        """train_losses and val_losses of all eight draws."""
        rng = np.random.default_rng([seed, int(n)])
        lowest = law(n) * np.exp(scatter * rng.normal(size=(8, 1)) - scatter**2 / 2)
        epochs = np.arange(5)
        # Overfitting after epoch 1 lifts the last validation loss by so much that its course over n is another.
        val = lowest * (1 + 0.16 * (epochs - 1) ** 2 * (rng.uniform(0.5, 1.5, (8, 1)) if memorised else epochs < 1))
        train_losses = (0.001 if memorised else 0.95 * lowest) + lowest * np.exp(-2 * epochs)
        return train_losses.tolist(), val.tolist()

    def train_on(n, draw):
        if n not in known:
            known[n] = runs_of(n)
        return tuple(list(losses[draw]) for losses in known[n])

    return train_on


def said_of_sets(sets, sizes, wanted):
    """What more_data_helps says of one set after the other, until 6 are called what is wanted: that is enough."""
    for train_on in sets:
        train_on.foreseen = [(n, draw) for n in sizes[-2:] for draw in range(8)]
    said = check.each(more_data_helps, [(train_on, list(sizes), 8) for train_on in sets[:6]])
    for train_on in sets[6:]:
        if sum(isinstance(word, str) and word == wanted for word in said) == 6:
            break
        said.append(more_data_helps(train_on, list(sizes), 8))
    return said


def check_data_kinds(sizes, level, seed):
    n = sizes[-1]
    kinds = {
        "memorised, and falling with n": ("more data", lambda k: level * (k / n) ** -0.25, 0.05, True),
        "not memorised, and falling with n": ("more data", lambda k: level * (k / n) ** -0.25, 0.05, False),
        "memorised, and flat": ("not the data", lambda k: level, 0.03, True),
        "not memorised, and flat": ("not the data", lambda k: level, 0.03, False),
        "fell, and is flat at the end": ("not the data", lambda k: level * max(1, (n / 2 / k)) ** 1.0, 0.03, True),
        "falling, with a scatter of 60 %": ("cannot tell", lambda k: level * (k / n) ** -0.25, 0.6, True),
        "flat, with a scatter of 50 %": ("cannot tell", lambda k: level, 0.5, False),
    }
    said = {}
    for kind, (wanted, law, scatter, memorised) in kinds.items():
        sets = [data_curves(law, scatter, memorised, 1000 * seed + i) for i in range(9)]
        said[kind] = said_of_sets(sets, sizes, wanted)
        for word in said[kind]:
            check.that(
                isinstance(word, str) and word in ("more data", "not the data", "cannot tell"),
                what="the answer is one of the three verdicts",
                call=f"more_data_helps(train_on, {list(sizes)}, 8)",
                got=word,
            )
    shares = {kind: np.mean([word == kinds[kind][0] for word in words]) for kind, words in said.items()}
    asks = {kind: np.mean([word == "more data" for word in words]) for kind, words in said.items()}
    by_training = (
        min(asks["memorised, and falling with n"], asks["memorised, and flat"]) > 0.8
        and asks["not memorised, and falling with n"] < 0.2
    )
    for kind, (wanted, *_) in kinds.items():
        counts = {word: said[kind].count(word) for word in dict.fromkeys(said[kind])}
        check.that(
            shares[kind] >= 0.65,  # an interval of two errors, from eight draws, is wrong on one or two in ten
            what=f'lowest validation loss {kind}: "{wanted}"',
            call=f"more_data_helps(train_on, {list(sizes)}, 8), 9 data sets",
            expected=f"{wanted!r} on 6 of 9 at least",
            got=", ".join(f"{word!r} on {count}" for word, count in counts.items()),
            turns={
                "the training loss decides, at one size: memorised data say neither that more would help nor that "
                "they would not": by_training,
                "the same verdict is given whatever comes in": len({word for words in said.values() for word in words}) == 1,
                "the first size is compared with the last: what counts is where the curve goes at its end": kind.startswith(
                    "fell"
                )
                and asks[kind] > 0.5,
                "a verdict is given before the scatter is looked at: among so few draws a large fall comes by luck": wanted
                == "cannot tell"
                and counts.get("cannot tell", 0) >= 4,
                "there is no error bar, or that of a single draw: here a verdict is a toss": wanted == "cannot tell",
                "the last validation loss is looked at, and not the lowest": shares["not memorised, and flat"] >= 0.85
                and kind.startswith("memorised"),
                "the scatter of single runs stands where the error of their mean is meant": wanted == "more data"
                and "cannot tell" in counts,
                "any fall counts, however small: noise alone makes one on half of the flat curves": wanted == "not the data"
                and "more data" in counts,
            },
        )


def check_data():
    check_data_kinds((100, 200, 400, 800), 0.5, seed=3)


check.run(check_data)


### BEGIN HIDDEN TESTS
def data_sets(law, scatter, memorised, sizes, rng):
    """Nine data sets made of formulas. Where the scatter is large, one whose draws show a change by luck is drawn again.

    With a scatter of 50 % a right rule takes one set in ten for a change, and without this would fail once in a hundred times.
    """
    sets = []
    while len(sets) < 9:
        train_on = data_curves(law, scatter, memorised, int(rng.integers(2**31)))
        if scatter > 0.1:
            half, full = np.array([[min(train_on(n, draw)[1]) for draw in range(8)] for n in sizes[-2:]])
            if abs(half.mean() - full.mean()) > 1.5 * np.sqrt((half.var(ddof=1) + full.var(ddof=1)) / 8):
                continue
        sets.append(train_on)
    return sets


def check_data_elsewhere():
    rng = check.hidden_rng(19)
    first = int(rng.integers(20, 120))
    sizes = [first * 2**power for power in range(int(rng.integers(3, 5)))]
    n, level = sizes[-1], 10 ** rng.uniform(-2, 1)
    power, power_too, before = rng.uniform((0.26, 0.26, 0.5), (0.45, 0.45, 1.2))
    kinds = [
        ("more data", lambda k: level * (k / n) ** -power, rng.uniform(0.02, 0.045), True),
        ("more data", lambda k: level * (k / n) ** -power_too, rng.uniform(0.02, 0.045), False),
        ("not the data", lambda k: level, rng.uniform(0.01, 0.03), True),
        ("not the data", lambda k: level, rng.uniform(0.01, 0.03), False),
        ("not the data", lambda k: level * max(1, n / 2 / k) ** before, rng.uniform(0.01, 0.03), True),
        ("cannot tell", lambda k: level * (k / n) ** -power, rng.uniform(0.55, 0.7), True),
        ("cannot tell", lambda k: level, rng.uniform(0.55, 0.7), False),
    ]
    whats = {
        "more data": 'the lowest validation loss falls with the last doubling, and scatters little: "more data"',
        "not the data": 'the lowest validation loss stays with the last doubling, and scatters little: "not the data"',
        "cannot tell": 'the lowest validation loss scatters by 50 % or more: "cannot tell"',
    }
    for number in rng.permutation(len(kinds)):
        wanted, *kind = kinds[number]
        said = said_of_sets(data_sets(*kind, sizes, rng), sizes, wanted)
        right = sum(isinstance(word, str) and word == wanted for word in said)
        check.that(
            right >= 6,
            what=whats[wanted],
            call=f"more_data_helps(train_on, {sizes}, 8), 9 data sets",
            expected="right on 6 of 9 at least",
            got=f"right on {right} of 9",
        )


check.run(check_data_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# In both panels cover the points on the right. Which of the three curves would have told you where they are?
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# A small training loss says that the network could memorise these rows. Whether others would help is seen only by
# training on fewer: the rows you have are the experiment. One draw per size leaves you with its scatter.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Take the lowest validation loss of each draw at the last two sizes. Compare the two means; the error of their
# difference comes from the scatter within each size, divided by the number of draws. If that error is too large to
# tell 15 % from nothing, say so first.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *Loss Plateau: Data exhaustion. Model memorized training data. Validation loss increasing. Fix: More data,
# regularization, early stop.*
#
# Let $V(n)$ be the mean lowest validation loss over the draws of $n$ rows, $s_n$ the standard deviation over its $d$
# draws. The last doubling brings, with its error,
#
# $$f=1-\frac{V(n)}{V(n/2)},\qquad \mathrm{se}(f)\approx\frac{1}{V(n/2)}\sqrt{\frac{s_n^2+s_{n/2}^2}{d}}.$$
#
# Learning curves often fall like a power of $n$ over a long stretch, and then level off (Hestness et al. 2017, arXiv
# 1712.00409). If the last doubling brought something, the next will bring a little less. If it brought nothing,
# another will hardly do.
#
# **Both ways wrong.** Over 20 seeds the last training loss of A is 0.11 to 0.14 with 400 rows. Its last doubling lowers
# the lowest validation loss by 17 to 27 %: there is more to be had. Network B knows 200 rows by heart, and its last doubling
# changes the lowest validation loss by -3 to 4 %. It stands at 0.61 to 0.64, and three wrong labels in ten cost
# $-0.3\ln 0.3-0.7\ln 0.7\approx 0.61$ nats even if one knows everything else. Better labels would help B, more would not.
#
# **When the advice misleads.** "Memorised" is no symptom of its own: it says that the network is large enough for these rows, and
# not what other rows would bring. Nor do more data end the overfitting. On a noisy linear task (60 features, 32 hidden units,
# Adam, three seeds) the lowest validation loss was 0.63 to 0.96 with 40 rows, and 0.48 to 0.51 with 1500. With 1500 it still rose
# to between 0.86 and 1.07 by the end. Early stopping was needed at every size, and a script that compares the *last* losses
# measures how long one trained.
#
# **What the draws must vary.** Subsets of the same rows overlap, so at the largest size they vary too little; draw
# the held-out rows anew as well, or use folds. If the starts vary too, their scatter is in the error bar.
#
# **In PyTorch** `torch.utils.data.Subset(dataset, rows)` makes the subsets. Keep the number of *steps* the same at
# all sizes, not the number of epochs, or the small ones are trained less.
#
# </details>
