# %% [markdown]
# ## Case 1.9 · Shall we buy more data?
#
# About 20 minutes · difficulty 3 of 5 · 6 points
#
# **The complaint.** Two networks stopped improving in the same week. Both had a training loss close to their lowest
# ever. A script that looks at the training loss asked for more data for the one and not for the other. The data were
# labelled for a month. The validation loss of the first did improve. So would that of a third one have, which the
# script had told to make do; and a fourth got its data and nothing else.
#
# **After this case you can** find out from the data that you have whether more would help, with an error bar, and say
# so when you cannot tell.
#
# ### The code

# %% fix="plateau-data-exhaustion"
def more_data_helps(train_on, sizes, draws=8):
    """Whether more data would lower the validation loss: "more data", "not the data" or
    "cannot tell".

    train_on(n, draw) trains on a subset of n rows, the one with this number (0 to draws - 1; the
    same number gives the same run), and returns (train_losses, val_losses), a list each, one entry
    an epoch. What counts is the lowest of val_losses: early stopping is in use.
    sizes: three sizes or more, growing, each twice the one before; the last is all that there is.
    draws: how many subsets of each size there are, 8 here.
    Returns, judged over 20 data sets of each kind, of which 17 have to be right:
    "more data" where the last doubling of n lowers the lowest validation loss by 15 % or more, and
    single runs scatter by 5 % or less of it (standard deviation);
    "not the data" where the last doubling changes nothing, and they scatter by 3 % or less,
    whatever the smaller sizes did before and whatever the training loss is;
    "cannot tell" where single runs scatter by 40 % or more, whatever the truth is.
    Not graded: everything in between, and how many runs you use.
    """
    ### BEGIN BROKEN
    # train_losses, val_losses = train_on(sizes[-1], 0)
    # # It has memorized the training data, and the validation loss is increasing.
    # if train_losses[-1] < 0.1 * val_losses[-1]:
    #     return "more data"
    # return "not the data"
    ### END BROKEN
    ### BEGIN SOLUTION
    # Only the last doubling says where the curve goes from here; the draws say how sure that is.
    half, full = np.array([[np.min(train_on(n, draw)[1]) for draw in range(draws)] for n in sizes[-2:]])
    fall = 1 - full.mean() / half.mean()
    error = np.sqrt((half.var(ddof=1) + full.var(ddof=1)) / draws) / half.mean()
    if error > 0.05:
        return "cannot tell"
    return "more data" if fall > 0.075 else "not the data"
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** A network trains on 50 noisy rows, and on 400, and the training loss ends far below
# the validation loss in both. By which factor is the lowest validation loss smaller with 400 rows than with 50? Write
# your guess as `my_guess`, 0 to 1: the line under the figure answers it.


# %% scene="plateau-data-exhaustion"
def data_runs(kind, seed):
    """A train_on for one of two tasks: "noisy" rows with 40 features, or "spirals" for a network of two hidden units.

    Its draws differ in the rows, in the network's start, and in the rows held out.
    """

    def train_on(n, draw):
        rng = np.random.default_rng([seed, int(n), int(draw)])
        if kind == "noisy":
            x = rng.normal(size=(n + 500, 40))
            y = (x[:, :5].sum(axis=1) + 1.5 * rng.normal(size=n + 500) > 0).astype(int)
            net, lr = MLP((40, 16, 2), rng), 0.5
        else:
            x, y = spirals(rng, points=400)
            order = rng.permutation(len(y))[: n + 300]
            x, y = x[order], y[order]
            # The network's start is the same in each draw: the scatter is to be that of the data.
            net, lr = MLP((2, 2, 3), np.random.default_rng(1)), 0.5
        history = train(net, lambda: (x[:n], y[:n]), steps=60 if kind == "noisy" else 90, lr=lr, validation=(x[n:], y[n:]))
        return history["loss"], history["val_loss"]

    return train_on


DATA_SIZES = (50, 100, 200, 400)


# %% run="plateau-data-exhaustion"
my_guess = 0.9  # the lowest validation loss with 400 rows, as a share of that with 50

fig, axes = figure(2, sharey=True)
told = []
for ax, kind, title in zip(axes, ("noisy", "spirals"), ("noisy labels, 16 hidden units", "spirals, 2 hidden units")):
    train_on = data_runs(kind, seed=0)
    runs = {(n, draw): train_on(n, draw) for n in DATA_SIZES for draw in range(8)}
    for style, label, of in (
        (":^", "training loss, last", lambda run: run[0][-1]),
        ("--v", "validation loss, last", lambda run: run[1][-1]),
        ("-o", "validation loss, lowest", lambda run: min(run[1])),
    ):
        values = np.array([[of(runs[n, draw]) for draw in range(8)] for n in DATA_SIZES])
        ax.errorbar(
            DATA_SIZES,
            values.mean(axis=1),
            values.std(axis=1, ddof=1),
            fmt=style,
            label=label,
            capsize=3,
            color="#444444",
            linewidth=2.2 if style == "-o" else 1.2,
        )
    if kind == "noisy":
        share = values[-1].mean() / values[0].mean()
    verdicts = [rule(lambda n, draw: runs[n, draw], list(DATA_SIZES), 8) for rule in (broken.more_data_helps, more_data_helps)]
    ax.set(xscale="log", xlabel="rows in training", title=title)
    ax.set_xticks(DATA_SIZES, DATA_SIZES)
    ax.minorticks_off()
    told.append(f"{title}: as complained about, {verdicts[0]!r}; your code, {verdicts[1]!r}")
axes[0].set_ylabel("loss (nats)")
axes[0].legend(frameon=False, fontsize="small")
show(fig, "Loss by the number of rows, mean of eight draws; the bars are the scatter of single draws.", "; ".join(told))
print("\n".join(told))
print(f"Noisy labels: with 400 rows the lowest validation loss is {share:.1f} of that with 50. You said {my_guess:g}.")


# %% check="plateau-data-exhaustion" points=6
def data_curves(law, scatter, memorised, seed):
    """A train_on made of formulas. law(n): the lowest validation loss at n rows, without scatter."""

    def train_on(n, draw):
        rng = np.random.default_rng([seed, int(n), int(draw)])
        lowest = law(n) * np.exp(scatter * rng.normal() - scatter**2 / 2)
        epochs = np.arange(21)
        # Overfitting after epoch 8 lifts the last validation loss by so much that its course over n is another.
        val = lowest * (1 + 0.01 * (epochs - 8) ** 2 * (rng.uniform(0.5, 1.5) if memorised else epochs < 8))
        train_losses = (0.001 if memorised else 0.95 * lowest) + lowest * np.exp(-epochs)
        return train_losses.tolist(), val.tolist()

    return train_on


def check_data_kinds(sizes, level, seed):
    n = sizes[-1]
    kinds = {
        "memorised, and falling with n": ("more data", lambda k: level * (k / n) ** -0.4, 0.05, True),
        "not memorised, and falling with n": ("more data", lambda k: level * (k / n) ** -0.4, 0.05, False),
        "memorised, and flat": ("not the data", lambda k: level, 0.03, True),
        "not memorised, and flat": ("not the data", lambda k: level, 0.03, False),
        "fell, and is flat at the end": ("not the data", lambda k: level * max(1, (n / 2 / k)) ** 1.0, 0.03, True),
        "falling, with a scatter of 40 %": ("cannot tell", lambda k: level * (k / n) ** -0.4, 0.4, True),
        "flat, with a scatter of 50 %": ("cannot tell", lambda k: level, 0.5, False),
    }
    said = {}
    for kind, (_, law, scatter, memorised) in kinds.items():
        said[kind] = [more_data_helps(data_curves(law, scatter, memorised, 1000 * seed + i), list(sizes), 8) for i in range(20)]
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
            shares[kind] >= 0.85,
            what=f'lowest validation loss {kind}: "{wanted}"',
            call=f"more_data_helps(train_on, {list(sizes)}, 8), 20 data sets",
            expected=f"{wanted!r} on 17 of 20 at least",
            got=", ".join(f"{word!r} on {count}" for word, count in counts.items()),
            turns={
                "the training loss decides, at one size: memorised data say neither that more would help nor that "
                "they would not": by_training,
                "the same verdict is given whatever comes in": len({word for words in said.values() for word in words}) == 1,
                "the first size is compared with the last: what counts is where the curve goes at its end": kind.startswith(
                    "fell"
                )
                and asks[kind] > 0.5,
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
    check_data_kinds((100, 200, 400, 800), 0.5, seed=1)


check.run(check_data)


### BEGIN HIDDEN TESTS
def check_data_elsewhere():
    check_data_kinds((30, 60, 120), 0.02, seed=2)


check.run(check_data_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# In both panels cover the right-most points. Which of the three curves would have told you where they are?
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
# **Diagnosis.** *Loss plateau: Data exhaustion. Model memorized training data; validation loss increasing. Fix: More
# data, regularization, early stop.*
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
# **Measured.** A noisy linear task with 60 features, a network of 32 hidden units, Adam, three seeds. With 40 rows
# the lowest validation loss is 0.63 to 0.96, with 400 it is 0.60 to 0.64, with 1500 it is 0.48 to 0.51. The training
# loss ends at 0.03 or less in all of them: it cannot tell a size at which more data helped from one at which they did
# not.
#
# **When the advice misleads.** More data did not end the overfitting: with 1500 rows the validation loss still rises
# from 0.5 to between 0.86 and 1.07 by the end. Early stopping was needed at every size, and a script that compares
# the *last* losses measures how long one trained. "Memorised" is no symptom of its own: a network can memorise and be
# at the noise of the labels, where no data helps. And one that did not memorise can gain from data, or be too small
# for the task, as in the right panel and in case 1.8.
#
# **What the draws must vary.** Subsets of the same rows overlap, so at the largest size they vary too little; draw
# the held-out rows anew as well, or use folds. If the starts vary too, their scatter is in the error bar: with few
# draws, "cannot tell" is then the honest answer.
#
# **In PyTorch** `torch.utils.data.Subset(dataset, rows)` makes the subsets. Keep the number of *steps* the same at
# all sizes, not the number of epochs, or the small ones are trained less.
#
# </details>
