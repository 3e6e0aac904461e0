# %% [markdown]
# ## Case 4.5 · With 1e-8 added the loss is a number, and the run stands still
#
# About 12 minutes · difficulty 2 of 5 · 5 points
#
# **The complaint.** A linear model with one logit says whether a row has a tag. Its features are in millimetres, it
# computes in float32, and at the second step the loss is not a number. The advice is to add 1e-8 inside the
# logarithm. Now the loss is a number from the first step to the last. It is also the same number from the second step
# to the last, and one row in seven is wrong.
#
# **After this case you can** write a loss and its gradient from the logits, right even for a row that is wrong by 200 nats, and
# refuse what is no logit or no target.
#
# In case 4.4 the probabilities came out as `nan`. Here they come out as 0 and 1, which is as near as float32 can say,
# and of no use to the logarithm.
#
# ### The code

# %% fix="nan-log-zero"
def tag_loss(logits, targets):
    """Binary cross-entropy from logits, and its gradient.

    logits: float64 or float32 array, (n,) or (n, tags). targets: an array of the same shape, 1
    where the tag is there and 0 where not; what lies between, such as 0.9, is a target too.
    Returns (loss, grad). With p = 1 / (1 + exp(-logit)):
    loss: the mean over all entries of -(target * log(p) + (1 - target) * log(1 - p)), in nats.
    grad: the gradient of that mean with respect to each logit, an array shaped like logits.
    Graded: both, to 1e-5 of the right number or to 1e-7, for logits up to 1e6 in size.
    ValueError is raised
    - where logits and targets differ in shape, such as (n, 1) and (n,);
    - for a nan or an inf in either;
    - for a target below 0 or above 1.
    logits and targets are not changed.
    """
    ### BEGIN BROKEN
    # p = 1 / (1 + np.exp(-logits))
    # loss = -np.mean(targets * np.log(p) + (1 - targets) * np.log(1 - p))
    # d_loss_d_p = -(targets / p - (1 - targets) / (1 - p)) / p.size
    # return loss, d_loss_d_p * p * (1 - p)  # the chain rule, as a framework applies it
    ### END BROKEN
    ### BEGIN SOLUTION
    logits, targets = np.asarray(logits, dtype=float), np.asarray(targets, dtype=float)
    if logits.shape != targets.shape:
        raise ValueError(f"logits have the shape {logits.shape}, targets {targets.shape}")
    if not (np.isfinite(logits).all() and np.isfinite(targets).all()):
        raise ValueError("a logit or a target is not finite")
    if targets.min() < 0 or targets.max() > 1:
        raise ValueError("a target is the probability of a tag, from 0 to 1")
    # -log(p) = log(1 + exp(-logit)) and -log(1 - p) = log(1 + exp(logit)): no probability is formed.
    loss = np.mean(np.logaddexp(0, logits) - targets * logits)
    p = np.exp(-np.logaddexp(0, -logits))
    return float(loss), (p - targets) / logits.size
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** One row has the logit $-200$ and the tag is there, so its target is 1: it is wrong
# by 200 nats. With $\log(p+10^{-8})$ for $\log p$, what is its loss? Write your guess as `my_guess`: it is the dotted
# line in the left panel. And what does raising the logit by 1 do to that loss?


# %% scene="nan-log-zero"
def with_epsilon(logits, targets):
    """What the advice makes of the code: eps inside both logarithms, and the gradient of just that."""
    eps = np.float32(1e-8)
    p = 1 / (1 + np.exp(-logits))
    loss = -np.mean(targets * np.log(p + eps) + (1 - targets) * np.log(1 - p + eps))
    return loss, -(targets / (p + eps) - (1 - targets) / (1 - p + eps)) * p * (1 - p) / p.size


class TagModel:
    """One logit a row, x @ w, in float32, with the loss that is given. `right` keeps the share of right rows by step."""

    def __init__(self, tag_loss, features):
        self.tag_loss, self.right = tag_loss, []
        self.params = [np.zeros(features, dtype=np.float32)]

    def loss_and_grads(self, x, y):
        logits = x @ self.params[0]
        self.right.append(np.mean((logits > 0) == (y > 0.5)))
        with np.errstate(all="ignore"):
            loss, d_logits = self.tag_loss(logits, y)
        return loss, [(x.T @ d_logits).astype(np.float32)]


def fit_tags(tag_loss, seed, steps=100):
    """Fit 200 rows of five correlated features, in millimetres. Returns the losses and the shares of right rows by step."""
    rng = np.random.default_rng(seed)
    x = 1000 * rng.normal(size=(200, 5)) @ rng.normal(size=(5, 5))
    y = (x @ rng.normal(size=5) > 0).astype(np.float32)
    x = x.astype(np.float32)
    model = TagModel(tag_loss, 5)
    losses = train(model, lambda: (x, y), steps, lr=0.01)["loss"]
    return np.array(losses), np.array(model.right)


def row_of_tag(tag_loss, logit):
    """The loss, and its derivative, of one row whose tag is there."""
    with np.errstate(all="ignore"):
        loss, grad = tag_loss(np.array([logit], dtype=np.float32), np.ones(1, dtype=np.float32))
    return float(loss), float(np.ravel(grad)[0])


def show_tags(before, now, seed, my_guess):
    """The loss of one row by its logit, and three runs: as complained about, with 1e-8, and your code."""
    fig, (left, right) = figure(2, height=3.4)
    logits = np.linspace(-220, 40, 131)
    looks = (BROKEN, dict(color="#444444", linestyle="-.", linewidth=1.8, zorder=4), MENDED)
    told = []
    labels = "as complained about", "with 1e-8 added", "your code"
    for label, function, style in zip(labels, (before, with_epsilon, now), looks):
        by_logit = np.array([row_of_tag(function, logit)[0] for logit in logits])
        left.plot(logits, np.where(np.isfinite(by_logit), by_logit, np.nan), label=label, **style)
        losses, shares = fit_tags(function, seed)
        is_number = np.isfinite(losses)
        good = len(losses) if is_number.all() else int(np.argmin(is_number))
        right.plot(np.arange(good), shares[:good], label=label, **style)
        if good < len(losses):
            marker, look = ("o", dict(markersize=14, markerfacecolor="none")) if function is now else ("X", dict(markersize=8))
            right.plot([good - 1], [shares[good - 1]], marker, color=style["color"], zorder=5, **look)
        at_200, slope = row_of_tag(function, -200.0)
        course = f"ends with {shares[-1]:.0%} right" if is_number.all() else f"has no finite loss at step {good}"
        told.append(f"{label}: at a logit of -200 the loss is {at_200:.3g}, its derivative {slope + 0.0:.3g}; the run {course}")
    mark_guess(left, my_guess)
    left.set(xlabel="logit of a row whose tag is there", ylabel="its loss (nats)", ylim=(-8, 228))
    right.set(xlabel="step", ylabel="share of rows that are right", ylim=(0.4, 1.04))
    right.legend(frameon=False, fontsize="small", loc="lower right")
    caption = "Left: one row; a curve ends where its loss is not finite. Right: runs; after a cross or ring it is not finite."
    show(fig, caption, "Two panels. " + "; ".join(told) + ".")
    print("\n".join(f"{line}." for line in told))
    print(f"Your guess at the loss with 1e-8 added, at a logit of -200: {my_guess:g}.")


# %% run="nan-log-zero" atlas="2"
my_guess = 100  # nats, the loss at a logit of -200 with 1e-8 inside the logarithm

show_tags(broken.tag_loss, tag_loss, seed=1, my_guess=my_guess)


# %% check="nan-log-zero" points=5
def tag_loss_on(logits, targets, what, call, turns=None):
    """tag_loss is right, in loss and gradient. turns: in words, a function of (loss, grad) that says whether it is the one."""
    given = np.array(logits), np.array(targets)
    got = tag_loss(*given)
    is_pair = isinstance(got, (tuple, list)) and len(got) == 2 and np.size(got[0]) == 1 and got[1] is not None
    check.that(is_pair, what="the result is (loss, grad), and the loss is one number", call=call, got=got)
    loss, grad = np.array(got[0], dtype=float).item(), np.array(got[1], dtype=float)
    z, t = np.asarray(logits, dtype=np.longdouble), np.asarray(targets, dtype=np.longdouble)
    want_loss = float(np.mean(np.maximum(z, 0) - t * z + np.log1p(np.exp(-np.abs(z)))))
    sigmoid = np.where(z > 0, 1, np.exp(-np.abs(z))) / (1 + np.exp(-np.abs(z)))
    want_grad = np.asarray((sigmoid - t) / z.size, dtype=float)
    is_it = {words: bool(turn(loss, grad)) for words, turn in (turns or {}).items()}
    is_it["the sum of the rows is returned, and not their mean"] = z.size > 1 and np.isclose(loss, z.size * want_loss, rtol=1e-4)
    is_it["-log(p) is computed, or log(1 + exp) of a large number: it overflows"] = not np.isfinite(loss)
    near = abs(loss - want_loss) <= 1e-5 * abs(want_loss) + 1.5e-7
    check.that(near, what=f"{what}: the loss", call=call, expected=want_loss, got=loss, turns=is_it)
    check.that(grad.shape == z.shape, what="the gradient is shaped like logits", call=call, expected=z.shape, got=grad.shape)
    is_it = {words: bool(turn(loss, grad)) for words, turn in (turns or {}).items()}
    is_it["the gradient goes through p: 1 / p times p is inf times 0"] = not np.isfinite(grad).all()
    is_it["it is the gradient of the sum, and not of the mean"] = z.size > 1 and np.allclose(grad, z.size * want_grad, rtol=1e-4)
    lost = np.abs(grad) < 1e-6 * np.abs(want_grad)
    is_it["a probability near 0 or 1 passes no gradient: p * (1 - p) stands in it"] = lost.any()
    near = np.all(np.abs(grad - want_grad) <= 1e-5 * np.abs(want_grad) + 1.5e-7)
    check.that(near, what=f"{what}: the gradient", call=call, expected=want_grad, got=grad, turns=is_it)
    unchanged = np.array_equal(given[0], logits) and np.array_equal(given[1], targets)
    check.that(unchanged, what="logits and targets are not changed", call=call)


def refuses_tags(logits, targets, what, call, belief):
    """tag_loss raises ValueError. belief: in words, how it comes that it does not."""
    try:
        got = tag_loss(np.array(logits), np.array(targets))
    except ValueError:
        return
    got = "a loss" if not isinstance(got, (tuple, list)) else f"a loss of {got[0]}"
    check.that(False, what=f"ValueError for {what}", call=call, expected="ValueError", got=got, turns={belief: True})


def check_far_rows(far, dtype):
    one, zero = np.ones(1, dtype), np.zeros(1, dtype)
    name = f"tag_loss([{{}}], [{{}}]) in {dtype.__name__}"
    tag_loss_on(
        -far * one,
        one,
        f"a row that is wrong by {far:g} nats",
        name.format(-far, 1),
        {
            "a small number is added to p, or p is kept from 0: -log(1e-8) is 18.4, whatever the logit": (
                lambda loss, grad: np.isclose(loss, 18.42, atol=0.02)
            ),
            "p is kept from 0 by another bound: the loss ends there": lambda loss, grad: 10 < loss < 0.99 * far,
            "nan and inf are replaced by numbers, and the loss is made up": lambda loss, grad: 1e6 < loss < np.inf or loss == 0,
        },
    )
    tag_loss_on(
        far * one,
        zero,
        f"a row that is wrong by {far:g} nats on the other side",
        name.format(far, 0),
        {
            "log(1 - p) is computed, and 1 - 1e-8 is 1 in float32; or log(1 + exp(200)), and that power is inf": (
                lambda loss, grad: not np.isfinite(loss)
            ),
            "p is kept from 1: the loss ends there": lambda loss, grad: 10 < loss < 0.99 * far,
        },
    )
    tag_loss_on(far * one, one, "a row that is right beyond doubt", name.format(far, 1))
    call = name.format(f"{far:g}, {-far:g}, 2", "0.5, 0.9, 0.3")
    tag_loss_on(
        np.array([far, -far, 2.0], dtype),
        np.array([0.5, 0.9, 0.3], dtype),
        "soft targets",
        call,
        {"targets are taken for 0 or 1": lambda loss, grad: not np.isclose(grad[1], -0.3) and np.isfinite(loss)},
    )


def check_tag_inputs(seed, n):
    rng = np.random.default_rng(seed)
    z, t = rng.normal(size=n) * 3, (rng.random(n) < 0.5).astype(float)
    refuses_tags(
        z[:, None],
        t,
        "shapes that differ",
        f"logits ({n}, 1), targets ({n},)",
        (f"numpy makes a table of {n} times {n} of the two: every row is compared with every target"),
    )
    for value in (np.nan, np.inf):
        spoilt = np.where(np.arange(n) == 2, value, z)
        refuses_tags(spoilt, t, f"a logit of {value}", f"one of {n} logits is {value}", "what is not finite is handed on")
        spoilt = np.where(np.arange(n) == 2, value, t)
        refuses_tags(z, spoilt, f"a target of {value}", f"one of {n} targets is {value}", "only the logits are looked at")
    coded = "tags coded as -1 and 1 are let in: such a loss has no lower bound, and training drives it to -inf"
    refuses_tags(z, 2 * t - 1, "targets of -1", "targets -1 and 1", coded)
    above = "only targets below 0 are refused: labels 1 and 2 give a loss without a lower bound too"
    refuses_tags(z, t + 1, "targets of 2", "targets 1 and 2", above)


def check_nan_log_zero():
    logits, targets = np.array([[1.0, -2.0], [0.5, 3.0]]), np.array([[1, 0], [0, 1]])
    tag_loss_on(logits, targets, "ordinary logits", "tag_loss([[1, -2], [0.5, 3]], [[1, 0], [0, 1]])")
    for dtype in (np.float32, np.float64):
        check_far_rows(200.0, dtype)
    tag_loss_on(
        np.array([-30.0, 17.0]),
        np.array([1.0, 0.0]),
        "logits of -30 and 17",
        "tag_loss([-30, 17], [1, 0])",
        {"the loss is bounded where it should not be": lambda loss, grad: loss < 23.4},
    )
    tag_loss_on(np.array([-1e6, 1e6]), np.array([1.0, 1.0]), "logits of -1e6 and 1e6", "tag_loss([-1e6, 1e6], [1, 1])")
    check_tag_inputs(seed=45, n=40)


check.run(check_nan_log_zero)


### BEGIN HIDDEN TESTS
def check_nan_log_zero_elsewhere():
    rng = check.hidden_rng(45)
    for dtype in (np.float32, np.float64):
        # Beyond the power that float32 holds, beyond the one that float64 holds, and up to a million.
        for far in (rng.uniform(90, 200), rng.uniform(720, 5000), 10.0 ** rng.uniform(4, 6)):
            check_far_rows(far, dtype)
        for spread in 10.0 ** rng.uniform([-1, 0, 1, 3], [0, 1, 3, 4]):
            z = (rng.normal(size=rng.integers([10, 1], [40, 5])) * spread).astype(dtype)
            t = np.where(rng.random(z.shape) < 0.5, rng.random(z.shape), rng.random(z.shape) < 0.5).astype(dtype)
            tag_loss_on(z, t, "logits of all sizes, targets between 0 and 1", f"{z.size} logits in {dtype.__name__}")
    check_tag_inputs(seed=int(rng.integers(2**31)), n=int(rng.integers(30, 60)))


check.run(check_nan_log_zero_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# In float32, print `p` for the logits -200 and 200, and `1 - p` for the second. What is left of the 200 in either?
# Which logits can the loss no longer tell apart once it has only `p`?
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# The logarithm undoes the exponential, but a number was rounded to 0 or 1 between the two. Do the undoing on paper.
# What is $-\log p$ as a function of the logit? And what becomes of $\frac{1}{p}\cdot p(1-p)$ before any number is put
# in?
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# $-\log p=\log(1+e^{-z})$ and $-\log(1-p)=\log(1+e^{z})$: add the two with their weights and simplify, then compute
# what is left so that no power overflows; numpy has a function for the logarithm of a sum of exponentials. The
# gradient is one subtraction. The refusals come first.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *NaN Loss: Log of zero/negative.*
#
# With the logit $z$, the target $t$ and $p=1/(1+e^{-z})$,
#
# $$-t\log p-(1-t)\log(1-p)=\log(1+e^{z})-tz=\max(z,0)-tz+\log(1+e^{-|z|}),$$
#
# and the derivative with respect to $z$ is $p-t$. Nothing there can overflow, and for a row that is wrong by 200 nats
# the loss is 200 and the derivative $-1$ or $1$.
#
# **When the advice misleads.** *Fix: Add epsilon.* It ends the `nan` and the learning. $-\log(p+10^{-8})$ is at most
# 18.4. Its derivative is $-p(1-p)/(p+10^{-8})$, which goes to 0 where $p$ does: the rows that are most wrong say
# least. In the run of the figure all rows were sure of themselves after the first step, the right ones and the wrong
# ones, and no gradient was left. The loss, about 18.4 times the share of wrong rows, never changed again.
#
# Keeping $p$ between $10^{-8}$ and $1-10^{-8}$ is no better. In float32 that upper bound is rounded to 1, so that
# $\log(1-p)$ is still $-\infty$. And `np.float16(1e-8)` is 0.
#
# **The input.** *Fix: Check cross-entropy inputs.* That half of the advice is good. Targets of $-1$ give a loss without
# a lower bound. Shapes $(n,1)$ and $(n,)$ give a table of every row with every target. No check sees probabilities
# that are passed as logits: the sigmoid is applied twice, no $p$ is below 0.5, and where half of the tags are there
# the loss stays above 0.5. The logarithm of a *negative* number needs a "probability" below zero: an output without a
# sigmoid that was taken for one. There the cure is to say what the output is, and not `abs`.
#
# **The twin.** A softmax that overflows gives `nan` in $p$ itself (case 4.4). Print `p` before its logarithm: 0 or 1
# is this case.
#
# **In PyTorch** this is `binary_cross_entropy_with_logits`, and `cross_entropy` for several classes; both take
# logits. The first raises where the shapes differ. It takes targets outside 0 to 1, and hands on a `nan`.
# `binary_cross_entropy` takes probabilities, and bounds each logarithm at $-100$.
#
# </details>
