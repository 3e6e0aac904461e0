# %% [markdown]
# ## Case 2.8 · Normalised, and still it explodes
#
# About 15 minutes · difficulty 3 of 5 · 6 points
#
# **The complaint.** One row of 300 is 200 times too long. It may not be taken out: rows like it will come in
# production. A linear regression explodes. "Normalise the data", it was said. So each column had its mean taken off and
# was divided by its standard deviation. It explodes as before, a little later. A colleague
# has a worse row in the table of a classifier, which is trained with cross-entropy, and asks whether that table has to be
# normalised too.
#
# **After this case you can** choose a scaling that a few rows cannot spoil, fit it on the training rows, and say which
# loss needs it.
#
# Case 2.2 finds such rows. This one is about living with them, and about what dividing by a standard deviation does to
# all the *other* rows.
#
# ### The code

# %% fix="explode-outliers"
def fit_scaling(x):
    """A function scale(rows) that makes rows fit for training, fitted on the training rows x.

    x: float array (n, columns), n >= 100. In each column 90 % of the values or more, its bulk, are
    drawn from a normal distribution of any mean and a standard deviation s of 1e-6 to 1e6. The
    others may be 1e9 s away. A column of zeros and ones, or of one value, may be among them.
    scale(rows): float array (m, columns), m >= 1, training rows or others, to one of that shape.
    Graded: the scaled bulk of a column, in x, has a mean of -1 to 1 and a standard deviation of 0.3
    to 3. Of two values within 2 s of the mean the larger stays the larger. Zero and one stay
    different, by 0.2 or more, in a column of zeros and ones, however rare the ones. No scaled value
    of any row is further than 6 from zero, and all are finite. A row is scaled the same whichever
    rows come with it. Neither x nor rows is changed. Not graded: what becomes of the far values.
    """
    ### BEGIN BROKEN
    # centre, spread = x.mean(axis=0), x.std(axis=0) + 1e-12
    # return lambda rows: (rows - centre) / spread
    ### END BROKEN
    ### BEGIN SOLUTION
    low, centre, high = np.percentile(x, [25, 50, 75], axis=0)
    spread = (high - low) / 1.349  # the standard deviation of a normal bulk
    # Where half of the values are equal the quartiles see no spread: leave such a column in its own unit.
    spread = np.where(spread > 0, spread, 1.0)
    return lambda rows: np.clip((rows - centre) / spread, -4, 4)
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** The colleague's table: ten features, three classes, 300 rows, one of them multiplied
# by 10 000. Its label is right. Nothing is scaled, and a network is trained with cross-entropy. On held-out rows it
# gets 97 % right where that row is as long as the others; guessing gets 33 %. What share does it get with the long row
# in it? Write your guess as `my_guess`: it is the dotted line in the right panel.


# %% scene="explode-outliers"
def fit_long_row(fit_scaling, seed, steps=150, lr=0.05):
    """Linear regression with one row of 300 times 200, in batches of 10. Returns the History, with the loss on ordinary rows."""
    rng = np.random.default_rng(seed)
    x, y, _ = linear_data(rng, rows=600, features=6)
    x, held_out, y, y_held_out = x[:300].copy(), x[300:], y[:300], y[300:]
    x[7] *= 200
    draws = batches(rng, 300, 10, epochs=1 + steps // 30)
    scale = fit_scaling(x.copy())
    scaled = np.array(scale(x.copy()), dtype=float)

    def draw():
        rows = next(draws)
        return scaled[rows], y[rows]

    return train(LeastSquares(6), draw, steps, lr, validation=(np.array(scale(held_out.copy()), dtype=float), y_held_out))


def classify_long_row(fit_scaling, seed, epochs=8, lr=0.1):
    """A classifier with cross-entropy, one row of 300 times 10 000, its label right. Returns the share right on held-out rows."""
    rng = np.random.default_rng(seed)
    centres = 1.2 * rng.normal(size=(3, 10))
    y = rng.integers(0, 3, 600)
    x = centres[y] + rng.normal(size=(600, 10))
    x[5] *= 1e4
    net, draws = MLP((10, 32, 3), rng), batches(rng, 300, 16, epochs)
    scale = fit_scaling(x[:300].copy())
    scaled = np.array(scale(x[:300].copy()), dtype=float)

    def draw():
        rows = next(draws)
        return scaled[rows], y[rows]

    train(net, draw, 19 * epochs, lr)
    return net.accuracy(np.array(scale(x[300:].copy()), dtype=float), y[300:])


def show_scalings(before, now, seed, my_guess, runs=6):
    """The regression under both scalings, and the classifier under both and under none."""
    fig, (left, right) = figure(2, height=3.3)
    told = []
    for rule, style, label in ((before, BROKEN, "as complained about"), (now, MENDED, "your code")):
        losses = np.array(fit_long_row(rule, seed)["val_loss"])
        left.plot(losses, label=label, **style)
        told.append(f"{label}: the loss goes from {losses[0]:.1g} to {losses[-1]:.1g}")
    left.set(xlabel="step", ylabel="loss on ordinary rows\n(squared units of y)", yscale="log")
    left.legend(frameon=False, fontsize="small")

    kinds = {"nothing scaled": lambda x: lambda rows: rows, "as complained about": before, "your code": now}
    marks = (("s", "#444444"), ("X", BROKEN["color"]), ("o", MENDED["color"]))
    medians = {}
    for place, ((kind, rule), (mark, color)) in enumerate(zip(kinds.items(), marks)):
        shares = np.array([classify_long_row(rule, [seed, number]) for number in range(runs)])
        look = dict(fillstyle="none", markeredgewidth=2.5, markersize=9) if mark == "o" else dict(markersize=8)
        right.plot(place + np.linspace(-0.15, 0.15, runs), shares, mark, color=color, **look)
        medians[kind] = np.median(shares)
    mark_guess(right, my_guess, at=0.02)
    right.set_xticks(range(3), ["nothing scaled", "as complained\nabout", "your code"])
    right.set(ylabel="share right on held-out rows", ylim=(0, 1.05), xlim=(-0.5, 2.5))
    words = ", ".join(f"{kind} {share:.0%}" for kind, share in medians.items())
    show(
        fig,
        f"Left: the regression with one long row. Right: the classifier with a longer one, {runs} seeds each.",
        f"Left, {'; '.join(told)}. Right, the median shares: {words}; your guess is {my_guess:.0%}.",
    )
    print(f"The classifier with nothing scaled, median: {medians['nothing scaled']:.0%} right. You said {my_guess:.0%}.")
    print(f"As complained about: {medians['as complained about']:.0%}. Your code: {medians['your code']:.0%}.")


# %% run="explode-outliers"
my_guess = 0.33  # the share of held-out rows that the classifier gets right, nothing scaled

show_scalings(broken.fit_scaling, fit_scaling, seed=0, my_guess=my_guess)


# %% check="explode-outliers" points=6
def scaled_by(scale, rows, call):
    """scale(rows) as floats of the right shape."""
    given = rows.copy()
    got = scale(given)
    check.that(np.array_equal(given, rows), what="the rows are not changed in place", call=call)
    return shaped(got, rows, call)


def shaped(got, rows, call):
    """What scale(rows) returned, as floats."""
    check.that(
        got is not None and np.shape(got) == rows.shape,
        what="the scaled rows have the shape of the rows",
        call=call,
        expected=rows.shape,
        got=None if got is None else np.shape(got),
    )
    return np.array(got, dtype=float)


def check_scaling(name, seed, far, count=3, n=200, spread=1.0, centre=0.0):
    rng = np.random.default_rng(seed)
    x = centre + spread * rng.normal(size=(n, 3))
    bad = rng.permutation(n)[:count]
    if count:
        x[bad] = centre + spread * far * rng.choice([-1.0, 1.0], (count, 3)) * rng.uniform(0.5, 1, (count, 3))
    given = x.copy()
    scale = fit_scaling(given)
    call = f"scale = fit_scaling(x); scale(x): {name}"
    check.that(callable(scale), what="fit_scaling returns a function", call=f"fit_scaling(x): {name}", got=scale)
    check.that(np.array_equal(given, x), what="x is not changed in place", call=f"fit_scaling(x): {name}")
    scaled = scaled_by(scale, x, call)
    bulk = np.delete(scaled, bad, axis=0)
    stds, means = bulk.std(axis=0), bulk.mean(axis=0)
    furthest = float(np.nanmax(np.abs(scaled)))
    check.that(
        bool(np.all((stds > 0.3) & (stds < 3))),
        what="the ordinary values have a standard deviation of 0.3 to 3 in each column",
        call=call,
        expected="0.3 to 3",
        got=stds,
        turns={
            "nothing is scaled, or not by the column's own spread": count == 0 or bool(np.allclose(stds, spread, rtol=0.3)),
            "the centre is not taken off, so the bound cuts off the ordinary values": bool(
                np.any((stds < 0.3) & (np.abs(bulk.mean(axis=0)) > 1))
            ),
            "the far rows are in the mean and in the standard deviation: they harm all the others, which share the little "
            "room that is left": bool(np.all(stds < 0.3)) and count < 0.04 * n,
            "the spread is taken where the far rows are": bool(np.any(stds < 0.3)),
        },
    )
    check.that(
        bool(np.all(np.abs(means) < 1)),
        what="the ordinary values have a mean of -1 to 1 in each column",
        call=call,
        got=means,
        turns={"the centre is not taken off, or is the mean, which the far rows have moved": True},
    )
    check.that(
        bool(np.isfinite(scaled).all()) and furthest <= 6,
        what="no scaled value is further than 6 from zero",
        call=call,
        expected="6 at most",
        got=float(np.max(np.abs(scaled))),
        turns={
            "there is a bound, and it is too far out: six columns of it are a row that is still too long for the rate": count > 0
            and furthest <= 50,
            "the ordinary rows are well, and the far ones are as far as they were: dividing all by one number does not "
            "shorten them against the others": furthest > 6,
        },
    )
    near = np.sort(centre + spread * rng.uniform(-2, 2, (30, 3)), axis=0)
    later = centre + spread * far * np.array([[100.0, -1e3, 1e4], [0.01, 0, -0.001]]) / max(far, 1)
    later = np.vstack([later, x[:4]])
    risen, after, *alone = check.each(scale, [(rows.copy(),) for rows in (near, later, *np.split(x[:4], 4))])
    steps = np.diff(shaped(risen, near, call), axis=0)
    check.that(
        bool(np.all(steps > 0)),
        what="of two values within 2 s of the mean the larger stays the larger",
        call=f"scale(rows), 30 rows in rising order: {name}",
        got=f"{int(np.sum(steps <= 0))} of {steps.size} steps do not rise",
        turns={"ordinary values are cut off, or a value comes to stand between others by its rank": bool(np.any(steps <= 0))},
    )
    after = shaped(after, later, "scale(rows) for new rows, some of them far")
    check.that(
        bool(np.isfinite(after).all() and np.abs(after).max() <= 6),
        what="new rows, which are further than any in training, stay within 6 too",
        call=f"scale(rows), with values 1e4 s from the mean: {name}",
        got=float(np.max(np.abs(after))),
        turns={"only the training rows were shortened, and new ones are not": True},
    )
    alone = np.vstack([shaped(one, x[:1], "scale(x[i:i+1])") for one in alone])
    check.that(
        bool(np.allclose(alone, after[2:], rtol=1e-6, atol=1e-9) and np.allclose(alone, scaled[:4], rtol=1e-6, atol=1e-9)),
        what="a row is scaled the same, alone or among others",
        call=f"scale(x[:1]) against the first row of scale(x): {name}",
        expected=scaled[0],
        got=alone[0],
        turns={"the rows that come are measured anew, and not those of the training": True},
    )


def check_rare(name, column, seed):
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.normal(size=len(column)), column])
    x[0, 0] = 1e6
    scaled = scaled_by(fit_scaling(x.copy()), x, f"scale(x), with a column of {name}")[:, 1]
    check.that(
        bool(np.isfinite(scaled).all() and np.abs(scaled).max() <= 6),
        what=f"a column of {name} stays finite and within 6",
        call="scale = fit_scaling(x); scale(x)",
        got=scaled[:6],
        turns={"its spread is 0, and something is divided by it": not np.isfinite(scaled).all() or np.abs(scaled).max() > 6},
    )
    if column.any() and not column.all():
        gap = abs(scaled[column == 1].mean() - scaled[column == 0].mean())
        check.that(
            gap >= 0.2,
            what=f"zero and one stay different in a column of {name}",
            call="scale = fit_scaling(x); scale(x)",
            expected="0.2 apart, or more",
            got=float(gap),
            turns={"the rare ones are taken for outliers, and cut down to zero": gap < 1e-6},
        )


def check_scalings(seed, n, far):
    check_scaling("one far row", seed, far, count=1, n=n)
    check_scaling("no far row", seed + 1, 10.0, count=0, n=n)
    check_scaling("3 % far rows", seed + 2, far, count=int(0.03 * n), n=n)
    check_scaling("9 % far rows", seed + 3, far, count=int(0.09 * n), n=n)
    check_scaling("far rows of 1e9 s", seed + 4, 1e9, n=n)
    check_scaling("far rows, s = 1e-6", seed + 5, far, n=n, spread=1e-6)
    check_scaling("far rows, s = 1e6, mean 1e7", seed + 6, far, n=n, spread=1e6, centre=1e7)
    rng = np.random.default_rng(seed)
    for name, column in (
        ("zeros", np.zeros(n)),
        ("zeros and a few ones", (np.arange(n) % 50 == 3).astype(float)),
        ("zeros and one one", (np.arange(n) == 3).astype(float)),
        ("as many zeros as ones", rng.permutation(np.arange(n) % 2).astype(float)),
    ):
        check_rare(name, column, seed)


def check_explode_outliers():
    check_scalings(seed=1, n=200, far=200.0)


check.run(check_explode_outliers)


### BEGIN HIDDEN TESTS
def check_explode_outliers_elsewhere():
    rng = check.hidden_rng(28)
    for rows in ((100, 200), (400, 800)):
        check_scalings(seed=int(rng.integers(2**31)), n=int(rng.integers(*rows)), far=10 ** rng.uniform(2, 6))


check.run(check_explode_outliers_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# Scale the table as it was done, and print two things: the largest number in it, and the standard deviation of the 299
# ordinary rows.
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# Both numbers are wrong, for two reasons. The ordinary rows are squeezed because the far row made the ruler. And the
# far row is still far, because a linear scaling cannot bring it nearer to the others.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Take the centre and the spread from order statistics, such as the median and the quartiles. Then bound what comes out,
# in `scale` itself, so that it holds for new rows. Think of a column where the quartiles are equal.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *Gradient Explosion: Data outliers. Fix: Check data preprocessing, normalize.*
#
# For a batch of $B$ rows $x_i$ with errors $e_i=x_i^\top w-y_i$ the gradient of the squared loss is $\frac{2}{B}\sum_i
# e_i x_i$. A row of length $\rho$ adds a curvature of $2\rho^2/B$ in its own direction, and a learning rate $\eta$
# above $B/\rho^2$ overshoots at each visit, further each time. The error grows with $w$, so nothing stops it.
#
# **When the advice misleads.** Dividing by the standard deviation looks like the cure and is half of the harm. After it
# the far row has entries of at most $\sqrt{n}=17.3$: with six columns $\rho^2$ is up to 1800, and $\eta$ would have to
# be below about 0.006. And the 299 others have a standard deviation far below 1: of one value at $10^6$ in 1000, the
# others keep $3\cdot10^{-5}$. The loss on ordinary rows after 150 steps, over 10 seeds:
#
# | scaling | loss |
# | --- | --- |
# | none | 1e12 to 6e23 |
# | mean and standard deviation | 7e4 to 3e9 |
# | median and quartiles, not bounded | 4e12 to 1e24 |
# | median and quartiles, then bounded at 20 | 0.09 to 3e3 |
# | mean and standard deviation, then bounded at 4 | 0.07 to 5.9 |
# | median and quartiles, then bounded at 4 | 0.01 to 0.2 |
#
# Guessing the mean gives 2.6 to 11. At 20 the far row has $\rho^2$ up to 2400, so the bound has to go with the rate; at
# 6 the loss is 0.01 to 0.9. Two ideas are needed, a ruler that does not give way (Huber 1964, doi
# 10.1214/aoms/1177703732, is where that theory begins) and a bound.
#
# **The classifier.** With cross-entropy the gradient with respect to the logits is $p-\mathrm{onehot}(y)$, with $p$ the softmax.
# It is never longer than $\sqrt2$, and for a row with logits in the thousands it is exactly zero once the row is on its right
# side. A row that is long because it was multiplied stays on the side where the short one was, so a network that is mostly right
# is right about it.
#
# In 100 runs like those of the figure the median was 0.97 with nothing scaled. Eight lost more than 0.03 against the same run
# without the long row, and 3 fell below 0.85: there the row was drawn while the network was still wrong. With mean and standard
# deviation the median of 40 runs was 0.34. Dividing by the standard deviation squeezes 299 good rows for the sake of one that
# mostly harmed nobody. That holds for a right label: with a *wrong* one on that row the largest loss was 6e4 to 3e23 and the
# share 0.59 to 0.98, in 12 seeds of 10 passes.
#
# **The twin, a step that is too large.** Print the largest norm among the rows of the batch where the loss jumps. If it
# is that of any other batch, it is the rate (case 2.4). Clipping the gradient (case 2.5) bounds what one visit does,
# but the row still sets the direction of that step.
#
# **In PyTorch** scale before the tensors are made: sklearn's `RobustScaler` holds median and quartiles, and does not
# bound; add `torch.clamp`. Fit it on the training rows, and save it with the model. Or change the loss:
# `torch.nn.HuberLoss` bounds the error's part of the gradient, not that of $x$.
#
# </details>
