# %% [markdown]
# ## Case 2.4 · Twice divided by ten
#
# About 20 minutes · difficulty 4 of 5 · 6 points
#
# **The complaint.** Two runs go on from a checkpoint whose loss is near 0.03, by gradient descent with momentum 0.9. The
# first is given a generous learning rate, since its gradients have become small. It is `nan` within ten steps, and at a
# tenth of the rate again. The second run is quiet until step 40. There its loss leaps by a factor of a thousand. It is given
# a tenth of its rate, and leaps at step 40 again.
#
# **After this case you can** measure the largest learning rate that a network bears, from nothing but its gradient, and tell by
# it a rate that is too high from a batch that is bad.
#
# Case 1 of stage 1 asked for such a rate on a line through points, whose Hessian can be written down. Here is a network of
# 1400 parameters. Its Hessian, the matrix of all second derivatives of the loss, has two million entries, and you need one
# number of it.
#
# ### The code

# %% fix="explode-lr"
def stable_lr(gradient, w, beta, rng):
    """The largest lr at which gradient descent with momentum is stable around w:
    v = beta * v + gradient(w), then w = w - lr * v.

    gradient: a function; gradient(w) returns the gradient at w, a float array like w (n,). w: where
    to measure. beta: from 0 to 0.95. rng: a numpy Generator, if you want one. Returns one number.
    Let L be the eigenvalue of the Hessian at w that is largest in size, its sign left out. A rate
    is stable if, on a parabola of curvature L, w comes ever closer to the minimum.
    Graded: the number is right within 5 %, w is as it was, and gradient is called at most 400
    times (n is up to 1000). In the checks the second largest eigenvalue is at most 0.8 of L in
    size, and the curvature is constant to within 1 % where w is moved by 0.01 or less.
    """
    ### BEGIN BROKEN
    # # a step should be of length 1 at most
    # return 1 / np.linalg.norm(gradient(w))
    ### END BROKEN
    ### BEGIN SOLUTION
    # Hessian times v is how the gradient changes along v. Multiplied again and again, what is left of
    # any start is the direction of the largest eigenvalue. It is found once the length of the product settles.
    eps, length = 1e-4, 0.0
    here = gradient(w)
    v = rng.normal(size=np.size(w))
    for _ in range(200):
        v = v / np.linalg.norm(v)
        v = (gradient(w + eps * v) - here) / eps
        before, length = length, np.linalg.norm(v)
        if abs(length - before) < 1e-6 * length:
            break
    return 2 * (1 + beta) / length
    ### END SOLUTION


def blame(gradients, w, lr, beta, rng):
    """Why a run blew up: "learning rate", "batch" or "neither".

    gradients: a list of 5 to 9 functions like the one above, one a batch. With the last batch the
    run blew up; the others are from its quiet time, and at most one of them is bad too. w: the
    weights before the step that blew up.
    Graded: "learning rate" where lr is above the largest stable one on most of the others;
    "batch" where it is so on the last, but not on most others; else "neither". In the checks lr is
    at least 1.5 times above or below each of these. At most 400 calls a batch.
    """
    ### BEGIN BROKEN
    # # the gradients are huge: the learning rate is too high
    # return "learning rate"
    ### END BROKEN
    ### BEGIN SOLUTION
    *others, last = [lr > stable_lr(gradient, w, beta, rng) for gradient in gradients]
    if np.mean(others) > 0.5:
        return "learning rate"
    return "batch" if last else "neither"
    ### END SOLUTION


# %% [markdown]
# **Predict, before you run it.** Around a minimum, with $L$ the largest curvature (the largest eigenvalue of the Hessian),
# the largest stable rate of plain gradient descent is $2/L$. Momentum of 0.9 makes the steps add up, and where the gradient
# does not change they become ten times as long. By what factor does momentum change the largest stable rate? Write it as
# `my_guess`. Trial runs on a parabola answer it under the figure.


# %% scene="explode-lr"
class Regressor(DeepNet):
    """Four inputs, two tanh blocks of width 24, each with a bypass, one output; the loss is the mean squared error."""

    def __init__(self, rng):
        def wire(x, branch, norm):
            out, back = branch(x)
            return x + out, lambda d_out: d_out + back(d_out)

        super().__init__(4, 24, 2, 1, rng, wire)

    def loss_and_grads(self, x, y):
        out, kept = self.forward(x)
        error = out[:, 0] - y
        return float(np.mean(error**2)), self.backward(2 * error[:, None] / len(y), kept)

    def at(self, w):
        """The same network with the parameters w, all in one row."""
        net, params, start = Regressor.__new__(Regressor), [], 0
        for param in self.params:
            params.append(w[start : start + param.size].reshape(param.shape))
            start += param.size
        net.__dict__.update(self.__dict__, params=params)
        return net

    def gradient_on(self, x, y):
        """The gradient of the loss on x, y as a function of all parameters in one row."""
        return lambda w: row_of(self.at(w).loss_and_grads(x, y)[1])


def row_of(arrays):
    return np.concatenate([np.ravel(array) for array in arrays])


def with_momentum(beta):
    """An update for `train`: v = beta * v + grads, params - lr * v."""
    v = []

    def update(params, grads, lr):
        v[:] = [beta * old + grad for old, grad in zip(v, grads)] if v else grads
        return descend(params, v, lr)

    return update


def regression_checkpoint(seed, steps=100):
    """A Regressor trained to a loss near 0.03, its parameters in one row, and its data (160 rows)."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(160, 4))
    y = np.sin(1.5 * x[:, 0]) + 0.5 * x[:, 1] * x[:, 2]
    net = Regressor(rng)
    train(net, lambda: (x, y), steps, 0.02, with_momentum(0.9))
    return net, row_of(net.params), x, y


def restart(stable_lr, checkpoint, steps=80, beta=0.9):
    """Full-batch training from the checkpoint, at half of what stable_lr says. Returns the losses."""
    net, w, x, y = checkpoint
    lr = 0.5 * stable_lr(net.gradient_on(x, y), w.copy(), beta, np.random.default_rng(0))
    return train(net.at(w), lambda: (x, y), steps, lr, with_momentum(beta))["loss"]


def second_run(blame, checkpoint, seed, steps=80, beta=0.9, lr=0.01):
    """Training on batches of 32. At step 40 one row of the batch is 30 times as large as it should be.

    The run is treated as `blame` says: a tenth of lr, or the batch left out, or nothing. Returns the losses.
    """
    net, w, x, y = checkpoint
    rng = np.random.default_rng([seed, 1])
    draws = []
    for _ in range(steps):
        rows = rng.choice(len(x), 32, replace=False)
        draws.append((x[rows], y[rows]))
    draws[40][0][0] *= 30
    # The weights have hardly moved since the checkpoint: they stand for those before the step that blew up.
    verdict = blame([net.gradient_on(*draw) for draw in draws[:4] + draws[40:41]], w.copy(), lr, beta, rng)
    if verdict == "batch":
        draws[40] = draws[39]
    lr = lr / 10 if verdict == "learning rate" else lr
    left = iter(draws)
    return train(net.at(w), lambda: next(left), steps, lr, with_momentum(beta))["loss"]


def blown_up_twice(stable_lr, blame, checkpoint, seed):
    history = History()
    for first, second in zip(restart(stable_lr, checkpoint), second_run(blame, checkpoint, seed)):
        history.log(first=first, second=second)
    return history


def largest_rate_by_trial(beta, steps=1000):
    """The largest rate with which w comes closer to 0 on the parabola w**2 / 2, whose curvature is 1."""

    def comes_closer(lr):
        w, v = 1.0, 0.0
        for _ in range(steps):
            v = beta * v + w
            w = w - lr * v
        return abs(w) < 1

    low, high = 0.0, 10.0
    for _ in range(12):
        lr = (low + high) / 2
        low, high = (lr, high) if comes_closer(lr) else (low, lr)
    return low


# %% run="explode-lr" atlas="2"
my_guess = 0.1  # the largest stable rate with momentum 0.9, as a multiple of that without

checkpoint = regression_checkpoint(seed=0)
vitals(
    before=blown_up_twice(broken.stable_lr, broken.blame, checkpoint, seed=0),
    now=blown_up_twice(stable_lr, blame, checkpoint, seed=0),
    signs={"first": "first run: loss (squared units)", "second": "second run: loss (squared units)"},
    caption="First run: restarted at half of stable_lr. Second: treated as blame says. A cross: no number from there on.",
)
factor = largest_rate_by_trial(0.9) / largest_rate_by_trial(0.0)
print(f"By trial on a parabola, momentum 0.9 changes the largest rate by a factor of {factor:.1f}. Your guess: {my_guess:g}.")


# %% check="explode-lr" points=6
def valley(seed, eigenvalues, bend=0.0, slope=0.0):
    """A gradient, and a point w where its Hessian has the eigenvalues. bend: how fast curvature changes; slope: |gradient|.

    The gradient counts its calls in its attribute `calls`.
    """
    rng = np.random.default_rng(seed)
    lam = np.array(eigenvalues, dtype=float)
    axis = rng.normal(size=lam.size)
    axis /= np.linalg.norm(axis)
    w = rng.normal(size=lam.size)
    tilt = slope * rng.normal(size=lam.size) / np.sqrt(lam.size)

    def mirrored(a):
        return a - 2 * axis * (axis @ a)

    def gradient(at):
        gradient.calls += 1
        u = mirrored(np.asarray(at, dtype=float) - w)
        return mirrored(lam * u * (1 + bend * u**2)) + tilt

    gradient.calls = 0
    return gradient, w


def check_bound(name, seed, eigenvalues, beta, bend=0.0, slope=1.0):
    gradient, w = valley(seed, eigenvalues, bend, slope)
    top = float(np.abs(eigenvalues).max())
    given = w.copy()
    got = stable_lr(gradient, given, beta, np.random.default_rng(seed))
    calls = gradient.calls
    call = f"stable_lr(gradient, w, beta={beta:g}, rng) for {name}"
    check.that(np.array_equal(given, w), what="w is as it was", call=call)
    is_number = got is not None and np.ndim(got) == 0
    lr = float(got) if is_number else np.nan
    want = 2 * (1 + beta) / top
    turned = ", and the sign of an eigenvalue is not left out" if min(eigenvalues) < -0.5 * top else ""
    turns = {
        "the rate is taken from the length of the gradient, which says nothing about how the gradient changes": 1
        / np.linalg.norm(gradient(w)),
        "the rate is divided by ten, whatever the network": 0.01,
        "momentum is left out: this is the bound of plain gradient descent": 2 / top,
        "the rate is taken ten times smaller because steps add up: along a steep direction they take turns in sign": 2
        * (1 - beta)
        / top,
        "1 stands where 2 is meant": (1 + beta) / top,
        "1 over the largest curvature is taken for the bound": 1 / top,
        "the curvature is returned, and not the rate": top,
        "a negative rate comes out" + turned: -want,
        "the sum of both differences is divided by eps and not by two eps": want / 2,
        "the difference over two eps is divided by eps": want * 2,
        "the smallest curvature is taken for the largest": 2 * (1 + beta) / np.abs(eigenvalues).min(),
    }
    average = 2 * (1 + beta) / np.sqrt(np.mean(np.square(eigenvalues)))
    near_average = (
        "one random direction is measured, which gives an average curvature: multiply again and again, until the largest is left"
    )
    check.that(
        is_number and abs(lr - want) <= 0.05 * want,
        what="the largest stable rate is right within 5 %",
        call=call,
        expected=f"{want:.4g}, where L is {top:.4g}",
        got=got if not is_number else f"{lr:.4g}",
        turns={
            **{words: np.isclose(lr, value, rtol=0.02) for words, value in turns.items()},
            "the vector is not brought back to a fixed length: it grows by L at every product": is_number
            and (not np.isfinite(lr) or (bend > 0 and lr < 0.2 * want)),
            near_average: abs(lr) > 0.75 * average,
            "the products end too early: smaller curvatures are still in the vector": lr > 1.05 * want,
            "the two points lie too far apart, where the curvature is another": bend > 0,
        },
    )
    check.that(
        calls <= 400,
        what="gradient is called at most 400 times",
        call=call,
        got=f"{calls} calls for {len(eigenvalues)} parameters",
        turns={"the Hessian is written out, column by column": calls >= len(eigenvalues)},
    )


def check_blame(name, want, lr_by_bound, tops, seed, beta=0.9, slopes=None, signs=None):
    """tops: the largest curvature of each batch; lr_by_bound: lr over the bound where the curvature is 1."""
    rng = np.random.default_rng(seed)
    slopes = slopes or [1.0] * len(tops)
    # Many small curvatures: their sum and their mean mislead, and yet a few products find the largest.
    pairs = [
        valley(seed, np.append(rng.uniform(0, 0.2 * top, 199), top * sign), slope=slope)
        for top, slope, sign in zip(tops, slopes, signs or [1] * len(tops))
    ]
    lr = lr_by_bound * 2 * (1 + beta)
    got = blame([gradient for gradient, _ in pairs], pairs[0][1].copy(), lr, beta, np.random.default_rng(seed))
    over = np.array(tops) * lr_by_bound > 1
    plain_over = np.array(tops) * lr * 0.5 > 1
    plain_verdict = "learning rate" if np.mean(plain_over[:-1]) > 0.5 else "batch" if plain_over[-1] else "neither"
    mean_verdict = "learning rate" if np.mean(tops[:-1]) * lr_by_bound > 1 else "batch" if over[-1] else "neither"
    check.word(
        got,
        want,
        ("learning rate", "batch", "neither"),
        what=name,
        call=f"blame(...): lr above the bound on {over[:-1].sum()} of {len(tops) - 1} others{', and on the last' * int(over[-1])}",
        turns={
            "the length of the gradients decides: a steep slope alone does not make a run unstable": slopes[-1] > 10,
            "one bad batch among the others, or their mean, decides: ask most of them": want != "learning rate"
            and got == "learning rate"
            and (mean_verdict == got or over[:-1].any()),
            "whatever blows up is put down to the rate": got == "learning rate",
            "the last batch alone is asked: where the others are above the bound too, the batch is not to blame": want
            == "learning rate"
            and got == "batch",
            "the last batch is put down as bad because the run blew up on it: below the bound it cannot be": want == "neither"
            and got == "batch"
            and plain_verdict != got,
            "momentum is left out: the bound is that of plain gradient descent": got == plain_verdict != want,
            "a curvature below zero counts as small: it drives the weights away too": got == "neither" and signs is not None,
            "the last batch is not asked": got == "neither" and want == "batch",
        },
    )
    most = max(gradient.calls for gradient, _ in pairs)
    check.that(most <= 400, what="at most 400 calls a batch", call="blame", got=f"{most} calls")


def check_explode_lr():
    check_bound("forty curvatures up to 25, and no momentum", 1, list(np.linspace(0.1, 8, 39)) + [25], 0.0, slope=6)
    check_bound("forty curvatures up to 25", 1, list(np.linspace(0.1, 20, 39)) + [25], 0.9, slope=3)
    check_bound("a checkpoint with a short gradient", 2, [1, 2, 3, 40], 0.9, slope=0.01)
    check_bound("1000 parameters, curvatures up to 500", 3, list(np.linspace(0, 400, 999)) + [500], 0.5, slope=30)
    check_bound("curvature that changes along the way", 4, [1, 2, 3, 4, 8], 0.9, bend=30.0)
    check_bound("the largest of 12 curvatures below zero", 5, list(np.linspace(1, 8, 11)) + [-12], 0.9)
    check_blame("the rate is too high for all batches", "learning rate", 2.0, [1, 1.1, 0.9, 1.2, 1], 11)
    check_blame("too high for all batches, most of all for the last", "learning rate", 2.0, [1, 1.1, 0.9, 1, 40], 12)
    check_blame("too high for the last batch alone", "batch", 0.3, [1, 1.1, 0.9, 1.2, 40], 13)
    check_blame("too high for the last batch, and for one before", "batch", 0.3, [1, 300, 0.9, 1.2, 40], 14)
    negative = [1, 1, 1, 1, -1]
    check_blame("too high for the last, whose curvature is below zero", "batch", 0.3, [1, 1.1, 1, 0.9, 30], 15, signs=negative)
    check_blame("momentum bears it", "neither", 0.6, [1, 1.1, 0.9, 1, 1.1], 16)
    slopes = [1.0, 1.0, 1.0, 1.0, 1e3]
    check_blame("a long gradient on the last, the curvature as ever", "neither", 0.3, [1, 1.1, 1, 1, 0.9], 17, slopes=slopes)


check.run(check_explode_lr)


### BEGIN HIDDEN TESTS
def check_explode_lr_elsewhere():
    rng = check.hidden_rng(24)

    def spectrum(size, sign=1, second=0.78):
        """The largest curvature, and below `second` of it all others."""
        top = 10 ** rng.uniform(-1, 3)
        return [*rng.uniform(0, second * top, size - 1).tolist(), float(sign * top)]

    def seed():
        return int(rng.integers(2**31))

    bounds = [
        ("some curvatures", spectrum(int(rng.integers(20, 100))), dict(beta=rng.uniform(0.5, 0.9))),
        ("no momentum", spectrum(int(rng.integers(60, 150)), second=0.3), dict(beta=0.0)),
        ("many parameters", spectrum(int(rng.integers(600, 1001))), dict(beta=rng.uniform(0.9, 0.95))),
        ("curvature that changes along the way", spectrum(int(rng.integers(4, 8))), dict(beta=0.3, bend=rng.uniform(15, 30))),
        ("the largest curvature below zero", spectrum(int(rng.integers(12, 40)), -1, 0.4), dict(beta=rng.uniform(0.1, 0.9))),
    ]
    for number in rng.permutation(len(bounds)):
        name, eigenvalues, settings = bounds[number]
        check_bound(name, seed(), eigenvalues, slope=10 ** rng.uniform(-2, 1.7), **settings)

    def others(number=4):
        return rng.uniform(0.8, 1.2, number).tolist()

    def with_one_bad():
        tops = others()
        tops[int(rng.integers(len(tops)))] = rng.uniform(40, 300)
        return tops

    high, low, much = rng.uniform(2, 4), rng.uniform(0.15, 0.35), rng.uniform(40, 300)
    at = [others(), others(), others(int(rng.integers(5, 9))), others()]
    blames = [
        ("too high for all", "learning rate", high, [*at[0], rng.uniform(0.8, 1.2)], {}),
        ("too high for all, most of all for the last", "learning rate", high, [*at[1], much], {}),
        ("too high for the last alone", "batch", low, [*at[2], much], {}),
        ("too high for the last, and for one before", "batch", low, [*with_one_bad(), much], {}),
        ("a long gradient only", "neither", low, [*at[3], 1.0], dict(slopes=[1.0] * len(at[3]) + [10 ** rng.uniform(3, 5)])),
        ("too high for one before, and not for the last", "neither", low, [*with_one_bad(), rng.uniform(0.8, 1.2)], {}),
    ]
    for number in rng.permutation(len(blames)):
        name, want, lr_by_bound, tops, settings = blames[number]
        check_blame(name, want, lr_by_bound, tops, seed(), beta=rng.uniform(0, 0.9), **settings)


check.run(check_explode_lr_elsewhere)
### END HIDDEN TESTS

# %% [markdown]
# <details><summary>Hint 1: where to look</summary>
#
# At a minimum the gradient is zero. Does a network bear any rate there? What overshoots is not a long gradient, but one
# that changes quickly. Take two points that lie close together, and look at the two gradients.
#
# </details>
# <details><summary>Hint 2: what is wrong</summary>
#
# For a short vector $\varepsilon v$ the difference of the gradients at $w+\varepsilon v$ and at $w$ is
# $\varepsilon Hv$, with $H$ the Hessian. That is one product for one more gradient. Multiply a random vector again and
# again: what grows fastest is left. With momentum, write the two-term recurrence for $d$ on the parabola
# $\frac{1}{2}Ld^2$ and ask when its solutions decay.
#
# </details>
# <details><summary>Hint 3: how to mend it</summary>
#
# Start from a random vector; bring it to length 1, multiply, and repeat until the length of the product settles. This
# length is $L$. The bound is $2(1+\beta)/L$. For the verdict ask it of every batch: first whether most of the quiet
# ones are above it.
#
# </details>
#
# ### Discharge note
#
# <details><summary>Open it when the check passes</summary>
#
# **Diagnosis.** *Gradient Explosion: Learning rate too high. Fix: Reduce LR, add warmup.* And its twin, *Data outliers*.
#
# Along a direction of curvature $\lambda$ the distance $d_t$ from the minimum follows
# $d_{t+1}=(1+\beta-\eta\lambda)\,d_t-\beta\,d_{t-1}$, with $\eta$ the rate and $\beta$ the momentum. Its solutions
# decay when
#
# $$0<\eta<\frac{2(1+\beta)}{\lambda}$$
#
# (Polyak 1964, doi 10.1016/0041-5553(64)90137-5), and the largest $\lambda$ decides. Past the bound the steps take
# turns in sign, so momentum lets them cancel: it *widens* the bound, 1.9 times at $\beta=0.9$. It is along the flat
# directions that it makes steps longer. The largest $\lambda$ comes from power iteration, $v\leftarrow Hv/\lVert
# Hv\rVert$, and $Hv$ from two gradients, $(\nabla\ell(w+\varepsilon v)-\nabla\ell(w))/\varepsilon$ for
# the loss $\ell$; Pearlmutter 1994 (doi 10.1162/neco.1994.6.1.147) gives it without the difference.
#
# **Which twin.** The bound of the first run is 0.073, its rate was 6.9. In the second the rate is 0.01, and the quiet batches
# bear 0.04 to 0.1 (5 seeds). With one row 30 times as large, the bound of its batch was 0.017 at most, and its
# median 0.0012: inputs enter squared. In 10 of 30 such batches the largest eigenvalue was *negative*. There the weights leave
# at any rate, so the sign has to be left out.
#
# **Where it ends.** The bound speaks of the place where it was measured, and curvature changes on the way. At half of the bound
# the loss of the first run never rises (20 seeds). At 0.7 of it the loss rises from 0.03 to 0.4, and at 1.1 of it to 1.8. Both
# times the network finds a flatter place and goes on; at 1.3 of it the network is lost. Rectified units have kinks, and a
# difference across one can be far too large: take $\varepsilon$ smaller, and measure twice.
#
# **When the advice misleads.** "Reduce LR": by how much? And a tenth of the rate does not save the second run, it makes
# it slow and leaves the row in the data. "Add warmup" helps where the curvature falls while the rate rises. In the
# recurrent network of case 2.5 it does: from about $10^5$ at the start to $4\cdot10^3$ after 300 short steps. In the
# network of this case it stays between 26 and 86 for 300 steps (3 seeds), and a warmup only delays the explosion.
#
# **In PyTorch** `torch.autograd.functional.vhp`, or `torch.autograd.grad` of the gradient times $v$, gives $Hv$ exactly.
#
# </details>
