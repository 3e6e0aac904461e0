# %% [markdown]
# ## Case 4.4 · Divided by five it is still NaN, divided by twenty it is another model
#
# About 15 minutes · difficulty 2 of 5 · 5 points
#
# **The complaint.** A finished classifier, all 300 rows right, is moved to float32 to go on training. Its logits
# differ by ten or twenty in a row, and all of them lie near 1000. The loss is `nan` at the first step. The advice is
# to divide the logits by a temperature. With 5 the loss is still `nan`. With 20 it is a number, 0.86, where this
# model had 0.017. Gradient clipping, the other advice, changes nothing at all.
#
# **After this case you can** write a softmax that stands any finite logits and masked ones, in each type of float,
# and say why neither a temperature nor clipping is a cure.
#
# ### The code

# %% fix="nan-softmax-overflow"
def probabilities(logits, temperature=1.0):
    """The softmax of logits / temperature, row by row.

    logits: array (n, classes) of float64, float32 or float16. temperature: 0.01 to 100.
    Graded:
    Entry j of a row is exp(logit_j / temperature) over the sum of the same for all classes of its
    row, right to 1e-4 of itself where it is above 1e-6. That holds in all three types, and for all
    finite logits of either sign up to 1e30.
    A logit of -inf is a masked class. It gets 0, the others of its row share the 1.
    A row in which all logits are -inf leaves nothing to choose from: it becomes zeros.
    A nan or +inf anywhere in the logits raises ValueError: something before this is broken.
    logits are not changed. Not graded: whether the result is float64 or float32.
    """
    ### BEGIN BROKEN
    # powers = np.exp(logits / np.float32(temperature))
    # return powers / powers.sum(axis=1, keepdims=True)
    ### END BROKEN
    ### BEGIN SOLUTION
    # In float64: float16 has three digits, and divided by a small temperature it overflows.
    logits = np.array(logits, dtype=float)
    if np.isnan(logits).any() or (logits == np.inf).any():
        raise ValueError("a logit is nan or inf: this softmax is not where it began")
    top = logits.max(axis=1, keepdims=True)
    top[top == -np.inf] = 0.0
    powers = np.exp((logits - top) / temperature)
    total = powers.sum(axis=1, keepdims=True)
    return powers / np.where(total > 0, total, 1.0)
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** The largest number of float32 is $3.4\cdot10^{38}$, and the logits are near 1000. From
# which temperature on is the loss a number? Write your guess as `my_guess`: it is the dotted line in the right panel.


# %% scene="nan-softmax-overflow"
class SoftmaxNet(MLP):
    """An MLP in float32 whose loss is built on `probabilities(logits, temperature)`."""

    probabilities, temperature = staticmethod(softmax), 1.0

    def loss_and_grads(self, x, y):
        """Mean cross-entropy in nats, and its gradient like `params`."""
        logits, kept = self.forward(x)
        with np.errstate(all="ignore"):
            p = np.array(self.probabilities(logits, self.temperature), dtype=np.float32)
            loss = float(-np.log(p[np.arange(len(y)), y]).mean())
        delta = (p - np.eye(p.shape[1], dtype=np.float32)[y]) / np.float32(len(y) * self.temperature)
        return loss, self.backward(delta, kept)


def high_net(seed):
    """A network that has learned its spirals, in float32, with 1000 added to all its logits. Returns it, x and y."""
    rng = np.random.default_rng(seed)
    x, y = spirals(rng, points=100)
    net = SoftmaxNet((2, 32, 32, 3), rng)
    net.probabilities = lambda logits, temperature: softmax(logits)
    train(net, lambda: (x, y), steps=300, lr=0.5)
    net.params = [param.astype(np.float32) for param in net.params]
    net.params[-1] += np.float32(1000)
    return net, x.astype(np.float32), y


def go_on(probabilities, seed, temperature=1.0, steps=40, max_norm=None):
    """Go on training the high network. max_norm: the gradients are clipped to this norm. Returns the History."""
    net, x, y = high_net(seed)
    net.probabilities, net.temperature = probabilities, temperature

    def clipped(params, grads, lr):
        factor = 1.0 if max_norm is None else np.minimum(1.0, max_norm / global_norm(grads))
        return [(param - lr * factor * grad).astype(np.float32) for param, grad in zip(params, grads)]

    return train(net, lambda: (x, y), steps, lr=0.1, update=clipped)


def losses_by_temperature(probabilities, seed, temperatures):
    """The loss of the high network, not trained further, at each temperature."""
    net, x, y = high_net(seed)
    net.probabilities = probabilities
    losses = []
    for temperature in temperatures:
        net.temperature = temperature
        losses.append(net.loss_and_grads(x, y)[0])
    return np.array(losses)


def show_overflow(before, now, seed, my_guess):
    """The loss as training goes on, and of the finished network by temperature, for both functions."""
    fig, (left, right) = figure(2, height=3.4)
    temperatures = np.geomspace(1, 50, 60)
    told = []
    for label, function, style, marker in zip(("as complained about", "your code"), (before, now), (BROKEN, MENDED), "Xo"):
        losses = np.array(go_on(function, seed)["loss"])
        by_temperature = losses_by_temperature(function, seed, temperatures)
        for ax, across, values, every in ((left, np.arange(40), losses, 4), (right, temperatures, by_temperature, 4)):
            is_number = np.isfinite(values)
            ax.plot(across, np.where(is_number, values, np.nan), label=label, **style)
            gone = across[~is_number][::every]
            face = "none" if marker == "o" else style["color"]
            at_top = dict(color=style["color"], markersize=6 if marker == "X" else 11, markerfacecolor=face)
            ax.plot(gone, np.full(len(gone), 1.08), marker, linestyle="none", **at_top)
        begin = f"a number from a temperature of {temperatures[np.isfinite(by_temperature)][0]:.0f} on"
        course = f"{losses[0]:.2g} at the first step" if np.isfinite(losses[0]) else "not a number from the first step"
        at_20 = by_temperature[np.abs(temperatures - 20).argmin()]
        told.append(f"{label}: as training goes on the loss is {course}; by temperature it is {begin}, and {at_20:.2f} at 20")
    left.set(xlabel="step of further training", ylabel="loss (nats)", xlim=(-2, 41), ylim=(-0.05, 1.15))
    right.set(xlabel="temperature", ylabel="loss of the finished network (nats)", ylim=(-0.05, 1.15), xscale="log")
    right.set_xticks([1, 2, 5, 10, 20, 50], ["1", "2", "5", "10", "20", "50"])
    right.axvline(my_guess, color="#444444", linestyle=":", linewidth=1.5)
    place = dict(xycoords=("data", "axes fraction"), xytext=(-4, 0), textcoords="offset points", ha="right", rotation=90)
    right.annotate("your guess", (my_guess, 0.6), fontsize="small", **place)
    left.legend(frameon=False, fontsize="small", loc="center right")
    caption = "A finished network with logits near 1000, in float32. A mark at the top: the loss there is not a number."
    show(fig, caption, "Two panels. " + "; ".join(told) + ".")
    print("\n".join(f"{line}." for line in told))
    is_nan = np.isnan(go_on(before, seed, max_norm=1.0)["loss"]).all()
    print(f"As complained about, with the gradients clipped to a norm of 1: {'nan' if is_nan else 'a number'} at every step.")


# %% run="nan-softmax-overflow" atlas="2"
my_guess = 7.0  # the temperature from which on the loss is a number

show_overflow(broken.probabilities, probabilities, seed=0, my_guess=my_guess)


# %% check="nan-softmax-overflow" points=5
def softmax_of(rows, temperature, dtype, what, turns=None, want=None, call=None):
    """probabilities(rows, temperature) is right. The reference subtracts each row's maximum, in longdouble."""
    logits = np.array(rows, dtype=dtype)
    call = call or f"probabilities({rows}, {temperature:g}) in {dtype.__name__}"
    given = logits.copy()
    got = probabilities(given, temperature)
    is_table = isinstance(got, (np.ndarray, list, tuple)) and np.shape(got) == logits.shape
    check.that(is_table, what="the result is an array like logits", call=call, got=None if got is None else np.shape(got))
    if want is None:
        wide = np.asarray(logits, dtype=np.longdouble)
        with np.errstate(all="ignore"):
            want = np.exp((wide - wide.max(axis=1, keepdims=True)) / temperature)
            want = np.asarray(want / want.sum(axis=1, keepdims=True), dtype=float)
    got = np.array(got, dtype=float)
    told = {**(turns or {}), "a power has overflowed, and inf is divided by inf": np.isnan(got).any()}
    check.that(
        np.all(np.abs(got - want) <= 1e-4 * want + 1e-7),
        what=what,
        call=call,
        expected=want if want.size < 13 else want[0, :4],
        got=got if got.size < 13 else got[0, :4],
        turns={words: is_it(got) if callable(is_it) else is_it for words, is_it in told.items()},
    )
    unchanged = np.array_equal(given, logits, equal_nan=True)
    check.that(unchanged, what="logits are not changed: the caller needs them", call=call, turns={"it works in place": True})


def comes_to(*values):
    """Whether the first entries of a result are these numbers."""
    return lambda got: np.allclose(got.ravel()[: len(values)], values, atol=2e-3)


def refuses_logits(value, dtype):
    """probabilities raises ValueError where one logit is `value`."""
    logits = np.array([[1.0, 2.0, 0.0], [0.5, value, 3.0]], dtype=dtype)
    call = f"probabilities([[1, 2, 0], [0.5, {value}, 3]])"
    try:
        got = probabilities(logits, 1.0)
    except ValueError:
        return
    check.that(got is not None, what=f"a logit of {value} raises ValueError", call=call, got=got)
    got = np.array(got, dtype=float)
    turns = {
        "what is not a number is replaced by one, and the fault goes on unseen": np.isfinite(got).all(),
        "it is handed on: then the loss tells it later, and not where": True,
    }
    check.that(False, what=f"a logit of {value} raises ValueError", call=call, got=got, turns=turns)


def check_softmax_overflow():
    inf, high = np.inf, [[1000, 999, 990]]
    turns = {"a temperature stands in it that nobody asked for": lambda got: 0.33 < got.max() < 0.5}
    softmax_of([[2, 1, -1]], 1, np.float64, "small logits give what they always gave", turns)
    turns = {
        "a temperature of 20 is put in: it stops the overflow, and it is another model": comes_to(0.391, 0.372),
        "the logits are cut off at a bound: they differed by 1, now they are equal": comes_to(1 / 3, 1 / 3, 1 / 3),
        "nan is replaced by a number after the overflow": lambda got: np.isfinite(got).all() and not np.isclose(got.sum(), 1),
    }
    softmax_of(high, 1, np.float32, "only the differences of the logits count, and not their height", turns)
    softmax_of(high, 5, np.float32, "a temperature of 5")
    turns = {"the temperature is multiplied": comes_to(0.622, 0.378), "the temperature is left out": comes_to(0.731, 0.269)}
    softmax_of(high, 0.5, np.float64, "a temperature of 0.5", turns)
    turns = {"one maximum is taken off all rows: the lower rows have nothing left": lambda got: not np.isclose(got[1].sum(), 1)}
    softmax_of([[1000, 998], [-1000, -999], [0, 1]], 1, np.float32, "each row has its own height", turns)
    turns = {
        "the mean is taken off, and not the largest: what is above the mean still overflows": lambda got: np.isnan(got[0]).any(),
        "very low logits are taken for masks, or cut off": lambda got: not np.allclose(got[1], [1, 0, 0, 0]),
    }
    apart = [[1e30, -1e30, 1e30, 0], [-1e30, -3e30, -2e30, -3e30]]
    softmax_of(apart, 1, np.float64, "1e30 is finite, and stays so", turns)
    for dtype, belief in (
        (np.float32, "logits are divided first, in float32: the digits in which they differ are gone"),
        (np.float64, "float64 is made float32: the digits in which the logits differ are gone"),
    ):
        turns = {belief: lambda got: np.isfinite(got).all()}
        softmax_of([[9000.01, 9000, -9000]], 0.01, dtype, "a small temperature", turns)

    softmax_of([[2, -inf, 1], [-inf, -inf, 700]], 1, np.float32, "a masked class gets 0")
    turns = {"-inf is replaced by a number such as -1e9: here that is the highest logit": lambda got: got[0, 0] > 0}
    softmax_of([[-inf, -2000000000, -2000000001]], 1, np.float64, "a masked class gets 0 beside very low ones", turns)
    empty, want, what = (
        [[-inf, -inf, -inf], [0, 0, -inf]],
        [[0, 0, 0], [0.5, 0.5, 0]],
        "a row with every class masked becomes zeros",
    )
    turns = {
        "-inf less -inf is computed: that is nan": lambda got: np.isnan(got[0]).any(),
        "an all-masked row gets equal shares: it chooses among what was forbidden": lambda got: got[0].sum() > 0.9,
    }
    try:
        softmax_of(empty, 1, np.float32, what, turns, want=np.array(want))
    except ValueError:
        turns = {"-inf, a mask, is taken for a fault": True}
        check.that(False, what=what, call=f"probabilities({empty})", got="ValueError", turns=turns)
    for value in (np.nan, inf):
        refuses_logits(value, np.float32)
    check_softmax_half(6000, 0.01)
    check.close(
        probabilities(np.array([[1.0, 0.0]])),
        [[0.7310586, 0.2689414]],
        rtol=1e-4,
        what="the temperature is 1 where the caller gives none",
        call="probabilities([[1, 0]])",
    )


def check_softmax_half(height, temperature):
    """float16: logits that overflow when they are divided, and probabilities that want more than three digits."""
    turns = {"the division is done in float16: beyond 65504 that is inf": lambda got: np.isnan(got).any()}
    softmax_of([[height, height - 4, 0]], temperature, np.float16, "a small temperature in float16", turns)
    turns = {"the powers or their sum are kept in float16, which has three digits": True}
    softmax_of([[3, 2.5, 1.75]], 1, np.float16, "a result with four digits or more", turns)


check.run(check_softmax_overflow)


### BEGIN HIDDEN TESTS
def check_softmax_overflow_elsewhere():
    rng = check.hidden_rng(44)
    for dtype in (np.float64, np.float32, np.float16):
        for temperature in (0.01, float(rng.uniform(0.3, 0.9)), float(rng.uniform(2, 9)), 100.0):
            rows, classes, height = int(rng.integers(10, 25)), int(rng.integers(4, 10)), rng.uniform(5000, 20000)
            logits = rng.normal(size=(rows, classes)) * temperature * 3 + height * rng.choice([-1, 0, 1], (rows, 1))
            logits = logits.astype(dtype)
            logits[rng.random(logits.shape) < 0.3] = -np.inf
            logits[rng.integers(rows)] = -np.inf
            want = np.zeros(logits.shape)
            for i, row in enumerate(np.asarray(logits, dtype=float)):
                open_classes = np.isfinite(row)
                if open_classes.any():
                    e = np.exp((row[open_classes] - row[open_classes].max()) / temperature)
                    want[i, open_classes] = e / e.sum()
            call = f"probabilities(logits, {temperature:g}), {rows} rows of {dtype.__name__}"
            softmax_of(logits, temperature, dtype, "masks, heights and temperatures together", want=want, call=call)
    for value in (np.nan, np.inf):
        for dtype in (np.float64, np.float16):
            logits = rng.normal(size=rng.integers(2, 9, 2)).astype(dtype)
            logits.flat[rng.integers(logits.size)] = value
            try:
                got = np.array(probabilities(logits, float(rng.uniform(0.5, 2))), dtype=float)
            except ValueError:
                continue
            check.that(False, what="a nan or +inf anywhere in the logits raises ValueError", got=got)
    # In float16 these are whole multiples of 4, and divided by the temperature beyond 65504.
    check_softmax_half(4 * int(rng.integers(1100, 2000)), float(rng.uniform(0.01, 0.06)))


check.run(check_softmax_overflow_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# Compute `np.exp(np.float32(89))`, then the quotient of two such numbers. For the probabilities of the logits 1000,
# 999 and 990, do the logits have to be known, or something between them?
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# A number added to all logits of a row cancels in the quotient, but not before the powers have been formed. Each row
# may have any number taken off it. One choice makes the largest power exactly 1.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Take off each row's maximum, in a type wide enough, and only then divide by the temperature. Look at what a row of
# nothing but `-inf` has for a maximum, and at what is then taken off. Refuse `nan` and `+inf` before all that.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *NaN Loss: Numerical overflow. Large logits in softmax.*
#
# With logits $z_j$, a temperature $T$ and any number $c$,
#
# $$p_j=\frac{e^{z_j/T}}{\sum_k e^{z_k/T}}=\frac{e^{(z_j-c)/T}}{\sum_k e^{(z_k-c)/T}}.$$
#
# With $c=\max_k z_k$ no power is above 1, and the sum is at least 1: nothing overflows, and nothing is divided by
# zero. What underflows is a probability too small to matter. The error of both forms has been worked out
# (Blanchard et al. 2021, doi 10.1093/imanum/draa038).
#
# **When the advice misleads.** *Fix: Temperature scaling, gradient clipping.* The power of $1000/T$ fits into float32
# when $1000/T<88.7$, which begins at $T=11.3$. With $T=5$ it is `nan`; with $T=20$ the loss of this model goes from
# 0.017 to 0.86, where guessing has 1.10. Its answers are in the same order, but it is no longer sure of any.
# Temperature belongs to sampling and calibration, and there it is chosen for what it does to the probabilities.
#
# Clipping comes too late: the loss and the gradient are `nan` before it. The norm of such a gradient is `nan`, and so is the
# factor it gives. Where a guard skips such steps (case 8 of stage 2), this run never takes one.
#
# **Why they lie at 1000.** The gradient of the loss to the logits of a row sums to zero, so that no step sees their
# common height. Large language models have been given a small penalty on $\log^2\sum_k e^{z_k}$ to hold it, for the
# stability of training (Chowdhery et al. 2022, arXiv 2204.02311).
#
# **The twin.** The logarithm of a probability that has become 0 gives `inf`, and not `nan`: case 4.5.
#
# **In PyTorch** `torch.softmax` takes off the maximum. An all-masked row gives `nan` there, and attention code has to
# look after it. Nor does it refuse a logit that is `nan` or `inf`: its whole row becomes `nan`, and nothing raises.
#
# </details>
