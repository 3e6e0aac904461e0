# %% [markdown]
# ## Case 4.6 · A larger eps, and NaN at the same step
#
# About 12 minutes · difficulty 2 of 5 · 5 points
#
# **The complaint.** A classifier with a layer normalisation is trained with Adam. Three of its 300 rows are padding,
# all zeros. In the first pass over the data the loss becomes `nan`. The advice is to increase eps, and Adam has one:
# $10^{-8}$ becomes $10^{-2}$. The loss is `nan` at the very same step. Elsewhere the same layer, given features far
# from zero, has given `nan` without any padding.
#
# **After this case you can** write the mean and the 1 / std of a normalisation layer so that they hold for constant rows, for
# rows far from zero and in small types, and tell which of a program's many eps mends a division by zero.
#
# In cases 4.4 and 4.5 a number was too large or too small for its type. Here one variance is 0, and rightly so;
# another is not 0, and comes out as 0 or below.
#
# ### The code

# %% fix="nan-layernorm-div0"
def statistics(x, eps=1e-5):
    """The mean of each row of x, and the 1 / std that layer normalisation multiplies by.

    x: array (rows, width) of float64, float32 or float16, finite. eps: 1e-8 to 0.1.
    Returns (mean, inverse_std), both of shape (rows, 1). layer_norm, from the first cell, computes
    (x - mean) * inverse_std * gain + bias, and its way back uses inverse_std too.
    Graded:
    inverse_std is 1 / sqrt(variance + eps), to 1e-3 of itself. The variance of a row is the mean
    of its (x - mean)**2, all numbers counted. The mean is right to 1e-3 of the row's standard
    deviation. Both hold
    - for rows far from zero, with a mean of up to 1e8 times their standard deviation;
    - for rows of any size: up to 6e4 in float16, and 1e30 in float32 and float64.
    Of constant rows, below 1e6 in size, layer_norm makes zeros, to 1e-4.
    x is not changed. Not graded: the type of what is returned, if it can hold the numbers.
    """
    ### BEGIN BROKEN
    # mean = x.mean(axis=1, keepdims=True)
    # variance = (x**2).mean(axis=1, keepdims=True) - mean**2
    # return mean, 1 / np.sqrt(variance)
    ### END BROKEN
    ### BEGIN SOLUTION
    # In float64: the square of a float16, or of a float32 of 1e30, does not fit its own type.
    x = x.astype(float)
    mean = x.mean(axis=1, keepdims=True)
    # First the mean, then the squares: the difference of two means of squares loses the variance in their rounding.
    variance = ((x - mean) ** 2).mean(axis=1, keepdims=True)
    return mean, 1 / np.sqrt(variance + eps)
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** 200 rows of 64 numbers in float32 have a standard deviation of 0.1 around a common
# offset: around 1, 10, 100 and so on. The code takes the variance as $\overline{x^2}-\bar x^2$, with a bar for the
# mean of the row. From which offset on is $1/\mathrm{std}$ wrong by more than a tenth in half of the rows? Write your
# guess as `my_guess`: it is the dotted line in the right panel.


# %% scene="nan-layernorm-div0"
class NormNet:
    """x @ W1, layer normalisation, rectified units, @ W2 + b2, softmax cross-entropy; in float32. statistics: as in the case."""

    def __init__(self, sizes, rng, statistics):
        inputs, width, classes = sizes
        params = [rng.normal(0, np.sqrt(1 / inputs), (inputs, width)), np.ones(width), np.zeros(width)]
        params += [rng.normal(0, np.sqrt(2 / width), (width, classes)), np.zeros(classes)]
        self.params, self.statistics = [param.astype(np.float32) for param in params], statistics

    def loss_and_grads(self, x, y):
        w1, gain, bias, w2, b2 = self.params
        with np.errstate(all="ignore"):
            out, back = layer_norm(x @ w1, gain, bias, self.statistics)
            hidden = np.maximum(out, 0)
            loss, delta = cross_entropy(hidden @ w2 + b2, y)
            d_x, d_gain, d_bias = back(delta @ w2.T * (out > 0))
        grads = [x.T @ d_x, d_gain, d_bias, hidden.T @ delta, delta.sum(axis=0)]
        return loss, [grad.astype(np.float32) for grad in grads]


def adam_updates(eps):
    """An update for `train`: Adam with this eps."""
    means = []

    def update(params, grads, lr):
        if not means:
            means.append([(np.zeros_like(param), np.zeros_like(param)) for param in params])
        t = len(means)
        means.append([(0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2) for (m, v), g in zip(means[-1], grads)])
        corrected = [(m / (1 - 0.9**t), v / (1 - 0.999**t)) for m, v in means[-1]]
        return [(param - lr * m / (np.sqrt(v) + eps)).astype(np.float32) for param, (m, v) in zip(params, corrected)]

    return update


def train_padded(statistics, seed, adam_eps=1e-8, epochs=6):
    """Train on 300 rows of which three are padding, 20 in a batch. Returns the losses."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(300, 8))
    y = (x @ rng.normal(size=(8, 3))).argmax(axis=1)
    x[rng.choice(300, 3, replace=False)] = 0.0
    net = NormNet((8, 32, 3), rng, statistics)
    order = batches(rng, 300, 20, epochs)

    def draw():
        rows = next(order)
        return x[rows].astype(np.float32), y[rows]

    return np.array(train(net, draw, 15 * epochs, lr=0.01, update=adam_updates(adam_eps))["loss"])


def wrong_rows(statistics, offset, rng, rows=200):
    """The share of rows around `offset`, in float32, whose 1 / std is wrong by more than a tenth."""
    x = (offset + 0.1 * rng.normal(size=(rows, 64))).astype(np.float32)
    with np.errstate(all="ignore"):
        got = np.array(statistics(x)[1], dtype=float)
    return float(np.mean(~(np.abs(got * x.std(axis=1, keepdims=True, dtype=float) - 1) < 0.1)))


def show_division(before, now, seed, my_guess):
    """The loss with padded rows, and the share of wrong rows by their offset, for both functions."""
    fig, (left, right) = figure(2, height=3.4)
    offsets = np.array([1, 3, 10, 30, 100, 200, 300, 500, 1000, 3000, 1e4, 1e5])
    told = []
    for label, function, style in zip(("as complained about", "your code"), (before, now), (BROKEN, MENDED)):
        losses = {eps: train_padded(function, seed, eps) for eps in (1e-8, 1e-2)}
        is_number = np.isfinite(losses[1e-8])
        good = len(is_number) if is_number.all() else int(np.argmin(is_number))
        left.plot(np.arange(good), losses[1e-8][:good], label=label, **style)
        if good < len(is_number):
            marker, look = ("o", dict(markersize=14, markerfacecolor="none")) if function is now else ("X", dict(markersize=8))
            left.plot([good - 1], [losses[1e-8][good - 1]], marker, color=style["color"], zorder=4, **look)
        shares = [wrong_rows(function, offset, np.random.default_rng(seed)) for offset in offsets]
        right.plot(offsets, shares, label=label, **style)
        for eps, curve in losses.items():
            is_number = np.isfinite(curve)
            course = "a number at all steps" if is_number.all() else f"not a number from step {np.argmin(is_number)} on"
            told.append(f"{label}, Adam's eps {eps:g}: the loss is {course}")
        half = offsets[np.array(shares) > 0.5]
        told.append(f"{label}: half of the rows are wrong " + (f"from an offset of {half[0]:.0f} on" if len(half) else "nowhere"))
    left.set(xlabel="step", ylabel="loss with three rows of padding (nats)", xlim=(-3, 93), ylim=(0, None))
    left.legend(frameon=False, fontsize="small", loc="upper right")
    right.axvline(my_guess, color="#444444", linestyle=":", linewidth=1.5)
    place = dict(xytext=(-4, 0), textcoords="offset points", ha="right", va="center", rotation=90, fontsize="small")
    right.annotate("your guess", (my_guess, 0.5), **place)
    right.set(xlabel="offset of the rows (units of x; the std is 0.1)", ylabel="share of rows with a wrong 1 / std", xscale="log")
    caption = "Left: training with three rows of padding; after a cross or a ring the loss is nan. Right: rows far from zero."
    show(fig, caption, "Two panels. " + "; ".join(told) + ".")
    print("\n".join(f"{line}." for line in told))


# %% run="nan-layernorm-div0"
my_guess = 1e4  # the offset from which on half of the rows are wrong

show_division(broken.statistics, statistics, seed=0, my_guess=my_guess)


# %% check="nan-layernorm-div0" points=5
def statistics_on(x, eps, what, call, turns=None):
    """Both statistics are right. turns: in words, the inverse_std that comes out, or a function of it."""
    given = x.copy()
    got = statistics(given, eps)
    is_pair = isinstance(got, (tuple, list)) and len(got) == 2 and got[0] is not None and got[1] is not None
    check.that(is_pair, what="the result is (mean, inverse_std)", call=call, got=got)
    mean, inverse = (np.array(part, dtype=float) for part in got)
    for name, part in (("mean", mean), ("inverse_std", inverse)):
        kept = {"the mean is taken down the columns, or keepdims=True is missing": True}
        shape = (len(x), 1)
        check.that(part.shape == shape, what=f"{name} is (rows, 1)", call=call, expected=shape, got=part.shape, turns=kept)
    wide = np.asarray(x, dtype=np.longdouble)
    want_mean = wide.mean(axis=1, keepdims=True)
    variance = ((wide - want_mean) ** 2).mean(axis=1, keepdims=True)
    want = np.asarray(1 / np.sqrt(variance + np.longdouble(eps)), dtype=float)
    width, std = x.shape[1], np.sqrt(np.asarray(variance, dtype=np.longdouble))
    beliefs = {
        "eps is added to the std, after the root: then a constant row is multiplied by 1 / eps": 1 / (std + eps),
        "eps is left out": 1 / np.sqrt(np.maximum(variance, 1e-300)),
        "eps bounds the variance from below, and is not added": 1 / np.sqrt(np.maximum(variance, eps)),
        "eps bounds the std from below: then a constant row is multiplied by 1 / eps": 1 / np.maximum(std, eps),
        "the sum of squares is divided by width - 1": 1 / np.sqrt(variance * width / (width - 1) + eps),
        "1e-5 stands where eps is meant": 1 / np.sqrt(variance + 1e-5),
        "the std is returned, and not 1 over it": np.sqrt(variance + eps),
        "1 over the variance is returned": 1 / (variance + eps),
    }
    is_it = {words: bool(turn(inverse)) for words, turn in (turns or {}).items()}
    is_it |= {words: np.allclose(inverse, np.asarray(other, dtype=float), rtol=1e-3) for words, other in beliefs.items()}
    is_it["something is divided by zero, or a root is taken of a negative number"] = not np.isfinite(inverse).all()
    near = np.all(np.abs(inverse - want) <= 1e-3 * want)
    show = [a.ravel()[:4] for a in (want, inverse, np.asarray(want_mean, dtype=float), mean)]
    check.that(near, what=f"{what}: inverse_std", call=call, expected=show[0], got=show[1], turns=is_it)
    near = np.all(np.abs(mean - want_mean) <= 1e-3 * std)
    rounded = {"the mean is rounded to float32 or float16: what is left of x - mean is that rounding": True}
    check.that(near, what=f"{what}: mean", call=call, expected=show[2], got=show[3], turns=rounded)
    check.that(np.array_equal(given, x), what="x is not changed", call=call, turns={"it works in place": True})


def check_constant_rows(values, width, dtype, eps):
    """layer_norm makes zeros of constant rows, and they are multiplied by 1 / sqrt(eps)."""
    x = np.repeat(np.array(values, dtype=dtype)[:, None], width, axis=1)
    call = f"statistics of constant rows of {', '.join(f'{v:g}' for v in values)} in {dtype.__name__}, eps={eps:g}"
    inverse = []

    def kept(rows):
        mean, inverse_std = statistics(rows, eps)
        inverse.append(np.array(inverse_std, dtype=float))
        return mean, inverse_std

    out = np.array(layer_norm(x.copy(), np.ones(width), np.zeros(width), kept)[0], dtype=float)
    check.that(
        np.isfinite(out).all(),
        what="a constant row makes finite numbers",
        call=call,
        got=out[:, 0],
        turns={"something is divided by zero, or a root is taken of a negative number": True},
    )
    far = np.abs(out).max()
    rounded = {"the mean is rounded in the type of x, and the rest is multiplied by a large number": True}
    what = "layer_norm makes zeros of a constant row"
    check.that(far < 1e-4, what=what, call=call, expected="below 1e-4", got=float(far), turns=rounded)
    want = np.full((len(x), 1), 1 / np.sqrt(eps))
    check.close(inverse[0], want, rtol=1e-3, what="the variance of a constant row is 0: inverse_std", call=call)


def check_statistics_on(seed, width, eps):
    rng = np.random.default_rng(seed)
    unit = rng.normal(size=(6, width))
    gone = "the variance is the difference of two means of squares, or the mean is rounded: their digits are gone"
    one_pass = {gone: lambda inverse: True}
    squares = {"a square does not fit the type of x: it is inf, and 1 over it 0": lambda inverse: np.any(inverse == 0)}
    statistics_on(unit, eps, "ordinary rows", f"statistics(x, {eps:g}), numbers of size 1")
    spread = unit * np.array([1, 0.3, 0.1, 0.03, 0.01, 0.001])[:, None]
    statistics_on(spread, 0.01, "eps is added to the variance", "statistics(x, 0.01), rows with a std from 1 to 0.001")
    # The rows differ in every entry: a mean of 1e8 times the spread is kept in float64.
    for dtype, far in ((np.float32, 1e3), (np.float32, 2e5), (np.float64, 1e7)):
        call = f"statistics(x, {eps:g}), {far:g} + numbers of size 0.1, {dtype.__name__}"
        statistics_on((far + 0.1 * unit).astype(dtype), eps, "rows far from zero", call, one_pass)
    for dtype, size in ((np.float16, 2e4), (np.float32, 1e29), (np.float64, 1e29)):
        call = f"statistics(x, {eps:g}), numbers of size {size:g}, {dtype.__name__}"
        statistics_on((size * np.clip(unit, -2.5, 2.5)).astype(dtype), eps, "large rows", call, squares)
    statistics_on((1e-30 * unit).astype(np.float32), eps, "tiny rows", f"statistics(x, {eps:g}), numbers of size 1e-30")
    statistics_on(np.zeros((2, width)), eps, "rows of zeros", f"statistics(zeros, {eps:g})")
    check_constant_rows([0.0, 3.0, -0.1], width, np.float32, eps)
    check_constant_rows([16777.217, 0.3, 654321.0], width, np.float32, eps)
    check_constant_rows([1e5 / 3, 0.7], width, float, eps)


def check_division():
    check_statistics_on(seed=46, width=50, eps=1e-5)


check.run(check_division)


### BEGIN HIDDEN TESTS
def check_division_elsewhere():
    rng = check.hidden_rng(46)
    for width in rng.integers([40, 150], [80, 400]):
        check_statistics_on(int(rng.integers(2**31)), int(width), 10.0 ** rng.uniform(-6, -2.5))
    for dtype, largest in ((np.float32, 4), (np.float64, 7)):  # of the mean, in units of the std, as a power of ten
        eps, width, size = 10.0 ** rng.uniform(-7, -2), int(rng.integers(20, 200)), 10.0 ** rng.uniform(-3, 3)
        far = 10.0 ** rng.uniform(2, largest, (5, 1)) * rng.choice([-1, 1], (5, 1))
        x = (size * (far + rng.normal(size=(5, width)))).astype(dtype)
        statistics_on(x, eps, "rows far from zero", f"statistics(x, {eps:.2g}), rows at {size:.2g} times {far[:, 0]}")
        values = rng.choice([-1, 1], 4) * 10.0 ** rng.uniform(-3, 5.9, 4)
        check_constant_rows(values, width, dtype, eps)


check.run(check_division_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# Call the function with a row of zeros, then with `np.float32([[1000.1, 1000.2, 1000.3]])`, and print the variance
# before its root. What should it be in either?
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# Two things. A variance of zero is nobody's mistake, and is divided by. And a variance that is not zero is lost. The mean of
# squares is $10^6$ and more, float32 has seven digits, and what is left of the difference can be zero or below.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# In a type that holds the squares, and the digits of the mean: take the mean off first, then square, then take the
# mean of that. Add eps to the variance, under the root.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *NaN Loss: Division by zero. In normalization layers.*
#
# A row $x$ of width $d$, with mean $\mu$, is mapped to
#
# $$\frac{x-\mu}{\sqrt{\sigma^2+\epsilon}},\qquad \sigma^2=\frac1d\sum_{i=1}^{d}(x_i-\mu)^2$$
#
# with $\epsilon$ for eps (Ba et al. 2016, arXiv 1607.06450). A constant row has $\sigma^2=0$, and without $\epsilon$ this
# is $0/0$. Padding is such a row, so are the units of a layer that are all cut to zero. With $\epsilon$ under the root it becomes
# zeros, and its gradient is multiplied by $1/\sqrt\epsilon$, 316 at $10^{-5}$. With $\epsilon$ beside the root that would be
# $10^5$: no `nan`, but an explosion.
#
# **When the advice misleads.** *Fix: Add epsilon (increase Adam eps).* The first two words are right, the bracket is
# not. Adam divides by the root of its mean square *after* the loss and all gradients have been computed. The `nan` is
# in the loss already, and $\mathrm{nan}/(\mathrm{nan}+10^{-2})$ is `nan`. In the run of the figure both values of it
# end at the same step. A program has many eps. Look for the one in the division.
#
# **The negative variance.** $\overline{x^2}-\bar x^2$ is the same on paper. In float32 a relative error of $6\cdot10^{-8}$ of an
# $x^2$ of $10^8$ is 6. Of 200 rows around $10^4$ with a variance of 0.01 about three in ten came out *below* zero, down to $-24$.
# `eps` hides that in some rows and not in others. The two passes cost a second look at the row; the recurrence of Welford 1962
# (doi 10.1080/00401706.1962.10490022) does it in one.
#
# **The twin.** A batch with one row in it has a variance of zero in *batch* normalisation: then every column is
# constant, and with eps all of the output is zero. No `nan` tells you.
#
# **In PyTorch** `torch.nn.LayerNorm` has `eps=1e-5`, under the root. Under float16 autocast it computes in float32.
#
# </details>
